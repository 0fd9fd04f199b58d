//! What can be sent, and what becomes of what cannot. Everything that sends takes an [`IntoMessage`].

use super::hub::Hub;
use super::message::Message;
use super::socket::Socket;
use super::status::{SendStatus, SocketId};

/// What everything that sends takes: whatever is `Into<Message>`, and, with the feature `json`, `Json`.
///
/// A type that has to be encoded first implements it:
///
/// ```
/// use rushwire::{App, IntoMessage, Message, event};
///
/// /// Numbers, the high byte first.
/// struct Numbers<'a>(&'a [u16]);
///
/// impl IntoMessage for Numbers<'_> {
///     fn with_message<R>(self, then: impl FnOnce(Message<'_>) -> R) -> Result<R, String> {
///         let bytes: Vec<u8> = self.0.iter().flat_map(|n| n.to_be_bytes()).collect();
///         Ok(then(Message::from(&bytes)))
///     }
/// }
///
/// # let mut app = App::new();
/// app.ws("/numbers", |socket, _| {
///     socket.send(Numbers(&[1, 2, 3]));
///     socket.broadcast("room", Numbers(&[4]));
/// });
/// ```
pub trait IntoMessage {
    /// Lets `then` have the message, and gives what that gives.
    ///
    /// # Errors
    ///
    /// Why there is no message, quoting what it was to be made of: nothing is sent, and
    /// [`App::on_error`](crate::App::on_error) is told.
    fn with_message<R>(self, then: impl FnOnce(Message<'_>) -> R) -> Result<R, String>;
}

impl<'m, T: Into<Message<'m>>> IntoMessage for T {
    #[inline(always)]
    fn with_message<R>(self, then: impl FnOnce(Message<'_>) -> R) -> Result<R, String> {
        Ok(then(self.into()))
    }
}

impl Socket {
    /// There is no message to be sent.
    #[cold]
    pub(super) fn not_sent(&self, why: String) -> SendStatus {
        self.hub().report_later(Some(self.id()), why);
        SendStatus::Invalid
    }
}

impl Hub {
    /// There is no message to be sent: nobody is reached.
    #[cold]
    pub(super) fn not_sent(&self, why: String) -> usize {
        self.report_later(None, why);
        0
    }

    /// Reports in a later turn, because code of the application runs now: no listener runs inside of a
    /// call into the library.
    #[cold]
    pub(super) fn report_later(&self, socket: Option<SocketId>, message: String) {
        // Without a server there is nobody to be told.
        let _ = self.remote().post(move |hub| hub.report(socket, &message));
    }
}
