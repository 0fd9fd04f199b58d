//! 5. Middleware: what stands between the opening handshake and the handler.

use crate::common::{Client, Server, serve, serve_with};
use crate::{Journal, NEVER, still_serves};
use rushwire::{Next, Options, ReadyState, Request, Socket};

/// A server whose middleware does `act` to those who ask for it, and whose handler says "hello".
fn serve_middleware(act: fn(&Socket, &Request, Next)) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    // A rejected peer that answers must not be kept until this is over.
    let options = || Options {
        close_timeout: NEVER,
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        let reports = noted.clone();
        app.on_error(move |report| reports.note(format!("report {report}")));
        let watched = noted.clone();
        app.ws_use(move |socket, request, next| {
            watched.watch_close(socket);
            if request.query("act").is_some() {
                act(socket, request, next)
            } else {
                next.run()
            }
        });
        let after = noted.clone();
        app.ws_use(move |_, _, next| {
            after.note("later middleware");
            next.run();
        });
        app.ws("/", move |socket, _| {
            noted.note("handler");
            socket.send("hello");
        });
    });
    (server, journal)
}

#[test]
fn it_runs_in_order_of_registration_on_every_endpoint() {
    let journal = Journal::default();
    let noted = journal.clone();
    let options = || Options {
        paths: vec!["/push".into()],
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        let chat = noted.clone();
        app.ws("/chat", move |_, _| chat.note("handler"));
        for name in ["first", "second", "third"] {
            let noted = noted.clone();
            app.ws_use(move |socket, request, next| {
                noted.note(format!(
                    "{name} {} {:?}",
                    request.path(),
                    socket.ready_state()
                ));
                next.run();
            });
        }
    });
    let _chat = server.connect("/chat");
    server.wait_until("one is open", |hub| hub.len() == 1);
    let _push = server.connect("/push");
    server.wait_until("both are open", |hub| hub.len() == 2);
    #[rustfmt::skip]
    let expected = [
        "first /chat Connecting", "second /chat Connecting", "third /chat Connecting", "handler",
        "first /push Connecting", "second /push Connecting", "third /push Connecting",
    ];
    assert_eq!(journal.lines(), expected);
    assert!(server.ask(|hub| {
        hub.sockets()
            .iter()
            .all(|socket| socket.ready_state() == ReadyState::Open)
    }));
}

/// What middleware does, what the peer hears of it, and what the close event says.
#[test]
fn who_does_not_run_next_rejects() {
    type Row = (&'static str, fn(&Socket, &Request, Next), u16, &'static str);
    #[rustfmt::skip]
    let table: [Row; 9] = [
        ("next is dropped",                 |_, _, next| drop(next),                        1008, "Us Rejected"),
        ("next is forgotten",               |_, _, _next| {},                               1008, "Us Rejected"),
        ("next is rejected",                |_, _, next| next.reject(4_321, "not you"),     4321, "Us Rejected"),
        ("with a code that may not be sent", |_, _, next| next.reject(1_006, "not you"),    1008, "Us Rejected"),
        ("closed before",                   |socket, _, _| socket.close_with(4_001, "closed before").expect("a good code"), 4001, "Us Requested"),
        ("closed, then next is run",        |socket, _, next| {
            socket.close();
            next.run();
        },                                                                                  1000, "Us Requested"),
        ("closed, then next is rejected",   |socket, _, next| {
            socket.close_with(4_002, "first").expect("a good code");
            next.reject(4_003, "second");
        },                                                                                  4002, "Us Requested"),
        ("it panics",                       |_, _, _| panic!("middleware"),                 1011, "Us Panic"),
        ("it runs next, then panics",       |_, _, next| {
            next.run();
            panic!("middleware");
        },                                                                                  1011, "Us Panic"),
    ];
    for (name, act, code, how) in table {
        let (server, journal) = serve_middleware(act);
        let mut client = server.connect("/?act");
        let (heard, reason) = client.closed();
        assert_eq!(heard, code, "{name}");
        client.try_send_close(code);
        client.finish();
        client.expect_end();
        let lines = journal.wait_for(if code == 1011 { 2 } else { 1 });
        assert_eq!(
            lines.last().expect("a line"),
            &format!("{code} {reason:?} {how}"),
            "{name}"
        );
        assert!(
            lines
                .iter()
                .all(|line| line != "handler" && line != "later middleware"),
            "{name}: {lines:?}"
        );
        assert_eq!(
            lines
                .iter()
                .filter(|line| line.starts_with("report"))
                .count(),
            usize::from(code == 1011),
            "{name}: {lines:?}"
        );
        let stats = server.ask(|hub| hub.stats());
        assert_eq!((stats.accepted, stats.total_connections), (0, 0), "{name}");
        still_serves(&server, "/");
    }
}

#[test]
fn what_it_sends_comes_before_its_close() {
    let (server, _) = serve_middleware(|socket, _, _| {
        socket.send("{\"error\":\"authentication required\"}");
        socket
            .close_with(1_008, "authentication required")
            .expect("a good code");
    });
    let mut client = server.connect("/?act");
    assert_eq!(client.text(), "{\"error\":\"authentication required\"}");
    assert_eq!(
        client.closed(),
        (1008, "authentication required".to_owned())
    );
}

#[test]
fn a_value_that_next_carries_is_the_sockets() {
    struct User(&'static str);
    let server = serve(|app| {
        app.ws_use(|_, _, next| next.run_with(User("Ada")));
        app.ws_use(|socket, _, next| {
            let user = socket.data::<User>().expect("from the first");
            next.run_with(format!("{} Lovelace", user.0));
        });
        app.ws("/", |socket, _| {
            _ = socket.send(&*socket.data::<String>().expect("from the second"))
        });
    });
    assert_eq!(server.connect("/").text(), "Ada Lovelace");
}

#[test]
fn a_rejected_peer_that_goes_on_talking_is_not_heard_and_costs_nothing() {
    let (server, journal) = serve_middleware(|socket, _, next| {
        let noted = std::thread::current().id();
        socket.on_message(move |_, _| panic!("heard on {noted:?}"));
        drop(next);
    });
    let mut client: Client = server.connect("/?act");
    assert_eq!(client.closed().0, 1008);
    for _ in 0..100 {
        client.send_binary(&vec![0; 100_000]);
    }
    client.send_close(1008, "");
    client.expect_end();
    assert_eq!(
        journal.wait_for(1),
        ["1008 \"rejected by middleware\" Us Rejected"]
    );
    still_serves(&server, "/");
}
