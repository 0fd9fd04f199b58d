//! How much memory the connections of a reactor keep from one turn to the next: what waits to be
//! written, and what has come in part. It is looked at when it may have become too much.
//!
//! Looking is exact and takes as long as there are connections. So between two looks only growth is
//! counted, which can but overestimate.

use super::clock::Tick;
use std::time::Duration;

/// While it is too much, it is looked again after so long.
const AGAIN: Duration = Duration::from_millis(100);

/// How much memory may be kept, and what is known of it.
#[derive(Debug)]
pub(super) struct Budget {
    max: usize,
    /// What there was at the last look.
    known: usize,
    /// What may have been added since.
    grown: usize,
    looked: Tick,
    /// Connections that had to give up what waited for them.
    pub(super) shed: u64,
}

impl Budget {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            known: 0,
            grown: 0,
            looked: Tick::default(),
            shed: 0,
        }
    }

    /// At most `bytes` more are kept.
    pub(super) fn grew(&mut self, bytes: usize) {
        self.grown = self.grown.saturating_add(bytes);
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: Tick) -> bool {
        if self.is_exceeded() {
            return self.looked.after(AGAIN).has_come(now);
        }
        // However near the limit it is, not every byte is worth a look.
        self.grown > self.max / 16 && self.known.saturating_add(self.grown) > self.max
    }

    /// So much is kept, in fact.
    pub(super) fn look(&mut self, kept: usize, now: Tick) {
        (self.known, self.grown, self.looked) = (kept, 0, now);
    }

    /// Whether it was too much at the last look.
    pub(super) fn is_exceeded(&self) -> bool {
        self.known > self.max
    }

    /// Whether that would be too much.
    pub(super) fn allows(&self, kept: usize) -> bool {
        kept <= self.max
    }

    /// What is left once it was too much: less, so that the next look is not at once.
    pub(super) fn target(&self) -> usize {
        self.max - self.max / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_at_when_it_may_be_too_much_and_not_for_every_byte() {
        let mut budget = Budget::new(1600);
        let now = Tick::default();
        budget.grew(1600);
        assert!(!budget.is_due(now), "exactly all");
        budget.grew(1);
        assert!(budget.is_due(now));
        budget.look(1550, now);
        budget.grew(100);
        assert!(!budget.is_due(now), "a sixteenth");
        budget.grew(1);
        assert!(budget.is_due(now));
    }

    #[test]
    fn while_it_is_too_much_it_is_looked_at_again_and_again() {
        let mut budget = Budget::new(1600);
        let now = Tick::default();
        budget.look(1601, now);
        assert!(budget.is_exceeded() && !budget.is_due(now));
        assert!(budget.is_due(now.after(AGAIN)));
        budget.look(1600, now.after(AGAIN));
        assert!(!budget.is_exceeded() && !budget.is_due(now.after(10 * AGAIN)));
    }

    #[test]
    fn after_relief_there_is_room_until_the_next_look() {
        let mut budget = Budget::new(1600);
        let now = Tick::default();
        budget.look(1601, now);
        budget.look(budget.target(), now.after(AGAIN));
        budget.grew(1600 / 16 + 1);
        assert!(!budget.is_exceeded() && !budget.is_due(now.after(2 * AGAIN)));
    }

    #[test]
    fn no_number_is_too_large() {
        let mut budget = Budget::new(usize::MAX);
        budget.grew(usize::MAX);
        budget.grew(usize::MAX);
        assert!(!budget.is_due(Tick::default()));
        budget.look(usize::MAX, Tick::default());
        assert!(!budget.is_exceeded());
    }
}
