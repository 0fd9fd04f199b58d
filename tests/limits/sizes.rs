//! How large: messages, what waits, heads and bodies.

use std::io::Write;

use rushwire::{Options, Overflow, Socket};

use super::common::client::upgrade_request;
use super::common::http;
use super::{limited, quiet};

#[test]
fn a_message_beyond_max_message_size_is_answered_1009() {
    let (server, log) = limited(|| Options {
        max_message_size: 10,
        ..quiet()
    });
    let mut client = server.connect("/");
    client.send("0123456789");
    client.send("0123456789a");
    client.expect_close(1009);
    client.finish();
    assert_eq!(log.find("a message"), "a message 0123456789");
    assert!(log.find("a close").starts_with("a close 1009 "));
}

#[test]
fn more_than_max_backpressure_is_answered_by_the_policy() {
    for (overflow, code) in [
        (Overflow::Close, 1013),
        (Overflow::DropNewest, 1000),
        (Overflow::DropOldest, 1000),
    ] {
        let (server, _log) = limited(move || Options {
            max_backpressure: 1000,
            overflow,
            ..quiet()
        });
        let mut client = server.connect("/");
        server.ask(|hub| hub.ws_broadcast(&vec![0; 24 << 20], None));
        server.ask(|hub| {
            (
                hub.ws_broadcast(&[0; 600], None),
                hub.ws_broadcast(&[0; 600], None),
            )
        });
        server.ask(|hub| hub.sockets().iter().for_each(Socket::close));
        assert_eq!(client.binary().len(), 24 << 20);
        client.expect_close(code);
    }
}

#[test]
fn heads_and_bodies_beyond_their_limits_are_answered_431_414_and_413() {
    let get =
        |head: String| format!("GET /page HTTP/1.1\r\nHost: localhost\r\n{head}\r\n").into_bytes();
    let post = |body: usize| {
        [
            format!("POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body}\r\n\r\n")
                .into_bytes(),
            vec![b'x'; body],
        ]
        .concat()
    };
    let empty = get(String::new()).len();
    let head_of = |len: usize| get(format!("X: {}\r\n", "x".repeat(len - empty - 5)));
    let fields = |n: usize| get("X: x\r\n".repeat(n - 1));
    let target = |len: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "x".repeat(len - 1)
        )
        .into_bytes()
    };
    let small = || Options {
        max_head_size: 200,
        max_body_size: 100,
        ..quiet()
    };
    type Set = fn() -> Options;
    let cases: [(&str, Set, Vec<u8>, u16); 12] = [
        ("a head of the default limit", quiet, head_of(16 << 10), 200),
        ("one byte more", quiet, head_of((16 << 10) + 1), 431),
        ("as many fields as there may be", quiet, fields(100), 200),
        ("one field more", quiet, fields(101), 431),
        ("a target of 8 KiB", quiet, target(8 << 10), 404),
        ("one byte more", quiet, target((8 << 10) + 1), 414),
        ("a body of the default limit", quiet, post(1 << 20), 200),
        ("one byte more", quiet, post((1 << 20) + 1), 413),
        ("a head of a limit that was set", small, head_of(200), 200),
        ("one byte more", small, head_of(201), 431),
        ("a body of a limit that was set", small, post(100), 200),
        ("one byte more", small, post(101), 413),
    ];
    for (name, options, request, status) in cases {
        let (server, _log) = limited(options);
        let mut stream = http::connect(server.addr);
        // The server may answer and close before all is sent.
        let _ = stream.write_all(&request);
        assert_eq!(
            http::read_answer(&mut stream, Vec::new(), false).0.status,
            status,
            "{name}"
        );
    }
}

#[test]
fn many_small_requests_in_one_segment_are_within_the_limits() {
    let (server, _log) = limited(|| Options {
        max_head_size: 400,
        ..quiet()
    });
    let mut stream = http::connect(server.addr);
    let many =
        "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50) + &upgrade_request("/", "");
    stream.write_all(many.as_bytes()).expect("send");
    let mut rest = Vec::new();
    let statuses: Vec<u16> = (0..51)
        .map(|_| {
            let (answer, more) = http::read_answer(&mut stream, std::mem::take(&mut rest), false);
            rest = more;
            answer.status
        })
        .collect();
    assert_eq!(statuses, [vec![200; 50], vec![101]].concat());
}
