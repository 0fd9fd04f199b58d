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
use super::link::{Cause, Link, Stage};
use super::links::{Links, Raised};
use super::listener::Listener;
use super::mailbox::Mailbox;
use super::protocol::{Next, Protocol, Service};
use super::slab::Key;

const WAKER: Token = Token(usize::MAX);
/// The size of the one input buffer.
const INPUT: usize = 64 * 1024;
/// How many times in a row a connection is read while no other waits.
const ALONE: u32 = 4;
/// How often a turn writes what its own closing words have queued, before it leaves that to the next.
const ROUNDS: usize = 8;

/// One thread's loop over all of its connections.
pub(crate) struct Reactor<S: Service> {
    poll: Poll,
    events: Events,
    listeners: Vec<Listener>,
    accepting: Accepting,
    max_connections: usize,
    links: Rc<Links>,
    /// The reading halves, by the index of the writing half's key.
    readers: Vec<Option<Box<dyn Protocol>>>,
    /// Connections to read again before waiting.
    eager: Vec<Key>,
    /// Connections that are over, to be freed at the end of the turn.
    graves: Vec<(Key, Box<dyn Protocol>)>,
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
        if !self.eager.is_empty()
            || self.accepting == Accepting::Ready
            || self.links.table().is_busy()
        {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let starved = match self.accepting {
            Accepting::Starved(until) => {
                let table = self.links.table();
                Some(table.clock.instant(table.clock.unwrap_tick(until)))
            }
            _ => None,
        };
        let alarm = self.links.table().next_due();
        let timer = self.service.next_timer();
        let next = [alarm, timer, starved].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
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

    fn serve(&mut self, now: Instant) {
        self.links.table().clock.advance(now);
        let resumed = std::mem::take(&mut self.links.table().resumed);
        let eager = std::mem::take(&mut self.eager);
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let alone = eager.len() + resumed.len() + events.iter().count() == 1;
        for key in resumed {
            self.feed(key, 0);
            self.read(key, alone);
        }
        for key in eager {
            self.read(key, alone);
        }
        let mut woken = false;
        for event in &events {
            woken |= event.token() == WAKER;
            self.ready(event, alone);
        }
        self.events = events;
        self.accept();
        if woken {
            for job in self.mailbox.take() {
                self.service.job(job);
            }
        }
        self.alarms();
        self.service.timers(now);
        self.settle();
        self.free();
    }

    fn ready(&mut self, event: &mio::event::Event, alone: bool) {
        let token = event.token().0;
        if token == WAKER.0 {
            return;
        }
        if token >= WAKER.0 - LISTENERS {
            if self.accepting == Accepting::Idle {
                self.accepting = Accepting::Ready;
            }
            return;
        }
        let Some(key) = self.links.table().halves.key_of(token) else {
            return;
        };
        if event.is_writable() {
            self.links.table().writable(key);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            if let Some(half) = self.links.table().halves.get_mut(key) {
                half.unread = true;
                half.hung_up |= event.is_read_closed() || event.is_error();
            }
            self.read(key, alone);
        }
    }

    /// Reads a connection until it is drained or its budget is spent.
    fn read(&mut self, key: Key, alone: bool) {
        for _ in 0..if alone { ALONE } else { 1 } {
            let Some((stage, result)) = self.read_once(key) else {
                return;
            };
            match result {
                Ok(0) => return self.finished(key),
                Ok(n) if stage >= Stage::Ending => self.links.table().discarded(key, n),
                Ok(n) => self.feed(key, n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    return self.links.table().is_read(key);
                }
                Err(e) => return self.links.table().die(key, Cause::Io(e.kind())),
            }
        }
        if self
            .links
            .table()
            .halves
            .get(key)
            .is_some_and(|half| half.unread && half.is_readable())
        {
            self.eager.push(key);
        }
    }

    /// One system call, unless there is nothing to read or nobody to read it.
    fn read_once(&mut self, key: Key) -> Option<(Stage, io::Result<usize>)> {
        let mut table = self.links.table();
        let half = table
            .halves
            .get_mut(key)
            .filter(|half| half.unread && half.stage < Stage::Dead)?;
        if !half.is_readable() {
            return None;
        }
        let result = half.stream.read(&mut self.input);
        // A short read means drained: what comes later raises a new edge. But a FIN or an error
        // that was there already raises none, so then it is read up to that.
        half.unread = match &result {
            Ok(n) => *n == self.input.len() || (half.hung_up && *n > 0),
            Err(e) => e.kind() == ErrorKind::Interrupted,
        };
        Some((half.stage, result))
    }

    /// Lets the protocol have the first `n` bytes of the input.
    fn feed(&mut self, key: Key, n: usize) {
        let now = self.links.now();
        if self
            .links
            .table()
            .halves
            .get(key)
            .is_none_or(|half| half.stage >= Stage::Ending)
        {
            return;
        }
        let Some(Some(reader)) = self.readers.get_mut(key.index as usize) else {
            return;
        };
        let mut input = self.input.get_mut(..n).unwrap_or_default();
        while let Next::Become { protocol, used } = reader.receive(input, now) {
            *reader = protocol;
            input = input.get_mut(used..).unwrap_or_default();
        }
    }

    fn finished(&mut self, key: Key) {
        if self.links.table().finished(key)
            && let Some(Some(reader)) = self.readers.get_mut(key.index as usize)
        {
            reader.finished();
        }
    }

    fn alarms(&mut self) {
        let now = self.links.now();
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
            self.links.table().flush_all();
            let raised = self.links.table().take_raised();
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
