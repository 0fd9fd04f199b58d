//! Sockets of either side, for targets that play a peer over a network in memory: what they do, and what
//! must be true of what they hear and send.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::choices::{Choices, expand, pieces, unit};
use crate::proto::decoder::Role;
use crate::proto::naive::{Owned, decode};
use crate::testing::{Connection, TestServer};
use crate::{Message, Options, Overflow, Socket, event};

const POLICIES: [Overflow; 3] = [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest];
/// The longest that a connection may go on that nothing is heard of, whatever it did before.
pub(super) const END: Duration = Duration::from_secs(600);

/// What a peer does, and over what network.
pub(super) struct Script {
    pub(super) how: u8,
    pub(super) scale: Scale,
    /// What it says.
    pub(super) input: Vec<u8>,
    /// How much the network holds in each direction.
    pub(super) window: usize,
    /// How much passes behind each piece, if time does.
    pause: Duration,
    /// The sizes of pieces, as [`pieces`] has it.
    seed: u8,
    step: u8,
    unit: usize,
}

impl Script {
    /// The first bytes choose how it goes, the rest is what it says.
    pub(super) fn read(data: &[u8]) -> Self {
        let mut choices = Choices::new(data);
        let how = choices.byte();
        let (seed, step) = (choices.byte(), choices.byte());
        let window = 1 << (choices.below(10) + 4);
        let pause = choices.byte();
        let (scale, input, by) = Scale::of(pause, choices);
        let unit = unit(input.len()) * by;
        Self {
            how,
            scale,
            input,
            window: window * unit,
            pause: Duration::from_secs(u64::from(pause % 32)),
            seed,
            step,
            unit,
        }
    }

    /// Whether all that is said comes behind an opening handshake that is right.
    pub(super) fn opens(&self) -> bool {
        self.how & 1 == 1
    }

    /// Whether the peer ends with FIN, and neither it nor the time brings anything else about.
    pub(super) fn is_calm(&self) -> bool {
        self.how & 0xC6 == 0
    }

    /// Says all of it, piece by piece; gives what comes back.
    pub(super) fn talk(&self, test: &TestServer, peer: &mut Connection) -> Vec<u8> {
        let mut came = Vec::new();
        for piece in pieces(&self.input, self.seed, self.step, self.unit) {
            if self.how & 2 == 2 {
                peer.stop_reading();
            }
            peer.send(piece);
            test.turn();
            peer.read_on();
            came.extend(peer.recv());
            if self.how & 4 == 4 {
                test.clock().advance(self.pause);
            }
        }
        came
    }

    /// The options of whoever has it for a peer.
    pub(super) fn options(&self) -> Options {
        Options {
            max_message_size: self.scale.message,
            max_body_size: self.scale.body,
            max_backpressure: self.scale.backpressure,
            idle_timeout: Duration::from_secs(300),
            overflow: POLICIES[usize::from(self.how >> 4) % 3],
            ..Options::default()
        }
    }
}

/// How much may come, and wait.
pub(super) struct Scale {
    pub(super) message: usize,
    body: usize,
    backpressure: usize,
}

const SMALL: Scale = Scale {
    message: 2048,
    body: 512,
    backpressure: 4096,
};
/// Large enough for a message that is read to where it belongs, and for a buffer that is used again.
const LARGE: Scale = Scale {
    message: 160 * 1024,
    body: 64 * 1024,
    backpressure: 1024 * 1024,
};
/// For two messages of that length.
const MAX_INPUT: usize = 320 * 1024;

impl Scale {
    /// What a byte of the input chooses, the rest of the input, and by how much its pieces are larger.
    fn of(byte: u8, choices: Choices<'_>) -> (Self, Vec<u8>, usize) {
        match byte {
            // Of what is large, a piece may be large enough to complete a message where it belongs.
            224.. => (LARGE, expand(choices.rest(), MAX_INPUT), 4),
            _ => (SMALL, choices.rest().to_vec(), 1),
        }
    }
}

/// What sockets have heard.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) opened: Cell<usize>,
    closed: Cell<usize>,
    /// Messages that were told as undelivered.
    pub(super) undelivered: Cell<usize>,
    messages: RefCell<Vec<Vec<u8>>>,
}

impl Heard {
    /// A socket is open: it does what it is told, and what it hears is written down.
    pub(super) fn welcome(self: &Rc<Self>, socket: &Socket) {
        self.opened.set(self.opened.get() + 1);
        let heard = Rc::clone(self);
        socket.on(event::Message, move |socket, message| {
            heard
                .messages
                .borrow_mut()
                .push(message.as_bytes().to_vec());
            act(socket, message);
        });
        let heard = Rc::clone(self);
        socket.on(event::Drain, move |_, drained| {
            heard.lose(drained.undelivered)
        });
        let heard = Rc::clone(self);
        socket.on(event::Close, move |_, closed| {
            heard.closed.set(heard.closed.get() + 1);
            heard.lose(closed.undelivered);
        });
    }

    fn lose(&self, messages: usize) {
        self.undelivered.set(self.undelivered.get() + messages);
    }

    /// The socket heard what the naive decoder reads, in that order, until it ended; and all of it if nothing
    /// of the socket, the network or the time (`is_calm`) was in the way.
    pub(super) fn check(&self, sent: Vec<Owned>, is_calm: bool) {
        let sent = sent.into_iter().filter_map(|piece| match piece {
            Owned::Text(text) => Some(text.into_bytes()),
            Owned::Binary(bytes) => Some(bytes),
            _ => None,
        });
        let sent: Vec<Vec<u8>> = sent.collect();
        let heard = self.messages.borrow();
        // What is large would fill the screen.
        assert!(sent.starts_with(&heard), "it hears what was not sent");
        let act = |message: &Vec<u8>| message.first().map_or(0, |first| first % 16);
        let may_end = |message| matches!(act(message), 1..=3 | 8..=10);
        if is_calm && !sent.iter().any(may_end) {
            assert_eq!(heard.len(), sent.len(), "it hears all that was sent");
        }
    }

    /// All have gone: each has ended once, and nothing is left.
    pub(super) fn check_end(&self, test: &TestServer) {
        let stats = test.hub().stats();
        assert_eq!(self.opened.get(), self.closed.get(), "each ends once");
        assert_eq!((test.hub().len(), stats.total_connections), (0, 0));
        assert_eq!((test.hub().rooms().len(), stats.waiting_bytes), (0, 0));
    }
}

/// The first byte of a message says what becomes of it.
fn act(socket: &Socket, message: Message<'_>) {
    let bytes = message.as_bytes();
    match bytes.first().map_or(0, |first| first % 16) {
        1 => socket.close(),
        2 => drop(socket.close_with(4000, "as you say")),
        3 => socket.terminate(),
        4 => drop(socket.ping(b"?")),
        5 => drop(socket.join("room")),
        6 => drop(socket.leave("room")),
        7 => drop(socket.broadcast_all("room", message)),
        8 => drop((0..20).map(|_| socket.send(bytes)).collect::<Vec<_>>()),
        9 => drop(socket.once(event::Message, |socket, message| {
            socket.send(message);
            socket.close();
        })),
        10 => socket.hub().shutdown(Duration::from_secs(5)),
        11 => {
            let again = socket.clone();
            let late = move |_: &crate::Hub| _ = again.send("late");
            socket.hub().set_timeout(Duration::from_secs(2), late);
        }
        _ => drop(socket.send(message)),
    }
}

/// Whole frames as they may be sent to that role, up to one close frame. Gives what they say.
pub(super) fn check_frames(to: Role, frames: &[u8]) -> Vec<Owned> {
    let (heard, verdict) = decode(to, 1 << 20, frames);
    assert_eq!(verdict, Ok(()), "it keeps to the protocol");
    let closes = heard.iter().filter(|it| matches!(it, Owned::Close(..)));
    assert!(closes.count() <= 1);
    heard
}
