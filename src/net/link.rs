//! The writing half of every connection: what is queued, and how far the connection has come.
//!
//! All of them lie in one table, [`Links`](super::links), which the reactor shares with whoever sends. A [`Link`]
//! names one of them; one that is gone is simply not found, so a stale link can do nothing. No code
//! of the application runs while the table is borrowed.
//!
//! ```text
//!        shut                 end               written              FIN, limit or deadline
//! Open ─────────▶ Closing ─────────▶ Ending ─────────────▶ Lingering ─────────────▶ Dead
//!   └──────────────────────────────────┴── kill, or an error of the stream, from anywhere ──▶ Dead
//! ```

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use super::clock::Tick;
use super::flags::Flags;
use super::half::Half;
use super::links::Links;
use super::outbox::Measure;
pub(crate) use super::outbox::Unit;
use super::parts::Parts;
use super::slab::Key;

/// How far a connection has come. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Bytes flow both ways.
    Open,
    /// Nothing more may be queued; what the peer says is still heard.
    Closing,
    /// What is queued is written; what the peer says is discarded.
    Ending,
    /// All is written and FIN is sent; what the peer says is discarded until its FIN.
    Lingering,
    /// The connection is over.
    Dead,
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was ended in good order.
    Ended,
    /// It was cut by this side.
    Cut,
    /// The stream failed.
    Io(ErrorKind),
}

/// What became of bytes that were to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Queued,
    /// Queued, and more than half of what may wait is waiting: go slow.
    Backpressure,
    /// Not queued: too much waits, and the policy drops.
    Dropped,
    /// Not queued: too much waits, and the policy is to close.
    Overflow,
    /// Not queued: nothing may be queued any more.
    Closed,
}

/// What happens to a message for a peer that does not read fast enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The connection is closed with 1013.
    #[default]
    Close,
    /// The message is dropped.
    DropNewest,
    /// Messages that wait are dropped, the oldest first, until there is room.
    DropOldest,
}

/// The numbers that all links obey.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes that may wait for a peer after the kernel has refused them.
    pub(crate) max_backpressure: usize,
    pub(crate) overflow: Overflow,
    /// How long an ended connection may take to write the rest and to hear the peer's FIN.
    pub(crate) linger: Duration,
    /// Bytes that all connections together may keep.
    pub(crate) memory_budget: usize,
    pub(crate) measure: Measure,
}

impl Links {
    /// The link of that key.
    #[inline]
    pub(crate) fn link(&self, key: Key) -> Link<'_> {
        Link { links: self, key }
    }
}

/// One connection, seen from the writing side. A stale one does nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    links: &'a Links,
    key: Key,
}

impl Link<'_> {
    pub(crate) fn stage(self) -> Stage {
        self.links
            .table()
            .halves
            .get(self.key)
            .map_or(Stage::Dead, Half::stage)
    }

    pub(crate) fn is_open(self) -> bool {
        self.stage() == Stage::Open
    }

    /// Bytes that the kernel has refused, and what they pin.
    pub(crate) fn backlog(self) -> usize {
        self.links
            .table()
            .halves
            .get(self.key)
            .map_or(0, |half| half.outbox.weight())
    }

    /// Whether the peer is not read until it reads what waits for it.
    pub(crate) fn is_stalled(self) -> bool {
        let table = self.links.table();
        table
            .halves
            .get(self.key)
            .is_some_and(|half| half.flags.has(Flags::STALLED))
    }

    /// Whether control traffic that went ahead of messages has to wait itself.
    pub(crate) fn has_control_waiting(self) -> bool {
        let table = self.links.table();
        let half = table.halves.get(self.key);
        half.is_some_and(|half| half.outbox.has_control())
    }

    /// Bytes that are queued and not written.
    pub(crate) fn unwritten(self) -> usize {
        let table = self.links.table();
        table
            .halves
            .get(self.key)
            .map_or(0, |half| half.outbox.len())
    }

    /// Queues a short message if this link sent last and nothing has happened since. `false` if not, and
    /// nothing was done: then try [`send_first`](Self::send_first).
    #[inline(always)]
    pub(crate) fn send_next(self, head: [u8; 2], body: &[u8]) -> bool {
        self.links.send_next(self.key, head, body)
    }

    /// Queues a short message if it is the first of this turn and there is nothing to it. `false` if not,
    /// and nothing was done: then [`send`](Self::send) it.
    pub(crate) fn send_first(self, head: [u8; 2], body: &[u8]) -> bool {
        self.links.send_first(self.key, head, body)
    }

    /// Queues one message.
    pub(crate) fn send(self, parts: Parts<'_>) -> Sent {
        self.links.send(self.key, parts)
    }

    /// Queues one message that is encoded already.
    pub(crate) fn send_encoded(self, frame: &Rc<Vec<u8>>) -> Sent {
        self.links.table().send_encoded(self.key, frame)
    }

    /// Queues control traffic, which no limit holds back. `false` if nothing may be queued.
    ///
    /// With `overtake` it goes ahead of messages that the kernel has refused.
    pub(crate) fn send_control(self, overtake: bool, parts: Parts<'_>) -> bool {
        self.links.table().send_control(self.key, overtake, parts)
    }

    /// Queues bytes that are no messages, one piece with all that was queued before.
    pub(crate) fn send_raw(self, bytes: Vec<u8>) -> bool {
        self.links.table().send_raw(self.key, bytes)
    }

    /// Lets nothing more be queued. The peer is still heard.
    pub(crate) fn shut(self) {
        self.links.table().shut(self.key);
    }

    /// Whether the peer still reads what is left for it: 16 KiB at least since this was last asked, or since
    /// nothing more may be queued.
    pub(crate) fn still_reads(self) -> bool {
        let mut table = self.links.table();
        table
            .halves
            .get_mut(self.key)
            .is_some_and(Half::still_reads)
    }

    /// Writes what is queued, then disconnects. With `linger` the peer's FIN is waited for, so that
    /// what it is still sending does not destroy what we have written.
    pub(crate) fn end(self, linger: bool) {
        self.links.table().end(self.key, linger);
    }

    /// Disconnects, whatever is queued.
    pub(crate) fn kill(self) {
        self.links.table().die(self.key, Cause::Cut);
    }

    /// Drops what waits, but for a message that is partly written and control traffic.
    pub(crate) fn drop_waiting(self) {
        self.links.table().drop_waiting(self.key);
    }

    /// Sees to it that [`Protocol::timeout`](super::protocol::Protocol::timeout) is called at `when`
    /// or before.
    pub(crate) fn wake_at(self, when: Tick) {
        self.links.table().wake_at(self.key, when);
    }

    /// Sees to it that [`Protocol::drained`](super::protocol::Protocol::drained) is called when all
    /// that is queued is written.
    pub(crate) fn tell_when_written(self) {
        self.links.table().tell_when_written(self.key);
    }

    /// From now on, its messages are rewritten on their way out.
    pub(crate) fn veil(self) {
        if let Some(half) = self.links.table().halves.get_mut(self.key) {
            half.flags.set(Flags::VEILED, true);
        }
    }

    /// Whether its messages are rewritten on their way out: whether this side is the client.
    pub(crate) fn is_veiled(self) -> bool {
        let table = self.links.table();
        let half = table.halves.get(self.key);
        half.is_some_and(|half| half.flags.has(Flags::VEILED))
    }

    /// Why nothing can be written any more, if so.
    pub(crate) fn broken(self) -> Option<ErrorKind> {
        self.links.table().halves.get(self.key)?.broken()
    }

    /// Stops reading.
    pub(crate) fn pause(self) {
        if let Some(half) = self.links.table().halves.get_mut(self.key) {
            half.flags.set(Flags::PAUSED, true);
        }
    }

    /// Reads on, and lets the protocol have what it held back.
    pub(crate) fn resume(self) {
        let mut table = self.links.table();
        if let Some(half) = table.halves.get_mut(self.key) {
            half.flags.set(Flags::PAUSED, false);
            half.flags.set(Flags::UNREAD, true);
            table.resumed.push(self.key);
        }
    }

    /// The present moment, as of this turn.
    pub(crate) fn now(self) -> Tick {
        self.links.now()
    }
}
