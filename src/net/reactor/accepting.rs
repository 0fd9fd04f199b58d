//! Taking new connections: in batches, and not at all while there is no place.
//!
//! Edges come once. So whoever stops before nothing is left to accept must remember to go on.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::Token;

use super::{Reactor, WAKER};
use crate::net::clock::Tick;
use crate::net::link::Cause;
use crate::net::listener::Listener;
use crate::net::protocol::{Outgoing, Service};
use crate::net::slab::Key;
use crate::net::stream::{Peer, Stream};

/// Listeners have the tokens below the waker's, counted down.
pub(super) const LISTENERS: usize = 1024;
/// How many connections are accepted in one turn.
const ACCEPTS: usize = 64;
/// How long accepting pauses when the process is out of descriptors and no connection of ours ends.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Whether new connections are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepting {
    /// Nothing waits: an edge will tell.
    Idle,
    /// Somebody waits.
    Ready,
    /// All places are taken: until one is free.
    Full,
    /// Out of descriptors: until one is free, or that moment.
    Starved(Tick),
}

impl<S: Service> Reactor<S> {
    /// Takes connections from `listener` too.
    pub(crate) fn listen(&mut self, mut listener: Listener) -> io::Result<()> {
        if self.listeners.len() == LISTENERS {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "more than 1024 listeners",
            ));
        }
        listener.register(
            self.poller.registry(),
            Token(WAKER.0 - 1 - self.listeners.len()),
        )?;
        self.listeners.push(listener);
        Ok(())
    }

    /// Takes the connections that wait, as far as there are places, and no more: those that come later are
    /// refused by the kernel.
    pub(crate) fn stop_listening(&mut self) {
        let now = self.links.now();
        self.accepting = Accepting::Ready;
        // No longer than it takes to fill all places, whoever knocks meanwhile.
        let mut batches = 0..=self.max_connections / ACCEPTS;
        while self.accepting == Accepting::Ready && batches.next().is_some() {
            self.accept(now);
        }
        for mut listener in self.listeners.drain(..) {
            // Closing the descriptor, next, removes it all the same.
            let _ = listener.deregister(self.poller.registry());
        }
        self.accepting = Accepting::Idle;
    }

    /// Somebody is at the door.
    pub(super) fn knock(&mut self) {
        if self.accepting == Accepting::Idle {
            self.accepting = Accepting::Ready;
        }
    }

    /// Takes connections that wait, a bounded number in one turn.
    pub(super) fn accept(&mut self, now: Tick) {
        match self.accepting {
            Accepting::Ready => {}
            Accepting::Starved(until) if until.has_come(now) => {}
            _ => return,
        }
        self.accepting = Accepting::Ready;
        for _ in 0..ACCEPTS {
            if self.connections() >= self.max_connections {
                self.accepting = Accepting::Full;
                return;
            }
            match self.accept_one(now) {
                Ok(true) => {}
                Ok(false) => {
                    self.accepting = Accepting::Idle;
                    return;
                }
                Err(e) if passes(&e) => {}
                Err(e) => {
                    self.accepting = Accepting::Starved(now.after(ACCEPT_PAUSE));
                    return self.service.accept_failed(e);
                }
            }
        }
    }

    /// Takes one connection from whichever listener has one. `false` when none has.
    fn accept_one(&mut self, now: Tick) -> io::Result<bool> {
        for listener in &self.listeners {
            match listener.accept() {
                Ok((stream, peer)) => return self.admit(stream, peer, now).map(|()| true),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }

    fn admit(&mut self, stream: Stream, peer: Peer, now: Tick) -> io::Result<()> {
        let Some(key) = self.links.table().insert(stream) else {
            return Err(ErrorKind::OutOfMemory.into());
        };
        let protocol = self.service.accepted(key, peer);
        self.seat(key, protocol);
        // Most have sent their request by now. Read before it is watched, it raises no event.
        self.read(key, 0, false, now);
        self.watch(key)
    }

    /// Gives a connection what it speaks.
    fn seat(&mut self, key: Key, protocol: S::Protocol) {
        let index = key.index as usize;
        if self.readers.len() <= index {
            self.readers.resize_with(index + 1, || None);
        }
        if let Some(reader) = self.readers.get_mut(index) {
            *reader = Some(protocol);
        }
    }

    /// Makes the connections that this side wants to make.
    #[inline]
    pub(super) fn go_out(&mut self) {
        while let Some(Outgoing { stream, begin }) = self.service.outgoing() {
            let key = self.links.table().insert_unconnected(stream);
            let key = key.ok_or_else(|| ErrorKind::OutOfMemory.into());
            let place = key.as_ref().ok().copied();
            let protocol = begin(key);
            let Some(key) = place else { continue };
            if let Some(protocol) = protocol {
                self.seat(key, protocol);
                // What it fails with is told like any other end.
                let _ = self.watch(key);
            } else {
                let half = self.links.table().halves.remove(key);
                drop(half);
            }
        }
    }

    /// Watches a connection for as long as it lives.
    fn watch(&mut self, key: Key) -> io::Result<()> {
        let mut table = self.links.table();
        let Some(half) = table.halves.get_mut(key) else {
            return Ok(());
        };
        let token = Token(key.token());
        let watched = half.stream.register(self.poller.registry(), token);
        if let Err(e) = &watched {
            table.die(key, Cause::Io(e.kind()));
        }
        watched
    }

    /// Until when accepting pauses for want of descriptors.
    pub(super) fn starved(&self) -> Option<Instant> {
        let Accepting::Starved(until) = self.accepting else {
            return None;
        };
        let clock = self.links.table().clock;
        Some(clock.instant(clock.unwrap_tick(until)))
    }
}

/// Errors of `accept` that concern one connection only, which is gone already: Linux tells those of its
/// network there, too.
fn passes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
            | ErrorKind::PermissionDenied
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_one_connection_keeps_no_other_waiting() {
        let passes = |code| passes(&io::Error::from_raw_os_error(code));
        // ECONNABORTED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EPERM, EINTR.
        for code in [103, 113, 101, 100, 1, 4] {
            assert!(passes(code), "{code}");
        }
        // EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL.
        for code in [24, 23, 105, 12, 22] {
            assert!(!passes(code), "{code}");
        }
    }
}
