//! What a server has done, and is doing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::status::SendStatus;
use crate::proto::close::CloseCode;

/// What a server has done since it began, and is doing now. From [`Hub::stats`](crate::Hub::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sockets that are open now.
    pub total_connections: usize,
    /// Sockets that were opened so far.
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
    /// [`Close`](crate::event::Close).
    pub dropped: u64,
    /// Requests that were answered with 400 or more, by HTTP status, the application's own answers
    /// included.
    pub refused: BTreeMap<u16, u64>,
    /// Connections that ended, by close code.
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
    refused: RefCell<BTreeMap<u16, u64>>,
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

    pub(super) fn closed(&self, code: CloseCode, was_open: bool) {
        if was_open {
            self.open.set(self.open.get().saturating_sub(1));
        }
        *self.closed.borrow_mut().entry(code.0).or_default() += 1;
    }

    pub(crate) fn refused(&self, status: u16) {
        *self.refused.borrow_mut().entry(status).or_default() += 1;
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

    pub(super) fn stats<'a>(&self, rooms: impl Iterator<Item = (&'a str, usize)>) -> Stats {
        Stats {
            total_connections: self.open.get(),
            accepted: self.accepted.get(),
            rooms: rooms
                .map(|(name, members)| (name.to_owned(), members))
                .collect(),
            messages_in: self.messages_in.get(),
            bytes_in: self.bytes_in.get(),
            messages_out: self.messages_out.get(),
            bytes_out: self.bytes_out.get(),
            dropped: self.dropped.get(),
            refused: self.refused.borrow().clone(),
            closed: self.closed.borrow().clone(),
        }
    }
}
