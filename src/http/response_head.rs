//! The head of an answer, as our client reads it (RFC 9112 §4, §5).

use super::error::BadRequest;
use super::fields::Fields;
use super::section::{HeadReader, Limits, Progress, StartLine};
use super::syntax::{Cursor, Span, VALUE};

/// Reads the head of an answer, with the strictness of a request's.
#[derive(Debug)]
pub(crate) struct ResponseParser {
    reader: HeadReader<StatusLine>,
}

impl ResponseParser {
    pub(crate) fn new(limits: Limits) -> ResponseParser {
        ResponseParser {
            reader: HeadReader::new(limits),
        }
    }

    /// Takes bytes off the front of `input`: up to the end of a head, or all of them.
    ///
    /// # Errors
    ///
    /// The server does not speak HTTP/1: close the connection. [`BadRequest`] says why; its
    /// status is for requests and means nothing here.
    pub(crate) fn push(&mut self, input: &[u8]) -> Result<Progress<ResponseHead>, BadRequest> {
        let Progress { used, head } = self.reader.push(input)?;
        let head = head.map(|(line, fields)| ResponseHead { line, fields });
        Ok(Progress { used, head })
    }
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct ResponseHead {
    line: StatusLine,
    fields: Fields,
}

impl ResponseHead {
    /// From 100 to 999.
    pub(crate) fn status(&self) -> u16 {
        self.line.status
    }

    /// The reason phrase, often empty; empty also if it is not UTF-8.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn reason(&self) -> &str {
        self.line.reason.text(self.fields.bytes())
    }

    /// The first value of that name, trimmed; `None` also if it is not UTF-8.
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.fields.first(name)
    }

    /// Name and trimmed value of every line, in the order in which they came.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter()
    }

    /// The values of all lines of that name, trimmed; bytes above 0x7F may be anything.
    pub(crate) fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.values(name)
    }

    /// Whether the list of that name has this element, whatever the case.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.fields.has_token(name, token)
    }
}

/// `HTTP/1.1 101 Switching Protocols` CR LF, so far.
#[derive(Clone, Debug, Default)]
struct StatusLine {
    part: Part,
    status: u16,
    reason: Span,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    /// `HTTP/1.x NNN`, up to the byte behind it.
    #[default]
    Status,
    Reason,
    LineFeed,
}

impl StartLine for StatusLine {
    fn scan(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        loop {
            if let Part::Reason = self.part {
                cursor.skip(VALUE);
            }
            let at = cursor.at();
            let Some(byte) = cursor.next() else {
                return Ok(false);
            };
            self.part = match self.part {
                Part::Status => self.status_byte(at, byte)?,
                Part::Reason => self.end_reason(at, byte)?,
                Part::LineFeed if byte == b'\n' => return Ok(true),
                Part::LineFeed => return Err(BadRequest::BareCr),
            };
        }
    }
}

impl StatusLine {
    /// The space before the reason may be missing if there is none: many servers do so.
    fn status_byte(&mut self, at: usize, byte: u8) -> Result<Part, BadRequest> {
        match (at, byte) {
            (0, b'H') | (1 | 2, b'T') | (3, b'P') | (4, b'/') | (6, b'.') | (8, b' ') => {}
            (5, b'1') | (7, b'0'..=b'9') => {}
            (5, b'0'..=b'9') => return Err(BadRequest::UnsupportedVersion),
            (9, b'1'..=b'9') | (10 | 11, b'0'..=b'9') => {
                self.status = self.status * 10 + u16::from(byte - b'0');
            }
            (12, b' ') => {
                self.reason = Span::new(at + 1, at + 1);
                return Ok(Part::Reason);
            }
            (12, b'\r') => return Ok(Part::LineFeed),
            _ => return Err(BadRequest::StatusLine),
        }
        Ok(Part::Status)
    }

    fn end_reason(&mut self, at: usize, byte: u8) -> Result<Part, BadRequest> {
        self.reason = Span::new(self.reason.from as usize, at);
        match byte {
            b'\r' => Ok(Part::LineFeed),
            b'\n' => Err(BadRequest::BareLf),
            _ => Err(BadRequest::StatusLine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_head: 256,
        max_fields: 3,
    };

    /// Status, reason and bytes used, or why not; the same however it is cut.
    fn read(input: &[u8]) -> Result<Option<(u16, String, usize)>, BadRequest> {
        let whole = read_cut(input, input.len().max(1));
        for size in 1..8 {
            assert_eq!(read_cut(input, size), whole, "cut every {size}");
        }
        whole
    }

    fn read_cut(input: &[u8], size: usize) -> Result<Option<(u16, String, usize)>, BadRequest> {
        let mut parser = ResponseParser::new(LIMITS);
        let mut used = 0;
        for piece in input.chunks(size) {
            let progress = parser.push(piece)?;
            used += progress.used;
            if let Some(head) = progress.head {
                return Ok(Some((head.status(), head.reason().to_owned(), used)));
            }
        }
        Ok(None)
    }

    #[test]
    fn good_status_lines_are_read() {
        let cases: [(&[u8], u16, &str); 6] = [
            (
                b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
                101,
                "Switching Protocols",
            ),
            (b"HTTP/1.1 101 \r\nA: b\r\n\r\n\x81\x00", 101, ""),
            (b"HTTP/1.1 200\r\n\r\n", 200, ""),
            (b"HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found"),
            (b"HTTP/1.9 999 \xC3\xA9\r\n\r\n", 999, "\u{e9}"),
            (b"HTTP/1.1 503 \xFF\r\n\r\n", 503, ""),
        ];
        for (input, status, reason) in cases {
            let end = input
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
                .unwrap()
                + 4;
            let expected = Ok(Some((status, reason.to_owned(), end)));
            assert_eq!(read(input), expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn bad_answers_are_refused() {
        use BadRequest::*;
        let long = [b"HTTP/1.1 200 ".as_slice(), &[b'a'; 256]].concat();
        let cases: [(&[u8], BadRequest); 19] = [
            (b"\r\nHTTP/1.1 101 a\r\n\r\n", StatusLine),
            (b"http/1.1 101 a\r\n\r\n", StatusLine),
            (b"HTTP/2.0 101 a\r\n\r\n", UnsupportedVersion),
            (b"HTTP/1.1  101 a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 1011 a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 10 a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 099 a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 +99 a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 101\t a\r\n\r\n", StatusLine),
            (b"HTTP/1.1 101 a\0\r\n\r\n", StatusLine),
            (b"HTTP/1.1 101 a\n\n", BareLf),
            (b"HTTP/1.1 101\n\n", StatusLine),
            (b"HTTP/1.1 101 a\ra", BareCr),
            (b"HTTP/1.1 101 a\r\n b\r\n", FoldedLine),
            (b"HTTP/1.1 101 a\r\na : b\r\n", SpaceBeforeColon),
            (b"HTTP/1.1 101 a\r\na: b\n", BareLf),
            (b"HTTP/1.1 101 a\r\na: b\0", FieldValue),
            (
                b"HTTP/1.1 101 a\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n",
                TooManyFields,
            ),
            (&long, HeadTooLarge),
        ];
        for (input, expected) in cases {
            assert_eq!(read(input), Err(expected), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn the_fields_of_an_answer_are_read_like_those_of_a_request() {
        let input = b"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\na: 1, 2\r\nA: \xFF,3\r\n\r\n";
        let head = ResponseParser::new(LIMITS)
            .push(input)
            .unwrap()
            .head
            .unwrap();
        assert!(head.has_token("upgrade", "websocket"));
        assert_eq!(head.fields.list("a").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(head.header("a"), Some("1, 2"));
        assert_eq!(head.header_values("a").nth(1), Some(b"\xFF,3".as_slice()));
    }
}
