//! The example `soak`, for seconds instead of minutes: that it passes, and that it ends however it is ended.
#![cfg(unix)]

mod common;

/// Its own tests run here: `cargo test` does not run what stands in an example.
#[path = "../examples/soak/gauges.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod gauges;
#[path = "../examples/soak/rooms.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod rooms;
#[path = "../examples/soak/settings.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod settings;
#[path = "../examples/soak/tally.rs"]
#[allow(dead_code, reason = "the tests of the rooms need it")]
mod tally;

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::example::{command, refusal};
use common::until;

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program while it runs.
struct Soak {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Soak {
    fn start(mut program: Command) -> Self {
        let mut child = program
            .stdout(Stdio::piped())
            .spawn()
            .expect("run `cargo build --examples`");
        let stdout = child.stdout.take().expect("it is piped");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// The next line that has these words; others are passed over.
    fn line(&mut self, words: &str) -> String {
        let mut lines = self.lines.by_ref().map(|line| line.expect("text"));
        let line = lines.find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("it never says {words:?}"))
    }

    /// Waits for its end: the exit code, and what it still said.
    fn end(mut self) -> (Option<i32>, String) {
        let said: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return (status.code(), said.join("\n"));
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Latency is not what is tested here: on a loaded machine it may be anything.
fn soak(words: &str) -> Command {
    let mut program = command("soak");
    program
        .args(words.split_whitespace())
        .args(["--p99", "20000"]);
    program
}

/// The same, by a shell that changes its limits first.
fn limited(limit: &str, words: &str) -> Command {
    let program = soak(words);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    shell.arg(program.get_program()).args(program.get_args());
    shell
}

fn signal(name: &str, process: &str) {
    let status = Command::new("kill").args([name, process]).status();
    assert!(status.expect("kill").success());
}

/// The word behind these words.
fn word<'a>(line: &'a str, before: &str) -> &'a str {
    let rest = line.split_once(before).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split(' ').next())
        .expect("a word")
}

#[test]
fn a_short_run_passes_and_ends_by_itself() {
    let mut run = Soak::start(soak("--connections 200 --minutes 0.2"));
    let line = run.line(" 10 s: ");
    assert!(line.contains("200 members of 4 rooms"), "{line}");
    assert!(line.ends_with("; 0 failures"), "{line}");
    let (code, said) = run.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("slope of the second half"), "{said}");
    assert!(said.contains("passed after"), "{said}");
}

#[test]
fn when_the_server_dies_the_run_ends_and_has_failed() {
    let mut run = Soak::start(soak("--connections 50"));
    let line = run.line("the server is process");
    run.line("all have come");
    signal("-KILL", word(&line, "is process "));
    let (code, said) = run.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the server has ended: signal: 9"), "{said}");
}

#[test]
fn when_the_clients_die_the_server_ends() {
    let mut run = Soak::start(soak("--connections 50"));
    let line = run.line("the server is process");
    let address = word(&line, " at ").to_owned();
    run.line("all have come");
    assert!(TcpStream::connect(&address).is_ok());
    drop(run);
    until("it ends", || TcpStream::connect(&address).is_err());
}

#[test]
fn an_interrupt_ends_the_run_early_with_everything_checked() {
    let mut run = Soak::start(soak("--connections 50"));
    run.line("all have come");
    signal("-INT", &run.child.id().to_string());
    let (code, said) = run.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("passed after"), "{said}");
}

#[test]
fn descriptors_that_only_have_to_be_asked_for_are() {
    let run = Soak::start(limited("-S -n 64", "--connections 100 --minutes 0.01"));
    let (code, said) = run.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("all have come"), "{said}");
}

#[test]
fn descriptors_that_cannot_be_had_are_said_to_be_too_few() {
    let said = refusal(limited("-n 64", "--connections 200"));
    let expected =
        "200 connections take 504 descriptors in each of two processes, and `ulimit -Hn` is 64";
    assert!(said.contains(expected), "{said}");
}
