//! A connection that this side makes: what the application holds of it. How it is made, and made again,
//! is in [`attempts`](super::attempts).

use std::fmt;
use std::rc::Rc;

use super::attempts::{Attempts, Handler, State};
use super::error::Failed;
use super::options::ConnectOptions;
use super::url::Url;
use crate::ws::hub::Hub;
use crate::ws::into_message::IntoMessage;
use crate::ws::message::OwnedMessage;
use crate::ws::remote::{Gone, Remote};
use crate::ws::socket::Socket;
use crate::ws::status::{ReadyState, SendStatus};

/// A connection that [`Hub::connect`] makes. Cloning it copies a pointer; dropping it ends nothing.
#[derive(Clone)]
pub struct Connection(Rc<Attempts>);

impl Connection {
    pub(super) fn new(hub: Hub, url: Url, options: ConnectOptions, handler: Handler) -> Self {
        Self(Attempts::begin(hub, url, options, handler))
    }

    /// Hears of every attempt that failed, and of connections that were lost, of those when the socket's own
    /// listeners have. It runs instead of an earlier one.
    pub fn on_error(&self, listener: impl FnMut(&Failed) + 'static) -> &Self {
        self.0.listen(Box::new(listener));
        self
    }

    /// The socket, while there is one.
    pub fn socket(&self) -> Option<Socket> {
        self.0.socket()
    }

    /// Whether it is over: there is no socket, and there will be none.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Sends a message, or keeps it until there is a socket, within
    /// [`max_unsent`](ConnectOptions::max_unsent) bytes: over that it is [`SendStatus::Dropped`].
    ///
    /// What is kept and never sent is counted by [`Failed::unsent`], or by [`close`](Self::close).
    pub fn send(&self, message: impl IntoMessage) -> SendStatus {
        let is_open = |socket: &Socket| socket.ready_state() == ReadyState::Open;
        if let Some(socket) = self.socket().filter(is_open) {
            return socket.send(message);
        }
        let kept = message.with_message(|message| self.0.keep(message));
        kept.unwrap_or_else(|why| {
            self.0.hub.report(None, &why);
            SendStatus::Invalid
        })
    }

    /// How many messages wait for a socket.
    pub fn unsent(&self) -> usize {
        self.0.unsent.len()
    }

    /// Ends it for good: closes the socket with 1000, or gives up trying. Returns how many messages
    /// were waiting, and are given up.
    pub fn close(&self) -> usize {
        self.0.close()
    }

    /// Reaches it from any thread.
    pub fn remote(&self) -> RemoteConnection {
        RemoteConnection {
            remote: self.0.hub.remote(),
            number: self.0.number,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.0.state.borrow() {
            State::Waiting(_) => "waiting",
            State::LookingUp(_) => "looking up",
            State::Connecting(_) => "connecting",
            State::Open(..) => "open",
            State::Over => "over",
        };
        f.debug_struct("Connection")
            .field("url", &self.0.url)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// A [`Connection`] from other threads: `Clone`, `Send` and `Sync`. If the connection is over when what
/// is asked runs, nothing happens.
#[derive(Clone, Debug)]
pub struct RemoteConnection {
    remote: Remote,
    number: u64,
}

impl RemoteConnection {
    /// [`Connection::send`].
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no reactor any more.
    pub fn send(&self, message: impl Into<OwnedMessage>) -> Result<(), Gone> {
        let (number, message) = (self.number, message.into());
        self.remote.post(move |hub| {
            if let Some(connection) = hub.dials().wanted(number) {
                connection.send(&message);
            }
        })
    }

    /// [`Connection::close`].
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no reactor any more.
    pub fn close(&self) -> Result<(), Gone> {
        let number = self.number;
        self.remote.post(move |hub| {
            if let Some(connection) = hub.dials().wanted(number) {
                connection.close();
            }
        })
    }
}
