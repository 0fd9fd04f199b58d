//! What a connection speaks: HTTP at first, then perhaps WebSocket.
//!
//! An enum instead of a trait object: a read costs no dynamic call, and a session no allocation.

use super::opening::Opening;
use crate::net::clock::Tick;
use crate::net::link::Cause;
use crate::net::protocol::{Next, Protocol};
use crate::ws::dialing::Dialing;
use crate::ws::session::Session;

/// The reading half of a connection.
pub(super) enum Conversation {
    /// Boxed: it is large, and soon over.
    Opening(Box<Opening>),
    /// The other side's opening, which is over as soon.
    Dialing(Box<dyn Dialing>),
    Session(Session),
}

impl Protocol for Conversation {
    #[inline]
    fn receive(&mut self, input: &mut [u8], now: Tick) -> Next<Self> {
        match self {
            Self::Session(session) => {
                session.receive(input, now);
                Next::Stay
            }
            Self::Opening(opening) => become_session(opening.receive(input, now)),
            Self::Dialing(dialing) => become_session(dialing.receive(input, now)),
        }
    }

    #[inline]
    fn window(&mut self) -> Option<&mut [u8]> {
        match self {
            Self::Session(session) => session.window(),
            Self::Opening(_) | Self::Dialing(_) => None,
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
            Self::Dialing(dialing) => dialing.finished(),
        }
    }

    fn timeout(&mut self, now: Tick) -> Option<Tick> {
        match self {
            Self::Session(session) => session.timeout(now),
            Self::Opening(opening) => opening.timeout(now),
            Self::Dialing(dialing) => dialing.timeout(now),
        }
    }

    fn drained(&mut self, undelivered: usize) {
        match self {
            Self::Session(session) => session.drained(undelivered),
            Self::Opening(opening) => opening.drained(),
            Self::Dialing(dialing) => dialing.connected(),
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Session(session) => session.held(),
            Self::Opening(opening) => opening.memory(),
            // At most a head and the beginning of a body, and few have it.
            Self::Dialing(_) => 0,
        }
    }

    fn overflowed(&mut self) {
        match self {
            Self::Session(session) => session.overflowed(),
            Self::Opening(opening) => opening.overflowed(),
            Self::Dialing(_) => {}
        }
    }

    fn shutdown(&mut self) {
        match self {
            Self::Session(session) => session.shutdown(),
            Self::Opening(opening) => opening.shutdown(),
            // Whoever wants it is told by the hub, and has ended it.
            Self::Dialing(_) => {}
        }
    }

    fn closed(&mut self, cause: Cause, undelivered: usize) {
        match self {
            Self::Session(session) => session.closed(cause, undelivered),
            Self::Dialing(dialing) => dialing.closed(cause),
            Self::Opening(_) => {}
        }
    }
}

fn become_session(opened: Option<(Session, usize)>) -> Next<Conversation> {
    match opened {
        None => Next::Stay,
        Some((session, used)) => Next::Become {
            protocol: Conversation::Session(session),
            used,
        },
    }
}
