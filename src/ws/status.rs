//! Small answers: what became of a call, and how far a connection has come.

use std::fmt;
use std::str::FromStr;

use crate::net::slab::Key;
use crate::proto::close::CloseCode;

/// Names a connection for good: never given out again, `Copy`, `Send`, a fine map key.
///
/// It is no secret: it can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub(super) Key);

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.index, self.0.generation)
    }
}

impl FromStr for SocketId {
    type Err = InvalidSocketId;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, InvalidSocketId> {
        let read = |digits: &str| match digits.parse::<u32>() {
            Ok(number) if number.to_string() == digits => Ok(number),
            _ => Err(InvalidSocketId),
        };
        let (index, generation) = text.split_once('-').ok_or(InvalidSocketId)?;
        Ok(Self(Key {
            index: read(index)?,
            generation: read(generation)?,
        }))
    }
}

/// A text that names no socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSocketId;

impl fmt::Display for InvalidSocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a socket")
    }
}

impl std::error::Error for InvalidSocketId {}

/// What became of a message that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStatus {
    /// It is queued, and written when the running listeners have returned.
    Queued,
    /// It is queued, and more than half of [`max_backpressure`](crate::Options::max_backpressure)
    /// waits for the peer to read: go slow until [`Drain`](crate::event::Drain).
    Backpressure,
    /// It was dropped: [`max_backpressure`](crate::Options::max_backpressure) is reached, and the
    /// policy drops. [`Drain`](crate::event::Drain) follows.
    Dropped,
    /// It was not sent: the connection is closing or closed.
    Closed,
    /// It was not sent: what was given cannot be made a message, like a `Json` that does not serialize.
    /// [`App::on_error`](crate::App::on_error) is told why.
    Invalid,
}

/// What became of an attempt to join a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The socket is in the room now.
    Joined,
    /// It was in the room before.
    Already,
    /// The room has as many members as it may: by [`join_up_to`](crate::Socket::join_up_to),
    /// [`set_room_capacity`](crate::Hub::set_room_capacity) or
    /// [`max_room_size`](crate::Options::max_room_size).
    Full,
    /// The socket is in [`max_rooms_per_socket`](crate::Options::max_rooms_per_socket) rooms; or
    /// there are [`max_rooms`](crate::Options::max_rooms), and this would be another one.
    Limit,
    /// The name is empty, or longer than [`max_room_name`](crate::Options::max_room_name) bytes.
    BadName,
    /// The connection is closing or closed, or not yet admitted by all middleware.
    Closed,
}

impl Join {
    /// Whether the socket is in the room.
    pub fn is_in(self) -> bool {
        matches!(self, Self::Joined | Self::Already)
    }
}

/// How far a connection has come, in the words of the browser's `WebSocket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadyState {
    /// 0: middleware has not let it pass yet.
    Connecting = 0,
    /// 1: messages can be sent.
    Open = 1,
    /// 2: the closing handshake has begun (RFC 6455 §7.1.3).
    Closing = 2,
    /// 3: the connection is gone.
    Closed = 3,
}

/// A close code that may not be sent (RFC 6455 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCloseCode(pub CloseCode);

impl fmt::Display for InvalidCloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "close code {} may not be sent: use 1000–1003, 1007–1014 or 3000–4999",
            self.0
        )
    }
}

impl std::error::Error for InvalidCloseCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is() {
        let id = SocketId(Key {
            index: 7,
            generation: u32::MAX,
        });
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "7",
            "7-",
            "-7",
            "+7-1",
            "07-1",
            "7-4294967296",
            "7-1-1",
            " 7-1",
        ] {
            assert_eq!(bad.parse::<SocketId>(), Err(InvalidSocketId), "{bad:?}");
        }
    }
}
