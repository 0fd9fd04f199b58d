//! Headers that are wrong by themselves: reserved bits and opcodes, masks, lengths (RFC 6455 §5.1, §5.2).

use super::*;
use crate::common::client::{BINARY, CONTINUATION, PING, PONG};

const OPCODES: [u8; 5] = [TEXT, BINARY, CLOSE, PING, PONG];

pub(super) fn all() -> Vec<Case> {
    let groups = [
        reserved_bits(),
        reserved_opcodes(),
        masks(),
        not_shortest(),
        too_long(),
    ];
    groups.concat()
}

/// Each of them on frames of all opcodes, with payload and without, final and not.
fn reserved_bits() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, TEXT, b"a");
    for bits in 1..8 {
        for opcode in (0..16).filter(|opcode| *opcode != CONTINUATION) {
            for (fin, payload) in [(true, &b""[..]), (true, b"some text"), (false, b"")] {
                let name = format!(
                    "bits {bits:03b} on opcode {opcode:x}, final: {fin}, {} bytes",
                    payload.len()
                );
                // RSV1 alone has a meaning to somebody, so that another fault may be found before it.
                let fault = match (bits, opcode, fin) {
                    (4, 0x3..=0x7 | 0xB.., _) => RESERVED_OPCODE,
                    (4, 0x8.., false) => FRAGMENT,
                    _ => RESERVED_BITS,
                };
                cases.push(case(name, &[&frame(fin, bits, opcode, payload)], fault));
            }
        }
        for (fin, payload) in [(true, &b"b"[..]), (true, b""), (false, b"b")] {
            let more = frame(fin, bits, CONTINUATION, payload);
            let name = format!(
                "bits {bits:03b} on a continuation, final: {fin}, {} bytes",
                payload.len()
            );
            cases.push(case(name, &[&begun, &more], RESERVED_BITS));
        }
    }
    cases
}

fn reserved_opcodes() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, BINARY, b"a");
    for opcode in (0x3..0x8).chain(0xB..=0xF) {
        for (fin, payload) in [(true, &b""[..]), (true, b"some text"), (false, b"")] {
            let name = format!("opcode {opcode:x}, final: {fin}, {} bytes", payload.len());
            cases.push(case(
                name,
                &[&frame(fin, 0, opcode, payload)],
                RESERVED_OPCODE,
            ));
        }
        let inside = frame(true, 0, opcode, b"");
        cases.push(case(
            format!("opcode {opcode:x} in a message"),
            &[&begun, &inside],
            RESERVED_OPCODE,
        ));
        cases.push(case(
            format!("opcode {opcode:x} without a mask"),
            &[&[0x80 | opcode, 0]],
            RESERVED_OPCODE,
        ));
    }
    cases
}

fn masks() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, TEXT, b"a");
    for opcode in OPCODES {
        cases.push(case(
            format!("opcode {opcode:x} without a mask"),
            &[&[0x80 | opcode, 0]],
            NOT_MASKED,
        ));
        cases.push(case(
            format!("opcode {opcode:x} of 2 bytes without a mask"),
            &[&[0x80 | opcode, 2, 3, 0xE8]],
            NOT_MASKED,
        ));
        cases.push(case(
            format!("opcode {opcode:x} without a mask in a message"),
            &[&begun, &[0x80 | opcode, 0]],
            NOT_MASKED,
        ));
    }
    #[rustfmt::skip]
    let more = [
        case("a fragment of text without a mask",        &[&[0x01, 2, b'h', b'i']],                       NOT_MASKED),
        case("a continuation without a mask",            &[&begun, &[0x80, 1, b'b']],                     NOT_MASKED),
        case("a fragment that goes on without a mask",   &[&begun, &[0x00, 1, b'b']],                     NOT_MASKED),
        case("an empty continuation without a mask",     &[&begun, &[0x80, 0]],                           NOT_MASKED),
        case("binary of 126 bytes without a mask",       &[&[0x82, 126, 0, 126], &[0; 126]],              NOT_MASKED),
        case("binary of 65,536 bytes without a mask",    &[&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],         NOT_MASKED),
    ];
    cases.extend(more);
    cases
}

/// RFC 6455 §5.2: "the minimal number of bytes MUST be used".
fn not_shortest() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, TEXT, b"a");
    for (kind, beginning, first) in [
        ("text", &[][..], 0x81),
        ("binary", &[], 0x82),
        ("a fragment", &[], 0x01),
        ("a continuation", &begun, 0x80),
    ] {
        for length in [0_u8, 1, 124, 125] {
            let name = format!("{kind} of {length} bytes in a length of 16 bits");
            cases.push(case(
                name,
                &[beginning, &header(first, 0xFE, &[0, length])],
                NOT_SHORTEST,
            ));
        }
        for length in [0_u64, 1, 125, 126, 65_534, 65_535] {
            let name = format!("{kind} of {length} bytes in a length of 64 bits");
            let bytes = header(first, 0xFF, &length.to_be_bytes());
            cases.push(case(name, &[beginning, &bytes], NOT_SHORTEST));
        }
    }
    cases
}

fn too_long() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, TEXT, b"a");
    for (kind, beginning, first) in [
        ("text", &[][..], 0x81),
        ("a fragment", &[], 0x02),
        ("a continuation", &begun, 0x80),
    ] {
        for length in [1 << 63, (1 << 63) + 5, u64::MAX - 13, u64::MAX] {
            let bytes = header(first, 0xFF, &length.to_be_bytes());
            cases.push(case(
                format!("{kind} of {length:#x} bytes"),
                &[beginning, &bytes],
                HIGHEST_BIT,
            ));
        }
        for length in [(1 << 63) - 1, 1 << 62, 1 << 32, u64::from(u32::MAX), 65_536] {
            let bytes = header(first, 0xFF, &length.to_be_bytes());
            let name = format!("{kind} of {length:#x} bytes, only announced");
            cases.push(case(name, &[beginning, &bytes], TOO_BIG));
        }
    }
    cases
}
