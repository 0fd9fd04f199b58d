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

/// A timer that was set. Dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Timer(Handle);

impl Timer {
    /// Keeps the timer from running any more. `false` if it was over already.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }
}

impl Hub {
    /// Runs `run` every `period`, on this thread, for the first time after one period, until it is
    /// cancelled. A period of zero counts as a millisecond. Without a server any more it is over at once.
    ///
    /// If the loop is late, missed runs are skipped. If it panics, it is cancelled and reported.
    pub fn set_interval(&self, period: Duration, run: impl FnMut(&Self) + 'static) -> Timer {
        let period = period.max(Duration::from_millis(1));
        self.set_timer(period, true, Box::new(run))
    }

    /// Runs `run` once, after `delay`, on this thread. Without a server any more it is over at once.
    pub fn set_timeout(&self, delay: Duration, run: impl FnOnce(&Self) + 'static) -> Timer {
        let mut run = Some(run);
        let run = move |hub: &Self| run.take().into_iter().for_each(|run| run(hub));
        self.set_timer(delay, false, Box::new(run))
    }

    fn set_timer(&self, delay: Duration, repeats: bool, run: Run) -> Timer {
        let now = self.links().time.now();
        // What is to run after the end of time never does, and is not kept.
        let due = now.checked_add(delay).filter(|_| !self.is_released());
        Timer(self.timers().add(due, delay, repeats, run))
    }
}

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
struct Handle {
    timers: Weak<RefCell<Timers<Instant, Entry>>>,
    place: Rc<Cell<Option<Key>>>,
}

impl HubTimers {
    /// Adds a timer that is first due then; without that it is over already.
    fn add(&self, due: Option<Instant>, delay: Duration, repeats: bool, run: Run) -> Handle {
        let place = Rc::new(Cell::new(None));
        if let Some(due) = due {
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

    /// Takes all of them out, to be dropped outside any borrow. They are over.
    pub(super) fn take(&self) -> impl Sized + use<> {
        let entries = self.take_all();
        entries.iter().for_each(|entry| entry.place.set(None));
        entries
    }

    fn take_all(&self) -> Vec<Entry> {
        let mut timers = self.0.borrow_mut();
        let next = || timers.next().and_then(|due| timers.pop(due));
        std::iter::from_fn(next).map(|(_, entry)| entry).collect()
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
        for entry in self.take_all() {
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
    fn cancel(&self) -> bool {
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
