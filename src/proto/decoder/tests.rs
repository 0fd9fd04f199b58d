//! Every sequence runs whole, cut in two at every byte, and byte by byte, and is held against
//! the naive decoder.

use super::super::naive::{Outcome, Owned, decode, decode_by_window, decode_cut, drain};
use super::*;

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
const MAX: usize = 100_000;

/// A frame as its sender writes it, byte for byte; the length in its shortest form.
fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = match payload.len() {
        len @ 0..126 => vec![first, bit | len as u8],
        len @ 126..65_536 => vec![first, bit | 126, (len >> 8) as u8, len as u8],
        len => [&[first, bit | 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    bytes.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// A frame of a client.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, Some(KEY))
}

/// A frame of a server.
fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, None)
}

/// The same outcome for any cut, and the naive decoder's.
fn outcome_within(name: &str, role: Role, max: usize, input: &[u8]) -> Outcome {
    let expected = decode(role, max, input);
    let whole = decode_cut(role, max, input, &[usize::MAX]);
    assert_eq!(whole, expected, "{name}: whole");
    // Under Miri a few cuts of a few bytes must do.
    let (step, most) = if cfg!(miri) { (23, 100) } else { (1, 600) };
    if input.len() < most || !cfg!(miri) {
        let bytewise = decode_cut(role, max, input, &[1]);
        assert_eq!(bytewise, expected, "{name}: byte by byte");
    }
    for cut in (1..input.len().min(most)).step_by(step) {
        let halves = decode_cut(role, max, input, &[cut, usize::MAX]);
        assert_eq!(halves, expected, "{name}: cut at {cut}");
    }
    expected
}

fn outcome(name: &str, input: &[u8]) -> Outcome {
    outcome_within(name, Role::Server, MAX, input)
}

fn text(text: &str) -> Owned {
    Owned::Text(text.into())
}

fn binary(bytes: &[u8]) -> Owned {
    Owned::Binary(bytes.into())
}

fn closed(code: u16, reason: &str) -> Owned {
    Owned::Close(CloseCode(code), reason.into())
}

#[test]
fn the_examples_of_section_5_7_are_read() {
    let table: [(&str, Role, Vec<u8>, Vec<Owned>); 7] = [
        (
            "unmasked text",
            Role::Client,
            b"\x81\x05Hello".to_vec(),
            vec![text("Hello")],
        ),
        (
            "masked text",
            Role::Server,
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec(),
            vec![text("Hello")],
        ),
        (
            "fragmented text",
            Role::Client,
            b"\x01\x03Hel\x80\x02lo".to_vec(),
            vec![text("Hello")],
        ),
        (
            "ping",
            Role::Client,
            b"\x89\x05Hello".to_vec(),
            vec![Owned::Ping(b"Hello".into())],
        ),
        (
            "masked pong",
            Role::Server,
            b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec(),
            vec![Owned::Pong(b"Hello".into())],
        ),
        (
            "256 bytes",
            Role::Client,
            [&b"\x82\x7E\x01\x00"[..], &[7; 256]].concat(),
            vec![binary(&[7; 256])],
        ),
        (
            "64 KiB",
            Role::Client,
            [
                &b"\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"[..],
                &[7; 65_536],
            ]
            .concat(),
            vec![binary(&[7; 65_536])],
        ),
    ];
    for (name, role, input, expected) in table {
        if cfg!(miri) && input.len() > 100 {
            continue;
        }
        assert_eq!(
            outcome_within(name, role, MAX, &input),
            (expected, Ok(())),
            "{name}"
        );
    }
}

/// One of everything that is allowed, in one stream.
fn conversation(frame: fn(u8, &[u8]) -> Vec<u8>) -> (Vec<Vec<u8>>, Vec<Owned>) {
    let greek = "κόσμε 日本 😀";
    let (a, b) = greek.as_bytes().split_at(3);
    let long = [0xFE; 300];
    let frames = vec![
        frame(0x81, "héllo".as_bytes()),
        frame(0x82, b""),
        frame(0x01, a),
        frame(0x89, b"between fragments"),
        frame(0x00, &b[..9]),
        frame(0x8A, b""),
        frame(0x00, b""),
        frame(0x80, &b[9..]),
        frame(0x89, &[5; 125]),
        frame(0x02, &long),
        frame(0x80, b""),
        frame(0x82, &long),
        frame(0x81, b""),
        frame(0x88, b"\x03\xE8bye"),
        frame(0x81, b"after the close frame"),
        vec![0xFF; 9],
    ];
    let expected = vec![
        text("héllo"),
        binary(b""),
        Owned::Ping(b"between fragments".into()),
        Owned::Pong(Vec::new()),
        text(greek),
        Owned::Ping([5; 125].into()),
        binary(&long),
        binary(&long),
        text(""),
        closed(1000, "bye"),
    ];
    (frames, expected)
}

#[test]
fn any_cut_gives_the_same_pieces() {
    for (name, role, frame) in [
        ("server", Role::Server, masked as fn(u8, &[u8]) -> Vec<u8>),
        ("client", Role::Client, plain),
    ] {
        let (frames, expected) = conversation(frame);
        let input = frames.concat();
        assert_eq!(
            outcome_within(name, role, MAX, &input),
            (expected.clone(), Ok(())),
            "{name}"
        );
        let step = if cfg!(miri) { 499 } else { 1 };
        for size in (1..input.len()).step_by(step) {
            let cut = decode_cut(role, MAX, &input, &[size]);
            assert_eq!(cut.0, expected, "{name}: portions of {size}");
        }
    }
}

#[test]
fn every_length_around_the_forms_of_the_length_is_read() {
    let lengths = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 124, 125, 126, 127, 128,
        300, 65_535, 65_536, 65_537,
    ];
    for len in lengths {
        if cfg!(miri) && len > 300 {
            continue;
        }
        let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let letters: Vec<u8> = payload.iter().map(|byte| b'a' + byte % 26).collect();
        let input = [masked(0x82, &payload), masked(0x81, &letters)].concat();
        let expected = vec![binary(&payload), text(str::from_utf8(&letters).unwrap())];
        assert_eq!(
            outcome(&format!("{len} bytes"), &input),
            (expected, Ok(())),
            "{len} bytes"
        );
    }
}

#[test]
fn a_broken_frame_is_refused_with_its_violation_and_close_code() {
    use Violation::*;
    let close = |code: u16| masked(0x88, &code.to_be_bytes());
    let bad_code = |code: u16| (close(code), CloseCode(super::CloseCode(code)), 1002);
    let begun = |input: Vec<u8>| [masked(0x01, b"a"), input].concat();
    let with_len = |first: u8, form: u8, len: &[u8]| [&[first, form], len, &KEY].concat();
    type Bad = (Vec<u8>, Violation, u16);
    #[rustfmt::skip]
    let table: Vec<(&str, Bad)> = vec![
        ("rsv1",                            (masked(0xC1, b"a"), ReservedBits, 1002)),
        ("rsv2",                            (masked(0xA1, b"a"), ReservedBits, 1002)),
        ("rsv3",                            (masked(0x91, b"a"), ReservedBits, 1002)),
        ("all reserved bits",               (masked(0xF2, b""), ReservedBits, 1002)),
        ("rsv1 on a ping",                  (masked(0xC9, b""), ReservedBits, 1002)),
        ("rsv1 on a continuation",          (begun(masked(0xC0, b"")), ReservedBits, 1002)),
        ("rsv3 on a close",                 (masked(0x98, b""), ReservedBits, 1002)),
        ("opcode 3",                        (masked(0x83, b""), ReservedOpcode(0x3), 1002)),
        ("opcode 4",                        (masked(0x84, b"a"), ReservedOpcode(0x4), 1002)),
        ("opcode 5, not final",             (masked(0x05, b"a"), ReservedOpcode(0x5), 1002)),
        ("opcode 6",                        (masked(0x86, b"a"), ReservedOpcode(0x6), 1002)),
        ("opcode 7",                        (masked(0x87, b"a"), ReservedOpcode(0x7), 1002)),
        ("opcode 11",                       (masked(0x8B, b""), ReservedOpcode(0xB), 1002)),
        ("opcode 12",                       (masked(0x8C, b""), ReservedOpcode(0xC), 1002)),
        ("opcode 13",                       (masked(0x8D, b""), ReservedOpcode(0xD), 1002)),
        ("opcode 14",                       (masked(0x8E, b""), ReservedOpcode(0xE), 1002)),
        ("opcode 15 in a message",          (begun(masked(0x8F, b"")), ReservedOpcode(0xF), 1002)),
        ("unmasked text",                   (plain(0x81, b"a"), NotMasked, 1002)),
        ("unmasked empty text",             (plain(0x81, b""), NotMasked, 1002)),
        ("unmasked long binary",            (plain(0x82, &[0; 200]), NotMasked, 1002)),
        ("unmasked ping",                   (plain(0x89, b""), NotMasked, 1002)),
        ("unmasked close",                  (plain(0x88, b"\x03\xE8"), NotMasked, 1002)),
        ("unmasked continuation",           (begun(plain(0x80, b"")), NotMasked, 1002)),
        ("length of 2⁶³",                   (with_len(0x82, 255, &(1u64 << 63).to_be_bytes()), LengthTooLong, 1002)),
        ("length of 2⁶⁴ − 1",               (with_len(0x82, 255, &[255; 8]), LengthTooLong, 1002)),
        ("length of 2⁶³ − 1",               (with_len(0x82, 255, &(u64::MAX >> 1).to_be_bytes()), TooBig { len: u64::MAX >> 1, max: MAX }, 1009)),
        ("length of 2⁶³ − 1, going on",     (begun(with_len(0x80, 255, &(u64::MAX >> 1).to_be_bytes())), TooBig { len: 1 << 63, max: MAX }, 1009)),
        ("length of 2³² + 1",               (with_len(0x82, 255, &((1u64 << 32) + 1).to_be_bytes()), TooBig { len: (1 << 32) + 1, max: MAX }, 1009)),
        ("0 in 16 bits",                    (with_len(0x82, 254, &[0, 0]), LengthNotMinimal, 1002)),
        ("125 in 16 bits",                  (with_len(0x81, 254, &[0, 125]), LengthNotMinimal, 1002)),
        ("125 in 64 bits",                  (with_len(0x82, 255, &125u64.to_be_bytes()), LengthNotMinimal, 1002)),
        ("126 in 64 bits",                  (with_len(0x82, 255, &126u64.to_be_bytes()), LengthNotMinimal, 1002)),
        ("65,535 in 64 bits",               (with_len(0x82, 255, &65_535u64.to_be_bytes()), LengthNotMinimal, 1002)),
        ("1 in 16 bits, going on",          (begun(with_len(0x80, 254, &[0, 1])), LengthNotMinimal, 1002)),
        ("125 in 16 bits, all there",       ([with_len(0x82, 254, &[0, 125]), vec![0; 125]].concat(), LengthNotMinimal, 1002)),
        ("200 in 64 bits, all there",       ([with_len(0x82, 255, &200u64.to_be_bytes()), vec![0; 200]].concat(), LengthNotMinimal, 1002)),
        ("rsv1 on 200 bytes",               (masked(0xC2, &[0; 200]), ReservedBits, 1002)),
        ("rsv3 on 200 bytes",               (masked(0x92, &[0; 200]), ReservedBits, 1002)),
        ("opcode 3 with 200 bytes",         (masked(0x83, &[0; 200]), ReservedOpcode(3), 1002)),
        ("200 bytes going on with nothing", (masked(0x80, &[0; 200]), UnexpectedContinuation, 1002)),
        ("200 bytes in a message",          (begun(masked(0x82, &[0; 200])), ExpectedContinuation, 1002)),
        ("ping of 126 bytes",               (masked(0x89, &[0; 126]), ControlTooLong, 1002)),
        ("pong of 126 bytes",               (masked(0x8A, &[0; 126]), ControlTooLong, 1002)),
        ("close of 126 bytes",              (masked(0x88, &[3; 126]), ControlTooLong, 1002)),
        ("ping of 64 KiB",                  (masked(0x89, &[0; 65_536]), ControlTooLong, 1002)),
        ("ping that is not final",          (masked(0x09, b"a"), ControlFragmented, 1002)),
        ("pong that is not final",          (masked(0x0A, b""), ControlFragmented, 1002)),
        ("close that is not final",         (masked(0x08, b"\x03\xE8"), ControlFragmented, 1002)),
        ("ping that is not final, between", (begun(masked(0x09, b"")), ControlFragmented, 1002)),
        ("close of one byte",               (masked(0x88, b"\x03"), CloseTooShort, 1002)),
        ("close of one byte, between",      (begun(masked(0x88, b"\x03")), CloseTooShort, 1002)),
        ("close code 0",                    bad_code(0)),
        ("close code 999",                  bad_code(999)),
        ("close code 1004",                 bad_code(1004)),
        ("close code 1005",                 bad_code(1005)),
        ("close code 1006",                 bad_code(1006)),
        ("close code 1015",                 bad_code(1015)),
        ("close code 1016",                 bad_code(1016)),
        ("close code 1100",                 bad_code(1100)),
        ("close code 2000",                 bad_code(2000)),
        ("close code 2999",                 bad_code(2999)),
        ("close code 5000",                 bad_code(5000)),
        ("close code 65,535",               bad_code(65_535)),
        ("close reason not UTF-8",          (masked(0x88, b"\x03\xE8\xFF"), NotUtf8, 1007)),
        ("close reason cut",                (masked(0x88, b"\x03\xE8caf\xC3"), NotUtf8, 1007)),
        ("close reason overlong",           (masked(0x88, b"\x0F\xA0\xC0\xAF"), NotUtf8, 1007)),
        ("bad code and bad reason",         (masked(0x88, b"\x03\xED\xFF"), CloseCode(super::CloseCode(1005)), 1002)),
        ("continuation of nothing",         (masked(0x80, b"a"), UnexpectedContinuation, 1002)),
        ("empty continuation of nothing",   (masked(0x80, b""), UnexpectedContinuation, 1002)),
        ("first fragment of nothing",       (masked(0x00, b"a"), UnexpectedContinuation, 1002)),
        ("continuation after a message",    ([masked(0x81, b"a"), masked(0x80, b"b")].concat(), UnexpectedContinuation, 1002)),
        ("continuation after fragments",    ([begun(masked(0x80, b"b")), masked(0x80, b"c")].concat(), UnexpectedContinuation, 1002)),
        ("continuation after a ping",       ([masked(0x89, b"a"), masked(0x80, b"b")].concat(), UnexpectedContinuation, 1002)),
        ("text in a message",               (begun(masked(0x81, b"b")), ExpectedContinuation, 1002)),
        ("binary in a message",             (begun(masked(0x82, b"")), ExpectedContinuation, 1002)),
        ("text begun in a message",         (begun(masked(0x01, b"b")), ExpectedContinuation, 1002)),
        ("text in a message after a ping",  (begun([masked(0x89, b""), masked(0x81, b"b")].concat()), ExpectedContinuation, 1002)),
        ("invalid byte",                    (masked(0x81, b"a\xFF"), NotUtf8, 1007)),
        ("lone continuation byte",          (masked(0x81, b"\x80"), NotUtf8, 1007)),
        ("overlong of two",                 (masked(0x81, b"\xC0\xAF"), NotUtf8, 1007)),
        ("overlong of three",               (masked(0x81, b"\xE0\x80\xAF"), NotUtf8, 1007)),
        ("overlong of four",                (masked(0x81, b"\xF0\x80\x80\xAF"), NotUtf8, 1007)),
        ("first surrogate",                 (masked(0x81, b"\xED\xA0\x80"), NotUtf8, 1007)),
        ("last surrogate",                  (masked(0x81, b"\xED\xBF\xBF"), NotUtf8, 1007)),
        ("U+110000",                        (masked(0x81, b"\xF4\x90\x80\x80"), NotUtf8, 1007)),
        ("five-byte sequence",              (masked(0x81, b"\xF8\x88\x80\x80\x80"), NotUtf8, 1007)),
        ("code point cut by the end",       (masked(0x81, b"ab\xE2\x82"), NotUtf8, 1007)),
        ("code point cut, two fragments",   ([masked(0x01, b"\xE2"), masked(0x80, b"\x82")].concat(), NotUtf8, 1007)),
        ("code point cut, empty end",       ([masked(0x01, b"\xC3"), masked(0x80, b"")].concat(), NotUtf8, 1007)),
        ("code point gone wrong",           ([masked(0x01, b"\xE2\x82"), masked(0x00, b"a")].concat(), NotUtf8, 1007)),
        ("surrogate over two fragments",    ([masked(0x01, b"\xED"), masked(0x00, b"\xA0")].concat(), NotUtf8, 1007)),
        ("invalid in a long text",          (masked(0x81, &[&[b'a'; 200][..], b"\xFE"].concat()), NotUtf8, 1007)),
    ];
    for (name, (input, violation, code)) in table {
        if cfg!(miri) && input.len() > 100 {
            continue;
        }
        let (_, verdict) = outcome(name, &input);
        assert_eq!(verdict, Err(violation), "{name}");
        assert_eq!(violation.close_code().0, code, "{name}");
        let behind = [input.clone(), masked(0x81, b"never heard")].concat();
        assert_eq!(outcome(name, &behind).1, Err(violation), "{name}, going on");
    }
}

#[test]
fn a_client_refuses_masked_frames_of_every_kind() {
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8A] {
        for payload in [&b""[..], b"\x03\xE8", &[b'a'; 125]] {
            let name = format!("{first:#x} of {} bytes", payload.len());
            let input = masked(first, payload);
            let (_, verdict) = outcome_within(&name, Role::Client, MAX, &input);
            assert_eq!(verdict, Err(Violation::Masked), "{name}");
        }
    }
}

#[test]
fn every_close_code_that_may_be_sent_is_handed_out_with_its_reason() {
    let reason = "é".repeat(61);
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4999] {
        let payload = [&u16::to_be_bytes(code)[..], reason.as_bytes()].concat();
        let name = format!("close {code}");
        let (pieces, verdict) = outcome(&name, &masked(0x88, &payload));
        assert_eq!((pieces, verdict), (vec![closed(code, &reason)], Ok(())));
    }
    let (pieces, _) = outcome("no code", &masked(0x88, b""));
    assert_eq!(pieces, [closed(1005, "")]);
}

#[test]
fn what_was_complete_before_a_violation_is_handed_out() {
    let good = [masked(0x81, b"a"), masked(0x89, b"b"), masked(0x02, b"c")].concat();
    let (pieces, verdict) = outcome("bad", &[good, masked(0x81, b"d")].concat());
    assert_eq!(pieces, [text("a"), Owned::Ping(b"b".into())]);
    assert_eq!(verdict, Err(Violation::ExpectedContinuation));
}

#[test]
fn text_fails_at_the_first_impossible_byte_of_an_unfinished_frame() {
    let long = masked(0x81, &[b"good ", &b"\xF4\x90"[..], &[b'a'; 100]].concat());
    let header = 6;
    let (before, at) = (header + 6, header + 7);
    assert_eq!(outcome("before", &long[..before]).1, Ok(()));
    assert_eq!(outcome("at", &long[..at]).1, Err(Violation::NotUtf8));
}

#[test]
fn the_limit_is_on_the_whole_message_and_equal_is_allowed() {
    let too_big = |len| Err(Violation::TooBig { len, max: 200 });
    let part = |first, len| masked(first, &vec![b'a'; len]);
    #[rustfmt::skip]
    let table = [
        ("equal in one frame",               part(0x82, 200), Ok(())),
        ("one more in one frame",            part(0x82, 201), too_big(201)),
        ("equal in two fragments",           [part(0x01, 80), part(0x80, 120)].concat(), Ok(())),
        ("one more in two fragments",        [part(0x01, 80), part(0x80, 121)].concat(), too_big(201)),
        ("equal with an empty end",          [part(0x01, 80), part(0x00, 120), part(0x80, 0)].concat(), Ok(())),
        ("one more with an empty end",       [part(0x01, 80), part(0x00, 121), part(0x80, 0)].concat(), too_big(201)),
        ("one more in the first fragment",   part(0x02, 201), too_big(201)),
        ("a ping between does not count",    [part(0x01, 100), part(0x89, 125), part(0x80, 100)].concat(), Ok(())),
        ("two messages are counted apart",   [part(0x82, 200), part(0x82, 200)].concat(), Ok(())),
        ("a cut character counts",           [masked(0x01, b"\xC3"), part(0x80, 200)].concat(), too_big(201)),
    ];
    for (name, input, expected) in table {
        let (_, verdict) = outcome_within(name, Role::Server, 200, &input);
        assert_eq!(verdict, expected, "{name}");
    }
    for max in [0, 1, 5, 125, 126] {
        for len in [max, max + 1] {
            let input = part(0x81, len);
            let (pieces, _) = outcome_within("small", Role::Server, max, &input);
            assert_eq!(pieces.len(), usize::from(len == max), "{len} of {max}");
        }
    }
}

#[test]
fn the_limit_is_told_at_the_header_before_a_byte_is_buffered() {
    let mut decoder = Decoder::new(Role::Server, 200);
    let mut header = masked(0x82, &[0; 201])[..8].to_vec();
    let expected = Violation::TooBig { len: 201, max: 200 };
    assert_eq!(decoder.step(&mut header), Err(expected));
    assert!(decoder.buffered() <= size_of::<Violation>());
}

#[test]
fn more_than_1024_empty_fragments_in_one_message_are_refused() {
    let stream = |count| {
        let mut input = masked(0x01, b"a");
        input.extend(masked(0x00, b"").repeat(count));
        input.extend(masked(0x80, b"b"));
        input
    };
    let run = |input: &[u8]| {
        let outcome = decode(Role::Server, MAX, input);
        let sizes = [1000, usize::MAX, 1, 3];
        for size in &sizes[..if cfg!(miri) { 1 } else { 4 }] {
            assert_eq!(decode_cut(Role::Server, MAX, input, &[*size]), outcome);
        }
        outcome
    };
    assert_eq!(run(&stream(1024)), (vec![text("ab")], Ok(())));
    let twice = [stream(1024), stream(1024)].concat();
    assert_eq!(run(&twice).0, [text("ab"), text("ab")]);
    assert_eq!(run(&stream(1025)), (vec![], Err(Violation::EmptyFragments)));
    assert_eq!(Violation::EmptyFragments.close_code().0, 1008);
}

#[test]
fn an_idle_decoder_is_32_bytes_and_holds_no_heap() {
    assert!(size_of::<Decoder>() <= 32, "{}", size_of::<Decoder>());
    let (frames, _) = conversation(masked);
    let open = frames[..13].concat();
    let mut decoder = Decoder::new(Role::Server, MAX);
    for size in [1, 7, 64, 1000] {
        for portion in open.clone().chunks_mut(size) {
            drain(&mut decoder, portion, &mut Vec::new()).unwrap();
        }
        assert!(decoder.is_idle(), "portions of {size}");
        assert_eq!(decoder.buffered(), 0, "portions of {size}");
    }
}

#[test]
fn memory_is_let_go_with_the_step_after_the_piece() {
    let mut decoder = Decoder::new(Role::Server, MAX);
    let mut input = masked(0x82, &[7; 5000]);
    let (front, back) = input.split_at_mut(3000);
    assert_eq!(
        decoder.step(front),
        Ok(Step {
            used: 3000,
            piece: None
        })
    );
    assert!(!decoder.is_idle() && decoder.buffered() >= 2900);
    let step = decoder.step(back).unwrap();
    assert_eq!(step.piece, Some(Piece::Binary(&[7; 5000])));
    assert!(decoder.buffered() >= 5000);
    assert_eq!(
        decoder.step(&mut []),
        Ok(Step {
            used: 0,
            piece: None
        })
    );
    assert!(decoder.is_idle());
    assert_eq!(decoder.buffered(), 0);
}

#[test]
fn an_announced_length_reserves_nothing() {
    for first in [0x82, 0x81, 0x02, 0x01] {
        let mut decoder = Decoder::new(Role::Server, usize::MAX);
        let mut header = [first, 0xFF, 0, 0, 0x7F, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(decoder.step(&mut header).unwrap().piece, None);
        let bare = decoder.buffered();
        assert!(bare < 512, "{bare} for a header");
        for arrived in 1..if cfg!(miri) { 50 } else { 1000 } {
            decoder.step(&mut [b'a']).unwrap();
            let held = decoder.buffered() - bare;
            assert!(held <= 2 * arrived, "{held} held, {arrived} arrived");
        }
    }
}

#[test]
fn nothing_is_reserved_beyond_the_end_of_the_message() {
    let mut decoder = Decoder::new(Role::Server, MAX);
    let mut input = masked(0x82, &[7; 1000]);
    let mut most = 0;
    for portion in input.chunks_mut(300) {
        assert!(decoder.step(portion).is_ok());
        most = most.max(decoder.buffered() - size_of::<State>() - size_of::<Partial>());
    }
    assert_eq!(most, 1000);
}

#[test]
fn a_dead_decoder_says_the_same_for_ever_and_a_closed_one_nothing() {
    let mut dead = Decoder::new(Role::Server, MAX);
    let mut closed = Decoder::new(Role::Server, MAX);
    assert!(dead.step(&mut masked(0x83, b"")).is_err());
    assert!(closed.step(&mut masked(0x88, b"")).is_ok());
    for mut input in [masked(0x81, b"a"), Vec::new(), vec![0xFF; 100]] {
        assert_eq!(dead.step(&mut input), Err(Violation::ReservedOpcode(3)));
        let used = input.len();
        assert_eq!(closed.step(&mut input), Ok(Step { used, piece: None }));
    }
    assert!(!dead.is_idle() && !closed.is_idle());
}

/// Frames that are mostly right, from a seed: see what `first` and `len` are chosen from.
fn noise(random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    const FIRST: [u8; 12] = [
        0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x80, 0x89, 0x8A, 0x88, 0xC1, 0x83,
    ];
    let mut input = Vec::new();
    for _ in 0..1 + random(8) {
        let first = FIRST[random(12).min(random(12))];
        let len = [random(9), random(140), 120 + random(10)][random(3)];
        let text = "aé日😀 ".repeat(len / 10 + 1);
        let mut payload = text.into_bytes();
        payload.truncate(len);
        if random(20) == 0 && len > 0 {
            payload[random(len)] = random(256) as u8;
        }
        let key = [0; 4].map(|_: u8| random(256) as u8);
        input.extend(frame(first, &payload, (random(40) > 0).then_some(key)));
    }
    if random(4) == 0 {
        input.truncate(random(input.len()));
    }
    input
}

#[test]
fn noise_that_looks_like_frames_is_read_as_the_naive_decoder_reads_it() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below.max(1)
    };
    for round in 0..if cfg!(miri) { 5 } else { 5000 } {
        let input = noise(&mut random);
        let expected = decode(Role::Server, 300, &input);
        let sizes = [1 + random(20), 1 + random(20), 1 + random(300)];
        for sizes in [&sizes[..], &[1], &[usize::MAX]] {
            let outcome = decode_cut(Role::Server, 300, &input, sizes);
            assert_eq!(outcome, expected, "round {round}, {sizes:?}");
        }
    }
}

#[test]
fn a_large_message_is_the_same_when_it_is_read_to_its_window() {
    let len = if cfg!(miri) { 36_000 } else { 300_000 };
    let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    type Frames = fn(&[u8]) -> Vec<Vec<u8>>;
    let table: [(&str, Frames); 5] = [
        ("whole", |payload| {
            vec![masked(0x82, payload), masked(0x82, b"next")]
        }),
        ("in fragments, a ping between", |payload| {
            vec![
                masked(0x02, payload),
                masked(0x89, b"ping"),
                masked(0x00, &payload[..payload.len() / 2]),
                masked(0x80, payload),
                masked(0x81, b"text"),
            ]
        }),
        ("text", |payload| {
            vec![masked(0x81, "é".repeat(payload.len() / 2).as_bytes())]
        }),
        ("too much in the second fragment", |payload| {
            vec![
                masked(0x02, payload),
                masked(0x80, &vec![7; 4 * payload.len()]),
            ]
        }),
        ("a bad header behind", |payload| {
            vec![masked(0x82, payload), vec![0x83, 0x80]]
        }),
    ];
    // Under Miri the first must do, and one way of reading it.
    let (cases, ways) = if cfg!(miri) {
        (1, 1)
    } else {
        (usize::MAX, usize::MAX)
    };
    for (name, frames) in table.into_iter().take(cases) {
        let input = frames(&payload).concat();
        let expected = decode(Role::Server, 3 * len, &input);
        let portions: [&[usize]; 4] = [
            &[usize::MAX],
            &[100_000],
            &[33_000, 7, 50_001],
            &[1000, 90_000],
        ];
        for portions in portions.into_iter().take(ways) {
            let found = decode_by_window(Role::Server, 3 * len, &input, portions);
            assert!(found == expected, "{name}, in portions of {portions:?}");
        }
    }
}
