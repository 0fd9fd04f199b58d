//! Servers that answer otherwise (RFC 6455 §4.1). Who answers wrongly is in `bad_answers`.

use std::time::Duration;

use rushwire::{Answer, ConnectError, ConnectOptions};

use crate::common::NEVER;
use crate::peer::{Peer, play, say};
use crate::{Dialer, never};

fn error(url: &str) -> ConnectError {
    let options = ConnectOptions {
        subprotocols: vec!["a".into(), "b".into()],
        handshake_timeout: NEVER,
        ..ConnectOptions::default()
    };
    Dialer::new(url, options, never).error()
}

fn refused(url: &str) -> Answer {
    match error(url) {
        ConnectError::Refused(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_status_is_told_with_its_headers_and_its_body() {
    let table: [(&str, u16, &str); 8] = [
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 5\r\n\r\nwho?!",
            401,
            "who?!",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            403,
            "",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n4\r\n, la\r\n3\r\nter\r\n0\r\n\r\n",
            503,
            "no, later",
        ),
        // Another server is not asked: what was meant for one is not told to another.
        (
            "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nto",
            302,
            "to",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhtml",
            200,
            "html",
        ),
        ("HTTP/1.1 999\r\nContent-Length: 0\r\n\r\n", 999, ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 426 Upgrade Required\r\nContent-Length: 1\r\n\r\n?",
            426,
            "?",
        ),
    ];
    for (bytes, status, body) in table {
        let answer = refused(&say(bytes).url);
        assert_eq!((answer.status, &*answer.text()), (status, body), "{bytes}");
    }
    let stage = say(table[0].0);
    let challenge = refused(&stage.url);
    assert_eq!(challenge.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn a_body_that_ends_with_the_connection_is_read_to_its_end() {
    let stage = play(|listener| {
        let mut peer = Peer::accept(listener);
        peer.send("HTTP/1.1 500 Oh\r\n\r\nsorry");
    });
    // What the client has not read is not lost by RST, since the request was read whole.
    assert_eq!(refused(&stage.url).text(), "sorry");
}

#[test]
fn of_a_body_that_does_not_end_in_time_what_has_come_is_told() {
    let stage = say("HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\nsor");
    let options = ConnectOptions {
        handshake_timeout: Duration::from_millis(100),
        ..ConnectOptions::default()
    };
    match Dialer::new(&stage.url, options, never).error() {
        ConnectError::Refused(answer) => assert_eq!(answer.text(), "sor"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_an_endless_body_the_first_64_kib_are_kept() {
    for framing in ["Content-Length: 1073741824", "X-Y: z"] {
        let stage = play(move |listener| {
            let mut peer = Peer::accept(listener);
            peer.send(format!("HTTP/1.1 500 Oh\r\n{framing}\r\n\r\n"));
            // The client leaves; before that, the kernels keep some MiB.
            for _ in 0..64 * 1024 {
                if std::io::Write::write_all(&mut peer.stream, &[b'x'; 16 * 1024]).is_err() {
                    return;
                }
            }
            panic!("the client reads a GiB");
        });
        let answer = refused(&stage.url);
        let (kept, limit) = (answer.body.len(), 64 * 1024);
        assert!(kept <= limit, "{framing}: {kept}");
        assert!(
            kept == limit || framing.starts_with('C'),
            "{framing}: {kept}"
        );
    }
}
