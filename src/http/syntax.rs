//! The character classes of HTTP (RFC 9110 §5.5, §5.6.2) and a cursor that steps over them.

/// Bytes of a method or a field name: tchar (RFC 9110 §5.6.2).
pub(super) const TOKEN: u8 = 1;
/// Bytes of a request target: visible ASCII but `#`, for a fragment is never sent
/// (RFC 9112 §3.2). Browsers leave a few bytes unescaped that RFC 3986 would not.
pub(super) const TARGET: u8 = 2;
/// Bytes of a field value: visible ASCII, space, tab and obs-text (RFC 9110 §5.5).
pub(super) const VALUE: u8 = 4;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = class_of(byte as u8);
        byte += 1;
    }
    table
}

const fn class_of(byte: u8) -> u8 {
    match byte {
        b'!' | b'$'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~' => {
            TOKEN | TARGET | VALUE
        }
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => TOKEN | TARGET | VALUE,
        b'#' => TOKEN | VALUE,
        0x21..=0x7E => TARGET | VALUE,
        b' ' | b'\t' | 0x80.. => VALUE,
        _ => 0,
    }
}

/// Whether `byte` belongs to `class`.
pub(super) fn is(class: u8, byte: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// Whether `bytes` is a token: not empty, and tchar only (RFC 9110 §5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is(TOKEN, byte))
}

/// `bytes` without the optional white space around it (RFC 9110 §5.6.3).
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let Some(from) = bytes.iter().position(is_text) else {
        return &[];
    };
    let to = bytes.iter().rposition(is_text).map_or(0, |last| last + 1);
    bytes.get(from..to).unwrap_or_default()
}

/// A piece of a message's bytes, by its place. A head is at most `u32::MAX` bytes long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Span {
    pub(super) fn new(from: usize, to: usize) -> Span {
        Span {
            from: from as u32,
            to: to as u32,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.from == self.to
    }

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.from as usize..self.to as usize)
            .unwrap_or_default()
    }

    /// The same, of a piece that is known to be ASCII.
    pub(super) fn text(self, bytes: &[u8]) -> &str {
        std::str::from_utf8(self.of(bytes)).unwrap_or_default()
    }
}

/// What has just arrived of a message, and where in the message it stands.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `input`, whose first byte is the message's byte number `at`.
    pub(super) fn new(input: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { rest: input, at }
    }

    /// The place of the next byte in the message.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next byte.
    pub(super) fn next(&mut self) -> Option<u8> {
        self.take(1).first().copied()
    }

    /// Takes at most `most` bytes.
    pub(super) fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        self.at += taken.len();
        #[cfg(test)]
        tests::SCANNED.with(|scanned| scanned.set(scanned.get() + taken.len()));
        taken
    }

    /// Steps over `count` bytes that another cursor has looked at.
    pub(super) fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.at += count;
    }

    /// Takes the bytes that belong to `class`, up to the first that does not.
    pub(super) fn skip(&mut self, class: u8) {
        let end = self.rest.iter().position(|&byte| !is(class, byte));
        self.take(end.unwrap_or(self.rest.len()));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// How many bytes all cursors of this thread have stepped over.
        pub(in super::super) static SCANNED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn the_classes_are_those_of_the_rfc() {
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let value = byte == b'\t' || (byte >= b' ' && byte != 0x7F);
            assert_eq!(is(TOKEN, byte), token, "token {byte:#x}");
            assert_eq!(is(VALUE, byte), value, "value {byte:#x}");
            let target = byte.is_ascii_graphic() && byte != b'#';
            assert_eq!(is(TARGET, byte), target, "target {byte:#x}");
        }
    }

    #[test]
    fn only_space_and_tab_are_trimmed() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba\xa0"), b"\x0ba\xa0");
    }
}
