//! What this process costs: processor time and memory, as Linux tells in `/proc/self` (proc(5)).
//! Elsewhere there is nothing to read, and the answer is `None`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How much processor time passes between two looks.
pub(crate) struct Meter {
    seen: Option<Duration>,
    at: Instant,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            seen: processor_time(),
            at: Instant::now(),
        }
    }

    /// Percent of one processor since the last look.
    pub(crate) fn percent(&mut self) -> Option<f64> {
        let (now, at) = (processor_time(), Instant::now());
        let used = now?.saturating_sub(self.seen.replace(now?)?);
        let passed = at.duration_since(self.at);
        self.at = at;
        (!passed.is_zero()).then(|| 100.0 * used.as_secs_f64() / passed.as_secs_f64())
    }
}

/// Memory that is really there, in bytes.
pub(crate) fn memory() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The line `VmRSS:     1234 kB`, where a kB is 1024 bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(1024 * kilobytes)
}

/// What all threads have used since they began. A thread that ends takes its share along.
fn processor_time() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let times = threads.map(|thread| time_of(&thread.ok()?.path()));
    times.sum::<Option<Duration>>()
}

/// To the nanosecond if the kernel counts so finely, otherwise to the hundredth of a second.
fn time_of(thread: &Path) -> Option<Duration> {
    let fine = fs::read_to_string(thread.join("schedstat")).ok();
    fine.and_then(|line| nanoseconds(&line)).or_else(|| {
        let line = fs::read_to_string(thread.join("stat")).ok()?;
        ticks(&line)
    })
}

/// The first number of `schedstat`.
fn nanoseconds(line: &str) -> Option<Duration> {
    let first = line.split_ascii_whitespace().next()?;
    Some(Duration::from_nanos(first.parse().ok()?))
}

/// Fields 14 and 15 of `stat`, in hundredths of a second. The second field is a name in parentheses,
/// which may have spaces and parentheses in it.
fn ticks(line: &str) -> Option<Duration> {
    let (_, behind) = line.rsplit_once(')')?;
    let mut fields = behind.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(10 * (user + system)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_kernel_writes_them() {
        let stat = "17 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0";
        assert_eq!(ticks(stat), Some(Duration::from_secs(3)));
        assert_eq!(ticks("17 (short) R 1 2"), None);
        let schedstat = "94500 2526920 2\n";
        assert_eq!(nanoseconds(schedstat), Some(Duration::from_nanos(94_500)));
        assert_eq!(nanoseconds(""), None);
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        let status = "VmPeak:\t  9000 kB\nVmRSS:\t    1234 kB\nThreads:\t1\n";
        assert_eq!(resident(status), Some(1234 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_costs_time_and_memory() {
        let mut meter = Meter::new();
        let started = Instant::now();
        let mut sum = 0u64;
        while started.elapsed() < Duration::from_millis(50) {
            sum = sum.wrapping_add(std::hint::black_box(sum ^ 1));
        }
        let percent = meter.percent().expect("Linux tells");
        assert!(percent > 1.0, "{percent}");
        assert!(memory().expect("Linux tells") > 100_000);
    }
}
