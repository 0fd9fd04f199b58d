//! D5–D11: frames were taken for what they are not, and rules were not kept.

use std::io::Read;
use std::time::{Duration, Instant};

use rushwire::{Hub, Options};

use crate::common::client::{
    CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame, upgrade_request,
};
use crate::common::log::log;
use crate::common::{http, serve, serve_with};
use crate::{echo, small};

/// A frame that was split over two segments was lost; here it arrives whole, wherever it is split.
#[test]
fn d05_a_frame_that_is_split_at_any_byte_arrives_whole() {
    let (pen, log) = log();
    let server = echo(small, pen);
    let mut client = server.connect("/");
    log.find("a open");
    let long = "x".repeat(300);
    for text in ["", "hello", &long] {
        let bytes = frame(true, 0, TEXT, text.as_bytes());
        for cut in 0..=bytes.len() {
            let (now, later) = bytes.split_at(cut);
            client.send_raw(now);
            // By then the server has read the first part.
            server.ask(|_| ());
            client.send_raw(later);
            assert_eq!(client.text(), text, "cut at {cut}");
            assert_eq!(log.next(), format!("a message {text}"), "cut at {cut}");
        }
    }
}

/// Behind a cut, payload was taken for frames, so that one long text became hundreds of bogus messages
/// and pongs; here a text of 200 kB whose every segment looks like frames is one message.
#[test]
fn d05_payload_is_never_taken_for_frames() {
    // Under this key all of it is text, and on the wire the frames that a masking client would send.
    let key = [0x80; 4];
    let message = [&[0x81, 0x81], &key[..], &[b'x' ^ key[0]]].concat();
    let ping = [&[0x89, 0x80], &key[..]].concat();
    let close = [&[0x88, 0x80], &key[..]].concat();
    for (name, bogus) in [("messages", message), ("pings", ping), ("closes", close)] {
        let (pen, log) = log();
        let server = echo(Options::default, pen);
        let mut client = server.connect("/");
        let wire = bogus.repeat(200_000 / bogus.len());
        let text: String = wire.iter().map(|byte| char::from(byte ^ key[0])).collect();
        let len = wire.len() as u64;
        let head = [&[0x81, 0xFF], &len.to_be_bytes()[..], &key].concat();
        client.send_raw(&head);
        for segment in wire.chunks(100 * bogus.len()) {
            server.ask(|_| ());
            client.send_raw(segment);
        }
        assert!(client.text() == text, "{name}");
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
        server.stop(Duration::ZERO);
        let heard = log.rest();
        assert_eq!(heard.len(), 3, "{name}: opened, one message, closed");
        assert!(heard[1] == format!("a message {text}"), "{name}");
    }
}

/// Of a message in fragments the first was delivered as a message and the others were dropped; here
/// they are one message, and pings between them are answered at once.
#[test]
fn d06_fragments_are_one_message() {
    let cases: [&[&str]; 4] = [
        &["he", "llo"],
        &["", "hello", ""],
        &["h", "e", "l", "l", "o"],
        &["gr\u{fc}", "\u{df}e \u{20ac} \u{1d11e}"],
    ];
    for between in [false, true] {
        for parts in cases {
            let (pen, log) = log();
            let server = echo(small, pen);
            let mut client = server.connect("/");
            for (i, part) in parts.iter().enumerate() {
                let opcode = if i == 0 { TEXT } else { CONTINUATION };
                client.send_frame(i + 1 == parts.len(), 0, opcode, part.as_bytes());
                if between && i + 1 < parts.len() {
                    client.send_frame(true, 0, PING, &[i as u8]);
                    let pong = client.next().expect("a pong");
                    assert_eq!((pong.opcode, pong.payload), (PONG, vec![i as u8]));
                }
            }
            assert_eq!(client.text(), parts.concat());
            assert_eq!(
                log.find("a message"),
                format!("a message {}", parts.concat())
            );
        }
    }
}

/// Frames without a mask, reserved bits and opcodes, long pings, bytes that are not UTF-8 and close
/// frames of one byte were all accepted; here each is answered with its code, and not delivered.
#[test]
fn d07_what_breaks_a_rule_is_refused() {
    let unmasked = vec![0x81, 0x02, b'h', b'i'];
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("no mask", unmasked, 1002),
        ("RSV1", frame(true, 4, TEXT, b"hi"), 1002),
        ("RSV2", frame(true, 2, TEXT, b"hi"), 1002),
        ("RSV3", frame(true, 1, PING, b"hi"), 1002),
        ("opcode 3", frame(true, 0, 0x3, b"hi"), 1002),
        ("opcode 7", frame(true, 0, 0x7, b""), 1002),
        ("opcode 11", frame(true, 0, 0xB, b"hi"), 1002),
        ("opcode 15", frame(true, 0, 0xF, b""), 1002),
        ("a ping of 200 bytes", frame(true, 0, PING, &[0; 200]), 1002),
        ("a ping in fragments", frame(false, 0, PING, b"hi"), 1002),
        (
            "a lone continuation",
            frame(true, 0, CONTINUATION, b"hi"),
            1002,
        ),
        ("not UTF-8", frame(true, 0, TEXT, b"\xC3\x28"), 1007),
        ("a surrogate", frame(true, 0, TEXT, b"\xED\xA0\x80"), 1007),
        (
            "a close frame of 1 byte",
            frame(true, 0, CLOSE, b"\x03"),
            1002,
        ),
        (
            "code 1005 on the wire",
            frame(true, 0, CLOSE, &close_payload(1005, "")),
            1002,
        ),
        (
            "code 999",
            frame(true, 0, CLOSE, &close_payload(999, "")),
            1002,
        ),
        (
            "a reason that is not UTF-8",
            frame(true, 0, CLOSE, b"\x03\xE8\xFF"),
            1007,
        ),
    ];
    for (name, bytes, code) in cases {
        let (pen, log) = log();
        let server = echo(small, pen);
        let mut client = server.connect("/");
        client.send_raw(&bytes);
        assert_eq!(client.closed().0, code, "{name}");
        client.try_send_close(code);
        client.expect_end();
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
        server.stop(Duration::ZERO);
        let heard = log.rest();
        assert!(
            matches!(&heard[..], [_, error, close] if error.starts_with("a error ")
                && close.starts_with(&format!("a close {code} "))),
            "{name}: {heard:?}"
        );
    }
}

/// Whatever a close frame said was answered with 1000, and frames behind it were delivered; here its
/// code comes back, and nothing behind it is heard.
#[test]
fn d08_a_close_frame_is_the_last_and_answered_with_its_code() {
    for code in [1000, 1001, 3001, 4999] {
        let (pen, log) = log();
        let server = echo(small, pen);
        let mut client = server.connect("/");
        let frames = [
            frame(true, 0, TEXT, b"before"),
            frame(true, 0, CLOSE, &close_payload(code, "enough")),
            frame(true, 0, TEXT, b"behind"),
            frame(true, 0, PING, b"behind"),
        ];
        client.send_raw(&frames.concat());
        assert_eq!(client.text(), "before");
        assert_eq!(client.closed().0, code);
        client.expect_end();
        server.wait_until("it is gone", Hub::is_empty);
        server.stop(Duration::ZERO);
        let end = format!(r#"a close {code} "enough" Peer Requested 0"#);
        assert_eq!(log.rest(), ["a open", "a message before", &end]);
    }
}

/// A close destroyed the connection at once; here what was sent before arrives, and the peer's answer is
/// waited for.
#[test]
fn d08_our_close_waits_for_the_answer_of_the_peer() {
    let (pen, log) = log();
    let server = echo(small, pen);
    let mut client = server.connect("/");
    server.wait_until("it is in", |hub| hub.len() == 1);
    server.ask(|hub| {
        for socket in hub.sockets() {
            assert_eq!(socket.send("the last word"), rushwire::SendStatus::Queued);
            socket.close_with(4000, "enough").expect("it may be sent");
        }
    });
    assert_eq!(client.text(), "the last word");
    assert_eq!(client.closed(), (4000, "enough".to_owned()));
    // Many turns later it still waits.
    (0..20).for_each(|_| server.ask(|_| ()));
    client
        .stream
        .set_nonblocking(true)
        .expect("set nonblocking");
    let end = client.stream.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(end, Err(std::io::ErrorKind::WouldBlock), "it is not cut");
    client.stream.set_nonblocking(false).expect("set blocking");
    client.send_close(4000, "");
    client.expect_end();
    assert_eq!(
        log.find("a close"),
        r#"a close 4000 "enough" Us Requested 0"#
    );
}

/// An upgrade by POST or with a key of 3 letters was accepted, a wrong version was refused without the
/// right one, and subprotocols were not agreed on; here each has its answer.
#[test]
fn d09_an_opening_handshake_is_held_to_its_rules() {
    let options = || Options {
        subprotocols: vec!["v2".into(), "v1".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| _ = app.ws("/", |_, _| {}));
    let good = upgrade_request("/", "");
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let version = "Sec-WebSocket-Version: 13";
    let cases = [
        (
            "POST",
            good.replace("GET", "POST"),
            405,
            Some(("allow", "GET")),
        ),
        (
            "key abc",
            good.replace(key, "Sec-WebSocket-Key: abc"),
            400,
            None,
        ),
        ("no key", good.replace(&format!("{key}\r\n"), ""), 400, None),
        (
            "version 8",
            good.replace(version, "Sec-WebSocket-Version: 8"),
            426,
            Some(("sec-websocket-version", "13")),
        ),
        ("all is well", good.clone(), 101, None),
        (
            "our order counts",
            upgrade_request("/", "Sec-WebSocket-Protocol: v1, v2\r\n"),
            101,
            Some(("sec-websocket-protocol", "v2")),
        ),
    ];
    for (name, request, status, header) in cases {
        let answer = http::request(server.addr, request);
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if let Some((header, value)) = header {
            assert_eq!(answer.header(header), Some(value), "{name}");
        }
    }
}

/// A handler that threw behind the 101 had an HTTP error written into the stream of frames; here the one
/// thing behind the 101 is a close frame with 1011.
#[test]
fn d10_a_handler_that_panics_writes_no_http_between_the_frames() {
    let server = serve(|app| {
        app.ws_use(|_, request, next| {
            assert_ne!(request.path(), "/middleware", "on purpose");
            next.run();
        });
        app.ws("/:name", |_, request| {
            assert!(request.param("name").is_empty(), "on purpose")
        });
    });
    for path in ["/handler", "/middleware"] {
        let mut client = server.connect(path);
        client.try_send_close(1011);
        let mut rest = std::mem::take(&mut client.rest);
        rest.extend(http::read_to_end(&mut client.stream));
        let head = [0x88, rest.len() as u8 - 2, 0x03, 0xF3];
        assert!(rest.starts_with(&head), "{path}: {rest:?}");
        assert!(
            !String::from_utf8_lossy(&rest).contains("HTTP/"),
            "{path}: {rest:?}"
        );
    }
}

/// With a pong timeout below the ping interval every connection was closed at the first tick, unpinged,
/// and the interval could not be set; here it is pinged when the interval says so, and who answers stays.
#[test]
fn d11_a_pong_timeout_below_the_ping_interval_closes_nobody_who_answers() {
    const HEARTBEAT: Duration = Duration::from_millis(800);
    let options = || Options {
        heartbeat: HEARTBEAT,
        pong_timeout: Duration::from_millis(700),
        ..Options::default()
    };
    let (pen, log) = log();
    let server = echo(options, pen);
    let began = Instant::now();
    let mut client = server.connect("/");
    for ping in 1..=3 {
        let frame = client.next().expect("it is not closed");
        assert_eq!(frame.opcode, PING, "{frame:?}");
        let passed = began.elapsed() + Duration::from_millis(20);
        assert!(passed >= ping * HEARTBEAT, "ping {ping} after {passed:?}");
        client.send_frame(true, 0, PONG, &frame.payload);
    }
    client.send("still here");
    assert_eq!(client.text(), "still here");
    log.find("a message still here");
}
