//! Compares the library with other servers, on one machine and in one run: see README.md beside this
//! project. `benches/compare/run` starts it.

mod building;
mod cells;
mod compare;
mod counting;
mod curve;
mod generator;
mod goals;
mod json;
mod machine;
mod markdown;
mod options;
mod panels;
mod plot;
mod process;
mod progress;
mod reading;
mod rooms;
mod samples;
mod scale;
mod server;
mod stats;
mod subjects;
mod svg;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use options::{Options, Task, USAGE};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("runner: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = match options.task {
        Task::Run | Task::Instructions | Task::Syscalls => compared(&options),
        Task::Scale => scaled(&options),
        Task::Help => write(None, USAGE),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("runner: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, and writes what was found. A failure of the library itself or of the floor is an error,
/// told after the rest.
fn compared(options: &Options) -> Result<(), String> {
    let cells = cells::chosen(options);
    if cells.is_empty() {
        return Err(format!("there is no cell {}", options.cells.join(",")));
    }
    let field = subjects::assemble(options)?;
    process::make_room()?;
    let samples = compare::run(options, &field, &cells);
    let verdicts = goals::verdicts(&field.subjects, &samples);
    let parts = [
        markdown::comparison(&field, &cells, &samples),
        markdown::goals(&verdicts),
        markdown::absences(&field, &samples),
        machine::foot(),
    ];
    write(options.out.as_ref(), &joined(&parts))?;
    save(options.json.as_ref(), || Some(json::write(&samples)))?;
    save(options.plot.as_ref(), || {
        plot::ratios(&field, &cells, &samples)
    })?;
    let own = samples
        .failures
        .iter()
        .find(|failure| matches!(failure.subject.as_str(), "rushwire" | "raw"));
    own.map_or(Ok(()), |failure| {
        Err(format!("{} fails in {}", failure.subject, failure.cell))
    })
}

fn scaled(options: &Options) -> Result<(), String> {
    let curves = scale::run(options)?;
    let parts = [
        curve::tables(&curves),
        curve::verdicts(&curves),
        machine::foot(),
    ];
    write(options.out.as_ref(), &joined(&parts))?;
    save(options.json.as_ref(), || Some(curve::json(&curves)))?;
    save(options.plot.as_ref(), || Some(panels::draw(&curves)))
}

/// The parts that are not empty, with an empty line between them.
fn joined(parts: &[String]) -> String {
    let full: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    full.join("\n")
}

/// To standard output, and to the file as well.
fn write(file: Option<&PathBuf>, text: &str) -> Result<(), String> {
    print!("{text}");
    save(file, || Some(text.to_owned()))
}

fn save(file: Option<&PathBuf>, text: impl FnOnce() -> Option<String>) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let text = text().ok_or_else(|| format!("there is nothing to show in {}", file.display()))?;
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
