//! The limit on a message holds for the whole of it, is exact, and is told with 1009 to the peer,
//! even to one that is still sending (RFC 6455 §7.4.1, §10.4).

use crate::Echo;
use crate::common::Client;
use crate::common::client::{BINARY, CONTINUATION, TEXT, frame};

/// The default of `max_message_size`, in bytes.
const MAX: usize = 1024 * 1024;

type Fragments = Vec<Vec<u8>>;

/// A message of so many bytes in one frame, in two, and in three of which the last is empty.
fn shapes(opcode: u8, payload: &[u8]) -> [(&'static str, Fragments); 3] {
    let (start, end) = payload.split_at(payload.len() / 3);
    let (most, last) = payload.split_at(payload.len() - 1);
    [
        ("one frame", vec![frame(true, 0, opcode, payload)]),
        (
            "two fragments",
            vec![
                frame(false, 0, opcode, start),
                frame(true, 0, CONTINUATION, end),
            ],
        ),
        (
            "three fragments, the last empty",
            vec![
                frame(false, 0, opcode, most),
                frame(false, 0, CONTINUATION, last),
                frame(true, 0, CONTINUATION, b""),
            ],
        ),
    ]
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i % 23) as u8).collect()
}

#[test]
fn a_message_of_exactly_the_default_limit_passes() {
    let echo = Echo::new();
    let payload = payload(MAX);
    for opcode in [TEXT, BINARY] {
        for (name, frames) in shapes(opcode, &payload) {
            let mut client = echo.server.connect("/");
            client.send_raw(&frames.concat());
            let answer = client.recv();
            assert_eq!((answer.fin, answer.opcode), (true, opcode), "{name}");
            assert!(answer.payload == payload, "{name} comes back as it went");
        }
    }
}

#[test]
fn one_byte_more_than_the_default_limit_is_1009() {
    let echo = Echo::new();
    let payload = payload(MAX + 1);
    for opcode in [TEXT, BINARY] {
        for (name, frames) in shapes(opcode, &payload) {
            let mut client = echo.server.connect("/");
            client.send_raw(&frames.concat());
            assert_eq!(client.closed().0, 1009, "{name}");
            client.expect_end();
        }
    }
}

#[test]
fn the_limit_is_judged_at_the_header_before_any_payload_has_come() {
    let echo = Echo::new();
    let mut client = echo.server.connect("/");
    client.send_raw(&frame(true, 0, BINARY, &payload(MAX + 1))[..14]);
    assert_eq!(client.closed().0, 1009);
    client.expect_end();
}

#[test]
fn a_peer_that_is_still_sending_sees_the_1009() {
    const MUCH: usize = 12 * MAX;
    let echo = Echo::new();
    let mut one_frame = echo.server.connect("/");
    one_frame.send_raw(&frame(true, 0, BINARY, &payload(MUCH)));
    expect_1009(&mut one_frame);

    let mut many_fragments = echo.server.connect("/");
    many_fragments.send_frame(false, 0, TEXT, b"");
    let fragment = frame(false, 0, CONTINUATION, &payload(MAX / 16));
    for _ in 0..MUCH / (MAX / 16) {
        many_fragments.send_raw(&fragment);
    }
    expect_1009(&mut many_fragments);
}

#[test]
fn a_message_that_was_too_big_disturbs_nobody_else() {
    let echo = Echo::new();
    let (mut good, mut bad) = (echo.server.connect("/"), echo.server.connect("/"));
    bad.send_binary(&payload(MAX + 1));
    good.send("still here");
    assert_eq!(good.text(), "still here");
    expect_1009(&mut bad);
    good.send("and now");
    assert_eq!(good.text(), "and now");
}

fn expect_1009(client: &mut Client) {
    assert_eq!(client.closed().0, 1009);
    client.expect_end();
}
