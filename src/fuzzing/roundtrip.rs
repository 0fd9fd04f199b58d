//! What the encoder writes on either side, the decoder of the other reads, whatever the cuts.

use super::choices::{Choices, unit};
use crate::proto::close::CloseCode;
use crate::proto::decoder::Role;
use crate::proto::encoder::{
    close_payload, encode, encode_close_as, encode_masked, measure, prepare, short_header,
};
use crate::proto::frame::Opcode;
use crate::proto::naive::{Owned, decode_by_window, decode_cut};

const MAX: usize = 70_000;
/// More messages than this take time and find nothing.
const MOST: usize = 32;
const LETTERS: [char; 6] = ['a', '\u{7F}', 'é', '€', '\u{FFFF}', '😀'];
const CODES: [u16; 10] = [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4000, 4999];

/// Sends what the bytes say; the first three choose how it is cut.
///
/// # Panics
///
/// When something else is received than was sent, or when an outbox finds the frames elsewhere.
pub fn roundtrip(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sizes = [(); 3].map(|()| usize::from(choices.byte()) + 1);
    let key = [(); 4].map(|()| choices.byte());
    let said = said(&mut choices);
    for (role, key) in [(Role::Client, None), (Role::Server, Some(key))] {
        let frames: Vec<Vec<u8>> = (0..).zip(&said).map(|(n, it)| write(it, n, key)).collect();
        let bytes = frames.concat();
        let sizes = portions(sizes, unit(bytes.len()));
        let mut sizes: Vec<&[usize]> = vec![&[usize::MAX], &sizes];
        if bytes.len() < 1000 {
            sizes.push(&[1]);
        }
        for sizes in sizes {
            for decode in [decode_cut, decode_by_window] {
                let heard = decode(role, MAX, &bytes, sizes);
                assert_eq!(heard.1, Ok(()), "{role:?}, in {sizes:?}");
                // What is large would fill the screen.
                assert!(heard.0 == said, "{role:?}, in {sizes:?}");
            }
        }
        let mut rest = bytes.as_slice();
        for (frame, message) in frames.iter().zip(&said) {
            let unit = measure(rest);
            let is_control = !matches!(message, Owned::Text(_) | Owned::Binary(_));
            assert_eq!((unit.len, unit.control), (frame.len(), is_control));
            let torn = &frame[..frame.len() - 1];
            assert_eq!(measure(torn).len, torn.len(), "a torn frame is one unit");
            rest = rest.get(unit.len..).unwrap_or_default();
        }
    }
}

/// Portions as small as `sizes`, which tear headers, and then so many times as large, over and over.
fn portions(sizes: [usize; 3], unit: usize) -> Vec<usize> {
    let small = sizes.iter().cycle().take(8 * sizes.len());
    let large = sizes.map(|size| size * unit);
    small.copied().chain(large.repeat(8)).collect()
}

/// Messages and control frames, up to a close frame.
fn said(choices: &mut Choices<'_>) -> Vec<Owned> {
    let mut said = Vec::new();
    while !choices.is_empty() && said.len() < MOST {
        let kind = choices.below(16);
        let len = length(choices.byte());
        let (seed, step) = (choices.byte(), choices.byte());
        let bytes = |len: usize| -> Vec<u8> {
            let byte = |i: usize| (i as u8).wrapping_mul(step).wrapping_add(seed);
            (0..len).map(byte).collect()
        };
        said.push(match kind {
            0..6 => Owned::Text(text(len, seed, step)),
            6..11 => Owned::Binary(bytes(len)),
            11..13 => Owned::Ping(bytes(len % 126)),
            13..15 => Owned::Pong(bytes(len % 126)),
            _ if seed == 0 => Owned::Close(CloseCode::NO_STATUS, String::new()),
            _ => {
                let code = CODES[usize::from(seed) % CODES.len()];
                Owned::Close(CloseCode(code), text(len % 200, step, seed))
            }
        });
        if kind == 15 {
            break;
        }
    }
    // A reason that is too long is cut between two characters.
    if let Some(Owned::Close(_, reason)) = said.last_mut() {
        while reason.len() > 123 {
            reason.pop();
        }
    }
    said
}

/// Around each border of the forms of a length.
fn length(byte: u8) -> usize {
    let n = usize::from(byte);
    match byte {
        0..=199 => n,
        200..=229 => 65_536 - 15 + (n - 200),
        230.. => 250 * (n - 229),
    }
}

fn text(len: usize, seed: u8, step: u8) -> String {
    let letter = |i: usize| {
        let place = (i as u8).wrapping_mul(step).wrapping_add(seed);
        LETTERS[usize::from(place) % LETTERS.len()]
    };
    let mut text: String = (0..len).map(letter).collect();
    while text.len() > len {
        text.pop();
    }
    text
}

/// One frame as our side writes it, in one of its ways: as a client with `key`, or as a server.
fn write(message: &Owned, way: usize, key: Option<[u8; 4]>) -> Vec<u8> {
    let (opcode, payload) = match message {
        Owned::Text(text) => (Opcode::Text, text.as_bytes()),
        Owned::Binary(bytes) => (Opcode::Binary, bytes.as_slice()),
        Owned::Ping(bytes) => (Opcode::Ping, bytes.as_slice()),
        Owned::Pong(bytes) => (Opcode::Pong, bytes.as_slice()),
        Owned::Close(code, reason) => return close(*code, reason, key),
    };
    let mut frame = Vec::new();
    match (key, way % 3) {
        (Some(key), _) => encode_masked(&mut frame, opcode, payload, key),
        (None, 0) if payload.len() <= 125 => {
            frame.extend(short_header(opcode, payload.len()));
            frame.extend(payload);
        }
        (None, 1) => frame = prepare(opcode, payload),
        (None, _) => encode(&mut frame, opcode, payload),
    }
    frame
}

/// More is given as a reason than fits: that is cut off.
fn close(code: CloseCode, reason: &str, key: Option<[u8; 4]>) -> Vec<u8> {
    let long = if reason.len() > 119 {
        format!("{reason}😀")
    } else {
        reason.to_owned()
    };
    let mut frame = Vec::new();
    if let Some(key) = key {
        encode_close_as(&mut frame, code, &long, Some(key));
    } else {
        let (payload, len) = close_payload(code, &long);
        encode(&mut frame, Opcode::Close, &payload[..len]);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::super::noise::{run_noise, run_seeds};
    use super::roundtrip;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("roundtrip", roundtrip);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(1000, 60, roundtrip);
    }
}
