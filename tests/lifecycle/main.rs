//! How a connection ends: whatever the peer, the network or the application does, what came before
//! the end is heard, the end is told exactly once, and nothing of the connection is left.
#[path = "../common/mod.rs"]
mod common;

mod closing;
mod ends;
mod identity;
mod memory;
mod opening;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use common::log::Pen;
use common::{Client, Server, serve_with};
use rushwire::{App, Hub, Options, Socket};

const SHORT: Duration = Duration::from_millis(150);

/// A server that writes down what every socket at `/:name` hears.
fn observed(pen: Pen) -> Server {
    serve_with(no_heartbeat, move |app| observe(app, pen))
}

fn no_heartbeat() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: SHORT,
        ..Options::default()
    }
}

fn observe(app: &mut App, pen: Pen) {
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.join(request.param("name"));
    });
}

/// Runs `job` with the one socket in the room of that name.
fn with_socket<R: Send + 'static>(
    server: &Server,
    name: &'static str,
    job: impl FnOnce(&Socket) -> R + Send + 'static,
) -> R {
    server.ask(move |hub| job(&member(hub, name)))
}

fn member(hub: &Hub, name: &str) -> Socket {
    hub.room(name)
        .members()
        .into_iter()
        .next()
        .expect("the socket is connected")
}

/// What the kernel does when the last of a connection is closed: RST if anything is unread.
fn reset(server: &Server, client: Client) {
    server.ask(|hub| hub.ws_broadcast("never read", None));
    drop_unread(client);
}

fn drop_unread(client: Client) {
    assert!(client.rest.is_empty() && client.stream.peek(&mut [0]).expect("something comes") > 0);
    drop(client);
}

fn gone(server: &Server) {
    server.wait_until("the connection is gone", Hub::is_empty);
}

thread_local! {
    /// Kept on the server's thread beyond its connection.
    static STALE: RefCell<Option<Socket>> = const { RefCell::new(None) };
}

/// Counts how often it is dropped.
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}
