//! The floor of the comparison: a server that does nothing but `recv` and `send` the same bytes.
//!
//! It answers any request head with one fixed 101 and never looks at a frame: `/echo` sends back the
//! very bytes that came, masked as they are, and `/room` sends them to everyone else there. What a
//! real server costs above it is what that server does with a message. As it never looks at a frame,
//! what members of a room say at the same time stays whole only while each of their writes comes in
//! one read: large messages are for one speaker. The comparison starts it as
//!
//! ```text
//! raw ADDRESS [SECONDS BETWEEN TWO PINGS]
//! ```

mod connection;
mod heart;
mod room;
mod server;

use std::io;
use std::time::Duration;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(address) = arguments.next() else {
        eprintln!("usage: raw ADDRESS [SECONDS BETWEEN TWO PINGS]");
        std::process::exit(2);
    };
    let heartbeat = arguments
        .next()
        .map_or(0.0, |seconds| seconds.parse().expect("seconds"));
    let mut server = server::Server::bind(&address, Duration::from_secs_f64(heartbeat))?;
    println!("listening on {address}");
    server.run()
}
