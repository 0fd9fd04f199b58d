//! The bytes of an input as a list of choices, for targets whose input is a script.

/// What is left of an input: what lies behind its end is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is not 0 and at most 256.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// One of `all`, of which there are some.
    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Cuts `input` into pieces of varying sizes, from 1 to 256 times `unit` bytes.
pub(super) fn pieces(input: &[u8], seed: u8, step: u8, unit: usize) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut size) = (input, seed);
    std::iter::from_fn(move || {
        let size_now = (usize::from(size) + 1) * unit;
        let (piece, after) = rest.split_at(rest.len().min(size_now));
        rest = after;
        size = size.wrapping_mul(5).wrapping_add(step);
        (!piece.is_empty()).then_some(piece)
    })
}

/// What a portion of `len` bytes in all is a multiple of: more than some thousand portions take time and
/// find nothing, and a large message is rarely read in small ones.
pub(super) fn unit(len: usize) -> usize {
    1 + len / 4096
}

/// A byte that stands in no UTF-8, and rarely at the begin of a frame.
const REPEAT: u8 = 0xFC;

/// Large input from a small seed: behind [`REPEAT`], `n` and `byte` stand for 256 · (n + 1) times `byte`.
/// At most `most` bytes come of it.
pub(super) fn expand(mut seed: &[u8], most: usize) -> Vec<u8> {
    let mut input = Vec::new();
    while let [first, rest @ ..] = seed {
        seed = rest;
        match rest {
            [n, byte, after @ ..] if *first == REPEAT => {
                input.resize(input.len() + 256 * (usize::from(*n) + 1), *byte);
                seed = after;
            }
            _ => input.push(*first),
        }
        if input.len() >= most {
            break;
        }
    }
    input.truncate(most);
    input
}
