//! The table of writing halves, continued: writing what is queued, and ending.

use std::io::{self, ErrorKind};

use super::flags::Flags;
use super::half::Half;
use super::link::{Cause, Stage};
use super::links::{Raised, Table};
use super::outbox::Written;
use super::segment::Log;
use super::slab::Key;

/// What a lingering connection may still send before it is cut.
const LINGER_BYTES: u32 = 16 * 1024 * 1024;

impl Table {
    pub(super) fn tell_when_written(&mut self, key: Key) {
        if let Some(half) = self.halves.get_mut(key) {
            half.flags.set(Flags::PRESSED, true);
            half.enqueue(key, &mut self.queue);
        }
    }

    pub(super) fn drop_waiting(&mut self, key: Key) {
        if let Some(half) = self.halves.get_mut(key)
            && half.is_congested()
        {
            let dropped = half.outbox.drop_oldest(0, self.limits.measure);
            half.shed(dropped, &self.tally);
        }
    }

    pub(super) fn shut(&mut self, key: Key) {
        if let Some(half) = self.halves.get_mut(key) {
            half.advance(Stage::Closing);
            // What it reads of the rest counts from here.
            half.outbox.remember(half.outbox.len());
        }
    }

    pub(super) fn end(&mut self, key: Key, linger: bool) {
        let due = self.clock.tick().after(self.limits.linger);
        let Some(half) = self
            .halves
            .get_mut(key)
            .filter(|half| half.stage() < Stage::Ending)
        else {
            return;
        };
        half.advance(Stage::Ending);
        half.flags.set(Flags::LINGER, linger);
        // What it reads of the rest counts from here.
        half.outbox.remember(half.outbox.len());
        // Earlier alarms were for what the connection did before.
        half.set_alarm(None);
        half.enqueue(key, &mut self.queue);
        self.wake_at(key, due);
    }

    /// The connection is over. Only the first cause counts.
    pub(super) fn die(&mut self, key: Key, cause: Cause) {
        let Some(half) = self
            .halves
            .get_mut(key)
            .filter(|half| half.stage() < Stage::Dead)
        else {
            return;
        };
        half.advance(Stage::Dead);
        half.cause = cause;
        half.lose(half.outbox.messages(&self.log, self.limits.measure));
        half.outbox.clear();
        self.raised.push(Raised::Dead(key));
    }

    /// The peer's FIN was read. `true` the first time.
    pub(super) fn finished(&mut self, key: Key) -> bool {
        let Some(half) = self.halves.get_mut(key) else {
            return false;
        };
        let first = !half.flags.replace(Flags::FINISHED, true);
        if half.stage() >= Stage::Ending && half.outbox.is_empty() {
            self.die(key, Cause::Ended);
        }
        first
    }

    /// `n` bytes were read from a connection that is ended, and count for nothing.
    pub(super) fn discarded(&mut self, key: Key, n: usize) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        half.discarded = half
            .discarded
            .saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        if half.discarded > LINGER_BYTES {
            self.die(key, Cause::Ended);
        }
    }

    /// The kernel takes bytes again.
    pub(super) fn writable(&mut self, key: Key) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        if half.flags.replace(Flags::CONGESTED, false) {
            half.enqueue(key, &mut self.queue);
            self.flush(key);
        }
    }

    /// Writes the log out if `len` more bytes would not fit.
    pub(super) fn make_room(&mut self, len: usize) {
        if !self.log.fits(len) {
            self.flush_all();
        }
    }

    pub(super) fn count_large(&mut self, len: usize) {
        self.large += len;
        if self.large > Log::LIMIT {
            self.flush_all();
        }
    }

    /// Writes all that is queued. Runs no listener: what comes of it is raised.
    pub(super) fn flush_all(&mut self) {
        let mut next = 0;
        while let Some(key) = self.queue.get(next) {
            self.flush(*key);
            next += 1;
        }
        self.queue.clear();
        self.log.clear();
        self.large = 0;
    }

    /// Writes what one connection has queued.
    #[inline(always)]
    pub(super) fn flush(&mut self, key: Key) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        if !half.is_queued_and_at_ease() {
            return self.flush_any(key);
        }
        half.flags.set(Flags::QUEUED, false);
        // The usual case: the kernel takes all of it, and that is that.
        match half.outbox.write_once(&half.stream, &self.log) {
            Ok(Written { all: true, .. }) => half.outbox.clear(),
            other => self.flush_on(key, other),
        }
    }

    #[inline(never)]
    fn flush_any(&mut self, key: Key) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        if !half.flags.replace(Flags::QUEUED, false) || half.stage() == Stage::Dead {
            return;
        }
        if let Some(kind) = half.broken() {
            self.broke(key, kind);
        } else if !half.is_congested() {
            let first = half.outbox.write_once(&half.stream, &self.log);
            self.flush_on(key, first);
        } else {
            self.written(key, Ok(false));
        }
    }

    #[inline(never)]
    fn flush_on(&mut self, key: Key, first: io::Result<Written>) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        let measure = self.limits.measure;
        let outbox = &mut half.outbox;
        let written = outbox.write_on(first, &half.stream, &self.log, measure);
        self.written(key, written);
    }

    /// What could be written is: all of it, or the kernel has refused the rest.
    fn written(&mut self, key: Key, result: io::Result<bool>) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        match result {
            Ok(all) => {
                let was_congested = half.flags.replace(Flags::CONGESTED, !all);
                if !all {
                    half.outbox
                        .detach(&mut self.log, self.limits.max_backpressure / 2);
                }
                if !all && !was_congested {
                    self.tally.grew(half.outbox.weight());
                }
            }
            Err(e) => return self.broke(key, e.kind()),
        }
        let stalled = half.outbox.weight() > self.limits.max_backpressure / 2;
        if half.flags.replace(Flags::STALLED, stalled) && !stalled {
            self.resumed.push(key);
        }
        if half.is_congested() {
            return;
        }
        if half.flags.replace(Flags::PRESSED, false) && half.stage() <= Stage::Closing {
            self.raised.push(Raised::Drained(key));
        }
        if half.stage() == Stage::Ending {
            self.all_is_written(key);
        }
    }

    /// Nothing can be written any more. What the peer had sent before is still heard; where that
    /// ends, the connection is over.
    pub(super) fn broke(&mut self, key: Key, kind: ErrorKind) {
        let half = self.halves.get_mut(key);
        let Some(half) =
            half.filter(|half| half.stage() < Stage::Ending && !half.flags.has(Flags::PAUSED))
        else {
            return self.die(key, Cause::Io(kind));
        };
        half.lose(half.outbox.messages(&self.log, self.limits.measure));
        half.outbox.clear();
        half.cause = Cause::Io(kind);
        half.flags.set(Flags::STALLED, false);
        let read_on = Flags::BROKEN.and(Flags::UNREAD).and(Flags::HUNG_UP);
        half.flags.set(read_on, true);
        self.resumed.push(key);
    }

    /// There is nothing more to read now.
    pub(super) fn is_read(&mut self, key: Key) {
        if let Some(kind) = self.halves.get(key).and_then(Half::broken) {
            self.die(key, Cause::Io(kind));
        }
    }

    /// An ended connection has written everything.
    fn all_is_written(&mut self, key: Key) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        let is_done = half.flags.has(Flags::FINISHED) || !half.flags.has(Flags::LINGER);
        // A client leaves the first FIN to the server, which so bears TIME_WAIT (RFC 6455 §7.1.1).
        let waits = half.flags.has(Flags::VEILED);
        if is_done || !waits && half.stream.finish().is_err() {
            return self.die(key, Cause::Ended);
        }
        half.advance(Stage::Lingering);
        half.flags.set(Flags::UNREAD, true);
        self.resumed.push(key);
    }

    /// Memory that is kept for what waits, in bytes; what several share counts once.
    pub(super) fn waiting(&self) -> usize {
        self.halves
            .iter()
            .map(|(_, half)| half.outbox.share())
            .sum()
    }

    /// Who has something waiting: its share of the memory and the key, the largest first.
    pub(super) fn backlogs(&self) -> Vec<(usize, Key)> {
        let all = self.halves.iter();
        let all = all.map(|(key, half)| (half.outbox.share(), key));
        let mut backlogs: Vec<_> = all.filter(|(share, _)| *share > 0).collect();
        backlogs.sort_unstable_by(|one, other| other.cmp(one));
        backlogs
    }

    /// Whether there is something to do before waiting.
    pub(super) fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !self.raised.is_empty() || !self.resumed.is_empty()
    }

    /// Messages that were dropped since this was last asked.
    pub(super) fn take_undelivered(&mut self, key: Key) -> usize {
        self.halves
            .get_mut(key)
            .map_or(0, |half| std::mem::take(&mut half.undelivered) as usize)
    }

    pub(super) fn cause(&self, key: Key) -> Cause {
        self.halves.get(key).map_or(Cause::Cut, |half| half.cause)
    }
}
