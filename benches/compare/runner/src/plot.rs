//! The plot of a comparison: what each server costs beside the raw one, on a logarithmic axis.
//!
//! A row for each cell: the library is a bar with its interval, above the peers' marks.

use crate::cells::{Cell, Method};
use crate::machine;
use crate::samples::Samples;
use crate::stats::Estimate;
use crate::subjects::Field;
use crate::svg::{Axis, MARKS, Mark, Svg};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 262.0;
const RIGHT: f64 = 836.0;
const ROW: f64 = 46.0;
/// Place for the title, the legend and the axis above the rows.
const TOP: f64 = 104.0;
const TICKS: &[f64] = &[
    0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0,
];
const LEGEND_COLUMNS: usize = 4;
/// Where the bar and the marks are, from the middle of the row.
const BAR: f64 = -14.0;
const MARKS_AT: [f64; 3] = [6.0, -3.0, 15.0];
/// How far apart two marks must be so that both are seen.
const MARK: f64 = 9.0;

struct Row {
    title: String,
    own: Option<Estimate>,
    /// Ratio, mark and name.
    peers: Vec<(f64, Mark, String)>,
}

/// `None` when there is nothing to compare: no raw server, or nobody beside it.
pub(crate) fn ratios(field: &Field, cells: &[&Cell], samples: &Samples) -> Option<String> {
    let rows: Vec<Row> = cells
        .iter()
        .filter(|cell| is_shown(cell))
        .map(|cell| row(field, cell, samples))
        .filter(|row| row.own.is_some() || !row.peers.is_empty())
        .collect();
    let (axis, bottom) = (axis(&rows)?, TOP + rows.len() as f64 * ROW);
    let mut svg = Svg::new(WIDTH, bottom + 30.0);
    svg.text(
        16.0,
        24.0,
        "title",
        "CPU time of the server beside that of a raw socket (= 1), less is better",
    );
    legend(&mut svg, field);
    grid(&mut svg, &axis, bottom);
    for (place, row) in rows.iter().enumerate() {
        draw(&mut svg, &axis, row, TOP + (place as f64 + 0.5) * ROW);
    }
    let foot = format!(
        "connections × messages in flight × size · {} · {}",
        machine::date(),
        machine::machine()
    );
    svg.text(16.0, bottom + 20.0, "small faint", &foot);
    Some(svg.finish("CPU time per message of WebSocket servers, as a ratio to a raw socket"))
}

/// Times only: memory and latency have other scales, and counts other subjects.
fn is_shown(cell: &Cell) -> bool {
    matches!(cell.method, Method::Time | Method::Heartbeat) && cell.main().unit.starts_with("CPU")
}

fn row(field: &Field, cell: &Cell, samples: &Samples) -> Row {
    let ratio = |name: &str| samples.ratio(cell, cell.main(), name, "raw");
    let peers = peers(field).filter_map(|(subject, title, mark)| {
        let ratio = ratio(subject)?.median;
        Some((ratio, mark, format!("{title}: {ratio:.2}")))
    });
    Row {
        title: cell.title.to_owned(),
        own: ratio("rushwire"),
        peers: peers.collect(),
    }
}

/// Name, title and mark of everyone but the library and the floor.
fn peers(field: &Field) -> impl Iterator<Item = (&str, &str, Mark)> {
    let others = field
        .subjects
        .iter()
        .filter(|subject| !matches!(subject.name.as_str(), "rushwire" | "raw"));
    let marks = MARKS.iter().copied().cycle();
    others
        .zip(marks)
        .map(|(subject, mark)| (subject.name.as_str(), subject.title.as_str(), mark))
}

/// From a little below the least ratio to a little above the greatest, one included.
fn axis(rows: &[Row]) -> Option<Axis> {
    let own = rows
        .iter()
        .filter_map(|row| row.own)
        .flat_map(|own| [own.low, own.high]);
    let peers = rows
        .iter()
        .flat_map(|row| row.peers.iter().map(|peer| peer.0));
    let all: Vec<f64> = own.chain(peers).filter(|ratio| *ratio > 0.0).collect();
    (!all.is_empty()).then(|| Axis {
        low: all.iter().copied().fold(1.0, f64::min) * 0.93,
        high: all.iter().copied().fold(1.5, f64::max) * 1.07,
        start: LEFT,
        end: RIGHT,
    })
}

fn legend(svg: &mut Svg, field: &Field) {
    svg.bar(16.0, 30.0, 45.0, 8.0, "own");
    svg.text(36.0, 49.0, "", "rushwire, with its");
    svg.text(36.0, 65.0, "", "95 % interval");
    for (place, (_, title, mark)) in peers(field).enumerate() {
        let x = LEFT - 82.0 + (place % LEGEND_COLUMNS) as f64 * 164.0;
        let y = 45.0 + (place / LEGEND_COLUMNS) as f64 * 18.0;
        svg.mark(x, y, mark, title);
        svg.text(x + 10.0, y + 4.0, "", title);
    }
}

fn grid(svg: &mut Svg, axis: &Axis, bottom: f64) {
    for tick in TICKS.iter().filter(|tick| axis.holds(**tick)) {
        let x = axis.place(*tick);
        let class = if *tick == 1.0 { "base" } else { "grid" };
        svg.line((x, TOP - 4.0), (x, bottom), class);
        svg.text(x, TOP - 10.0, "small faint middle", &format!("{tick} ×"));
    }
}

fn draw(svg: &mut Svg, axis: &Axis, row: &Row, y: f64) {
    let edge = y - ROW / 2.0;
    svg.line((16.0, edge), (RIGHT, edge), "grid");
    svg.text(LEFT - 22.0, y + 4.0, "end", &row.title);
    if let Some(own) = row.own {
        bar(svg, axis, own, y + BAR);
    }
    for (x, level, mark, name) in dodge(axis, &row.peers) {
        svg.mark(x, y + MARKS_AT[level], mark, name);
    }
}

fn bar(svg: &mut Svg, axis: &Axis, own: Estimate, y: f64) {
    svg.bar(axis.place(1.0), axis.place(own.median), y, 8.0, "own");
    svg.line((axis.place(own.low), y), (axis.place(own.high), y), "range");
    let right = axis.place(own.high.max(1.0)) + 6.0;
    svg.text(
        right,
        y + 4.0,
        "small strong",
        &format!("{:.2}", own.median),
    );
}

/// Puts marks that would cover each other onto levels: the first that is free at their place.
fn dodge<'a>(axis: &Axis, peers: &'a [(f64, Mark, String)]) -> Vec<(f64, usize, Mark, &'a str)> {
    let mut sorted: Vec<_> = peers.iter().collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut last = [f64::NEG_INFINITY; MARKS_AT.len()];
    let mut placed = Vec::new();
    for (ratio, mark, name) in sorted {
        let x = axis.place(*ratio);
        let free = last.iter().position(|before| x - before >= MARK);
        let level = free.unwrap_or_else(|| farthest(&last));
        last[level] = x;
        placed.push((x, level, *mark, name.as_str()));
    }
    placed
}

/// The level whose last mark is the farthest to the left.
fn farthest(last: &[f64]) -> usize {
    let least = last
        .iter()
        .enumerate()
        .min_by(|one, other| one.1.total_cmp(other.1));
    least.map_or(0, |(level, _)| level)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cells;
    use crate::subjects::Subject;

    fn field(names: &[&str]) -> Field {
        let mut field = Field::new(PathBuf::new());
        field.subjects = names.iter().map(|name| Subject::named(name)).collect();
        field
    }

    #[test]
    fn marks_at_one_place_get_levels_of_their_own() {
        let axis = Axis {
            low: 1.0,
            high: 10.0,
            start: 0.0,
            end: 1000.0,
        };
        let peers = [1.5, 1.51, 1.52, 4.0].map(|ratio| (ratio, MARKS[0], String::new()));
        let levels: Vec<usize> = dodge(&axis, &peers).iter().map(|placed| placed.1).collect();
        assert_eq!(levels, [0, 1, 2, 0]);
    }

    #[test]
    fn a_plot_names_cells_and_servers() {
        let cell = cells::named("echo-100x1x20").expect("a cell");
        let mut samples = Samples::default();
        samples.add(cell.name, "rushwire", &["messages=1 cpu_ns=120"; 3]);
        samples.add(cell.name, "raw", &["messages=1 cpu_ns=100"; 3]);
        samples.add(cell.name, "yawc", &["messages=1 cpu_ns=300"; 3]);
        let svg = ratios(&field(&["rushwire", "raw", "yawc"]), &[cell], &samples).expect("a plot");
        for part in [cell.title, "1.20", "yawc: 3.00", "2 ×"] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
    }

    #[test]
    fn without_the_floor_there_is_no_plot() {
        let cell = cells::named("echo-100x1x20").expect("a cell");
        let mut samples = Samples::default();
        samples.add(cell.name, "rushwire", &["messages=1 cpu_ns=120"; 3]);
        assert_eq!(ratios(&field(&["rushwire"]), &[cell], &samples), None);
    }
}
