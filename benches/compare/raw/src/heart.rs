//! When whom to ping: once a period each, evenly spread over it.

use std::ops::Range;
use std::time::{Duration, Instant};

/// How long pings are gathered: a wake-up costs more than a ping.
const STEP: Duration = Duration::from_millis(20);

/// A ping without a payload [RFC 6455 §5.5.2].
pub(crate) const PING: [u8; 2] = [0x89, 0x00];

/// Whether this is a masked answer to it, alone [§5.5.3]. The one frame that the raw server takes for
/// itself, and only when it pings: sent back, it would cost what no other server pays.
pub(crate) fn is_pong(bytes: &[u8]) -> bool {
    bytes.len() == 6 && bytes[0] == 0x8A
}

/// Goes round all places once a period.
pub(crate) struct Heart {
    period: Duration,
    began: Instant,
    next: Instant,
    done: usize,
}

impl Heart {
    /// `None` when the period is zero: no heartbeat.
    pub(crate) fn new(period: Duration, now: Instant) -> Option<Self> {
        (!period.is_zero()).then(|| Self {
            period,
            began: now,
            next: now + STEP,
            done: 0,
        })
    }

    /// How long nothing is due.
    pub(crate) fn rest(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }

    /// Which of `places` are due now.
    pub(crate) fn due(&mut self, places: usize, now: Instant) -> Range<usize> {
        if now < self.next {
            return 0..0;
        }
        self.next = now + STEP;
        let share = (now - self.began).as_secs_f64() / self.period.as_secs_f64();
        let from = self.done.min(places);
        if share >= 1.0 {
            self.began += self.period;
            self.done = 0;
            return from..places;
        }
        self.done = ((places as f64 * share) as usize).max(from);
        from..self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_due_once_a_period() {
        let start = Instant::now();
        let mut heart = Heart::new(Duration::from_secs(1), start).expect("a period");
        let mut seen = vec![0; 1000];
        let mut most = 0;
        for step in 1..=300 {
            let due = heart.due(seen.len(), start + step * Duration::from_millis(10));
            most = most.max(due.len());
            due.for_each(|place| seen[place] += 1);
        }
        assert_eq!(seen, vec![3; 1000]);
        assert!(most <= 21, "{most} at once");
    }

    #[test]
    fn only_a_lone_pong_is_taken() {
        assert!(is_pong(&[0x8A, 0x80, 1, 2, 3, 4]));
        assert!(!is_pong(&[0x82, 0x80, 1, 2, 3, 4]));
        assert!(!is_pong(&[0x8A, 0x81, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn no_period_is_no_heart() {
        assert!(Heart::new(Duration::ZERO, Instant::now()).is_none());
    }
}
