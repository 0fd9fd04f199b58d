//! Requests that are no longer whole.

use super::dice::Dice;

/// What maims.
const PIECES: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b":",
    b";",
    b",",
    b"\x7F",
    b"\x80",
    b"\xC3\xA9",
    b"%",
    b"%zz",
    b"%41",
    b"#",
    b"?",
    b"*",
    b"//",
    b"/../",
    b"\"",
    b"<",
    b"\\",
    b"@",
    b"[",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"http://",
    b"Host: b\r\n",
    b"Content-Length: 1\r\n",
    b"Content-Length: +1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"X : y\r\n",
    b" folded\r\n",
    b"0",
    b"G",
    b"\x1B",
];

/// One of these requests with up to four wounds.
pub(super) fn maimed(dice: &mut Dice, whole: &[&[u8]]) -> Vec<u8> {
    let mut bytes = dice.one_of(whole).to_vec();
    for _ in 0..dice.below(5) {
        let at = dice.below(bytes.len());
        let piece = dice.one_of(&PIECES);
        match dice.below(6) {
            0 => bytes[at] = (dice.next() >> 40) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => _ = bytes.remove(at),
            3 => drop(bytes.splice(at..at, piece.iter().copied())),
            4 => {
                // In front of a line, where whole headers fit.
                let ends = |at: &usize| bytes[..*at].ends_with(b"\r\n");
                let lines: Vec<usize> = (1..bytes.len()).filter(ends).collect();
                let line = if lines.is_empty() {
                    at
                } else {
                    dice.one_of(&lines)
                };
                drop(bytes.splice(line..line, piece.iter().copied()));
            }
            _ => {
                let end = (at + dice.below(20)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
        }
        if bytes.is_empty() {
            return b"\r\n".to_vec();
        }
    }
    bytes
}
