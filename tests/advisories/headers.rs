//! Heads that are expensive: many lines, long lines, lines that come slowly or make a parser walk in circles.

use std::io::Write;

use rushwire::Options;

use crate::common::client::upgrade_request;
use crate::common::{Server, http, serve_with};

const MIB: usize = 1 << 20;

/// A server whose heads may be as long as the attack needs.
fn patient(max_head_size: usize) -> Server {
    let options = move || Options {
        max_head_size,
        trusted_proxies: vec!["127.0.0.1".into()],
        allow_origins: vec!["https://*.*.*.example.com".into(), "http://*:*".into()],
        subprotocols: vec!["chat".into()],
        ..Options::default()
    };
    serve_with(options, |app| {
        app.ws("/", |_, _| {});
        app.any("/page", |ctx| {
            let request = ctx.request();
            ctx.text(
                request
                    .client_ip()
                    .map(|ip| ip.to_string())
                    .unwrap_or_default(),
            )
        });
    })
}

fn status(server: &Server, request: impl AsRef<[u8]>) -> u16 {
    let mut stream = http::connect(server.addr);
    // It may be refused while it is still sent.
    let _ = stream.write_all(request.as_ref());
    http::read_answer(&mut stream, Vec::new(), false).0.status
}

const ORIGIN: &str = "Origin: https://a.b.c.example.com\r\n";

/// CVE-2024-37890 (ws): a request with more headers than the parser keeps had no `Upgrade` left, which
/// crashed the server. CVE-2026-54465 (websocket-driver): there was no limit. CVE-2026-65624 (Cowboy):
/// headers of the same name did not count.
#[test]
fn too_many_headers_are_431_whatever_their_names() {
    let server = patient(MIB);
    for count in [0, 1, 93, 94, 95, 1000, 1999, 2000, 2001, 5000] {
        let different: String = (0..count).map(|i| format!("x-{i}: y\r\n")).collect();
        let same = "x: y\r\n".repeat(count);
        let cookies = "cookie: a=b\r\n".repeat(count);
        for more in [different, same, cookies] {
            // Six lines of its own, which are behind the others or before them.
            let before = upgrade_request("/", &format!("{ORIGIN}{more}"));
            let behind = upgrade_request("/", ORIGIN).replacen("Host", &format!("{more}Host"), 1);
            for request in [before, behind] {
                let expected = if count + 6 <= 100 { 101 } else { 431 };
                assert_eq!(status(&server, request), expected, "{count} more");
            }
            let page = format!("GET /page HTTP/1.1\r\nHost: x\r\n{more}\r\n");
            let expected = if count < 100 { 200 } else { 431 };
            assert_eq!(status(&server, page), expected, "{count} more of a page");
        }
    }
}

/// CVE-2021-32640 (ws), CVE-2020-7662 and CVE-2020-7663 (websocket-extensions), CVE-2023-26103 (Deno): a
/// regular expression took time that grew with the square of a header, or faster. CVE-2025-67725
/// (Tornado): so did joining headers; CVE-2021-42697 (Akka): nested comments were read by recursion.
///
/// Two million bytes a line: what takes the square of that does not answer within the patience of a
/// test, and what calls itself for each of them has no stack left.
#[test]
fn no_header_takes_more_time_than_its_length_allows() {
    const LENGTH: usize = 2 * MIB;
    let server = patient(LENGTH + 4096);
    let fillings = [" ", ", ", "a,", "a.", "\"", "\"\\", "a; b=\"\\", "("];
    #[rustfmt::skip]
    let heads = [
        ("Sec-WebSocket-Protocol: a",                         "b"),
        ("Sec-WebSocket-Extensions: a; b=\"",                 "c"),
        ("Sec-WebSocket-Extensions: a",                       "b"),
        ("Sec-WebSocket-Key: ",                               "x"),
        ("Sec-WebSocket-Version: 13",                         "x"),
        ("Connection: keep-alive",                            ", upgrade"),
        ("Upgrade: h2c",                                      ", websocket"),
        ("Expect: ",                                          "x"),
        ("Transfer-Encoding: ",                               ", chunked"),
        ("Content-Length: ",                                  "0"),
        ("User-Agent: ",                                      "x"),
        ("Cookie: ",                                          "x"),
        ("X-Forwarded-For: ",                                 ", 6.6.6.6"),
        ("Forwarded: for=\"",                                 "\", for=6.6.6.6"),
        ("Origin: https://a.",                                ".example.org"),
        ("Origin: http://",                                   ":x"),
    ];
    for (begin, end) in heads {
        for filling in fillings {
            let long = filling.repeat(LENGTH / filling.len());
            let request = upgrade_request("/", &format!("{begin}{long}{end}\r\n"));
            let found = status(&server, request);
            assert!(
                [101, 400, 403, 417, 426, 501].contains(&found),
                "{begin} and {filling:?}: {found}"
            );
        }
    }
    let well = format!(
        "GET /page HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}6.6.6.6\r\n\r\n",
        "1.2.3.4, ".repeat(100_000)
    );
    assert_eq!(http::request(server.addr, well).text(), "6.6.6.6");
}

/// CVE-2026-7790 (cowlib): the digits of a chunk's size were read again with each one that came.
#[test]
fn a_size_of_a_chunk_has_few_digits() {
    let server = patient(4096);
    let head = "POST /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for digits in ["0", "1", "f"] {
        let request = format!("{head}{}\r\n", digits.repeat(MIB));
        assert_eq!(status(&server, request), 400, "{digits}");
    }
    let few = format!("{head}{}\r\n\r\n", "0".repeat(16));
    assert_eq!(status(&server, few), 200);
}

/// CVE-2023-43669 (tungstenite): the whole head was parsed again with each read. CVE-2015-1779 (QEMU): it
/// was searched again for its end. Here 200,000 reads of a byte each would make that 20,000,000,000 bytes.
#[test]
fn a_head_that_comes_byte_by_byte_is_read_once() {
    const LENGTH: usize = 200_000;
    let server = patient(LENGTH + 4096);
    let cookie = "x".repeat(LENGTH);
    let request = upgrade_request("/", &format!("{ORIGIN}Cookie: {cookie}\r\n"));
    let answer = http::request_bytewise(server.addr, request.as_bytes());
    assert_eq!(answer.status, 101);
    let lines = "a: b\r\n".repeat(99);
    let request = format!("GET /page HTTP/1.1\r\n{lines}Host: x\r\n\r\n");
    let answer = http::request_bytewise(server.addr, request.as_bytes());
    assert_eq!(answer.status, 200);
}

/// CVE-2015-1779 (QEMU), CVE-2026-54465 (websocket-driver): a head without end was kept for ever. Here it is
/// refused as soon as it is too long, not when its time is over.
#[test]
fn a_head_without_end_is_431_at_the_limit() {
    let server = patient(16 << 10);
    let line = "GET /page HTTP/1.1\r\n";
    #[rustfmt::skip]
    let shapes = [
        ("one name",         format!("{line}{}", "n".repeat(MIB))),
        ("one value",        format!("{line}x: {}", "v".repeat(MIB))),
        ("spaces",           format!("{line}x:{}", " ".repeat(MIB))),
        ("lines",            format!("{line}{}", format!("x: {}\r\n", "v".repeat(500)).repeat(2000))),
        ("short lines",      format!("{line}{}", "x: y\r\n".repeat(100_000))),
    ];
    for (name, request) in shapes {
        assert_eq!(status(&server, &request), 431, "{name}");
        let (exact, one_more) = (&request[..16 << 10], &request[..(16 << 10) - 1]);
        if name != "short lines" {
            assert_eq!(status(&server, exact), 431, "{name}, exactly the limit");
            let mut stream = http::connect(server.addr);
            stream.write_all(one_more.as_bytes()).expect("send");
            server.ask(|_| ());
            stream.set_nonblocking(true).expect("set");
            let none = stream.peek(&mut [0]).map_err(|error| error.kind());
            assert_eq!(
                none,
                Err(std::io::ErrorKind::WouldBlock),
                "{name}, below the limit"
            );
        }
    }
    assert_eq!(status(&server, format!("GET /{}", "t".repeat(MIB))), 414);
    assert_eq!(status(&server, "M".repeat(MIB)), 501);
}

/// CVE-2026-55517 (Deno): a header with bytes above ASCII was unwrapped as text. Each has its status.
#[test]
fn headers_may_have_any_bytes_above_ascii() {
    let server = patient(16 << 10);
    #[rustfmt::skip]
    let table: [(&str, u16, u16); 14] = [
        ("Host",                     400, 400),
        ("Origin",                   403, 200),
        ("Upgrade",                  426, 200),
        ("Connection",               400, 200),
        ("Sec-WebSocket-Key",        400, 200),
        ("Sec-WebSocket-Version",    426, 200),
        ("Sec-WebSocket-Protocol",   400, 200),
        ("Sec-WebSocket-Extensions", 400, 200),
        ("Content-Length",           400, 400),
        ("Transfer-Encoding",        400, 400),
        ("Expect",                   417, 417),
        ("Cookie",                   101, 200),
        ("X-Forwarded-For",          101, 200),
        ("Forwarded",                101, 200),
    ];
    let texts: [&[u8]; 5] = [
        b"\x80",
        b"\xFF\xFE",
        b"a\xC3b",
        b"caf\xC3\xA9",
        b"\xF0\x9F\x98\x80",
    ];
    for (name, upgrade, page) in table {
        for text in texts {
            let line = [name.as_bytes(), b": ", text, b"\r\n"].concat();
            let good = upgrade_request("/", ORIGIN);
            let kept = good
                .split_inclusive("\r\n")
                .filter(|line| !line.starts_with(name) && *line != "\r\n");
            let kept: String = kept.collect();
            let request = [kept.as_bytes(), &line, b"\r\n"].concat();
            assert_eq!(
                status(&server, request),
                upgrade,
                "{name}: {}",
                text.escape_ascii()
            );
            let host = if name == "Host" { "" } else { "Host: x\r\n" };
            let head = format!("GET /page HTTP/1.1\r\n{host}");
            let request = [head.as_bytes(), &line, b"\r\n"].concat();
            assert_eq!(
                status(&server, request),
                page,
                "{name} of a page: {}",
                text.escape_ascii()
            );
        }
    }
}

/// CVE-2023-43669 (tungstenite) once more: what a head that is not complete may cost, however many there
/// are, and that it is given back.
#[cfg(target_os = "linux")]
#[test]
fn heads_that_are_not_complete_cost_what_has_come() {
    use crate::alone::{alone, growth};
    const CROWD: usize = 400;
    const LENGTH: usize = 8 << 10;
    alone(
        "headers::heads_that_are_not_complete_cost_what_has_come",
        || {
            let server = patient(16 << 10);
            let half = format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(LENGTH - 24));
            let crowd = || {
                let streams: Vec<_> = (0..CROWD)
                    .map(|_| {
                        let mut stream = http::connect(server.addr);
                        stream.write_all(half.as_bytes()).expect("send");
                        stream
                    })
                    .collect();
                assert_eq!(
                    status(&server, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"),
                    200
                );
                drop(streams);
                assert_eq!(
                    status(&server, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"),
                    200
                );
            };
            let first = growth(crowd);
            assert!(first.resident < 3 * CROWD * LENGTH, "{first:?}");
            let again = growth(|| (0..4).for_each(|_| crowd()));
            assert!(
                again.resident < CROWD * LENGTH / 2,
                "{first:?}, then {again:?}"
            );
        },
    );
}
