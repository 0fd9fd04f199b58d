//! Where a reactor learns what has become ready: from the system, or from a network in memory.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll, Registry, Token, Waker};

use super::listener::Listener;
use super::memory::Network;

/// What has become ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) token: usize,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// FIN or an error is there, behind what is to be read.
    pub(super) ends: bool,
    /// The connection was reset: nobody is there any more.
    pub(super) reset: bool,
}

impl Edge {
    #[inline]
    pub(super) fn of(event: &Event) -> Self {
        Self {
            token: event.token().0,
            readable: event.is_readable(),
            writable: event.is_writable(),
            ends: event.is_read_closed() || event.is_error(),
            reset: event.is_error(),
        }
    }

    /// There is something to read, or to accept.
    #[cfg(feature = "testing")]
    pub(super) fn readable(token: usize) -> Self {
        Self {
            token,
            readable: true,
            writable: false,
            ends: false,
            reset: false,
        }
    }
}

/// Where a reactor learns what has become ready.
#[derive(Debug)]
pub(crate) enum Poller {
    System {
        poll: Poll,
        events: Events,
    },
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "only the testing kit has a network in memory")
    )]
    Memory(Network),
}

impl Poller {
    /// That which knows of connections to `listener`.
    pub(crate) fn of(listener: &Listener) -> io::Result<Self> {
        match listener {
            Listener::Memory(door) => Ok(door.poller()),
            _ => Self::system(),
        }
    }

    /// That which knows of all streams of the system.
    pub(crate) fn system() -> io::Result<Self> {
        Ok(Self::System {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
        })
    }

    /// Where streams of the system are registered, if those are watched here.
    pub(super) fn registry(&self) -> Option<&Registry> {
        match self {
            Self::System { poll, .. } => Some(poll.registry()),
            Self::Memory(_) => None,
        }
    }

    /// What other threads wake the reactor with, if they have to.
    pub(super) fn waker(&self, token: Token) -> io::Result<Option<Waker>> {
        let registry = self.registry();
        registry
            .map(|registry| Waker::new(registry, token))
            .transpose()
    }

    /// Waits for readiness, `timeout` at most. In memory nothing is waited for.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Self::System { poll, events } = self else {
            return Ok(());
        };
        match poll.poll(events, timeout) {
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }

    /// What the system has told; [give](Self::give_back) it back.
    #[inline]
    pub(super) fn take_events(&mut self) -> Events {
        let none = Events::with_capacity(0);
        match self {
            Self::System { events, .. } => std::mem::replace(events, none),
            Self::Memory(_) => none,
        }
    }

    #[inline]
    pub(super) fn give_back(&mut self, taken: Events) {
        if let Self::System { events, .. } = self {
            *events = taken;
        }
    }

    /// What has become ready in memory.
    #[inline]
    pub(super) fn take_edges(&self) -> Vec<Edge> {
        match self {
            Self::System { .. } => Vec::new(),
            Self::Memory(network) => network.take_edges(),
        }
    }

    /// Whether other threads may have called without a [waker](Self::waker).
    #[inline]
    pub(super) fn has_no_waker(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// The descriptor that is readable when something is ready; -1 if there is none.
    #[cfg(unix)]
    pub(super) fn as_raw_fd(&self) -> std::os::fd::RawFd {
        match self {
            Self::System { poll, .. } => std::os::fd::AsRawFd::as_raw_fd(poll),
            Self::Memory(_) => -1,
        }
    }
}
