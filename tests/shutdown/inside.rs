//! The end may be asked for anywhere, and more than once: the one who asks runs on, what it says before
//! and after arrives, and everyone hears 1001 once.

use std::cell::RefCell;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use rushwire::{App, ConnectOptions, Failed, Hub, Request, Socket, event};

use super::common::client::{PING, PONG, close_payload, frame, upgrade_request};
use super::common::journal::Journal;
use super::common::{NEVER, patient, wait_for_the_end_of};
use super::common::{Server, http, serve_with};

thread_local! {
    /// Of the server of this thread.
    static HUB: RefCell<Option<Hub>> = const { RefCell::new(None) };
}

/// Asks for the end, twice, between two messages to everyone.
fn shut() {
    let hub = HUB.with_borrow(Clone::clone).expect("there is one");
    hub.ws_broadcast("before", None);
    hub.shutdown(NEVER);
    hub.ws_broadcast("after", None);
    hub.shutdown(Duration::MAX);
}

/// Asks for the end, once per server.
fn shut_once() {
    thread_local! {
        static DONE: RefCell<bool> = const { RefCell::new(false) };
    }
    if !DONE.replace(true) {
        shut();
    }
}

fn shut_at(request: &Request, path: &str) {
    if request.path() == path {
        shut_once();
    }
}

/// A place to ask, and what is done so that somebody does.
type Place = (&'static str, fn(&mut App), fn(&Server) -> Option<TcpStream>);

/// A socket whose handler is that.
macro_rules! socket {
    ($handler:expr) => {
        |app| _ = app.ws("/actor", $handler)
    };
}

const PLACES: [Place; 22] = [
    ("a handler", socket!(|_, _| shut_once()), knock),
    (
        "a message",
        socket!(|socket, _| _ = socket.on(event::Message, |_, _| shut_once())),
        |server| say(server, &frame(true, 0, 1, b"x")),
    ),
    (
        "the first of many messages in one read",
        socket!(|socket, _| _ = socket.on(event::Message, |_, _| shut_once())),
        |server| say(server, &frame(true, 0, 1, b"x").repeat(50)),
    ),
    (
        "a ping",
        socket!(|socket, _| _ = socket.on(event::Ping, |_, _| shut_once())),
        |server| say(server, &frame(true, 0, PING, b"")),
    ),
    (
        "a pong",
        socket!(|socket, _| _ = socket.on(event::Pong, |_, _| shut_once())),
        |server| say(server, &frame(true, 0, PONG, b"")),
    ),
    (
        "an error",
        socket!(|socket, _| _ = socket.on(event::Error, |_, _| shut_once())),
        |server| say(server, &frame(true, 7, 1, b"x")),
    ),
    (
        "the end of a socket",
        socket!(|socket, _| _ = socket.on(event::Close, |_, _| shut_once())),
        |server| say(server, &frame(true, 0, 8, &close_payload(1000, ""))),
    ),
    (
        "a drain",
        socket!(|socket, _| {
            socket.on(event::Drain, |_, _| shut_once());
            (0..2000).for_each(|_| _ = socket.send(&[b'x'; 30_000][..]));
        }),
        |server| {
            let mut client = server.connect("/actor");
            let read = move || while client.next().is_some_and(|frame| frame.opcode != 8) {};
            std::thread::spawn(read);
            None
        },
    ),
    (
        "a listener that panics then",
        socket!(|socket, _| {
            socket.on(event::Message, |_, _| {
                shut_once();
                std::panic::resume_unwind(Box::new("on purpose"));
            });
        }),
        |server| say(server, &frame(true, 0, 1, b"x")),
    ),
    (
        "a socket that goes at once",
        socket!(|socket, _| {
            socket.terminate();
            shut_once();
        }),
        knock,
    ),
    (
        "middleware that lets pass",
        |app| {
            app.ws("/actor", |_, _| {});
            app.ws_use(|_, request, next| {
                shut_at(request, "/actor");
                next.run();
            });
        },
        knock,
    ),
    (
        "middleware that rejects",
        |app| {
            app.ws("/actor", |_, _| {});
            app.ws_use(|_, request, next| match request.path() {
                "/actor" => shut_once(),
                _ => next.run(),
            });
        },
        knock,
    ),
    (
        "a verdict",
        |app| {
            app.ws("/actor", |_, _| {});
            app.verify_client(|request| {
                shut_at(request, "/actor");
                true
            });
        },
        knock,
    ),
    (
        "a verdict that is left to others",
        |app| {
            app.ws("/actor", |_, _| {});
            app.verify_client_deferred(|request, verdict| {
                shut_at(request, "/actor");
                verdict.accept();
            });
        },
        knock,
    ),
    (
        "a rule on origins",
        |app| {
            app.ws("/actor", |_, _| {});
            app.allow_origin_if(|_, request| {
                shut_at(request, "/actor");
                true
            });
        },
        knock,
    ),
    ("a route", |app| _ = app.get("/page", |_| shut_once()), get),
    (
        "middleware of a route",
        |app| {
            app.middleware(|ctx, next| {
                shut_at(ctx.request(), "/page");
                next.run(ctx);
            });
        },
        get,
    ),
    (
        "a page that is not there",
        |app| _ = app.error_handler(|_, _| shut_once()),
        get,
    ),
    (
        "a timer",
        |_| {},
        |server| {
            server.ask(|hub| _ = hub.set_interval(Duration::ZERO, |_| shut_once()));
            None
        },
    ),
    (
        "a job",
        |_| {},
        |server| {
            server.remote.post(|_| shut_once()).expect("it runs");
            None
        },
    ),
    (
        "a change of a room",
        |app| {
            app.ws("/actor", |socket, _| _ = socket.join("room"));
            app.on_room(|_, _| shut_once());
        },
        knock,
    ),
    (
        "a connection that fails",
        |_| {},
        |server| {
            server.ask(|hub| {
                let options = ConnectOptions::default();
                let connection = hub.connect("ws://127.0.0.1:9", options, |_, _| {});
                let listener = |_: &Failed| shut_once();
                connection.expect("a URL").on_error(listener);
            });
            None
        },
    ),
];

fn say(server: &Server, bytes: &[u8]) -> Option<TcpStream> {
    let mut stream = http::connect(server.addr);
    let hello = upgrade_request("/actor", "Origin: http://x\r\n");
    stream
        .write_all(&[hello.as_bytes(), bytes].concat())
        .expect("send");
    Some(stream)
}

fn knock(server: &Server) -> Option<TcpStream> {
    say(server, b"")
}

fn get(server: &Server) -> Option<TcpStream> {
    let mut stream = http::connect(server.addr);
    stream
        .write_all(b"GET /page HTTP/1.0\r\n\r\n")
        .expect("send");
    Some(stream)
}

fn witness(socket: &Socket, journal: &Journal) {
    journal.watch_close(socket);
    socket.send("hello");
}

#[test]
fn it_may_be_asked_for_anywhere() {
    const WITNESSES: usize = 3;
    for (name, arm, provoke) in PLACES {
        println!("{name}");
        let journal = Journal::default();
        let noted = journal.clone();
        let server = serve_with(patient, move |app| {
            HUB.set(Some(app.hub().clone()));
            app.ws("/witness", move |socket, _| witness(socket, &noted));
            arm(app);
        });
        let origin = "Origin: http://x\r\n";
        let connect = |_| super::common::Client::connect_with(server.addr, "/witness", origin);
        let mut witnesses: Vec<_> = (0..WITNESSES).map(connect).collect();
        witnesses
            .iter_mut()
            .for_each(|client| assert_eq!(client.text(), "hello"));
        let actor = provoke(&server);
        for client in &mut witnesses {
            assert_eq!(
                (client.text(), client.text()),
                ("before".to_owned(), "after".to_owned()),
                "{name}"
            );
            client.expect_close(1001);
        }
        drop(actor);
        wait_for_the_end_of(&server.remote);
        let ends = vec![r#"1001 "server is shutting down" Us Shutdown"#; WITNESSES];
        assert_eq!(journal.lines(), ends, "{name}");
    }
}
