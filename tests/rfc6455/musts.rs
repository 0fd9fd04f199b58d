//! One test for each MUST of RFC 6455 §4–§8 that a client can see kept, named by its section. The
//! tables of `bad_frames` hold every way to break the rules that are shown here once.

use std::sync::mpsc;

use rushwire::event::{self, By};
use rushwire::{Options, SendStatus};

use crate::common::client::{
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, upgrade_request,
};
use crate::common::{http, serve};
use crate::{Echo, Heard};

/// Sends frames on a new socket; what is expected is that code, and then the end.
fn expect_failure(bytes: &[u8], code: u16) {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(bytes);
    assert_eq!(client.closed().0, code);
    client.expect_end();
}

#[test]
fn section_4_2_1_a_handshake_that_breaks_a_rule_is_answered_with_an_error_and_ended() {
    let echo = Echo::new();
    let request = upgrade_request("/", "").replace("Sec-WebSocket-Key", "X-Key");
    let mut stream = http::connect(echo.server.addr);
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("send");
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(answer.status, 400);
    assert_eq!(
        (rest, http::read_to_end(&mut stream)),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn section_4_2_2_the_answer_accepts_the_key_and_names_nothing_that_was_not_offered() {
    let echo = Echo::with(|| Options {
        subprotocols: vec!["chat".into()],
        ..Options::default()
    });
    let client = echo.server.connect("/");
    assert_eq!(client.answer.status, 101);
    assert_eq!(client.answer.header("Upgrade"), Some("websocket"));
    assert_eq!(client.answer.header("Connection"), Some("Upgrade"));
    assert_eq!(
        client.answer.header("Sec-WebSocket-Accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    assert_eq!(client.answer.header("Sec-WebSocket-Protocol"), None);
    assert_eq!(client.answer.header("Sec-WebSocket-Extensions"), None);
}

#[test]
fn section_4_4_a_version_that_is_not_spoken_is_answered_with_the_one_that_is() {
    let echo = Echo::new();
    let request = upgrade_request("/", "").replace("Version: 13", "Version: 25");
    let answer = http::request(echo.server.addr, request);
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"));
    assert_eq!(answer.header("Upgrade"), Some("websocket"));
}

#[test]
fn section_5_1_a_frame_without_a_mask_closes_the_connection() {
    expect_failure(&[0x81, 2, b'h', b'i'], 1002);
}

#[test]
fn section_5_1_no_frame_of_the_server_is_masked() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"a"),
            frame(true, 0, PING, b"b"),
            frame(true, 0, CLOSE, b""),
        ]
        .concat(),
    );
    // The client refuses a masked frame.
    let opcodes: Vec<u8> = std::iter::from_fn(|| client.next())
        .map(|frame| frame.opcode)
        .collect();
    assert_eq!(opcodes, [TEXT, PONG, CLOSE]);
}

#[test]
fn section_5_2_a_reserved_bit_without_an_extension_fails_the_connection() {
    expect_failure(&frame(true, 0b100, TEXT, b"a"), 1002);
}

#[test]
fn section_5_2_an_unknown_opcode_fails_the_connection() {
    expect_failure(&frame(true, 0, 0x3, b""), 1002);
}

#[test]
fn section_5_2_the_highest_bit_of_a_length_must_be_0() {
    expect_failure(&[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1002);
}

#[test]
fn section_5_2_a_length_must_be_in_its_shortest_form() {
    expect_failure(&[0x82, 0xFE, 0, 1, 1, 2, 3, 4, b'a'], 1002);
}

#[test]
fn section_5_4_fragments_of_one_message_must_not_be_mixed_with_another() {
    expect_failure(
        &[frame(false, 0, TEXT, b"a"), frame(true, 0, TEXT, b"b")].concat(),
        1002,
    );
}

#[test]
fn section_5_4_a_continuation_must_continue_something() {
    expect_failure(&frame(true, 0, CONTINUATION, b"a"), 1002);
}

#[test]
fn section_5_5_a_control_frame_must_not_be_fragmented() {
    expect_failure(&frame(false, 0, PING, b""), 1002);
}

#[test]
fn section_5_5_a_control_frame_has_at_most_125_bytes() {
    expect_failure(&frame(true, 0, PING, &[0; 126]), 1002);
}

#[test]
fn section_5_5_1_a_close_frame_is_answered_with_its_code_and_then_the_server_closes() {
    let echo = Echo::new();
    let codes = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999,
    ];
    for code in codes {
        for reason in ["", "going", &"é".repeat(61), &"r".repeat(123)] {
            let mut client = echo.server.connect("/");
            client.send_close(code, reason);
            assert_eq!(client.closed().0, code, "{code} {reason}");
            client.expect_end();
            let heard = echo.heard_to_the_end();
            assert_eq!(
                heard,
                [Heard::Close {
                    code,
                    reason: reason.into(),
                    by: By::Peer
                }]
            );
        }
    }
}

#[test]
fn section_7_1_5_a_close_frame_without_a_code_is_answered_and_told_as_1005() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_frame(true, 0, CLOSE, b"");
    assert!(
        matches!(client.closed().0, 1000 | 1005),
        "1005 must not be on the wire"
    );
    client.expect_end();
    assert_eq!(
        echo.heard(),
        Heard::Close {
            code: 1005,
            reason: String::new(),
            by: By::Peer
        }
    );
}

#[test]
fn section_7_1_5_a_connection_that_ends_without_a_close_frame_is_told_as_1006() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.finish();
    client.expect_end();
    assert_eq!(
        echo.heard(),
        Heard::Close {
            code: 1006,
            reason: String::new(),
            by: By::Nobody
        }
    );
}

#[test]
fn section_5_5_1_nothing_is_sent_behind_a_close_frame() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, _| {
                socket.send("before");
                socket.close_with(4001, "enough").expect("a good code");
                assert_eq!(socket.send("after"), SendStatus::Closed);
                assert!(!socket.ping(b"after"));
                socket.close();
            });
        });
    });
    let mut client = server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"close"),
            frame(true, 0, PING, b"late"),
        ]
        .concat(),
    );
    assert_eq!(client.text(), "before");
    assert_eq!(client.closed(), (4001, "enough".into()));
    client.send_frame(true, 0, PING, b"later still");
    client.send_close(4001, "");
    client.expect_end();
}

#[test]
fn section_5_5_1_nothing_is_delivered_behind_our_close_frame() {
    let (teller, heard) = mpsc::channel();
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            let tell = teller.clone();
            socket.on(event::Message, move |socket, message| {
                let _ = tell.send(message.as_text().map(str::to_owned));
                socket.close();
            });
            let tell = teller.clone();
            socket.on(event::Close, move |_, closed| {
                assert_eq!((closed.code.0, closed.by), (1000, By::Us));
                let _ = tell.send(Some("the end".into()));
            });
        });
    });
    let mut client = server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"first"),
            frame(true, 0, TEXT, b"in the same segment"),
        ]
        .concat(),
    );
    assert_eq!(client.closed().0, 1000);
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"later"),
            frame(false, 0, BINARY, b"half"),
        ]
        .concat(),
    );
    client.send_raw(&frame(true, 0, CONTINUATION, b"another half"));
    client.send_close(1000, "");
    client.expect_end();
    drop(server);
    let heard: Vec<_> = heard.iter().flatten().collect();
    assert_eq!(heard, ["first", "the end"]);
}

#[test]
fn section_5_5_1_nothing_is_delivered_behind_the_peers_close_frame() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let late = [
        frame(true, 0, TEXT, b"late"),
        frame(true, 0, PING, b"late"),
        vec![0xFF; 20],
    ]
    .concat();
    client.send_raw(&[frame(true, 0, CLOSE, &[3, 0xE8]), late].concat());
    assert_eq!(client.closed().0, 1000);
    client.expect_end();
    assert_eq!(
        echo.heard(),
        Heard::Close {
            code: 1000,
            reason: String::new(),
            by: By::Peer
        }
    );
}

#[test]
fn section_5_5_1_a_close_frame_between_fragments_ends_the_connection() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(
        &[
            frame(false, 0, TEXT, b"half"),
            frame(true, 0, CLOSE, &[3, 0xE8]),
        ]
        .concat(),
    );
    assert_eq!(client.closed().0, 1000);
    client.expect_end();
    assert_eq!(
        echo.heard(),
        Heard::Close {
            code: 1000,
            reason: String::new(),
            by: By::Peer
        }
    );
}

#[test]
fn section_5_5_2_and_5_5_3_a_pong_echoes_the_payload_of_its_ping() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    for len in 0..=125 {
        let payload: Vec<u8> = (0..len).map(|i| 255 - i).collect();
        client.send_frame(true, 0, PING, &payload);
        let pong = client.next().expect("a pong");
        assert_eq!((pong.fin, pong.rsv, pong.opcode), (true, 0, PONG));
        assert_eq!(pong.payload, payload);
        assert_eq!(echo.heard(), Heard::Ping(payload));
    }
}

#[test]
fn section_5_5_3_a_pong_that_was_not_asked_for_is_not_answered() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, PONG, b"unasked"),
            frame(true, 0, TEXT, b"next"),
        ]
        .concat(),
    );
    let frame = client.next().expect("the echo");
    assert_eq!((frame.opcode, frame.payload), (TEXT, b"next".to_vec()));
    assert_eq!(echo.heard(), Heard::Pong(b"unasked".into()));
}

#[test]
fn section_6_2_the_kind_of_a_message_is_that_of_its_first_frame() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    for (opcode, heard) in [
        (TEXT, Heard::Text("ab".into())),
        (BINARY, Heard::Binary(b"ab".into())),
    ] {
        client.send_raw(
            &[
                frame(false, 0, opcode, b"a"),
                frame(true, 0, CONTINUATION, b"b"),
            ]
            .concat(),
        );
        assert_eq!(client.recv().opcode, opcode);
        assert_eq!(echo.heard(), heard);
    }
}

#[test]
fn section_7_1_1_the_server_closes_first_and_a_client_may_wait_for_it() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_close(1000, "");
    // The client keeps its side open, and still reads the end of the server's.
    assert_eq!(client.closed().0, 1000);
    client.expect_end();
}

#[test]
fn section_7_1_4_both_may_close_at_the_same_time() {
    let (teller, heard) = mpsc::channel();
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            socket.on(event::Message, |socket, _| socket.close());
            let tell = teller.clone();
            socket.on(event::Close, move |_, closed| {
                let _ = tell.send((closed.code.0, closed.by));
            });
        });
    });
    let mut client = server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"close"),
            frame(true, 0, CLOSE, &[0x0F, 0xA0]),
        ]
        .concat(),
    );
    assert_eq!(client.closed().0, 1000);
    client.expect_end();
    drop(server);
    assert_eq!(heard.iter().collect::<Vec<_>>(), [(1000, By::Us)]);
}

#[test]
fn section_7_1_7_nothing_is_read_behind_what_failed_the_connection() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(
        &[
            frame(true, 0, 0x3, b""),
            frame(true, 0, TEXT, b"late"),
            frame(true, 0, PING, b"late"),
        ]
        .concat(),
    );
    assert_eq!(client.closed().0, 1002);
    client.send("later");
    client.expect_end();
    drop(client);
    assert!(
        !echo
            .heard_to_the_end()
            .iter()
            .any(|heard| matches!(heard, Heard::Text(_) | Heard::Ping(_)))
    );
}

#[test]
fn section_7_4_codes_that_must_not_be_sent_are_refused_from_the_application_too() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
                socket
                    .close_with(code, "")
                    .expect_err("a code that may not be sent");
            }
            socket.close_with(3000, "fine").expect("a good code");
        });
    });
    assert_eq!(server.connect("/").closed(), (3000, "fine".into()));
}

#[test]
fn section_8_1_text_that_is_not_utf8_fails_the_connection() {
    expect_failure(&frame(true, 0, TEXT, b"\xC3\x28"), 1007);
}

/// The first and the last character of each length and of each gap, whole and cut everywhere.
#[test]
fn section_8_1_good_text_from_all_planes_passes() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let edges = [
        '\0',
        '\u{7F}',
        '\u{80}',
        '\u{BF}',
        '\u{C0}',
        '\u{7FF}',
        '\u{800}',
        '\u{FFF}',
        '\u{1000}',
        '\u{D7FF}',
        '\u{E000}',
        '\u{EFFF}',
        '\u{F000}',
        '\u{FFFD}',
        '\u{FFFF}',
        '\u{10000}',
        '\u{3FFFF}',
        '\u{40000}',
        '\u{FFFFF}',
        '\u{100000}',
        '\u{10FFFF}',
    ];
    for edge in edges {
        let text = format!("a{edge}{edge}");
        client.send(&text);
        assert_eq!(client.text(), text, "{edge:?}");
        echo.server
            .feed(&mut client.stream, &frame(true, 0, TEXT, text.as_bytes()));
        assert_eq!(client.text(), text, "{edge:?} byte by byte");
        let last = text.len() - 1;
        for (at, byte) in text.bytes().enumerate() {
            let opcode = if at == 0 { TEXT } else { CONTINUATION };
            client.send_frame(at == last, 0, opcode, &[byte]);
        }
        assert_eq!(client.text(), text, "{edge:?} in fragments of a byte");
    }
}
