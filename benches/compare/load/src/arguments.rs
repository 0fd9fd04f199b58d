//! The command line: a command, and `--name value` pairs that it knows.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::batch::Kind;
use crate::process::Process;

/// What a command line gave, checked for names only.
pub(crate) struct Arguments(HashMap<String, String>);

impl Arguments {
    /// Takes `--name value` pairs, and `--raw` alone; `known` are the names that the command has.
    pub(crate) fn parse(
        words: impl IntoIterator<Item = String>,
        known: &[&str],
    ) -> io::Result<Self> {
        let mut words = words.into_iter();
        let mut values = HashMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").unwrap_or_default().to_owned();
            if !known.contains(&name.as_str()) {
                return Err(wrong(format!("this command has no {word}")));
            }
            let value = match name.as_str() {
                "raw" => String::new(),
                _ => words
                    .next()
                    .ok_or_else(|| wrong(format!("{word} wants a value")))?,
            };
            values.insert(name, value);
        }
        Ok(Self(values))
    }

    fn maybe<T: FromStr>(&self, name: &str) -> io::Result<Option<T>> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(wrong(format!("--{name} cannot be {value:?}"))),
        }
    }

    fn must<T: FromStr>(&self, name: &str) -> io::Result<T> {
        self.maybe(name)?
            .ok_or_else(|| wrong(format!("--{name} is missing")))
    }

    /// A number that is not zero.
    pub(crate) fn count(&self, name: &str) -> io::Result<usize> {
        match self.must(name)? {
            0 => Err(wrong(format!("--{name} cannot be 0"))),
            count => Ok(count),
        }
    }

    pub(crate) fn size(&self) -> io::Result<usize> {
        self.must("size")
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.must("address")
    }

    pub(crate) fn kind(&self) -> io::Result<Kind> {
        let name: String = self.must("kind")?;
        Kind::named(&name).ok_or_else(|| wrong(format!("--kind cannot be {name:?}")))
    }

    pub(crate) fn seconds(&self) -> io::Result<Duration> {
        time(self.must("seconds")?)
    }

    /// Half a second where none is given.
    pub(crate) fn warmup(&self) -> io::Result<Duration> {
        time(self.maybe("warmup")?.unwrap_or(0.5))
    }

    pub(crate) fn process(&self) -> io::Result<Option<Process>> {
        Ok(self.maybe("pid")?.map(Process::new))
    }

    /// Whether answers come back masked, as they were sent.
    pub(crate) fn is_raw(&self) -> bool {
        self.0.contains_key("raw")
    }
}

fn time(seconds: f64) -> io::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| wrong(format!("{seconds} s: {error}")))
}

fn wrong(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> io::Result<Arguments> {
        let words = line.split_whitespace().map(str::to_owned);
        Arguments::parse(
            words,
            &["address", "seconds", "size", "depth", "raw", "kind"],
        )
    }

    #[test]
    fn values_are_found_by_name_in_any_order() {
        let given = parse("--raw --size 20 --address 127.0.0.1:9 --seconds .5 --kind text");
        let given = given.expect("right");
        let half = Duration::from_millis(500);
        assert!(given.is_raw());
        assert_eq!(given.size().expect("size"), 20);
        assert_eq!(given.address().expect("address").port(), 9);
        assert_eq!(given.seconds().expect("seconds"), half);
        assert_eq!(given.kind().expect("kind"), Kind::Text);
        assert_eq!(given.warmup().expect("default"), half);
        assert!(given.process().expect("none").is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(parse("--bogus 1").is_err());
        assert!(parse("size 1").is_err());
        assert!(parse("--size").is_err());
        let given = parse("--size x --depth 0 --seconds -1 --kind json").expect("names are right");
        let said = |error: Option<io::Error>| error.map(|error| error.to_string());
        let size = said(given.size().err());
        assert_eq!(size.as_deref(), Some("--size cannot be \"x\""));
        let address = said(given.address().err());
        assert_eq!(address.as_deref(), Some("--address is missing"));
        assert!(given.count("depth").is_err());
        assert!(given.seconds().is_err());
        assert!(given.kind().is_err());
    }
}
