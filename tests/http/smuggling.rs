//! Requests whose end two servers could see in different places: each is refused and ends the
//! connection, and what is hidden in it is never served (RFC 9112 §6.1, §6.3, §11.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Asker;
use crate::common::serve;

/// What the attacker hides.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

/// Header lines that frame a body ambiguously, the status, and the body.
const SHAPES: [(&str, &str, u16, &str); 39] = [
    (
        "CL.TE",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "TE.CL",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        400,
        "0\r\n\r\n",
    ),
    (
        "CL 0 and TE",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "two lengths that differ",
        "Content-Length: 0\r\nContent-Length: 50",
        400,
        "",
    ),
    (
        "two lengths that agree",
        "Content-Length: 0\r\nContent-Length: 0",
        400,
        "",
    ),
    (
        "a list of lengths that differ",
        "Content-Length: 0, 50",
        400,
        "",
    ),
    (
        "a list of lengths that agree",
        "Content-Length: 0, 0",
        400,
        "",
    ),
    ("a length with a plus", "Content-Length: +0", 400, ""),
    ("a length with a minus", "Content-Length: -0", 400, ""),
    (
        "a length with a space inside",
        "Content-Length: 0 0",
        400,
        "",
    ),
    (
        "a length with an underscore",
        "Content-Length: 0_0",
        400,
        "",
    ),
    ("a length in hexadecimal", "Content-Length: 0x0", 400, ""),
    ("a length with an exponent", "Content-Length: 0e1", 400, ""),
    ("a length with a fraction", "Content-Length: 0.0", 400, ""),
    ("a length of other digits", "Content-Length: ٠", 400, ""),
    ("an empty length", "Content-Length:", 400, ""),
    ("a length in quotes", "Content-Length: \"0\"", 400, ""),
    (
        "a length beyond 64 bits",
        "Content-Length: 18446744073709551616",
        400,
        "",
    ),
    (
        "a length before a space and a colon",
        "Content-Length : 50",
        400,
        "",
    ),
    ("a length behind a NUL", "Content-Length: \x000", 400, ""),
    (
        "an encoding before a space and a colon",
        "Transfer-Encoding : chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding before a tab and a colon",
        "Transfer-Encoding\t: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding behind a vertical tab",
        "Transfer-Encoding: \x0Bchunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding behind a form feed",
        "Transfer-Encoding: \x0Cchunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding in a folded line",
        "Transfer-Encoding:\r\n chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding in a folded line before another",
        "X: y\r\n Transfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding behind a bare LF",
        "X: y\nTransfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding behind a bare CR",
        "X: y\rTransfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding that is almost chunked",
        "Transfer-Encoding: xchunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding in quotes",
        "Transfer-Encoding: \"chunked\"",
        400,
        "0\r\n\r\n",
    ),
    (
        "an encoding with a parameter",
        "Transfer-Encoding: chunked;q=1",
        400,
        "0\r\n\r\n",
    ),
    (
        "chunked, then identity",
        "Transfer-Encoding: chunked, identity",
        400,
        "0\r\n\r\n",
    ),
    (
        "identity, then chunked",
        "Transfer-Encoding: identity, chunked",
        501,
        "0\r\n\r\n",
    ),
    ("identity alone", "Transfer-Encoding: identity", 400, ""),
    (
        "chunked twice in a list",
        "Transfer-Encoding: chunked, chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "chunked twice in two lines",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        400,
        "0\r\n\r\n",
    ),
    (
        "chunked, then something in another line",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        400,
        "0\r\n\r\n",
    ),
    (
        "something, then chunked in another line",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        501,
        "0\r\n\r\n",
    ),
    ("an empty encoding", "Transfer-Encoding:", 400, ""),
];

#[test]
fn ambiguous_framing_is_refused_and_nothing_behind_it_is_served() {
    let hidden = Arc::new(AtomicUsize::new(0));
    let served = Arc::clone(&hidden);
    let server = serve(move |app| {
        app.any("/", |ctx| ctx.text("served"));
        app.any("/hidden", move |ctx| {
            served.fetch_add(1, Ordering::SeqCst);
            ctx.text("hidden");
        });
    });
    for (name, lines, status, body) in SHAPES {
        for method in ["GET", "POST"] {
            let request =
                format!("{method} / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n{body}{HIDDEN}");
            for whole in [true, false] {
                let mut asker = Asker::new(&server);
                if whole {
                    asker.send(&request);
                } else {
                    server.feed(&mut asker.stream, request.as_bytes());
                }
                let answer = asker.answer();
                assert_eq!(answer.status, status, "{name}, {method}, whole: {whole}");
                assert_eq!(answer.header("Connection"), Some("close"), "{name}");
                asker.expect_end();
            }
        }
    }
    assert_eq!(
        hidden.load(Ordering::SeqCst),
        0,
        "nothing hidden was served"
    );
}

#[test]
fn a_body_is_never_taken_for_a_request() {
    let server = serve(|app| {
        app.any("/", |ctx| ctx.text(format!("{} bytes", ctx.body().len())));
    });
    let mut asker = Asker::new(&server);
    let length = HIDDEN.len();
    let sized = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{HIDDEN}");
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n"
    );
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    asker.send([&sized, &chunked, last].concat());
    let expected = format!("{length} bytes");
    assert_eq!(asker.answer().text(), expected);
    assert_eq!(asker.answer().text(), expected);
    assert_eq!(asker.answer().text(), "0 bytes");
    asker.expect_end();
}

/// A body that nobody reads must not become the next request.
#[test]
fn a_body_behind_a_refused_request_is_never_taken_for_a_request() {
    let server = serve(|app| {
        app.get("/", |ctx| ctx.text("served"))
            .get("/hidden", |ctx| ctx.text("hidden"));
        app.ws("/socket", |_, _| {});
    });
    let length = HIDDEN.len();
    let table = [
        ("no such path", "POST /none", 404),
        ("no such method", "POST /", 405),
        ("a socket's path", "GET /socket", 426),
        ("a bad escape", "POST /%zz", 400),
    ];
    for (name, line, status) in table {
        let mut asker = Asker::new(&server);
        let answer = asker.ask(format!(
            "{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"
        ));
        assert_eq!(
            (
                answer.status,
                answer
                    .header("Connection")
                    .is_some_and(|value| value.contains("close"))
            ),
            (status, true),
            "{name}"
        );
        asker.expect_end();
    }
}
