//! The report as people read it: tables in Markdown that are legible as plain text, too.

use crate::cells::{Cell, Figure};
use crate::goals::Verdict;
use crate::samples::Samples;
use crate::stats::Estimate;
use crate::subjects::{Field, Subject};

/// One row for each figure, one column for each server: its median, and how that compares with raw.
pub(crate) fn comparison(field: &Field, cells: &[&Cell], samples: &Samples) -> String {
    let mut head = vec!["cell".to_owned()];
    head.extend(field.subjects.iter().map(|subject| subject.title.clone()));
    head.push("rushwire / raw, 95 %".to_owned());
    let mut rows = vec![head];
    for cell in cells {
        for figure in cell.figures {
            rows.push(row(&field.subjects, cell, figure, samples));
        }
    }
    table(&rows, 1)
}

fn row(subjects: &[Subject], cell: &Cell, figure: &Figure, samples: &Samples) -> Vec<String> {
    let mut row = vec![format!("{}: {}", cell.title, figure.unit)];
    for subject in subjects {
        let value = samples.value(cell, figure, &subject.name);
        let ratio = samples.ratio(cell, figure, &subject.name, "raw");
        row.push(entry(value, ratio.filter(|_| !subject.is_raw())));
    }
    let ratio = samples.ratio(cell, figure, "rushwire", "raw");
    row.push(ratio.map_or("–".to_owned(), interval));
    row
}

fn entry(value: Option<Estimate>, ratio: Option<Estimate>) -> String {
    match (value, ratio) {
        (None, _) => "–".to_owned(),
        (Some(value), None) => number(value.median),
        (Some(value), Some(ratio)) => format!("{} ({:.2})", number(value.median), ratio.median),
    }
}

/// What was to be reached, and what was; empty if no goal is about what was measured.
pub(crate) fn goals(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut rows = vec![
        ["goal", "cell", "", "measured (95 %)"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(verdicts.iter().map(|verdict| {
        let met = if verdict.met { "met" } else { "**not met**" };
        vec![
            verdict.goal.clone(),
            verdict.cell.clone(),
            met.to_owned(),
            verdict.measured.clone(),
        ]
    }));
    table(&rows, 3)
}

/// Who is not in the table, and why.
pub(crate) fn absences(field: &Field, samples: &Samples) -> String {
    let missing = field
        .missing
        .iter()
        .map(|(name, reason)| format!("* {name} is missing: {reason}\n"));
    let failures = samples.failures.iter();
    let failed = failures.map(|failure| {
        format!(
            "* {} fails in {}: {}\n",
            failure.subject, failure.cell, failure.reason
        )
    });
    missing.chain(failed).collect()
}

/// `1.05 (1.02–1.08)`
pub(crate) fn interval(ratio: Estimate) -> String {
    format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
}

/// Three significant digits at least, thousands set apart: `0.0163`, `47.3`, `1,417`, `35,041`.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 100.0 {
        return thousands(value.round());
    }
    let decimals = (0..6).find(|places| magnitude * 10f64.powi(*places) >= 100.0 || *places == 4);
    let decimals = if magnitude == 0.0 {
        0
    } else {
        decimals.unwrap_or(0) as usize
    };
    format!("{value:.decimals$}")
}

pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Lays rows out as a Markdown table; the first row is the head, and so many columns are words, which
/// stand to the left.
pub(crate) fn table(rows: &[Vec<String>], words: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .map(|row| length(&row[column]))
                .max()
                .unwrap_or(0)
                .max(3)
        })
        .collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(column, (cell, width))| pad(cell, *width, column >= words))
            .collect();
        text += &format!("| {} |\n", padded.join(" | "));
        if place == 0 {
            text += &rule(&widths, words);
        }
    }
    text
}

fn rule(widths: &[usize], words: usize) -> String {
    let dashes = widths.iter().enumerate().map(|(column, width)| {
        let end = if column >= words { ":" } else { "-" };
        format!("{}{end}", "-".repeat(width - 1))
    });
    format!("| {} |\n", dashes.collect::<Vec<_>>().join(" | "))
}

fn pad(cell: &str, width: usize, right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(length(cell)));
    if right {
        format!("{space}{cell}")
    } else {
        format!("{cell}{space}")
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;

    #[test]
    fn numbers_have_three_digits_at_least() {
        for (value, expected) in [
            (0.0, "0"),
            (0.0163, "0.0163"),
            (0.00002, "0.0000"),
            (0.94, "0.940"),
            (2.5, "2.50"),
            (47.31, "47.3"),
            (130.4, "130"),
            (1417.2, "1,417"),
            (1_234_567.0, "1,234,567"),
            (-2500.0, "-2,500"),
        ] {
            assert_eq!(number(value), expected, "{value}");
        }
    }

    #[test]
    fn a_table_is_aligned_by_characters() {
        let rows = [["cell", "raw"], ["1 × 1", "47.3"]].map(|row| row.map(str::to_owned).to_vec());
        let expected = "\
| cell  |  raw |
| ----- | ---: |
| 1 × 1 | 47.3 |
";
        assert_eq!(table(&rows, 1), expected);
    }

    #[test]
    fn a_row_holds_medians_ratios_and_the_interval() {
        let cell = cells::named("echo-100x1x20").expect("a cell");
        let mut samples = Samples::default();
        samples.add(cell.name, "rushwire", &["messages=1 cpu_ns=1500"; 3]);
        samples.add(cell.name, "raw", &["messages=1 cpu_ns=1000"; 3]);
        let subjects = ["rushwire", "raw", "yawc"].map(Subject::named);
        let found = row(&subjects, cell, cell.main(), &samples);
        assert_eq!(
            found[1..],
            ["1,500 (1.50)", "1,000", "–", "1.50 (1.50–1.50)"]
        );
    }
}
