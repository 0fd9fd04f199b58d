//! What the servers of this folder share, none of which is WebSocket: the command line, the one
//! thread with its accept loop, the clock of the heartbeat, and who is in the room.
//!
//! Each peer's `main` reads [`Arguments`] and, where it runs on tokio, calls [`serve`].

mod pulse;
mod room;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions};

pub use pulse::Pulse;
pub use room::{Room, Seat};

/// The longest message that a subject takes, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// How a subject is called: `PROGRAM ADDRESS [HEARTBEAT]`.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    pub address: SocketAddr,
    /// Between two pings to each connection; none at all if absent.
    pub heartbeat: Option<Duration>,
}

impl Arguments {
    /// Reads this process's command line.
    ///
    /// # Panics
    ///
    /// Says what is wrong with it.
    pub fn read() -> Self {
        let mut words = std::env::args().skip(1);
        let address = words.next().expect("usage: PROGRAM ADDRESS [HEARTBEAT]");
        let seconds = words.next().unwrap_or_else(|| "0".to_owned());
        let seconds: u64 = seconds.parse().expect("HEARTBEAT is in whole seconds");
        Self {
            address: address.parse().expect("ADDRESS is ip:port"),
            heartbeat: (seconds > 0).then(|| Duration::from_secs(seconds)),
        }
    }
}

/// Prints the one line that whoever started the subject waits for.
pub fn announce(address: SocketAddr) {
    println!("listening on {address}");
}

/// Accepts for ever, on one thread, and runs `connection` for each stream.
///
/// tokio's timers are on only if there is a heartbeat; see [`serve_with_timers`].
pub fn serve<C>(arguments: Arguments, connection: impl Fn(TcpStream) -> C)
where
    C: Future<Output: 'static> + 'static,
{
    run(arguments.heartbeat.is_some(), arguments.address, connection);
}

/// [`serve`] for a peer that needs tokio's timers for itself.
pub fn serve_with_timers<C>(arguments: Arguments, connection: impl Fn(TcpStream) -> C)
where
    C: Future<Output: 'static> + 'static,
{
    run(true, arguments.address, connection);
}

fn run<C>(timers: bool, address: SocketAddr, connection: impl Fn(TcpStream) -> C)
where
    C: Future<Output: 'static> + 'static,
{
    let mut builder = Builder::new_current_thread();
    builder.enable_io();
    if timers {
        builder.enable_time();
    }
    let runtime = builder
        .build_local(LocalOptions::default())
        .expect("a runtime");
    runtime.block_on(accept(address, connection));
}

async fn accept<C>(address: SocketAddr, connection: impl Fn(TcpStream) -> C)
where
    C: Future<Output: 'static> + 'static,
{
    let listener = TcpListener::bind(address).await.expect("a free address");
    announce(address);
    loop {
        // A connection that died in the queue is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        if stream.set_nodelay(true).is_ok() {
            tokio::task::spawn_local(connection(stream));
        }
    }
}
