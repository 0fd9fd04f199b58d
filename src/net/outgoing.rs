//! Connections that this side makes: how they are begun. The reactor makes them in a turn, see
//! [`Outgoing`](super::protocol::Outgoing).

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

use super::flags::Flags;
use super::half::Half;
use super::links::{Links, Table};
use super::slab::Key;
use super::stream::Stream;

impl Links {
    /// A stream to that address. The connection is only begun: when it is there, or how that failed, is
    /// told as readiness.
    ///
    /// # Errors
    ///
    /// It cannot be begun.
    pub(crate) fn dial(&self, address: SocketAddr) -> io::Result<Stream> {
        if let Some(network) = self.network.get() {
            return network.dial(address);
        }
        let stream = TcpStream::connect(address)?;
        // Without it, it is slower.
        let _ = stream.set_nodelay(true);
        Ok(Stream::Tcp(stream))
    }

    /// Whether the network and the time are those of a test.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.network.get().is_some()
    }
}

impl Table {
    /// Adds a connection that is still being made: nothing is written until it is.
    pub(super) fn insert_unconnected(&mut self, stream: Stream) -> Option<Key> {
        let mut half = Half::new(stream);
        half.flags = Flags::CONGESTED;
        self.halves.insert(half)
    }
}
