//! What no client may send: each is answered with the exact close code, however it is cut, and
//! nothing of it reaches the application (RFC 6455 §5, §7.1.7, §7.4, §8.1).

use rushwire::Options;
use rushwire::event::By;

use crate::common::client::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame};
use crate::not_text::{CUT, NOT_TEXT};
use crate::{Echo, Heard};

/// The most bytes that a message may have in these tests.
const MAX: usize = 300;

const KEY: [u8; 4] = [1, 2, 3, 4];

const PROTOCOL_ERROR: u16 = 1002;
const NOT_UTF8: u16 = 1007;
const POLICY: u16 = 1008;
const TOO_BIG: u16 = 1009;

/// A name, what the client sends, and the code that answers it.
type Case = (String, Vec<u8>, u16);

fn case(name: impl Into<String>, frames: &[&[u8]], code: u16) -> Case {
    (name.into(), frames.concat(), code)
}

/// A header as it is written down here, with a masking key behind it.
fn header(first: u8, second: u8, length: &[u8]) -> Vec<u8> {
    [&[first, second], length, &KEY[..]].concat()
}

fn reserved_bits() -> Vec<Case> {
    let opcodes = [TEXT, BINARY, CLOSE, PING, PONG];
    let all = opcodes
        .into_iter()
        .flat_map(|opcode| (1..8).map(move |bits| (opcode, bits)));
    let alone = all.map(|(opcode, bits)| {
        case(
            format!("reserved bits {bits:03b} on opcode {opcode:x}"),
            &[&frame(true, bits, opcode, b"")],
            PROTOCOL_ERROR,
        )
    });
    let continued = (1..8).map(|bits| {
        let frames = [
            frame(false, 0, TEXT, b"a"),
            frame(true, bits, CONTINUATION, b"b"),
        ]
        .concat();
        case(
            format!("reserved bits {bits:03b} on a continuation"),
            &[&frames],
            PROTOCOL_ERROR,
        )
    });
    alone.chain(continued).collect()
}

fn reserved_opcodes() -> Vec<Case> {
    let reserved = (0x3..0x8).chain(0xB..=0xF);
    let all = reserved.flat_map(|opcode| {
        [(true, &b""[..]), (true, b"some text"), (false, b"")].map(|(fin, payload)| {
            let name = format!("opcode {opcode:x}, final: {fin}, {} bytes", payload.len());
            case(name, &[&frame(fin, 0, opcode, payload)], PROTOCOL_ERROR)
        })
    });
    all.collect()
}

fn masks() -> Vec<Case> {
    let opcodes = [TEXT, BINARY, CLOSE, PING, PONG];
    let mut cases: Vec<_> = opcodes
        .into_iter()
        .map(|opcode| {
            case(
                format!("opcode {opcode:x} without a mask"),
                &[&[0x80 | opcode, 0]],
                PROTOCOL_ERROR,
            )
        })
        .collect();
    let begun = frame(false, 0, TEXT, b"a");
    cases.extend([
        case(
            "text of 2 bytes without a mask",
            &[&[0x81, 2, b'h', b'i']],
            PROTOCOL_ERROR,
        ),
        case(
            "binary of 126 bytes without a mask",
            &[&[0x82, 126, 0, 126], &[0; 126]],
            PROTOCOL_ERROR,
        ),
        case(
            "binary of 65,536 bytes without a mask, announced",
            &[&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
            PROTOCOL_ERROR,
        ),
        case(
            "a continuation without a mask",
            &[&begun, &[0x80, 1, b'b']],
            PROTOCOL_ERROR,
        ),
        case(
            "a close frame with a code without a mask",
            &[&[0x88, 2, 3, 0xE8]],
            PROTOCOL_ERROR,
        ),
    ]);
    cases
}

fn lengths() -> Vec<Case> {
    let long = |length: u64| length.to_be_bytes();
    let mut cases = Vec::new();
    for length in [0, 1, 125] {
        let bytes = header(0x82, 0xFE, &[0, length]);
        cases.push(case(
            format!("{length} bytes in a length of 16 bits"),
            &[&bytes],
            PROTOCOL_ERROR,
        ));
    }
    for length in [0, 1, 125, 126, 65_535] {
        let bytes = header(0x82, 0xFF, &long(length));
        cases.push(case(
            format!("{length} bytes in a length of 64 bits"),
            &[&bytes],
            PROTOCOL_ERROR,
        ));
    }
    for length in [1 << 63, (1 << 63) + 5, u64::MAX] {
        let bytes = header(0x81, 0xFF, &long(length));
        cases.push(case(
            format!("a length of {length:#x}"),
            &[&bytes],
            PROTOCOL_ERROR,
        ));
    }
    for length in [(1 << 63) - 1, 1 << 62, 1 << 32, u64::from(u32::MAX), 65_536] {
        let bytes = header(0x81, 0xFF, &long(length));
        cases.push(case(
            format!("a length of {length:#x}, only announced"),
            &[&bytes],
            TOO_BIG,
        ));
    }
    cases
}

fn control_frames() -> Vec<Case> {
    let mut cases = Vec::new();
    for opcode in [CLOSE, PING, PONG] {
        let first = 0x80 | opcode;
        let begun = frame(false, 0, TEXT, b"a");
        let rows = [
            case(
                format!("a fragment of opcode {opcode:x}"),
                &[&frame(false, 0, opcode, b"")],
                PROTOCOL_ERROR,
            ),
            case(
                format!("a fragment of opcode {opcode:x} in a message"),
                &[&begun, &frame(false, 0, opcode, b"")],
                PROTOCOL_ERROR,
            ),
            case(
                format!("opcode {opcode:x} of 126 bytes"),
                &[&frame(true, 0, opcode, &[b'a'; 126])],
                PROTOCOL_ERROR,
            ),
            case(
                format!("opcode {opcode:x} of 126 bytes, announced"),
                &[&[first, 0xFE]],
                PROTOCOL_ERROR,
            ),
            case(
                format!("opcode {opcode:x} of 65,536 bytes, announced"),
                &[&[first, 0xFF]],
                PROTOCOL_ERROR,
            ),
        ];
        cases.extend(rows);
    }
    cases
}

fn close_frames() -> Vec<Case> {
    let bad_codes = [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 9999, 65_535,
    ];
    let mut cases = vec![case(
        "a close frame of one byte",
        &[&frame(true, 0, CLOSE, &[3])],
        PROTOCOL_ERROR,
    )];
    for code in bad_codes {
        for reason in ["", "reason"] {
            let close = frame(true, 0, CLOSE, &close_payload(code, reason));
            cases.push(case(
                format!("close code {code}, reason {reason:?}"),
                &[&close],
                PROTOCOL_ERROR,
            ));
        }
    }
    for (name, bytes) in NOT_TEXT {
        let close = frame(true, 0, CLOSE, &[&[3, 0xE8], bytes].concat());
        cases.push(case(format!("a reason with {name}"), &[&close], NOT_UTF8));
    }
    cases
}

fn fragments() -> Vec<Case> {
    let text = |fin, payload: &str| frame(fin, 0, TEXT, payload.as_bytes());
    let more = |fin, payload: &str| frame(fin, 0, CONTINUATION, payload.as_bytes());
    let ping = frame(true, 0, PING, b"p");
    vec![
        case(
            "a continuation of nothing",
            &[&more(true, "a")],
            PROTOCOL_ERROR,
        ),
        case(
            "a continuation of nothing that goes on",
            &[&more(false, "a")],
            PROTOCOL_ERROR,
        ),
        case(
            "an empty continuation of nothing",
            &[&more(true, "")],
            PROTOCOL_ERROR,
        ),
        case(
            "a continuation of nothing behind a ping",
            &[&ping, &more(true, "a")],
            PROTOCOL_ERROR,
        ),
        case(
            "text inside of text",
            &[&text(false, "a"), &text(true, "b")],
            PROTOCOL_ERROR,
        ),
        case(
            "a fragment of text inside of text",
            &[&text(false, "a"), &text(false, "b")],
            PROTOCOL_ERROR,
        ),
        case(
            "binary inside of text",
            &[&text(false, "a"), &frame(true, 0, BINARY, b"b")],
            PROTOCOL_ERROR,
        ),
        case(
            "text inside of binary",
            &[&frame(false, 0, BINARY, b"a"), &text(true, "b")],
            PROTOCOL_ERROR,
        ),
        case(
            "empty text inside of empty text",
            &[&text(false, ""), &text(true, "")],
            PROTOCOL_ERROR,
        ),
        case(
            "text behind a continuation",
            &[&text(false, "a"), &more(false, "b"), &text(true, "c")],
            PROTOCOL_ERROR,
        ),
        case(
            "text behind a ping in text",
            &[&text(false, "a"), &ping, &text(true, "b")],
            PROTOCOL_ERROR,
        ),
        case(
            "more than 1,024 empty fragments",
            &[&text(false, ""), &more(false, "").repeat(1024)],
            POLICY,
        ),
    ]
}

fn texts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, bytes) in NOT_TEXT {
        let behind = ["κόσμε ".as_bytes(), bytes].concat();
        let (start, end) = bytes.split_at(bytes.len() / 2);
        let announced = frame(true, 0, TEXT, &[bytes, &[b'x'; 200]].concat());
        let announced = &announced[..8 + bytes.len()];
        cases.extend([
            case(
                format!("text: {name}"),
                &[&frame(true, 0, TEXT, bytes)],
                NOT_UTF8,
            ),
            case(
                format!("text behind good text: {name}"),
                &[&frame(true, 0, TEXT, &behind)],
                NOT_UTF8,
            ),
            case(
                format!("text that goes on: {name}"),
                &[&frame(false, 0, TEXT, &behind)],
                NOT_UTF8,
            ),
            case(
                format!("text of which 200 bytes have not come: {name}"),
                &[announced],
                NOT_UTF8,
            ),
            case(
                format!("text in two fragments: {name}"),
                &[
                    &frame(false, 0, TEXT, start),
                    &frame(true, 0, CONTINUATION, end),
                ],
                NOT_UTF8,
            ),
        ]);
    }
    for (name, bytes) in CUT {
        let first = frame(false, 0, TEXT, bytes);
        cases.extend([
            case(
                format!("text that ends with {name}"),
                &[&frame(true, 0, TEXT, &[b"abc", bytes].concat())],
                NOT_UTF8,
            ),
            case(
                format!("a last fragment that ends with {name}"),
                &[
                    &frame(false, 0, TEXT, b"a"),
                    &frame(true, 0, CONTINUATION, bytes),
                ],
                NOT_UTF8,
            ),
            case(
                format!("an empty last fragment behind {name}"),
                &[&first, &frame(true, 0, CONTINUATION, b"")],
                NOT_UTF8,
            ),
            case(
                format!("a fragment of ASCII behind {name}"),
                &[&first, &frame(false, 0, CONTINUATION, b"abc")],
                NOT_UTF8,
            ),
            case(
                format!("a reason that ends with {name}"),
                &[&frame(true, 0, CLOSE, &[&[3, 0xE8], bytes].concat())],
                NOT_UTF8,
            ),
        ]);
    }
    cases
}

fn too_big() -> Vec<Case> {
    let full = vec![b'a'; MAX];
    let over = vec![b'a'; MAX + 1];
    let first = frame(false, 0, TEXT, &full);
    let half = frame(false, 0, BINARY, &full[..MAX / 2]);
    vec![
        case(
            "one byte too many",
            &[&frame(true, 0, TEXT, &over)],
            TOO_BIG,
        ),
        case(
            "one byte too many of binary",
            &[&frame(true, 0, BINARY, &over)],
            TOO_BIG,
        ),
        case(
            "one byte too many, announced",
            &[&frame(true, 0, BINARY, &over)[..8]],
            TOO_BIG,
        ),
        case(
            "one byte too many in the first fragment",
            &[&frame(false, 0, TEXT, &over)],
            TOO_BIG,
        ),
        case(
            "one byte too many in the second fragment",
            &[&first, &frame(true, 0, CONTINUATION, b"b")],
            TOO_BIG,
        ),
        case(
            "a second fragment too large, announced",
            &[&half, &frame(true, 0, CONTINUATION, &over)[..8]],
            TOO_BIG,
        ),
        case(
            "a second fragment of 2⁶³ − 1 bytes",
            &[&half, &header(0x80, 0xFF, &i64::MAX.to_be_bytes())],
            TOO_BIG,
        ),
        case(
            "a second fragment that goes on, announced",
            &[&first, &frame(false, 0, CONTINUATION, b"b")[..6]],
            TOO_BIG,
        ),
        case(
            "a third fragment of one byte",
            &[
                &first,
                &frame(false, 0, CONTINUATION, b""),
                &frame(true, 0, CONTINUATION, b"b"),
            ],
            TOO_BIG,
        ),
    ]
}

fn all() -> Vec<Case> {
    let groups = [
        reserved_bits(),
        reserved_opcodes(),
        masks(),
        lengths(),
        control_frames(),
        close_frames(),
        fragments(),
        texts(),
        too_big(),
    ];
    groups.concat()
}

/// Sends what is bad on a socket of its own, and looks at both ends of it.
fn judge(
    echo: &Echo,
    how: &str,
    (name, bytes, code): &Case,
    send: impl FnOnce(&mut crate::common::Client),
) {
    let mut client = echo.server.connect("/");
    send(&mut client);
    let (closed, _reason) = client.closed();
    assert_eq!(closed, *code, "{name}, {how}: {bytes:02x?}");
    client.expect_end();
    drop(client);
    let mut heard = echo.heard_to_the_end();
    heard.retain(|heard| !matches!(heard, Heard::Ping(_)));
    assert_eq!(heard.len(), 2, "{name}, {how}: {heard:?}");
    assert_eq!(heard[0], Heard::Violation(*code), "{name}, {how}");
    assert!(
        matches!(&heard[1], Heard::Close { code: told, by: By::Us, .. } if told == code),
        "{name}, {how}: {heard:?}"
    );
}

fn echo() -> Echo {
    Echo::with(|| Options {
        max_message_size: MAX,
        ..Options::default()
    })
}

#[test]
fn what_breaks_a_rule_is_answered_with_its_code_and_not_delivered() {
    let (echo, cases) = (echo(), all());
    assert!(cases.len() >= 80);
    for case in &cases {
        judge(&echo, "whole", case, |client| client.send_raw(&case.1));
    }
}

#[test]
fn what_breaks_a_rule_breaks_it_byte_by_byte() {
    let echo = echo();
    for case in &all() {
        judge(&echo, "byte by byte", case, |client| {
            echo.server.feed(&mut client.stream, &case.1)
        });
    }
}

#[test]
fn what_breaks_a_rule_behind_a_good_message_takes_nothing_from_it() {
    let echo = echo();
    for (name, bytes, code) in all() {
        let mut client = echo.server.connect("/");
        client.send_raw(&[frame(true, 0, TEXT, b"good"), bytes].concat());
        assert_eq!(client.text(), "good", "{name}");
        assert_eq!(client.closed().0, code, "{name}");
        client.expect_end();
        drop(client);
        assert_eq!(echo.heard(), Heard::Text("good".into()), "{name}");
        echo.heard_to_the_end();
    }
}
