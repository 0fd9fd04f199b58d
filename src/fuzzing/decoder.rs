//! The decoder against a naive one, and against itself: whatever the cuts, the outcome is one.

use crate::proto::close::CloseCode;
use crate::proto::decoder::Role;
use crate::proto::naive::{Outcome, Owned, decode, decode_by_window, decode_cut};
use crate::proto::violation::Violation;

use super::choices::{expand, unit};
use super::texts::check_line;

/// Small, so that inputs reach it.
const MAX_MESSAGE: usize = 1024;
/// Large enough for a message that is read to where it belongs, and for a buffer that is used again.
const MAX_LARGE: usize = 80 * 1024;
/// For two messages of that length.
const MAX_INPUT: usize = 160 * 1024;
/// Longer input is not read byte by byte.
const BYTE_BY_BYTE: usize = 8 * 1024;

/// Decodes `data` in either role: the first four bytes choose the limit and how the rest is cut. Under
/// the largest limit the rest is a seed of something large.
///
/// # Panics
///
/// When a promise of the decoder is broken.
pub fn decoder(data: &[u8]) {
    let [limit, a, b, c] = data.first_chunk::<4>().copied().unwrap_or_default();
    let input = data.get(4..).unwrap_or_default();
    let (max, input) = match limit {
        0 => (MAX_MESSAGE, input.to_vec()),
        u8::MAX => (MAX_LARGE, expand(input, MAX_INPUT)),
        limit => (usize::from(limit), input.to_vec()),
    };
    // Of what is large, a portion may be large enough to fill a window.
    let third = if limit == u8::MAX { 16 } else { 1 };
    let size = |size, by| (usize::from(size) + 1) * unit(input.len()) * by;
    let sizes = [size(a, 1), size(b, 1), size(c, third)];
    let mut all_sizes: Vec<&[usize]> = vec![&[usize::MAX], &sizes];
    if input.len() <= BYTE_BY_BYTE {
        all_sizes.push(&[1]);
    }
    for role in [Role::Server, Role::Client] {
        let expected = decode(role, max, &input);
        for sizes in &all_sizes {
            for decode in [decode_cut, decode_by_window] {
                let outcome = decode(role, max, &input, sizes);
                // What is large would fill the screen.
                let is_same = outcome == expected;
                assert!(is_same, "{role:?}, at most {max}, in {sizes:?}");
            }
        }
        check_told(&expected);
    }
}

/// What is told of an end: a code that may be sent, the rule that was broken, and a line that fits a
/// close frame.
fn check_told((pieces, verdict): &Outcome) {
    if let Some(Owned::Close(code, _)) = pieces.last() {
        assert!(code.is_sendable() || *code == CloseCode::NO_STATUS);
        check_code(*code);
    }
    if let Err(violation) = verdict {
        check_line(&violation.to_string(), 123);
        assert!(violation.close_code().is_sendable());
        assert!(
            violation
                .section()
                .split('.')
                .all(|part| part.parse::<u8>().is_ok())
        );
        if let Violation::CloseCode(code) = violation {
            assert!(!code.is_sendable());
            check_code(*code);
        }
    }
}

/// A code that has a name is shown with it, any other one bare.
fn check_code(code: CloseCode) {
    let named = matches!(code.0, 1000..=1003 | 1005..=1015);
    let shown = format!("{code:?}");
    let bare = format!("CloseCode({code})");
    assert_eq!(shown != bare, named, "{shown}");
    assert!(shown.starts_with(bare.trim_end_matches(')')), "{shown}");
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_seeds};
    use super::decoder;

    /// One input of each class; more lie in `fuzz/seeds/decoder`. The masking keys are 0.
    const SEEDS: [&[u8]; 6] = [
        b"\0\x02\x05\x09\x81\x85\0\0\0\0Hello\x82\x80\0\0\0\0\x8A\x80\0\0\0\0",
        b"\x10\x01\x01\x07\x01\x83\0\0\0\0caf\x89\x81\0\0\0\0p\x80\x82\0\0\0\0\xC3\xA9",
        b"\0\x03\x03\x03\x88\x85\0\0\0\0\x03\xE8bye\x81\x80\0\0\0\0",
        b"\x05\0\x01\x02\x82\x03abc\x01\x01a\x00\x00\x80\x02bc\x88\x02\x03\xE9",
        b"\0\x07\x0B\x03\x82\xFE\x00\x80\0\0\0\0................................\
            ................................................................\
            ................................",
        b"\0\x01\x02\x03\x81\x8C\x01\x02\x03\x04\xF1\x9D\x9B\x84\xF1\x9D\x9B\x84\xF1\x9D\x9B\x84",
    ];

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("decoder", decoder);
    }

    #[test]
    fn mutated_frames_break_no_promise() {
        let mut random = Random::new();
        for round in 0..if cfg!(miri) { 5 } else { 3_000 } {
            let mut input = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.below(5) {
                let at = random.below(input.len());
                match random.below(5) {
                    0 => input[at] = random.below(256) as u8,
                    1 => input[at] ^= 1 << random.below(8),
                    2 => drop(input.remove(at)),
                    3 => input.truncate(at.max(5)),
                    _ => input.extend_from_slice(&SEEDS[random.below(SEEDS.len())][4..]),
                }
            }
            decoder(&input);
        }
    }
}
