//! The two processes: descriptors enough for each, starting the server, and looking at its memory.

use std::fs;
use std::io::{self, BufRead, BufReader, Error};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::settings::Settings;

/// The server's process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts this program once more, as the server.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where it listens.
    pub(crate) fn start(settings: &Settings) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", "--connections"])
            .arg(settings.descriptors().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take();
        output.map_or(Ok(0), |output| BufReader::new(output).read_line(&mut line))?;
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, address }),
            Err(_) => {
                let _ = child.kill();
                let status = child.wait()?;
                Err(Error::other(format!("the server has not begun: {status}")))
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("the server has ended: {status}"))
    }

    /// Memory that it holds, in MiB. `None` where there is no `/proc`.
    pub(crate) fn memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Lets it end; kills it if it does not. Whether it ended well.
    pub(crate) fn end(&mut self) -> bool {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sees to it that this process, and the one that it starts, may open as many files as they need.
/// If the system only has to be asked, this program is started anew by a shell that asks.
///
/// # Errors
///
/// More are needed than the system grants: says how many, and what to do.
pub(crate) fn ensure_descriptors(settings: &Settings) -> io::Result<()> {
    let needed = settings.descriptors();
    let Some((soft, hard)) = descriptors() else {
        return Ok(());
    };
    if needed <= soft {
        return Ok(());
    }
    if needed <= hard {
        return restart(needed);
    }
    let connections = settings.connections;
    Err(Error::other(format!(
        "{connections} connections take {needed} descriptors in each of two processes, and `ulimit -Hn` \
         is {hard}: raise it, or ask for fewer with --connections"
    )))
}

/// How many files this process may open: now, and if it asks.
fn descriptors() -> Option<(usize, usize)> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut numbers = line.split_whitespace().map(|word| match word {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    });
    Some((numbers.next()??, numbers.next()??))
}

/// Only returns if that fails.
#[cfg(unix)]
fn restart(descriptors: usize) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let script = format!("ulimit -S -n {descriptors} && exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(std::env::current_exe()?);
    Err(shell.args(std::env::args_os().skip(1)).exec())
}

#[cfg(not(unix))]
fn restart(_descriptors: usize) -> io::Result<()> {
    Ok(())
}
