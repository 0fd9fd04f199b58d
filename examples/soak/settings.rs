//! What stands on the command line. `main` reads it once.

use std::time::Duration;

/// What is to be run, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// How many members there are at a time; slow and rude peers come on top.
    pub(crate) connections: usize,
    pub(crate) minutes: f64,
    /// Whether this is the other process: the server.
    pub(crate) is_server: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 15_000,
            minutes: 10.0,
            is_server: false,
        }
    }
}

impl Settings {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    ///
    /// Quotes what cannot be read.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--serve" {
                settings.is_server = true;
                continue;
            }
            let value = words.next();
            let value = value.ok_or_else(|| format!("{word} needs a value, or is no option"))?;
            let set = settings.set(&word, &value);
            set.map_err(|wanted| format!("{word} {value:?}: wanted is {wanted}"))?;
        }
        Ok(settings)
    }

    /// `Err` is what would have been right.
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "--connections" => {
                let number = value.parse().ok().filter(|&number| number > 0);
                self.connections = number.ok_or("a number that is not 0")?;
            }
            "--minutes" => {
                let number = value.parse().ok().filter(|number| *number > 0.0);
                // A year is longer than anyone waits, and short enough for any clock.
                let number = number.filter(|number| *number <= 525_600.0);
                self.minutes = number.ok_or("a number such as 10 or 0.5")?;
            }
            _ => return Err("another option: this is none"),
        }
        Ok(())
    }

    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs_f64(60.0 * self.minutes)
    }

    /// So many descriptors may be open at a time, in each of the two processes.
    pub(crate) fn descriptors(&self) -> usize {
        self.connections + self.connections / 50 + 300
    }
}
