//! 2. The order of the opening handshake: what is wrong first is answered first.

use std::io::Write;
use std::time::Duration;

use crate::common::client::{frame, upgrade_request};
use crate::common::{Client, Server, http, serve, serve_with};
use crate::{Journal, NEVER, until};
use rushwire::Options;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const NO_KEY: &str = "Sec-WebSocket-Key: abc\r\n";
const V13: &str = "Sec-WebSocket-Version: 13\r\n";
const V8: &str = "Sec-WebSocket-Version: 8\r\n";
const FRIEND: &str = "Origin: https://friend.example\r\n";
const STRANGER: &str = "Origin: https://stranger.example\r\n";
const BODY: &str = "Content-Length: 5\r\n";

/// One place, one origin, one token.
fn strict() -> Server {
    let options = || Options {
        max_connections: 1,
        allow_origins: vec!["https://friend.example".into()],
        ..Options::default()
    };
    serve_with(options, |app| {
        app.ws("/chat", |socket, _| _ = socket.send("hello"));
        app.verify_client(|request| request.query("token") == Some("secret"));
        app.get("/page", |ctx| ctx.text("a page"));
    })
}

fn request(line: &str, headers: &[&str]) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{}\r\n",
        headers.concat()
    )
}

/// Every row breaks its own rule and all that come after it.
#[test]
fn what_is_wrong_first_is_answered_first() {
    let server = strict();
    let long = format!("X: {}\r\n", "x".repeat(20_000));
    #[rustfmt::skip]
    let table = [
        ("malformed HTTP",        request("POST /nowhere", &["Bad Name: x\r\n", NO_KEY, V8, STRANGER]), 400),
        ("a bad escape",          request("POST /%", &[NO_KEY, V8, STRANGER]),                          400),
        ("a head too large",      request("POST /nowhere", &[long.as_str(), NO_KEY, V8, STRANGER]),             431),
        ("no route",              request("POST /nowhere", &[NO_KEY, V8, STRANGER]),                    404),
        ("an HTTP route only",    request("POST /page", &[NO_KEY, V8, STRANGER]),                       404),
        ("the wrong method",      request("POST /chat", &[NO_KEY, V8, STRANGER]),                       405),
        ("a bad key",             request("GET /chat", &[NO_KEY, V8, STRANGER]),                        400),
        ("a body",                request("GET /chat", &[KEY, V8, STRANGER, BODY]),                     400),
        ("another version",       request("GET /chat", &[KEY, V8, STRANGER]),                           426),
        ("an origin not allowed", request("GET /chat", &[KEY, V13, STRANGER]),                          403),
        ("no place",              request("GET /chat", &[KEY, V13, FRIEND]),                            503),
    ];
    let first = Client::connect_with(server.addr, "/chat?token=secret", FRIEND);
    for (name, request, expected) in &table {
        assert_eq!(
            http::request(server.addr, request).status,
            *expected,
            "{name}"
        );
    }
    drop(first);
    server.wait_until("there is a place", |hub| hub.is_empty());
    until("the verdict counts", || {
        http::request(server.addr, request("GET /chat", &[KEY, V13, FRIEND])).status == 401
    });
    assert_eq!(
        http::request(
            server.addr,
            request("GET /chat?token=secret", &[KEY, V13, FRIEND])
        )
        .status,
        101
    );
}

#[test]
fn a_refusal_says_what_would_be_right() {
    let server = strict();
    let wrong_method = http::request(server.addr, request("POST /chat", &[KEY, V13]));
    assert_eq!(
        (wrong_method.status, wrong_method.header("allow")),
        (405, Some("GET"))
    );
    let wrong_version = http::request(server.addr, request("GET /chat", &[KEY, V8, FRIEND]));
    assert_eq!(
        (
            wrong_version.status,
            wrong_version.header("sec-websocket-version")
        ),
        (426, Some("13"))
    );
    let plain = http::get(server.addr, "/chat");
    assert_eq!(
        (plain.status, plain.header("upgrade")),
        (426, Some("websocket"))
    );
    let _taken = Client::connect_with(server.addr, "/chat?token=secret", FRIEND);
    let full = http::request(
        server.addr,
        request("GET /chat?token=secret", &[KEY, V13, FRIEND]),
    );
    let seconds = full
        .header("retry-after")
        .and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(
        full.status == 503 && seconds.is_some_and(|seconds| seconds > 0),
        "{full:?}"
    );
}

#[test]
fn every_part_has_its_turn_once_and_in_order() {
    let journal = Journal::default();
    let note = |line: &'static str| {
        let journal = journal.clone();
        move || journal.note(line)
    };
    let (origin, verify, first, second, handler) = (
        note("origin"),
        note("verify"),
        note("first"),
        note("second"),
        note("handler"),
    );
    let server = serve(move |app| {
        app.ws("/chat", move |socket, _| {
            handler();
            socket.send("hello");
        });
        app.ws_use(move |_, _, next| {
            first();
            next.run();
        });
        app.verify_client(move |_| {
            verify();
            true
        });
        app.ws_use(move |_, _, next| {
            second();
            next.run();
        });
        app.allow_origin_if(move |_, _| {
            origin();
            true
        });
    });
    let mut client = Client::connect_with(server.addr, "/chat", FRIEND);
    assert_eq!(client.text(), "hello");
    assert_eq!(
        journal.lines(),
        ["origin", "verify", "first", "second", "handler"]
    );
}

#[test]
fn an_upgrade_to_something_else_is_plain_http() {
    let server = strict();
    for upgrade in ["h2c", "TLS/1.0", "h2c, IRC/6.9", "websockets"] {
        let request = |path| {
            format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"
            )
        };
        let page = http::request(server.addr, request("/page"));
        assert_eq!((page.status, page.text()), (200, "a page"), "{upgrade}");
        assert_eq!(
            http::request(server.addr, request("/nowhere")).status,
            404,
            "{upgrade}"
        );
        assert_eq!(
            http::request(server.addr, request("/chat")).status,
            426,
            "{upgrade}"
        );
    }
}

#[test]
fn frames_behind_the_request_in_its_segment_are_frames() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.on_message(|socket, message| _ = socket.send(message));
        });
    });
    let mut stream = http::connect(server.addr);
    let bytes = [
        upgrade_request("/", "").into_bytes(),
        frame(true, 0, 1, b"one"),
        frame(true, 0, 2, b"two"),
    ]
    .concat();
    stream.write_all(&bytes).expect("send");
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
    let mut client = Client {
        stream,
        rest,
        answer,
    };
    assert_eq!(
        (client.text(), client.binary()),
        ("one".to_owned(), b"two".to_vec())
    );
}

#[test]
fn the_time_for_the_handshake_runs_from_accepting_whatever_trickles_in() {
    let options = || Options {
        handshake_timeout: Duration::from_millis(150),
        keep_alive_timeout: NEVER,
        ..Options::default()
    };
    let server = serve_with(options, |app| _ = app.ws("/", |_, _| {}));
    let mut stream = http::connect(server.addr);
    stream
        .write_all(upgrade_request("/", "X: ").trim_end().as_bytes())
        .expect("send");
    // A byte at a time for as long as the server listens: that must come to an end.
    until("the server gives up", || {
        stream.write_all(b"x").is_err() || peer_has_spoken(&stream)
    });
    assert_eq!(
        http::read_answer(&mut stream, Vec::new(), false).0.status,
        408
    );
    assert_eq!(http::read_to_end(&mut stream), b"");
}

fn peer_has_spoken(stream: &std::net::TcpStream) -> bool {
    stream.set_nonblocking(true).expect("set nonblocking");
    let spoken = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).expect("set blocking");
    spoken
}

/// D3: one request with this host ended a predecessor's process.
#[test]
fn a_host_that_is_none_ends_one_request_and_not_the_server() {
    let server = serve(|app| _ = app.ws("/", |socket, _| _ = socket.send("hello")));
    let bad = upgrade_request("/", "").replace("Host: localhost", "Host: bad host%%");
    assert_eq!(http::request(server.addr, bad).status, 400);
    crate::still_serves(&server, "/");
}
