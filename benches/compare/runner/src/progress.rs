//! The line on standard error that says where a long run is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Counts what is done against what there is to do, in seconds as they were guessed before.
pub(crate) struct Progress {
    start: Instant,
    all: f64,
    done: f64,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new(all: f64) -> Self {
        Self {
            start: Instant::now(),
            all,
            done: 0.0,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Says what begins now.
    pub(crate) fn begin(&self, what: &str) {
        let elapsed = self.start.elapsed();
        let rest = match rest(elapsed, self.done, self.all) {
            Some(rest) => format!("about {} left", clock(rest)),
            None => "beginning".to_owned(),
        };
        let line = format!("{} gone, {rest}: {what}", clock(elapsed));
        let (before, after) = if self.is_terminal {
            ("\r\x1b[K", "")
        } else {
            ("", "\n")
        };
        let mut errors = std::io::stderr().lock();
        let _ = write!(errors, "{before}{line}{after}").and_then(|()| errors.flush());
    }

    /// So many of the guessed seconds are done, or need not be done.
    pub(crate) fn end(&mut self, seconds: f64) {
        self.done += seconds;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            eprintln!();
        }
    }
}

/// What is left if it goes on like this; `None` before anything is done.
fn rest(elapsed: Duration, done: f64, all: f64) -> Option<Duration> {
    let seconds = elapsed.as_secs_f64() / done * (all - done).max(0.0);
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|_| done > 0.0)
}

/// Minutes and seconds, such as `7:05`.
fn clock(span: Duration) -> String {
    format!("{}:{:02}", span.as_secs() / 60, span.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_from_what_was_done() {
        let minute = Duration::from_secs(60);
        assert_eq!(rest(minute, 1.0, 4.0), Some(3 * minute));
        assert_eq!(rest(minute, 5.0, 4.0), Some(Duration::ZERO));
        assert_eq!(rest(minute, 0.0, 4.0), None);
        assert_eq!(clock(Duration::from_secs(425)), "7:05");
    }
}
