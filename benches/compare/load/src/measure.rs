//! The measured time of a run, and the line that is printed of it.

use std::fmt::{self, Display, Write};
use std::io;
use std::ops::Add;
use std::time::{Duration, Instant};

use crate::process::Process;

/// What passed between two readings: wall time, and CPU time of the server where its process is
/// known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) wall: Duration,
    pub(crate) cpu: Option<Duration>,
}

impl Add for Used {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu.into_iter().chain(other.cpu).reduce(Add::add),
        }
    }
}

/// The first of the two readings.
pub(crate) struct Reading {
    at: Instant,
    cpu: Option<Duration>,
}

impl Reading {
    pub(crate) fn take(process: Option<&Process>) -> io::Result<Self> {
        Ok(Self {
            cpu: process.map(Process::cpu).transpose()?,
            at: Instant::now(),
        })
    }

    pub(crate) fn until_now(&self, process: Option<&Process>) -> io::Result<Used> {
        let end = Self::take(process)?;
        Ok(Used {
            wall: end.at - self.at,
            cpu: end.cpu.zip(self.cpu).map(|(end, start)| end - start),
        })
    }
}

/// `key=value` pairs.
#[derive(Default)]
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn with(mut self, key: &str, value: impl Display) -> Self {
        let blank = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{blank}{key}={value}").expect("a string takes all");
        self
    }

    pub(crate) fn with_used(self, used: Used) -> Self {
        self.with("seconds", format_args!("{:.6}", used.wall.as_secs_f64()))
            .with_cpu("cpu_ns", used)
    }

    pub(crate) fn with_cpu(self, key: &str, used: Used) -> Self {
        match used.cpu {
            Some(cpu) => self.with(key, cpu.as_nanos()),
            None => self,
        }
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_pairs_with_blanks_between() {
        let used = Used {
            wall: Duration::from_millis(1500),
            cpu: Some(Duration::from_nanos(7)),
        };
        let line = Line::default().with("messages", 3).with_used(used);
        assert_eq!(line.to_string(), "messages=3 seconds=1.500000 cpu_ns=7");
        let unknown = Line::default().with_used(Used { cpu: None, ..used });
        assert_eq!(unknown.to_string(), "seconds=1.500000");
    }
}
