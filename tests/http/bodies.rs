//! Bodies of requests: by length and by chunks, cut anywhere, up to the limit (RFC 9112 §6, §7).

use std::time::Duration;

use rushwire::{App, Options};

use crate::Asker;
use crate::common::{Server, serve_with};

/// The longest body in these tests.
const MAX: usize = 1000;

fn echo(app: &mut App) {
    app.any("/echo", |ctx| ctx.bytes("application/x", ctx.body()));
    app.get("/good", |ctx| ctx.text("good"));
}

fn server() -> Server {
    serve_with(
        || Options {
            max_body_size: MAX,
            ..Options::default()
        },
        echo,
    )
}

/// A request with a body, by length.
fn sized(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request whose body is framed by chunks.
fn chunked(framed: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{framed}").into()
}

fn good() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let table = [
        ("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        (
            "several chunks",
            "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
            "hello world",
        ),
        ("no chunk", "0\r\n\r\n", ""),
        (
            "many zeros",
            "0005\r\nhello\r\n0000000000000000\r\n\r\n",
            "hello",
        ),
        (
            "hexadecimal digits",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "01234567890123456789",
        ),
        (
            "line ends in a chunk",
            "4\r\n\r\n\r\n\r\n0\r\n\r\n",
            "\r\n\r\n",
        ),
        (
            "what looks like the end",
            "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "0\r\n\r\n",
        ),
        (
            "extensions",
            "5;a;b=c;d=\"e\"\r\nhello\r\n0;last\r\n\r\n",
            "hello",
        ),
        (
            "trailers",
            "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
            "hello",
        ),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(name, framed, body)| (name, chunked(framed), body.into()))
        .collect();
    cases.extend([
        ("a length", sized(b"hello"), b"hello".to_vec()),
        ("a length of 0", sized(b""), Vec::new()),
        ("all bytes", sized(&all_bytes), all_bytes),
        (
            "no length",
            b"POST /echo HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            Vec::new(),
        ),
        (
            "a body of GET",
            b"GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
            b"abc".to_vec(),
        ),
        (
            "a length with zeros",
            b"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 003\r\n\r\nabc".to_vec(),
            b"abc".to_vec(),
        ),
    ]);
    cases
}

#[test]
fn bodies_arrive_as_they_were_sent_and_the_next_request_behind_them() {
    let server = server();
    let mut asker = Asker::new(&server);
    for (name, request, body) in good() {
        let next = b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n";
        let answer = asker.ask([&request[..], next].concat());
        assert_eq!((answer.status, answer.body), (200, body), "{name}");
        assert_eq!(asker.answer().text(), "good", "behind {name}");
    }
}

#[test]
fn a_request_cut_at_every_byte_is_the_same() {
    let server = server();
    let mut asker = Asker::new(&server);
    for (name, request, body) in good() {
        for at in 1..request.len() {
            asker.send(&request[..at]);
            // When the server has answered this, it has read the start.
            server.ask(|_| ());
            let answer = asker.ask(&request[at..]);
            assert_eq!(
                (answer.status, answer.body),
                (200, body.clone()),
                "{name}, cut at {at}"
            );
        }
    }
}

#[test]
fn a_request_byte_by_byte_is_the_same() {
    let server = server();
    let mut asker = Asker::new(&server);
    for (name, request, body) in good() {
        server.feed(&mut asker.stream, &request);
        let answer = asker.answer();
        assert_eq!((answer.status, answer.body), (200, body), "{name}");
    }
}

#[test]
fn a_body_of_exactly_the_limit_passes_and_one_byte_more_is_413() {
    let server = server();
    let (full, over) = ("x".repeat(MAX), "x".repeat(MAX + 1));
    let size = format!("{MAX:x}");
    let table = [
        ("the limit by length", sized(full.as_bytes()), 200),
        ("one more by length", sized(over.as_bytes()), 413),
        (
            "one more, announced",
            sized(over.as_bytes())[..60].to_vec(),
            413,
        ),
        (
            "2⁶³ by length",
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775808\r\n\r\n"
                .to_vec(),
            413,
        ),
        (
            "2⁶⁴ - 1 by length",
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n"
                .to_vec(),
            413,
        ),
        (
            "the limit in one chunk",
            chunked(&format!("{size}\r\n{full}\r\n0\r\n\r\n")),
            200,
        ),
        (
            "the limit in tiny chunks",
            chunked(&format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(MAX))),
            200,
        ),
        (
            "one more in one chunk",
            chunked(&format!("{:x}\r\n", MAX + 1)),
            413,
        ),
        (
            "one more in two chunks",
            chunked(&format!("{size}\r\n{full}\r\n1\r\n")),
            413,
        ),
        (
            "one more in tiny chunks",
            chunked(&"1\r\nx\r\n".repeat(MAX + 1)),
            413,
        ),
        ("a chunk of 2⁶⁴ - 1", chunked("ffffffffffffffff\r\n"), 413),
        (
            "chunks whose sum is beyond 2⁶⁴",
            chunked("1\r\nx\r\nffffffffffffffff\r\n"),
            413,
        ),
    ];
    for (name, request, status) in table {
        let mut asker = Asker::new(&server);
        let answer = asker.ask(&request);
        assert_eq!(answer.status, status, "{name}");
        if status == 413 {
            assert_eq!(answer.header("Connection"), Some("close"), "{name}");
            asker.expect_end();
        }
    }
}

#[test]
fn the_413_is_seen_by_a_client_that_is_still_sending() {
    let server = server();
    let mut asker = Asker::new(&server);
    let answer = asker.ask(sized(&vec![b'x'; 8 * 1024 * 1024]));
    assert_eq!(answer.status, 413);
    asker.expect_end();
}

#[test]
fn the_default_limit_is_one_mebibyte() {
    let server = serve_with(Options::default, echo);
    let full = vec![b'x'; 1024 * 1024];
    assert_eq!(Asker::new(&server).ask(sized(&full)).status, 200);
    assert_eq!(
        Asker::new(&server)
            .ask(sized(&[&full[..], b"x"].concat()))
            .status,
        413
    );
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let long = "x".repeat(300);
    let trailers = "X: y\r\n".repeat(40);
    let table = [
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("a size that is no number", "hello\r\n"),
        ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a size behind a space", " 5\r\nhello\r\n0\r\n\r\n"),
        ("a size before a space", "5 \r\nhello\r\n0\r\n\r\n"),
        ("a size before a tab", "5\t\r\nhello\r\n0\r\n\r\n"),
        (
            "a size of 17 digits",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a size of 2⁶⁴ and 5",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        ("a bare LF behind the size", "5\nhello\r\n0\r\n\r\n"),
        ("a bare CR behind the size", "5\rhello\r\n0\r\n\r\n"),
        ("a chunk too long", "5\r\nhello!\r\n0\r\n\r\n"),
        ("a chunk too short", "6\r\nhello\r\n0\r\n\r\n"),
        ("a bare LF behind a chunk", "5\r\nhello\n0\r\n\r\n"),
        ("nothing behind a chunk", "5\r\nhello0\r\n\r\n"),
        ("an extension with a bare LF", "5;a\nhello\r\n0\r\n\r\n"),
        ("an extension with a NUL", "5;\0\r\nhello\r\n0\r\n\r\n"),
        ("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n"),
        ("a trailer that is no field", "0\r\nnonsense\r\n\r\n"),
        ("a trailer with a bare LF", "0\r\nX: y\n\r\n"),
        (
            "a trailer with a space before its colon",
            "0\r\nX : y\r\n\r\n",
        ),
        ("another CR at the end", "0\r\n\r\r\n"),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(name, framed)| (name, chunked(framed)))
        .collect();
    cases.push((
        "an extension of 300 bytes",
        chunked(&format!("5;{long}\r\nhello\r\n0\r\n\r\n")),
    ));
    cases.push(("40 trailers", chunked(&format!("0\r\n{trailers}\r\n"))));
    cases
}

#[test]
fn chunks_that_are_malformed_are_refused_whole_and_byte_by_byte() {
    let server = server();
    for (name, request) in malformed() {
        for whole in [true, false] {
            let mut asker = Asker::new(&server);
            if whole {
                asker.send(&request);
            } else {
                server.feed(&mut asker.stream, &request);
            }
            let answer = asker.answer();
            let expected = if name == "40 trailers" { 431 } else { 400 };
            assert_eq!(answer.status, expected, "{name}, whole: {whole}");
            assert_eq!(answer.header("Connection"), Some("close"), "{name}");
            asker.expect_end();
        }
    }
}

const EXPECT: &str =
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/// RFC 9110 §10.1.1.
#[test]
fn a_client_that_waits_for_100_continue_gets_it_and_then_the_answer() {
    let server = server();
    let mut asker = Asker::new(&server);
    for head in [
        EXPECT.to_owned(),
        EXPECT.replace("100-c", "100-C"),
        EXPECT.replace("Content-Length: 5", "Transfer-Encoding: chunked"),
    ] {
        let proceed = asker.ask(&head);
        assert_eq!((proceed.status, proceed.headers.len()), (100, 0), "{head}");
        let answer = asker.ask(if head.contains("chunked") {
            "5\r\nhello\r\n0\r\n\r\n"
        } else {
            "hello"
        });
        assert_eq!((answer.status, answer.text()), (200, "hello"), "{head}");
    }
}

#[test]
fn a_client_that_does_not_wait_gets_its_answer_all_the_same() {
    let server = server();
    let mut asker = Asker::new(&server);
    let mut answer = asker.ask(format!("{EXPECT}hello"));
    if answer.status == 100 {
        answer = asker.answer();
    }
    assert_eq!((answer.status, answer.text()), (200, "hello"));
}

#[test]
fn a_body_that_will_be_refused_is_not_asked_for() {
    let server = server();
    let table = [
        ("too large", EXPECT.replace(": 5", ": 1001"), 413),
        ("no such path", EXPECT.replace("/echo", "/none"), 404),
        ("no such method", EXPECT.replace("/echo", "/good"), 405),
        (
            "another expectation",
            EXPECT.replace("100-continue", "200-ok"),
            417,
        ),
        (
            "a list of expectations",
            EXPECT.replace("100-continue", "100-continue, more"),
            417,
        ),
    ];
    for (name, request, status) in table {
        let mut asker = Asker::new(&server);
        let answer = asker.ask(&request);
        assert_eq!(answer.status, status, "{name}");
        asker.expect_end();
    }
}

#[test]
fn where_there_is_nothing_to_wait_for_no_100_is_sent() {
    let server = server();
    let old = EXPECT.replace("HTTP/1.1", "HTTP/1.0") + "hello";
    assert_eq!(Asker::new(&server).ask(old).status, 200);
    let empty = EXPECT.replace(": 5", ": 0");
    assert_eq!(Asker::new(&server).ask(empty).status, 200);
}

/// RFC 9110 §9.3.2, whatever goes wrong with the body of the request.
#[test]
fn a_refusal_of_head_has_no_body_either() {
    let options = || Options {
        max_body_size: MAX,
        handshake_timeout: Duration::from_millis(150),
        ..Options::default()
    };
    let server = serve_with(options, echo);
    let table = [
        ("too large", "Content-Length: 1001\r\n\r\n", 413),
        (
            "too large in chunks",
            "Transfer-Encoding: chunked\r\n\r\n3e9\r\n",
            413,
        ),
        (
            "malformed chunks",
            "Transfer-Encoding: chunked\r\n\r\nx",
            400,
        ),
        ("not finished in time", "Content-Length: 9\r\n\r\nhalf", 408),
    ];
    for (name, rest, status) in table {
        let mut asker = Asker::new(&server);
        asker.send(format!("HEAD /echo HTTP/1.1\r\nHost: x\r\n{rest}"));
        assert_eq!(asker.head_answer().status, status, "{name}");
        asker.expect_end();
    }
}
