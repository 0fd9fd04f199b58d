//! What a connection speaks: HTTP at first, then perhaps WebSocket.
//!
//! An enum instead of a trait object: a read costs no dynamic call, and a session no allocation.

use super::opening::Opening;
use crate::net::clock::Tick;
use crate::net::link::Cause;
use crate::net::protocol::{Next, Protocol};
use crate::ws::session::Session;

/// The reading half of a connection.
pub(super) enum Conversation {
    /// Boxed: it is large, and soon over.
    Opening(Box<Opening>),
    Session(Session),
}

impl Protocol for Conversation {
    #[inline]
    fn receive(&mut self, input: &mut [u8], now: Tick) -> Next<Self> {
        match self {
            Self::Session(session) => session.receive(input, now),
            Self::Opening(opening) => {
                if let Some((session, used)) = opening.receive(input, now) {
                    let protocol = Self::Session(session);
                    return Next::Become { protocol, used };
                }
            }
        }
        Next::Stay
    }

    #[inline]
    fn window(&mut self) -> Option<&mut [u8]> {
        match self {
            Self::Session(session) => session.window(),
            Self::Opening(_) => None,
        }
    }

    fn filled(&mut self, n: usize, now: Tick) {
        if let Self::Session(session) = self {
            session.filled(n, now);
        }
    }

    fn finished(&mut self) {
        match self {
            Self::Session(session) => session.finished(),
            Self::Opening(opening) => opening.finished(),
        }
    }

    fn timeout(&mut self, now: Tick) -> Option<Tick> {
        match self {
            Self::Session(session) => session.timeout(now),
            Self::Opening(opening) => opening.timeout(now),
        }
    }

    fn drained(&mut self, undelivered: usize) {
        match self {
            Self::Session(session) => session.drained(undelivered),
            Self::Opening(opening) => opening.drained(),
        }
    }

    fn shutdown(&mut self) {
        match self {
            Self::Session(session) => session.shutdown(),
            Self::Opening(opening) => opening.shutdown(),
        }
    }

    fn closed(&mut self, cause: Cause, undelivered: usize) {
        match self {
            Self::Session(session) => session.closed(cause, undelivered),
            Self::Opening(_) => {}
        }
    }
}
