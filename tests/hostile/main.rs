//! Peers that mean harm, each with its numbers.
#[path = "../common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
#[path = "../defects/alone.rs"]
mod alone;
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
