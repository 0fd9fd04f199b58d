//! All samples, for other programs to read.

use crate::machine;
use crate::samples::{Failure, Sample, Samples};

/// One JSON object: date, machine, command, samples and failures.
pub(crate) fn write(samples: &Samples) -> String {
    let taken: Vec<String> = samples.taken.iter().map(sample).collect();
    let failures: Vec<String> = samples.failures.iter().map(failure).collect();
    format!(
        "{{\n\"date\": {}, \"machine\": {},\n\"command\": {},\n\"samples\": [\n{}\n],\n\"failures\": [\n{}\n]\n}}\n",
        quoted(&machine::date()),
        quoted(&machine::machine()),
        quoted(&machine::command_line()),
        taken.join(",\n"),
        failures.join(",\n"),
    )
}

fn sample(sample: &Sample) -> String {
    let figures: String = sample
        .reading
        .pairs()
        .map(|(key, value)| format!(", {}: {value}", quoted(key)))
        .collect();
    format!(
        "{{\"cell\": {}, \"subject\": {}, \"round\": {}{figures}}}",
        quoted(sample.cell),
        quoted(&sample.subject),
        sample.round + 1,
    )
}

fn failure(failure: &Failure) -> String {
    format!(
        "{{\"cell\": {}, \"subject\": {}, \"reason\": {}}}",
        quoted(failure.cell),
        quoted(&failure.subject),
        quoted(&failure.reason),
    )
}

/// A JSON string (RFC 8259 §7).
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => quoted += &format!("\\u{:04x}", letter as u32),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted("a \"b\" \\ \n×"), r#""a \"b\" \\ \u000a×""#);
    }

    #[test]
    fn a_sample_is_one_line() {
        let mut samples = Samples::default();
        samples.add("idle", "raw", &["bytes_per_connection=61.5 cpu_ns=7"]);
        let expected = r#"{"cell": "idle", "subject": "raw", "round": 1, "bytes_per_connection": 61.5, "cpu_ns": 7}"#;
        assert_eq!(sample(&samples.taken[0]), expected);
        assert!(write(&samples).contains(expected));
    }
}
