//! The writing half of one connection, and what a full outbox does to a message.

use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;

use super::clock::Tick;
use super::flags::Flags;
use super::link::{Cause, Limits, Overflow, Sent, Stage};
use super::outbox::Outbox;
use super::slab::Key;
use super::stream::Stream;

/// An ended connection is given more time for the rest while the peer takes at least so many bytes of
/// it in the time for lingering.
const LINGER_PROGRESS: usize = 16 * 1024;

/// The writing half of one connection.
///
/// Every connection has one, so it is kept small: what only few need is in their outbox.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) stream: Stream,
    pub(super) outbox: Outbox,
    /// Messages that were dropped, and not yet told.
    pub(super) undelivered: u32,
    pub(super) discarded: u32,
    /// When the alarm rings, if [`Flags::ARMED`].
    alarm: Tick,
    pub(super) flags: Flags,
    stage: Stage,
    /// Why it is over; before that, why nothing can be written any more.
    pub(super) cause: Cause,
}

impl Half {
    /// That of a connection which nobody has looked at yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            outbox: Outbox::default(),
            undelivered: 0,
            discarded: 0,
            alarm: Tick::default(),
            flags: Flags::UNREAD,
            stage: Stage::Open,
            cause: Cause::Ended,
        }
    }

    pub(super) fn alarm(&self) -> Option<Tick> {
        self.flags.has(Flags::ARMED).then_some(self.alarm)
    }

    pub(super) fn set_alarm(&mut self, alarm: Option<Tick>) {
        self.flags.set(Flags::ARMED, alarm.is_some());
        self.alarm = alarm.unwrap_or_default();
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn advance(&mut self, to: Stage) {
        self.stage = self.stage.max(to);
        self.flags.set(Flags::CLOSED, self.stage > Stage::Open);
    }

    /// Whether messages can be queued, as far as the stage is concerned.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        !self.flags.has(Flags::CLOSED)
    }

    /// Whether something is queued, and nothing follows when it is written: nobody is to be told, and
    /// nothing to be ended.
    #[inline]
    pub(super) fn is_queued_and_at_ease(&self) -> bool {
        const UNEASY: Flags = Flags::CLOSED
            .and(Flags::BROKEN)
            .and(Flags::CONGESTED)
            .and(Flags::PRESSED)
            .and(Flags::STALLED);
        self.flags.of(UNEASY.and(Flags::QUEUED)) == Flags::QUEUED
    }

    /// Why nothing can be written any more, if so.
    pub(super) fn broken(&self) -> Option<ErrorKind> {
        match self.cause {
            Cause::Io(kind) if self.flags.has(Flags::BROKEN) => Some(kind),
            _ => None,
        }
    }

    /// Whether the kernel has refused something that still waits.
    #[inline]
    pub(super) fn is_congested(&self) -> bool {
        self.flags.has(Flags::CONGESTED)
    }

    /// Whether there may be something to read, and the peer is to be read now.
    #[inline]
    pub(super) fn is_to_be_read(&self) -> bool {
        const ON_HOLD: Flags = Flags::PAUSED.and(Flags::STALLED).and(Flags::EAGER);
        self.flags.has(Flags::UNREAD)
            && (!self.flags.has(ON_HOLD.and(Flags::CLOSED)) || self.is_read_although_closed())
    }

    fn is_read_although_closed(&self) -> bool {
        let is_on_hold = self.flags.has(Flags::PAUSED.and(Flags::STALLED));
        self.stage < Stage::Dead
            && !self.flags.has(Flags::EAGER)
            && (!is_on_hold || self.stage >= Stage::Ending)
    }

    /// Messages are lost that the application was told are accepted.
    pub(super) fn lose(&mut self, messages: usize) {
        self.undelivered = self
            .undelivered
            .saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
    }

    /// Messages are dropped because the peer does not read: it is told when it does.
    pub(super) fn shed(&mut self, messages: usize, tally: &Tally) {
        self.lose(messages);
        self.flags.set(Flags::PRESSED, true);
        tally.dropped(messages);
    }

    /// Whether a peer that is to read the rest still does: so many bytes since it was last asked.
    pub(super) fn still_reads(&mut self) -> bool {
        let left = self.outbox.len();
        let before = self.outbox.remember(left);
        left > 0 && left < before.saturating_sub(LINGER_PROGRESS)
    }

    pub(super) fn enqueue(&mut self, key: Key, queue: &mut Vec<Key>) {
        if !self.flags.replace(Flags::QUEUED, true) {
            queue.push(key);
        }
    }
}

/// What is counted of all links together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Messages that were dropped because a peer does not read.
    drops: Cell<u64>,
    /// Bytes that have come to wait since this was last taken.
    grown: Cell<usize>,
}

impl Tally {
    pub(super) fn drops(&self) -> u64 {
        self.drops.get()
    }

    pub(super) fn dropped(&self, messages: usize) {
        self.drops.set(self.drops.get() + messages as u64);
    }

    pub(super) fn grew(&self, bytes: usize) {
        self.grown.set(self.grown.get().saturating_add(bytes));
    }

    pub(super) fn take_grown(&self) -> usize {
        self.grown.take()
    }
}

/// Queues a message behind others that the kernel has refused, if the limits allow it.
pub(super) fn admit(
    half: &mut Half,
    limits: &Limits,
    tally: &Tally,
    len: usize,
    push: impl FnOnce(&mut Outbox),
) -> Sent {
    let max = limits.max_backpressure;
    if half.outbox.weight() + len > max {
        match limits.overflow {
            Overflow::Close => return Sent::Overflow,
            Overflow::DropOldest if len <= max => {
                let dropped = half.outbox.drop_oldest(max - len, limits.measure);
                half.shed(dropped, tally);
            }
            // One that never has room makes none.
            Overflow::DropOldest | Overflow::DropNewest => {}
        }
    }
    if half.outbox.weight() + len > max {
        half.shed(1, tally);
        return Sent::Dropped;
    }
    push(&mut half.outbox);
    tally.grew(len);
    if half.outbox.weight() <= max / 2 {
        return Sent::Queued;
    }
    half.flags.set(Flags::PRESSED.and(Flags::STALLED), true);
    Sent::Backpressure
}

/// The same for a buffer of its own, whether or not the kernel has refused something.
pub(super) fn admit_large(
    half: &mut Half,
    limits: &Limits,
    tally: &Tally,
    bytes: Rc<Vec<u8>>,
) -> Sent {
    if half.is_congested() {
        return admit(half, limits, tally, bytes.len(), |outbox| {
            outbox.push_shared(bytes)
        });
    }
    half.outbox.push_shared(bytes);
    Sent::Queued
}
