//! All that was measured, and the figures that follow from it.

use crate::cells::{Cell, Figure};
use crate::reading::Reading;
use crate::stats::Estimate;

/// One run.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) cell: &'static str,
    pub(crate) subject: String,
    pub(crate) round: usize,
    pub(crate) reading: Reading,
}

/// A server that was given up in a cell.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) cell: &'static str,
    pub(crate) subject: String,
    pub(crate) reason: String,
}

#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) taken: Vec<Sample>,
    pub(crate) failures: Vec<Failure>,
}

impl Samples {
    /// The median of a figure over the rounds.
    pub(crate) fn value(&self, cell: &Cell, figure: &Figure, subject: &str) -> Option<Estimate> {
        let values: Vec<f64> = self
            .rounds(cell, figure, subject)
            .map(|(_, value)| value)
            .collect();
        Estimate::of(&values)
    }

    /// The median of the ratios of two subjects, each within one round: what makes the whole machine
    /// slower for a while does not count.
    pub(crate) fn ratio(
        &self,
        cell: &Cell,
        figure: &Figure,
        subject: &str,
        base: &str,
    ) -> Option<Estimate> {
        let base: Vec<(usize, f64)> = self.rounds(cell, figure, base).collect();
        let ratios: Vec<f64> = self
            .rounds(cell, figure, subject)
            .filter_map(|(round, value)| {
                let (_, divisor) = base.iter().find(|(other, _)| *other == round)?;
                (*divisor > 0.0).then(|| value / divisor)
            })
            .collect();
        Estimate::of(&ratios)
    }

    /// Round and value.
    pub(crate) fn rounds<'a>(
        &'a self,
        cell: &'a Cell,
        figure: &'a Figure,
        subject: &'a str,
    ) -> impl Iterator<Item = (usize, f64)> + 'a {
        let of_subject =
            move |sample: &&Sample| sample.cell == cell.name && sample.subject == subject;
        let values = self.taken.iter().filter(of_subject);
        values.filter_map(|sample| Some((sample.round, (figure.value)(&sample.reading)?)))
    }

    /// Whether the cell was given up for the subject.
    pub(crate) fn has_failed(&self, cell: &str, subject: &str) -> bool {
        let same = |failure: &Failure| failure.cell == cell && failure.subject == subject;
        self.failures.iter().any(same)
    }

    #[cfg(test)]
    pub(crate) fn add(&mut self, cell: &'static str, subject: &str, lines: &[&str]) {
        for (round, line) in lines.iter().enumerate() {
            self.taken.push(Sample {
                cell,
                subject: subject.to_owned(),
                round,
                reading: Reading::parse(line).expect("a line"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;

    const CELL: &str = "echo-100x1x20";

    #[test]
    fn ratios_are_taken_within_rounds() {
        let cell = cells::named(CELL).expect("a cell");
        let mut samples = Samples::default();
        // The machine is ten times slower in the last round, for both.
        samples.add(
            CELL,
            "rushwire",
            &[
                "messages=1 cpu_ns=11",
                "messages=1 cpu_ns=12",
                "messages=1 cpu_ns=110",
            ],
        );
        samples.add(
            CELL,
            "raw",
            &[
                "messages=1 cpu_ns=10",
                "messages=1 cpu_ns=10",
                "messages=1 cpu_ns=100",
            ],
        );
        let ratio = samples
            .ratio(cell, cell.main(), "rushwire", "raw")
            .expect("both");
        assert!((ratio.median - 1.1).abs() < 1e-9, "{ratio:?}");
        assert!((ratio.high - 1.2).abs() < 1e-9, "{ratio:?}");
        let value = samples
            .value(cell, cell.main(), "rushwire")
            .expect("rounds");
        assert_eq!(value.median, 12.0);
    }

    #[test]
    fn a_round_that_only_one_has_run_has_no_ratio() {
        let cell = cells::named(CELL).expect("a cell");
        let mut samples = Samples::default();
        samples.add(
            CELL,
            "rushwire",
            &["messages=1 cpu_ns=10", "messages=1 cpu_ns=90"],
        );
        samples.add(CELL, "raw", &["messages=1 cpu_ns=10"]);
        let ratio = samples
            .ratio(cell, cell.main(), "rushwire", "raw")
            .expect("one round");
        assert_eq!((ratio.low, ratio.high), (1.0, 1.0));
        assert_eq!(samples.ratio(cell, cell.main(), "rushwire", "yawc"), None);
    }
}
