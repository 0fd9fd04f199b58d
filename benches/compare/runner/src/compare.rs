//! The rounds: every cell over all subjects in turn, A B C A B C.

use crate::cells::{Cell, Method};
use crate::counting;
use crate::generator::{Generator, Load};
use crate::options::Options;
use crate::progress::Progress;
use crate::reading::Reading;
use crate::samples::{Failure, Sample, Samples};
use crate::server::Server;
use crate::subjects::{Field, Subject};

/// Seconds of load before the measured time, in which a just-in-time compiler has its time.
pub(crate) const WARMUP: f64 = 0.3;
/// Counts repeat to a few in a thousand: more rounds would tell nothing new.
const MOST_COUNTS: usize = 3;
/// Seconds between two pings in the cell with heartbeats, as the server is told.
const HEARTBEAT: u32 = 1;
/// How long that cell is watched at least. Some servers ping after a silence only, and the clock of
/// uWebSockets ticks every four seconds: in so long each of them has pinged everyone.
const HELD: f64 = 4.0;
/// Pings that are due meanwhile, one in ten connections allowed to be late.
const PINGS: f64 = 0.9 * 10_000.0;
/// A subject is given up in a cell at its second failure.
const ATTEMPTS: usize = 2;

/// Measures the cells in their order.
///
/// Each run has a server of its own, freshly started. One that lives through all rounds is no
/// steadier in its ratios, and what is particular to one process (where its memory lies) would be in
/// all of its rounds alike, so that no interval shows it; a fresh one makes the rounds independent.
pub(crate) fn run(options: &Options, field: &Field, cells: &[&'static Cell]) -> Samples {
    let mut samples = Samples::default();
    let mut progress = Progress::new(
        cells
            .iter()
            .map(|cell| expected(options, field, cell))
            .sum(),
    );
    for cell in cells {
        for round in 0..rounds(options, cell) {
            for subject in participants(field, cell) {
                let what = format!("{}, round {}, {}", cell.name, round + 1, subject.name);
                progress.begin(&what);
                measure(
                    options,
                    &field.generator,
                    cell,
                    subject,
                    round,
                    &mut samples,
                );
                progress.end(once(options, cell));
            }
        }
    }
    samples
}

fn rounds(options: &Options, cell: &Cell) -> usize {
    if cell.is_count() {
        options.rounds.min(MOST_COUNTS)
    } else {
        options.rounds
    }
}

fn participants<'a>(field: &'a Field, cell: &Cell) -> impl Iterator<Item = &'a Subject> {
    let only = cell.only();
    let takes_part = move |subject: &&Subject| match only {
        // A program of the command line is there to be compared.
        Some(names) => names.contains(&subject.name.as_str()) || subject.is_extra,
        None => true,
    };
    field.subjects.iter().filter(takes_part)
}

/// Guessed seconds of all runs of the cell.
fn expected(options: &Options, field: &Field, cell: &Cell) -> f64 {
    once(options, cell) * (rounds(options, cell) * participants(field, cell).count()) as f64
}

/// Guessed seconds of one run.
fn once(options: &Options, cell: &Cell) -> f64 {
    let open = if cell.load.starts_with("idle") {
        2.0
    } else {
        0.4
    };
    match cell.method {
        Method::Time => options.seconds + WARMUP + open,
        Method::Heartbeat => held(options) + open + 4.0,
        Method::Instructions | Method::Writes => 2.5 * options.seconds + 3.0,
    }
}

fn held(options: &Options) -> f64 {
    options.seconds.max(HELD)
}

/// Takes one sample, or notes why there is none.
fn measure(
    options: &Options,
    generator: &Generator,
    cell: &'static Cell,
    subject: &Subject,
    round: usize,
    samples: &mut Samples,
) {
    if samples.has_failed(cell.name, &subject.name) {
        return;
    }
    match attempts(|| sample(options, generator, cell, subject)) {
        Ok(reading) => samples.taken.push(Sample {
            cell: cell.name,
            subject: subject.name.clone(),
            round,
            reading,
        }),
        Err(reason) => samples.failures.push(Failure {
            cell: cell.name,
            subject: subject.name.clone(),
            reason,
        }),
    }
}

/// The first success, or the last of `ATTEMPTS` failures.
pub(crate) fn attempts<T>(mut once: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let mut result = once();
    for _ in 1..ATTEMPTS {
        if let Err(reason) = &result {
            eprintln!("runner: once more: {reason}");
            result = once();
        }
    }
    result
}

fn sample(
    options: &Options,
    generator: &Generator,
    cell: &Cell,
    subject: &Subject,
) -> Result<Reading, String> {
    match cell.method {
        Method::Time => timed(options.seconds, 0, generator, cell, subject),
        Method::Heartbeat => {
            timed(held(options), HEARTBEAT, generator, cell, subject).and_then(pinged)
        }
        Method::Instructions | Method::Writes => {
            counting::per_message(generator, cell, subject, options.seconds)
        }
    }
}

fn timed(
    seconds: f64,
    heartbeat: u32,
    generator: &Generator,
    cell: &Cell,
    subject: &Subject,
) -> Result<Reading, String> {
    let server = Server::start(&[], &subject.command, heartbeat)?;
    let load = Load {
        words: cell.load,
        seconds,
        warmup: WARMUP,
        masked: subject.is_raw(),
    };
    let reading = generator.run(&server, &load)?;
    match cell
        .figures
        .iter()
        .find(|figure| (figure.value)(&reading).is_none())
    {
        Some(figure) => Err(format!("{} was not measured", figure.unit)),
        None => Ok(reading),
    }
}

/// Refuses a server that saves its pings.
fn pinged(reading: Reading) -> Result<Reading, String> {
    let pings = reading.value("pings").unwrap_or_default();
    if pings < PINGS {
        return Err(format!("{pings} pings to 10,000 connections"));
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_tried_once_more() {
        let mut left = 1;
        let recovers = attempts(|| {
            if left == 0 {
                Ok(())
            } else {
                left -= 1;
                Err("not yet".to_owned())
            }
        });
        assert_eq!(recovers, Ok(()));
        let mut tried = 0;
        let fails = attempts(|| {
            tried += 1;
            Err::<(), _>(format!("failure {tried}"))
        });
        assert_eq!(fails, Err("failure 2".to_owned()));
    }

    #[test]
    fn a_heartbeat_without_pings_is_refused() {
        let read = |line| Reading::parse(line).expect("a line");
        assert!(pinged(read("seconds=4 pings=10100")).is_ok());
        assert!(pinged(read("seconds=4 pings=4000")).is_err());
        assert!(pinged(read("seconds=4")).is_err());
    }
}
