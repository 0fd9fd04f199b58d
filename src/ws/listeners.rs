//! A socket's listeners, which may do anything to each other while one of them runs.
//!
//! A listener is taken out of its place while it runs and put back afterwards, unless it was
//! removed meanwhile: so it can add, remove and replace listeners, itself included.

use std::ops::Range;

use super::custom::Custom;
use super::event::{self, Event};
use super::few::Few;
use super::socket::Socket;

/// A listener for `E`, boxed.
pub(crate) type Callback<E> = Box<dyn for<'a> FnMut(&Socket, <E as Event>::Payload<'a>)>;

/// A listener for any event: its number, whether it runs but once, and itself unless it is running.
///
/// Spelt out, because so it takes 24 bytes, and there are many sockets.
#[allow(
    missing_debug_implementations,
    missing_docs,
    reason = "only the sealed trait names it"
)]
#[rustfmt::skip]
pub enum Listener {
    Message { id: u32, once: bool, callback: Option<Callback<event::Message>> },
    Close { id: u32, once: bool, callback: Option<Callback<event::Close>> },
    Error { id: u32, once: bool, callback: Option<Callback<event::Error>> },
    Ping { id: u32, once: bool, callback: Option<Callback<event::Ping>> },
    Pong { id: u32, once: bool, callback: Option<Callback<event::Pong>> },
    Drain { id: u32, once: bool, callback: Option<Callback<event::Drain>> },
    RateLimit { id: u32, once: bool, callback: Option<Callback<event::RateLimit>> },
    Custom(Custom),
}

impl Listener {
    fn id(&self) -> u32 {
        self.marks().0
    }

    #[rustfmt::skip]
    fn marks(&self) -> (u32, bool) {
        match *self {
            Self::Message { id, once, .. }
            | Self::Close { id, once, .. }
            | Self::Error { id, once, .. }
            | Self::Ping { id, once, .. }
            | Self::Pong { id, once, .. }
            | Self::Drain { id, once, .. }
            | Self::RateLimit { id, once, .. } => (id, once),
            Self::Custom(ref custom) => custom.marks(),
        }
    }
}

/// Names a listener of one socket, for [`Socket::off`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub(super) u32);

/// The turn of every listener that is there when it begins.
pub(super) const ALL: Range<u32> = 0..u32::MAX;

/// All listeners of a socket, in the order in which they were added.
#[derive(Default)]
pub(super) struct Listeners(pub(super) Few<Listener>);

/// A listener that is out of its place to run.
pub(super) struct Running<E: Event> {
    place: usize,
    id: u32,
    /// It has no place to be put back to.
    pub(super) is_last: bool,
    pub(super) callback: Callback<E>,
}

impl Listeners {
    pub(super) fn add(&mut self, listener: Listener) {
        self.0.push(listener);
    }

    /// Takes a listener out, to be dropped outside any borrow.
    pub(super) fn remove(&mut self, id: ListenerId) -> Option<Listener> {
        let index = self
            .0
            .as_slice()
            .iter()
            .position(|listener| listener.id() == id.0)?;
        self.0.remove(index)
    }

    /// Takes the first listener for `E` that is meant and whose turn it is, to run it, and moves the
    /// turn behind it.
    ///
    /// A turn begins with [`ALL`]. Listeners that are added meanwhile, from the number `added` on,
    /// have theirs the next time.
    pub(super) fn take<E: Event>(
        &mut self,
        turn: &mut Range<u32>,
        added: u32,
        is_meant: impl Fn(&Listener) -> bool,
    ) -> Option<Running<E>> {
        turn.end = turn.end.min(added);
        let listeners = self.0.as_mut_slice();
        let place = listeners.iter_mut().position(|listener| {
            turn.contains(&listener.id())
                && is_meant(listener)
                && E::callback(listener).is_some_and(|it| it.is_some())
        })?;
        let is_last = place + 1 == listeners.len();
        let listener = listeners.get_mut(place)?;
        let (id, once) = listener.marks();
        turn.start = if is_last { turn.end } else { id + 1 };
        let callback = E::callback(listener)?.take()?;
        if once {
            self.0.remove(place);
        }
        Some(Running {
            place,
            id,
            is_last: once,
            callback,
        })
    }

    /// Takes the listener for `E` if it is the only one and not to be removed, to run it many times.
    #[inline]
    pub(super) fn take_only<E: Event>(&mut self) -> Option<Running<E>> {
        if let Few::One(listener) = &mut self.0 {
            return take_from(listener, 0);
        }
        let listeners = self.0.as_mut_slice();
        // Messages are heard by those for custom events, too.
        let hears = |listener: &mut Listener| {
            E::callback(listener).is_some() || matches!(listener, Listener::Custom(_))
        };
        let first = listeners.iter_mut().position(hears)?;
        let (listener, behind) = listeners.get_mut(first..)?.split_first_mut()?;
        match behind.iter_mut().any(hears) {
            true => None,
            false => take_from(listener, first),
        }
    }

    /// Puts back what [`take_only`](Self::take_only) gave, if nothing was added or removed since.
    #[inline]
    pub(super) fn put_back_only<E: Event>(&mut self, running: Running<E>) -> Option<Callback<E>> {
        let listener = match &mut self.0 {
            Few::One(listener) => Some(listener),
            Few::None => None,
            Few::Many(many) => many.get_mut(running.place),
        };
        match listener.and_then(E::callback) {
            Some(place) => place.replace(running.callback),
            None => Some(running.callback),
        }
    }

    /// Puts a listener back; gives it to be dropped outside any borrow if its place is gone.
    pub(super) fn put_back<E: Event>(&mut self, running: Running<E>) -> Option<Callback<E>> {
        let Running {
            place,
            id,
            callback,
            ..
        } = running;
        let listeners = self.0.as_mut_slice();
        let is_there = listeners
            .get(place)
            .is_some_and(|listener| listener.id() == id);
        // Others may have been removed before it.
        let place = if is_there {
            Some(place)
        } else {
            listeners.iter().position(|listener| listener.id() == id)
        };
        let listener = place.and_then(|place| listeners.get_mut(place));
        match listener.and_then(E::callback) {
            Some(place) => place.replace(callback),
            None => Some(callback),
        }
    }
}

/// Takes a listener out of its place, if it is one for `E` and runs more than once.
#[inline]
fn take_from<E: Event>(listener: &mut Listener, place: usize) -> Option<Running<E>> {
    let (id, once) = listener.marks();
    let callback = E::callback(listener).filter(|_| !once)?.take()?;
    Some(Running {
        place,
        id,
        is_last: false,
        callback,
    })
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listeners({})", self.0.as_slice().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_takes_24_bytes_and_so_does_the_list_of_one() {
        assert_eq!(size_of::<Listener>(), 24);
        assert_eq!(size_of::<Listeners>(), 24);
    }
}
