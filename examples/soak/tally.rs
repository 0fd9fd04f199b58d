//! What the clients know: what they did, what must have come of it, and what went wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use super::gauges::Times;

/// What has taken so long never comes.
pub(crate) const LOST: Duration = Duration::from_secs(20);
/// So many failures are told.
const TOLD: usize = 20;

/// How long answers took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latency {
    /// Echoes of at most 16 KiB.
    pub(crate) echo: Times,
    /// From a room's message to its last member.
    pub(crate) room: Times,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Sockets that were opened.
    pub(crate) opened: u64,
    /// Messages that the server must have received, and bytes in them.
    pub(crate) said: u64,
    pub(crate) said_bytes: u64,
    /// Echoes that came back whole.
    pub(crate) echoes: u64,
    /// Messages of rooms that a member heard.
    pub(crate) deliveries: u64,
    /// How the server must have ended sockets, by close code.
    pub(crate) closed: BTreeMap<u16, u64>,
    /// Members that have left, and members that have moved to another room.
    pub(crate) left: u64,
    pub(crate) moved: u64,
    /// Peers of the other kinds that are through.
    pub(crate) slept: u64,
    pub(crate) stuck: u64,
    pub(crate) rude: u64,
    pub(crate) failures: u64,
}

impl Tally {
    /// The server must have ended a socket with that code.
    pub(crate) fn close(&mut self, code: u16) {
        *self.closed.entry(code).or_default() += 1;
    }

    /// Counts what ends the run, and tells it however much was told before.
    pub(crate) fn end(&mut self, what: impl std::fmt::Display) {
        self.failures += 1;
        println!("FAILED: {what}");
    }

    /// Counts what went wrong, and tells it while there are few.
    pub(crate) fn fail(&mut self, what: impl std::fmt::Display) {
        self.failures += 1;
        if self.failures <= TOLD as u64 {
            println!("FAILED: {what}");
        }
    }
}
