//! Reads a request body off a connection (RFC 9112 §6, §7.1). Called behind every head that
//! has one. Nothing is reserved for what is merely announced.

use super::error::BadRequest;
use super::framing::Framing;
use super::section::FieldScanner;
use super::syntax::{Cursor, VALUE};

/// In digits; sixteen are 64 bits.
const MAX_SIZE_DIGITS: u8 = 16;
/// In bytes, from the semicolon on, for one chunk.
const MAX_EXTENSION: usize = 256;
/// In bytes, for a whole body: or a body of tiny chunks would carry 256 times its size.
const MAX_EXTENSIONS: usize = 16 * 1024;
/// In bytes.
const MAX_TRAILERS: usize = 4 * 1024;
const MAX_TRAILER_FIELDS: usize = 32;

/// What one push has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyProgress {
    /// How many bytes of the input belonged to the body: take them off its front.
    pub(crate) used: usize,
    /// Whether the body is complete.
    pub(crate) done: bool,
}

/// The reader of one body.
///
/// ```text
///  Size ──';'──▶ Extension        Data ──▶ DataCr ──▶ DataLf ──▶ Size
///    └──CR──▶ SizeLf ◀──CR──┘       ▲
///               ├── size > 0 ───────┘
///               └── size = 0 ──▶ Trailers ──▶ Done
/// ```
#[derive(Debug)]
pub(crate) struct BodyReader {
    state: State,
    max_body: usize,
    /// Of the body, in bytes, as far as announced: by Content-Length or by chunk sizes.
    announced: u64,
    /// Of all chunk extensions, in bytes.
    extensions: usize,
}

#[derive(Debug)]
enum State {
    /// So many bytes, and the body ends.
    Length(u64),
    Size {
        digits: u8,
        size: u64,
    },
    /// So many bytes of one extension.
    Extension {
        size: u64,
        seen: usize,
    },
    SizeLf(u64),
    /// So many bytes, and the chunk ends.
    Data(u64),
    DataCr,
    DataLf,
    Trailers {
        scanner: FieldScanner,
        seen: usize,
    },
    Done,
}

impl BodyReader {
    /// `max_body` is in bytes, of content: without chunk sizes, extensions and trailers.
    pub(crate) fn new(framing: Framing, max_body: usize) -> BodyReader {
        let (state, announced) = match framing {
            Framing::None => (State::Done, 0),
            Framing::Length(length) => (State::Length(length), length),
            Framing::Chunked => (State::Size { digits: 0, size: 0 }, 0),
        };
        BodyReader {
            state,
            max_body,
            announced,
            extensions: 0,
        }
    }

    /// Takes body bytes off the front of `input` and appends the content to `body`.
    ///
    /// Push once before any input has come, with an empty slice: a body that its head
    /// announces as too large is refused, and one that has no bytes is done. What follows
    /// a body in `input` is the next request. Trailers are checked and dropped.
    ///
    /// # Errors
    ///
    /// Answer with [`BadRequest::status`] and close the connection; `body` is worthless then.
    pub(crate) fn push(
        &mut self,
        input: &[u8],
        body: &mut Vec<u8>,
    ) -> Result<BodyProgress, BadRequest> {
        self.check_size()?;
        let mut cursor = Cursor::new(input, 0);
        while self.step(&mut cursor, body)? {}
        Ok(BodyProgress {
            used: cursor.at(),
            done: matches!(self.state, State::Done),
        })
    }

    fn check_size(&self) -> Result<(), BadRequest> {
        match usize::try_from(self.announced) {
            Ok(size) if size <= self.max_body => Ok(()),
            _ => Err(BadRequest::BodyTooLarge),
        }
    }

    /// Goes on by one state; false when that needs more input, or when the body is done.
    fn step(&mut self, cursor: &mut Cursor<'_>, body: &mut Vec<u8>) -> Result<bool, BadRequest> {
        match &mut self.state {
            State::Done => return Ok(false),
            State::Length(0) => self.state = State::Done,
            State::Data(0) => self.state = State::DataCr,
            State::Length(left) | State::Data(left) => {
                let content = cursor.take(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= content.len() as u64;
                body.extend_from_slice(content);
                return Ok(!content.is_empty());
            }
            State::Trailers { scanner, seen } => {
                if !read_trailers(scanner, seen, cursor)? {
                    return Ok(false);
                }
                self.state = State::Done;
            }
            State::Extension { size, seen } => {
                let from = cursor.at();
                cursor.skip(VALUE);
                let (size, seen) = (*size, *seen + cursor.at() - from);
                return self.end_extension(size, seen, cursor);
            }
            _ => {
                let Some(byte) = cursor.next() else {
                    return Ok(false);
                };
                self.take(byte)?;
            }
        }
        Ok(true)
    }

    /// The states that look at one byte.
    fn take(&mut self, byte: u8) -> Result<(), BadRequest> {
        self.state = match (&self.state, byte) {
            (&State::Size { digits, size }, _) => size_byte(digits, size, byte)?,
            (&State::SizeLf(size), b'\n') => self.begin_chunk(size)?,
            (State::SizeLf(_), _) => return Err(BadRequest::BareCr),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { digits: 0, size: 0 },
            _ => return Err(BadRequest::ChunkEnd),
        };
        Ok(())
    }

    fn begin_chunk(&mut self, size: u64) -> Result<State, BadRequest> {
        if size == 0 {
            let scanner = FieldScanner::new(MAX_TRAILER_FIELDS);
            return Ok(State::Trailers { scanner, seen: 0 });
        }
        self.announced = self.announced.saturating_add(size);
        self.check_size()?;
        Ok(State::Data(size))
    }

    /// Extensions mean nothing to us, and are skipped as RFC 9112 §7.1.1 bids.
    fn end_extension(
        &mut self,
        size: u64,
        seen: usize,
        cursor: &mut Cursor<'_>,
    ) -> Result<bool, BadRequest> {
        if seen > MAX_EXTENSION || self.extensions + seen > MAX_EXTENSIONS {
            return Err(BadRequest::ChunkExtension);
        }
        match cursor.next() {
            None => self.state = State::Extension { size, seen },
            Some(b'\r') => {
                self.extensions += seen;
                self.state = State::SizeLf(size);
                return Ok(true);
            }
            Some(b'\n') => return Err(BadRequest::BareLf),
            Some(_) => return Err(BadRequest::ChunkExtension),
        }
        Ok(false)
    }
}

fn size_byte(digits: u8, size: u64, byte: u8) -> Result<State, BadRequest> {
    match (char::from(byte).to_digit(16), byte) {
        (Some(digit), _) if digits < MAX_SIZE_DIGITS => Ok(State::Size {
            digits: digits + 1,
            size: size << 4 | u64::from(digit),
        }),
        (None, b';') if digits > 0 => Ok(State::Extension { size, seen: 1 }),
        (None, b'\r') if digits > 0 => Ok(State::SizeLf(size)),
        _ => Err(BadRequest::ChunkSize),
    }
}

/// True when the trailer section is complete (RFC 9112 §7.1.2).
fn read_trailers(
    scanner: &mut FieldScanner,
    seen: &mut usize,
    cursor: &mut Cursor<'_>,
) -> Result<bool, BadRequest> {
    let room = MAX_TRAILERS - *seen;
    let input = cursor.rest();
    let mut window = Cursor::new(input.get(..room).unwrap_or(input), *seen);
    let complete = scanner.scan(&mut window)?;
    let used = window.at() - *seen;
    cursor.advance(used);
    *seen += used;
    if !complete && *seen >= MAX_TRAILERS {
        return Err(BadRequest::HeadTooLarge);
    }
    Ok(complete)
}

#[cfg(test)]
mod tests;
