//! Text as the decoder checks it (RFC 6455 §8.1) against the standard library, however it is cut.

use super::choices::{Choices, pieces};
use crate::proto::decoder::{Decoder, Role};
use crate::proto::encoder::prepare;
use crate::proto::frame::Opcode;
use crate::proto::naive::{Owned, decode_cut, drain};
use crate::proto::violation::Violation;

/// Longer than any input of a fuzzer.
const MAX: usize = 1 << 24;

/// Sends bytes as text: the first two choose how it is fragmented, the third how it is read.
///
/// # Panics
///
/// When what passes is not exactly what [`std::str::from_utf8`] takes, or when it is told later than at
/// the first byte that cannot be.
pub fn utf8(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (seed, step) = (choices.byte(), choices.byte());
    let size = usize::from(choices.byte()) + 1;
    let bytes = choices.rest();
    let expected = match std::str::from_utf8(bytes) {
        Ok(text) => (vec![Owned::Text(text.into())], Ok(())),
        Err(_) => (Vec::new(), Err(Violation::NotUtf8)),
    };
    let whole = frame(0x81, bytes);
    let fragments = fragments(pieces(bytes, seed, step, 1));
    for frames in [whole, fragments] {
        for size in [usize::MAX, 1, size] {
            let outcome = decode_cut(Role::Client, MAX, &frames, &[size]);
            assert_eq!(outcome, expected, "in {size}");
        }
    }
    assert_eq!(first_refused(bytes), first_impossible(bytes));
}

/// A frame as a server sends it, whose first byte is that one.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = prepare(Opcode::Text, payload);
    frame[0] = first;
    frame
}

/// A frame for each piece, an empty one with FIN behind them, and a ping in between.
fn fragments<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut opcode = 1;
    for piece in pieces {
        frames.extend(frame(opcode, piece));
        opcode = 0;
    }
    frames.extend(frame(0x80 | opcode, &[]));
    frames
}

/// How many bytes are taken before the decoder refuses one, of a message that goes on behind them.
fn first_refused(bytes: &[u8]) -> Option<usize> {
    let mut decoder = Decoder::new(Role::Client, MAX);
    let mut begun = frame(0x01, bytes);
    let at = begun.len() - bytes.len();
    let (header, payload) = begun.split_at_mut(at);
    let mut none = Vec::new();
    drain(&mut decoder, header, &mut none).expect("a header");
    let refused = payload
        .chunks_mut(1)
        .position(|byte| drain(&mut decoder, byte, &mut none).is_err());
    assert_eq!(none, [], "it is not at its end");
    refused
}

/// The first byte that no UTF-8 can have in its place.
fn first_impossible(bytes: &[u8]) -> Option<usize> {
    let error = std::str::from_utf8(bytes).err()?;
    error.error_len()?;
    let begin = error.valid_up_to();
    let is_impossible = |end: usize| {
        let error = std::str::from_utf8(bytes.get(begin..=end)?).err()?;
        error.error_len()
    };
    (begin..bytes.len()).find(|end| is_impossible(*end).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_noise, run_seeds};
    use super::utf8;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("utf8", utf8);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(300, 40, utf8);
    }

    #[test]
    fn characters_with_a_byte_changed_break_no_promise() {
        let mut random = Random::new();
        for _ in 0..if cfg!(miri) { 3 } else { 3_000 } {
            let mut input = "abcaé€😀\u{7FF}\u{FFFF}\u{10FFFF}\u{D7FF}é"
                .repeat(random.below(12) + 1)
                .into_bytes();
            let at = random.below(input.len());
            input[at] = random.below(256) as u8;
            input.truncate(random.below(input.len()) + 1);
            utf8(&input);
        }
    }
}
