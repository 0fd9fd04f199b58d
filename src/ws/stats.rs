//! What a server has done, and is doing. Whoever does something adds to [`Counters`]; the hub makes
//! [`Stats`] of them when it is asked.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::event::{By, Cause, Closed};
use super::hub::Hub;
use super::journal::Entry;
use super::socket::Socket;
use super::status::SendStatus;
use crate::http::Refusal;
use crate::proto::close::CloseCode;

/// What a server has done since it began, and is doing now. From [`Hub::stats`](crate::Hub::stats).
///
/// As JSON it is [`to_json`](Self::to_json); for Prometheus, [`to_prometheus`](Self::to_prometheus).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sockets that are open now.
    pub total_connections: usize,
    /// Sockets that were opened so far: those that all middleware has let pass.
    pub accepted: u64,
    /// Rooms that somebody is in, with the number of their members.
    pub rooms: BTreeMap<String, usize>,
    /// Messages received so far.
    pub messages_in: u64,
    /// Bytes of payload received so far.
    pub bytes_in: u64,
    /// Messages accepted for sending so far; a broadcast counts once for each receiver.
    pub messages_out: u64,
    /// Bytes of payload accepted for sending so far.
    pub bytes_out: u64,
    /// Messages that were told as `undelivered` by [`Drain`](crate::event::Drain) or
    /// [`Close`](crate::event::Close), whatever the reason.
    pub dropped: u64,
    /// Messages that were dropped, in whatever way [`Options::overflow`](crate::Options::overflow)
    /// says, because more than [`max_backpressure`](crate::Options::max_backpressure) would have
    /// waited. They are told as `undelivered` later, and then count there, too.
    pub backpressure_drops: u64,
    /// Bytes that wait now for peers that do not read. What several wait for counts once.
    pub waiting_bytes: usize,
    /// How many times a connection had to give up what waited for it, because all together kept more than
    /// [`memory_budget`](crate::Options::memory_budget).
    pub shed: u64,
    /// How many times code of the application held the server's thread for
    /// [`Options::slow_listener`](crate::Options::slow_listener) or longer. 0 while that is off.
    pub slow_listeners: u64,
    /// Requests that were answered with 400 or more, the application's own answers included, and
    /// sockets that were not let in, by cause. What never happened is not there.
    pub refused: BTreeMap<Refusal, u64>,
    /// Sockets that were open and have ended, by the close code that
    /// [`Close`](crate::event::Close) tells. What never happened is not there.
    ///
    /// Peers choose codes, but only 1000–1014 and 3000–4999: there are at most some two thousand.
    pub closed: BTreeMap<u16, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    open: Cell<usize>,
    accepted: Cell<u64>,
    // Those that are counted together do not lie together: two additions are cheaper than the vector
    // that the compiler would make of neighbours.
    messages_in: Cell<u64>,
    messages_out: Cell<u64>,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
    dropped: Cell<u64>,
    refused: [Cell<u64>; Refusal::ALL.len()],
    closed: RefCell<BTreeMap<u16, u64>>,
}

fn add(counter: &Cell<u64>, n: u64) {
    counter.set(counter.get().wrapping_add(n));
}

impl Counters {
    pub(super) fn open(&self) -> usize {
        self.open.get()
    }

    pub(super) fn opened(&self) {
        self.open.set(self.open.get() + 1);
        add(&self.accepted, 1);
    }

    /// A socket that was open has ended.
    pub(super) fn closed(&self, code: CloseCode) {
        self.open.set(self.open.get().saturating_sub(1));
        *self.closed.borrow_mut().entry(code.0).or_default() += 1;
    }

    pub(crate) fn refused(&self, cause: Refusal) {
        if let Some(counter) = self.refused.get(cause as usize) {
            add(counter, 1);
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        add(&self.messages_in, 1);
        add(&self.bytes_in, bytes as u64);
    }

    pub(super) fn sent(&self, status: SendStatus, bytes: usize) {
        match status {
            SendStatus::Queued | SendStatus::Backpressure => self.delivered(1, bytes),
            // What is dropped is counted when it is told.
            SendStatus::Dropped | SendStatus::Closed | SendStatus::Invalid => {}
        }
    }

    pub(super) fn delivered(&self, receivers: usize, bytes: usize) {
        add(&self.messages_out, receivers as u64);
        add(&self.bytes_out, (receivers * bytes) as u64);
    }

    pub(super) fn dropped(&self, messages: usize) {
        add(&self.dropped, messages as u64);
    }

    fn by_cause(&self) -> BTreeMap<Refusal, u64> {
        let counts = Refusal::ALL.iter().copied().zip(&self.refused);
        counts
            .map(|(cause, count)| (cause, count.get()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// What it counts as that a socket was not let in. `None`: the peer has gone before that was decided.
fn refusal(by: By, cause: Cause) -> Option<Refusal> {
    match (by, cause) {
        (By::Peer | By::Nobody, _) => None,
        (By::Us, Cause::Panic) => Some(Refusal::Failed),
        (By::Us, Cause::Shutdown) => Some(Refusal::ShuttingDown),
        (By::Us, _) => Some(Refusal::Middleware),
    }
}

impl Socket {
    /// Counts the end of this socket, and notes it.
    pub(super) fn count_end(&self, closed: Closed<'_>) {
        let (hub, socket) = (self.hub(), self.id());
        hub.counters().dropped(closed.undelivered);
        if self.is_admitted() {
            hub.counters().closed(closed.code);
        } else if let Some(cause) = refusal(closed.by, closed.cause) {
            hub.counters().refused(cause);
            hub.note(Entry::TurnedAway {
                socket: self,
                cause,
            });
        }
        hub.note(Entry::Closed { socket, closed });
    }
}

impl Hub {
    /// What the server has done, and is doing. It takes as long as there are rooms and connections.
    pub fn stats(&self) -> Stats {
        let counters = self.counters();
        let rooms = self.rooms_mut();
        let rooms = rooms.all().map(|(name, size)| (name.to_owned(), size));
        Stats {
            total_connections: counters.open.get(),
            accepted: counters.accepted.get(),
            rooms: rooms.collect(),
            messages_in: counters.messages_in.get(),
            bytes_in: counters.bytes_in.get(),
            messages_out: counters.messages_out.get(),
            bytes_out: counters.bytes_out.get(),
            dropped: counters.dropped.get(),
            backpressure_drops: self.links().backpressure_drops(),
            waiting_bytes: self.links().waiting(),
            shed: self.links().shed(),
            slow_listeners: self.watchdog().map_or(0, |watchdog| watchdog.slow()),
            refused: counters.by_cause(),
            closed: counters.closed.borrow().clone(),
        }
    }
}
