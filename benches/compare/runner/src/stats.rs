//! Medians and bootstrap intervals: what turns noisy samples into figures.

/// How often a sample is drawn anew for an interval.
const RESAMPLES: usize = 10_000;

/// A median and the 95 % interval around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Estimate {
    /// `None` without values. The same values always give the same interval.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let median = median(values)?;
        let mut random = Random::new(0x5eed);
        let mut medians: Vec<f64> = (0..RESAMPLES)
            .filter_map(|_| median_of_resample(values, &mut random))
            .collect();
        medians.sort_by(f64::total_cmp);
        Some(Self {
            median,
            low: quantile(&medians, 0.025),
            high: quantile(&medians, 0.975),
        })
    }
}

fn median_of_resample(values: &[f64], random: &mut Random) -> Option<f64> {
    let drawn: Vec<f64> = (0..values.len())
        .map(|_| values[random.below(values.len())])
        .collect();
    median(&drawn)
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, 0.5))
}

/// The value below which `share` of the sorted values lie, with straight lines between them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// The exponent of `y ~ x^exponent`: the slope of the line through the logarithms. 0 is flat, 1 is
/// linear. `None` for fewer than two different `x`.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) = logs.iter().fold((0.0, 0.0), |sum, (x, y)| {
        (sum.0 + x / count, sum.1 + y / count)
    });
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| common / spread)
}

/// SplitMix64: small, and good enough to draw from nine values.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit` - 1.
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_middle_two() {
        for (name, values, expected) in [
            ("none", &[][..], None),
            ("one", &[3.0], Some(3.0)),
            ("odd, unsorted", &[9.0, 1.0, 5.0], Some(5.0)),
            ("even", &[1.0, 2.0, 4.0, 100.0], Some(3.0)),
        ] {
            assert_eq!(median(values), expected, "{name}");
        }
    }

    #[test]
    fn equal_values_have_an_interval_of_no_width() {
        let estimate = Estimate::of(&[2.5; 9]).expect("values");
        assert_eq!(
            (estimate.low, estimate.median, estimate.high),
            (2.5, 2.5, 2.5)
        );
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn the_interval_is_repeatable_and_encloses_the_median() {
        let values = [1.0, 1.1, 0.9, 1.3, 1.05, 0.97, 1.01, 1.2, 0.99];
        let estimate = Estimate::of(&values).expect("values");
        assert_eq!(Some(estimate), Estimate::of(&values));
        assert!(estimate.low < estimate.median && estimate.median < estimate.high);
        assert!(estimate.low >= 0.9 && estimate.high <= 1.3, "{estimate:?}");
    }

    /// The distribution of the median of three values is known: the smallest with 7/27, the middle
    /// with 13/27, the largest with 7/27. So both ends are the extremes.
    #[test]
    fn three_values_give_their_extremes() {
        let estimate = Estimate::of(&[1.0, 2.0, 3.0]).expect("values");
        assert_eq!((estimate.low, estimate.high), (1.0, 3.0));
        let mut random = Random::new(1);
        let smallest = (0..27_000)
            .filter(|_| median_of_resample(&[1.0, 2.0, 3.0], &mut random) == Some(1.0))
            .count();
        assert!(
            (6_700..7_300).contains(&smallest),
            "{smallest} of 27,000, expected 7,000"
        );
    }

    /// The promise of an interval: nineteen times in twenty the truth is inside. (With nine values
    /// the bootstrap is known to be a little narrow.)
    #[test]
    fn most_intervals_hold_the_true_median() {
        let mut random = Random::new(7);
        let held = (0..60)
            .filter(|_| {
                let values: Vec<f64> = (0..9).map(|_| random.below(1_000_001) as f64).collect();
                let found = Estimate::of(&values).expect("values");
                (found.low..=found.high).contains(&500_000.0)
            })
            .count();
        assert!(held >= 50, "only {held} of 60");
    }

    #[test]
    fn the_exponent_tells_flat_from_linear() {
        let curve = |power: f64| [1.0f64, 10.0, 100.0].map(|x| (x, 7.0 * x.powf(power)));
        for power in [0.0, 0.5, 1.0, 2.0] {
            let found = exponent(&curve(power)).expect("three points");
            assert!((found - power).abs() < 1e-9, "{found} for {power}");
        }
        assert_eq!(exponent(&[(5.0, 1.0), (5.0, 2.0)]), None);
    }
}
