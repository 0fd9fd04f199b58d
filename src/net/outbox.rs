//! Bytes on their way to one peer, in order, and where one message ends and the next begins.
//!
//! Within a turn an outbox is *flowing*: a few ranges of the turn's shared [`Log`], or whole shared
//! buffers. Once the kernel refuses to take more it is *congested*: what is left is detached from
//! the log, and what comes later is copied behind it. Only then does it matter where messages end
//! (control frames go between them, a drop policy drops whole ones), and only then is it looked up,
//! by walking the frames with a [`Measure`].

mod older;

use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

use self::older::Older;
use super::parts::Parts;
use super::segment::{Log, Segment, Span};

/// What takes bytes: a stream, or what a test puts in its place.
pub(super) trait Sink {
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// One message in a run of queued bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its length in bytes.
    pub(crate) len: usize,
    /// Whether it is control traffic: never dropped, and allowed to overtake.
    pub(crate) control: bool,
}

/// Measures the message at the front of bytes that were queued. The front is always one's beginning.
pub(crate) type Measure = fn(&[u8]) -> Unit;

/// What one write has written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Bytes.
    pub(super) len: usize,
    /// That was all there is.
    pub(super) all: bool,
}

/// Bytes on their way to one peer.
///
/// ```text
///  front                                              back
///  ┌───────┬──────────────────────────────┬─────────────┐
///  │ uncut │ older: Own, Shared, Log, …   │ recent: Log │
///  └───────┴──────────────────────────────┴─────────────┘
///   the rest of a message that is partly written
/// ```
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What was queued last. Many a turn this is all there is, and takes no memory.
    recent: Span,
    /// Bytes at the front that nothing may come between, and that are never dropped.
    uncut: Uncut,
    older: Option<Box<Older>>,
}

/// Bytes that are one piece, and whether that is a message of the application: in one word, because
/// every connection has one.
#[derive(Clone, Copy, Default)]
struct Uncut(u32);

impl Uncut {
    /// The top bit.
    const COUNTS: u32 = 1 << 31;

    /// A piece of 2 GiB or more, which only an HTTP response can be, is not known to its end: nothing
    /// comes between those anyway.
    fn new(len: usize, counts: bool) -> Self {
        let len = u32::try_from(len).map_or(!Self::COUNTS, |len| len & !Self::COUNTS);
        Self(if counts { len | Self::COUNTS } else { len })
    }

    fn len(self) -> usize {
        (self.0 & !Self::COUNTS) as usize
    }

    fn counts(self) -> bool {
        self.0 & Self::COUNTS != 0
    }

    fn minus(self, n: usize) -> Self {
        Self::new(self.len().saturating_sub(n), self.counts())
    }
}

impl std::fmt::Debug for Uncut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, counts: {}", self.len(), self.counts())
    }
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.older.is_none()
    }

    /// Memory that what is left here keeps, in bytes. The log does not count.
    pub(super) fn weight(&self) -> usize {
        self.older.as_ref().map_or(0, |older| older.weight)
    }

    /// Its part of that memory: of a buffer that several share, as much as each of the others.
    pub(super) fn share(&self) -> usize {
        let older = self.older.iter().flat_map(|older| &older.segments);
        older.map(Segment::share).sum()
    }

    /// Grows what was queued last up to `end`: all that lies there in the log is for this outbox.
    pub(super) fn extend_to(&mut self, end: u32) {
        self.recent.extend_to(end);
    }

    /// Whether what was queued last is a range of the log that ends there.
    pub(super) fn ends_at(&self, end: u32) -> bool {
        self.recent.ends_at(end)
    }

    /// Queues a range of the log where nothing is queued yet.
    #[inline]
    pub(super) fn begin(&mut self, span: Span) {
        debug_assert!(self.is_empty(), "something is queued already");
        self.recent = span;
    }

    /// Queues a range of the log.
    #[inline]
    pub(super) fn push_span(&mut self, span: Span) {
        if !self.recent.extend(span) {
            self.retire_recent();
            self.recent = span;
        }
    }

    /// Queues a buffer that others may share.
    pub(super) fn push_shared(&mut self, bytes: Rc<Vec<u8>>) {
        self.retire_recent();
        self.older().push(Segment::shared(bytes));
    }

    /// Queues a copy, behind what the kernel has refused.
    pub(super) fn push_copy(&mut self, parts: Parts<'_>) {
        let older = self.older();
        let last = older.segments.back();
        if !matches!(last, Some(Segment::Own { control: false, .. })) {
            older.push(Segment::own(Vec::new()));
        }
        older.change(older.segments.len() - 1, |segment| {
            if let Segment::Own { bytes, .. } = segment {
                parts.append_to(bytes);
            }
        });
    }

    /// Says that the last `len` bytes belong to one piece with all before them, which is no message
    /// of the application: an HTTP response, say.
    pub(super) fn seal(&mut self, len: usize) {
        self.uncut = Uncut::new(self.uncut.len() + len, false);
    }

    /// Queues control traffic ahead of the messages that wait, when the kernel has refused some.
    ///
    /// It goes behind the message that is partly written, and behind earlier control traffic: all of
    /// that is one segment, so a flood of pings costs its bytes and no more.
    pub(super) fn interject(&mut self, parts: Parts<'_>) {
        let index = self.cut();
        let older = self.older();
        if !older.segments.get(index).is_some_and(Segment::is_control) {
            older.insert(index, Segment::control(Vec::new()));
        }
        older.change(index, |segment| {
            if let Segment::Own { bytes, .. } = segment {
                parts.append_to(bytes);
            }
        });
    }

    /// Whether there is control traffic that went ahead.
    pub(super) fn has_control(&self) -> bool {
        let mut older = self.older.iter().flat_map(|older| &older.segments);
        older.any(Segment::is_control)
    }

    /// How many bytes are not written yet.
    pub(super) fn len(&self) -> usize {
        let older = self.older.iter().flat_map(|older| &older.segments);
        older.map(Segment::len).sum::<usize>() + self.recent.len()
    }

    /// Keeps `len` until this is asked again or nothing is left; gives what was kept.
    pub(super) fn remember(&mut self, len: usize) -> usize {
        let older = self.older.as_mut();
        older.map_or(usize::MAX, |older| {
            std::mem::replace(&mut older.remembered, len)
        })
    }

    /// Drops whole messages, the oldest first, until the weight is at most `target` or none is left.
    /// Returns how many were dropped.
    pub(super) fn drop_oldest(&mut self, target: usize, measure: Measure) -> usize {
        let mut index = self.cut();
        let older = self.older();
        let mut dropped = 0;
        while older.weight > target && index < older.segments.len() {
            if older.segments.get(index).is_some_and(Segment::is_control) {
                index += 1;
                continue;
            }
            match older.take_unit(index, measure) {
                Some((unit, segment)) if unit.control => {
                    older.insert(index, segment);
                    index += 1;
                }
                Some(_) => dropped += 1,
                None => break,
            }
        }
        if older.segments.is_empty() {
            self.older = None;
        }
        dropped
    }

    /// How many messages of the application wait here, one that is partly written included.
    pub(super) fn messages(&self, log: &Log, measure: Measure) -> usize {
        let older = self
            .older
            .iter()
            .flat_map(|older| older.segments.iter().map(|s| s.bytes(log)));
        let mut skip = self.uncut.len();
        let mut count = usize::from(skip > 0 && self.uncut.counts());
        for mut bytes in older.chain([log.slice(self.recent)]) {
            let skipped = skip.min(bytes.len());
            skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            while !bytes.is_empty() {
                let unit = measure(bytes);
                count += usize::from(!unit.control);
                bytes = bytes.get(unit.len.max(1)..).unwrap_or_default();
            }
        }
        count
    }

    /// Writes as much as the kernel takes. `true` when nothing is left, `false` when it refused.
    #[cfg(test)]
    pub(super) fn write(
        &mut self,
        sink: &impl Sink,
        log: &Log,
        measure: Measure,
    ) -> io::Result<bool> {
        let first = self.write_once(sink, log);
        self.write_on(first, sink, log, measure)
    }

    /// Takes note of what [`write_once`](Self::write_once) has written, and writes on: as much as the
    /// kernel takes. `true` when nothing is left, `false` when it refused.
    #[inline(never)]
    pub(super) fn write_on(
        &mut self,
        mut written: io::Result<Written>,
        sink: &impl Sink,
        log: &Log,
        measure: Measure,
    ) -> io::Result<bool> {
        loop {
            match written {
                Ok(Written { all: true, .. }) => {
                    self.clear();
                    return Ok(true);
                }
                Ok(Written { len: 0, .. }) => return Err(ErrorKind::WriteZero.into()),
                Ok(Written { len, .. }) => self.consume(len, log, measure),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            written = self.write_once(sink, log);
        }
    }

    /// Writes a message from where it lies, behind nothing: what the kernel refuses of it is copied.
    /// `true` when it took all.
    pub(super) fn write_through(&mut self, sink: &impl Sink, parts: Parts<'_>) -> io::Result<bool> {
        let bytes = parts.head.bytes();
        let head = parts.head.of(&bytes);
        let slices = [IoSlice::new(head), IoSlice::new(parts.body)];
        let written = loop {
            match sink.write_vectored(&slices) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => break n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break 0,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        };
        if written < parts.len() {
            let mut rest = head.get(written..).unwrap_or_default().to_vec();
            let of_body = written.saturating_sub(head.len());
            rest.extend_from_slice(parts.body.get(of_body..).unwrap_or_default());
            if written > 0 {
                self.uncut = Uncut::new(rest.len(), true);
            }
            self.push_shared(Rc::new(rest));
        }
        Ok(written == parts.len())
    }

    /// Takes what is left off the log, so that it may stay beyond the turn. A log of more than
    /// `pinnable` bytes is not kept for it.
    pub(super) fn detach(&mut self, log: &mut Log, pinnable: usize) {
        self.retire_recent();
        if let Some(older) = &mut self.older {
            let segments = std::mem::take(&mut older.segments);
            older.segments = segments
                .into_iter()
                .map(|segment| segment.detach(log, pinnable))
                .collect();
            older.weight = older.segments.iter().map(Segment::weight).sum();
        }
    }

    /// Forgets everything.
    #[inline]
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// One system call, if there is anything to write.
    #[inline(always)]
    pub(super) fn write_once(&self, sink: &impl Sink, log: &Log) -> io::Result<Written> {
        let recent = log.slice(self.recent);
        let len = match &self.older {
            Some(older) => return older.write_once(sink, log, recent),
            None if recent.is_empty() => 0,
            None => sink.write(recent)?,
        };
        let all = len == recent.len();
        Ok(Written { len, all })
    }
    /// Lets go of the first `n` bytes, and finds out anew how many at the front may not be cut.
    fn consume(&mut self, mut n: usize, log: &Log, measure: Measure) {
        self.retire_recent();
        let older = self.older.get_or_insert_default();
        while let Some(len) = older.segments.front().map(Segment::len) {
            if n < len {
                break;
            }
            n -= len;
            self.uncut = self.uncut.minus(len);
            older.pop();
        }
        if let Some(front) = older.segments.front() {
            let uncut = self.uncut.len();
            self.uncut = if n < uncut {
                self.uncut.minus(n)
            } else {
                let bytes = front.bytes(log).get(uncut..).unwrap_or_default();
                rest_of_message(bytes, n - uncut, measure)
            };
            older.change(0, |segment| segment.advance(n));
        } else {
            self.clear();
        }
    }

    /// Makes the end of the uncut front the end of a segment, and gives the index behind it.
    fn cut(&mut self) -> usize {
        let mut uncut = self.uncut.len();
        let older = self.older();
        let mut index = 0;
        while uncut > 0
            && let Some(len) = older.segments.get(index).map(Segment::len)
        {
            if uncut < len {
                let front = older.change(index, |segment| segment.split_front(uncut));
                front
                    .into_iter()
                    .for_each(|segment| older.insert(index, segment.unpinned()));
            }
            uncut = uncut.saturating_sub(len);
            index += 1;
        }
        index
    }

    #[inline(never)]
    fn retire_recent(&mut self) {
        let recent = std::mem::take(&mut self.recent);
        if !recent.is_empty() {
            self.older().push(Segment::Log(recent));
        }
    }

    fn older(&mut self) -> &mut Older {
        self.older.get_or_insert_default()
    }
}

/// What is left of the message that `n` bytes from the front of `messages` end in.
fn rest_of_message(messages: &[u8], n: usize, measure: Measure) -> Uncut {
    let (mut end, mut counts) = (0, false);
    while end < n {
        let unit = measure(messages.get(end..).unwrap_or_default());
        end += unit.len.max(1);
        counts = !unit.control;
    }
    Uncut::new(end.min(messages.len()) - n.min(messages.len()), counts)
}

#[cfg(test)]
mod tests;
