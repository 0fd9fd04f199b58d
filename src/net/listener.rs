//! Where connections come from: a listening TCP or Unix-domain socket, or a network in memory.

use std::io;
use std::net::SocketAddr;

use mio::net::TcpListener;
#[cfg(unix)]
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};

use super::memory::Door;
use super::stream::{Peer, Stream};

/// A listening socket that never blocks.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "only the testing kit has a network in memory")
    )]
    Memory(Door),
}

impl Listener {
    /// Takes over a listening TCP socket.
    pub(crate) fn tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpListener::from_std(without_delay(listener)?)))
    }

    /// Takes over a listening Unix-domain socket.
    #[cfg(unix)]
    pub(crate) fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Unix(UnixListener::from_std(listener)))
    }

    pub(super) fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                #[cfg(not(unix))]
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            #[cfg(unix)]
            Self::Unix(listener) => listener
                .accept()
                .map(|(stream, _)| (Stream::Unix(stream), Peer::Unix)),
            Self::Memory(door) => door.accept(),
        }
    }

    /// Watches it. Only a network in memory needs no registry.
    pub(super) fn register(&mut self, registry: Option<&Registry>, token: Token) -> io::Result<()> {
        match (self, registry) {
            (Self::Tcp(listener), Some(registry)) => {
                registry.register(listener, token, Interest::READABLE)
            }
            #[cfg(unix)]
            (Self::Unix(listener), Some(registry)) => {
                registry.register(listener, token, Interest::READABLE)
            }
            (Self::Memory(door), _) => {
                door.register(token.0);
                Ok(())
            }
            (_, None) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    pub(super) fn deregister(&mut self, registry: Option<&Registry>) -> io::Result<()> {
        match (self, registry) {
            (Self::Tcp(listener), Some(registry)) => registry.deregister(listener),
            #[cfg(unix)]
            (Self::Unix(listener), Some(registry)) => registry.deregister(listener),
            // Dropping it, next, is all there is to do.
            (_, _) => Ok(()),
        }
    }

    /// The TCP address that is listened on.
    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Memory(_) => None,
        }
    }
}

/// Sets `TCP_NODELAY` on the listener, from which every connection inherits it: one system call
/// less for each. The option is the same for both kinds of socket, so the detour over a stream is
/// sound.
#[cfg(unix)]
fn without_delay(listener: std::net::TcpListener) -> io::Result<std::net::TcpListener> {
    use std::os::fd::OwnedFd;
    let stream = std::net::TcpStream::from(OwnedFd::from(listener));
    stream.set_nodelay(true)?;
    Ok(OwnedFd::from(stream).into())
}

/// Elsewhere each connection sets it for itself.
#[cfg(not(unix))]
fn without_delay(listener: std::net::TcpListener) -> io::Result<std::net::TcpListener> {
    Ok(listener)
}
