//! A test that runs itself once more, in a process that is the server: so that has a stderr of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

use rushwire::App;

use super::client::Client;
use super::{http, until};

/// Set in the child: what it is to be.
const ROLE: &str = "RUSHWIRE_TEST_ROLE";

/// In the child: what it is to be.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// In the child: serves until it is told to end.
pub fn listen(app: &mut App) {
    // What is on stderr is the library's.
    std::panic::set_hook(Box::new(|_| ()));
    app.listen("127.0.0.1:0", |address| println!("\nat {address}"))
        .expect("it serves");
}

/// Runs the test of that name as `role`.
pub fn command(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command
        .args([test, "--exact", "--nocapture"])
        .env(ROLE, role);
    command
}

/// A child that [listens](listen), and is killed when this is dropped.
pub struct Process {
    child: Child,
    pub addr: SocketAddr,
    /// It must not break before the child ends.
    stdout: Option<BufReader<ChildStdout>>,
}

/// Runs the test of that name as a server.
pub fn start(test: &str, role: &str, stderr: impl Into<Stdio>) -> Process {
    let mut child = command(test, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let address = (&mut stdout)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("at ")?.parse().ok());
    Process {
        child,
        addr: address.expect("it says where it is"),
        stdout: Some(stdout),
    }
}

impl Process {
    pub fn connect(&self, path: &str) -> Client {
        Client::connect(self.addr, path)
    }

    pub fn connect_with(&self, path: &str, headers: &str) -> Client {
        Client::connect_with(self.addr, path, headers)
    }

    /// Its stderr, if that is piped.
    pub fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("it is piped")
    }

    pub fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("it is piped")
    }

    /// Tells it to end by `GET /quit`, and waits for that, which must be a good one.
    pub fn end(mut self) {
        assert_eq!(http::get(self.addr, "/quit").status, 200);
        until("it ends", || {
            self.child.try_wait().expect("a child").is_some()
        });
        assert!(self.child.wait().expect("a child").success());
        drop(self.stdout.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
