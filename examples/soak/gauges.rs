//! Numbers made of many: how long answers took, and how fast something grows.

use std::time::Duration;

/// How finely times are told apart: each doubling has so many steps.
const STEPS: u32 = 16;

/// Times, each counted in a bucket that is at most a sixteenth wide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    buckets: Vec<u64>,
    count: u64,
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let bucket = bucket(micros) as usize;
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        let length = self.buckets.len().max(other.buckets.len());
        self.buckets.resize(length, 0);
        for (bucket, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += count;
        }
        self.count += other.count;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// So much of them took at most this long, in milliseconds: `share` is 0.99, say. 0 without any.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut passed = 0;
        for (bucket, count) in (0..).zip(&self.buckets) {
            passed += count;
            if passed >= wanted {
                return f64::from(upper_end(bucket)) / 1000.0;
            }
        }
        0.0
    }
}

/// Where microseconds are counted: exactly below [`STEPS`], then by their leading bits.
fn bucket(micros: u32) -> u32 {
    let doublings = (micros / STEPS).checked_ilog2().map_or(0, |log| log + 1);
    match doublings {
        0 => micros,
        _ => doublings * STEPS + (micros >> (doublings - 1)) - STEPS,
    }
}

/// The longest time that is counted there.
fn upper_end(bucket: u32) -> u32 {
    let (doublings, step) = (bucket / STEPS, bucket % STEPS);
    match doublings {
        0 => step,
        _ => {
            let end = u64::from(STEPS + step + 1) << (doublings - 1);
            u32::try_from(end - 1).unwrap_or(u32::MAX)
        }
    }
}

/// How fast `y` grows with `x`, by least squares. `None`: too few points, or all at one `x`.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let both: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    let square: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    (points.len() > 1 && square > 0.0).then_some(both / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_at_most_a_sixteenth_too_long_and_never_too_short() {
        let mut times = Times::default();
        assert_eq!(times.quantile(0.5), 0.0);
        for micros in 1..=10_000 {
            times.add(Duration::from_micros(micros));
        }
        for share in [0.001, 0.01, 0.5, 0.99, 0.999, 1.0] {
            let (exact, found) = (10.0 * share, times.quantile(share));
            assert!(
                found >= exact && found <= exact * 17.0 / 16.0,
                "{share}: {found}"
            );
        }
        let mut all = Times::default();
        all.add(Duration::from_secs(5000));
        all.add_all(&times);
        all.add_all(&times);
        assert_eq!(
            (all.count(), all.quantile(0.5)),
            (20_001, times.quantile(0.5))
        );
        assert!(all.quantile(1.0) > 4_000_000.0);
    }

    #[test]
    fn every_bucket_ends_where_the_next_begins() {
        for micros in (0..200_000).chain([u32::MAX / 3, u32::MAX / 2]) {
            let end = upper_end(bucket(micros));
            assert!(end >= micros, "{micros}: {end}");
            assert_eq!(bucket(end), bucket(micros), "{micros}");
            assert_eq!(
                bucket(end.saturating_add(1)),
                bucket(micros) + 1,
                "{micros}"
            );
        }
    }

    #[test]
    fn the_slope_is_that_of_the_line_through_the_points() {
        let line: Vec<_> = (0..9)
            .map(|x| (f64::from(x), 2.5 * f64::from(x) - 1.0))
            .collect();
        assert_eq!(slope(&line), Some(2.5));
        assert_eq!(slope(&[(0.0, 0.0), (1.0, 3.0), (2.0, 0.0)]), Some(0.0));
        assert_eq!(slope(&[(0.0, 4.0), (1.0, 2.0)]), Some(-2.0));
        for none in [&[][..], &[(1.0, 1.0)], &[(1.0, 1.0), (1.0, 2.0)]] {
            assert_eq!(slope(none), None);
        }
    }
}
