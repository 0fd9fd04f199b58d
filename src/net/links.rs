//! The table of all writing halves of a reactor, and queueing. Writing and ending are in [`writing`](super::writing).

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use super::budget::Budget;
use super::clock::{Clock, Tick};
use super::flags::Flags;
use super::half::{Half, Tally, admit};
use super::link::{Cause, Limits, Sent};
use super::memory::{Network, Time};
use super::parts::Parts;
use super::segment::{Log, Span};
use super::slab::{Key, Slab};
use super::stream::Stream;
use super::veil::{Cover, Veil};

/// What writing brought about, to be told when no listener runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    Drained(Key),
    Dead(Key),
}

/// A message of this many bytes or more is written at once, from where it lies.
const LARGE: usize = 64 * 1024;

/// So many bytes of the log are still in the processor's second cache when they are written.
const CACHED: u32 = 64 * 1024;

/// No key.
const NOBODY: u64 = u64::MAX;

/// The writing halves of a reactor.
#[derive(Debug)]
pub(crate) struct Links {
    table: RefCell<Table>,
    /// Who may go on writing to the log, and nothing else need be looked at: it is open, not
    /// congested, and queued, and what it has queued last reaches to where the log ended when it
    /// became warm. All that was appended since is its own.
    ///
    /// [`Key::bits`], or [`NOBODY`]. Whoever borrows the table by [`table`](Self::table) finds nobody
    /// warm, and all outboxes up to date.
    warm: Cell<u64>,
    /// What time it is, for everything that counts on it.
    pub(crate) time: Time,
    /// The network in memory that connections are made over, if it is not the system's.
    pub(super) network: OnceCell<Network>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) halves: Slab<Half>,
    /// Links with something to write.
    pub(super) queue: Vec<Key>,
    pub(super) log: Log,
    /// Bytes queued in large buffers since all was last written.
    pub(super) large: usize,
    pub(super) raised: Vec<Raised>,
    /// Links whose reading was on hold and may go on.
    pub(super) resumed: Vec<Key>,
    pub(super) alarms: BinaryHeap<Reverse<(u64, Key)>>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) tally: Tally,
    pub(super) budget: Budget,
    pub(super) veil: Veil,
}

impl Links {
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        let time = Time::default();
        let table = Table {
            halves: Slab::default(),
            queue: Vec::new(),
            log: Log::default(),
            large: 0,
            raised: Vec::new(),
            resumed: Vec::new(),
            alarms: BinaryHeap::new(),
            clock: Clock::new(time.now()),
            limits,
            tally: Tally::default(),
            budget: Budget::new(limits.memory_budget),
            veil: Veil::default(),
        };
        Rc::new(Self {
            table: RefCell::new(table),
            warm: Cell::new(NOBODY),
            time,
            network: OnceCell::new(),
        })
    }

    /// Adds a connection that no reactor serves.
    #[cfg(feature = "bench")]
    pub(crate) fn connect(&self, stream: Stream) -> Option<Key> {
        self.table().insert(stream)
    }

    /// Writes all that is queued, as at the end of a turn.
    #[cfg(feature = "bench")]
    pub(crate) fn flush(&self) {
        self.table().flush_all();
    }

    /// How messages of veiled links are rewritten from now on.
    pub(crate) fn set_veil(&self, cover: Cover) {
        self.table().veil.set(cover);
    }

    pub(crate) fn now(&self) -> Tick {
        self.table.borrow().clock.tick()
    }

    /// The time since the reactor began, as of this turn.
    pub(crate) fn uptime(&self) -> Duration {
        self.table.borrow().clock.uptime()
    }

    /// How many messages were dropped so far because a peer does not read, whatever the policy.
    pub(crate) fn backpressure_drops(&self) -> u64 {
        self.table.borrow().tally.drops()
    }

    /// Whether all connections together keep more memory than they may: no new ones are to be taken.
    pub(crate) fn is_over_budget(&self) -> bool {
        self.table.borrow().budget.is_exceeded()
    }

    /// How many times a connection had to give up what waited for it, because all kept too much.
    pub(crate) fn shed(&self) -> u64 {
        self.table.borrow().budget.shed
    }

    /// Memory that is kept for what waits to be written, in bytes.
    pub(crate) fn waiting(&self) -> usize {
        self.table.borrow().waiting()
    }

    /// Queues one message to many, encoded once; returns how many were reached. Those that are to be
    /// closed because too much waits for them are added to `over`.
    pub(crate) fn send_to_all(
        &self,
        members: impl Iterator<Item = u32>,
        parts: Parts<'_>,
        over: &mut Vec<Key>,
    ) -> usize {
        self.table().send_to_all(members, parts, over)
    }

    /// Queues a short message of the one that sent last, if it has not been looked at since: then it
    /// need not be looked up again. `false` if anything else is so, and nothing was done.
    ///
    /// Most answers of a pipelining peer go this way.
    #[inline(always)]
    pub(super) fn send_next(&self, key: Key, head: [u8; 2], body: &[u8]) -> bool {
        self.warm.get() == key.bits() && self.table.borrow_mut().log.try_append_short(head, body)
    }

    /// Queues a short message of one that has nothing queued yet, if there is nothing to it. `false` if
    /// there is, and nothing was done.
    pub(super) fn send_first(&self, key: Key, head: [u8; 2], body: &[u8]) -> bool {
        let queued = self.table().append_first(key, head, body);
        if queued {
            self.warm.set(key.bits());
        }
        queued
    }

    /// Queues one message.
    pub(super) fn send(&self, key: Key, parts: Parts<'_>) -> Sent {
        let mut table = self.table();
        let sent = table.send(key, parts);
        if sent == Sent::Queued && table.ends_log(key) {
            self.warm.set(key.bits());
        }
        sent
    }

    /// Writes all that is queued if it is so much that it would soon fall out of the nearest caches.
    #[inline]
    pub(super) fn write_while_warm(&self) {
        if self.table.borrow().log.end() > CACHED {
            self.table().flush_all();
        }
    }

    /// The table, up to date.
    #[inline]
    pub(super) fn table(&self) -> RefMut<'_, Table> {
        let mut table = self.table.borrow_mut();
        if self.warm.get() != NOBODY {
            table.take_in(Key::of(self.warm.replace(NOBODY)));
        }
        table
    }
}

impl Table {
    /// Adds a connection.
    pub(super) fn insert(&mut self, stream: Stream) -> Option<Key> {
        self.halves.insert(Half::new(stream))
    }

    /// Takes into the outbox of that link what was appended to the log since it queued something.
    fn take_in(&mut self, warm: Key) {
        if let Some(half) = self.halves.get_mut(warm) {
            half.outbox.extend_to(self.log.end());
        }
    }

    /// Whether what that link has queued last is the end of the log.
    fn ends_log(&self, key: Key) -> bool {
        let half = self.halves.get(key);
        half.is_some_and(|half| {
            half.flags.of(Flags::QUEUED.and(Flags::VEILED)) == Flags::QUEUED
                && half.outbox.ends_at(self.log.end())
        })
    }

    /// The writing half of a connection to which messages may be queued.
    #[inline]
    pub(super) fn open(halves: &mut Slab<Half>, key: Key) -> Option<&mut Half> {
        halves.get_mut(key).filter(|half| half.is_open())
    }

    /// Queues a short message if the connection is open and not congested, has nothing queued yet, and
    /// there is room in the log.
    #[inline(always)]
    fn append_first(&mut self, key: Key, head: [u8; 2], body: &[u8]) -> bool {
        const OTHERWISE: Flags = Flags::CLOSED
            .and(Flags::CONGESTED)
            .and(Flags::QUEUED)
            .and(Flags::VEILED);
        let Some(half) = self.halves.get_mut(key) else {
            return false;
        };
        let start = self.log.end();
        if half.flags.has(OTHERWISE) || !self.log.try_append_short(head, body) {
            return false;
        }
        half.flags.set(Flags::QUEUED, true);
        half.outbox.begin(Span::new(start, self.log.end()));
        self.queue.push(key);
        true
    }

    /// Queues one message.
    pub(super) fn send(&mut self, key: Key, parts: Parts<'_>) -> Sent {
        if parts.len() >= LARGE {
            return self.send_large(key, parts);
        }
        self.make_room(parts.len());
        let Some(half) = Self::open(&mut self.halves, key) else {
            return Sent::Closed;
        };
        if half.flags.has(Flags::CONGESTED.and(Flags::VEILED)) {
            return self.send_own(key, parts);
        }
        half.outbox.push_span(self.log.append(parts));
        half.enqueue(key, &mut self.queue);
        Sent::Queued
    }

    /// Queues one message in bytes of its own: it has to wait, or is not what travels.
    #[inline(never)]
    pub(super) fn send_own(&mut self, key: Key, parts: Parts<'_>) -> Sent {
        let Ok(veiled) = self.veiled(key, parts) else {
            return Sent::Closed;
        };
        let Some(half) = Self::open(&mut self.halves, key) else {
            return Sent::Closed;
        };
        if half.is_congested() {
            let parts = veiled.as_deref().map_or(parts, Parts::whole);
            return admit(half, &self.limits, &self.tally, parts.len(), |outbox| {
                outbox.push_copy(parts);
            });
        }
        // Not to the log: one message for many may be on its way there.
        let bytes = veiled.unwrap_or_else(|| parts.to_vec());
        half.outbox.push_shared(Rc::new(bytes));
        half.enqueue(key, &mut self.queue);
        Sent::Queued
    }

    /// What a message becomes if the link is veiled. If that cannot be done, the connection is over.
    fn veiled(&mut self, key: Key, parts: Parts<'_>) -> Result<Option<Vec<u8>>, ()> {
        let half = self.halves.get(key);
        if !half.is_some_and(|half| half.flags.has(Flags::VEILED)) {
            return Ok(None);
        }
        let veiled = self.veil.cover(&parts.to_vec());
        if veiled.is_none() {
            self.die(key, Cause::Io(ErrorKind::Other));
        }
        veiled.map(Some).ok_or(())
    }

    /// Writes a message behind all that was queued before, without a copy of what the kernel takes.
    fn send_large(&mut self, key: Key, parts: Parts<'_>) -> Sent {
        match Self::open(&mut self.halves, key) {
            None => return Sent::Closed,
            Some(half) if half.flags.has(Flags::VEILED) => return self.send_own(key, parts),
            Some(_) => {}
        }
        self.flush(key);
        let Some(half) = Self::open(&mut self.halves, key) else {
            return Sent::Closed;
        };
        if half.broken().is_some() {
            half.lose(1);
            return Sent::Queued;
        }
        if half.is_congested() {
            return admit(half, &self.limits, &self.tally, parts.len(), |outbox| {
                outbox.push_shared(Rc::new(parts.to_vec()));
            });
        }
        match half.outbox.write_through(&half.stream, parts) {
            Ok(all) => {
                self.tally.grew(half.outbox.weight());
                let much = half.outbox.weight() > self.limits.max_backpressure / 2;
                half.flags.set(Flags::CONGESTED, !all);
                half.flags.set(Flags::STALLED, much);
            }
            Err(e) => {
                half.lose(1);
                self.broke(key, e.kind());
            }
        }
        Sent::Queued
    }

    pub(super) fn send_control(&mut self, key: Key, overtake: bool, parts: Parts<'_>) -> bool {
        let Ok(veiled) = self.veiled(key, parts) else {
            return false;
        };
        let parts = veiled.as_deref().map_or(parts, Parts::whole);
        self.make_room(parts.len());
        let Some(half) = Self::open(&mut self.halves, key) else {
            return false;
        };
        if !half.is_congested() {
            half.outbox.push_span(self.log.append(parts));
            half.enqueue(key, &mut self.queue);
        } else {
            self.tally.grew(parts.len());
            match overtake {
                true => half.outbox.interject(parts),
                false => half.outbox.push_copy(parts),
            }
        }
        // Too many pings that are not read: none are answered until they are.
        if half.outbox.weight() > self.limits.max_backpressure / 2 {
            half.flags.set(Flags::STALLED, true);
        }
        true
    }

    pub(super) fn send_raw(&mut self, key: Key, bytes: Vec<u8>) -> bool {
        self.make_room(bytes.len());
        let Some(half) = Self::open(&mut self.halves, key) else {
            return false;
        };
        half.outbox.seal(bytes.len());
        self.tally.grew(bytes.len());
        if bytes.len() >= LARGE {
            half.outbox.push_shared(Rc::new(bytes));
        } else if half.is_congested() {
            half.outbox.push_copy(Parts::whole(&bytes));
        } else {
            half.outbox.push_span(self.log.append(Parts::whole(&bytes)));
        }
        half.enqueue(key, &mut self.queue);
        true
    }
}
