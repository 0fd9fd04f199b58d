//! `GET /chat HTTP/1.1`: the start line of a request, byte by byte (RFC 9112 §3).

use super::error::BadRequest;
use super::method::Version;
use super::section::StartLine;
use super::syntax::{Cursor, Span, TARGET, TOKEN};

/// The longest method that is registered has 17 bytes.
const MAX_METHOD: usize = 32;
/// What RFC 9110 §4.1 recommends as a minimum is 8000 bytes.
const MAX_TARGET: usize = 8192;

/// The request line so far.
#[derive(Debug, Default)]
pub(super) struct RequestLine {
    part: Part,
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) version: Version,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Method,
    Target,
    /// So many bytes of `HTTP/1.1` CR LF have been seen.
    Version(u8),
}

impl StartLine for RequestLine {
    fn scan(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        loop {
            let more = match self.part {
                Part::Method => self.scan_method(cursor)?,
                Part::Target => self.scan_target(cursor)?,
                Part::Version(10) => return Ok(true),
                Part::Version(seen) => self.scan_version(seen, cursor)?,
            };
            if !more {
                return Ok(false);
            }
        }
    }
}

impl RequestLine {
    fn scan_method(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        cursor.skip(TOKEN);
        let end = cursor.at();
        if end > MAX_METHOD {
            return Err(BadRequest::MethodTooLong);
        }
        match cursor.next() {
            None => return Ok(false),
            Some(b' ') if end > 0 => self.method = Span::new(0, end),
            Some(_) => return Err(BadRequest::Method),
        }
        self.target = Span::new(end + 1, end + 1);
        self.part = Part::Target;
        Ok(true)
    }

    fn scan_target(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        cursor.skip(TARGET);
        let (from, end) = (self.target.from as usize, cursor.at());
        if end - from > MAX_TARGET {
            return Err(BadRequest::TargetTooLong);
        }
        match cursor.next() {
            None => return Ok(false),
            Some(b' ') if end > from => self.target = Span::new(from, end),
            Some(b'\r' | b'\n') => return Err(BadRequest::MissingVersion),
            Some(_) => return Err(BadRequest::Target),
        }
        self.part = Part::Version(0);
        Ok(true)
    }

    fn scan_version(&mut self, seen: u8, cursor: &mut Cursor<'_>) -> Result<bool, BadRequest> {
        let Some(byte) = cursor.next() else {
            return Ok(false);
        };
        match (seen, byte) {
            (0, b'H') | (1 | 2, b'T') | (3, b'P') | (4, b'/') | (6, b'.') => {}
            (5, b'1') => {}
            (5, b'0'..=b'9') => return Err(BadRequest::UnsupportedVersion),
            (7, b'0'..=b'9') => self.version = Version::from_minor(byte),
            (8, b'\r') | (9, b'\n') => {}
            (8, b'\n') => return Err(BadRequest::BareLf),
            (9, _) => return Err(BadRequest::BareCr),
            _ => return Err(BadRequest::Version),
        }
        self.part = Part::Version(seen + 1);
        Ok(true)
    }
}
