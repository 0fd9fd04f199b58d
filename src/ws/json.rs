//! JSON on its way out (feature `json`): [`Json`] wherever a message can be sent, and `emit`, which
//! sends custom events.

use std::any::type_name;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::audience::Audience;
use super::hub::{Hub, Room};
use super::into_message::IntoMessage;
use super::message::Message;
use super::socket::Socket;
use super::status::SendStatus;

/// Sends a value as JSON text, wherever a message can be sent.
///
/// A value that does not serialize, like a map whose keys are no strings, is not sent: the answer is
/// [`SendStatus::Invalid`], or nobody is reached, and [`App::on_error`](crate::App::on_error) is told,
/// with the name of the value's type.
///
/// ```
/// use rushwire::{App, Json, event};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Joined<'a> {
///     user: &'a str,
///     count: usize,
/// }
///
/// let mut app = App::new();
/// app.ws("/chat/:room", |socket, request| {
///     let room = request.param("room");
///     socket.join(room);
///     let count = socket.hub().room(room).len();
///     socket.broadcast(room, Json(&Joined { user: "Ada", count }));
///     socket.send(Json(&serde_json::json!({ "welcome": room })));
/// });
/// ```
pub struct Json<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Json<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Json<'_, T> {}

impl<T: ?Sized> fmt::Debug for Json<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json(&{})", type_name::<T>())
    }
}

impl<T: Serialize + ?Sized> IntoMessage for Json<'_, T> {
    fn with_message<R>(self, then: impl FnOnce(Message<'_>) -> R) -> Result<R, String> {
        match serde_json::to_string(self.0) {
            Ok(text) => Ok(then(Message::Text(&text))),
            Err(error) => Err(format!("{self:?} is not sent: {error}")),
        }
    }
}

/// `{"type":name,"data":data}`, or `{"type":name,"ack":ack,"data":data}`.
pub(super) struct Envelope<'a, T> {
    pub(super) name: &'a str,
    pub(super) ack: Option<&'a Value>,
    pub(super) data: T,
}

impl<T: Serialize> Serialize for Envelope<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("type", self.name)?;
        if let Some(ack) = self.ack {
            fields.serialize_entry("ack", ack)?;
        }
        fields.serialize_entry("data", &self.data)?;
        fields.end()
    }
}

impl<T: Serialize> IntoMessage for Envelope<'_, T> {
    fn with_message<R>(self, then: impl FnOnce(Message<'_>) -> R) -> Result<R, String> {
        match serde_json::to_string(&self) {
            Ok(text) => Ok(then(Message::Text(&text))),
            Err(error) => {
                let (name, data) = (self.name, type_name::<T>());
                Err(format!("{name:?} with {data} is not sent: {error}"))
            }
        }
    }
}

fn event<T: Serialize>(name: &str, data: T) -> Envelope<'_, T> {
    Envelope {
        name,
        ack: None,
        data,
    }
}

impl Socket {
    /// Sends a custom event: `{"type":name,"data":payload}` (feature `json`).
    ///
    /// A payload that does not serialize is not sent, as with [`Json`].
    ///
    /// ```
    /// # use rushwire::App;
    /// # let mut app = App::new();
    /// app.ws("/chat", |socket, _| {
    ///     socket.emit("welcome", "Hello!");
    ///     socket.to("lobby").emit("joined", socket.id().to_string()); // to everyone else there
    ///     socket.hub().emit("count", socket.hub().len()); // to every socket
    /// });
    /// ```
    pub fn emit(&self, name: &str, payload: impl Serialize) -> SendStatus {
        self.send(event(name, payload))
    }
}

impl Audience<'_> {
    /// Sends a custom event to each (feature `json`); returns how many were reached. See
    /// [`Socket::emit`].
    pub fn emit(self, name: &str, payload: impl Serialize) -> usize {
        self.send(event(name, payload))
    }
}

impl Room<'_> {
    /// Sends a custom event to everyone in it (feature `json`); returns how many were reached. See
    /// [`Socket::emit`].
    pub fn emit(self, name: &str, payload: impl Serialize) -> usize {
        self.send(event(name, payload))
    }
}

impl Hub {
    /// Sends a custom event to every socket (feature `json`); returns how many were reached. See
    /// [`Socket::emit`].
    pub fn emit(&self, name: &str, payload: impl Serialize) -> usize {
        self.ws_broadcast(event(name, payload), None)
    }
}
