//! Connections that the application makes, until they speak WebSocket. The client's opening handshake
//! implements [`Dialing`]; whoever runs the reactor takes what [`Dials`] was given.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use super::guard::guard;
use super::message::OwnedMessage;
use super::session::Session;
use crate::net::clock::Tick;
use crate::net::link::Cause;
use crate::net::protocol::Outgoing;

/// The client's side of an opening handshake: the reading half until there is a session.
pub(crate) trait Dialing {
    /// Takes all of `input`; or the handshake is done: then the session, and how much was used.
    fn receive(&mut self, input: &mut [u8], now: Tick) -> Option<(Session, usize)>;

    /// The stream is connected, and the request is written.
    fn connected(&mut self);

    /// The peer has finished sending.
    fn finished(&mut self);

    /// A moment that was asked for has come; gives the next one.
    fn timeout(&mut self, now: Tick) -> Option<Tick>;

    /// The connection is over, and there was no session.
    fn closed(&mut self, cause: Cause);
}

/// A connection to be made.
pub(crate) type Dial = Outgoing<Box<dyn Dialing>>;

/// A connection that is wanted: there is one, or it is tried.
pub(crate) trait Wanted {
    /// Sends a message, as soon as there is a socket.
    fn send(&self, message: &OwnedMessage);

    /// Ends it for good.
    fn close(&self);

    /// The reactor shuts down or is gone: nothing is tried any more. A socket hears of it by itself.
    fn stop(&self);
}

/// The addresses of a host, whatever their ports; or why there are none.
pub(crate) type Addresses = Result<Vec<SocketAddr>, (io::ErrorKind, String)>;

/// What is to be done when they are known.
pub(crate) type Asker = Box<dyn FnOnce(&Addresses)>;

/// What a hub knows of the connections that the application makes.
#[derive(Default)]
pub(crate) struct Dials {
    /// Connections that the reactor is to make in this turn, or in its first one.
    queue: RefCell<VecDeque<Dial>>,
    /// Who waits for the addresses of which host, while a thread of its own looks those up.
    askers: RefCell<HashMap<String, Vec<Asker>>>,
    wanted: RefCell<BTreeMap<u64, Rc<dyn Wanted>>>,
    /// Numbers connections.
    last: Cell<u64>,
    stopped: Cell<bool>,
}

impl Dials {
    pub(crate) fn push(&self, dial: Dial) {
        self.queue.borrow_mut().push_back(dial);
    }

    pub(crate) fn pop(&self) -> Option<Dial> {
        self.queue.borrow_mut().pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// A number that nobody has.
    pub(crate) fn number(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Whether there ever was a connection.
    pub(super) fn has_any(&self) -> bool {
        self.last.get() > 0
    }

    /// Keeps a connection for as long as it is wanted.
    pub(crate) fn want(&self, number: u64, connection: Rc<dyn Wanted>) {
        self.wanted.borrow_mut().insert(number, connection);
    }

    /// A connection is not wanted any more.
    pub(crate) fn give_up(&self, number: u64) {
        let connection = self.wanted.borrow_mut().remove(&number);
        drop(connection);
    }

    pub(crate) fn wanted(&self, number: u64) -> Option<Rc<dyn Wanted>> {
        self.wanted.borrow().get(&number).cloned()
    }

    /// Whether no connection is wanted any more.
    pub(crate) fn are_over(&self) -> bool {
        self.wanted.borrow().is_empty()
    }

    /// One more waits for the addresses of `host`. `true` for the first: nobody looks them up yet.
    pub(crate) fn ask(&self, host: &str, then: Asker) -> bool {
        let mut all = self.askers.borrow_mut();
        if let Some(askers) = all.get_mut(host) {
            askers.push(then);
            return false;
        }
        all.insert(host.to_owned(), vec![then]);
        true
    }

    /// The addresses of `host` are known, or not to be had.
    pub(crate) fn answer(&self, host: &str, addresses: &Addresses) {
        let askers = self.askers.borrow_mut().remove(host);
        askers
            .into_iter()
            .flatten()
            .for_each(|then| then(addresses));
    }

    /// Whether nothing is tried any more.
    pub(crate) fn are_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Tries nothing any more, and tells those who waited for it.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        let wanted: Vec<_> = self.wanted.borrow().values().cloned().collect();
        wanted.iter().for_each(|connection| connection.stop());
        // The last that holds what the application has left with a connection, perhaps.
        let rest = (wanted, self.queue.take(), self.askers.take());
        let _ = guard(|| drop(rest));
    }
}
