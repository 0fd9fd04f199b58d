//! What is wrong with how a server was set up: all of it at once.

use std::fmt;
use std::io;

/// Everything that is wrong with the routes and options of an [`App`](super::App), each quoted.
///
/// It comes out of [`bind`](super::App::bind) and [`listen`](super::App::listen), inside of an
/// [`io::Error`] of kind [`InvalidInput`](io::ErrorKind::InvalidInput).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    /// The problems, in the order in which they were made.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// That which is inside of an error of [`bind`](super::App::bind).
    #[cfg(feature = "testing")]
    pub(super) fn of(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(|other| Self {
            problems: vec![other.to_string()],
        })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems until somebody can be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, problem: impl ToString) {
        self.0.push(problem.to_string());
    }

    pub(super) fn into_result(self) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            ConfigError { problems: self.0 },
        ))
    }
}
