//! Reading connections: fairly, and no more than there is.
//!
//! Edges come once. So whoever stops before all is read must remember to go on: that is what the
//! flag `UNREAD` and the list of the eager are for.

use std::io::{self, ErrorKind};

use super::Reactor;
use crate::net::clock::Tick;
use crate::net::flags::Flags;
use crate::net::half::Half;
use crate::net::link::{Cause, Stage};
use crate::net::poller::Edge;
use crate::net::protocol::{Next, Protocol, Service};
use crate::net::slab::Key;

/// What is read of a connection in one turn when it is alone or amid a large message: that is best
/// read in one go, as long as its beginning is still in a cache.
const BUDGET: usize = 1024 * 1024;

/// What came of one read.
struct Read {
    result: io::Result<usize>,
    into: Destination,
    /// There may be more.
    more: bool,
}

/// Where bytes were read to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Input,
    /// The protocol's own [`window`](Protocol::window).
    Window,
    /// The connection is ended: they count for nothing.
    Nowhere,
}

impl<S: Service> Reactor<S> {
    /// Reads those whose reading was on hold, and those that were not read to the end in the last turn.
    pub(super) fn go_on(&mut self, resumed: Vec<Key>, alone: bool, now: Tick) {
        if resumed.is_empty() && self.eager.is_empty() {
            return;
        }
        let eager = std::mem::take(&mut self.eager);
        for key in resumed {
            let stage = self.links.table().halves.get(key).map(Half::stage);
            if stage.is_some_and(|stage| stage < Stage::Ending) {
                self.feed(key, 0, now);
            }
            self.read(key, 0, alone, now);
        }
        for key in eager {
            if let Some(half) = self.links.table().halves.get_mut(key) {
                half.flags.set(Flags::EAGER, false);
            }
            self.read(key, 0, alone, now);
        }
    }

    /// An edge of one connection.
    #[inline]
    pub(super) fn ready(&mut self, edge: Edge, alone: bool, now: Tick) {
        let mut table = self.links.table();
        let Some((key, half)) = table.halves.by_token(edge.token) else {
            return;
        };
        if edge.ends {
            half.flags.set(Flags::HUNG_UP, true);
        }
        if edge.readable || edge.ends {
            half.flags.set(Flags::UNREAD, true);
        }
        if edge.writable && half.is_congested() {
            table.writable(key);
            drop(table);
            return self.read(key, 0, alone, now);
        }
        let reader = self.readers.get_mut(key.index as usize);
        let read = Self::read_once(half, reader, self.input.room());
        drop(table);
        if let Some(len) = read.and_then(|read| self.take(key, read, now)) {
            self.read(key, len, alone, now);
        }
    }

    /// Ends a connection that was reset while its reading is paused: what waits there, say for another
    /// thread's answer, waits for nobody. Others are read to the end, which tells of the reset.
    #[cold]
    pub(super) fn reset(&mut self, token: usize) {
        let mut table = self.links.table();
        let paused = table
            .halves
            .by_token(token)
            .filter(|(_, half)| half.flags.has(Flags::PAUSED) && half.stage() < Stage::Ending);
        if let Some((key, _)) = paused {
            table.die(key, Cause::Io(ErrorKind::ConnectionReset));
        }
    }

    /// Reads a connection until it is drained or its budget is spent, of which `spent` is already.
    pub(super) fn read(&mut self, key: Key, mut spent: usize, alone: bool, now: Tick) {
        while spent == 0 || spent < BUDGET && (alone || self.is_amid_message(key)) {
            let read = {
                let mut table = self.links.table();
                let Some(half) = table.halves.get_mut(key) else {
                    return;
                };
                let reader = self.readers.get_mut(key.index as usize);
                Self::read_once(half, reader, self.input.room())
            };
            match read.and_then(|read| self.take(key, read, now)) {
                Some(len) => spent += len,
                None => return,
            }
        }
        self.read_later(key);
    }

    /// Leaves the rest to the next turn. Once: who has more than its budget has one budget in each turn,
    /// however many edges come.
    fn read_later(&mut self, key: Key) {
        if let Some(half) = self.links.table().halves.get_mut(key)
            && !half.flags.replace(Flags::EAGER, true)
        {
            self.eager.push(key);
        }
    }

    /// Whether a large message is under way.
    fn is_amid_message(&mut self, key: Key) -> bool {
        let reader = self.readers.get_mut(key.index as usize);
        reader.is_some_and(|reader| reader.as_mut().and_then(Protocol::window).is_some())
    }

    /// One system call, unless there is nothing to read or nobody to read it.
    #[inline(always)]
    fn read_once(
        half: &mut Half,
        reader: Option<&mut Option<S::Protocol>>,
        input: &mut [u8],
    ) -> Option<Read> {
        if !half.is_to_be_read() {
            return None;
        }
        let (into, place) = match reader?.as_mut()?.window() {
            _ if half.stage() >= Stage::Ending => (Destination::Nowhere, input),
            None => (Destination::Input, input),
            Some(window) => (Destination::Window, at_most(window, BUDGET)),
        };
        let result = half.stream.read(place);
        // A short read means drained: what comes later raises a new edge. But a FIN or an error
        // that was there already raises none, so then it is read up to that.
        let more = match &result {
            Ok(n) => *n == place.len() || (*n > 0 && half.flags.has(Flags::HUNG_UP)),
            Err(e) => e.kind() == ErrorKind::Interrupted,
        };
        half.flags.set(Flags::UNREAD, more);
        Some(Read { result, into, more })
    }

    /// Does what a read asks for. If there may be more to read: how much this was, at least 1.
    #[inline(always)]
    fn take(&mut self, key: Key, read: Read, now: Tick) -> Option<usize> {
        let mut len = 1;
        match read.result {
            Ok(n) if n > 0 && read.into == Destination::Input => {
                len = n;
                self.came += n;
                self.feed(key, n, now);
            }
            Ok(n) => {
                len = len.max(n);
                self.take_otherwise(key, n, read.into, now);
            }
            Err(e) => self.failed(key, e),
        }
        read.more.then_some(len)
    }

    #[inline(never)]
    fn take_otherwise(&mut self, key: Key, n: usize, into: Destination, now: Tick) {
        match into {
            _ if n == 0 => self.finished(key),
            Destination::Window => {
                self.came += n;
                if let Some(Some(reader)) = self.readers.get_mut(key.index as usize) {
                    reader.filled(n, now);
                }
            }
            Destination::Nowhere => self.links.table().discarded(key, n),
            Destination::Input => {}
        }
    }

    #[inline(never)]
    fn failed(&mut self, key: Key, error: io::Error) {
        match error.kind() {
            ErrorKind::Interrupted => {}
            ErrorKind::WouldBlock => self.links.table().is_read(key),
            kind => self.links.table().die(key, Cause::Io(kind)),
        }
    }

    /// Lets the protocol have the first `n` bytes of the input.
    #[inline]
    fn feed(&mut self, key: Key, n: usize, now: Tick) {
        let Some(Some(reader)) = self.readers.get_mut(key.index as usize) else {
            return;
        };
        let mut input = self.input.filled(n);
        while let Next::Become { protocol, used } = reader.receive(input, now) {
            *reader = protocol;
            input = input.get_mut(used..).unwrap_or_default();
        }
        self.links.write_while_warm();
    }

    fn finished(&mut self, key: Key) {
        if self.links.table().finished(key)
            && let Some(Some(reader)) = self.readers.get_mut(key.index as usize)
        {
            reader.finished();
        }
    }
}

fn at_most(bytes: &mut [u8], len: usize) -> &mut [u8] {
    let len = len.min(bytes.len());
    bytes.split_at_mut(len).0
}
