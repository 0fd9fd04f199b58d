//! The load generator, run once against one server.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, GENERATOR_CPU};
use crate::reading::Reading;
use crate::server::Server;

/// Seconds that a run may take beyond the time that it measures: to open 15,000 connections, and to
/// wait for a slow server.
const PATIENCE: f64 = 90.0;

pub(crate) struct Generator {
    pub(crate) program: PathBuf,
}

/// One run: what is done, and for how long.
pub(crate) struct Load<'a> {
    /// Words of the command line, such as `echo --connections 1 …`.
    pub(crate) words: &'a str,
    pub(crate) seconds: f64,
    /// Before the measured time begins.
    pub(crate) warmup: f64,
    /// Answers are the bytes of the request, mask and all: the raw server.
    pub(crate) masked: bool,
}

impl Generator {
    /// Loads a server and gives what was measured.
    ///
    /// # Errors
    ///
    /// What the generator has found wrong with the answers, in one line.
    pub(crate) fn run(&self, server: &Server, load: &Load<'_>) -> Result<Reading, String> {
        let output = self
            .command(server, load)
            .output()
            .map_err(|error| format!("timeout: {error}"))?;
        if output.status.success() {
            return Reading::parse(&String::from_utf8_lossy(&output.stdout));
        }
        if output.status.code() == Some(124) {
            return Err(format!("no end after {PATIENCE} s"));
        }
        let said = process::reason(&String::from_utf8_lossy(&output.stderr));
        Err(said.unwrap_or_else(|| format!("the generator ended with {}", output.status)))
    }

    fn command(&self, server: &Server, load: &Load<'_>) -> Command {
        let limit = load.seconds + load.warmup + PATIENCE;
        let mut command = Command::new("timeout");
        command
            .args([&limit.to_string(), "taskset", "-c", GENERATOR_CPU])
            .arg(&self.program)
            .args(load.words.split(' '))
            .args(["--address", &server.address])
            .args(["--pid", &server.pid().to_string()])
            .args(["--seconds", &load.seconds.to_string()])
            .args(["--warmup", &load.warmup.to_string()]);
        if load.masked {
            command.arg("--raw");
        }
        command
    }
}
