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
