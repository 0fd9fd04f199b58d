//! Control frames that are cut or too long, and close frames that say what may not be said
//! (RFC 6455 §5.5, §7.4).

use super::*;
use crate::common::client::{PING, PONG};
use crate::not_text::{CUT, NOT_TEXT};

pub(super) fn all() -> Vec<Case> {
    [control_frames(), close_frames(), reasons()].concat()
}

fn control_frames() -> Vec<Case> {
    let mut cases = Vec::new();
    let begun = frame(false, 0, TEXT, b"a");
    for opcode in [CLOSE, PING, PONG] {
        let name = format!("opcode {opcode:x}");
        let first = 0x80 | opcode;
        let cut = frame(false, 0, opcode, b"");
        #[rustfmt::skip]
        let rows = [
            case(format!("a fragment of {name}"),                  &[&cut],                                       FRAGMENT),
            case(format!("a fragment of {name} with payload"),     &[&frame(false, 0, opcode, &[3, 0xE8])],       FRAGMENT),
            case(format!("a fragment of {name} in a message"),     &[&begun, &cut],                               FRAGMENT),
            case(format!("a fragment of {name}, too long"),        &[&[opcode, 0xFE]],                            FRAGMENT),
            case(format!("{name} of 126 bytes"),                   &[&frame(true, 0, opcode, &[b'a'; 126])],      TOO_LONG),
            case(format!("{name} of 126 bytes in a message"),      &[&begun, &frame(true, 0, opcode, &[0; 126])], TOO_LONG),
            case(format!("{name} of 126 bytes, announced"),        &[&[first, 0xFE]],                             TOO_LONG),
            case(format!("{name} of 65,536 bytes, announced"),     &[&[first, 0xFF]],                             TOO_LONG),
            case(format!("{name} of 5 bytes in 16 bits"),          &[&header(first, 0xFE, &[0, 5])],              TOO_LONG),
            case(format!("{name} of 5 bytes in 64 bits"),          &[&header(first, 0xFF, &[0, 0, 0, 0, 0, 0, 0, 5])], TOO_LONG),
            case(format!("{name} without a mask, too long"),       &[&[first, 126]],                              TOO_LONG),
        ];
        cases.extend(rows);
    }
    cases
}

/// RFC 6455 §7.4.1, §7.4.2: all that is not 1000–1003, 1007–1014 or 3000–4999.
fn close_frames() -> Vec<Case> {
    let bad_codes = [
        0, 1, 2, 99, 100, 255, 256, 500, 998, 999, 1004, 1005, 1006, 1015, 1016, 1020, 1099, 1100,
        1500, 1999, 2000, 2500, 2998, 2999, 5000, 5001, 9999, 32_767, 32_768, 65_534, 65_535,
    ];
    let begun = frame(false, 0, TEXT, b"a");
    let mut cases = Vec::new();
    for byte in [0, 3, 0xFF] {
        let close = frame(true, 0, CLOSE, &[byte]);
        cases.push(case(
            format!("a close frame of the byte {byte}"),
            &[&close],
            ONE_BYTE,
        ));
    }
    for code in bad_codes {
        for reason in ["", "reason"] {
            let close = frame(true, 0, CLOSE, &close_payload(code, reason));
            let name = format!("close code {code}, reason {reason:?}");
            cases.push(case(name, &[&close], BAD_CODE));
        }
    }
    let inside = frame(true, 0, CLOSE, &close_payload(1005, ""));
    cases.push(case(
        "close code 1005 in a message",
        &[&begun, &inside],
        BAD_CODE,
    ));
    cases
}

fn reasons() -> Vec<Case> {
    let longest = [b'r'; 120];
    let reason = |bytes: &[u8]| frame(true, 0, CLOSE, &[&[3, 0xE8], bytes].concat());
    let mut cases = Vec::new();
    for (name, bytes) in NOT_TEXT {
        cases.push(case(
            format!("a reason with {name}"),
            &[&reason(bytes)],
            NOT_UTF8,
        ));
        let behind = [b"good text ", bytes].concat();
        cases.push(case(
            format!("a reason that goes on with {name}"),
            &[&reason(&behind)],
            NOT_UTF8,
        ));
    }
    for (name, bytes) in CUT {
        cases.push(case(
            format!("a reason that ends with {name}"),
            &[&reason(bytes)],
            NOT_UTF8,
        ));
        let long = [&longest[..], bytes].concat();
        cases.push(case(
            format!("a long reason that ends with {name}"),
            &[&reason(&long)],
            NOT_UTF8,
        ));
    }
    cases
}
