//! What one run tells: the line of `key=value` pairs that the load generator prints.

use std::collections::BTreeMap;

/// The figures of one run, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading(BTreeMap<String, f64>);

impl Reading {
    /// Reads one line such as `messages=100 cpu_ns=141000`.
    ///
    /// # Errors
    ///
    /// A sentence when the line is no such list or is empty.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let pairs: Option<BTreeMap<_, _>> = line.split_whitespace().map(pair).collect();
        match pairs {
            Some(pairs) if !pairs.is_empty() => Ok(Self(pairs)),
            _ => Err(format!(
                "the generator printed {line:?}, which is no list of key=value"
            )),
        }
    }

    /// A reading with one figure that was not measured by the generator.
    pub(crate) fn single(key: &str, value: f64) -> Self {
        Self(BTreeMap::from([(key.to_owned(), value)]))
    }

    /// `None` if the run did not measure it.
    pub(crate) fn value(&self, key: &str) -> Option<f64> {
        self.0.get(key).copied()
    }

    /// One figure divided by another, unless that one is zero.
    pub(crate) fn per(&self, key: &str, unit: &str) -> Option<f64> {
        let divisor = self.value(unit)?;
        (divisor > 0.0).then_some(self.value(key)? / divisor)
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }
}

fn pair(word: &str) -> Option<(String, f64)> {
    let (key, value) = word.split_once('=')?;
    let value = value.parse().ok().filter(|value: &f64| value.is_finite())?;
    Some((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_figures() {
        let reading = Reading::parse("messages=200 cpu_ns=3e3 seconds=1.5\n").expect("a line");
        assert_eq!(reading.value("seconds"), Some(1.5));
        assert_eq!(reading.per("cpu_ns", "messages"), Some(15.0));
        assert_eq!(reading.per("cpu_ns", "p50_ns"), None);
    }

    #[test]
    fn what_is_no_list_of_numbers_is_refused() {
        for line in [
            "",
            "done",
            "messages=",
            "messages=many",
            "messages=1 and=nan",
        ] {
            assert!(Reading::parse(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let reading = Reading::parse("messages=0 cpu_ns=5").expect("a line");
        assert_eq!(reading.per("cpu_ns", "messages"), None);
    }
}
