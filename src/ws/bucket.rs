//! Buckets of tokens: how much may come at once, and how fast it may come again. The allowance of a
//! socket and the arrivals from an address are counted with them.

use std::time::Duration;

use crate::net::clock::Tick;

/// How fast: a bucket of `size` tokens that is full again `per` after it was empty.
///
/// What was taken is a debt, counted in nanoseconds times `size`: a token is `per` of it, and each
/// nanosecond repays `size`. So every number is whole, and nothing is ever rounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    size: u128,
    per: u128,
}

impl Pace {
    pub(super) fn new(size: u64, per: Duration) -> Self {
        // Of 64 bits each, so that their product has room.
        let per = u64::try_from(per.as_nanos()).unwrap_or(u64::MAX);
        Self {
            size: size.into(),
            per: per.into(),
        }
    }

    /// The debt that is repaid in some time.
    pub(super) fn repaid_in(self, time: Duration) -> u128 {
        time.as_nanos().saturating_mul(self.size)
    }

    /// How long it takes to repay a debt.
    fn time_for(self, debt: u128) -> Duration {
        let nanos = debt.div_ceil(self.size.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The debt when `tokens` more are taken.
    ///
    /// More than a whole bucket is given by a full one, and owed.
    ///
    /// # Errors
    ///
    /// How long until they can be taken, if not yet.
    pub(super) fn take(self, debt: u128, tokens: u64) -> Result<u128, Duration> {
        let tokens = u128::from(tokens);
        let left = self.size.saturating_sub(tokens);
        match debt.saturating_sub(left.saturating_mul(self.per)) {
            0 => Ok(debt.saturating_add(tokens.saturating_mul(self.per))),
            over => Err(self.time_for(over)),
        }
    }
}

/// One bucket, full at first.
#[derive(Debug)]
pub(super) struct Bucket {
    pace: Pace,
    debt: u128,
    /// When the debt was that.
    since: Tick,
}

impl Bucket {
    pub(super) fn new(size: u64, per: Duration, now: Tick) -> Self {
        Self {
            pace: Pace::new(size, per),
            debt: 0,
            since: now,
        }
    }

    /// The debt when `tokens` are taken now; [`owe`](Self::owe) it then.
    ///
    /// # Errors
    ///
    /// How long until they can be taken, if not yet: in whole ticks, so that waiting so long is enough.
    pub(super) fn take(&mut self, tokens: u64, now: Tick) -> Result<u128, Duration> {
        let repaid = self.pace.repaid_in(self.since.elapsed(now));
        self.debt = self.debt.saturating_sub(repaid);
        self.since = now;
        let taken = self.pace.take(self.debt, tokens);
        taken.map_err(|wait| now.elapsed(now.after(wait)))
    }

    pub(super) fn owe(&mut self, debt: u128) {
        self.debt = debt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_token_is_back_after_its_part_of_the_time_and_not_a_nanosecond_before() {
        // (tokens, nanoseconds until all are back, wait for one token of an empty bucket)
        let table = [
            (1, 1, 1),
            (1, 1_000_000_000, 1_000_000_000),
            (2, 1_000_000_000, 500_000_000),
            (3, 1_000_000_000, 333_333_334),
            (7, 10, 2),
            (1_000_000_000_000, 1, 1),
            (u64::MAX, u64::MAX, 1),
        ];
        for (size, per, wait) in table {
            let pace = Pace::new(size, Duration::from_nanos(per));
            let empty = pace.take(0, size).expect("a full bucket gives all it has");
            let wait = Duration::from_nanos(wait);
            assert_eq!(pace.take(empty, 1), Err(wait), "{size} per {per} ns");
            let early = pace.repaid_in(wait.saturating_sub(Duration::from_nanos(1)));
            assert!(pace.take(empty - early, 1).is_err(), "{size} per {per} ns");
            let late = empty.saturating_sub(pace.repaid_in(wait));
            assert!(pace.take(late, 1).is_ok(), "{size} per {per} ns");
        }
    }

    #[test]
    fn however_it_is_taken_the_bucket_gives_no_more_than_its_rate() {
        let pace = Pace::new(7, SECOND);
        let (mut debt, mut taken, mut x) = (0, 0_u64, 0x2545_F491_4F6C_DD1D_u64);
        let mut time = Duration::ZERO;
        for _ in 0..10_000 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let step = Duration::from_nanos(x % 300_000_000);
            time += step;
            debt = u128::saturating_sub(debt, pace.repaid_in(step));
            if let Ok(more) = pace.take(debt, 1) {
                (debt, taken) = (more, taken + 1);
            }
        }
        let most = 7 + time.as_nanos() * 7 / 1_000_000_000;
        assert!(u128::from(taken) <= most, "{taken} of {most}");
        assert!(u128::from(taken) > most / 2, "{taken} of {most}");
    }

    #[test]
    fn more_than_a_whole_bucket_is_given_by_a_full_one_and_owed() {
        let pace = Pace::new(10, SECOND);
        let debt = pace.take(0, 25).expect("it is full");
        assert_eq!(pace.time_for(debt), SECOND * 5 / 2);
        assert_eq!(pace.take(debt, 1), Err(SECOND * 8 / 5), "25 - 9 tokens");
        let nearly = pace.take(0, 1).expect("one");
        assert_eq!(pace.take(nearly, 25), Err(SECOND / 10), "not full");
    }

    #[test]
    fn a_wait_is_in_whole_ticks_and_no_number_is_too_large() {
        let now = Tick::default();
        let mut bucket = Bucket::new(3, SECOND, now);
        let debt = bucket.take(3, now).expect("full");
        bucket.owe(debt);
        assert_eq!(bucket.take(1, now), Err(Duration::from_millis(340)));
        let mut bucket = Bucket::new(u64::MAX, Duration::MAX, now);
        let debt = bucket.take(u64::MAX, now).expect("full");
        bucket.owe(debt);
        assert!(bucket.take(u64::MAX, now).is_err());
    }
}
