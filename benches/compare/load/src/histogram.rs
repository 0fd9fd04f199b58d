//! Latencies in buckets: 128 for each power of two, so a figure is right to 0.8 %, and a sample
//! costs neither memory nor time worth naming.

use std::time::Duration;

const BITS: u32 = 7;
const STEPS: usize = 1 << BITS;

pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; bucket(u64::MAX) + 1],
            count: 0,
        }
    }

    #[inline]
    pub(crate) fn record(&mut self, time: Duration) {
        self.buckets[bucket(time.as_nanos() as u64)] += 1;
        self.count += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
    }

    /// The time in nanoseconds that `share` of the samples did not exceed; 0 without samples.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= rank {
                return middle(index);
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    let shift = value.max(1).ilog2().saturating_sub(BITS);
    shift as usize * STEPS + (value >> shift) as usize
}

fn middle(index: usize) -> u64 {
    let shift = (index / STEPS).saturating_sub(1);
    let low = ((index - shift * STEPS) as u64) << shift;
    low + (1 << shift >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_within_a_hundredth_of_its_values() {
        let mut last = 0;
        for value in (0..1 << 20).chain((20..64).map(|bit| (1 << bit) + 12_345)) {
            let index = bucket(value);
            assert!(index >= last, "{value} is not behind what is less");
            last = index;
            let error = middle(index).abs_diff(value);
            assert!(error * 100 <= value, "{value} is off by {error}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_samples() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), 0);
        (1..=100).for_each(|n| histogram.record(Duration::from_nanos(n)));
        for (share, expected) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
            assert_eq!(histogram.quantile(share), expected, "{share}");
        }
        histogram.clear();
        histogram.record(Duration::from_micros(5));
        assert_eq!(histogram.quantile(0.99).abs_diff(5000), 8);
    }
}
