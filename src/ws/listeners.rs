//! A socket's listeners, which may do anything to each other while one of them runs.
//!
//! A listener is taken out of its place while it runs and put back afterwards, unless it was
//! removed meanwhile: so it can add, remove and replace listeners, itself included.

use std::ops::Range;

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

/// The turn of every listener that is there when it begins.
pub(super) const ALL: Range<u32> = 0..u32::MAX;

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
    place: usize,
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

    /// Takes the first listener for `E` whose turn it is, to run it, and moves the turn behind it.
    ///
    /// A turn begins with [`ALL`]. Listeners that are added meanwhile have theirs the next time.
    pub(super) fn take<E: Event>(&mut self, turn: &mut Range<u32>) -> Option<Running> {
        turn.end = turn.end.min(self.added);
        let place = self.entries.iter_mut().position(|entry| {
            let is_next = turn.contains(&entry.id.0);
            is_next
                && entry
                    .listener
                    .as_mut()
                    .is_some_and(|it| E::callback(it).is_some())
        })?;
        let is_last = place + 1 == self.entries.len();
        let entry = self.entries.get_mut(place)?;
        let id = entry.id;
        turn.start = if is_last { turn.end } else { id.0 + 1 };
        let listener = entry.listener.take()?;
        if entry.once {
            self.entries.remove(place);
        }
        Some(Running {
            place,
            id,
            listener,
        })
    }

    /// Puts a listener back; gives it to be dropped outside any borrow if its place is gone.
    pub(super) fn put_back(&mut self, running: Running) -> Option<Listener> {
        let Running {
            place,
            id,
            listener,
        } = running;
        let is_there = self.entries.get(place).is_some_and(|entry| entry.id == id);
        // Others may have been removed before it.
        let place = if is_there {
            Some(place)
        } else {
            self.entries.iter().position(|entry| entry.id == id)
        };
        match place.and_then(|place| self.entries.get_mut(place)) {
            Some(entry) => entry.listener.replace(listener),
            None => Some(listener),
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

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listeners({})", self.entries.len())
    }
}
