//! Reads a start line, field lines and the empty line behind them (RFC 9112 §2.1, §5).
//!
//! Used for requests, for answers and (field lines alone) for trailers. Every byte is looked
//! at once, when it arrives, however the input is cut:
//!
//! ```text
//!              ┌────────────────── LF ───────────────────┐
//!              ▼                                         │
//!  start ▶ LineStart ──tchar──▶ Name ──':'──▶ Value ──CR──▶ LineEnd
//!              └──CR──▶ SectionEnd ──LF──▶ done
//! ```

use super::error::BadRequest;
use super::fields::{Field, Fields};
use super::syntax::{Cursor, TOKEN, VALUE, is};

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// In bytes, from the first of the start line to the empty line's last.
    pub(crate) max_head: usize,
    /// In field lines.
    pub(crate) max_fields: usize,
}

/// What one push has done.
#[derive(Debug)]
pub(crate) struct Progress<H> {
    /// How many bytes of the input belonged to the head: take them off its front.
    pub(crate) used: usize,
    /// The head, once its last byte has arrived.
    pub(crate) head: Option<H>,
}

/// The start line of a message: what a request and an answer differ in.
pub(super) trait StartLine: Default {
    /// Takes the line's bytes off `cursor`; true when its LF was among them.
    fn scan(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest>;
}

/// The bytes of a head so far, and where the reader stands in them.
#[derive(Debug)]
pub(super) struct HeadReader<L> {
    limits: Limits,
    bytes: Vec<u8>,
    line: L,
    has_line: bool,
    fields: FieldScanner,
}

impl<L: StartLine> HeadReader<L> {
    pub(super) fn new(limits: Limits) -> HeadReader<L> {
        HeadReader {
            limits,
            bytes: Vec::new(),
            line: L::default(),
            has_line: false,
            fields: FieldScanner::new(limits.max_fields),
        }
    }

    /// Bytes of heap memory held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.fields.lines.capacity() * size_of::<Field>()
    }

    pub(super) fn has_begun(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Takes a head off the front of `input`, or all of it if the head is longer.
    pub(super) fn push(&mut self, input: &[u8]) -> Result<Progress<(L, Fields)>, BadRequest> {
        let seen = self.bytes.len();
        let limit = self.limits.max_head.min(u32::MAX as usize);
        let window = input.get(..limit - seen.min(limit)).unwrap_or(input);
        let mut cursor = Cursor::new(window, seen);
        let complete = self.scan(&mut cursor)?;
        if !complete && cursor.at() >= limit {
            return Err(BadRequest::HeadTooLarge);
        }
        let used = cursor.at() - seen;
        self.bytes
            .extend_from_slice(input.get(..used).unwrap_or_default());
        let head = complete.then(|| self.finish());
        Ok(Progress { used, head })
    }

    fn scan(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        if !self.has_line {
            self.has_line = self.line.scan(cursor)?;
        }
        Ok(self.has_line && self.fields.scan(cursor)?)
    }

    /// Gives the head away and is ready for the next one.
    fn finish(&mut self) -> (L, Fields) {
        let done = std::mem::replace(self, HeadReader::new(self.limits));
        (done.line, Fields::new(done.bytes, done.fields.lines))
    }
}

/// Finds the field lines of a section; see the picture above.
#[derive(Debug)]
pub(super) struct FieldScanner {
    state: State,
    max_fields: usize,
    line: Field,
    lines: Vec<Field>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    LineStart,
    Name,
    Value,
    LineEnd,
    SectionEnd,
}

/// Room for the fields of a browser's handshake, so that they cost one allocation.
const USUAL_FIELDS: usize = 16;

impl FieldScanner {
    pub(super) fn new(max_fields: usize) -> FieldScanner {
        FieldScanner {
            state: State::LineStart,
            max_fields,
            line: Field::default(),
            lines: Vec::new(),
        }
    }

    /// Takes field lines off `cursor`; true when the empty line behind them was among them.
    pub(super) fn scan(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        loop {
            match self.state {
                State::Name => cursor.skip(TOKEN),
                State::Value => cursor.skip(VALUE),
                State::LineStart | State::LineEnd | State::SectionEnd => {}
            }
            let at = cursor.at() as u32;
            let Some(byte) = cursor.next() else {
                return Ok(false);
            };
            self.state = match self.state {
                State::LineStart => self.begin_line(byte, at)?,
                State::Name => self.end_name(byte, at)?,
                State::Value => self.end_value(byte, at)?,
                State::LineEnd => self.end_line(byte)?,
                State::SectionEnd if byte == b'\n' => return Ok(true),
                State::SectionEnd => return Err(BadRequest::BareCr),
            }
        }
    }

    fn begin_line(&mut self, byte: u8, at: u32) -> Result<State, BadRequest> {
        match byte {
            b'\r' => Ok(State::SectionEnd),
            b'\n' => Err(BadRequest::BareLf),
            b' ' | b'\t' => Err(BadRequest::FoldedLine),
            _ if !is(TOKEN, byte) => Err(BadRequest::FieldName),
            _ if self.lines.len() >= self.max_fields => Err(BadRequest::TooManyFields),
            _ => {
                self.line.from = at;
                Ok(State::Name)
            }
        }
    }

    fn end_name(&mut self, byte: u8, at: u32) -> Result<State, BadRequest> {
        self.line.colon = at;
        match byte {
            b':' => Ok(State::Value),
            b' ' | b'\t' => Err(BadRequest::SpaceBeforeColon),
            b'\n' => Err(BadRequest::BareLf),
            _ => Err(BadRequest::FieldName),
        }
    }

    fn end_value(&mut self, byte: u8, at: u32) -> Result<State, BadRequest> {
        self.line.to = at;
        match byte {
            b'\r' => Ok(State::LineEnd),
            b'\n' => Err(BadRequest::BareLf),
            _ => Err(BadRequest::FieldValue),
        }
    }

    fn end_line(&mut self, byte: u8) -> Result<State, BadRequest> {
        if byte != b'\n' {
            return Err(BadRequest::BareCr);
        }
        if self.lines.capacity() == 0 {
            self.lines.reserve(USUAL_FIELDS);
        }
        self.lines.push(self.line);
        Ok(State::LineStart)
    }
}
