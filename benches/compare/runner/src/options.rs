//! The command line.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: benches/compare/run [COMMAND] [OPTIONS]

commands
  run            every cell over all servers (the default)
  instructions   user instructions per message, by callgrind
  syscalls       writes per delivery of a busy room, by strace
  scale          cost against connections, message size, room size and number of rooms

options
  --rounds N            how often each server is measured in a cell (run: 9, others: 3)
  --seconds X           how long one measurement lasts (1.0)
  --cells A,B           only these cells or curves, or all that begin so: echo, fanout-100x10
  --subjects A,B        only these servers
  --program NAME=PATH   measure this program as NAME: instead of one that would be built, or beside
                        them, such as an older build of an example; NAME may be `load`, too
  --out FILE            the Markdown of standard output, to a file as well
  --json FILE           all samples
  --plot FILE           an SVG
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Run,
    Instructions,
    Syscalls,
    Scale,
    Help,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) task: Task,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) cells: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) programs: Vec<(String, PathBuf)>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) plot: Option<PathBuf>,
}

impl Options {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    ///
    /// A sentence that says which word is wrong.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut words = words.into_iter().peekable();
        let task = match words.next_if(|word| !word.starts_with('-')) {
            Some(word) => task(&word)?,
            None => Task::Run,
        };
        let mut options = Self::of(task);
        while let Some(word) = words.next() {
            if matches!(word.as_str(), "-h" | "--help") {
                options.task = Task::Help;
                continue;
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a value"))?;
            options.set(&word, &value)?;
        }
        Ok(options)
    }

    fn of(task: Task) -> Self {
        Self {
            task,
            rounds: if task == Task::Run { 9 } else { 3 },
            seconds: 1.0,
            cells: Vec::new(),
            subjects: Vec::new(),
            programs: Vec::new(),
            out: None,
            json: None,
            plot: None,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("{name} {value}: that is not understood");
        match name {
            "--rounds" => self.rounds = positive(value).ok_or_else(wrong)? as usize,
            "--seconds" => self.seconds = positive(value).ok_or_else(wrong)?,
            "--cells" => self.cells = list(value),
            "--subjects" => self.subjects = list(value),
            "--program" => {
                let (name, path) = value.split_once('=').ok_or_else(wrong)?;
                self.programs.push((name.to_owned(), path.into()));
            }
            "--out" => self.out = Some(value.into()),
            "--json" => self.json = Some(value.into()),
            "--plot" => self.plot = Some(value.into()),
            _ => return Err(format!("there is no option {name}")),
        }
        Ok(())
    }

    /// Whether `--cells` allows the cell: by its name, or by the beginning of it.
    pub(crate) fn wants_cell(&self, name: &str) -> bool {
        self.cells.is_empty() || self.cells.iter().any(|start| begins(name, start))
    }

    /// Whether `--subjects` allows the server.
    pub(crate) fn wants_subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|wanted| wanted == name)
    }

    /// The program that `--program` gives for the name.
    pub(crate) fn program(&self, name: &str) -> Option<&PathBuf> {
        self.programs
            .iter()
            .rfind(|(given, _)| given == name)
            .map(|(_, path)| path)
    }
}

fn task(word: &str) -> Result<Task, String> {
    Ok(match word {
        "run" => Task::Run,
        "instructions" => Task::Instructions,
        "syscalls" => Task::Syscalls,
        "scale" => Task::Scale,
        "help" => Task::Help,
        _ => return Err(format!("there is no command {word}")),
    })
}

/// `name` begins with `start`, which ends at a hyphen or at the end of the name.
fn begins(name: &str, start: &str) -> bool {
    name.strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn positive(value: &str) -> Option<f64> {
    value
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0)
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn nothing_means_nine_rounds_of_everything() {
        let options = parse("").expect("no words");
        assert_eq!(
            (options.task, options.rounds, options.seconds),
            (Task::Run, 9, 1.0)
        );
        assert!(options.wants_cell("idle") && options.wants_subject("yawc"));
    }

    #[test]
    fn a_subset_is_chosen_by_names() {
        let options = parse("run --cells echo-100x1,idle --subjects rushwire,raw").expect("words");
        for (cell, wanted) in [
            ("echo-100x1", true),
            ("echo-100x1-20", true),
            ("echo-100x16", false),
            ("idle", true),
            ("handshake", false),
        ] {
            assert_eq!(options.wants_cell(cell), wanted, "{cell}");
        }
        assert!(options.wants_subject("raw") && !options.wants_subject("yawc"));
    }

    #[test]
    fn the_last_program_of_a_name_counts() {
        let options = parse("--program raw=/a --program raw=/b").expect("words");
        assert_eq!(options.program("raw"), Some(&PathBuf::from("/b")));
        assert_eq!(options.program("load"), None);
    }

    #[test]
    fn wrong_words_are_named() {
        for line in [
            "fly",
            "--rounds",
            "--rounds none",
            "--seconds -1",
            "--colour red",
            "--program x",
        ] {
            let message = parse(line).expect_err(line);
            assert!(
                line.split(' ').any(|word| message.contains(word)),
                "{line}: {message}"
            );
        }
    }
}
