//! What bytes travel over: TCP, a Unix-domain socket, or memory.
//!
//! Every operation takes `&self`: the reactor reads while a listener that it runs may cause an
//! early write to the same connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::memory::End;
use super::outbox::Sink;

/// A connected stream that never blocks.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "only the testing kit has a network in memory")
    )]
    Memory(End),
    /// Takes all bytes and keeps none: what the benches write to.
    #[cfg(feature = "bench")]
    Null,
}

impl Stream {
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).read(into),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).read(into),
            Self::Memory(end) => end.read(into),
            #[cfg(feature = "bench")]
            Self::Null => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Sends FIN; what the peer sends can still be read.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Memory(end) => end.finish(),
            #[cfg(feature = "bench")]
            Self::Null => Ok(()),
        }
    }

    /// Watches the stream for all it will ever be watched for: edges of both kinds. Only one in memory
    /// needs no registry.
    pub(crate) fn register(&mut self, registry: Option<&Registry>, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        match (self, registry) {
            (Self::Tcp(stream), Some(registry)) => stream.register(registry, token, both),
            #[cfg(unix)]
            (Self::Unix(stream), Some(registry)) => stream.register(registry, token, both),
            (Self::Memory(end), _) => end.register(token.0),
            #[cfg(feature = "bench")]
            (Self::Null, _) => Ok(()),
            (_, None) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Sink for Stream {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).write(bytes),
            Self::Memory(end) => end.write(bytes),
            #[cfg(feature = "bench")]
            Self::Null => Ok(bytes.len()),
        }
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).write_vectored(slices),
            Self::Memory(end) => end.write_vectored(slices),
            #[cfg(feature = "bench")]
            Self::Null => Ok(slices.iter().map(|slice| slice.len()).sum()),
        }
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    /// Unix-domain peers have no address worth the name.
    #[cfg(unix)]
    Unix,
}

impl Peer {
    /// The peer's TCP address: one of IPv4, even if it comes in IPv6 clothes, as to a listener for both.
    pub(crate) fn tcp(self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) if address.ip().to_canonical() != address.ip() => {
                Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
            }
            Self::Tcp(address) => Some(address),
            #[cfg(unix)]
            Self::Unix => None,
        }
    }
}
