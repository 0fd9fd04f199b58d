//! Peers that mean harm, each with its numbers: nobody else notices, memory stays bounded, the end is told
//! once, and nothing is left.
//!
//! Where each kind of them is tested, here and elsewhere in `tests`:
//!
//! | who | where |
//! |---|---|
//! | sends slowly: head, body | `http/timeouts.rs`, `limits/times.rs`; a flood of them: `slow.rs` |
//! | sends slowly: header and payload of a frame, close frame | `slow.rs`; what that costs: `large.rs` |
//! | reads slowly, or the rest not at all | `slow.rs`; `backpressure/waiting.rs`, `http/pressure.rs` |
//! | never reads: each policy, `Drain`, counts | `backpressure/accounting.rs`, `defects/memory.rs` (D19), `limits/sizes.rs`, `testing/pressure.rs`; small messages, the heartbeat, the cut: `stuck.rs` |
//! | asks and never reads | `http/pressure.rs`, `backpressure/waiting.rs`; to the message: `stuck.rs` |
//! | floods with pings, pongs, empty or tiny messages and fragments, requests | `floods.rs`; too many empty fragments: `rfc6455/bad_frames.rs` |
//! | pings and never reads | `floods.rs` |
//! | announces more than it sends | `defects/memory.rs` (D4, D18), `defects/death.rs` (D4); bodies: `large.rs` |
//! | sends too much and goes on | `semantics/flow.rs`, `rfc6455/limits.rs`, `http/bodies.rs`; for ever: `large.rs` |
//! | wants 10,000 rooms | `crowd.rs`; what it may have: `limits/counts.rs`, `limits/capacity.rs`, `lifecycle/closing.rs` |
//! | is one of 10,000 in a room, and stuck | `crowd.rs`; by each policy: `backpressure/rooms.rs` |
//! | connects again and again | `doors.rs`, `floods.rs`; limits and reserve: `semantics/full.rs`, `limits/arrivals.rs` |
//! | takes all descriptors | `descriptors.rs`; others of the process have them: `starved.rs` |
//! | goes, with FIN or RST | every phase: `ends.rs`; every place in a frame: `lifecycle/ends.rs`; while another decides: `defects/death.rs` (D2), `semantics/verdicts.rs`, `semantics/deferred.rs`, `http/deferred.rs`, `lifecycle/opening.rs` |
//! | floods after our close frame | `lifecycle/closing.rs` |
//! | is a server, and our client's | `servers.rs`, `client/` |
//! | is the clock | `clock.rs` |
//! | makes all connections keep too much | `limits/memory.rs` |
#[path = "../common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
#[path = "../defects/alone.rs"]
mod alone;
mod clock;
#[cfg(target_os = "linux")]
mod crowd;
mod doors;
mod ends;
mod floods;
#[cfg(target_os = "linux")]
mod large;
#[allow(dead_code, reason = "the tests of the client use the rest")]
#[path = "../client/peer.rs"]
mod peer;
mod servers;
mod slow;
#[cfg(target_os = "linux")]
mod starved;
mod stuck;

use std::time::Duration;

use rushwire::testing::TestServer;
use rushwire::{App, Hub, Options, Socket, event};

use common::log::Pen;

const SECOND: Duration = Duration::from_secs(1);
/// Of the clock that a server counts deadlines with.
const TICK: Duration = Duration::from_millis(10);

/// A server in memory whose sockets at `/:name` say back what they hear, and write it down.
fn in_memory(options: Options, pen: Pen) -> TestServer {
    let mut app = App::with(options);
    app.get("/page", |ctx| ctx.text("a page"));
    app.post("/page", |ctx| ctx.text("posted"));
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    TestServer::new(app).expect("nothing is wrong with it")
}

fn still() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        ..Options::default()
    }
}

/// Somebody in the room of that name.
fn member(hub: &Hub, name: &str) -> Option<Socket> {
    hub.room(name).members().into_iter().next()
}
