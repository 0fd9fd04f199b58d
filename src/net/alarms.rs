//! Deadlines of connections: one alarm each, at its earliest, re-armed when it is due.
//!
//! Activity only moves deadlines away, so it touches nothing here; an alarm that finds its
//! connection gone, or an earlier one set since, is passed over.

use std::cmp::Reverse;
use std::time::Instant;

use super::clock::Tick;
use super::link::{Cause, Stage};
use super::links::Table;
use super::slab::Key;

impl Table {
    pub(super) fn wake_at(&mut self, key: Key, when: Tick) {
        let Some(half) = self.halves.get_mut(key) else {
            return;
        };
        if half.alarm().is_none_or(|alarm| !alarm.has_come(when)) {
            half.set_alarm(Some(when));
            self.alarms
                .push(Reverse((self.clock.unwrap_tick(when), key)));
            self.sweep_alarms();
        }
    }

    /// A connection whose alarm is due; those of connections that ended in time are passed over.
    #[inline]
    pub(super) fn next_alarm(&mut self) -> Option<Key> {
        let first = self.alarms.peek();
        match first.is_some_and(|Reverse((due, _))| *due <= self.clock.ticks()) {
            true => self.ring(),
            false => None,
        }
    }

    fn ring(&mut self) -> Option<Key> {
        let now = self.clock.tick();
        while let Some(&Reverse((due, key))) = self.alarms.peek() {
            if due > self.clock.ticks() {
                return None;
            }
            self.alarms.pop();
            if let Some(half) = self.halves.get_mut(key)
                && half
                    .alarm()
                    .is_some_and(|alarm| self.clock.unwrap_tick(alarm) == due)
            {
                half.set_alarm(None);
                if half.stage() < Stage::Ending {
                    return Some(key);
                }
                if half.stage() == Stage::Ending && half.still_reads() {
                    self.wake_at(key, now.after(self.limits.linger));
                } else {
                    self.die(key, Cause::Ended);
                }
            }
        }
        None
    }

    /// When the next alarm may be due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.alarms
            .peek()
            .map(|Reverse((due, _))| self.clock.instant(*due))
    }

    /// Lets go of the alarms of connections that are gone once they are the greater part.
    fn sweep_alarms(&mut self) {
        if self.alarms.len() > 64 && self.alarms.len() > 2 * self.halves.len() {
            let (halves, clock) = (&self.halves, &self.clock);
            self.alarms.retain(|Reverse((due, key))| {
                let alarm = halves.get(*key).and_then(|half| half.alarm());
                alarm.is_some_and(|alarm| clock.unwrap_tick(alarm) == *due)
            });
        }
    }
}
