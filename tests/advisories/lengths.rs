//! Lengths that overflow, and memory that is taken because somebody announces something.

use std::io::Write;
use std::time::Duration;

use rushwire::Options;

use crate::common::client::{BINARY, CONTINUATION, PING, TEXT, announcement, frame};
use crate::common::serve_with;
use crate::{echo, expect_served};

/// Where a length of 64 bits, 63 bits, 32 bits or 31 bits ends, and what with a header, or with what has
/// come before, goes beyond it.
const LENGTHS: [u64; 14] = [
    u64::MAX,
    u64::MAX - 3,
    u64::MAX - 13,
    u64::MAX - 999,
    (1 << 63) + 1,
    1 << 63,
    (1 << 63) - 1,
    (1 << 63) - 14,
    (1 << 32) + 5,
    1 << 32,
    (1 << 32) - 1,
    (1 << 31) + 5,
    1 << 31,
    (1 << 31) - 1,
];

/// Frames that come before the one with the length.
fn beginnings() -> [(&'static str, Vec<u8>, u8); 4] {
    let begun = frame(false, 0, BINARY, &[7; 1000]);
    let ping = frame(true, 0, PING, b"");
    [
        ("first of all", Vec::new(), TEXT),
        ("behind a ping", ping.clone(), BINARY),
        ("in a message", begun.clone(), CONTINUATION),
        (
            "behind a ping in a message",
            [begun, ping].concat(),
            CONTINUATION,
        ),
    ]
}

/// CVE-2020-27813 (gorilla/websocket), CVE-2020-13935 (Tomcat), CVE-2026-27889 (NATS) and CVE-2026-50161
/// (libre): the sum of a length and something else overflowed, and the reader looped, crashed or wrote
/// behind its buffer. CVE-2021-26423 (.NET): one frame kept the reader busy for ever.
#[test]
fn a_length_that_overflows_is_refused_and_others_are_served() {
    let server = echo(Options::default);
    let mut bystander = server.connect("/");
    for (name, beginning, opcode) in beginnings() {
        for length in LENGTHS {
            let mut client = server.connect("/");
            client.send_raw(&beginning);
            client.send_raw(&announcement(true, opcode, length));
            let expected = if length >> 63 == 1 { 1002 } else { 1009 };
            assert_eq!(client.closed().0, expected, "{length:#x} {name}");
            client.expect_end();
            expect_served(&mut bystander, name);
        }
    }
}

/// The same where no limit stops it: up to 2⁶³ − 1 bytes are waited for.
#[test]
fn without_a_limit_a_length_that_overflows_is_refused_and_others_are_served() {
    let server = echo(|| Options {
        max_message_size: usize::MAX,
        ..Options::default()
    });
    let mut bystander = server.connect("/");
    for (name, beginning, opcode) in beginnings() {
        for length in LENGTHS {
            let mut client = server.connect("/");
            client.send_raw(&beginning);
            client.send_raw(&announcement(true, opcode, length));
            client.send_raw(&[0; 100]);
            expect_served(&mut bystander, name);
            if length >> 63 == 1 {
                assert_eq!(client.closed().0, 1002, "{length:#x} {name}");
                client.expect_end();
            } else {
                server.wait_until("both are in", |hub| hub.len() == 2);
            }
            drop(client);
            server.wait_until("it is gone", |hub| hub.len() == 1);
        }
    }
}

/// CVE-2017-18922 (LibVNCServer), facil.io 0.7.1 and libhv #769: a header that had come in part was read, or
/// written to, beyond its end.
#[test]
fn a_header_that_comes_in_part_is_waited_for() {
    let server = echo(Options::default);
    let headers = [
        frame(true, 0, TEXT, b"")[..6].to_vec(),
        frame(true, 0, BINARY, &[0; 126])[..8].to_vec(),
        frame(true, 0, BINARY, &[0; 65_536])[..14].to_vec(),
    ];
    for header in headers {
        for cut in 1..header.len() {
            let mut client = server.connect("/");
            client.send_raw(&header[..cut]);
            server.ask(|_| ());
            client.finish();
            client.expect_end();
        }
    }
    server.wait_until("all are gone", rushwire::Hub::is_empty);
    expect_served(&mut server.connect("/"), "afterwards");
}

/// CVE-2016-10542 and WS-2016-0031 (ws), CVE-2018-21035 (Qt), CVE-2021-21419 (eventlet) and CVE-2026-44545
/// (Daphne): there was no limit on a message by default, or a huge one, or 0 turned it off.
#[test]
fn there_is_a_limit_by_default_and_0_does_not_turn_it_off() {
    assert_eq!(Options::default().max_message_size, 1 << 20);
    let mut app = rushwire::App::with(Options {
        max_message_size: 0,
        ..Options::default()
    });
    let refused = app.bind("127.0.0.1:0").expect_err("0 is no limit");
    assert!(
        refused.to_string().contains("max_message_size"),
        "{refused}"
    );
}

/// CVE-2026-54274 (aiohttp): what had come of a frame that was not complete did not count against the
/// limit. CVE-2026-9675 (undici): there was a limit on each frame and none on their sum.
#[test]
fn what_has_come_of_a_message_counts_against_the_limit() {
    const MAX: usize = 10_000;
    let server = echo(|| Options {
        max_message_size: MAX,
        ..Options::default()
    });
    for size in [1, 10, 1000, MAX] {
        let mut client = server.connect("/");
        client.send_frame(false, 0, BINARY, b"");
        for _ in 0..MAX / size {
            client.send_frame(false, 0, CONTINUATION, &vec![1; size]);
        }
        // All of it is read, and it is still a socket.
        server.wait_until("it is in", |hub| hub.len() == 1);
        client.send_frame(true, 0, PING, b"still there");
        let pong = client.next().expect("a pong");
        assert_eq!(pong.payload, b"still there", "{size}");
        // The header alone of one more byte, which has not come.
        client.send_raw(&frame(false, 0, CONTINUATION, b"x")[..6]);
        assert_eq!(client.closed().0, 1009, "{size}");
        client.expect_end();
        drop(client);
        server.wait_until("it is gone", rushwire::Hub::is_empty);
    }
}

/// CVE-2026-123817 (aiohttp): each read from the transport was an object of its own while a frame was not
/// complete.
#[cfg(target_os = "linux")]
#[test]
fn a_frame_in_segments_of_one_byte_costs_its_length_once() {
    use crate::alone::{alone, growth};
    const LENGTH: usize = 256 << 10;
    alone(
        "lengths::a_frame_in_segments_of_one_byte_costs_its_length_once",
        || {
            let server = echo(Options::default);
            let mut client = server.connect("/");
            let payload: Vec<u8> = (0..LENGTH).map(|at| at as u8).collect();
            let bytes = frame(true, 0, BINARY, &payload);
            let grown = growth(|| {
                for byte in &bytes {
                    client.stream.write_all(&[*byte]).expect("send");
                }
                server.ask(|_| ());
            });
            assert!(client.binary() == payload, "it comes back as it went");
            assert!(grown.resident < 8 * LENGTH, "{grown:?}");
        },
    );
}

/// CVE-2026-33219 (NATS), CVE-2026-15565 (Undertow) and CVE-2026-5740 (Mattermost): memory was set aside
/// before anybody had shown who he is.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_set_aside_for_a_stranger() {
    use crate::alone::{alone, growth};
    alone("lengths::nothing_is_set_aside_for_a_stranger", || {
        let server = serve_with(
            || Options {
                max_message_size: 64 << 20,
                max_body_size: 64 << 20,
                handshake_timeout: Duration::from_secs(60),
                ..Options::default()
            },
            |app| {
                app.verify_client(|request| request.query("token").is_some());
                app.post("/", |ctx| ctx.text("taken"));
                app.ws("/socket", |_, _| {});
            },
        );
        let mut strangers = Vec::new();
        let grown = growth(|| {
            for _ in 0..300 {
                let mut stream = crate::common::http::connect(server.addr);
                let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\na";
                stream.write_all(head.as_bytes()).expect("send");
                strangers.push(stream);
                let mut stream = crate::common::http::connect(server.addr);
                let upgrade = crate::common::client::upgrade_request("/socket", "");
                let frames = announcement(true, BINARY, 64 << 20);
                let bytes = [upgrade.as_bytes(), &frames].concat();
                stream.write_all(&bytes).expect("send");
                strangers.push(stream);
            }
            server.ask(|_| ());
        });
        assert!(
            grown.resident < 8 << 20 && grown.reserved < 256 << 20,
            "{grown:?}"
        );
    });
}
