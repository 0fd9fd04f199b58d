//! The writing half of one connection, and what a full outbox does to a message.

use std::io::ErrorKind;
use std::rc::Rc;

use super::clock::Tick;
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
    pub(super) alarm: Option<Tick>,
    pub(super) stage: Stage,
    /// Why it is over; before that, why nothing can be written any more: what came earlier is still
    /// read.
    pub(super) cause: Cause,
    /// The kernel takes bytes, as far as is known.
    pub(super) writable: bool,
    pub(super) queued: bool,
    /// `Backpressure` was answered, so that `Drained` is owed.
    pub(super) pressed: bool,
    /// Reading is on hold until the outbox is written.
    pub(super) stalled: bool,
    /// Reading is on hold until it is resumed.
    pub(super) paused: bool,
    /// There may be more to read, and no edge will say so.
    pub(super) unread: bool,
    /// FIN or an error is waiting behind what is to be read.
    pub(super) hung_up: bool,
    /// FIN was read.
    pub(super) finished: bool,
    /// Whether to wait for the peer's FIN at the end.
    pub(super) linger: bool,
}

impl Half {
    /// That of a connection which nobody has looked at yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            outbox: Outbox::default(),
            undelivered: 0,
            discarded: 0,
            alarm: None,
            stage: Stage::Open,
            cause: Cause::Ended,
            writable: true,
            queued: false,
            pressed: false,
            stalled: false,
            paused: false,
            unread: true,
            hung_up: false,
            finished: false,
            linger: false,
        }
    }

    /// Whether nothing follows when all is written: nobody is to be told, and nothing to be ended.
    #[inline]
    pub(super) fn is_at_ease(&self) -> bool {
        self.stage == Stage::Open
            && self.cause == Cause::Ended
            && self.writable
            && !self.pressed
            && !self.stalled
    }

    /// Why nothing can be written any more, if so.
    pub(super) fn broken(&self) -> Option<ErrorKind> {
        match self.cause {
            Cause::Io(kind) => Some(kind),
            Cause::Ended | Cause::Cut => None,
        }
    }

    /// Whether the kernel has refused something that still waits.
    pub(super) fn is_congested(&self) -> bool {
        !self.writable
    }

    /// Whether the peer is to be read now.
    pub(super) fn is_readable(&self) -> bool {
        !self.paused && !self.stalled || self.stage >= Stage::Ending
    }

    /// Messages are lost that the application was told are accepted.
    pub(super) fn lose(&mut self, messages: usize) {
        self.undelivered = self
            .undelivered
            .saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
    }

    /// Whether a peer that is to read the rest still does: so many bytes since it was last asked.
    pub(super) fn still_reads(&mut self) -> bool {
        let left = self.outbox.len();
        let before = self.outbox.remember(left);
        left > 0 && left < before.saturating_sub(LINGER_PROGRESS)
    }

    pub(super) fn enqueue(&mut self, key: Key, queue: &mut Vec<Key>) {
        if !std::mem::replace(&mut self.queued, true) {
            queue.push(key);
        }
    }
}

/// Queues a message behind others that the kernel has refused, if the limits allow it.
pub(super) fn admit(
    half: &mut Half,
    limits: &Limits,
    len: usize,
    push: impl FnOnce(&mut Outbox),
) -> Sent {
    let max = limits.max_backpressure;
    if half.outbox.weight() + len > max {
        match limits.overflow {
            Overflow::Close => return Sent::Overflow,
            Overflow::DropOldest if len <= max => {
                let dropped = half.outbox.drop_oldest(max - len, limits.measure);
                half.lose(dropped);
            }
            // One that never has room makes none.
            Overflow::DropOldest | Overflow::DropNewest => {}
        }
    }
    if half.outbox.weight() + len > max {
        half.pressed = true;
        half.lose(1);
        return Sent::Dropped;
    }
    push(&mut half.outbox);
    if half.outbox.weight() <= max / 2 {
        return Sent::Queued;
    }
    half.pressed = true;
    half.stalled = true;
    Sent::Backpressure
}

/// The same for a buffer of its own, whether or not the kernel has refused something.
pub(super) fn admit_large(half: &mut Half, limits: &Limits, bytes: Rc<Vec<u8>>) -> Sent {
    if half.is_congested() {
        return admit(half, limits, bytes.len(), |outbox| {
            outbox.push_shared(bytes)
        });
    }
    half.outbox.push_shared(bytes);
    Sent::Queued
}
