//! The peer ws-rs (the crate `ws`), called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Each connection is a handler, as in the crate's examples. Everything it sends goes through one
//! bounded queue into the loop that runs it, and whoever sends into the full queue waits for himself,
//! so the queue is made long. Its own broadcast does not spare the sender, so the room is a list of
//! senders; a message is copied for each member. Heartbeat is a timer of its loop for each connection.

#![expect(clippy::result_large_err, reason = "the crate's own type")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slab::Slab;
use subject::{Arguments, MAX_MESSAGE};
use ws::util::Token;
use ws::{Builder, Handler, Handshake, Message, Result, Sender, Settings};

type Room = Rc<RefCell<Slab<Sender>>>;

/// The one timer that a connection has.
const PULSE: Token = Token(1);

fn main() {
    let arguments = Arguments::read();
    let room = Room::default();
    let client = |out| Client {
        out,
        room: Rc::clone(&room),
        seat: None,
        heartbeat: arguments.heartbeat,
    };
    let server = Builder::new().with_settings(settings()).build(client);
    let server = server.expect("an event loop").bind(arguments.address);
    let server = server.expect("a free address");
    subject::announce(arguments.address);
    server.run().expect("a loop without end");
}

fn settings() -> Settings {
    Settings {
        max_connections: 20_000,
        queue_size: 20,
        // A message is one frame, as with all the others.
        fragment_size: MAX_MESSAGE,
        max_fragment_size: MAX_MESSAGE,
        tcp_nodelay: true,
        ..Settings::default()
    }
}

struct Client {
    out: Sender,
    room: Room,
    /// Where it is in the room, if it is.
    seat: Option<usize>,
    heartbeat: Option<Duration>,
}

impl Client {
    fn schedule_pulse(&self) -> Result<()> {
        match self.heartbeat {
            Some(period) => self.out.timeout(1_000 * period.as_secs(), PULSE),
            None => Ok(()),
        }
    }
}

impl Handler for Client {
    fn on_open(&mut self, handshake: Handshake) -> Result<()> {
        if handshake.request.resource() == "/room" {
            self.seat = Some(self.room.borrow_mut().insert(self.out.clone()));
        }
        self.schedule_pulse()
    }

    fn on_message(&mut self, message: Message) -> Result<()> {
        let Some(seat) = self.seat else {
            return self.out.send(message);
        };
        let room = self.room.borrow();
        let mut others = room.iter().filter(|(key, _)| *key != seat);
        others.try_for_each(|(_, member)| member.send(message.clone()))
    }

    fn on_timeout(&mut self, _: Token) -> Result<()> {
        self.out.ping(Vec::new())?;
        self.schedule_pulse()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.room.borrow_mut().remove(seat);
        }
    }
}
