//! What a connection sends in one write, built once, and what its answers must look like.

use crate::frame::{self, BINARY, KEY, TEXT};

/// What the messages are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Binary,
    /// Text in ASCII.
    Ascii,
    /// Text that is not: Cyrillic and Chinese.
    Text,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "binary" => Some(Self::Binary),
            "ascii" => Some(Self::Ascii),
            "text" => Some(Self::Text),
            _ => None,
        }
    }

    fn opcode(self) -> u8 {
        match self {
            Self::Binary => BINARY,
            Self::Ascii | Self::Text => TEXT,
        }
    }

    /// Exactly `size` bytes.
    fn payload(self, size: usize) -> Vec<u8> {
        match self {
            Self::Binary => noise().take(size).collect(),
            Self::Ascii => noise().map(|byte| b' ' + byte % 95).take(size).collect(),
            Self::Text => words(size).into_bytes(),
        }
    }
}

/// Bytes in no order, the same in every run (xorshift).
fn noise() -> impl Iterator<Item = u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

/// Words of two and of three bytes a letter, cut between two letters and filled up with full stops.
fn words(size: usize) -> String {
    let letters = "Съешь ещё этих мягких французских булок, да выпей чаю. \
                   天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。寒來暑往，秋收冬藏。";
    let mut text = String::with_capacity(size);
    for letter in letters.chars().cycle() {
        if text.len() + letter.len_utf8() > size {
            break;
        }
        text.push(letter);
    }
    text.extend(std::iter::repeat_n('.', size - text.len()));
    text
}

/// A batch of equal messages.
pub(crate) struct Batch {
    /// All its frames, masked.
    pub(crate) bytes: Vec<u8>,
    /// How many there are.
    pub(crate) depth: u64,
    /// How long one of them is.
    pub(crate) frame: usize,
    pub(crate) payload: Vec<u8>,
    pub(crate) answer: Answer,
}

impl Batch {
    /// `raw` is for a server that sends the frames back as they came: masked.
    pub(crate) fn new(kind: Kind, size: usize, depth: usize, raw: bool) -> Self {
        let payload = kind.payload(size);
        let frame = frame::masked(kind.opcode(), &payload);
        Self {
            bytes: frame.repeat(depth),
            depth: depth as u64,
            frame: frame.len(),
            answer: Answer::new(kind.opcode(), size, raw),
            payload,
        }
    }
}

/// What the header of an answer must be.
pub(crate) struct Answer {
    pub(crate) opcode: u8,
    pub(crate) size: u64,
    pub(crate) masked: bool,
    /// Bytes of the whole frame, when it is not fragmented.
    frame: usize,
    /// Its header, and which of 16 bytes are the header's.
    header: u128,
    relevant: u128,
}

impl Answer {
    pub(crate) fn new(opcode: u8, size: usize, masked: bool) -> Self {
        let header = frame::header(opcode, size, masked.then_some(KEY));
        let mut padded = [0; 16];
        padded[..header.len()].copy_from_slice(&header);
        Self {
            opcode,
            size: size as u64,
            masked,
            frame: header.len() + size,
            header: u128::from_le_bytes(padded),
            relevant: (1 << (8 * header.len())) - 1,
        }
    }

    /// Cuts a whole answer off the front of `bytes`: the quick way, a few instructions for each.
    /// `None` when it is something else, or is not there in whole, or fewer than 16 bytes are left.
    #[inline]
    pub(crate) fn cut<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let front = u128::from_le_bytes(*bytes.first_chunk()?);
        match front & self.relevant == self.header {
            true => bytes.get(self.frame..),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_their_exact_size_and_kind() {
        for size in [0, 1, 2, 3, 4, 5, 16, 125, 126, 4096, 65_537] {
            for kind in [Kind::Binary, Kind::Ascii, Kind::Text] {
                let payload = kind.payload(size);
                assert_eq!(payload.len(), size, "{kind:?}");
                match kind {
                    Kind::Binary => {}
                    Kind::Ascii => assert!(payload.is_ascii()),
                    Kind::Text => assert!(String::from_utf8(payload).is_ok(), "{size}"),
                }
            }
        }
    }

    #[test]
    fn text_is_mostly_not_ascii_and_of_two_scripts() {
        let text = String::from_utf8(Kind::Text.payload(4096)).expect("UTF-8");
        let wide = |n| text.chars().filter(|letter| letter.len_utf8() == n).count();
        assert!(wide(2) > 500 && wide(3) > 500 && wide(1) < 400, "{text}");
    }

    #[test]
    fn a_batch_is_its_frame_over_and_over() {
        let batch = Batch::new(Kind::Binary, 20, 3, false);
        assert_eq!(batch.bytes.len(), 3 * batch.frame);
        let mut rest = &batch.bytes[..];
        for _ in 0..3 {
            let (opcode, payload, used) = frame::message(rest).expect("a message");
            assert_eq!((opcode, &payload), (BINARY, &batch.payload));
            rest = &rest[used..];
        }
    }

    #[test]
    fn only_the_right_answer_is_cut_off() {
        for (size, raw) in [(20, false), (20, true), (4096, false), (70_000, true)] {
            let answer = Answer::new(BINARY, size, raw);
            let key = raw.then_some(KEY);
            let mut bytes = frame::header(BINARY, size, key);
            bytes.resize(bytes.len() + size, 0);
            bytes.push(7);
            assert_eq!(answer.cut(&bytes), Some(&[7][..]), "{size} {raw}");
            assert_eq!(answer.cut(&bytes[..bytes.len() - 2]), None);
            for (wrong_opcode, wrong_size) in [(TEXT, size), (BINARY, size - 1)] {
                let wrong = frame::header(wrong_opcode, wrong_size, key);
                bytes[..wrong.len()].copy_from_slice(&wrong);
                assert_eq!(answer.cut(&bytes), None, "{size} {raw} {wrong_opcode}");
            }
        }
    }
}
