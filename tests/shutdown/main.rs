//! The end of a server that has much to do: what was accepted before it arrives, what is under way is
//! answered, and then it ends, wherever and however often it is asked for.
//! `tests/semantics/shutdown.rs` has the rules one by one.

#[path = "../common/mod.rs"]
mod common;

mod crowd;
mod cycles;
#[cfg(unix)]
mod examples;
mod inside;
mod load;
mod stuck;
mod underway;

use std::time::Duration;

use common::until;
use rushwire::{Options, Remote};

/// Longer than any test lives: what it times never comes.
const NEVER: Duration = Duration::from_secs(3_600);

fn options() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: NEVER,
        keep_alive_timeout: NEVER,
        handshake_timeout: NEVER,
        max_backpressure: 64 << 20,
        ..Options::default()
    }
}

/// Waits until the server behind `remote` has ended.
fn wait_for_the_end_of(remote: &Remote) {
    until("the server ends", || remote.post(|_| ()).is_err());
}
