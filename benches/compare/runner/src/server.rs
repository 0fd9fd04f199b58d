//! A running server: started on a free port and a core of its own, and ended with its value.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::process::{self, SERVER_CPU};

/// How long a server may take until it accepts, under valgrind too.
const START: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Child,
    errors: Option<JoinHandle<String>>,
    pub(crate) address: String,
}

impl Server {
    /// Starts `wrapper command ADDRESS [HEARTBEAT]` and waits until it listens.
    ///
    /// # Errors
    ///
    /// What the program said instead, in one line.
    pub(crate) fn start(
        wrapper: &[&str],
        command: &[OsString],
        heartbeat: u32,
    ) -> Result<Self, String> {
        let address = free_address();
        let mut child = pinned(wrapper, command);
        child.arg(&address);
        if heartbeat > 0 {
            child.arg(heartbeat.to_string());
        }
        let mut child = child.spawn().map_err(|error| format!("setpriv: {error}"))?;
        let output = child.stdout.take().expect("stdout is piped");
        let errors = child
            .stderr
            .take()
            .map(|errors| thread::spawn(move || all_of(errors)));
        let mut server = Self {
            child,
            errors,
            address,
        };
        if first_line(output) == format!("listening on {}", server.address) {
            return Ok(server);
        }
        let said = server.end("KILL");
        Err(process::reason(&said).unwrap_or_else(|| "it does not start to listen".to_owned()))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets the program end in its own way, and gives what it has written to standard error.
    pub(crate) fn stop(mut self) -> String {
        self.end("TERM")
    }

    fn end(&mut self, signal: &str) -> String {
        let Some(errors) = self.errors.take() else {
            return String::new();
        };
        if matches!(self.child.try_wait(), Ok(None)) {
            process::signal(self.child.id(), signal);
        }
        self.child.wait().expect("a child can be waited for");
        errors.join().unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

/// The command on the server's core. It ends with us, however we end.
fn pinned(wrapper: &[&str], command: &[OsString]) -> Command {
    let mut pinned = Command::new("setpriv");
    pinned
        .args(["--pdeathsig", "KILL", "taskset", "-c", SERVER_CPU])
        .args(wrapper)
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    pinned
}

/// A port below those that the kernel gives to clients, another one each time: a port that was just
/// in use is full of connections in TIME_WAIT.
fn free_address() -> String {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id() % 20_000;
    loop {
        let next = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        let address = format!("127.0.0.1:{}", 12_000 + (start + next) % 20_000);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// The first line, or an empty one if it does not come in time. What comes later is read and dropped,
/// so that the writer never waits.
fn first_line(output: ChildStdout) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let _ = sender.send(first); // too late is the same as never
        lines.for_each(drop);
    });
    receiver.recv_timeout(START).unwrap_or_default()
}

fn all_of(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes); // what was read until it broke is what there is
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script, "sh"].map(OsString::from).to_vec()
    }

    #[test]
    fn a_server_that_listens_is_started_and_ended() {
        // It may be ended as soon as it listens, so it says its other line before.
        let command = shell("echo bye $2 >&2; echo listening on $1; exec sleep 60");
        let server = Server::start(&[], &command, 5).expect("it listens");
        let pid = server.pid();
        assert!(process::cpu_ns(pid).is_ok());
        assert_eq!(server.stop(), "bye 5\n");
        assert!(process::cpu_ns(pid).is_err(), "it is gone");
    }

    #[test]
    fn one_that_does_not_is_named_with_its_reason() {
        for (script, expected) in [
            ("echo no port left >&2; exit 1", "no port left"),
            ("echo hello", "it does not start to listen"),
        ] {
            let failed = Server::start(&[], &shell(script), 0);
            assert_eq!(failed.err().as_deref(), Some(expected), "{script}");
        }
    }
}
