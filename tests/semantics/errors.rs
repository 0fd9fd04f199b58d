//! 15. Errors: what goes wrong with one socket is told there, and ends that one only.

use crate::common::client::{BINARY, PING, PONG, TEXT, frame};
use crate::common::{Client, Server, serve, serve_with};
use crate::{Journal, NEVER};
use rushwire::{Options, Rate, event};

/// Notes errors and ends.
fn serve_noting(options: fn() -> Options) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            let heard = noted.clone();
            socket.on(event::Error, move |_, failure| {
                heard.note(format!("error {failure:?}"))
            });
            let heard = noted.clone();
            socket.on(event::Close, move |_, close| {
                heard.note(format!("close {}", close.code))
            });
            socket.on(event::Message, |_, message| match message.as_text() {
                Some("panic with a str") => panic!("a str"),
                Some("panic with a String") => panic!("{}", message.len()),
                Some("panic with a number") => std::panic::panic_any(7),
                _ => {}
            });
            socket.send("open");
        });
    });
    (server, journal)
}

#[test]
fn an_error_is_told_before_the_close_that_it_leads_to() {
    #[rustfmt::skip]
    let table = [
        ("a violation",         frame(true, 2, TEXT, b"x"),                     1002, "error Violation(ReservedBits)"),
        ("bad UTF-8",           frame(true, 0, TEXT, b"a\xFFb"),                1007, "error Violation(NotUtf8)"),
        ("too big",             frame(true, 0, BINARY, &[0; 101]),              1009, "error Violation(TooBig { len: 101, max: 100 })"),
        ("a panic with a str",  frame(true, 0, TEXT, b"panic with a str"),      1011, "error Panic(\"a str\")"),
        ("with a String",       frame(true, 0, TEXT, b"panic with a String"),   1011, "error Panic(\"19\")"),
    ];
    for (name, bytes, code, error) in table {
        let (server, journal) = serve_noting(|| Options {
            max_message_size: 100,
            ..Options::default()
        });
        let mut client = server.connect("/");
        assert_eq!(client.text(), "open");
        client.send_raw(&bytes);
        assert_eq!(client.closed().0, code, "{name}");
        client.finish();
        client.expect_end();
        assert_eq!(
            journal.wait_for(2),
            [error, &format!("close {code}")],
            "{name}"
        );
        drop(server);
        assert_eq!(journal.lines().len(), 2, "{name}");
    }
}

#[test]
fn an_error_of_the_stream_is_told_too() {
    let (server, journal) = serve_noting(Options::default);
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    server.ask(|hub| hub.ws_broadcast("never read", None));
    crate::reset(client);
    assert_eq!(
        journal.wait_for(2),
        ["error Io(ConnectionReset)", "close 1006"]
    );
}

#[test]
fn an_end_in_good_order_is_no_error() {
    let (server, journal) = serve_noting(Options::default);
    for end in [
        |client: &mut Client| client.send_close(1000, ""),
        |client: &mut Client| client.finish(),
    ] {
        let mut client = server.connect("/");
        assert_eq!(client.text(), "open");
        end(&mut client);
        while client.next().is_some() {}
    }
    assert_eq!(journal.wait_for(2), ["close 1000", "close 1006"]);
}

/// D1: any exception in a listener ended the predecessors' process.
#[test]
fn a_panic_in_any_listener_ends_that_one_socket_and_is_reported() {
    let places = [
        "handler", "message", "ping", "pong", "error", "rate", "once", "close", "timer", "job",
        "route", "drop",
    ];
    for place in places {
        let journal = Journal::default();
        let noted = journal.clone();
        let options = || Options {
            message_rate: Some(Rate {
                messages: 1,
                per: NEVER,
            }),
            ..Options::default()
        };
        let server = serve_with(options, move |app| {
            app.on_error(move |report| noted.note(report));
            app.get("/", |_| panic!("oh no"));
            app.ws("/witness", |socket, _| {
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
            app.ws("/", move |socket, _| match place {
                "handler" => panic!("oh no"),
                "message" => drop(socket.on(event::Message, |_, _| panic!("oh no"))),
                "once" => drop(socket.once(event::Message, |_, _| panic!("oh no"))),
                "ping" => drop(socket.on(event::Ping, |_, _| panic!("oh no"))),
                "pong" => drop(socket.on(event::Pong, |_, _| panic!("oh no"))),
                "error" => drop(socket.on(event::Error, |_, _| panic!("oh no"))),
                "rate" => drop(socket.on(event::RateLimit, |_, _| panic!("oh no"))),
                "close" => drop(socket.on(event::Close, |_, _| panic!("oh no"))),
                "timer" => drop(
                    socket
                        .hub()
                        .set_interval(std::time::Duration::ZERO, |_| panic!("oh no")),
                ),
                "drop" => {
                    let bomb = Bomb;
                    socket.on(event::Message, move |_, _| _ = &bomb);
                }
                _ => {}
            });
        });
        let mut witness = server.connect("/witness");
        let mut client = server.connect("/");
        let code = match place {
            "handler" => Some(1011),
            "message" | "once" => {
                client.send("x");
                Some(1011)
            }
            "ping" => {
                client.send_frame(true, 0, PING, b"x");
                assert_eq!(client.next().expect("a pong").opcode, PONG);
                Some(1011)
            }
            "pong" => {
                client.send_frame(true, 0, PONG, b"x");
                Some(1011)
            }
            "error" => {
                client.send_frame(true, 0, 0xF, b"x");
                Some(1011)
            }
            "rate" => {
                client.send("x");
                client.send("y");
                Some(1011)
            }
            "close" | "drop" => {
                client.send_close(1000, "");
                Some(1000)
            }
            "job" => {
                server
                    .remote
                    .post(|_| panic!("oh no"))
                    .expect("the server runs");
                None
            }
            "route" => {
                assert_eq!(crate::http::get(server.addr, "/").status, 500);
                None
            }
            _ => None,
        };
        if let Some(code) = code {
            assert_eq!(client.closed().0, code, "{place}");
            client.finish();
            client.expect_end();
        }
        assert!(
            journal.wait_for(1)[0].contains("oh no"),
            "{place}: {:?}",
            journal.lines()
        );
        witness.send("still here");
        assert_eq!(witness.text(), "still here", "{place}");
        drop((client, witness));
        server.wait_until("all are gone", |hub| hub.is_empty());
        drop(server);
        assert_eq!(journal.lines().len(), 1, "{place}: {:?}", journal.lines());
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("oh no");
    }
}

#[test]
fn a_panic_with_anything_is_survived() {
    let (server, journal) = serve_noting(Options::default);
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client.send("panic with a number");
    assert_eq!(client.closed().0, 1011);
    assert!(journal.wait_for(1)[0].starts_with("error Panic("));
    assert_eq!(server.connect("/").text(), "open");
}

#[test]
fn a_panic_in_on_error_itself_is_survived() {
    let server = serve(|app| {
        app.on_error(|_| panic!("again"));
        app.ws("/", |socket, request| {
            assert!(request.query("panic").is_none());
            socket.send("hello");
        });
    });
    for _ in 0..2 {
        assert_eq!(server.connect("/?panic").closed().0, 1011);
    }
    crate::still_serves(&server, "/");
}
