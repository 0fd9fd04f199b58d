//! A client with a reactor of its own, for programs that are no server.

use std::io;
use std::time::Duration;

use super::connection::Connection;
use super::error::{Answer, ConnectError};
use super::options::ConnectOptions;
use crate::app::{App, Options, Server};
use crate::ws::hub::Hub;
use crate::ws::remote::Remote;
use crate::ws::socket::Socket;

/// A client with a reactor of its own.
///
/// ```no_run
/// use rushwire::{Client, ConnectOptions, event};
///
/// let mut client = Client::new()?;
/// client.connect("ws://127.0.0.1:3000/echo", ConnectOptions::default(), |socket, _answer| {
///     socket.on(event::Message, |socket, message| {
///         println!("{:?}", message.as_text());
///         socket.close();
///     });
///     socket.send("hello");
/// })?;
/// client.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    reactor: Server,
}

impl Client {
    /// A client with all options at their defaults.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Self::with(Options::default())
    }

    /// A client with these options: those for heartbeat, messages, rooms and closing count.
    ///
    /// # Errors
    ///
    /// An option cannot be used, or the system has no descriptor left.
    pub fn with(options: Options) -> io::Result<Self> {
        Ok(Self {
            reactor: App::with(options).start(None)?,
        })
    }

    /// [`Hub::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(
        &self,
        url: &str,
        options: ConnectOptions,
        handler: impl FnMut(&Socket, &Answer) + 'static,
    ) -> Result<Connection, ConnectError> {
        self.hub().connect(url, options, handler)
    }

    /// All sockets of the client.
    pub fn hub(&self) -> &Hub {
        self.reactor.hub()
    }

    /// Reaches the client from any thread.
    pub fn remote(&self) -> Remote {
        self.reactor.remote()
    }

    /// Runs until every connection is [over](Connection::is_over), or the client was
    /// [shut down](Hub::shutdown) and all sockets are gone.
    ///
    /// # Errors
    ///
    /// Only if waiting for readiness itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_done() {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Waits for something to do, `timeout` at most, and does it: [`Server::turn`].
    ///
    /// # Errors
    ///
    /// Only if waiting for readiness itself fails.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.reactor.turn(timeout)
    }

    /// Whether [`run`](Self::run) would return at once.
    pub fn is_done(&self) -> bool {
        let is_over = self.hub().dials().are_over() && self.reactor.is_idle();
        is_over || self.reactor.is_done()
    }
}
