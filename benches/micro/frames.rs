//! Frames as a client sends them, and text to send. Shared with the instruction counts; shares no code
//! with the library.

/// A masking key that turns text into other text: one bit of each byte. So a buffer of text can be
/// unmasked in place over and over, and is text every time.
pub(crate) const KEY: [u8; 4] = [1, 1, 1, 1];

/// The first byte of a frame with a whole message (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text = 0x81,
    Binary = 0x82,
}

/// A frame with one message, as a client sends it.
pub(crate) fn masked(kind: Kind, payload: &[u8]) -> Vec<u8> {
    frame(kind, payload, Some(KEY))
}

/// A frame with one message; with a key as a client sends it, without as a server does.
pub(crate) fn frame(kind: Kind, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut frame = vec![kind as u8];
    match payload.len() {
        len @ 0..126 => frame.push(masked | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key.into_iter().flatten());
    let key = key.unwrap_or_default();
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
    frame
}

/// Bytes of every value.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7) as u8).collect()
}

pub(crate) const ASCII: &str = "The quick brown fox jumps over the lazy dog. ";
pub(crate) const CJK: &str = "色は匂へど散りぬるを我が世誰ぞ常ならむ有為の奥山今日越えて";

/// Exactly `len` bytes of text: the phrase over and over, and dots where a character does not fit.
pub(crate) fn text(phrase: &str, len: usize) -> String {
    let whole = phrase.chars().cycle().scan(0, |size, c| {
        *size += c.len_utf8();
        (*size <= len).then_some(c)
    });
    let mut text: String = whole.collect();
    text.extend(std::iter::repeat_n('.', len - text.len()));
    text
}
