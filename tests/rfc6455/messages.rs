//! Good messages arrive as they were sent, whatever their length, their mask, their fragments and
//! the segments that they come in (RFC 6455 §5.2–§5.6, §6).

use std::io::Read;

use crate::common::client::{BINARY, CONTINUATION, PING, PONG, TEXT, frame};
use crate::{Echo, Heard};

/// All lengths at which the form of the header changes, and their neighbours (§5.2).
const LENGTHS: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1024 * 1024];

fn text(len: usize) -> String {
    "The quick brown fox jumps over the lazy dog. "
        .chars()
        .cycle()
        .take(len)
        .collect()
}

fn binary(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 % 256) as u8).collect()
}

#[test]
fn text_and_binary_of_all_lengths_come_back_as_they_went() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    for len in LENGTHS {
        let text = text(len);
        client.send(&text);
        assert!(client.text() == text, "text of {len} bytes");
        let binary = binary(len);
        client.send_binary(&binary);
        assert!(client.binary() == binary, "binary of {len} bytes");
        assert_eq!(
            (echo.heard(), echo.heard()),
            (Heard::Text(text), Heard::Binary(binary)),
            "{len} bytes"
        );
    }
}

/// §5.2: "the minimal number of bytes MUST be used to encode the length"; §5.1: a server MUST NOT
/// mask; §5.2: the reserved bits MUST be 0.
#[test]
fn frames_of_the_server_have_the_shortest_header_and_no_mask() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    for len in LENGTHS {
        client.send_binary(&binary(len));
        let expected: Vec<u8> = match len {
            0..126 => vec![0x82, len as u8],
            126..65_536 => [&[0x82, 126], &(len as u16).to_be_bytes()[..]].concat(),
            _ => [&[0x82, 127], &(len as u64).to_be_bytes()[..]].concat(),
        };
        let mut bytes = vec![0; expected.len() + len];
        client
            .stream
            .read_exact(&mut bytes)
            .expect("the whole frame");
        assert_eq!(bytes[..expected.len()], expected, "{len} bytes");
        assert!(bytes[expected.len()..] == binary(len), "{len} bytes");
    }
}

/// §5.3: the key is the client's to choose.
#[test]
fn any_masking_key_and_any_remainder_of_four_is_unmasked() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    for key in [
        [0; 4],
        [0xFF; 4],
        [1, 2, 3, 4],
        [0x80, 0, 0, 0],
        [0, 0, 0, 0x37],
    ] {
        for len in 0..=40 {
            let payload = binary(len);
            let masked: Vec<u8> = payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key)
                .collect();
            client.send_raw(&[&[0x82, 0x80 | len as u8], &key[..], &masked].concat());
            assert_eq!(client.binary(), payload, "{len} bytes under {key:02x?}");
        }
    }
}

/// §5.4, §6.2: the message is all fragments in their order, of the kind that the first one tells.
#[test]
fn fragments_of_any_size_make_one_message() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let whole = "κόσμε, 世界, 🌍: every character is cut somewhere";
    for size in [1, 2, 3, 5, 7, 20, whole.len()] {
        for opcode in [TEXT, BINARY] {
            client.send_raw(&fragments(opcode, whole.as_bytes(), size, |_| Vec::new()));
            let answer = client.recv();
            assert_eq!(
                (answer.fin, answer.opcode),
                (true, opcode),
                "fragments of {size} bytes"
            );
            assert_eq!(
                answer.payload,
                whole.as_bytes(),
                "fragments of {size} bytes"
            );
        }
    }
}

#[test]
fn empty_fragments_change_nothing() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let empty = frame(false, 0, CONTINUATION, b"");
    let table: [(&str, &[&[u8]], &str); 5] = [
        (
            "all is empty",
            &[
                &frame(false, 0, TEXT, b""),
                &frame(true, 0, CONTINUATION, b""),
            ],
            "",
        ),
        (
            "the first is empty",
            &[
                &frame(false, 0, TEXT, b""),
                &frame(true, 0, CONTINUATION, b"a"),
            ],
            "a",
        ),
        (
            "the last is empty",
            &[
                &frame(false, 0, TEXT, b"a"),
                &frame(true, 0, CONTINUATION, b""),
            ],
            "a",
        ),
        (
            "some between are empty",
            &[
                &frame(false, 0, TEXT, b"a"),
                &empty,
                &empty,
                &frame(true, 0, CONTINUATION, b"b"),
            ],
            "ab",
        ),
        (
            "1,024 are",
            &[
                &frame(false, 0, TEXT, b"a"),
                &empty.repeat(1024),
                &frame(true, 0, CONTINUATION, b"b"),
            ],
            "ab",
        ),
    ];
    for (name, frames, expected) in table {
        client.send_raw(&frames.concat());
        assert_eq!(client.text(), expected, "{name}");
    }
}

/// §5.4: "Control frames MAY be injected in the middle of a fragmented message"; §5.5.2.
#[test]
fn pings_between_fragments_are_answered_before_the_message_is_whole() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let word = "fragmented";
    for (i, letter) in word.bytes().enumerate() {
        let opcode = if i == 0 { TEXT } else { CONTINUATION };
        client.send_frame(i + 1 == word.len(), 0, opcode, &[letter]);
        if i + 1 < word.len() {
            let payload = format!("ping {i}");
            client.send_frame(true, 0, PING, payload.as_bytes());
            let pong = client.next().expect("a pong");
            assert_eq!((pong.opcode, pong.payload), (PONG, payload.into_bytes()));
        }
    }
    assert_eq!(client.text(), word);
}

#[test]
fn pings_between_fragments_in_one_segment_are_answered_in_their_order() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let bytes = fragments(TEXT, b"abcdefgh", 1, |i| {
        frame(true, 0, PING, &[i as u8; 3])
    });
    client.send_raw(&bytes);
    for i in 0..7 {
        let pong = client.next().expect("a pong");
        assert_eq!((pong.opcode, pong.payload), (PONG, vec![i; 3]));
    }
    assert_eq!(client.text(), "abcdefgh");
}

#[test]
fn pongs_between_fragments_are_no_part_of_the_message() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(&fragments(BINARY, b"xyz", 1, |_| {
        frame(true, 0, PONG, b"not asked for")
    }));
    assert_eq!(client.binary(), b"xyz");
}

/// A conversation with something of everything, and what comes back.
fn conversation() -> (Vec<u8>, Vec<(u8, Vec<u8>)>) {
    let sent = [
        frame(true, 0, TEXT, "κόσμε".as_bytes()),
        frame(true, 0, PING, b"one"),
        frame(false, 0, TEXT, &"世界".as_bytes()[..4]),
        frame(true, 0, PING, b""),
        frame(true, 0, CONTINUATION, &"世界".as_bytes()[4..]),
        frame(true, 0, PONG, b"unasked"),
        frame(true, 0, BINARY, &binary(130)),
        frame(true, 0, TEXT, b""),
        frame(true, 0, PING, &[7; 125]),
    ];
    let back = vec![
        (TEXT, "κόσμε".as_bytes().to_vec()),
        (PONG, b"one".to_vec()),
        (PONG, Vec::new()),
        (TEXT, "世界".as_bytes().to_vec()),
        (BINARY, binary(130)),
        (TEXT, Vec::new()),
        (PONG, vec![7; 125]),
    ];
    (sent.concat(), back)
}

#[test]
fn a_conversation_cut_at_every_byte_is_the_same() {
    let echo = Echo::new();
    let (bytes, expected) = conversation();
    let mut client = echo.server.connect("/");
    for at in 0..=bytes.len() {
        let (start, end) = bytes.split_at(at);
        client.send_raw(start);
        // When the server has answered this, it has read the start.
        echo.server.ask(|_| ());
        client.send_raw(end);
        for (opcode, payload) in &expected {
            let frame = client.next().expect("an answer");
            assert_eq!(
                (frame.opcode, &frame.payload),
                (*opcode, payload),
                "cut at {at}"
            );
        }
    }
}

#[test]
fn a_conversation_byte_by_byte_is_the_same() {
    let echo = Echo::new();
    let (bytes, expected) = conversation();
    let mut client = echo.server.connect("/");
    echo.server.feed(&mut client.stream, &bytes);
    for (opcode, payload) in expected {
        let frame = client.next().expect("an answer");
        assert_eq!((frame.opcode, frame.payload), (opcode, payload));
    }
}

#[test]
fn many_messages_in_one_segment_are_all_delivered_in_order() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    let sent: Vec<u8> = (0..1000)
        .flat_map(|i| frame(true, 0, TEXT, format!("message {i}").as_bytes()))
        .collect();
    client.send_raw(&sent);
    for i in 0..1000 {
        assert_eq!(client.text(), format!("message {i}"));
    }
}

/// A message in fragments of `size` bytes, with what `between` gives behind each but the last.
fn fragments(
    opcode: u8,
    payload: &[u8],
    size: usize,
    between: impl Fn(usize) -> Vec<u8>,
) -> Vec<u8> {
    let count = payload.len().div_ceil(size);
    let mut bytes = Vec::new();
    for (i, part) in payload.chunks(size).enumerate() {
        let last = i + 1 == count;
        bytes.extend(frame(
            last,
            0,
            if i == 0 { opcode } else { CONTINUATION },
            part,
        ));
        if !last {
            bytes.extend(between(i));
        }
    }
    bytes
}
