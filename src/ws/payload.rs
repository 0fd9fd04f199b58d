//! What a custom event carries, and how a message becomes one (feature `json`). Hearing hands every
//! message to [`Socket::tell_message`] when a socket has listeners for custom events.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;

use serde::de::Deserialize;
use serde::ser::Serialize;
use serde_json::{Map, Value};

use super::event::{self, Failure};
use super::json::{Envelope, Json};
use super::listeners::Listener;
use super::message::Message;
use super::socket::Socket;
use super::status::SendStatus;

/// What is told of a payload is cut to so many bytes: it may quote the peer.
const MAX_REASON: usize = 200;

/// What has come with a custom event. Copying it copies two pointers.
///
/// It stands for its [`value`](Self::value): `payload["room"]`, `payload.as_str()`, `join.room`. That is
/// the field `data` of the message; else its only field besides `type` and `ack`; else an object with
/// all of those. Where a message has two fields of one name, the last counts.
pub struct Payload<'a, T = Value> {
    value: &'a T,
    heard: &'a Heard<'a>,
}

/// A message that is a custom event, while its listeners run.
struct Heard<'a> {
    socket: &'a Socket,
    name: &'a str,
    text: &'a str,
    object: &'a Map<String, Value>,
    answered: Cell<bool>,
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It was handed to [`Socket::send`], which said this. After [`SendStatus::Invalid`] another one may
    /// be tried.
    Sent(SendStatus),
    /// The event is answered already: nothing was sent.
    Already,
    /// The event has no field `ack` that is a number or a string: nothing was sent.
    NotAsked,
}

impl<'a, T> Payload<'a, T> {
    /// The payload, for as long as the listeners run.
    pub fn value(self) -> &'a T {
        self.value
    }

    /// The message as it came, to be passed on.
    pub fn message(self) -> Message<'a> {
        Message::Text(self.heard.text)
    }

    /// The whole object, with `type` and whatever else it has.
    pub fn object(self) -> &'a Map<String, Value> {
        self.heard.object
    }

    /// Answers an event that has a field `ack`, a number or a string, and only once:
    /// `{"type":"ack","ack":…,"data":value}`, with the `ack` of the event.
    pub fn ack(self, value: impl Serialize) -> Ack {
        self.heard.answer(value)
    }

    /// What the event is called.
    pub(super) fn name(self) -> &'a str {
        self.heard.name
    }

    pub(super) fn with<U>(self, value: &'a U) -> Payload<'a, U> {
        Payload {
            value,
            heard: self.heard,
        }
    }
}

impl<'a> Payload<'a> {
    /// The payload as another type, which may borrow from it.
    ///
    /// # Errors
    ///
    /// The payload is not of that type. Nobody is told: [`named`](crate::event::named) does that.
    pub fn parse<T: Deserialize<'a>>(self) -> Result<T, serde_json::Error> {
        T::deserialize(self.value)
    }

    pub(super) fn refuse(self, error: &serde_json::Error) {
        self.heard.refuse(error);
    }
}

impl<T> Clone for Payload<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Payload<'_, T> {}

impl<T> Deref for Payload<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Payload<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(self.value).finish()
    }
}

impl<'a> Heard<'a> {
    /// What the peer wants to be answered with.
    fn ack(&self) -> Option<&'a Value> {
        let ack = self.object.get("ack");
        ack.filter(|ack| ack.is_number() || ack.is_string())
    }

    fn answer(&self, data: impl Serialize) -> Ack {
        let Some(ack) = self.ack() else {
            return Ack::NotAsked;
        };
        if self.answered.replace(true) {
            return Ack::Already;
        }
        let status = self.socket.send(Envelope {
            name: "ack",
            ack: Some(ack),
            data,
        });
        self.answered.set(status != SendStatus::Invalid);
        Ack::Sent(status)
    }

    /// The payload is not of the listener's type. That is the answer, too, if one was asked for.
    fn refuse(&self, error: &serde_json::Error) {
        let reason = cut(&error.to_string(), MAX_REASON).to_owned();
        let mut answer = Map::new();
        answer.insert("type".to_owned(), "error".into());
        answer.insert("event".to_owned(), self.name.into());
        answer.insert("message".to_owned(), reason.as_str().into());
        if let Some(ack) = self.ack()
            && !self.answered.replace(true)
        {
            answer.insert("ack".to_owned(), ack.clone());
        }
        self.socket.send(Json(&answer));
        let failure = Failure::Payload {
            event: self.name.to_owned(),
            reason,
        };
        self.socket.tell::<event::Error>(&failure);
    }
}

impl Socket {
    /// Runs the listeners for a message: those for the event that it is, or else those for messages.
    pub(super) fn tell_message(&self, message: Message<'_>) {
        if !self.tell_custom(message) {
            self.tell::<event::Message>(message);
        }
    }

    /// Runs the listeners for the event that a message is. `false` if it is none, or none hears it.
    fn tell_custom(&self, message: Message<'_>) -> bool {
        let Some(text) = message.as_text().filter(|_| self.hears(|_| true)) else {
            return false;
        };
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else {
            return false;
        };
        match object.get("type") {
            Some(Value::String(name)) if self.hears(|other| other == name) => {
                self.tell_named(name, text, &object)
            }
            _ => false,
        }
    }

    fn tell_named(&self, name: &str, text: &str, object: &Map<String, Value>) -> bool {
        let value = payload(object);
        let heard = Heard {
            socket: self,
            name,
            text,
            object,
            answered: Cell::new(false),
        };
        let payload = Payload {
            value: &*value,
            heard: &heard,
        };
        self.tell_those::<&'static str>(payload, |listener| is_for(listener, |other| other == name))
    }

    /// Whether it has a listener for an event of such a name.
    fn hears(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        self.0
            .listeners(|all| all.0.as_slice().iter().any(|it| is_for(it, &is_meant)))
    }
}

fn is_for(listener: &Listener, is_meant: impl Fn(&str) -> bool) -> bool {
    matches!(listener, Listener::Custom(custom) if is_meant(custom.name()))
}

/// What the object of an event carries.
fn payload(object: &Map<String, Value>) -> Cow<'_, Value> {
    if let Some(data) = object.get("data") {
        return Cow::Borrowed(data);
    }
    let fields = object
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "type" | "ack"));
    let mut first = fields.clone().map(|(_, value)| value);
    match (first.next(), first.next()) {
        (Some(only), None) => Cow::Borrowed(only),
        _ => {
            let rest = fields.map(|(name, value)| (name.clone(), value.clone()));
            Cow::Owned(Value::Object(rest.collect()))
        }
    }
}

/// A text cut to so many bytes, on a character boundary.
fn cut(text: &str, max: usize) -> &str {
    (0..=max)
        .rev()
        .find_map(|end| text.get(..end))
        .unwrap_or_default()
}
