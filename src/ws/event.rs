//! What a socket's listeners can hear, each with its own payload.
//!
//! ```
//! use rushwire::{App, event};
//!
//! let mut app = App::new();
//! app.ws("/echo", |socket, _request| {
//!     socket.on(event::Message, |socket, message| {
//!         socket.send(message);
//!     });
//!     socket.on(event::Close, |socket, close| {
//!         println!("{} left: {} {}", socket.id(), close.code, close.reason);
//!     });
//! });
//! ```
//!
//! With the feature `json` a name is an event, too: `socket.on("join-room", |socket, payload| …)` hears
//! the messages `{"type":"join-room",…}`, and `event::named` gives them a type.

use std::fmt;
use std::io;

use super::listeners::{Callback, Listener};
use super::message;
use crate::proto::close::CloseCode;
use crate::proto::violation::Violation;

#[cfg(feature = "json")]
pub use super::custom::{Named, named};
#[cfg(feature = "json")]
pub use super::payload::{Ack, Payload};

pub(super) mod sealed {
    pub trait Sealed {}
}

/// Something a socket's listeners can hear: the unit structs of this module, and names with the feature
/// `json`.
///
/// The trait is sealed.
pub trait Event: sealed::Sealed + Sized {
    /// What a listener is given.
    type Payload<'a>: Copy;

    #[doc(hidden)]
    fn into_listener(self, id: u32, once: bool, callback: Callback<Self>) -> Listener;

    #[doc(hidden)]
    fn callback<'a>(listener: &'a mut Listener) -> Option<&'a mut Option<Callback<Self>>>
    where
        Self: 'a;

    /// What it is called, when that comes.
    #[doc(hidden)]
    fn name(payload: Self::Payload<'_>) -> &str;

    /// Why a listener for it would never run, if so.
    #[doc(hidden)]
    fn misused(&self) -> Option<String> {
        None
    }
}

macro_rules! events {
    ($($(#[$doc:meta])+ $name:ident($payload:ty);)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl Event for $name {
            type Payload<'a> = $payload;

            fn into_listener(self, id: u32, once: bool, callback: Callback<Self>) -> Listener {
                Listener::$name { id, once, callback: Some(callback) }
            }

            fn callback<'a>(listener: &'a mut Listener) -> Option<&'a mut Option<Callback<Self>>> where Self: 'a {
                if let Listener::$name { callback, .. } = listener { Some(callback) } else { None }
            }

            fn name(_: Self::Payload<'_>) -> &str {
                stringify!($name)
            }
        }
    )+};
}

events! {
    /// A whole message has come. Payload: [`rushwire::Message`](crate::Message).
    Message(message::Message<'a>);
    /// The connection is over: the last event, exactly once. Payload: [`Closed`].
    ///
    /// The socket has left its rooms, but a broadcast from here reaches the others, and
    /// [`rooms`](crate::Socket::rooms) still tells what it was in.
    Close(Closed<'a>);
    /// Something went wrong; [`Close`] follows, except after [`Failure::Payload`]. Payload: [`Failure`].
    Error(&'a Failure);
    /// A ping has come; it is answered already (RFC 6455 §5.5.2). Payload: its bytes, at most 125.
    Ping(&'a [u8]);
    /// A pong has come (RFC 6455 §5.5.3). Payload: its bytes, at most 125.
    Pong(&'a [u8]);
    /// After [`SendStatus::Backpressure`](crate::SendStatus::Backpressure) or
    /// [`SendStatus::Dropped`](crate::SendStatus::Dropped): all that waited is written. Payload: [`Drained`].
    Drain(Drained);
    /// The peer sends more than [`Options::message_rate`](crate::Options::message_rate) or
    /// [`Options::byte_rate`](crate::Options::byte_rate) allows. Payload: [`RateLimited`].
    ///
    /// The message that was too much is not delivered, and not counted against the peer. With a
    /// listener for this event the connection goes on; without one it is closed with 1008.
    RateLimit(RateLimited);
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed<'a> {
    /// The code of the side that began: 1005 if its close frame had none, 1006 if there was no close
    /// frame at all (RFC 6455 §7.1.5).
    pub code: CloseCode,
    /// The reason of the side that began (RFC 6455 §7.1.6).
    pub reason: &'a str,
    /// Who began.
    pub by: By,
    /// What brought it about.
    pub cause: Cause,
    /// Messages that were accepted by `send` and could not be handed to the network.
    pub undelivered: usize,
}

/// Which side began the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The peer sent a close frame first.
    Peer,
    /// This side did, or cut the connection.
    Us,
    /// Nobody: the connection was lost.
    Nobody,
}

/// What brought a connection to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// One side asked for it: [`close`](crate::Socket::close), or the peer's close frame.
    Requested,
    /// [`terminate`](crate::Socket::terminate) was called.
    Terminated,
    /// The peer broke the protocol, or a limit on what it may send.
    Violation(Violation),
    /// A listener panicked.
    Panic,
    /// No sign of life for [`pong_timeout`](crate::Options::pong_timeout) after a ping.
    PingTimeout,
    /// No message for [`idle_timeout`](crate::Options::idle_timeout).
    IdleTimeout,
    /// Open for [`max_lifetime`](crate::Options::max_lifetime).
    LifetimeOver,
    /// The peer did not answer our close frame within [`close_timeout`](crate::Options::close_timeout).
    CloseTimeout,
    /// More than [`max_backpressure`](crate::Options::max_backpressure) waited for the peer to read.
    SlowConsumer,
    /// More than [`message_rate`](crate::Options::message_rate) or
    /// [`byte_rate`](crate::Options::byte_rate) allows.
    RateLimit,
    /// A middleware did not let it pass.
    Rejected,
    /// The server shut down.
    Shutdown,
    /// The peer finished sending without a close frame.
    PeerGone,
    /// The connection failed.
    Io(io::ErrorKind),
}

/// What went wrong with one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The stream failed. The connection is lost.
    Io(io::ErrorKind),
    /// The peer broke a rule; the connection is closed with
    /// [`Violation::close_code`](crate::Violation::close_code).
    Violation(Violation),
    /// A listener of this socket panicked, with this message; the connection is closed with 1011.
    Panic(String),
    /// A custom event (feature `json`) came with a payload that is not of the listener's type. The peer
    /// was told, and the connection goes on.
    Payload {
        /// The name of the event.
        event: String,
        /// What is wrong with the payload.
        reason: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "{kind}"),
            Self::Violation(violation) => write!(f, "{violation}"),
            Self::Panic(message) => write!(f, "a listener panicked: {message}"),
            Self::Payload { event, reason } => {
                write!(f, "the payload of {event:?} is wrong: {reason}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// All that waited for a peer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Messages that were dropped since the last [`Drain`].
    pub undelivered: usize,
}

/// A peer sends too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited {
    /// What it sends too much of. If of both, what takes longer.
    pub limit: Limit,
    /// How long until a message such as this one is allowed.
    pub retry_after: std::time::Duration,
}

/// What a peer may send only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Messages: [`message_rate`](crate::Options::message_rate).
    Messages,
    /// Bytes of messages: [`byte_rate`](crate::Options::byte_rate).
    Bytes,
}
