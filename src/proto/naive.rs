//! A second decoder, written from the RFC in the order in which it tells things, slow and with
//! everything in hand; and how tests and fuzzing hold the real one against it.

use super::buffer::WORTH_KEEPING;
use super::close::CloseCode;
use super::decoder::{Decoder, Piece, Role, Step};
use super::violation::Violation;

/// What a decoder may hold that has no message: what it remembers of a frame.
const HELD_BY_NONE: usize = 512;

/// The pieces, and the violation that ended them.
pub(crate) type Outcome = (Vec<Owned>, Result<(), Violation>);

/// A piece that owns its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(CloseCode, String),
}

impl From<Piece<'_>> for Owned {
    fn from(piece: Piece<'_>) -> Self {
        match piece {
            Piece::Text(text) => Self::Text(text.into()),
            Piece::Binary(bytes) => Self::Binary(bytes.into()),
            Piece::Ping(bytes) => Self::Ping(bytes.into()),
            Piece::Pong(bytes) => Self::Pong(bytes.into()),
            Piece::Close(code, reason) => Self::Close(code, reason.into()),
        }
    }
}

/// What the real decoder makes of `input`, cut up as `sizes` says: over and over, the last
/// portion perhaps shorter.
pub(crate) fn decode_cut(role: Role, max: usize, input: &[u8], sizes: &[usize]) -> Outcome {
    let mut decoder = Decoder::new(role, max);
    let mut pieces = Vec::new();
    let mut input = input.to_vec();
    let (len, mut rest) = (input.len(), input.as_mut_slice());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (portion, after) = rest.split_at_mut(rest.len().min(*size));
        if let Err(violation) = drain(&mut decoder, portion, &mut pieces) {
            assert_eq!(decoder.step(after), Err(violation), "it stays so");
            check_failed(&mut decoder);
            return (pieces, Err(violation));
        }
        rest = after;
        let (came, held) = (len - rest.len(), decoder.buffered());
        // A longer message may take a buffer that another one has left.
        let is_bounded = held <= HELD_BY_NONE + 4 * came || max >= WORTH_KEEPING;
        assert!(is_bounded, "{held} bytes are held for {came}");
    }
    if let Some(Owned::Close(..)) = pieces.last() {
        assert_eq!(decoder.buffered(), 0, "a closed decoder holds memory");
    }
    (pieces, Ok(()))
}

/// The same, but what belongs into a large message is put there as it comes, as the reactor does it.
pub(crate) fn decode_by_window(role: Role, max: usize, input: &[u8], sizes: &[usize]) -> Outcome {
    let mut decoder = Decoder::new(role, max);
    let (mut pieces, mut rest) = (Vec::new(), input);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let most = rest.len().min(*size);
        let (verdict, used) = match decoder.window() {
            Some(window) => {
                let n = window.len().min(most);
                window[..n].copy_from_slice(&rest[..n]);
                let filled = decoder.filled(n).map(|piece| piece.map(Owned::from));
                let verdict = filled.and_then(|piece| {
                    pieces.extend(piece);
                    drain(&mut decoder, &mut [], &mut pieces)
                });
                (verdict, n)
            }
            None => {
                let portion = &mut rest[..most].to_vec();
                (drain(&mut decoder, portion, &mut pieces), most)
            }
        };
        if let Err(violation) = verdict {
            check_failed(&mut decoder);
            return (pieces, Err(violation));
        }
        rest = &rest[used..];
    }
    (pieces, Ok(()))
}

/// Behind a violation nothing more is taken or kept of the message.
fn check_failed(decoder: &mut Decoder) {
    assert_eq!(decoder.window(), None, "a failed decoder reads on");
    assert_eq!(
        decoder.filled(0),
        Ok(None),
        "a failed decoder has a message"
    );
    let held = decoder.buffered();
    assert!(held <= HELD_BY_NONE, "a failed decoder holds {held} bytes");
}

/// Steps through `portion` until there is no piece.
pub(crate) fn drain(
    decoder: &mut Decoder,
    mut portion: &mut [u8],
    pieces: &mut Vec<Owned>,
) -> Result<(), Violation> {
    loop {
        let Step { used, piece } = decoder.step(portion)?;
        let Some(piece) = piece else {
            assert_eq!(used, portion.len(), "without a piece all is used");
            return Ok(());
        };
        assert!(used > 0, "a piece out of nothing");
        pieces.push(piece.into());
        portion = portion.split_at_mut(used).1;
    }
}

/// What the RFC makes of `input`.
pub(crate) fn decode(role: Role, max: usize, input: &[u8]) -> Outcome {
    let mut pieces = Vec::new();
    let mut input = input.iter().copied();
    let verdict = frames(role, max, &mut input, &mut pieces);
    (pieces, verdict.unwrap_or(Ok(())))
}

/// `None` when the input ends, `Err` inside when a rule is broken.
fn frames(
    role: Role,
    max: usize,
    input: &mut dyn Iterator<Item = u8>,
    pieces: &mut Vec<Owned>,
) -> Option<Result<(), Violation>> {
    let mut message: Option<(u8, Vec<u8>, u32)> = None;
    loop {
        let first = input.next()?;
        let (fin, opcode) = (first >= 128, first % 16);
        if first & 0b0011_0000 > 0 {
            return Some(Err(Violation::ReservedBits));
        }
        if ![0, 1, 2, 8, 9, 10].contains(&opcode) {
            return Some(Err(Violation::ReservedOpcode(opcode)));
        }
        if opcode >= 8 && !fin {
            return Some(Err(Violation::ControlFragmented));
        }
        let second = input.next()?;
        let (masked, short) = (second >= 128, second % 128);
        if opcode >= 8 && short > 125 {
            return Some(Err(Violation::ControlTooLong));
        }
        let extended = [0, 2, 8][usize::from(short.saturating_sub(125))];
        let mut len = if extended > 0 { 0 } else { u64::from(short) };
        for _ in 0..extended {
            len = len << 8 | u64::from(input.next()?);
        }
        if len > i64::MAX as u64 {
            return Some(Err(Violation::LengthTooLong));
        }
        if extended > 0 && len < 126 || extended > 2 && len < 65536 {
            return Some(Err(Violation::LengthNotMinimal));
        }
        let mut key = [0; 4];
        for octet in key.iter_mut().filter(|_| masked) {
            *octet = input.next()?;
        }
        if first & 0b0100_0000 > 0 {
            return Some(Err(Violation::ReservedBits));
        }
        match role {
            Role::Server if !masked => return Some(Err(Violation::NotMasked)),
            Role::Client if masked => return Some(Err(Violation::Masked)),
            _ => {}
        }
        match (opcode, &mut message) {
            (0, None) => return Some(Err(Violation::UnexpectedContinuation)),
            (1 | 2, Some(_)) => return Some(Err(Violation::ExpectedContinuation)),
            (1 | 2, none) => *none = Some((opcode, Vec::new(), 0)),
            _ => {}
        }
        if let Some((_, so_far, empty)) = message.as_mut().filter(|_| opcode < 8) {
            let len = so_far.len() as u64 + len;
            if len > max as u64 {
                return Some(Err(Violation::TooBig { len, max }));
            }
            *empty += u32::from(len == so_far.len() as u64);
            if *empty > 1024 {
                return Some(Err(Violation::EmptyFragments));
            }
        }
        let mut payload = Vec::new();
        let came = input.take(len as usize).enumerate();
        payload.extend(came.map(|(i, octet)| octet ^ key[i % 4]));
        let is_whole = payload.len() as u64 == len;
        if opcode < 8 {
            let (kind, so_far, _) = message.as_mut()?;
            so_far.append(&mut payload);
            if *kind == 1 && !is_utf8(so_far, fin && is_whole) {
                return Some(Err(Violation::NotUtf8));
            }
        }
        match (opcode, is_whole) {
            (_, false) => return None,
            (9, _) => pieces.push(Owned::Ping(payload)),
            (10, _) => pieces.push(Owned::Pong(payload)),
            (8, _) => return Some(close(&payload).map(|close| pieces.push(close))),
            _ if !fin => {}
            _ => pieces.push(match message.take()? {
                (1, text, _) => Owned::Text(String::from_utf8_lossy(&text).into()),
                (_, bytes, _) => Owned::Binary(bytes),
            }),
        }
    }
}

fn close(payload: &[u8]) -> Result<Owned, Violation> {
    let reason = payload.get(2..).unwrap_or_default();
    match (payload, std::str::from_utf8(reason)) {
        ([], _) => Ok(Owned::Close(CloseCode::NO_STATUS, String::new())),
        ([_], _) => Err(Violation::CloseTooShort),
        ([high, low, ..], reason) => {
            let code = u16::from(*high) * 256 + u16::from(*low);
            match (code, reason) {
                (0..=999 | 1004..=1006 | 1015..=2999 | 5000.., _) => {
                    Err(Violation::CloseCode(CloseCode(code)))
                }
                (_, Ok(reason)) => Ok(Owned::Close(CloseCode(code), reason.into())),
                (_, Err(_)) => Err(Violation::NotUtf8),
            }
        }
    }
}

/// Whether it is, or, if more is to come, could become so.
fn is_utf8(bytes: &[u8], is_all: bool) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => !is_all && error.error_len().is_none(),
    }
}
