//! What was queued in an outbox before its most recent range of the log: most have none.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use super::{Measure, Sink, Unit, Written};
use crate::net::segment::{Log, Segment};

/// How many pieces one vectored write takes at most.
const SLICES: usize = 64;

/// Segments in order, and what they weigh.
#[derive(Debug)]
pub(super) struct Older {
    pub(super) segments: VecDeque<Segment>,
    /// The sum of the segments' weights.
    pub(super) weight: usize,
    /// How many bytes there were when this was last asked.
    pub(super) remembered: usize,
}

impl Default for Older {
    fn default() -> Self {
        Self {
            segments: VecDeque::new(),
            weight: 0,
            remembered: usize::MAX,
        }
    }
}

impl Older {
    /// Writes these, and `recent` behind them, in one system call: as [`write_once`](super::Outbox::write_once).
    // Apart, because of the room that it needs on the stack.
    #[inline(never)]
    pub(super) fn write_once(
        &self,
        sink: &impl Sink,
        log: &Log,
        recent: &[u8],
    ) -> io::Result<Written> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut used, mut total) = (0, 0);
        let all = self
            .segments
            .iter()
            .map(|segment| segment.bytes(log))
            .chain([recent]);
        for (slice, bytes) in slices.iter_mut().zip(all) {
            *slice = IoSlice::new(bytes);
            (used, total) = (used + 1, total + bytes.len());
        }
        let len = sink.write_vectored(slices.get(..used).unwrap_or_default())?;
        let all = len == total && used == self.segments.len() + 1;
        Ok(Written { len, all })
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.insert(self.segments.len(), segment);
    }

    pub(super) fn insert(&mut self, index: usize, segment: Segment) {
        self.weight += segment.weight();
        self.segments.insert(index, segment);
    }

    pub(super) fn pop(&mut self) {
        self.remove(0);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Segment> {
        let gone = self.segments.remove(index)?;
        self.weight = self.weight.saturating_sub(gone.weight());
        Some(gone)
    }

    /// Changes one segment, and the weight with it.
    pub(super) fn change<R>(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut Segment) -> R,
    ) -> Option<R> {
        let segment = self.segments.get_mut(index)?;
        let before = segment.weight();
        let result = change(segment);
        self.weight = (self.weight + segment.weight()).saturating_sub(before);
        Some(result)
    }

    /// Takes out the message at the front of a segment.
    pub(super) fn take_unit(&mut self, index: usize, measure: Measure) -> Option<(Unit, Segment)> {
        let segment = self.segments.get(index)?;
        // What is congested is off the log.
        let unit = measure(segment.bytes(&Log::default()));
        if unit.len < segment.len() {
            let front = self.change(index, |segment| segment.split_front(unit.len.max(1)))?;
            return Some((unit, front));
        }
        self.remove(index).map(|segment| (unit, segment))
    }
}
