//! What was published as a vulnerability of other WebSocket and HTTP software, by its number: that it is
//! not one here. Each test says in a line what went wrong there.

#[path = "../common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
#[path = "../defects/alone.rs"]
mod alone;
mod extensions;
mod fragments;
mod headers;
mod lengths;
mod smuggling;

use common::{Client, Server, serve_with};
use rushwire::{Options, event};

/// A server that echoes each message at `/`.
fn echo(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    })
}

/// Fails unless this client of [`echo`] is answered.
fn expect_served(client: &mut Client, when: &str) {
    client.send(when);
    assert_eq!(client.text(), when);
}
