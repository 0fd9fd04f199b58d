//! A server without sockets: its sessions are fed directly, and what they write goes nowhere.

use std::fmt;
use std::io;
use std::net::{TcpListener, TcpStream};

use crate::net::stream::Stream;
use crate::proto::decoder::Role;
use crate::ws::data::TypeMap;
use crate::ws::session::Session;
use crate::ws::socket::Origin;
use crate::{App, Hub, Options, Socket};

/// A server without sockets, with the options that are the default.
pub struct Server {
    hub: Hub,
}

/// The reading half of a connection of a [`Server`].
pub struct Connection(Session);

impl Default for Server {
    fn default() -> Self {
        let hub = App::with(Options::default()).hub().clone();
        Self { hub }
    }
}

impl Server {
    /// A connection whose bytes go nowhere; `handler` is what an application has for its route.
    pub fn connect(&self, handler: impl FnOnce(&Socket)) -> Option<Connection> {
        self.open(Stream::Null, handler)
    }

    /// A connection whose bytes do go somewhere: to a client that looks at them.
    ///
    /// # Errors
    ///
    /// When the system gives no connection.
    pub fn connect_client(
        &self,
        handler: impl FnOnce(&Socket),
    ) -> io::Result<(Connection, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let theirs = TcpStream::connect(listener.local_addr()?)?;
        let (ours, _) = listener.accept()?;
        ours.set_nonblocking(true)?;
        let stream = Stream::Tcp(mio::net::TcpStream::from_std(ours));
        let connection = self.open(stream, handler);
        Ok((connection.ok_or(io::ErrorKind::OutOfMemory)?, theirs))
    }

    /// All its sockets.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Ends a turn: writes all that was queued.
    pub fn write(&self) {
        self.hub.links().flush();
    }

    fn open(&self, stream: Stream, handler: impl FnOnce(&Socket)) -> Option<Connection> {
        let origin = Origin {
            url: "/".into(),
            peer: None,
            protocol: None,
            data: TypeMap::default(),
        };
        let socket = self.hub.open(self.hub.links().connect(stream)?, origin);
        socket.admit();
        handler(&socket);
        Some(Connection(Session::new(socket, Role::Server, None)))
    }
}

impl Connection {
    /// Reads `input`, and lets the listeners hear it.
    pub fn receive(&mut self, input: &mut [u8], server: &Server) {
        self.0.receive(input, server.hub.links().now());
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hub.fmt(f)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
