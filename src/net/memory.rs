//! A network in memory: connections without descriptors, for the testing kit.
//!
//! It stands where the kernel stands for a server that listens, and does what a kernel does: bytes
//! wait in buffers of bounded size, so reads and writes fall short or are refused; readiness is told
//! once for each change, as edges; FIN comes behind the bytes, and a side that closes with bytes
//! unread sends RST. A connection is a [`wire`] with an [`End`] for each side. It can be made unsteady:
//! then any read or write may fall short, or be refused for a moment, and so may who connects.
//!
//! Without the feature `testing`, `memory_off.rs` stands in its place, with types of no values.

mod time;
mod wire;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

pub(crate) use self::time::Time;
pub(crate) use self::wire::End;
use self::wire::{CLIENT, SERVER, Side};
use super::clock::Clock;
use super::links::Links;
use super::poller::{Edge, Poller};
use super::stream::{Peer, Stream};

/// A network that one server listens on. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub(crate) struct Network(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The wires on which something has changed for the server, and for the clients, in order.
    ready: [RefCell<Vec<u32>>; 2],
    /// Connections that wait to be accepted.
    waiting: RefCell<VecDeque<(End, SocketAddr)>>,
    /// The other ends of connections that the server makes, and where to, until the test takes them.
    dialed: RefCell<VecDeque<(End, SocketAddr)>>,
    /// The most bytes that wait in each direction of a connection.
    window: Cell<usize>,
    /// The token of whoever listens.
    listener: Cell<Option<usize>>,
    /// Somebody has come, and the listener was not told.
    knocked: Cell<bool>,
    /// Where the dice lie; 0 if the network is steady.
    dice: Cell<u64>,
}

impl Inner {
    fn note(&self, side: Side, wire: u32) {
        if let Some(ready) = self.ready.get(side) {
            ready.borrow_mut().push(wire);
        }
    }

    /// How many of `len` bytes go at once: in an unsteady network perhaps not all, or none.
    fn take_some(&self, len: usize) -> usize {
        let mut dice = self.dice.get();
        if dice == 0 {
            return len;
        }
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        self.dice.set(dice);
        match dice >> 61 {
            0 => 0,
            1 | 2 => len.min(1),
            3 | 4 => len.min((dice >> 32) as usize % len.max(1) + 1),
            _ => len,
        }
    }

    fn take(&self, side: Side) -> Vec<u32> {
        let ready = self.ready.get(side);
        ready.map_or_else(Vec::new, RefCell::take)
    }
}

impl Network {
    pub(crate) fn new(window: usize) -> Self {
        let network = Self(Rc::default());
        network.set_window(window);
        network
    }

    /// From now on at most `window` bytes wait in each direction of a new connection.
    pub(crate) fn set_window(&self, window: usize) {
        self.0.window.set(window);
    }

    /// A connection from `address` to the server.
    ///
    /// # Errors
    ///
    /// Nobody listens.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<End> {
        if self.0.listener.get().is_none() {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = self.open()?;
        self.0.waiting.borrow_mut().push_back((ours, address));
        self.0.knocked.set(true);
        Ok(theirs)
    }

    /// A connection from the server to `address`: wherever that is, the test is there.
    pub(super) fn dial(&self, address: SocketAddr) -> io::Result<Stream> {
        let (ours, theirs) = self.open()?;
        self.0.dialed.borrow_mut().push_back((theirs, address));
        Ok(Stream::Memory(ours))
    }

    /// The other end of a connection that the server has made, and where to.
    pub(crate) fn dialed(&self) -> Option<(End, SocketAddr)> {
        self.0.dialed.borrow_mut().pop_front()
    }

    fn open(&self) -> io::Result<(End, End)> {
        wire::open(Rc::downgrade(&self.0), self.0.window.get())
    }

    /// From now on bytes go by fits and starts, as these dice fall; 0: as they come.
    pub(crate) fn set_dice(&self, dice: u64) {
        self.0.dice.set(dice);
    }

    /// Where a server accepts what connects.
    pub(crate) fn door(&self) -> Door {
        Door(self.clone())
    }

    /// The wires on which something has changed for the clients, in the order in which it did.
    pub(crate) fn heard(&self) -> Vec<u32> {
        let wires = self.0.take(CLIENT);
        wires.iter().for_each(|wire| wire::is_told(*wire, CLIENT));
        wires
    }

    /// Whether there is something to be told to the server.
    pub(crate) fn is_busy(&self) -> bool {
        let ready = self.0.ready.get(SERVER);
        self.0.knocked.get() || ready.is_some_and(|ready| !ready.borrow().is_empty())
    }

    /// What has become ready for the server, in order, each once.
    pub(super) fn take_edges(&self) -> Vec<Edge> {
        let wires = self.0.take(SERVER);
        let mut edges: Vec<Edge> = wires.iter().filter_map(|wire| wire::edge(*wire)).collect();
        if self.0.knocked.replace(false) {
            edges.extend(self.0.listener.get().map(Edge::readable));
        }
        edges
    }
}

/// What a server listens at. When it is dropped, whoever waits is refused.
#[derive(Debug)]
pub(crate) struct Door(Network);

impl Door {
    /// What knows of connections here.
    pub(super) fn poller(&self) -> Poller {
        Poller::Memory(self.0.clone())
    }

    pub(super) fn accept(&self) -> io::Result<(Stream, Peer)> {
        // Whoever waits may be refused for a moment, and knocks again.
        if !self.inner().waiting.borrow().is_empty() && self.inner().take_some(1) == 0 {
            self.inner().knocked.set(true);
            return Err(ErrorKind::WouldBlock.into());
        }
        let next = self.inner().waiting.borrow_mut().pop_front();
        let (end, address) = next.ok_or(ErrorKind::WouldBlock)?;
        Ok((Stream::Memory(end), Peer::Tcp(address)))
    }

    pub(super) fn register(&self, token: usize) {
        self.inner().listener.set(Some(token));
    }

    fn inner(&self) -> &Inner {
        &self.0.0
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.inner().listener.set(None);
        let waiting = self.inner().waiting.take();
        waiting.iter().for_each(|(end, _)| end.reset());
    }
}

impl Links {
    /// From now on, time stands still until it is set, and connections are made over that network.
    /// Nobody is connected yet.
    pub(crate) fn enter(&self, network: &Network) {
        self.time.stop();
        self.table().clock = Clock::new(self.time.now());
        let _ = self.network.set(network.clone());
    }
}

/// What a wire tells of changes; it keeps no network alive.
type Notes = Weak<Inner>;
