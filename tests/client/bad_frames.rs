//! What no server may send: each is answered with the exact close code and the rule that it broke, whole and
//! byte by byte, and nothing of it, nor of what follows, reaches the application (RFC 6455 §5, §7.4, §8.1).

use std::cell::RefCell;
use std::rc::Rc;

use rushwire::{ConnectOptions, Options, event};

use crate::Dialer;
use crate::common::client::{self, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::not_text::{CUT, NOT_TEXT};
use crate::peer::{Peer, play, unmasked};

/// The most bytes that a message may have in these tests.
const MAX: usize = 300;

/// A name, what the server sends, and the close code and reason that answer it.
type Case = (String, Vec<u8>, u16, &'static str);

const OPCODES: [u8; 5] = [TEXT, BINARY, CLOSE, PING, PONG];

fn case(name: impl Into<String>, frames: &[&[u8]], code: u16, rule: &'static str) -> Case {
    (name.into(), frames.concat(), code, rule)
}

fn masks() -> Vec<Case> {
    const RULE: &str = "frame of a server is masked";
    let begun = unmasked(TEXT, b"a");
    let mut cases = Vec::new();
    for opcode in OPCODES {
        for payload in [&b""[..], b"\x03\xE8"] {
            let masked = client::frame(true, 0, opcode, payload);
            let name = format!("opcode {opcode:x} of {} bytes with a mask", payload.len());
            cases.push(case(name, &[&masked], 1002, RULE));
        }
        let null = [0x80 | opcode, 0x80, 0, 0, 0, 0];
        cases.push(case(
            format!("opcode {opcode:x} with a mask of zeros"),
            &[&null],
            1002,
            RULE,
        ));
    }
    let more = client::frame(true, 0, CONTINUATION, b"b");
    cases.push(case(
        "a continuation with a mask",
        &[&begun, &more],
        1002,
        RULE,
    ));
    let long = client::frame(true, 0, BINARY, &[0; 200]);
    cases.push(case(
        "binary of 200 bytes with a mask",
        &[&long],
        1002,
        RULE,
    ));
    cases
}

fn bits_and_opcodes() -> Vec<Case> {
    const BITS: &str = "reserved bits are set";
    let begun = unmasked(TEXT, b"a");
    let mut cases = Vec::new();
    for bits in 1..8_u8 {
        for opcode in OPCODES {
            let name = format!("bits {bits:03b} on opcode {opcode:x}");
            cases.push(case(
                name,
                &[&unmasked(0x80 | bits << 4 | opcode, b"")],
                1002,
                BITS,
            ));
        }
        let more = unmasked(0x80 | bits << 4, b"b");
        cases.push(case(
            format!("bits {bits:03b} on a continuation"),
            &[&begun, &more],
            1002,
            BITS,
        ));
    }
    for opcode in (0x3..0x8).chain(0xB..=0xF) {
        for (first, payload) in [
            (0x80 | opcode, &b""[..]),
            (0x80 | opcode, b"x"),
            (opcode, b""),
        ] {
            let name = format!("first byte {first:x}, {} bytes", payload.len());
            cases.push(case(
                name,
                &[&unmasked(first, payload)],
                1002,
                "reserved opcode ",
            ));
        }
    }
    cases
}

fn lengths() -> Vec<Case> {
    const SHORTEST: &str = "length is not in its shortest form";
    let begun = unmasked(TEXT, b"a");
    let mut cases = Vec::new();
    for (kind, beginning, first) in [("binary", &[][..], 0x82), ("a continuation", &begun, 0x80)] {
        for length in [0, 1, 125_u8] {
            let name = format!("{kind} of {length} bytes in 16 bits");
            cases.push(case(
                name,
                &[beginning, &[first, 126, 0, length]],
                1002,
                SHORTEST,
            ));
        }
        let long = |length: u64| [&[first, 127], &length.to_be_bytes()[..]].concat();
        for length in [0, 125, 126, 65_535] {
            let name = format!("{kind} of {length} bytes in 64 bits");
            cases.push(case(name, &[beginning, &long(length)], 1002, SHORTEST));
        }
        for length in [1 << 63, u64::MAX] {
            let rule = "length has its highest bit set";
            cases.push(case(
                format!("{kind} of {length:#x} bytes"),
                &[beginning, &long(length)],
                1002,
                rule,
            ));
        }
        for length in [(1 << 63) - 1, 1 << 32, 65_536] {
            let name = format!("{kind} of {length:#x} bytes, announced");
            cases.push(case(name, &[beginning, &long(length)], 1009, "message of "));
        }
    }
    let (full, over) = (vec![0; MAX], vec![0; MAX + 1]);
    let first = unmasked(BINARY, &full);
    #[rustfmt::skip]
    cases.extend([
        case("one byte too many",                 &[&unmasked(0x82, &over)],                            1009, "message of "),
        case("one byte too many, announced",      &[&unmasked(0x82, &over)[..4]],                       1009, "message of "),
        case("one byte too many in fragments",    &[&first, &unmasked(0x80, b"x")],                     1009, "message of "),
        case("one too many behind a pong",        &[&first, &unmasked(0x8A, b""), &unmasked(0, b"x")],  1009, "message of "),
        case("too many fragments of a byte",      &[&begun, &unmasked(0, b"x").repeat(MAX)],            1009, "message of "),
        case("too many empty fragments",          &[&begun, &unmasked(0, b"").repeat(1025)],            1008, "too many empty fragments"),
    ]);
    cases
}

fn order() -> Vec<Case> {
    const NOTHING: &str = "continuation of no message";
    const MORE: &str = "new message before the last one was finished";
    let (text, binary) = (unmasked(TEXT, b"a"), unmasked(BINARY, b"a"));
    #[rustfmt::skip]
    let mut cases = vec![
        case("a continuation of nothing",               &[&unmasked(0x80, b"x")],                     1002, NOTHING),
        case("a continuation of nothing that goes on",  &[&unmasked(0x00, b"x")],                     1002, NOTHING),
        case("an empty continuation of nothing",        &[&unmasked(0x80, b"")],                      1002, NOTHING),
        case("text inside of text",                     &[&text, &unmasked(0x81, b"b")],              1002, MORE),
        case("a fragment inside of text",               &[&text, &text],                              1002, MORE),
        case("binary inside of text",                   &[&text, &unmasked(0x82, b"b")],              1002, MORE),
        case("text inside of binary",                   &[&binary, &unmasked(0x81, b"b")],            1002, MORE),
        case("text behind a continuation",              &[&text, &unmasked(0, b"b"), &unmasked(0x81, b"c")], 1002, MORE),
    ];
    for opcode in [CLOSE, PING, PONG] {
        let fragment = unmasked(opcode, b"");
        #[rustfmt::skip]
        cases.extend([
            case(format!("a fragment of opcode {opcode:x}"),               &[&fragment],                           1002, "fragmented control frame"),
            case(format!("a fragment of opcode {opcode:x} in a message"),  &[&text, &fragment],                    1002, "fragmented control frame"),
            case(format!("opcode {opcode:x} of 126 bytes"),                &[&unmasked(0x80 | opcode, &[0; 126])], 1002, "control frame of more than 125 bytes"),
            case(format!("opcode {opcode:x} of 1 byte in 16 bits"),        &[&[0x80 | opcode, 126, 0, 1]],         1002, "control frame of more than 125 bytes"),
        ]);
    }
    cases
}

fn texts() -> Vec<Case> {
    const RULE: &str = "text is not UTF-8";
    let mut cases = Vec::new();
    for (name, bytes) in NOT_TEXT {
        let (start, end) = bytes.split_at(bytes.len() / 2);
        let announced = unmasked(0x81, &[bytes, &[b'x'; 200]].concat());
        let fragments = [unmasked(0x01, start), unmasked(0x80, end)].concat();
        let reason = unmasked(0x88, &[b"\x03\xE8", bytes].concat());
        #[rustfmt::skip]
        cases.extend([
            case(format!("text: {name}"),                        &[&unmasked(0x81, bytes)],            1007, RULE),
            case(format!("text that is not all there: {name}"),  &[&announced[..4 + bytes.len()]],     1007, RULE),
            case(format!("text in two fragments: {name}"),       &[&fragments],                        1007, RULE),
            case(format!("a reason: {name}"),                    &[&reason],                           1007, RULE),
        ]);
    }
    for (name, bytes) in CUT {
        let first = unmasked(0x01, bytes);
        let reason = unmasked(0x88, &[b"\x03\xE8", bytes].concat());
        #[rustfmt::skip]
        cases.extend([
            case(format!("text that is {name}"),                 &[&unmasked(0x81, bytes)],            1007, RULE),
            case(format!("an empty fragment behind {name}"),     &[&first, &unmasked(0x80, b"")],      1007, RULE),
            case(format!("ASCII behind {name}"),                 &[&first, &unmasked(0x00, b"abc")],   1007, RULE),
            case(format!("a reason that is {name}"),             &[&reason],                           1007, RULE),
        ]);
    }
    cases
}

fn close_codes() -> Vec<Case> {
    let bad = [
        0_u16, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535,
    ];
    let mut cases = vec![case(
        "a close frame of a byte",
        &[&unmasked(0x88, b"\x03")],
        1002,
        "close frame of one byte",
    )];
    for code in bad {
        for reason in ["", "reason"] {
            let close = unmasked(0x88, &client::close_payload(code, reason));
            cases.push(case(
                format!("close code {code}, reason {reason:?}"),
                &[&close],
                1002,
                "close code ",
            ));
        }
    }
    cases
}

fn all() -> Vec<Case> {
    let groups = [
        masks(),
        bits_and_opcodes(),
        lengths(),
        order(),
        texts(),
        close_codes(),
    ];
    let all = groups.concat();
    assert!(all.len() >= 80, "{}", all.len());
    all
}

/// The client's close frame, and what its listeners heard, when a server sends these bytes.
fn answer_to(bytes: Vec<u8>, whole: bool) -> (u16, String, Vec<String>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let stage = play(move |listener| {
        let mut peer = Peer::agree(listener);
        match whole {
            true => peer.send(bytes),
            false => peer.send_bytewise(&bytes),
        }
        let close = peer.next().expect("a close frame");
        assert_eq!(close.first, 0x88, "{close:?}");
        let (code, reason) = close.payload.split_at(2);
        let code = u16::from_be_bytes([code[0], code[1]]);
        let reason = String::from_utf8(reason.to_vec()).expect("UTF-8");
        sender.send((code, reason)).expect("the test waits");
        peer.finish();
        peer.wait_for_the_end();
    });
    let heard = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&heard);
    let limits = Options {
        max_message_size: MAX,
        ..Options::default()
    };
    let dialer = Dialer::with(
        limits,
        &stage.url,
        ConnectOptions::default(),
        move |socket, _| {
            let messages = Rc::clone(&note);
            socket.on(event::Message, move |_, message| {
                messages
                    .borrow_mut()
                    .push(format!("{} bytes", message.len()));
            });
            let closed = Rc::clone(&note);
            socket.on(event::Close, move |_, close| {
                closed.borrow_mut().push(format!("closed {}", close.code));
            });
        },
    );
    assert_eq!(dialer.run(), []);
    let (code, reason) = receiver.recv().expect("the script has played");
    (code, reason, heard.take())
}

fn judge_all(whole: bool) {
    for (name, bad, code, rule) in all() {
        let good = unmasked(0x82, b"good");
        let late = unmasked(0x81, b"late");
        let (found, reason, heard) = answer_to([good, bad, late].concat(), whole);
        assert_eq!(found, code, "{name}: {reason}");
        assert!(reason.starts_with(rule), "{name}: {reason}");
        assert_eq!(heard, ["4 bytes", &format!("closed {code}")], "{name}");
    }
}

#[test]
fn a_server_that_breaks_a_rule_is_told_which_and_nothing_of_it_is_heard() {
    judge_all(true);
}

#[test]
fn a_server_that_breaks_a_rule_breaks_it_byte_by_byte() {
    judge_all(false);
}
