//! Where queued bytes lie: in the turn's shared log, in a buffer that several share, or alone.

use std::ops::Range;
use std::rc::Rc;

use super::parts::{Parts, copy};

/// A remainder of the log shorter than this is copied out, so that it does not pin the whole log.
const WORTH_SHARING: usize = Log::LIMIT / 4;

/// What was queued in this turn, once for all who receive it.
///
/// The memory is there before it is needed, so that appending a short message is a few stores.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// All of it can be written to; what counts is `..end`.
    bytes: Vec<u8>,
    end: usize,
    frozen: Option<Rc<Vec<u8>>>,
}

impl Log {
    /// The log is written out before it grows past this many bytes.
    pub(super) const LIMIT: usize = 256 * 1024;

    /// The longest body of a short message: so much room is behind the limit, too.
    const SHORT: usize = 128;

    /// Appends `parts`, and says where.
    #[inline]
    pub(super) fn append(&mut self, parts: Parts<'_>) -> Span {
        debug_assert!(
            self.frozen.is_none(),
            "a frozen log is cleared before it is used again"
        );
        let start = self.end;
        let end = start + parts.len();
        if !self.write(parts) {
            self.provide(end);
            self.write(parts);
        }
        self.end = end;
        Span {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// Appends a short message if it fits.
    #[inline(always)]
    pub(super) fn try_append_short(&mut self, head: [u8; 2], body: &[u8]) -> bool {
        let room = self.bytes.get_mut(self.end..self.end + 2 + Self::SHORT);
        let room = room.and_then(|room| room.first_chunk_mut::<{ 2 + Self::SHORT }>());
        let Some([first, second, room @ ..]) = room else {
            return false;
        };
        let Some(room) = room.get_mut(..body.len()) else {
            return false;
        };
        [*first, *second] = head;
        copy(room, body);
        self.end += 2 + body.len();
        true
    }

    /// Makes room for `len` bytes, and the usual room. Fresh pages of zeros cost nothing until they
    /// are used.
    #[cold]
    fn provide(&mut self, len: usize) {
        let mut bytes = vec![0; len.max(Self::LIMIT) + Self::SHORT];
        if let (Some(to), Some(from)) = (bytes.get_mut(..self.end), self.bytes.get(..self.end)) {
            to.copy_from_slice(from);
        }
        self.bytes = bytes;
    }

    #[inline]
    fn write(&mut self, parts: Parts<'_>) -> bool {
        let room = self.bytes.get_mut(self.end..);
        room.is_some_and(|room| parts.write(room))
    }

    /// Whether `len` more bytes fit.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.end + len <= Self::LIMIT
    }

    /// Where the next message will begin.
    pub(super) fn end(&self) -> u32 {
        narrow(self.end)
    }

    pub(super) fn slice(&self, span: Span) -> &[u8] {
        self.bytes().get(span.range()).unwrap_or_default()
    }

    /// Begins anew. No outbox may hold a range of the log any more.
    pub(super) fn clear(&mut self) {
        self.frozen = None;
        self.end = 0;
    }

    fn bytes(&self) -> &[u8] {
        self.frozen.as_deref().unwrap_or(&self.bytes)
    }

    /// The log as a buffer that may outlive the turn. Nothing is appended from here to `clear`.
    fn freeze(&mut self) -> Rc<Vec<u8>> {
        let Self { bytes, end, frozen } = self;
        Rc::clone(frozen.get_or_insert_with(|| {
            let mut bytes = std::mem::take(bytes);
            bytes.truncate(*end);
            bytes.shrink_to_fit();
            Rc::new(bytes)
        }))
    }
}

/// A range of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn len(self) -> usize {
        self.range().len()
    }

    /// Whether it has bytes, and ends there.
    pub(super) fn ends_at(self, end: u32) -> bool {
        self.end == end && !self.is_empty()
    }

    /// Grows up to `end`, a place in the log where nothing of others lies before.
    pub(super) fn extend_to(&mut self, end: u32) {
        self.end = self.end.max(end);
    }

    /// Grows by `next`, if that begins where this ends.
    pub(super) fn extend(&mut self, next: Self) -> bool {
        let adjacent = self.end == next.start && !self.is_empty();
        if adjacent {
            self.end = next.end;
        }
        adjacent
    }

    pub(super) fn advance(&mut self, n: usize) {
        self.start = self.start.saturating_add(narrow(n)).min(self.end);
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The log is far shorter than 4 GiB; saturating keeps even a mistake from wrapping.
fn narrow(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A run of queued bytes. It begins at the beginning of a message, unless it is the first.
#[derive(Debug)]
pub(super) enum Segment {
    /// A range of the turn's log: only while flowing.
    Log(Span),
    /// Bytes of one outbox alone: messages, or control traffic that went ahead of them.
    Own {
        bytes: Vec<u8>,
        start: usize,
        control: bool,
    },
    /// A part of a buffer that others may share.
    Shared {
        bytes: Rc<Vec<u8>>,
        range: Range<usize>,
    },
}

impl Segment {
    pub(super) fn own(bytes: Vec<u8>) -> Self {
        Self::Own {
            bytes,
            start: 0,
            control: false,
        }
    }

    pub(super) fn control(bytes: Vec<u8>) -> Self {
        Self::Own {
            bytes,
            start: 0,
            control: true,
        }
    }

    /// Whether this is control traffic that went ahead.
    pub(super) fn is_control(&self) -> bool {
        matches!(self, Self::Own { control: true, .. })
    }

    pub(super) fn shared(bytes: Rc<Vec<u8>>) -> Self {
        let range = 0..bytes.len();
        Self::Shared { bytes, range }
    }

    pub(super) fn bytes<'a>(&'a self, log: &'a Log) -> &'a [u8] {
        match self {
            Self::Log(span) => log.slice(*span),
            Self::Own { bytes, start, .. } => bytes.get(*start..).unwrap_or_default(),
            Self::Shared { bytes, range } => bytes.get(range.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Log(span) => span.len(),
            Self::Own { bytes, start, .. } => bytes.len() - start,
            Self::Shared { range, .. } => range.len(),
        }
    }

    /// Memory that is kept for the sake of this segment, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Log(_) => 0,
            Self::Own { .. } => self.len(),
            Self::Shared { bytes, .. } => bytes.len(),
        }
    }

    /// Its part of that memory, if others keep it, too.
    pub(super) fn share(&self) -> usize {
        match self {
            Self::Shared { bytes, .. } => bytes.capacity().div_ceil(Rc::strong_count(bytes)),
            Self::Own { bytes, .. } => bytes.capacity(),
            Self::Log(_) => 0,
        }
    }

    /// Lets go of the first `n` bytes.
    pub(super) fn advance(&mut self, n: usize) {
        match self {
            Self::Log(span) => span.advance(n),
            Self::Own { bytes, start, .. } => {
                *start = (*start + n).min(bytes.len());
                if *start > bytes.len() / 2 {
                    bytes.drain(..std::mem::take(start));
                }
            }
            Self::Shared { range, .. } => range.start = (range.start + n).min(range.end),
        }
    }

    /// Splits off the first `n` bytes.
    pub(super) fn split_front(&mut self, n: usize) -> Self {
        let front = match self {
            Self::Log(span) => Self::Log(Span {
                start: span.start,
                end: span.start.saturating_add(narrow(n)).min(span.end),
            }),
            Self::Own { bytes, start, .. } => {
                Self::own(bytes.get(*start..*start + n).unwrap_or_default().to_vec())
            }
            Self::Shared { bytes, range } => Self::Shared {
                bytes: Rc::clone(bytes),
                range: range.start..(range.start + n).min(range.end),
            },
        };
        self.advance(n);
        front
    }

    /// The same bytes; a small part of a shared buffer is copied, so that it does not keep all of it.
    pub(super) fn unpinned(self) -> Self {
        match self {
            Self::Shared { bytes, range } if range.len() < bytes.len() / 4 => {
                Self::own(bytes.get(range).unwrap_or_default().to_vec())
            }
            other => other,
        }
    }

    /// The same bytes, off the log: a short remainder is copied, a long one shares the log, unless
    /// that is longer than `pinnable`.
    pub(super) fn detach(self, log: &mut Log, pinnable: usize) -> Self {
        match self {
            Self::Log(span) if span.len() >= WORTH_SHARING && log.bytes().len() <= pinnable => {
                Self::Shared {
                    bytes: log.freeze(),
                    range: span.range(),
                }
            }
            Self::Log(span) => Self::own(log.slice(span).to_vec()),
            other => other,
        }
    }
}
