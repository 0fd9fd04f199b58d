//! What time it is: the system's, or one that stands still until a test moves it.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where the wall clock of stopped time begins: 2000-01-01 00:00:00 UTC, in seconds since 1970.
const BEGINNING: u64 = 946_684_800;

/// What time it is.
#[derive(Debug, Default)]
pub(crate) struct Time(Cell<Option<Stopped>>);

#[derive(Clone, Copy, Debug)]
struct Stopped {
    since: Instant,
    now: Instant,
}

impl Time {
    pub(crate) fn now(&self) -> Instant {
        self.0.get().map_or_else(Instant::now, |time| time.now)
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub(crate) fn unix(&self) -> u64 {
        if self.0.get().is_some() {
            return BEGINNING + self.elapsed().as_secs();
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    /// How far the time was moved since it was stopped.
    pub(crate) fn elapsed(&self) -> Duration {
        let time = self.0.get();
        time.map_or(Duration::ZERO, |time| time.now - time.since)
    }

    /// Stops the time at this moment.
    pub(super) fn stop(&self) {
        let now = self.now();
        self.0.set(Some(Stopped { since: now, now }));
    }

    /// Moves a time that was stopped. It never goes back.
    pub(crate) fn set(&self, now: Instant) {
        if let Some(time) = self.0.get() {
            let now = now.max(time.now);
            self.0.set(Some(Stopped { now, ..time }));
        }
    }
}
