//! Text that arrives in pieces, checked as it comes (RFC 6455 §8.1).
//!
//! It fails at the first byte that no UTF-8 can have in its place, however the text is cut.
//! Each byte is checked once: what is known to be UTF-8 is kept as a `String`, so the whole
//! message is handed out without a second look. The decoder is the only caller.

use super::text::text;
use super::violation::Violation;
use std::str;

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Text {
    checked: String,
    /// The first bytes of a character whose others have not come, in `..cut_len`.
    cut: [u8; 4],
    cut_len: u8,
}

impl Text {
    /// Appends `bytes`.
    ///
    /// # Errors
    ///
    /// [`Violation::NotUtf8`] if no continuation could make this UTF-8.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let bytes = self.mend(bytes)?;
        let (whole, cut) = bytes.split_at(bytes.len() - cut_at_end(bytes));
        self.checked.push_str(text(whole)?);
        cut.iter().try_for_each(|&byte| self.push_to_cut(byte))
    }

    /// The end of the message: no character may be left cut.
    ///
    /// # Errors
    ///
    /// [`Violation::NotUtf8`] if one is.
    pub(super) fn finish(&self) -> Result<(), Violation> {
        match self.cut_len {
            0 => Ok(()),
            _ => Err(Violation::NotUtf8),
        }
    }

    /// All of it, but for a character that is cut.
    pub(super) fn as_str(&self) -> &str {
        &self.checked
    }

    /// Length in bytes, with those of a character that is cut.
    pub(super) fn len(&self) -> usize {
        self.checked.len() + usize::from(self.cut_len)
    }

    /// Bytes of heap memory held.
    pub(super) fn capacity(&self) -> usize {
        self.checked.capacity()
    }

    /// Makes room for `more` bytes and no more than that.
    pub(super) fn reserve_exact(&mut self, more: usize) {
        let cut = usize::from(self.cut_len);
        self.checked.reserve_exact(cut + more);
    }

    /// Completes a cut character from the front of `bytes`; gives what follows it.
    fn mend<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        while self.cut_len > 0
            && let Some((&byte, rest)) = bytes.split_first()
        {
            self.push_to_cut(byte)?;
            bytes = rest;
        }
        Ok(bytes)
    }

    fn push_to_cut(&mut self, byte: u8) -> Result<(), Violation> {
        let len = usize::from(self.cut_len);
        *self.cut.get_mut(len).ok_or(Violation::NotUtf8)? = byte;
        match str::from_utf8(self.cut.get(..=len).unwrap_or_default()) {
            Ok(character) => {
                self.checked.push_str(character);
                self.cut_len = 0;
            }
            Err(error) if error.error_len().is_none() => self.cut_len += 1,
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}

/// How many bytes at the end begin a character that would need more than there are: 0 to 3.
fn cut_at_end(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().zip(1..=3);
    for (&byte, count) in last {
        let needs = match byte {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return 0,
        };
        return if count < needs { count } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are taken before the first that is refused, and whether all is text.
    fn judge(bytes: &[u8], cut: usize) -> Result<bool, ()> {
        let mut text = Text::default();
        for piece in bytes.chunks(cut) {
            text.push(piece).map_err(drop)?;
        }
        if text.finish().is_ok() {
            assert_eq!(text.as_str().as_bytes(), bytes);
        }
        assert_eq!(text.len(), bytes.len());
        Ok(text.finish().is_ok())
    }

    /// The same by the standard library, which sees all of it at once.
    fn expected(bytes: &[u8]) -> Result<bool, ()> {
        match str::from_utf8(bytes) {
            Ok(_) => Ok(true),
            Err(error) if error.error_len().is_none() => Ok(false),
            Err(_) => Err(()),
        }
    }

    fn check(bytes: &[u8]) {
        for cut in 1..=bytes.len().max(1) {
            let name = bytes.escape_ascii();
            assert_eq!(judge(bytes, cut), expected(bytes), "{name} in {cut}s");
        }
    }

    /// One byte of each class that UTF-8 tells apart, at both ends of the class.
    const CLASSES: [u8; 25] = [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
        0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF,
    ];

    #[test]
    fn every_sequence_of_up_to_four_classes_is_judged_as_std_does_in_any_chunking() {
        let step = if cfg!(miri) { 7919 } else { 1 };
        let most = CLASSES.len().pow(4);
        for number in (0..most).step_by(step) {
            let mut rest = number;
            let bytes = [(); 4].map(|()| {
                let byte = CLASSES[rest % CLASSES.len()];
                rest /= CLASSES.len();
                byte
            });
            for len in 0..=4 {
                check(&bytes[..len]);
            }
        }
    }

    #[test]
    fn every_character_passes_cut_anywhere() {
        let step = if cfg!(miri) { 49_999 } else { 17 };
        for character in ('\0'..=char::MAX).step_by(step) {
            check(format!("a{character}b").as_bytes());
        }
    }

    #[test]
    fn the_first_impossible_byte_is_refused_and_no_earlier_one() {
        let table: &[(&str, &[u8])] = &[
            ("lone continuation", b"ab\x80"),
            ("overlong of two", b"ab\xC0"),
            ("overlong of three", b"ab\xE0\x9F"),
            ("overlong of four", b"ab\xF0\x8F"),
            ("surrogate", b"ab\xED\xA0"),
            ("above U+10FFFF", b"ab\xF4\x90"),
            ("five-byte lead", b"ab\xF8"),
            ("continuation missing", b"ab\xE2\x82a"),
            ("continuation missing at the third", b"ab\xF0\x9F\x98\xC3"),
        ];
        for (name, bytes) in table {
            let mut text = Text::default();
            let (last, before) = bytes.split_last().unwrap();
            for byte in before {
                assert_eq!(text.push(&[*byte]), Ok(()), "{name}");
            }
            assert_eq!(text.push(&[*last]), Err(Violation::NotUtf8), "{name}");
        }
    }

    #[test]
    fn a_long_text_of_any_script_is_kept_as_it_came() {
        for text in ["plain", "naïve", "κόσμε", "日本語", "😀🦀", "mixed é日😀"] {
            let long = text.repeat(if cfg!(miri) { 1 } else { 40 });
            check(long.as_bytes());
        }
    }
}
