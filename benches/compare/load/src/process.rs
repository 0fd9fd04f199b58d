//! What the server's process has used, as the kernel tells it in `/proc`.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A clock tick of `/proc/PID/stat`: USER_HZ is 100 on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// The process under load.
pub(crate) struct Process {
    directory: PathBuf,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self {
            directory: PathBuf::from(format!("/proc/{pid}")),
        }
    }

    /// CPU time of all its threads: in nanoseconds where the kernel counts them, else in ticks.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        match self.scheduled() {
            Ok(time) if !time.is_zero() => Ok(time),
            _ => self.ticks(),
        }
    }

    fn scheduled(&self) -> io::Result<Duration> {
        let threads = fs::read_dir(self.directory.join("task"))?;
        threads
            .map(|thread| {
                let text = fs::read_to_string(thread?.path().join("schedstat"))?;
                number(text.split(' ').next()).map(Duration::from_nanos)
            })
            .sum()
    }

    fn ticks(&self) -> io::Result<Duration> {
        let text = fs::read_to_string(self.directory.join("stat"))?;
        ticks(&text).map(|ticks| TICK * ticks as u32)
    }

    /// Bytes of memory that are resident.
    pub(crate) fn memory(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.directory.join("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        number(line.and_then(|line| line.split_whitespace().next()))
            .map(|kilobytes| kilobytes * 1024)
    }
}

/// User and system time in a line of `stat`: the name before them may hold anything.
fn ticks(stat: &str) -> io::Result<u64> {
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = behind_name.split_whitespace().skip(11);
    Ok(number(fields.next())? + number(fields.next())?)
}

fn number(text: Option<&str>) -> io::Result<u64> {
    text.and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| io::Error::other("no number where the kernel writes one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn work_shows_in_nanoseconds() {
        let process = Process::new(std::process::id());
        let before = process.cpu().expect("CPU time");
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(50) {}
        let used = process.cpu().expect("CPU time") - before;
        assert!(used > Duration::from_millis(1), "{used:?}");
        assert!(process.memory().expect("memory") > 100_000);
    }

    #[test]
    fn a_name_may_hold_brackets_and_blanks() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 300 25 0 0 20 0 1";
        assert_eq!(ticks(stat).expect("ticks"), 325);
        assert!(ticks("7 (a) S 1").is_err());
    }
}
