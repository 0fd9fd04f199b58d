//! A socket's listeners are added and told of events: by the reading half, and when the end has come.

use std::ops::Range;

use super::event::{self, Closed, Event};
use super::guard::guard;
use super::listeners::{ALL, Callback, Listener, ListenerId};
use super::socket::Socket;
use super::watchdog::{Call, Watched};

impl Socket {
    pub(super) fn listen<E: Event>(
        &self,
        event: E,
        callback: Callback<E>,
        once: bool,
    ) -> ListenerId {
        let id = self.0.edits.get();
        let misuse = event.misused();
        let listener = event.into_listener(id, once, callback);
        // What is not kept is dropped outside of any borrow.
        if let Some(misuse) = misuse {
            self.0.hub.report_later(Some(self.id()), misuse);
        } else if !self.0.deaf.get() {
            self.0.listeners(|listeners| listeners.add(listener));
        }
        self.edited();
        ListenerId(id)
    }

    /// Who delivers messages must look again.
    pub(super) fn edited(&self) {
        self.0.edits.set(self.0.edits.get().wrapping_add(1));
    }

    /// Runs all listeners for an event. `false` if there is none.
    pub(super) fn tell<E: Event>(&self, payload: E::Payload<'_>) -> bool {
        self.tell_those::<E>(payload, |_| true)
    }

    /// Runs those listeners for an event that are meant. `false` if there is none.
    pub(super) fn tell_those<E: Event>(
        &self,
        payload: E::Payload<'_>,
        is_meant: impl Fn(&Listener) -> bool,
    ) -> bool {
        let mut turn = ALL;
        while self.tell_next::<E>(&mut turn, payload, &is_meant) {}
        turn.start > 0
    }

    /// Runs the first listener for an event that is meant and whose turn it is. `false` if there is
    /// none.
    fn tell_next<E: Event>(
        &self,
        turn: &mut Range<u32>,
        payload: E::Payload<'_>,
        is_meant: impl Fn(&Listener) -> bool,
    ) -> bool {
        if turn.start >= turn.end {
            return false;
        }
        let added = self.0.edits.get();
        let taken = self.0.listeners(|all| all.take::<E>(turn, added, is_meant));
        let Some(mut running) = taken else {
            return false;
        };
        if running.is_last {
            self.edited();
        }
        let watched = self.watch::<E>(payload);
        (running.callback)(self, payload);
        drop(watched);
        let spare = self.0.listeners(|all| all.put_back(running));
        drop(spare);
        true
    }

    /// A listener for `E` is about to run.
    #[inline]
    pub(super) fn watch<E: Event>(&self, payload: E::Payload<'_>) -> Watched<'_> {
        let call = || Call::for_socket(E::name(payload), self);
        self.0.hub.watch(call)
    }

    /// Runs listeners outside of the reading half; a panic ends this socket.
    pub(super) fn tell_guarded<E: Event>(&self, payload: E::Payload<'_>) {
        if let Err(panic) = guard(|| self.tell::<E>(payload)) {
            self.panicked(panic);
        }
    }

    /// Runs the last listeners. A panic in one keeps none of the others from hearing of the end.
    pub(super) fn tell_end(&self, closed: Closed<'_>) {
        let mut turn = ALL;
        loop {
            match guard(|| self.tell_next::<event::Close>(&mut turn, closed, |_| true)) {
                Ok(true) => {}
                Ok(false) => return,
                Err(panic) => self.0.hub.report(Some(self.id()), &panic),
            }
        }
    }
}
