//! What is to be reached, and whether it was.
//!
//! A goal is met when the lower end of the interval is within it: a noisy machine alone must not fail
//! it. The figures without noise, instructions and writes, have goals of their own.

use crate::cells::{self, Cell};
use crate::markdown::{interval, number};
use crate::samples::Samples;
use crate::stats::Estimate;
use crate::subjects::Subject;

/// One line of the table of goals.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) goal: String,
    pub(crate) cell: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

struct Goal {
    cells: &'static [&'static str],
    against: Against,
    limit: f64,
}

/// What a figure of the library is compared with.
#[derive(Clone, Copy)]
enum Against {
    Raw,
    /// The peer that comes nearest to breaking the goal.
    EachPeer,
    /// The limit alone.
    Itself,
    /// The time that one read budget takes: what a neighbour may hold everyone up for.
    Budget,
}

/// Bytes that one connection may be read for in a turn while others wait.
const READ_BUDGET: f64 = 1_048_576.0;
/// Where its time is measured: the same messages as the neighbour's, of this size.
const BUDGET_CELL: &str = "echo-8x4x1M";
const BUDGET_MESSAGE: f64 = 1_048_576.0;

const fn goal(against: Against, limit: f64, cells: &'static [&'static str]) -> Goal {
    Goal {
        cells,
        against,
        limit,
    }
}

const GOALS: &[Goal] = &[
    goal(
        Against::Raw,
        1.10,
        &[
            "echo-1x1x16",
            "echo-100x1x20",
            "echo-100x1x16K",
            "echo-100x8x8K",
        ],
    ),
    goal(
        Against::EachPeer,
        1.00,
        &[
            "echo-1x1x16",
            "echo-100x1x20",
            "echo-100x1x16K",
            "echo-100x1x4K-text",
            "echo-100x8x8K",
        ],
    ),
    goal(Against::Raw, 1.15, &["echo-100x32x20", "echo-1x128x125"]),
    goal(
        Against::Raw,
        1.30,
        &["echo-100x32x20-ascii", "echo-1x128x125-ascii"],
    ),
    goal(Against::Raw, 1.10, &["echo-8x4x1M"]),
    goal(Against::EachPeer, 1.00, &["echo-8x4x1M"]),
    goal(Against::Raw, 1.05, &["fanout-1000x1", "fanout-100x10"]),
    goal(Against::EachPeer, 0.80, &["fanout-100x10-depth8"]),
    goal(Against::Raw, 1.10, &["handshake"]),
    goal(Against::Itself, 100.0, &["instructions-100x32"]),
    goal(
        Against::Itself,
        250.0,
        &["instructions-100x1", "instructions-1x1"],
    ),
    goal(
        Against::Itself,
        110.0,
        &["instructions-fanout-1000x1", "instructions-fanout-100x10"],
    ),
    goal(
        Against::Itself,
        0.05,
        &["writes-8", "writes-16", "writes-32"],
    ),
    goal(Against::Itself, 256.0, &["idle"]),
    goal(Against::Budget, 2.0, &["neighbour"]),
];

/// The goals whose cells were measured.
pub(crate) fn verdicts(subjects: &[Subject], samples: &Samples) -> Vec<Verdict> {
    let each = GOALS
        .iter()
        .flat_map(|goal| goal.cells.iter().map(move |name| (goal, name)));
    each.filter_map(|(goal, name)| verdict(goal, cells::named(name)?, subjects, samples))
        .collect()
}

fn verdict(goal: &Goal, cell: &Cell, subjects: &[Subject], samples: &Samples) -> Option<Verdict> {
    let unit = cell.main().unit;
    let (goal_text, found, measured) = match goal.against {
        Against::Raw => {
            let ratio = samples.ratio(cell, cell.main(), "rushwire", "raw")?;
            (
                format!("{unit} ≤ {:.2} × raw", goal.limit),
                ratio,
                interval(ratio),
            )
        }
        Against::EachPeer => {
            let (peer, ratio) = nearest_peer(cell, subjects, samples)?;
            let text = format!("{unit} ≤ {:.2} × each peer", goal.limit);
            (text, ratio, format!("{} × {peer}", interval(ratio)))
        }
        Against::Itself => {
            let value = samples.value(cell, cell.main(), "rushwire")?;
            (format!("{unit} ≤ {}", goal.limit), value, plain(value))
        }
        Against::Budget => {
            let budgets = budgets(cell, samples)?;
            let text = format!(
                "p99 ≤ quiet p99 + {} × the time of one read budget",
                goal.limit
            );
            (text, budgets, format!("+ {} ×", interval(budgets)))
        }
    };
    Some(Verdict {
        goal: goal_text,
        cell: cell.title.to_owned(),
        measured,
        met: found.low <= goal.limit,
    })
}

/// The peer against which the library looks worst.
fn nearest_peer<'a>(
    cell: &Cell,
    subjects: &'a [Subject],
    samples: &Samples,
) -> Option<(&'a str, Estimate)> {
    let peers = subjects.iter().filter(|subject| subject.is_peer);
    let ratios = peers.filter_map(|peer| {
        let ratio = samples.ratio(cell, cell.main(), "rushwire", &peer.name)?;
        Some((peer.title.as_str(), ratio))
    });
    ratios.max_by(|(_, one), (_, other)| one.low.total_cmp(&other.low))
}

/// By how many read budgets a neighbour lengthens the p99.
fn budgets(cell: &Cell, samples: &Samples) -> Option<Estimate> {
    let large = cells::named(BUDGET_CELL)?;
    let message = samples.value(large, large.main(), "rushwire")?.median;
    let budget = message * READ_BUDGET / BUDGET_MESSAGE;
    let [noisy, quiet, ..] = cell.figures else {
        return None;
    };
    let noisy = samples.rounds(cell, noisy, "rushwire");
    let quiet = samples.rounds(cell, quiet, "rushwire");
    let more: Vec<f64> = noisy
        .zip(quiet)
        .map(|(noisy, quiet)| (noisy.1 - quiet.1) / budget)
        .collect();
    Estimate::of(&more)
}

fn plain(value: Estimate) -> String {
    format!(
        "{} ({}–{})",
        number(value.median),
        number(value.low),
        number(value.high)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(cell: &'static str, lines: &[(&str, &[&str])]) -> Vec<Verdict> {
        let mut samples = Samples::default();
        for (subject, lines) in lines {
            samples.add(cell, subject, lines);
        }
        let subjects: Vec<Subject> = lines.iter().map(|(name, _)| Subject::named(name)).collect();
        verdicts(&subjects, &samples)
    }

    #[test]
    fn every_goal_is_about_cells_that_exist() {
        for name in GOALS.iter().flat_map(|goal| goal.cells) {
            assert!(cells::named(name).is_some(), "{name}");
        }
        assert!(cells::named(BUDGET_CELL).is_some());
    }

    #[test]
    fn the_lower_end_of_the_interval_decides() {
        for (name, times, met) in [
            ("below", ["100", "101", "102"], true),
            ("wide", ["109", "130", "140"], true),
            ("above", ["112", "113", "114"], false),
        ] {
            let lines = times.map(|time| format!("messages=1 p50_ns=1 p99_ns=1 cpu_ns={time}"));
            let lines = lines.each_ref().map(String::as_str);
            let found = judge(
                "echo-1x1x16",
                &[("rushwire", &lines), ("raw", &["messages=1 cpu_ns=100"; 3])],
            );
            assert_eq!(found.len(), 1, "{name}: no peer, no goal against peers");
            assert_eq!(found[0].met, met, "{name}: {:?}", found[0]);
        }
    }

    #[test]
    fn the_nearest_peer_is_named() {
        let lines: &[(&str, &[&str])] = &[
            ("rushwire", &["messages=1 cpu_ns=90"; 3]),
            ("wtx", &["messages=1 cpu_ns=900"; 3]),
            ("yawc", &["messages=1 cpu_ns=100"; 3]),
        ];
        let found = judge("fanout-100x10-depth8", lines);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].measured, "0.90 (0.90–0.90) × yawc");
        assert!(!found[0].met, "20 % less are asked for");
    }

    #[test]
    fn a_count_is_held_against_its_limit() {
        let found = judge("writes-8", &[("rushwire", &["count=0.016"])]);
        assert_eq!(found[0].goal, "writes per delivery ≤ 0.05");
        assert!(found[0].met);
        assert!(!judge("writes-8", &[("rushwire", &["count=0.7"])])[0].met);
    }

    #[test]
    fn a_neighbour_is_measured_in_read_budgets() {
        let mut samples = Samples::default();
        samples.add(BUDGET_CELL, "rushwire", &["messages=1 cpu_ns=10000"]); // and so a budget
        samples.add(
            "neighbour",
            "rushwire",
            &["noisy_p99_ns=145000 quiet_p99_ns=120000 big_bytes_per_second=1"],
        );
        let found = verdicts(&[Subject::named("rushwire")], &samples);
        let neighbour = found.last().expect("a verdict");
        assert_eq!(neighbour.measured, "+ 2.50 (2.50–2.50) ×");
        assert!(!neighbour.met);
    }
}
