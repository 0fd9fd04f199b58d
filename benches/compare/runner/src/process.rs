//! Other processes: their CPU time, signals, and where they run.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The server and the generator each have a core of their own.
pub(crate) const SERVER_CPU: &str = "0";
pub(crate) const GENERATOR_CPU: &str = "1";

/// Of a reason.
const MOST_LETTERS: usize = 300;

/// CPU time of all threads of a process so far, in nanoseconds.
///
/// # Errors
///
/// A sentence when the process is gone or the kernel does not tell.
pub(crate) fn cpu_ns(pid: u32) -> Result<u64, String> {
    let unknown = |_| format!("the CPU time of process {pid} cannot be read");
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).map_err(unknown)? {
        let path = task.map_err(unknown)?.path().join("schedstat");
        // A thread may end between the listing and the reading.
        let Ok(line) = fs::read_to_string(path) else {
            continue;
        };
        let time = line
            .split(' ')
            .next()
            .and_then(|word| word.parse::<u64>().ok());
        sum += time.ok_or_else(|| format!("schedstat of process {pid} is {line:?}"))?;
    }
    Ok(sum)
}

/// Leaves the server's core to the server. What is started from here on chooses for itself.
///
/// # Errors
///
/// A sentence when the machine has no second core.
pub(crate) fn make_room() -> Result<(), String> {
    let pid = std::process::id().to_string();
    let output = Command::new("taskset")
        .args(["-cp", GENERATOR_CPU, &pid])
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = reason(&String::from_utf8_lossy(&output.stderr)).unwrap_or_default();
            Err(format!(
                "two cores are needed, {SERVER_CPU} and {GENERATOR_CPU}: {said}"
            ))
        }
        Err(error) => Err(format!("taskset: {error}")),
    }
}

/// Waits until a process has had nothing to do for a tenth of a second, at most five seconds.
pub(crate) fn quiet(pid: u32) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(5);
    let mut before = cpu_ns(pid)?;
    while Instant::now() < end {
        sleep(Duration::from_millis(100));
        let now = cpu_ns(pid)?;
        if now - before < 100_000 {
            break; // less than a thousandth of the time: timers of a runtime
        }
        before = now;
    }
    Ok(())
}

/// Sends a signal such as `TERM`.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    if !sent.is_ok_and(|status| status.success()) {
        eprintln!("runner: process {pid} did not take signal {name}");
    }
}

/// What an error output says, in one line: its first error, or else all of it.
pub(crate) fn reason(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.to_lowercase().starts_with("error");
    let said = match lines.clone().find(is_error) {
        Some(error) => error.to_owned(),
        None => lines.collect::<Vec<_>>().join(" "),
    };
    (!said.is_empty()).then(|| said.chars().take(MOST_LETTERS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_time_advances() {
        let pid = std::process::id();
        let before = cpu_ns(pid).expect("schedstat");
        let end = Instant::now() + Duration::from_millis(50);
        while Instant::now() < end {}
        assert!(cpu_ns(pid).expect("schedstat") > before);
    }

    #[test]
    fn the_reason_is_the_first_error_or_everything() {
        for (text, expected) in [
            ("", None),
            (
                "warning: x\nerror[E1]: bad\nerror: gave up\n",
                Some("error[E1]: bad"),
            ),
            (
                "at start\n  Address in use \n\n",
                Some("at start Address in use"),
            ),
        ] {
            assert_eq!(reason(text).as_deref(), expected, "{text:?}");
        }
    }
}
