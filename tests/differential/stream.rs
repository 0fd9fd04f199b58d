//! What clients send behind their handshake, well and not so well.

use super::dice::Dice;

/// How long a message may be, for both sides.
pub(super) const MAX: usize = 300;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const TEXTS: [&[u8]; 9] = [
    b"",
    b"hello",
    "aé漢😀".as_bytes(),
    b"\xF0\x9F",
    b"\x98\x80",
    b"\xC3",
    b"\xA9",
    b"\xFF",
    b"\xED\xA0\x80",
];
const CODES: [u16; 14] = [
    0, 999, 1000, 1001, 1004, 1005, 1006, 1011, 1014, 1015, 2999, 3000, 4999, 5000,
];

fn payload(dice: &mut Dice, opcode: u8) -> Vec<u8> {
    let text = match dice.below(6) {
        0 => dice.one_of(&TEXTS),
        _ => dice.one_of(&TEXTS[..3]),
    };
    match (opcode, dice.below(10)) {
        (_, 0) => vec![b'x'; dice.one_of(&[124, 125, 126, 127, MAX - 1, MAX, MAX + 1])],
        (CLOSE, 1 | 2) => Vec::new(),
        (CLOSE, _) => [&dice.one_of(&CODES).to_be_bytes()[..], text].concat(),
        _ => text.to_vec(),
    }
}

/// What is wrong with a frame, if anything.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    Reserved(u8),
    Opcode(u8),
    Width(usize),
    Unmasked,
    Unfinished,
}

const FLAWS: [Flaw; 9] = [
    Flaw::Reserved(0x10),
    Flaw::Reserved(0x20),
    Flaw::Reserved(0x40),
    Flaw::Opcode(3),
    Flaw::Opcode(15),
    Flaw::Width(2),
    Flaw::Width(8),
    Flaw::Unmasked,
    Flaw::Unfinished,
];

/// One frame, mostly as it ought to be; `is_amid` says whether a message has begun, and is kept up.
fn frame(dice: &mut Dice, is_amid: &mut bool) -> Vec<u8> {
    let flaw = match dice.once_in(15) {
        true => dice.one_of(&FLAWS),
        false => Flaw::None,
    };
    let data = match *is_amid && !dice.once_in(20) {
        true => 0,
        false => dice.one_of(&[1, 2]),
    };
    let opcode = dice.one_of(&[CLOSE, PING, PONG, data, data, data, data, data]);
    let is_final = (opcode >= CLOSE || dice.once_in(2)) && flaw != Flaw::Unfinished;
    if opcode < CLOSE {
        *is_amid = !is_final;
    }
    let payload = payload(dice, opcode);
    let first = match flaw {
        Flaw::Reserved(bit) => bit | opcode,
        Flaw::Opcode(other) => other,
        _ => opcode,
    };
    let width = match (flaw, payload.len()) {
        (Flaw::Width(width), _) => width,
        (_, 0..126) => 0,
        _ => 2,
    };
    let key = (flaw != Flaw::Unmasked).then(|| (dice.next() as u32).to_be_bytes());
    encode(u8::from(is_final) << 7 | first, width, key, &payload)
}

/// A frame whose length is told in so many bytes behind the second one (RFC 6455 §5.2).
fn encode(first: u8, width: usize, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mask = u8::from(key.is_some()) << 7;
    let length = payload.len() as u64;
    let short = match width {
        0 => length as u8,
        2 => 126,
        _ => 127,
    };
    let mut bytes = vec![first, mask | short];
    bytes.extend(&length.to_be_bytes()[8 - width..]);
    bytes.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    let keys = key.iter().cycle();
    bytes.extend(payload.iter().zip(keys).map(|(byte, key)| byte ^ key));
    bytes
}

/// Some frames, and now and then a wound.
pub(super) fn stream(dice: &mut Dice) -> Vec<u8> {
    let mut is_amid = false;
    let frames = 0..=dice.below(6);
    let mut bytes: Vec<u8> = frames.flat_map(|_| frame(dice, &mut is_amid)).collect();
    if dice.once_in(5) {
        let at = dice.below(bytes.len());
        match dice.below(4) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.truncate(at),
            2 => _ = bytes.remove(at),
            _ => bytes.insert(at, (dice.next() >> 40) as u8),
        }
    }
    bytes
}
