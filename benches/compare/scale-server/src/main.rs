//! A server with as many rooms as its clients ask for: what rooms cost is measured on it.
//!
//! `/rooms/FIRST/COUNT` joins the rooms of the numbers FIRST, FIRST + 1, … and sends each message that
//! it hears to the next one of them; `/echo` sends it back. `benches/compare/run scale` starts it as
//!
//! ```text
//! scale-server ADDRESS
//! ```

use std::fmt::Write;
use std::time::Duration;

use rushwire::{App, Join, Options, Request, Socket, event};

/// To one socket.
const MOST_ROOMS: usize = 1_000_000;

fn main() -> std::io::Result<()> {
    let Some(address) = std::env::args().nth(1) else {
        eprintln!("usage: scale-server ADDRESS");
        std::process::exit(2);
    };
    let mut app = App::with(Options {
        heartbeat: Duration::ZERO,
        max_rooms_per_socket: MOST_ROOMS,
        ..Options::default()
    });
    app.ws("/rooms/:first/:count", rooms);
    app.ws("/echo", |socket, _request| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
    app.listen(&address, |address| println!("listening on {address}"))
}

fn rooms(socket: &Socket, request: &Request) {
    let number = |name| request.param(name).parse::<usize>().unwrap_or(0);
    let (first, count) = (number("first"), number("count"));
    let mut room = String::new();
    for number in first..first + count {
        name(&mut room, number);
        let joined = socket.join(&room);
        assert!(matches!(joined, Join::Joined), "room {number}: {joined:?}");
    }
    let mut turn = 0;
    socket.on(event::Message, move |socket, message| {
        name(&mut room, first + turn);
        turn = (turn + 1) % count.max(1);
        socket.broadcast(&room, message);
    });
}

/// The room of a number.
fn name(room: &mut String, number: usize) {
    room.clear();
    write!(room, "room-{number}").expect("a string takes everything");
}
