//! A socket's listeners, which may do anything to each other while one of them runs.
//!
//! A listener is taken out of its place while it runs and put back afterwards, unless it was
//! removed meanwhile: so it can add, remove and replace listeners, itself included.

use super::event::{self, Event};
use super::socket::Socket;

/// A listener for `E`, boxed.
pub(crate) type Callback<E> = Box<dyn for<'a> FnMut(&Socket, <E as Event>::Payload<'a>)>;

/// A listener for any event.
#[allow(
    missing_debug_implementations,
    missing_docs,
    reason = "only the sealed trait names it"
)]
pub enum Listener {
    Message(Callback<event::Message>),
    Close(Callback<event::Close>),
    Error(Callback<event::Error>),
    Ping(Callback<event::Ping>),
    Pong(Callback<event::Pong>),
    Drain(Callback<event::Drain>),
    RateLimit(Callback<event::RateLimit>),
}

/// Names a listener of one socket, for [`Socket::off`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(u32);

struct Entry {
    id: ListenerId,
    once: bool,
    /// `None` while it runs.
    listener: Option<Listener>,
}

/// All listeners of a socket, in the order in which they were added.
#[derive(Default)]
pub(super) struct Listeners {
    entries: Vec<Entry>,
    added: u32,
    /// The connection is gone: nothing is heard any more, so nothing is kept.
    closed: bool,
}

/// A listener that is out of its place to run.
pub(super) struct Running {
    id: ListenerId,
    pub(super) listener: Listener,
}

impl Listeners {
    /// Adds a listener; gives it to be dropped outside any borrow if the connection is gone.
    pub(super) fn add(&mut self, listener: Listener, once: bool) -> (ListenerId, Option<Listener>) {
        let id = ListenerId(self.added);
        self.added += 1;
        if self.closed {
            return (id, Some(listener));
        }
        // Most sockets have one or two, and there are many sockets.
        self.entries.reserve_exact(1);
        self.entries.push(Entry {
            id,
            once,
            listener: Some(listener),
        });
        (id, None)
    }

    /// Whether that listener was there, and what is to be dropped outside any borrow.
    pub(super) fn remove(&mut self, id: ListenerId) -> Option<Option<Listener>> {
        let index = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(index).listener)
    }

    /// Where the list ends now: listeners that are added later have their first turn next time.
    pub(super) fn end(&self) -> u32 {
        self.added
    }

    /// Takes the first listener for `E` that was added between `from` and `end`, to run it.
    pub(super) fn take<E: Event>(&mut self, from: u32, end: u32) -> Option<Running> {
        let at = self.entries.iter_mut().position(|entry| {
            let listener = entry
                .listener
                .as_mut()
                .filter(|_| (from..end).contains(&entry.id.0));
            listener.is_some_and(|listener| E::callback(listener).is_some())
        })?;
        let entry = self.entries.get_mut(at)?;
        let running = Running {
            id: entry.id,
            listener: entry.listener.take()?,
        };
        if entry.once {
            self.entries.remove(at);
        }
        Some(running)
    }

    /// Puts a listener back; gives it to be dropped outside any borrow if its place is gone.
    pub(super) fn put_back(&mut self, running: Running) -> Option<Listener> {
        match self.entries.iter_mut().find(|entry| entry.id == running.id) {
            Some(entry) => entry.listener.replace(running.listener),
            None => Some(running.listener),
        }
    }

    /// Takes all of them out, to be dropped outside any borrow. None is kept any more.
    pub(super) fn close(&mut self) -> Self {
        let none = Self {
            added: self.added,
            closed: true,
            ..Self::default()
        };
        std::mem::replace(self, none)
    }
}

impl Running {
    /// Whose turn is next.
    pub(super) fn next(&self) -> u32 {
        self.id.0 + 1
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listeners({})", self.entries.len())
    }
}
