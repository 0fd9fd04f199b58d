//! One message that two servers read as two: what is hidden in a request must never become a request, a
//! socket or a frame, and what we write must never become more than was meant.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rushwire::{Client, ConnectOptions, Options, Response, Verdict, event};

use crate::common::client::{TEXT, frame, upgrade_request};
use crate::common::http::{self, Answer};
use crate::common::{Server, serve};

/// A server, and how often somebody got where nobody should.
fn guarded() -> (Server, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&reached);
    let server = serve(move |app| {
        app.any("/", |ctx| ctx.text("served"));
        app.get("/files/*", |ctx| ctx.text(ctx.param("*")));
        for path in ["/admin", "/admin/users"] {
            let counts = Arc::clone(&counts);
            app.any(path, move |ctx| {
                counts.fetch_add(1, Ordering::SeqCst);
                ctx.text("admin");
            });
        }
        app.ws("/socket", move |socket, _| {
            counts.fetch_add(1, Ordering::SeqCst);
            let counts = Arc::clone(&counts);
            socket.on(event::Message, move |_, _| {
                counts.fetch_add(1, Ordering::SeqCst);
            });
        });
    });
    (server, reached)
}

/// Sends bytes that get one answer and no more.
fn only_answer(server: &Server, bytes: &[u8], whole: bool) -> Answer {
    let mut stream = http::connect(server.addr);
    if whole {
        stream.write_all(bytes).expect("send");
    } else {
        server.feed(&mut stream, bytes);
    }
    last(&mut stream)
}

fn last(stream: &mut TcpStream) -> Answer {
    let (answer, rest) = http::read_answer(stream, Vec::new(), false);
    assert_eq!((rest, http::read_to_end(stream)), (Vec::new(), Vec::new()));
    answer
}

/// RUSTSEC-2020-0008, RUSTSEC-2021-0020, -0078 and -0079 (hyper), RUSTSEC-2020-0031 (tiny_http),
/// RUSTSEC-2020-0093 (async-h1), RUSTSEC-2021-0081 (actix-http), CVE-2026-1525 (undici), CVE-2019-15605,
/// CVE-2020-8201, CVE-2021-22959, CVE-2022-32213 to -32215 and CVE-2022-35256 (Node), CVE-2019-16869,
/// CVE-2019-20444, CVE-2019-20445 and CVE-2020-7238 (Netty), CVE-2026-73256 (Mongoose): two lengths, or a
/// length and an encoding, or one of them written so that not everybody sees it.
#[test]
fn a_socket_that_is_hidden_in_a_body_is_never_opened() {
    let (server, reached) = guarded();
    let hidden = upgrade_request("/socket", "");
    let length = hidden.len();
    #[rustfmt::skip]
    let table: [(&str, String, u16); 16] = [
        ("CL.TE",                 format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),    400),
        ("TE.CL",                 format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),    400),
        ("TE.TE",                 "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),     400),
        ("CL.CL",                 format!("Content-Length: 0\r\nContent-Length: {length}"),               400),
        ("CL twice",              format!("Content-Length: {length}\r\nContent-Length: {length}"),        400),
        ("CL.0 with a sign",      "Content-Length: +0".into(),                                            400),
        ("a space at the colon",  "Transfer-Encoding : chunked".into(),                                   400),
        ("a folded encoding",     "Transfer-Encoding:\r\n chunked".into(),                                400),
        ("a folded length",       "X: y\r\n Content-Length: 0".into(),                                    400),
        ("behind a bare LF",      "X: y\nTransfer-Encoding: chunked".into(),                              400),
        ("behind a bare CR",      "X: y\rContent-Length: 0".into(),                                       400),
        ("in a name",             "Content\0-Length: 0".into(),                                           400),
        ("a vertical tab",        "Transfer-Encoding: \x0Bchunked".into(),                                400),
        ("another encoding",      "Transfer-Encoding: cow, chunked".into(),                               501),
        ("beyond 64 bits",        "Content-Length: 18446744073709551616".into(),                          400),
        ("an underscore for -",   format!("Content_Length: 0\r\nContent-Length: {length}"),               200),
    ];
    for (name, lines, status) in table {
        for method in ["GET", "POST"] {
            let chunk = "0\r\n\r\n";
            let close = "Connection: close\r\n";
            for body in ["", chunk] {
                let request = format!(
                    "{method} / HTTP/1.1\r\nHost: x\r\n{close}{lines}\r\n\r\n{body}{hidden}"
                );
                for whole in [true, false] {
                    let answer = only_answer(&server, request.as_bytes(), whole);
                    assert_eq!(answer.status, status, "{name}, {method}, {body:?}");
                }
            }
        }
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask(|hub| hub.stats().accepted), 0);
}

/// CVE-2026-69243 (aiohttp): the protocol changed before the body of the upgrade had been read, so that the
/// body was taken for frames.
#[test]
fn a_body_of_an_upgrade_is_no_frames() {
    let (server, reached) = guarded();
    let frames = frame(true, 0, TEXT, b"smuggled").repeat(3);
    let chunk = [
        format!("{:x}\r\n", frames.len()).as_bytes(),
        &frames,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let length = format!("Content-Length: {}\r\n", frames.len());
    for (headers, body) in [
        (length.as_str(), &frames),
        ("Transfer-Encoding: chunked\r\n", &chunk),
        ("Content-Length: 1\r\n", &frames),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", &frames),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            &frames,
        ),
    ] {
        for whole in [true, false] {
            let head = upgrade_request("/socket", headers);
            let answer = only_answer(&server, &[head.as_bytes(), body].concat(), whole);
            assert_eq!(answer.status, 400, "{headers}");
        }
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask(|hub| hub.stats().accepted), 0);
}

/// CVE-2026-59898 (Netty): for another version of the protocol nobody looked at `Connection` and `Upgrade`.
/// CVE-2026-54463 and CVE-2026-54466 (websocket-driver): an older draft had no limit. CVE-2026-2833 and
/// CVE-2026-2835 (Pingora), CVE-2019-17567 (httpd), CVE-2024-23326 and CVE-2026-73548 (Envoy): behind a
/// handshake that failed the connection was a tunnel all the same.
#[test]
fn a_handshake_that_fails_opens_no_tunnel() {
    let (server, reached) = guarded();
    let good = upgrade_request("/socket", "");
    let without = |name: &str, request: &str| -> String {
        let lines = request.split_inclusive("\r\n");
        lines.filter(|line| !line.starts_with(name)).collect()
    };
    let version = |version: &str| good.replace("Version: 13", &format!("Version: {version}"));
    let hidden = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut cases = vec![
        ("no version", without("Sec-WebSocket-Version", &good), 426),
        ("no Connection", without("Connection", &good), 400),
        ("no key", without("Sec-WebSocket-Key", &good), 400),
        ("HTTP/1.0", good.replace("HTTP/1.1", "HTTP/1.0"), 400),
        ("a POST", good.replace("GET", "POST"), 405),
        (
            "hixie-76",
            without("Sec-WebSocket", &good).replace(
                "\r\n\r\n",
                "\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n",
            ) + "^n:ds[4U",
            400,
        ),
    ];
    for other in ["0", "7", "8", "76", "14", "1777"] {
        cases.push(("a version", version(other), 426));
        let bare = without("Connection", &version(other));
        cases.push(("a version without Connection", bare, 400));
    }
    for (name, request, status) in cases {
        let frames = frame(true, 0, TEXT, b"in the tunnel");
        let bytes = [request.as_bytes(), hidden.as_bytes(), &frames].concat();
        let answer = only_answer(&server, &bytes, true);
        assert_eq!(answer.status, status, "{name}: {request}");
        let kept = answer.header("Connection").unwrap_or_default();
        assert!(kept.contains("close"), "{name}: {answer:?}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask(|hub| hub.stats().accepted), 0);
}

/// CVE-2026-15631 and CVE-2026-127060 (fastify), CVE-2021-21322 (fastify), RUSTSEC-2022-0082 (warp): dots and
/// escaped slashes left the prefix that a rule was made for, or were decoded twice.
#[test]
fn no_path_leaves_its_prefix() {
    let (server, reached) = guarded();
    let table = [
        ("/files/../admin", 200, "../admin"),
        ("/files/%2e%2e/admin", 200, "../admin"),
        ("/files/..%2Fadmin", 200, "../admin"),
        ("/files/..%5Cadmin", 200, "..\\admin"),
        ("/files/%252e%252e%252fadmin", 200, "%2e%2e%2fadmin"),
        ("/files//admin", 200, "/admin"),
        ("/files/a%00b", 200, "a\0b"),
        ("/files/%ff", 400, ""),
        ("/files/%c0%ae%c0%ae/admin", 400, ""),
        ("/admin%2Fusers", 404, ""),
        ("/%61dmin/", 404, ""),
        ("//admin", 404, ""),
        ("/./admin", 404, ""),
        ("/x/../admin", 404, ""),
        ("/admin;x=y", 404, ""),
        ("/admin%3F", 404, ""),
        ("/ADMIN", 404, ""),
        ("/admin%00", 404, ""),
    ];
    for (path, status, seen) in table {
        let answer = http::get(server.addr, path);
        assert_eq!(answer.status, status, "{path}");
        if status == 200 {
            assert_eq!(answer.text(), seen, "{path}");
        }
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

/// RUSTSEC-2017-0002 (hyper), CVE-2025-67724 (Tornado), CVE-2020-35678 (Autobahn): the end of a line in a value
/// that the application gave was the end of a line on the wire. What cannot be written is 500.
#[test]
fn no_value_that_we_write_ends_a_line() {
    const EVIL: [&str; 5] = [
        "a\r\nX-Evil: b",
        "a\nX-Evil: b",
        "a\rX-Evil: b",
        "a\r\n\r\nX-Evil",
        "a\0",
    ];
    let server = serve(|app| {
        for (i, evil) in EVIL.into_iter().enumerate() {
            app.get(&format!("/value/{i}"), move |ctx| {
                ctx.header("X-A", evil).text("x")
            });
            app.get(&format!("/name/{i}"), move |ctx| {
                ctx.header(evil, "a").text("x")
            });
            app.get(&format!("/to/{i}"), move |ctx| ctx.redirect(evil));
            app.get(&format!("/type/{i}"), move |ctx| ctx.bytes(evil, "x"));
            app.get(&format!("/respond/{i}"), move |ctx| {
                ctx.respond(Response::text("x").header("X-A", evil))
            });
        }
        app.verify_client(|request| {
            let evil = request.query("evil").unwrap_or_default();
            if request.query("refuse").is_some() {
                return Verdict::Refuse(Response::text("no").header("X-A", evil));
            }
            assert!(request.respond_header("X-A", evil).is_err());
            Verdict::Accept
        });
        app.ws("/", |socket, request| {
            let evil = request.query("evil").unwrap_or_default();
            socket.close_with(4000, evil).expect("any text is a reason");
        });
    });
    for (i, evil) in EVIL.iter().enumerate() {
        for route in ["value", "name", "to", "type", "respond"] {
            let answer = http::get(server.addr, &format!("/{route}/{i}"));
            assert_eq!(answer.status, 500, "{route} {evil:?}");
            assert_eq!(answer.header("X-Evil"), None, "{route} {evil:?}");
        }
        let escaped: String = evil.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let refuse = format!("/?refuse=1&evil={escaped}");
        let answer = crate::common::Client::try_connect(server.addr, &refuse, "").err();
        assert_eq!(answer.map(|answer| answer.status), Some(500), "{evil:?}");
        let mut client = server.connect(&format!("/?evil={escaped}"));
        assert_eq!(client.answer.header("X-Evil"), None, "{evil:?}");
        assert_eq!(
            client.closed(),
            (4000, (*evil).to_owned()),
            "a reason is no line"
        );
    }
}

/// CVE-2026-1527 (undici): the same of a client; and what Shielder found in Beast in 2024.
#[test]
fn a_client_sends_nothing_that_ends_a_line() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let url = format!("ws://{}/", listener.local_addr().expect("address"));
    let client = Client::with(Options::default()).expect("a client");
    let header = |name: &str, value: &str| ConnectOptions {
        headers: vec![(name.into(), value.into())],
        ..ConnectOptions::default()
    };
    let protocol = |name: &str| ConnectOptions {
        subprotocols: vec![name.into()],
        ..ConnectOptions::default()
    };
    for evil in [
        "a\r\nX-Evil: b",
        "a\nb",
        "a\rb",
        "a\0",
        "\r\n\r\n",
        " \r\n x",
    ] {
        let plain = ConnectOptions::default;
        let attempts = [
            (format!("{url}{evil}"), plain()),
            (format!("{url}?{evil}"), plain()),
            (format!("ws://a{evil}:80/"), plain()),
            (url.clone(), header("X-A", evil)),
            (url.clone(), header(evil, "a")),
            (url.clone(), header("Origin", evil)),
            (url.clone(), protocol(evil)),
        ];
        for (url, options) in attempts {
            let refused = client.connect(&url, options, |_, _| panic!("there is no socket"));
            assert!(refused.is_err(), "{url:?}");
        }
    }
    assert!(client.is_done());
    listener.set_nonblocking(true).expect("set");
    assert!(listener.accept().is_err(), "nobody has even connected");
}
