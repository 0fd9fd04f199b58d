//! Peers that break the rules, and what must come back.

use super::member::quote;
use super::wire::Wire;
use super::world::World;

/// What a rude peer does when all is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Waits for the server.
    Waits,
    /// Finishes sending.
    Finishes,
    /// Goes when something has come, and leaves it unread: that resets the connection.
    Resets,
}

/// What must come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Status(u16),
    Close(u16),
    /// The connection's end, whatever is said before it.
    End,
}

#[derive(Debug)]
pub(crate) struct Case {
    name: &'static str,
    /// Whether a socket is opened first.
    pub(crate) opens: bool,
    sends: &'static [u8],
    then: Then,
    expected: Expected,
}

const fn case(name: &'static str, sends: &'static [u8], then: Then, expected: Expected) -> Case {
    let opens = false;
    Case {
        name,
        opens,
        sends,
        then,
        expected,
    }
}

const fn open(name: &'static str, sends: &'static [u8], then: Then, expected: Expected) -> Case {
    let opens = true;
    Case {
        name,
        opens,
        sends,
        then,
        expected,
    }
}

use Expected::{Close, End, Status};
use Then::{Finishes, Resets, Waits};

/// Masks are zero where they are written out here, so that what is sent can be read.
pub(crate) const CASES: &[Case] = &[
    case("rubbish", b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n", Waits, Status(400)),
    case("half a head and FIN", b"GET /soak/rude HTTP/1.1\r\nHo", Finishes, End),
    case("half a head and silence", b"GET /soak/rude HTTP/1.1\r\nHo", Waits, Status(408)),
    case("an answer unread and half a head", b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\nGET /s", Resets, End),
    case("no such path", b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Waits, Status(404)),
    case("two lengths", b"POST /stats HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Waits, Status(400)),
    case("no key", b"GET /soak/rude HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n", Waits, Status(400)),
    case("version 12", b"GET /soak/rude HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
        Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", Waits, Status(426)),
    open("RSV1", b"\xC1\x82\0\0\0\0hi", Waits, Close(1002)),
    open("no mask", b"\x81\x02hi", Waits, Close(1002)),
    open("opcode 3", b"\x83\x80\0\0\0\0", Waits, Close(1002)),
    open("nothing to continue", b"\x80\x80\0\0\0\0", Waits, Close(1002)),
    open("a message inside of a message", b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", Waits, Close(1002)),
    open("a close frame of one byte", b"\x88\x81\0\0\0\0\x03", Waits, Close(1002)),
    open("no UTF-8", b"\x81\x82\0\0\0\0\xC3\x28", Waits, Close(1007)),
    open("1 MiB and a byte", b"\x82\xFF\0\0\0\0\0\x10\0\x01\0\0\0\0", Waits, Close(1009)),
    open("2^63 - 1 bytes", b"\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", Waits, Close(1009)),
    open("half a frame and FIN", b"\x82\xFF\0\0\0\0\0\x01\0\0\0\0\0\0half", Finishes, End),
    open("half a header and FIN", b"\x82\xFF\0", Finishes, End),
    open("a fragment and FIN", b"\x01\x84\0\0\0\0half", Finishes, End),
    open("an answer unread and half a frame", b"\x89\x82\0\0\0\0hi\x82\xFF\0\0\0\0\0\x01\0\0\0\0\0\0half", Resets, End),
];

#[derive(Debug)]
pub(crate) struct Rude {
    pub(crate) case: &'static Case,
    told: Option<u16>,
}

impl Rude {
    pub(crate) fn new(case: &'static Case) -> Self {
        Self { case, told: None }
    }

    pub(crate) fn resets(&self) -> bool {
        self.case.then == Resets
    }

    /// Does it, as soon as there is a connection, or a socket if that is opened first.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) fn begin(&mut self, wire: &mut Wire, world: &mut World) -> std::io::Result<()> {
        wire.queue().extend_from_slice(self.case.sends);
        wire.flush()?;
        if self.case.then == Finishes {
            wire.finish();
        }
        match (self.case.opens, self.case.expected) {
            (false, _) => {}
            (true, Close(code)) => world.tally.close(code),
            (true, _) => world.tally.close(1006),
        }
        Ok(())
    }

    pub(crate) fn closed(&mut self, code: u16, wire: &mut Wire) {
        self.told = Some(code);
        wire.finish();
    }

    /// The connection is over; `answer` is what was said without a socket.
    ///
    /// # Errors
    ///
    /// Something else came of it than must.
    pub(crate) fn ended(&self, answer: &[u8], world: &mut World) -> Result<(), String> {
        world.tally.rude += 1;
        let is_right = match self.case.expected {
            End => true,
            Close(code) => self.told == Some(code),
            Status(status) => answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()),
        };
        match is_right {
            true => Ok(()),
            false => Err(self.wrong(&format!("{:?}, {}", self.told, quote(answer)))),
        }
    }

    fn wrong(&self, what: &str) -> String {
        let Case { name, expected, .. } = self.case;
        format!("{name}: wanted is {expected:?}, and there is {what}")
    }
}
