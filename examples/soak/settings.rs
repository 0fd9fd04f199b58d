//! What stands on the command line. `main` reads it once.

use std::time::Duration;

/// What is to be run, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// How many members there are at a time; slow and rude peers come on top.
    pub(crate) connections: usize,
    pub(crate) minutes: f64,
    /// How many milliseconds 99 of 100 short echoes may take.
    pub(crate) p99: f64,
    /// Whether this is the other process: the server.
    pub(crate) is_server: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 15_000,
            minutes: 10.0,
            // Also on a machine that does other things.
            p99: 1000.0,
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
            "--minutes" => self.minutes = positive(value)?,
            "--p99" => self.p99 = positive(value)?,
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

fn positive(text: &str) -> Result<f64, &'static str> {
    // A year of minutes is longer than anyone waits, and short enough for any clock.
    let number = text.parse().ok();
    let number = number.filter(|number| *number > 0.0 && *number <= 525_600.0);
    number.ok_or("a number such as 10 or 0.5")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Settings, String> {
        Settings::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_not_said_is_fifteen_thousand_connections_for_ten_minutes() {
        let said = parse("").map(|it| (it.connections, it.minutes, it.is_server));
        assert_eq!(said, Ok((15_000, 10.0, false)));
        let settings = parse("--minutes 0.5 --connections 7 --p99 20").expect("it is right");
        assert_eq!((settings.connections, settings.p99), (7, 20.0));
        assert_eq!(settings.span(), Duration::from_secs(30));
    }

    #[test]
    fn what_cannot_be_read_is_quoted() {
        let cases = [
            (
                "--connections 0",
                r#"--connections "0": wanted is a number that is not 0"#,
            ),
            (
                "--connections",
                "--connections needs a value, or is no option",
            ),
            (
                "--minutes -1",
                r#"--minutes "-1": wanted is a number such as 10 or 0.5"#,
            ),
            (
                "--minutes NaN",
                r#"--minutes "NaN": wanted is a number such as 10 or 0.5"#,
            ),
            (
                "--p99 soon",
                r#"--p99 "soon": wanted is a number such as 10 or 0.5"#,
            ),
            (
                "--hours 1",
                r#"--hours "1": wanted is another option: this is none"#,
            ),
        ];
        for (words, message) in cases {
            assert_eq!(parse(words), Err(message.to_owned()), "{words}");
        }
    }
}
