//! The loop: readiness in, bytes in, bytes out. What a connection speaks is a [`Protocol`].
//!
//! ```text
//! wait ─▶ read and run listeners ─▶ jobs ─▶ timers ─▶ write ─▶ tell what writing raised ─▶ free places
//!   ▲                                                  └──────────── a few times ───────────┘      │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

mod accepting;
mod reading;
mod relief;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::Token;

use self::accepting::{Accepting, LISTENERS};
use super::clock::Tick;
use super::input::Input;
use super::link::Cause;
use super::links::{Links, Raised};
use super::listener::Listener;
use super::mailbox::Mailbox;
use super::poller::{Edge, Poller};
use super::protocol::{Protocol, Service};
use super::slab::Key;

const WAKER: Token = Token(usize::MAX);
/// A turn is expected to take less time than this.
const FAR: Duration = Duration::from_secs(1);
/// How often a turn writes what its own closing words have queued, before it leaves that to the next.
const ROUNDS: usize = 8;

/// One thread's loop over all of its connections.
pub(crate) struct Reactor<S: Service> {
    poller: Poller,
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
    input: Input,
    /// Bytes that were read since it was last looked how much is kept.
    came: usize,
    /// When this turn began.
    instant: Instant,
    mailbox: Mailbox<S::Job>,
    service: S,
}

impl<S: Service> Reactor<S> {
    /// A reactor over `links`, which takes at most `max_connections` at a time.
    pub(crate) fn new(
        links: Rc<Links>,
        poller: Poller,
        max_connections: usize,
        mailbox: Mailbox<S::Job>,
        service: S,
    ) -> io::Result<Self> {
        if let Some(waker) = poller.waker(WAKER)? {
            mailbox.attach(waker);
        }
        Ok(Self {
            poller,
            listeners: Vec::new(),
            accepting: Accepting::Idle,
            max_connections,
            instant: links.time.now(),
            links,
            readers: Vec::new(),
            eager: Vec::new(),
            graves: Vec::new(),
            input: Input::new(),
            came: 0,
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
        self.poller.as_raw_fd()
    }

    /// When there is something to do, if nothing happens before. `None`: never.
    pub(crate) fn due(&mut self) -> Option<Instant> {
        if !self.eager.is_empty() || self.accepting == Accepting::Ready || self.service.has_staged()
        {
            return Some(self.instant);
        }
        let alarm = {
            let table = self.links.table();
            if table.is_busy() {
                return Some(self.instant);
            }
            table.next_due()
        };
        [alarm, self.service.next_timer(), self.starved()]
            .into_iter()
            .flatten()
            .min()
    }

    /// How long the next turn may wait. `None`: until something happens.
    pub(crate) fn patience(&mut self) -> Option<Duration> {
        let next = self.due()?;
        // A far deadline is not worth a look at the clock: half the way is waited for, and then it is
        // looked again. Nor is one that was there when this turn began.
        let left = next.saturating_duration_since(self.instant);
        if left > FAR || left.is_zero() {
            return Some(left / 2);
        }
        Some(next.saturating_duration_since(self.links.time.now()))
    }

    /// Waits for readiness, `timeout` at most, serves all of it, and writes all that was queued.
    ///
    /// Places are freed only at the very end, so no event of this turn can reach a connection that
    /// was accepted in it.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let patience = self.patience();
        let wait = [timeout, patience].into_iter().flatten().min();
        self.poller.wait(wait)?;
        self.instant = self.links.time.now();
        self.serve();
        Ok(())
    }

    fn serve(&mut self) {
        let (now, resumed) = {
            let mut table = self.links.table();
            table.clock.advance(self.instant);
            (table.clock.tick(), std::mem::take(&mut table.resumed))
        };
        let (events, edges) = (self.poller.take_events(), self.poller.take_edges());
        let ready = events.iter().take(2).count() + edges.len();
        let alone = ready + resumed.len() + self.eager.len() == 1;
        self.go_on(resumed, alone, now);
        let mut woken = self.poller.has_no_waker();
        for event in &events {
            woken |= self.edge(Edge::of(event), alone, now);
        }
        for edge in edges {
            woken |= self.edge(edge, alone, now);
        }
        self.poller.give_back(events);
        self.relieve(now);
        self.accept(now);
        if woken {
            for job in self.mailbox.take() {
                self.service.job(job);
            }
        }
        self.alarms(now);
        self.service.timers(self.instant);
        self.go_out();
        self.settle();
        self.relieve(now);
        self.free();
    }

    /// Serves one edge. `true` if it is another thread that calls.
    #[inline]
    fn edge(&mut self, edge: Edge, alone: bool, now: Tick) -> bool {
        match edge.token {
            token if token == WAKER.0 => return true,
            token if token >= WAKER.0 - LISTENERS => self.knock(),
            _ => {
                self.ready(edge, alone, now);
                if edge.reset {
                    self.reset(edge.token);
                }
            }
        }
        false
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

    /// Tells what is staged, writes what is queued and tells what came of it, until all is quiet or the next turn's turn.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            self.service.tell_staged();
            let raised = {
                let mut table = self.links.table();
                table.flush_all();
                if table.raised.is_empty() && !self.service.has_staged() {
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
