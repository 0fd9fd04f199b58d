//! What a message costs when there is more of everything: connections, bytes, members, rooms.

use crate::compare::{WARMUP, attempts};
use crate::curve::{Curve, Growth, Kind, Line, Quantity};
use crate::generator::{Generator, Load};
use crate::options::Options;
use crate::process;
use crate::progress::Progress;
use crate::rooms;
use crate::server::Server;
use crate::subjects::{self, Field, Subject};

/// The points of one quantity, and the curves that are measured over them.
struct Sweep {
    points: &'static [u64],
    curves: &'static [Kind],
    measure: Measure,
}

/// How each point is measured.
enum Measure {
    /// By the load generator, with these words. The raw server stands beside it: what it does, too, is
    /// the kernel's doing.
    Load(fn(u64) -> String),
    /// By clients of our own, with so many rooms.
    Rooms,
}

const fn kind(
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    quantity: Quantity,
    growth: Growth,
    from: f64,
) -> Kind {
    Kind {
        name,
        title,
        unit,
        quantity,
        growth,
        from,
    }
}

#[rustfmt::skip] // a table
static SWEEPS: [Sweep; 4] = [
    Sweep {
        points: &[1, 10, 100, 1_000, 5_000, 15_000],
        curves: &[kind("connections", "echo of 20 B against connections", "CPU ns per message",
            Quantity::Number, Growth::Flat, 10.0)],
        measure: Measure::Load(|count| format!("echo --connections {count} --depth 1 --size 20 --kind binary")),
    },
    Sweep {
        points: &[1 << 4, 1 << 6, 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24],
        curves: &[kind("size", "echo against message size", "CPU ns per message",
            Quantity::Bytes, Growth::Linear, 65_536.0)],
        measure: Measure::Load(|size| format!("echo --connections 1 --depth 1 --size {size} --kind binary")),
    },
    Sweep {
        points: &[2, 10, 100, 1_000, 5_000, 15_000],
        curves: &[kind("members", "fan-out of 64 B against members", "CPU ns per delivery",
            Quantity::Number, Growth::Flat, 10.0)],
        measure: Measure::Load(|members| format!("fanout --members {members} --senders 1 --depth 1 --size 64")),
    },
    Sweep {
        points: &[1, 10, 100, 1_000, 10_000, 100_000],
        curves: &[
            kind("rooms-join", "connecting and joining rooms", "CPU ns per connection",
                Quantity::Number, Growth::Linear, 1_000.0),
            kind("rooms-relay", "a message to one of the rooms", "CPU ns per message",
                Quantity::Number, Growth::Flat, 1.0),
            kind("rooms-leave", "closing and leaving rooms", "CPU ns per connection",
                Quantity::Number, Growth::Linear, 1_000.0),
        ],
        measure: Measure::Rooms,
    },
];

/// Measures the curves that the command line asks for.
///
/// # Errors
///
/// What does not build, or a point that could not be measured.
pub(crate) fn run(options: &Options) -> Result<Vec<Curve>, String> {
    let is_wanted = |sweep: &&Sweep| {
        sweep
            .curves
            .iter()
            .any(|kind| options.wants_cell(kind.name))
    };
    let sweeps: Vec<&'static Sweep> = SWEEPS.iter().filter(is_wanted).collect();
    if sweeps.is_empty() {
        return Err(format!("there is no curve {}", options.cells.join(",")));
    }
    let field = subjects::assemble_own(options)?;
    process::make_room()?;
    let mut progress = Progress::new(
        sweeps
            .iter()
            .map(|sweep| sweep.expected(options, &field))
            .sum(),
    );
    let mut curves = Vec::new();
    for sweep in sweeps {
        curves.extend(sweep.run(options, &field, &mut progress)?);
    }
    Ok(curves)
}

impl Sweep {
    /// The servers that can be measured so: rooms of many names are a server of its own.
    fn subjects<'a>(&self, field: &'a Field) -> Vec<&'a Subject> {
        let for_rooms = matches!(self.measure, Measure::Rooms);
        let fits = |subject: &&Subject| (subject.name == subjects::SCALE_SERVER) == for_rooms;
        field.subjects.iter().filter(fits).collect()
    }

    /// Guessed seconds of one run.
    fn once(&self, options: &Options) -> f64 {
        match self.measure {
            Measure::Load(_) => options.seconds + WARMUP + 0.7,
            Measure::Rooms => 1.0,
        }
    }

    /// Guessed seconds of all runs.
    fn expected(&self, options: &Options, field: &Field) -> f64 {
        self.once(options)
            * (options.rounds * self.points.len() * self.subjects(field).len()) as f64
    }

    /// All rounds: the points in turn, and at each the servers in turn.
    fn run(
        &'static self,
        options: &Options,
        field: &Field,
        progress: &mut Progress,
    ) -> Result<Vec<Curve>, String> {
        let subjects = self.subjects(field);
        let mut curves = self.empty(&subjects);
        for round in 0..options.rounds {
            for (place, x) in self.points.iter().enumerate() {
                for (line, subject) in subjects.iter().enumerate() {
                    let what = format!(
                        "{} {x}, round {}, {}",
                        self.curves[0].name,
                        round + 1,
                        subject.name
                    );
                    progress.begin(&what);
                    let values = attempts(|| self.values(options, &field.generator, subject, *x))
                        .map_err(|reason| format!("{what}: {reason}"))?;
                    for (curve, value) in curves.iter_mut().zip(values) {
                        curve.lines[line].points[place].1.push(value);
                    }
                    progress.end(self.once(options));
                }
            }
        }
        Ok(curves)
    }

    fn empty(&'static self, subjects: &[&Subject]) -> Vec<Curve> {
        let title = |subject: &Subject| if subject.is_raw() { "raw" } else { "rushwire" };
        let curve = |kind| Curve {
            kind,
            lines: subjects
                .iter()
                .map(|subject| Line::new(title(subject), self.points))
                .collect(),
        };
        self.curves.iter().map(curve).collect()
    }

    /// One value for each curve, from a freshly started server.
    fn values(
        &self,
        options: &Options,
        generator: &Generator,
        subject: &Subject,
        x: u64,
    ) -> Result<Vec<f64>, String> {
        let server = Server::start(&[], &subject.command, 0)?;
        let Measure::Load(words) = self.measure else {
            let costs = rooms::measure(&server, x)?;
            return Ok(vec![costs.join, costs.relay, costs.leave]);
        };
        let load = Load {
            words: &words(x),
            seconds: options.seconds,
            warmup: WARMUP,
            masked: subject.is_raw(),
        };
        let run = generator.run(&server, &load)?;
        let value = run
            .per("cpu_ns", "messages")
            .ok_or("no message came back")?;
        Ok(vec![value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_grow_and_enough_of_them_are_judged() {
        for sweep in &SWEEPS {
            assert!(sweep.points.is_sorted(), "{}", sweep.curves[0].name);
            for kind in sweep.curves {
                let judged = sweep
                    .points
                    .iter()
                    .filter(|x| **x as f64 >= kind.from)
                    .count();
                assert!(judged >= 3, "{}: {judged} points", kind.name);
            }
        }
    }

    #[test]
    fn the_words_hold_the_quantity() {
        let Measure::Load(words) = SWEEPS[2].measure else {
            panic!("members are measured by load")
        };
        assert_eq!(
            words(5_000),
            "fanout --members 5000 --senders 1 --depth 1 --size 64"
        );
    }
}
