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
use super::flags::Flags;
use super::half::Half;
use super::link::{Cause, Stage};
use super::links::{Links, Raised};
use super::listener::Listener;
use super::mailbox::Mailbox;
use super::protocol::{Next, Protocol, Service};
use super::slab::Key;

const WAKER: Token = Token(usize::MAX);
/// The size of the one input buffer: what is read of a connection in one turn while others wait,
/// unless it is amid a large message.
const INPUT: usize = 128 * 1024;
/// What is read of a connection in one turn when it is alone or amid a large message: that is best
/// read in one go, as long as its beginning is still in a cache.
const BUDGET: usize = 1024 * 1024;
/// A turn is expected to take less time than this.
const FAR: Duration = Duration::from_secs(1);
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
    /// When this turn began.
    instant: Instant,
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
            instant: Instant::now(),
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
        // A far deadline is not worth a look at the clock: half the way is waited for, and then it is
        // looked again.
        let left = next.saturating_duration_since(self.instant);
        if left > FAR {
            return Some(left / 2);
        }
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
        self.instant = Instant::now();
        self.serve();
        Ok(())
    }

    fn serve(&mut self) {
        let (now, resumed) = {
            let mut table = self.links.table();
            table.clock.advance(self.instant);
            (table.clock.tick(), std::mem::take(&mut table.resumed))
        };
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let ready = events.iter().take(2).count();
        let alone = ready + resumed.len() + self.eager.len() == 1;
        self.go_on(resumed, alone, now);
        let mut woken = false;
        for event in &events {
            match event.token().0 {
                token if token == WAKER.0 => woken = true,
                token if token >= WAKER.0 - LISTENERS => self.knock(),
                _ => self.ready(event, alone, now),
            }
        }
        self.events = events;
        self.accept(now);
        if woken {
            for job in self.mailbox.take() {
                self.service.job(job);
            }
        }
        self.alarms(now);
        self.service.timers(self.instant);
        self.settle();
        self.free();
    }

    /// Reads those whose reading was on hold, and those that were not read to the end in the last turn.
    fn go_on(&mut self, resumed: Vec<Key>, alone: bool, now: Tick) {
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
            self.read(key, 0, alone, now);
        }
    }

    /// An edge of one connection.
    fn ready(&mut self, event: &mio::event::Event, alone: bool, now: Tick) {
        let mut table = self.links.table();
        let Some((key, half)) = table.halves.by_token(event.token().0) else {
            return;
        };
        let ends = event.is_read_closed() || event.is_error();
        if ends {
            half.flags.set(Flags::HUNG_UP, true);
        }
        if event.is_readable() || ends {
            half.flags.set(Flags::UNREAD, true);
        }
        if event.is_writable() && half.is_congested() {
            table.writable(key);
            drop(table);
            return self.read(key, 0, alone, now);
        }
        let reader = self.readers.get_mut(key.index as usize);
        let read = Self::read_once(half, reader, &mut self.input);
        drop(table);
        if let Some(len) = read.and_then(|read| self.take(key, read, now)) {
            self.read(key, len, alone, now);
        }
    }

    /// Reads a connection until it is drained or its budget is spent, of which `spent` is already.
    fn read(&mut self, key: Key, mut spent: usize, alone: bool, now: Tick) {
        while spent == 0 || spent < BUDGET && (alone || self.is_amid_message(key)) {
            let read = {
                let mut table = self.links.table();
                let Some(half) = table.halves.get_mut(key) else {
                    return;
                };
                let reader = self.readers.get_mut(key.index as usize);
                Self::read_once(half, reader, &mut self.input)
            };
            match read.and_then(|read| self.take(key, read, now)) {
                Some(len) => spent += len,
                None => return,
            }
        }
        self.eager.push(key);
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
        let mut input = self.input.get_mut(..n).unwrap_or_default();
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

    fn alarms(&mut self, now: Tick) {
        loop {
            let Some(key) = self.links.table().next_alarm() else {
                return;
            };
            if let Some(Some(reader)) = self.readers.get_mut(key.index as usize)
                && let Some(next) = reader.timeout(now)
            {
                self.links.link(key).wake_at(next);
            }
        }
    }

    /// Writes what is queued and tells what came of it, until all is quiet or the next turn's turn.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let raised = {
                let mut table = self.links.table();
                table.flush_all();
                if table.raised.is_empty() {
                    return;
                }
                std::mem::take(&mut table.raised)
            };
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
