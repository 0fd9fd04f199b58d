//! An example program in a process of its own. `cargo test` builds the examples before the tests.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::client::Client;
use super::{PATIENCE, until};

/// A program, which is killed when this is dropped.
pub struct Program(Child);

/// A program that serves at an address.
pub struct Example {
    program: Program,
    pub addr: SocketAddr,
}

/// The program of that name, as `cargo test` has built it.
pub fn command(name: &str) -> Command {
    let tests = std::env::current_exe().expect("the test's own path");
    let deps = tests.parent().and_then(|deps| deps.parent());
    Command::new(deps.expect("target/<profile>").join("examples").join(name))
}

impl Example {
    /// Starts the example of that name on a free port, with more arguments behind the address.
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let mut program = command(name);
        program.arg("127.0.0.1:0").args(arguments);
        Self::run(program)
    }

    /// Runs a program that says first where it listens.
    pub fn run(mut command: Command) -> Self {
        let mut program = Program::run(command.stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(program.stdout())
            .read_line(&mut line)
            .expect("a line");
        let addr = line.trim().strip_prefix("listening on ");
        let addr = addr.and_then(|addr| addr.trim_start_matches("http://").parse().ok());
        Self {
            program,
            addr: addr.unwrap_or_else(|| panic!("{line:?}")),
        }
    }
}

impl Deref for Example {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Example {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

impl Program {
    pub fn run(command: &mut Command) -> Self {
        let spawned = command.spawn();
        Self(spawned.unwrap_or_else(|e| panic!("{e}; run `cargo build --examples`: {command:?}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Its stdout, if that is piped.
    pub fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("it is piped")
    }

    /// Its stdin, if that is piped.
    pub fn stdin(&mut self) -> ChildStdin {
        self.0.stdin.take().expect("it is piped")
    }

    /// Sends it a signal, as `kill` names them: `-TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args([name, &id]).status();
        assert!(status.expect("kill").success());
    }

    /// Waits for its end; gives the exit code.
    pub fn end(&mut self) -> Option<i32> {
        let mut status = None;
        until("it ends", || {
            status = self.0.try_wait().expect("wait");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

/// What a program says that refuses to start. One that starts all the same is a failure.
pub fn refusal(mut program: Command) -> String {
    let spawned = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.expect("run `cargo build --examples`");
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().expect("wait") {
            Some(status) => break status,
            None if Instant::now() < deadline => std::thread::yield_now(),
            None => {
                let _ = child.kill();
                break child.wait().expect("it is killed");
            }
        }
    };
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut said).expect("text");
    assert!(
        status.code().is_some_and(|code| code != 0),
        "{status}: {said}"
    );
    said
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The next message, which is JSON.
pub fn hear(client: &mut Client) -> Value {
    serde_json::from_str(&client.text()).expect("JSON")
}

/// The next message of that type; others are passed over.
pub fn hear_of(client: &mut Client, kind: &str) -> Value {
    hear_until(client, kind, |heard| heard["type"] == kind)
}

/// The next message that is wanted; others are passed over, but not for ever.
pub fn hear_until(client: &mut Client, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let heard = hear(client);
        if is_wanted(&heard) {
            return heard;
        }
        assert!(Instant::now() < deadline, "never: {what}");
    }
}

pub fn say(client: &mut Client, what: &Value) {
    client.send(&what.to_string());
}
