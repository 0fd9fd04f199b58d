//! What the predecessors of this library did wrong, each defect under its number (D1–D23) and the
//! promise that holds here; over real sockets.
#[path = "../common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
mod alone;
mod death;
mod liveness;
#[cfg(target_os = "linux")]
mod memory;
mod protocol;
mod security;

use std::time::Duration;

use common::log::Pen;
use common::{Server, serve_with};
use rushwire::{Options, event};

/// No pings, and a limit that a test can reach.
fn small() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        max_message_size: 1024,
        ..Options::default()
    }
}

/// A server that echoes at `/`, and writes down what its sockets hear.
fn echo(options: impl FnOnce() -> Options + Send + 'static, pen: Pen) -> Server {
    serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            pen.watch("a", socket);
            let pings = pen.clone();
            socket.on(event::Ping, move |_, bytes| {
                pings.note(format!("a ping of {} bytes", bytes.len()))
            });
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    })
}
