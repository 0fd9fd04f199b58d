//! The client: connections that this side makes. The same sockets and events as a server's.

mod attempts;
mod connection;
mod error;
mod keys;
mod lookup;
mod opening;
mod options;
mod refusal;
mod standalone;
mod unsent;
mod url;
mod wanted;

pub use connection::{Connection, RemoteConnection};
pub use error::{Answer, ConnectError, Failed};
pub use options::{ConnectOptions, Reconnect};
pub use standalone::Client;

use self::url::Url;
use crate::proto::encoder;
use crate::proto::frame::Header;
use crate::ws::hub::Hub;
use crate::ws::socket::Socket;

impl Hub {
    /// Connects to a server at `ws://host:port/path`, in this hub's reactor. The handler runs each time
    /// there is a socket; what fails is told to [`Connection::on_error`]. Nothing of it happens before
    /// this returns.
    ///
    /// Messages to rooms that the socket joins go there, too, but those to everyone do not.
    ///
    /// ```no_run
    /// use rushwire::{App, ConnectOptions, Reconnect, event};
    ///
    /// let mut app = App::new();
    /// let options = ConnectOptions {
    ///     reconnect: Some(Reconnect::default()),
    ///     ..ConnectOptions::default()
    /// };
    /// let upstream = app.hub().connect("ws://127.0.0.1:3001/feed", options, |socket, _answer| {
    ///     socket.on(event::Message, |socket, message| {
    ///         socket.hub().ws_broadcast(message, None);
    ///     });
    /// })?;
    /// upstream.on_error(|failed| eprintln!("{}, again in {:?}", failed.error, failed.retry_in));
    /// # Ok::<(), rushwire::ConnectError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The URL or an option cannot be used; the error quotes it. [`ConnectError::Shutdown`] when the reactor
    /// shuts down or is gone.
    pub fn connect(
        &self,
        url: &str,
        options: ConnectOptions,
        handler: impl FnMut(&Socket, &Answer) + 'static,
    ) -> Result<Connection, ConnectError> {
        let parsed = Url::parse(url).map_err(|why| ConnectError::Url(url.to_owned(), why))?;
        options.check()?;
        if self.dials().are_stopped() {
            return Err(ConnectError::Shutdown);
        }
        self.links().set_veil(Box::new(mask));
        let handler = Box::new(handler);
        Ok(Connection::new(self.clone(), parsed, options, handler))
    }
}

/// A frame as a client sends it, masked with a key of its own (RFC 6455 §5.3). `None` if the system
/// gives no key: then nothing may be sent.
fn mask(frame: &[u8]) -> Option<Vec<u8>> {
    let (header, size) = Header::parse(frame).ok()??;
    let key = keys::take().ok()?;
    let mut masked = Vec::new();
    encoder::encode_masked(&mut masked, header.opcode, frame.get(size..)?, key);
    Some(masked)
}
