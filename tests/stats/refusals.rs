//! Each refusal counts once, under its own cause and under no other.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::common::client::upgrade_request;
use crate::common::{Client, Server, http, knock, serve_with};
use rushwire::{App, ConnectionRate, Hub, Options, Refusal, Response, event};

/// A cause; the server; what is done to it, and how often it is refused for that.
type Case = (Refusal, fn() -> Options, fn(&mut App), fn(&Server) -> u64);

fn usual(app: &mut App) {
    app.ws("/", |socket, _| {
        socket.on(event::Message, |_, _| {});
    });
    app.get("/page", |ctx| ctx.text("a page"));
}

fn plain(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n")
}

/// Sends each on a connection of its own, and gives how many there were.
fn say(server: &Server, requests: &[String], status: u16) -> u64 {
    for request in requests {
        let answer = http::request(server.addr, request);
        assert_eq!(answer.status, status, "{request}");
    }
    requests.len() as u64
}

const CASES: [Case; 24] = [
    (Refusal::BadRequest, Options::default, usual, |server| {
        let bad = ["GARBAGE\r\n\r\n".to_owned(), plain("GET /%zz", "")];
        say(server, &bad, 400)
            + say(server, &[plain("GET /", "Expect: what\r\n")], 417)
            + say(
                server,
                &[plain("POST /page", "Transfer-Encoding: zip, chunked\r\n")],
                501,
            )
    }),
    (Refusal::TooLarge, small, usual, |server| {
        let long = format!("X: {}\r\n", "x".repeat(2_000));
        say(server, &[plain("GET /page", &long)], 431)
            + say(
                server,
                &[plain("GET /page", "Content-Length: 2000\r\n")],
                413,
            )
    }),
    (Refusal::TimeOut, hasty, usual, |server| {
        let mut stream = http::connect(server.addr);
        stream.write_all(b"GET / HTTP/1.1\r\n").expect("send");
        let (answer, _) = http::read_answer(&mut stream, Vec::new(), false);
        assert_eq!(answer.status, 408);
        1
    }),
    (Refusal::NoRoute, Options::default, usual, |server| {
        let asks = [plain("GET /nowhere", ""), upgrade_request("/page", "")];
        say(server, &asks, 404)
    }),
    (Refusal::WrongMethod, Options::default, usual, |server| {
        let upgrade = upgrade_request("/", "").replacen("GET", "POST", 1);
        say(
            server,
            &[plain("DELETE /page", ""), plain("PUT /", ""), upgrade],
            405,
        )
    }),
    (Refusal::NoUpgrade, Options::default, usual, |server| {
        say(server, &[plain("GET /", "")], 426)
    }),
    (Refusal::BadHandshake, Options::default, usual, |server| {
        let request = upgrade_request("/", "");
        let spoilt = request.replace("dGhlIHNhbXBsZSBub25jZQ==", "short");
        say(server, &[spoilt], 400)
    }),
    (Refusal::WrongVersion, Options::default, usual, |server| {
        let request = upgrade_request("/", "").replace("Version: 13", "Version: 8");
        say(server, &[request], 426)
    }),
    (Refusal::Origin, picky, usual, |server| {
        let others = ["", "Origin: https://b.example\r\n"];
        say(
            server,
            &others.map(|headers| upgrade_request("/", headers)),
            403,
        )
    }),
    (Refusal::Address, closed_to_us, usual, |server| {
        say(
            server,
            &[plain("GET /page", ""), upgrade_request("/", "")],
            403,
        )
    }),
    (Refusal::ConnectionRate, seldom, usual, |server| {
        assert_eq!(knock(server.addr, "/", ""), 101);
        say(
            server,
            &[upgrade_request("/", ""), upgrade_request("/", "")],
            429,
        )
    }),
    (Refusal::Full, one_place, usual, |server| {
        let _first = server.connect("/");
        say(server, &[upgrade_request("/", "")], 503)
    }),
    (Refusal::Memory, frugal, usual, |server| {
        let mut sender = server.connect("/");
        sender.send_frame(false, 0, 2, &[7; 4_096]);
        // The pong tells that all of that has come.
        sender.send_frame(true, 0, 9, b"");
        assert_eq!(sender.next().map(|frame| frame.opcode), Some(10));
        say(server, &[upgrade_request("/", "")], 503) + say(server, &[plain("GET /page", "")], 503)
    }),
    (Refusal::FullForAddress, one_each, usual, |server| {
        let _first = server.connect("/");
        say(server, &[upgrade_request("/", "")], 429)
    }),
    (Refusal::ShuttingDown, Options::default, usual, |server| {
        let mut stream = http::connect(server.addr);
        let request = upgrade_request("/", "");
        let (begin, end) = request.split_at(20);
        // It is under way when the server is told to end, and finished then.
        server.feed(&mut stream, begin.as_bytes());
        // Another keeps the server from ending, so that it can be asked: it is left open.
        let mut other = http::connect(server.addr);
        server.feed(&mut other, begin.as_bytes());
        std::mem::forget(other);
        server.ask(|hub| hub.shutdown(Duration::from_secs(60)));
        server.ask(|_| ());
        stream.write_all(end.as_bytes()).expect("send");
        let (answer, _) = http::read_answer(&mut stream, Vec::new(), false);
        assert_eq!(answer.status, 503);
        1
    }),
    (
        Refusal::Verify,
        Options::default,
        |app| _ = app.verify_client(|_| false).ws("/", |_, _| {}),
        |server| {
            say(
                server,
                &[upgrade_request("/", ""), upgrade_request("/", "")],
                401,
            )
        },
    ),
    (
        Refusal::Verify,
        Options::default,
        |app| {
            _ = app
                .verify_client(|_| Response::text("no").with_status(402))
                .ws("/", |_, _| {})
        },
        |server| say(server, &[upgrade_request("/", "")], 402),
    ),
    (
        Refusal::Middleware,
        Options::default,
        |app| _ = app.ws_use(|_, _, next| drop(next)).ws("/", |_, _| {}),
        |server| ends(server, 1008),
    ),
    (
        Refusal::Middleware,
        Options::default,
        |app| {
            app.ws_use(|socket, _, _| socket.close_with(4001, "no").expect("a good code"))
                .ws("/", |_, _| {});
        },
        |server| ends(server, 4001),
    ),
    (
        Refusal::Failed,
        Options::default,
        |app| {
            _ = app
                .ws_use(|_, _, _| panic!("on purpose"))
                .ws("/", |_, _| {})
        },
        |server| ends(server, 1011),
    ),
    (
        Refusal::Failed,
        Options::default,
        |app| {
            _ = app
                .verify_client(|_| -> bool { panic!("on purpose") })
                .ws("/", |_, _| {})
        },
        |server| say(server, &[upgrade_request("/", "")], 500),
    ),
    (
        Refusal::Failed,
        Options::default,
        |app| _ = app.get("/page", |_| panic!("on purpose")),
        |server| say(server, &[plain("GET /page", "")], 500),
    ),
    (
        Refusal::Failed,
        Options::default,
        |app| _ = app.get("/page", |ctx| _ = ctx.header("a b", "c")),
        |server| say(server, &[plain("GET /page", "")], 500),
    ),
    (
        Refusal::Application,
        Options::default,
        |app| _ = app.get("/page", |ctx| ctx.status(418).text("a teapot")),
        |server| say(server, &[plain("GET /page", "")], 418),
    ),
];

/// A socket that is not let in: it is no socket that was accepted, and none that ended.
fn ends(server: &Server, code: u16) -> u64 {
    let mut client = Client::connect(server.addr, "/");
    client.expect_close(code);
    drop(client);
    server.wait_until("it is counted", |hub| !hub.stats().refused.is_empty());
    let stats = server.ask(Hub::stats);
    assert_eq!((stats.accepted, stats.closed.len()), (0, 0));
    1
}

fn small() -> Options {
    Options {
        max_head_size: 1_024,
        max_body_size: 1_024,
        ..Options::default()
    }
}

fn hasty() -> Options {
    Options {
        handshake_timeout: Duration::from_millis(20),
        ..Options::default()
    }
}

fn picky() -> Options {
    Options {
        allow_origins: vec!["https://a.example".into()],
        ..Options::default()
    }
}

fn closed_to_us() -> Options {
    Options {
        deny_addresses: vec!["127.0.0.1".into()],
        ..Options::default()
    }
}

fn seldom() -> Options {
    let connection_rate = Some(ConnectionRate {
        connections: 1,
        per: Duration::from_secs(3_600),
    });
    Options {
        connection_rate,
        ..Options::default()
    }
}

fn one_place() -> Options {
    Options {
        max_connections: 1,
        ..Options::default()
    }
}

fn frugal() -> Options {
    Options {
        memory_budget: 2_048,
        ..Options::default()
    }
}

fn one_each() -> Options {
    Options {
        max_connections_per_ip: Some(1),
        ..Options::default()
    }
}

#[test]
fn each_refusal_counts_once_under_its_own_cause() {
    let mut seen = Vec::new();
    for (place, (cause, options, setup, refuse)) in CASES.into_iter().enumerate() {
        let server = serve_with(options, setup);
        let count = refuse(&server);
        let refused = server.ask(|hub| hub.stats().refused);
        assert_eq!(refused, BTreeMap::from([(cause, count)]), "case {place}");
        seen.push(cause);
    }
    seen.dedup();
    assert_eq!(seen, Refusal::ALL, "each cause has a case");
}

#[test]
fn what_is_served_is_not_refused() {
    let server = serve_with(Options::default, |app| {
        usual(app);
        app.get("/moved", |ctx| ctx.redirect("/page"));
    });
    let statuses = ["/page", "/moved"].map(|path| http::get(server.addr, path).status);
    assert_eq!(statuses, [200, 302]);
    assert_eq!(knock(server.addr, "/", ""), 101);
    assert!(server.ask(|hub| hub.stats().refused.is_empty()));
}
