//! Time as the reactor counts it: ticks of ten milliseconds, four bytes each.
//!
//! A connection keeps several moments (last heard, last pinged, opened), and an idle one should
//! cost little, so a moment is a `u32` that wraps after 497 days and is only ever compared with
//! another one less than 248 days away.

use std::time::{Duration, Instant};

/// Milliseconds in a tick.
const TICK: u64 = 10;

/// The longest span that two ticks can be told apart over: about 248 days.
const LONGEST: u64 = i32::MAX as u64;

/// A moment, in ticks since the reactor began, modulo 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tick(u32);

impl Tick {
    /// The moment `span` later, rounded up, so that nothing is ever due early.
    pub(crate) fn after(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let ticks = millis.div_ceil(TICK).min(LONGEST);
        Self(
            self.0
                .wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX)),
        )
    }

    /// Whether this moment is not later than `now`.
    pub(crate) fn has_come(self, now: Self) -> bool {
        self.until(now) >= 0
    }

    /// The earlier of two moments.
    pub(crate) fn earlier(self, other: Self) -> Self {
        if self.has_come(other) { self } else { other }
    }

    /// The time from this moment to `later`; zero if that is not later.
    pub(crate) fn elapsed(self, later: Self) -> Duration {
        let ticks = u64::try_from(self.until(later)).unwrap_or(0);
        Duration::from_millis(ticks * TICK)
    }

    /// Ticks from this moment to `other`: negative when `other` is earlier.
    fn until(self, other: Self) -> i32 {
        other.0.wrapping_sub(self.0).cast_signed()
    }
}

/// Turns instants into ticks, and ticks near now into numbers that sort.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    now: u64,
    /// Until then, nothing changes.
    next: Instant,
}

impl Clock {
    /// A clock that shows tick zero at `start`.
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            now: 0,
            next: start,
        }
    }

    /// Sets the clock. It never goes back.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant) {
        if now >= self.next {
            self.set(now);
        }
    }

    fn set(&mut self, now: Instant) {
        let millis = now.saturating_duration_since(self.start).as_millis();
        let ticks = u64::try_from(millis).unwrap_or(u64::MAX) / TICK;
        self.now = self.now.max(ticks);
        self.next = self.instant(self.now.saturating_add(1));
    }

    /// The present tick.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ticks are counted modulo 2³²"
    )]
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.now as u32)
    }

    /// Ticks since the start, not wrapped.
    pub(crate) fn ticks(&self) -> u64 {
        self.now
    }

    /// The time since the start, in whole ticks.
    pub(crate) fn uptime(&self) -> Duration {
        Duration::from_millis(self.now.saturating_mul(TICK))
    }

    /// Ticks since the start, not wrapped, of a moment near the present.
    pub(crate) fn unwrap_tick(&self, tick: Tick) -> u64 {
        self.now
            .saturating_add_signed(i64::from(self.tick().until(tick)))
    }

    /// When that many ticks since the start will have passed.
    pub(crate) fn instant(&self, ticks: u64) -> Instant {
        // Nothing is due later than that, and adding it overflows nowhere.
        let ticks = ticks.min(self.now.saturating_add(LONGEST));
        self.start + Duration::from_millis(ticks.saturating_mul(TICK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.advance(start + Duration::from_millis(1_234));
        for (millis, ticks) in [(0, 0), (1, 1), (10, 1), (11, 2), (1_000, 100)] {
            let due = clock.tick().after(Duration::from_millis(millis));
            assert_eq!(clock.unwrap_tick(due), 123 + ticks, "{millis} ms");
        }
    }

    #[test]
    fn moments_compare_across_the_wrap() {
        let start = Instant::now();
        for days in [0, 49, 50, 248, 496, 497, 498, 2_000] {
            let mut clock = Clock::new(start);
            clock.advance(start + Duration::from_secs(days * 86_400));
            let (now, later) = (clock.tick(), clock.tick().after(Duration::from_secs(60)));
            assert!(now.has_come(later) && !later.has_come(now), "day {days}");
            assert_eq!(now.elapsed(later), Duration::from_secs(60), "day {days}");
            assert_eq!(later.elapsed(now), Duration::ZERO, "day {days}");
            assert_eq!(
                clock.unwrap_tick(later),
                clock.unwrap_tick(now) + 6_000,
                "day {days}"
            );
            let due = start + Duration::from_secs(days * 86_400 + 60);
            assert_eq!(clock.instant(clock.unwrap_tick(later)), due, "day {days}");
        }
    }

    #[test]
    fn the_longest_durations_overflow_nothing() {
        let clock = Clock::new(Instant::now());
        let due = clock.tick().after(Duration::MAX);
        assert!(!due.has_come(clock.tick()));
        let _ = clock.instant(u64::MAX);
    }

    #[test]
    fn the_clock_never_goes_back() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.advance(start + Duration::from_secs(5));
        let then = clock.tick();
        clock.advance(start + Duration::from_secs(1));
        assert_eq!(clock.tick(), then);
    }
}
