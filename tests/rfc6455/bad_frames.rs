//! What no client may send: each is answered with the exact close code and the rule that it broke, however
//! it is cut, and nothing of it reaches the application (RFC 6455 §5, §7.1.7, §7.4, §8.1).

mod control;
mod headers;
mod messages;

use rushwire::Options;
use rushwire::event::By;

use crate::common::Client;
use crate::common::client::{CLOSE, TEXT, close_payload, frame};
use crate::{Echo, Heard};

/// The most bytes that a message may have in these tests.
const MAX: usize = 300;

const KEY: [u8; 4] = [1, 2, 3, 4];

/// The code of the close frame that answers, and how its reason begins: codes alone tell few rules apart.
type Fault = (u16, &'static str);

const RESERVED_BITS: Fault = (1002, "reserved bits are set");
const RESERVED_OPCODE: Fault = (1002, "reserved opcode ");
const NOT_MASKED: Fault = (1002, "frame of a client is not masked");
const NOT_SHORTEST: Fault = (1002, "length is not in its shortest form");
const HIGHEST_BIT: Fault = (1002, "length has its highest bit set");
const NOTHING_BEGUN: Fault = (1002, "continuation of no message");
const NOT_FINISHED: Fault = (1002, "new message before the last one was finished");
const FRAGMENT: Fault = (1002, "fragmented control frame");
const TOO_LONG: Fault = (1002, "control frame of more than 125 bytes");
const ONE_BYTE: Fault = (1002, "close frame of one byte");
const BAD_CODE: Fault = (1002, "close code ");
const NOT_UTF8: Fault = (1007, "text is not UTF-8");
const EMPTY: Fault = (1008, "too many empty fragments");
const TOO_BIG: Fault = (1009, "message of ");

/// A name, what the client sends, and what is wrong with it.
type Case = (String, Vec<u8>, Fault);

fn case(name: impl Into<String>, frames: &[&[u8]], fault: Fault) -> Case {
    (name.into(), frames.concat(), fault)
}

/// A header as it is written down here, with a masking key behind it.
fn header(first: u8, second: u8, length: &[u8]) -> Vec<u8> {
    [&[first, second], length, &KEY[..]].concat()
}

fn all() -> Vec<Case> {
    let all = [headers::all(), control::all(), messages::all()].concat();
    assert!(all.len() >= 80, "{}", all.len());
    all
}

/// Sends what is bad on a socket of its own, and looks at both ends of it.
fn judge(echo: &Echo, how: &str, case: &Case, send: impl FnOnce(&mut Client)) {
    let (name, bytes, (code, rule)) = case;
    let mut client = echo.server.connect("/");
    send(&mut client);
    let (closed, reason) = client.closed();
    let told = closed == *code && reason.starts_with(rule);
    assert!(told, "{name}, {how}: {closed} {reason:?} to {bytes:02x?}");
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
    let echo = echo();
    for case in &all() {
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
    for (name, bytes, (code, _)) in all() {
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

/// RFC 6455 §5.5.1: behind a close frame nothing counts any more, right or wrong.
#[test]
fn what_breaks_a_rule_behind_a_close_frame_is_not_even_looked_at() {
    let echo = echo();
    let good = (
        "a good message".into(),
        frame(true, 0, TEXT, b"x"),
        BAD_CODE,
    );
    for (name, bytes, _) in all().into_iter().chain([good]) {
        let close = frame(true, 0, CLOSE, &close_payload(4000, "bye"));
        for cut in [false, true] {
            let mut client = echo.server.connect("/");
            if cut {
                client.send_raw(&close);
                // It may be closed meanwhile.
                echo.server.feed(&mut client.stream, &bytes);
            } else {
                client.send_raw(&[&close[..], &bytes].concat());
            }
            assert_eq!(client.closed().0, 4000, "{name}, cut: {cut}");
            client.expect_end();
            drop(client);
            let (code, reason, by) = (4000, "bye".into(), By::Peer);
            let expected = [Heard::Close { code, reason, by }];
            assert_eq!(echo.heard_to_the_end(), expected, "{name}, cut: {cut}");
        }
    }
}
