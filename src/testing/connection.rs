//! A client that sends and receives bytes.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use super::answer::Answer;
use super::line::Line;
use super::server::Shared;

/// A client's connection to a [`TestServer`](super::TestServer), and the bytes on it; or one that the
/// application has [made](super::Dialed::connection).
///
/// It takes all that the server sends as soon as it is sent, unless told to
/// [stop](Self::stop_reading). Dropping it closes it: with FIN, or with RST if something was left
/// unread.
pub struct Connection {
    shared: Rc<Shared>,
    wire: Option<u32>,
    line: Rc<RefCell<Line>>,
    /// The request that was sent is HEAD: its answer has no body.
    asks_for_head: bool,
}

impl Connection {
    /// It begins when all that was done before has come to its end.
    pub(super) fn new(shared: &Rc<Shared>, from: Option<IpAddr>) -> Self {
        shared.turn();
        let (wire, line) = shared.connect(from);
        Self::over(shared, wire, line)
    }

    pub(super) fn over(shared: &Rc<Shared>, wire: Option<u32>, line: Rc<RefCell<Line>>) -> Self {
        Self {
            shared: Rc::clone(shared),
            wire,
            line,
            asks_for_head: false,
        }
    }

    pub(super) fn asks_for_head(&mut self, asks: bool) {
        self.asks_for_head = asks;
    }

    /// Nothing of the application runs while it is borrowed.
    pub(super) fn line(&self) -> RefMut<'_, Line> {
        self.line.borrow_mut()
    }

    /// What `found` finds; if that is nothing, what it finds after a turn of the server.
    pub(super) fn await_now<R>(&self, found: impl Fn(&mut Line) -> Option<R>) -> Option<R> {
        let at_once = found(&mut self.line());
        at_once.or_else(|| {
            self.shared.turn();
            found(&mut self.line())
        })
    }

    /// Sends bytes. What the network does not take yet is sent later.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.line().send(bytes.as_ref());
    }

    /// All bytes that have come and were not given yet: none if there are none now.
    pub fn recv(&mut self) -> Vec<u8> {
        let came = |line: &mut Line| {
            let came = std::mem::take(&mut line.came);
            (!came.is_empty()).then_some(came)
        };
        self.await_now(came).unwrap_or_default()
    }

    /// The next answer of HTTP, if it has come whole; interim ones are passed over.
    pub fn answer(&mut self) -> Option<Answer> {
        let to_head = self.asks_for_head;
        self.await_now(|line| line.next_answer(to_head))
    }

    /// Whether the server has ended the connection, and all that it had sent before was read.
    pub fn is_ended(&self) -> bool {
        self.shared.turn();
        self.line().is_ended()
    }

    /// Takes nothing more from the network: soon it takes nothing more of the server.
    pub fn stop_reading(&mut self) {
        self.line().read_on(false);
    }

    /// Takes again what comes, and what has come meanwhile.
    pub fn read_on(&mut self) {
        self.line().read_on(true);
        self.line().pump();
    }

    /// Sends FIN: nothing more will be sent, but what comes is read.
    pub fn finish(&mut self) {
        self.line().finish();
    }

    /// Ends the connection with RST, which overtakes whatever was sent and not read.
    pub fn reset(self) {
        self.line().reset();
    }

    /// Vanishes without a word, as if the cable was cut: the server can only wait.
    pub fn vanish(self) {
        self.line().vanish();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(wire) = self.wire {
            self.shared.forget(wire);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("wire", &self.wire)
            .field("is_ended", &self.line().is_ended())
            .finish_non_exhaustive()
    }
}
