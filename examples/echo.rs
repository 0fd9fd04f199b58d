//! The server that conformance suites and benchmarks talk to.
//!
//! `/` and `/echo` send back what they hear; `/room` is one room, in which everyone hears what the
//! others say.
//!
//! ```text
//! cargo run --release --example echo -- 127.0.0.1:9001
//! ```

use std::time::Duration;

use rushwire::{App, Options, Request, Socket, event};

fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let mut app = App::with(Options {
        heartbeat: Duration::ZERO,
        max_connections: 100_000,
        max_message_size: 64 * 1024 * 1024,
        max_backpressure: 256 * 1024 * 1024,
        ..Options::default()
    });
    app.ws("/", echo);
    app.ws("/echo", echo);
    app.ws("/room", |socket, _request| {
        socket.join("room");
        socket.on(event::Message, |socket, message| {
            socket.broadcast("room", message);
        });
    });
    app.listen(&address, |address| println!("listening on {address}"))
}

fn echo(socket: &Socket, _request: &Request) {
    socket.on(event::Message, |socket, message| {
        socket.send(message);
    });
}
