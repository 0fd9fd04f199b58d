//! The server that conformance suites and benchmarks talk to.
//!
//! `/` and `/echo` send back what they hear; `/room` is one room, in which everyone hears what the
//! others say. On SIGTERM and Ctrl-C everyone hears 1001, and what was said before is delivered.
//!
//! ```text
//! cargo run --release --example echo -- 127.0.0.1:9001        # and without a heartbeat
//! cargo run --release --example echo -- 127.0.0.1:9001 30     # with one every 30 seconds
//! ```

#[path = "shared/shutdown.rs"]
mod shutdown;

use std::time::Duration;

use rushwire::{App, Options, Request, Socket, event};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next();
    let address = address.unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let heartbeat = arguments.next().map_or(Ok(0), |seconds| seconds.parse());
    let heartbeat = heartbeat.expect("the heartbeat is a number of seconds");
    let mut app = App::with(Options {
        heartbeat: Duration::from_secs(heartbeat),
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
    shutdown::on_signals(app.remote())?;
    app.listen(&address, |address| println!("listening on {address}"))
}

fn echo(socket: &Socket, _request: &Request) {
    socket.on(event::Message, |socket, message| {
        socket.send(message);
    });
}
