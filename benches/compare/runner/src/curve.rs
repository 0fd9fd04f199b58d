//! A cost against a growing quantity: its points, how it grows, and how that is told.

use crate::json::quoted;
use crate::machine;
use crate::markdown;
use crate::stats;

/// What a curve is about.
#[derive(Debug)]
pub(crate) struct Kind {
    /// For `--cells` and the file of values.
    pub(crate) name: &'static str,
    /// For readers.
    pub(crate) title: &'static str,
    /// What is measured.
    pub(crate) unit: &'static str,
    /// What grows.
    pub(crate) quantity: Quantity,
    pub(crate) growth: Growth,
    /// From here on the growth is judged; below, what is paid once hides it.
    pub(crate) from: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Bytes,
    Number,
}

/// How a cost may grow, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    Flat,
    Linear,
}

#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) kind: &'static Kind,
    /// The library's first.
    pub(crate) lines: Vec<Line>,
}

/// The points of one server.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) title: &'static str,
    /// The quantity, and all that was measured there.
    pub(crate) points: Vec<(f64, Vec<f64>)>,
}

/// An exponent may be so much above 0 or 1: caches, in the kernel and here, are smaller than the
/// machine's memory.
const TOLERANCE: f64 = 0.1;

impl Line {
    pub(crate) fn new(title: &'static str, quantities: &[u64]) -> Self {
        Self {
            title,
            points: quantities.iter().map(|x| (*x as f64, Vec::new())).collect(),
        }
    }

    /// Quantity and median.
    pub(crate) fn medians(&self) -> Vec<(f64, f64)> {
        let median = |(x, values): &(f64, Vec<f64>)| Some((*x, stats::median(values)?));
        self.points.iter().filter_map(median).collect()
    }

    fn exponent(&self, from: f64) -> Option<f64> {
        let points: Vec<_> = self
            .medians()
            .into_iter()
            .filter(|(x, _)| *x >= from)
            .collect();
        stats::exponent(&points)
    }
}

impl Curve {
    /// Such as `flat: exponent 0.03 (raw: 0.02)`.
    pub(crate) fn verdict(&self) -> String {
        let (word, most) = match self.kind.growth {
            Growth::Flat => ("flat", 0.0),
            Growth::Linear => ("linear", 1.0),
        };
        let mut exponents = self.lines.iter().map(|line| line.exponent(self.kind.from));
        let Some(Some(own)) = exponents.next() else {
            return "too few points".to_owned();
        };
        let not = if own <= most + TOLERANCE { "" } else { "not " };
        let raw = exponents.next().flatten();
        let raw = raw.map_or(String::new(), |raw| format!(" (raw: {raw:.2})"));
        format!("{not}{word}: exponent {own:.2}{raw}")
    }

    /// The curve as rows of a table: the quantities, then one for each server.
    fn table(&self) -> String {
        let quantities = self.lines.iter().take(1).flat_map(|line| &line.points);
        let mut head = vec![format!("{}: {}", self.kind.title, self.kind.unit)];
        head.extend(quantities.map(|(x, _)| self.kind.quantity.label(*x)));
        let rows = self.lines.iter().map(|line| {
            let medians = line
                .medians()
                .into_iter()
                .map(|(_, median)| markdown::number(median));
            std::iter::once(line.title.to_owned())
                .chain(medians)
                .collect()
        });
        markdown::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), 1)
    }
}

impl Quantity {
    /// `64 KiB`, `1,000`.
    pub(crate) fn label(self, x: f64) -> String {
        match (self, x as u64) {
            (Self::Number, _) => markdown::thousands(x),
            (Self::Bytes, bytes @ 0..1024) => format!("{bytes} B"),
            (Self::Bytes, bytes @ 1024..1_048_576) => format!("{} KiB", bytes >> 10),
            (Self::Bytes, bytes) => format!("{} MiB", bytes >> 20),
        }
    }
}

/// A table for each curve.
pub(crate) fn tables(curves: &[Curve]) -> String {
    curves
        .iter()
        .map(Curve::table)
        .collect::<Vec<_>>()
        .join("\n")
}

/// One line for each curve.
pub(crate) fn verdicts(curves: &[Curve]) -> String {
    let line = |curve: &Curve| {
        let from = curve.kind.quantity.label(curve.kind.from);
        format!(
            "* {}: {}, from {from} on\n",
            curve.kind.title,
            curve.verdict()
        )
    };
    curves.iter().map(line).collect()
}

/// All values, for other programs to read.
pub(crate) fn json(curves: &[Curve]) -> String {
    let lines = curves
        .iter()
        .flat_map(|curve| curve.lines.iter().map(|line| (curve.kind.name, line)));
    let points: Vec<String> = lines
        .flat_map(|(name, line)| json_points(name, line))
        .collect();
    format!(
        "{{\n\"date\": {}, \"machine\": {},\n\"command\": {},\n\"points\": [\n{}\n]\n}}\n",
        quoted(&machine::date()),
        quoted(&machine::machine()),
        quoted(&machine::command_line()),
        points.join(",\n"),
    )
}

fn json_points(name: &str, line: &Line) -> Vec<String> {
    let (name, subject) = (quoted(name), quoted(line.title));
    let point = |(x, values): &(f64, Vec<f64>)| {
        format!("{{\"curve\": {name}, \"subject\": {subject}, \"x\": {x}, \"values\": {values:?}}}")
    };
    line.points.iter().map(point).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) static SIZE: Kind = Kind {
        name: "size",
        title: "echo against size",
        unit: "CPU ns per message",
        quantity: Quantity::Bytes,
        growth: Growth::Linear,
        from: 65_536.0,
    };

    /// Two servers whose cost is a constant and a part that grows with this power.
    pub(crate) fn curve(kind: &'static Kind, power: f64) -> Curve {
        let quantities = [16, 1024, 65_536, 1 << 20, 1 << 24];
        let line = |title, factor: f64| {
            let mut line = Line::new(title, &quantities);
            for (x, values) in &mut line.points {
                values.push(factor * (1000.0 + 0.1 * x.powf(power)));
            }
            line
        };
        Curve {
            kind,
            lines: vec![line("rushwire", 1.1), line("raw", 1.0)],
        }
    }

    #[test]
    fn growth_is_judged_where_it_shows() {
        for (power, expected) in [
            (1.0, "linear: exponent 0.97 (raw: 0.97)"),
            (1.5, "not linear: exponent 1.50"),
        ] {
            let verdict = curve(&SIZE, power).verdict();
            assert!(verdict.starts_with(expected), "{power}: {verdict}");
        }
    }

    #[test]
    fn quantities_are_written_short() {
        let labels = [16.0, 65_536.0, 4_194_304.0].map(|x| Quantity::Bytes.label(x));
        assert_eq!(labels, ["16 B", "64 KiB", "4 MiB"]);
        assert_eq!(Quantity::Number.label(15_000.0), "15,000");
    }

    #[test]
    fn a_table_has_a_column_for_each_point() {
        let table = tables(&[curve(&SIZE, 1.0)]);
        let head = table.lines().next().expect("a head");
        assert!(head.contains("64 KiB") && head.contains("16 MiB"), "{head}");
        assert!(
            table.lines().last().expect("a row").starts_with("| raw "),
            "{table}"
        );
        assert!(
            json(&[curve(&SIZE, 1.0)]).contains(r#""subject": "raw", "x": 16, "values": [1001.6]"#)
        );
    }
}
