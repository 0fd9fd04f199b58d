//! Counts instead of times: instructions by callgrind, writing calls by strace.
//!
//! Each count is taken twice, over a short and over a long load, and the difference is divided by the
//! difference in messages. So start, opening handshakes and end of a server cancel out.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cells::{COUNT, Cell, Method};
use crate::generator::{Generator, Load};
use crate::process;
use crate::reading::Reading;
use crate::server::Server;
use crate::subjects::Subject;

/// The two loads, in parts of the measured time.
const SHORT: f64 = 0.5;
const LONG: f64 = 2.0;

const CALLGRIND: &[&str] = &[
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
];
const WRITING_CALLS: &str = "trace=write,writev,sendto,sendmsg";

/// Messages of one load, and what they have cost.
type Total = (f64, f64);

/// What one message costs in the cell's count.
///
/// # Errors
///
/// What went wrong, in one line.
pub(crate) fn per_message(
    generator: &Generator,
    cell: &Cell,
    subject: &Subject,
    seconds: f64,
) -> Result<Reading, String> {
    let total = match cell.method {
        Method::Writes => writes,
        _ => instructions,
    };
    let load = |part| Load {
        words: cell.load,
        seconds: seconds * part,
        warmup: 0.0,
        masked: subject.is_raw(),
    };
    let short = total(generator, &load(SHORT), subject)?;
    let long = total(generator, &load(LONG), subject)?;
    Ok(Reading::single(COUNT, slope(short, long)?))
}

fn slope(short: Total, long: Total) -> Result<f64, String> {
    let messages = long.0 - short.0;
    if messages < short.0 {
        return Err(format!("{} messages, then {}: no measure", short.0, long.0));
    }
    Ok((long.1 - short.1) / messages)
}

fn instructions(
    generator: &Generator,
    load: &Load<'_>,
    subject: &Subject,
) -> Result<Total, String> {
    let server = Server::start(CALLGRIND, &subject.command, 0)?;
    let run = generator.run(&server, load)?;
    process::quiet(server.pid())?;
    let said = server.stop();
    let count = collected(&said).ok_or("callgrind gives no count")?;
    Ok((messages(&run)?, count))
}

/// The number in callgrind's last words: `==123== Collected : 456`.
fn collected(text: &str) -> Option<f64> {
    let line = text.lines().rfind(|line| line.contains("Collected"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn writes(generator: &Generator, load: &Load<'_>, subject: &Subject) -> Result<Total, String> {
    let server = Server::start(&[], &subject.command, 0)?;
    let tracer = trace(server.pid())?;
    let run = generator.run(&server, load);
    process::quiet(server.pid())?;
    process::signal(tracer.id(), "INT");
    let output = tracer
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let summary = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = calls(&summary).ok_or("strace gives no count")?;
    Ok((messages(&run?)?, count))
}

/// Starts strace, and waits until it has hold of the process.
fn trace(pid: u32) -> Result<Child, String> {
    let tracer = Command::new("strace")
        .args(["-c", "-f", "-e", WRITING_CALLS, "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("strace: {error}"))?;
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        sleep(Duration::from_millis(20));
        if is_traced(pid) {
            return Ok(tracer);
        }
    }
    process::signal(tracer.id(), "KILL");
    Err("strace cannot attach".to_owned())
}

fn is_traced(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

/// The calls in the last line of strace's summary: `100.00 0.1 2 345 [errors] total`.
fn calls(summary: &str) -> Option<f64> {
    let line = summary
        .lines()
        .rfind(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn messages(run: &Reading) -> Result<f64, String> {
    run.value("messages")
        .ok_or("the generator counted no messages".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_in_both_runs_cancels_out() {
        assert_eq!(
            slope((100.0, 5_000.0 + 700.0), (400.0, 5_000.0 + 2_800.0)),
            Ok(7.0)
        );
        assert!(
            slope((100.0, 1.0), (150.0, 2.0)).is_err(),
            "too close together"
        );
    }

    #[test]
    fn counts_are_found_in_what_the_tools_print() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(collected(callgrind), Some(1_234_567.0));
        assert_eq!(collected("==7== killed\n"), None);
        let with_errors = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.00    0.100000           1      4000         2 sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.100000           1      4010         2 total
";
        assert_eq!(calls(with_errors), Some(4010.0));
        assert_eq!(
            calls("100.00    0.1           1      4010           total\n"),
            Some(4010.0)
        );
        assert_eq!(calls("strace: attached\n"), None);
    }
}
