//! Messages that are wrong in the order of their frames, in their text or in their size
//! (RFC 6455 §5.4, §8.1, §10.4).

use super::*;
use crate::common::client::{BINARY, CONTINUATION, PING};
use crate::not_text::{CUT, NOT_TEXT};

pub(super) fn all() -> Vec<Case> {
    [fragments(), texts(), cut_texts(), too_big()].concat()
}

fn text(fin: bool, payload: &[u8]) -> Vec<u8> {
    frame(fin, 0, TEXT, payload)
}

fn more(fin: bool, payload: &[u8]) -> Vec<u8> {
    frame(fin, 0, CONTINUATION, payload)
}

fn fragments() -> Vec<Case> {
    let ping = frame(true, 0, PING, b"p");
    let binary = |fin, payload: &[u8]| frame(fin, 0, BINARY, payload);
    #[rustfmt::skip]
    let mut cases = vec![
        case("a continuation of nothing",               &[&more(true, b"a")],                                        NOTHING_BEGUN),
        case("a continuation of nothing that goes on",  &[&more(false, b"a")],                                       NOTHING_BEGUN),
        case("an empty continuation of nothing",        &[&more(true, b"")],                                         NOTHING_BEGUN),
        case("an empty one that goes on",               &[&more(false, b"")],                                        NOTHING_BEGUN),
        case("a continuation of nothing, announced",    &[&more(true, &[0; 200])[..8]],                              NOTHING_BEGUN),
        case("a continuation of nothing behind a ping", &[&ping, &more(true, b"a")],                                 NOTHING_BEGUN),
        case("text inside of text",                     &[&text(false, b"a"), &text(true, b"b")],                    NOT_FINISHED),
        case("a fragment of text inside of text",       &[&text(false, b"a"), &text(false, b"b")],                   NOT_FINISHED),
        case("binary inside of text",                   &[&text(false, b"a"), &binary(true, b"b")],                  NOT_FINISHED),
        case("a fragment of binary inside of text",     &[&text(false, b"a"), &binary(false, b"b")],                 NOT_FINISHED),
        case("text inside of binary",                   &[&binary(false, b"a"), &text(true, b"b")],                  NOT_FINISHED),
        case("binary inside of binary",                 &[&binary(false, b"a"), &binary(true, b"b")],                NOT_FINISHED),
        case("empty text inside of empty text",         &[&text(false, b""), &text(true, b"")],                      NOT_FINISHED),
        case("text behind a continuation",              &[&text(false, b"a"), &more(false, b"b"), &text(true, b"c")], NOT_FINISHED),
        case("text behind a ping in text",              &[&text(false, b"a"), &ping, &text(true, b"b")],             NOT_FINISHED),
        case("text inside of text, announced",          &[&text(false, b"a"), &text(true, &[b'b'; 200])[..8]],       NOT_FINISHED),
    ];
    let empty = more(false, b"");
    #[rustfmt::skip]
    cases.extend([
        case("1,025 empty fragments of text",           &[&text(false, b""), &empty.repeat(1024)],                   EMPTY),
        case("1,025 empty fragments of binary",         &[&binary(false, b"a"), &empty.repeat(1025)],                EMPTY),
        case("1,025 empty fragments and the last",      &[&text(false, b"a"), &empty.repeat(1024), &more(true, b"")],             EMPTY),
        case("1,025 empty fragments among others",      &[&text(false, b""), &empty.repeat(1000), &more(false, b"x"), &ping, &empty.repeat(24)], EMPTY),
    ]);
    cases
}

/// Whatever follows, it is not UTF-8: that is told before the rest has come.
fn texts() -> Vec<Case> {
    let mut cases = Vec::new();
    let ping = frame(true, 0, PING, b"p");
    for (name, bytes) in NOT_TEXT {
        let behind = ["κόσμε ".as_bytes(), bytes].concat();
        let (start, end) = bytes.split_at(bytes.len() / 2);
        let announced = text(true, &[bytes, &[b'x'; 200]].concat());
        let announced = &announced[..8 + bytes.len()];
        let (first, last) = (text(false, start), more(true, end));
        #[rustfmt::skip]
        cases.extend([
            case(format!("text: {name}"),                            &[&text(true, bytes)],                        NOT_UTF8),
            case(format!("text behind good text: {name}"),           &[&text(true, &behind)],                      NOT_UTF8),
            case(format!("text that goes on: {name}"),               &[&text(false, &behind)],                     NOT_UTF8),
            case(format!("text that is not all there: {name}"),      &[announced],                                 NOT_UTF8),
            case(format!("text in two fragments: {name}"),           &[&first, &last],                             NOT_UTF8),
            case(format!("text with a ping between: {name}"),        &[&first, &ping, &last],                      NOT_UTF8),
            case(format!("text with an empty fragment: {name}"),     &[&first, &more(false, b""), &last],          NOT_UTF8),
            case(format!("a second fragment of text: {name}"),       &[&text(false, b"a"), &more(false, bytes)],   NOT_UTF8),
        ]);
    }
    cases
}

/// The beginning of a character, which nothing completes.
fn cut_texts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, bytes) in CUT {
        let (first, empty) = (text(false, bytes), more(true, b""));
        #[rustfmt::skip]
        cases.extend([
            case(format!("text that is {name}"),                     &[&text(true, bytes)],                        NOT_UTF8),
            case(format!("text that ends with {name}"),              &[&text(true, &[b"abc", bytes].concat())],    NOT_UTF8),
            case(format!("a last fragment that ends with {name}"),   &[&text(false, b"a"), &more(true, bytes)],    NOT_UTF8),
            case(format!("an empty last fragment behind {name}"),    &[&first, &empty],                            NOT_UTF8),
            case(format!("empty fragments behind {name}"),           &[&first, &more(false, b""), &empty],         NOT_UTF8),
            case(format!("a fragment of ASCII behind {name}"),       &[&first, &more(false, b"abc")],              NOT_UTF8),
            case(format!("{name}, and again"),                       &[&first, &more(false, bytes)],               NOT_UTF8),
        ]);
    }
    cases
}

fn too_big() -> Vec<Case> {
    let full = vec![b'a'; MAX];
    let over = vec![b'a'; MAX + 1];
    let (first, empty) = (text(false, &full), more(false, b""));
    let half = frame(false, 0, BINARY, &full[..MAX / 2]);
    let ping = frame(true, 0, PING, b"p");
    let huge = header(0x80, 0xFF, &i64::MAX.to_be_bytes());
    let single = more(false, b"b");
    #[rustfmt::skip]
    let cases = vec![
        case("one byte too many",                          &[&text(true, &over)],                          TOO_BIG),
        case("one byte too many of binary",                &[&frame(true, 0, BINARY, &over)],              TOO_BIG),
        case("one byte too many, announced",               &[&frame(true, 0, BINARY, &over)[..8]],         TOO_BIG),
        case("one byte too many, and no UTF-8",            &[&text(true, &[0xFF; MAX + 1])],               TOO_BIG),
        case("one byte too many in the first fragment",    &[&text(false, &over)],                         TOO_BIG),
        case("one byte too many in the second fragment",   &[&first, &more(true, b"b")],                   TOO_BIG),
        case("the same behind a ping",                     &[&first, &ping, &more(true, b"b")],            TOO_BIG),
        case("a second fragment too large, announced",     &[&half, &more(true, &over)[..8]],              TOO_BIG),
        case("a second fragment of 2⁶³ − 1 bytes",         &[&half, &huge],                                TOO_BIG),
        case("a second fragment that goes on, announced",  &[&first, &more(false, b"b")[..6]],             TOO_BIG),
        case("a third fragment of one byte",               &[&first, &empty, &more(true, b"b")],           TOO_BIG),
        case("301 fragments of one byte",                  &[&text(false, b""), &single.repeat(MAX + 1)],  TOO_BIG),
    ];
    cases
}
