//! The loop: readiness in, bytes in, bytes out. What a connection speaks is a [`Protocol`].
//!
//! ```text
//! wait ─▶ read and run listeners ─▶ jobs ─▶ timers ─▶ write ─▶ tell what writing raised ─▶ free places
//!   ▲                                                  └──────────── a few times ───────────┘      │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

mod accepting;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use self::accepting::{Accepting, LISTENERS};
use super::clock::Tick;
use super::link::{Cause, Link, Stage};
use super::links::{Links, Raised};
use super::listener::Listener;
use super::mailbox::Mailbox;
use super::protocol::{Next, Protocol, Service};
use super::slab::Key;

const WAKER: Token = Token(usize::MAX);
/// The size of the one input buffer, and so the most that is read of a connection at a time: no
/// other waits longer than that takes.
const INPUT: usize = 256 * 1024;
/// How many times in a row a connection is read while no other waits.
const ALONE: u32 = 4;
/// How often a turn writes what its own closing words have queued, before it leaves that to the next.
const ROUNDS: usize = 8;

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

/// One thread's loop over all of its connections.
pub(crate) struct Reactor<S: Service> {
    poll: Poll,
    events: Events,
    listeners: Vec<Listener>,
    accepting: Accepting,
    max_connections: usize,
    links: Rc<Links>,
    /// The reading halves, by the index of the writing half's key.
    readers: Vec<Option<S::Protocol>>,
    /// Connections to read again before waiting.
    eager: Vec<Key>,
    /// Connections that are over, to be freed at the end of the turn.
    graves: Vec<(Key, S::Protocol)>,
    input: Box<[u8]>,
    mailbox: Mailbox<S::Job>,
    service: S,
}

impl<S: Service> Reactor<S> {
    /// A reactor over `links`, which takes at most `max_connections` at a time.
    pub(crate) fn new(
        links: Rc<Links>,
        max_connections: usize,
        mailbox: Mailbox<S::Job>,
        service: S,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        mailbox.attach(Waker::new(poll.registry(), WAKER)?);
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            listeners: Vec::new(),
            accepting: Accepting::Idle,
            max_connections,
            links,
            readers: Vec::new(),
            eager: Vec::new(),
            graves: Vec::new(),
            input: vec![0; INPUT].into(),
            mailbox,
            service,
        })
    }

    /// Tells every connection that the server shuts down.
    pub(crate) fn shutdown(&mut self) {
        for reader in self.readers.iter_mut().flatten() {
            reader.shutdown();
        }
    }

    /// Disconnects everyone at the end of the next turn.
    pub(crate) fn cut(&mut self) {
        let mut table = self.links.table();
        let keys: Vec<Key> = table.halves.keys().collect();
        for key in keys {
            table.die(key, Cause::Cut);
        }
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(Listener::local_addr)
    }

    /// How many connections there are, of whatever protocol.
    pub(crate) fn connections(&self) -> usize {
        self.links.table().halves.len()
    }

    #[cfg(unix)]
    pub(crate) fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&self.poll)
    }

    /// How long the next turn may wait. `None`: until something happens.
    pub(crate) fn patience(&mut self) -> Option<Duration> {
        if !self.eager.is_empty() || self.accepting == Accepting::Ready {
            return Some(Duration::ZERO);
        }
        let alarm = {
            let table = self.links.table();
            if table.is_busy() {
                return Some(Duration::ZERO);
            }
            table.next_due()
        };
        let next = [alarm, self.service.next_timer(), self.starved()]
            .into_iter()
            .flatten()
            .min()?;
        // Only who has a deadline pays for looking at the clock.
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Waits for readiness, `timeout` at most, serves all of it, and writes all that was queued.
    ///
    /// Places are freed only at the very end, so no event of this turn can reach a connection that
    /// was accepted in it.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let patience = self.patience();
        let wait = [timeout, patience].into_iter().flatten().min();
        match self.poll.poll(&mut self.events, wait) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => other?,
        }
        self.serve(Instant::now());
        Ok(())
    }

    fn serve(&mut self, instant: Instant) {
        let (now, resumed) = {
            let mut table = self.links.table();
            table.clock.advance(instant);
            (table.clock.tick(), std::mem::take(&mut table.resumed))
        };
        let eager = std::mem::take(&mut self.eager);
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let alone = eager.len() + resumed.len() + events.iter().take(2).count() == 1;
        let rounds = if alone { ALONE } else { 1 };
        for key in resumed {
            self.resume(key, rounds, now);
        }
        for key in eager {
            self.read(key, rounds, now);
        }
        let mut woken = false;
        for event in &events {
            woken |= event.token() == WAKER;
            self.ready(event, rounds, now);
        }
        self.events = events;
        self.accept(now);
        if woken {
            for job in self.mailbox.take() {
                self.service.job(job);
            }
        }
        self.alarms(now);
        self.service.timers(instant);
        self.settle();
        self.free();
    }

    fn ready(&mut self, event: &mio::event::Event, rounds: u32, now: Tick) {
        let token = event.token().0;
        if token >= WAKER.0 - LISTENERS {
            if token != WAKER.0 && self.accepting == Accepting::Idle {
                self.accepting = Accepting::Ready;
            }
            return;
        }
        let mut table = self.links.table();
        let Some(key) = table.halves.key_of(token) else {
            return;
        };
        if event.is_writable() {
            table.writable(key);
        }
        if !event.is_readable() && !event.is_read_closed() && !event.is_error() {
            return;
        }
        if let Some(half) = table.halves.get_mut(key) {
            half.unread = true;
            half.hung_up |= event.is_read_closed() || event.is_error();
        }
        drop(table);
        self.read(key, rounds, now);
    }

    /// Reads a connection until it is drained or its budget is spent.
    fn read(&mut self, key: Key, rounds: u32, now: Tick) {
        for _ in 0..rounds {
            let Some(read) = self.read_once(key) else {
                return;
            };
            match read.result {
                Ok(0) => return self.finished(key),
                Ok(n) if read.into == Destination::Nowhere => self.links.table().discarded(key, n),
                Ok(n) if read.into == Destination::Window => self.fill(key, n, now),
                Ok(n) => self.feed(key, n, now),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    return self.links.table().is_read(key);
                }
                Err(e) => return self.links.table().die(key, Cause::Io(e.kind())),
            }
            if !read.more {
                return;
            }
        }
        self.eager.push(key);
    }

    /// One system call, unless there is nothing to read or nobody to read it.
    fn read_once(&mut self, key: Key) -> Option<Read> {
        let mut table = self.links.table();
        let half = table
            .halves
            .get_mut(key)
            .filter(|half| half.unread && half.stage < Stage::Dead && half.is_readable())?;
        let reader = self.readers.get_mut(key.index as usize)?.as_mut();
        let (into, place) = if half.stage >= Stage::Ending {
            (Destination::Nowhere, &mut *self.input)
        } else {
            match reader.and_then(Protocol::window) {
                Some(window) => (Destination::Window, at_most(window, INPUT)),
                None => (Destination::Input, &mut *self.input),
            }
        };
        let result = half.stream.read(place);
        // A short read means drained: what comes later raises a new edge. But a FIN or an error
        // that was there already raises none, so then it is read up to that.
        half.unread = match &result {
            Ok(n) => *n == place.len() || (half.hung_up && *n > 0),
            Err(e) => e.kind() == ErrorKind::Interrupted,
        };
        Some(Read {
            more: half.unread,
            into,
            result,
        })
    }

    /// Lets the protocol have the first `n` bytes of the input.
    fn feed(&mut self, key: Key, n: usize, now: Tick) {
        let Some(Some(reader)) = self.readers.get_mut(key.index as usize) else {
            return;
        };
        let mut input = self.input.get_mut(..n).unwrap_or_default();
        while let Next::Become { protocol, used } = reader.receive(input, now) {
            *reader = protocol;
            input = input.get_mut(used..).unwrap_or_default();
        }
    }

    /// Tells the protocol that the first `n` bytes of its window have come.
    fn fill(&mut self, key: Key, n: usize, now: Tick) {
        if let Some(Some(reader)) = self.readers.get_mut(key.index as usize) {
            reader.filled(n, now);
        }
    }

    /// Goes on with a connection whose reading was on hold.
    fn resume(&mut self, key: Key, rounds: u32, now: Tick) {
        let stage = self.links.table().halves.get(key).map(|half| half.stage);
        if stage.is_some_and(|stage| stage < Stage::Ending) {
            self.feed(key, 0, now);
        }
        self.read(key, rounds, now);
    }

    fn finished(&mut self, key: Key) {
        if self.links.table().finished(key)
            && let Some(Some(reader)) = self.readers.get_mut(key.index as usize)
        {
            reader.finished();
        }
    }

    fn alarms(&mut self, now: Tick) {
        loop {
            let Some(key) = self.links.table().next_alarm() else {
                return;
            };
            if let Some(Some(reader)) = self.readers.get_mut(key.index as usize)
                && let Some(next) = reader.timeout(now)
            {
                Link::new(Rc::clone(&self.links), key).wake_at(next);
            }
        }
    }

    /// Writes what is queued and tells what came of it, until all is quiet or the next turn's turn.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let raised = {
                let mut table = self.links.table();
                table.flush_all();
                table.take_raised()
            };
            if raised.is_empty() {
                return;
            }
            for event in raised {
                self.tell(event);
            }
        }
    }

    fn tell(&mut self, event: Raised) {
        let (Raised::Drained(key) | Raised::Dead(key)) = event;
        let Some(reader) = self.readers.get_mut(key.index as usize) else {
            return;
        };
        let undelivered = self.links.table().take_undelivered(key);
        if let Raised::Drained(_) = event {
            if let Some(reader) = reader {
                reader.drained(undelivered);
            }
        } else if let Some(mut reader) = reader.take() {
            let cause = self.links.table().cause(key);
            reader.closed(cause, undelivered);
            self.graves.push((key, reader));
        }
    }

    /// Frees the places of connections that are over. What they held is dropped outside any borrow,
    /// since dropping may call back in.
    fn free(&mut self) {
        if self.graves.is_empty() {
            return;
        }
        for (key, reader) in std::mem::take(&mut self.graves) {
            let half = self.links.table().halves.remove(key);
            drop(half);
            self.service.bury(reader);
            if matches!(self.accepting, Accepting::Full | Accepting::Starved(_)) {
                self.accepting = Accepting::Ready;
            }
        }
    }
}

impl<S: Service> Drop for Reactor<S> {
    /// Every connection still hears its end.
    fn drop(&mut self) {
        self.cut();
        self.settle();
        self.free();
        drop(self.mailbox.close());
    }
}

fn at_most(bytes: &mut [u8], len: usize) -> &mut [u8] {
    let len = len.min(bytes.len());
    bytes.split_at_mut(len).0
}
