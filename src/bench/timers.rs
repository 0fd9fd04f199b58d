//! Timers by deadline, by themselves.

use std::time::Instant;

use crate::net::slab::Key;
use crate::net::timer;

/// Numbers that come due.
#[derive(Debug, Default)]
pub struct Timers(timer::Timers<Instant, u64>);

/// Names a timer that was added.
#[derive(Clone, Copy, Debug)]
pub struct Timer(Key);

impl Timers {
    /// Adds a timer. `None` when there are too many.
    pub fn add(&mut self, due: Instant, value: u64) -> Option<Timer> {
        self.0.add(due, value).map(Timer)
    }

    /// Takes a timer away before it is due.
    pub fn cancel(&mut self, timer: Timer) -> Option<u64> {
        self.0.cancel(timer.0)
    }

    /// Takes out one timer that is due at `now`.
    pub fn pop(&mut self, now: Instant) -> Option<u64> {
        self.0.pop(now).map(|(_, value)| value)
    }
}
