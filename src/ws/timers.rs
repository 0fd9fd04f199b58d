//! Timers that the application sets on the hub.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::guard::guard;
use super::hub::Hub;
use super::watchdog::Call;
use crate::net::slab::Key;
use crate::net::timer::Timers;

type Run = Box<dyn FnMut(&Hub)>;

/// All timers of a hub.
#[derive(Default)]
pub(crate) struct HubTimers(Rc<RefCell<Timers<Instant, Entry>>>);

struct Entry {
    run: Run,
    /// From setting it to its first run, and from one run to the next.
    delay: Duration,
    repeats: bool,
    /// Where the timer is found, as its handle knows it too; `None` once it is over.
    place: Rc<Cell<Option<Key>>>,
}

/// One timer. It keeps nothing alive.
#[derive(Clone)]
pub(super) struct Handle {
    timers: Weak<RefCell<Timers<Instant, Entry>>>,
    place: Rc<Cell<Option<Key>>>,
}

impl HubTimers {
    pub(super) fn add(&self, now: Instant, delay: Duration, repeats: bool, run: Run) -> Handle {
        let place = Rc::new(Cell::new(None));
        // A moment beyond what the clock can tell never comes.
        if let Some(due) = now.checked_add(delay) {
            let entry = Entry {
                run,
                delay,
                repeats,
                place: Rc::clone(&place),
            };
            place.set(self.0.borrow_mut().add(due, entry));
        }
        Handle {
            timers: Rc::downgrade(&self.0),
            place,
        }
    }

    /// Takes all of them out, to be dropped outside any borrow.
    pub(super) fn take(&self) -> impl Sized + use<> {
        self.0.take()
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.borrow_mut().next()
    }

    /// Runs the timers that are due, each once.
    #[inline]
    pub(crate) fn run(&self, hub: &Hub, now: Instant) {
        if !self.0.borrow().is_empty() {
            self.run_due(hub, now);
        }
    }

    fn run_due(&self, hub: &Hub, now: Instant) {
        let mut due = Vec::new();
        while let Some((_, entry)) = self.0.borrow_mut().pop(now) {
            due.push(entry);
        }
        for mut entry in due {
            // An earlier one of this batch may have cancelled it.
            if entry.place.get().is_some()
                && let Err(panic) = hub.run(|| Call::of("timer"), || (entry.run)(hub))
            {
                hub.report(None, &panic);
                entry.place.set(None);
            }
            // A timer that is over is dropped here, and what it captured with it.
            let next = now.checked_add(entry.delay).filter(|_| entry.repeats);
            if let Err(panic) = guard(|| self.again(entry, next)) {
                hub.report(None, &panic);
            }
        }
    }

    /// Lets each timer run after its delay from `now`, as if it were set then.
    #[cfg(feature = "testing")]
    pub(crate) fn begin_anew(&self, now: Instant) {
        let entries = {
            let mut timers = self.0.borrow_mut();
            let next = || timers.next().and_then(|due| timers.pop(due));
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        for (_, entry) in entries {
            let due = now.checked_add(entry.delay);
            self.again(entry, due);
        }
    }

    /// Sets a timer again, if it is not over.
    fn again(&self, entry: Entry, due: Option<Instant>) {
        let place = Rc::clone(&entry.place);
        if let Some(due) = due.filter(|_| place.get().is_some()) {
            let key = self.0.borrow_mut().add(due, entry);
            place.set(key);
        } else {
            place.set(None);
        }
    }
}

impl Handle {
    pub(super) fn cancel(&self) -> bool {
        let Some(key) = self.place.take() else {
            return false;
        };
        let entry = self
            .timers
            .upgrade()
            .and_then(|timers| timers.borrow_mut().cancel(key));
        drop(entry);
        true
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle(pending: {})", self.place.get().is_some())
    }
}
