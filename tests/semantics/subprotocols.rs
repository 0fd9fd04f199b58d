//! Subprotocols (RFC 6455 §1.9): the server's order, or the application's choice, and never one that
//! the client has not offered.

use crate::common::{Client, Server, serve, serve_with};
use crate::{Journal, knock};
use rushwire::Options;

/// What the server answers to an offer, in its head and to its own application.
fn agreed(server: &Server, path: &str, offer: &str) -> Option<String> {
    let headers = match offer {
        "" => String::new(),
        offer => format!("Sec-WebSocket-Protocol: {offer}\r\n"),
    };
    let mut client = Client::connect_with(server.addr, path, &headers);
    let answer = client.answer.header("sec-websocket-protocol");
    let answer = answer.map(str::to_owned);
    assert_eq!(client.text(), format!("{answer:?}"), "socket.protocol()");
    answer
}

fn told(options: Options, choose: impl FnOnce(&mut rushwire::App) + Send + 'static) -> Server {
    let subprotocols = options.subprotocols;
    let options = move || Options {
        subprotocols,
        ..Options::default()
    };
    serve_with(options, move |app| {
        choose(app);
        app.ws("/", |socket, _| {
            socket.send(&format!("{:?}", socket.protocol()));
        });
    })
}

fn ours() -> Options {
    Options {
        subprotocols: vec!["v3".into(), "v2".into(), "v1".into()],
        ..Options::default()
    }
}

#[test]
fn the_servers_order_wins() {
    let server = told(ours(), |_| {});
    #[rustfmt::skip]
    let table = [
        ("",               None),
        ("v1",             Some("v1")),
        ("v1, v2",         Some("v2")),
        ("other,v1 ,\tv2", Some("v2")),
        ("other",          None),
        ("V3",             None),
        ("v33, v3",        Some("v3")),
    ];
    for (offer, expected) in table {
        assert_eq!(agreed(&server, "/", offer).as_deref(), expected, "{offer}");
    }
}

#[test]
fn a_closure_chooses_instead_from_what_is_offered_and_from_the_request() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = told(ours(), move |app| {
        struct Best(String);
        app.verify_client(|request| {
            request.set(Best(request.query("want").unwrap_or_default().to_owned()));
            true
        });
        app.choose_subprotocol(move |request, offered| {
            noted.note(offered.join(" "));
            let best = request.data::<Best>().expect("it is verified");
            let found = offered.iter().find(|name| **name == best.0);
            found.map(|name| name.to_string())
        });
    });
    #[rustfmt::skip]
    let table = [
        ("/?want=x",  "v3, x, v1", Some("x")),
        ("/?want=v1", "v3, x, v1", Some("v1")),
        ("/?want=y",  "v3, x, v1", None),
    ];
    for (path, offer, expected) in table {
        assert_eq!(agreed(&server, path, offer).as_deref(), expected, "{path}");
    }
    assert_eq!(agreed(&server, "/?want=x", ""), None);
    assert_eq!(journal.lines(), ["v3 x v1"; 3], "not where none is offered");
}

#[test]
fn a_choice_that_was_not_offered_is_reported_and_none_is_spoken() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = told(ours(), move |app| {
        app.on_error(move |report| noted.note(report));
        app.choose_subprotocol(|request, _| request.query("say").map(str::to_owned));
    });
    for (count, bad) in ["v3", "", "V1", "v1,%20v2", "v1%0d%0aX-Evil:%20yes"]
        .iter()
        .enumerate()
    {
        assert_eq!(
            agreed(&server, &format!("/?say={bad}"), "v1, v2"),
            None,
            "{bad}"
        );
        let report = journal.wait_for(count + 1)[count].clone();
        assert!(report.contains(r#"["v1", "v2"]"#), "{report}");
    }
    let lines = journal.lines();
    assert!(lines[0].contains("\"v3\""), "{lines:?}");
    assert!(lines[4].contains(r#""v1\r\nX-Evil: yes""#), "{lines:?}");
    assert_eq!(agreed(&server, "/?say=v2", "v1, v2").as_deref(), Some("v2"));
}

#[test]
fn a_choice_that_panics_is_answered_with_500_and_the_server_goes_on() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| {
        app.on_error(move |report| noted.note(report));
        app.choose_subprotocol(|_, offered| match offered {
            ["bad"] => panic!("no choice"),
            _ => None,
        });
        app.ws("/", |_, _| {});
    });
    let offer = |name: &str| format!("Sec-WebSocket-Protocol: {name}\r\n");
    assert_eq!(knock(server.addr, "/", &offer("bad")), 500);
    assert!(journal.wait_for(1)[0].contains("no choice"));
    assert_eq!(knock(server.addr, "/", &offer("good")), 101);
}
