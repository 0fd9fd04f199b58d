//! Custom events (feature `json`): a text message that is a JSON object whose `type` has a listener
//! goes to that listener, and not to those for messages. Here is what a listener is added with;
//! `payload.rs` has what it is given.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::event::{Event, sealed};
use super::listeners::{Callback, Listener, ListenerId};
use super::payload::Payload;
use super::socket::Socket;

/// Names that are no custom events, and what to use instead.
const RESERVED: [(&str, &str); 8] = [
    ("message", "event::Message"),
    ("close", "event::Close"),
    ("error", "event::Error"),
    ("ping", "event::Ping"),
    ("pong", "event::Pong"),
    ("drain", "event::Drain"),
    ("ratelimit", "event::RateLimit"),
    ("open", "the handler of App::ws"),
];

/// A listener for a custom event, in the list of all listeners, of which there are many: it is small.
#[allow(
    missing_debug_implementations,
    missing_docs,
    reason = "only the sealed trait names it"
)]
pub struct Custom {
    id: u32,
    once: bool,
    named: Box<NamedCallback>,
}

struct NamedCallback {
    name: Box<str>,
    callback: Option<Callback<&'static str>>,
}

impl Custom {
    fn listener(id: u32, once: bool, name: &str, callback: Callback<&'static str>) -> Listener {
        Listener::Custom(Self {
            id,
            once,
            named: Box::new(NamedCallback {
                name: name.into(),
                callback: Some(callback),
            }),
        })
    }

    pub(super) fn marks(&self) -> (u32, bool) {
        (self.id, self.once)
    }

    pub(super) fn name(&self) -> &str {
        &self.named.name
    }
}

/// Why a listener for `name` would never run, if so.
fn misused(name: &str) -> Option<String> {
    let (_, instead) = RESERVED.iter().find(|(reserved, _)| *reserved == name)?;
    Some(format!(
        "a listener for {name:?} never runs, because the name is reserved: use {instead}"
    ))
}

impl sealed::Sealed for &str {}

/// A name is an event: its listeners hear the messages `{"type":name,…}`.
///
/// The names of the other events (`message`, `close`, `error`, `ping`, `pong`, `drain`, `ratelimit`,
/// `open`) are reserved: a listener for one never runs, which [`App::on_error`](crate::App::on_error)
/// is told. Binary messages, and text that is no JSON for `serde_json` (nested 128 deep, say), are never
/// events.
///
/// A socket that has such listeners parses every text message, and the tree that comes of it may take
/// many times the memory of the text: where that is scarce, lower
/// [`Options::max_message_size`](crate::Options::max_message_size).
///
/// ```
/// use rushwire::{App, event};
///
/// let mut app = App::new();
/// app.ws("/chat", |socket, _| {
///     socket.on("join-room", |socket, payload| {
///         if let Some(room) = payload.as_str() {
///             socket.join(room);
///             payload.ack(socket.rooms().len());
///         }
///     });
///     socket.on(event::Message, |socket, message| {
///         socket.send(message); // whatever else comes
///     });
/// });
/// ```
impl Event for &str {
    type Payload<'a> = Payload<'a>;

    fn into_listener(self, id: u32, once: bool, callback: Callback<Self>) -> Listener {
        Custom::listener(id, once, self, callback)
    }

    fn callback<'a>(listener: &'a mut Listener) -> Option<&'a mut Option<Callback<Self>>>
    where
        Self: 'a,
    {
        match listener {
            Listener::Custom(custom) => Some(&mut custom.named.callback),
            _ => None,
        }
    }

    fn name(payload: Self::Payload<'_>) -> &str {
        payload.name()
    }

    fn misused(&self) -> Option<String> {
        misused(self)
    }
}

impl sealed::Sealed for String {}

/// A name, like `&str`.
impl Event for String {
    type Payload<'a> = Payload<'a>;

    fn into_listener(self, id: u32, once: bool, callback: Callback<Self>) -> Listener {
        Custom::listener(id, once, &self, callback)
    }

    fn callback<'a>(listener: &'a mut Listener) -> Option<&'a mut Option<Callback<Self>>>
    where
        Self: 'a,
    {
        <&str>::callback(listener)
    }

    fn name(payload: Self::Payload<'_>) -> &str {
        payload.name()
    }

    fn misused(&self) -> Option<String> {
        misused(self)
    }
}

/// A custom event whose payload is of type `T`. From [`named`].
pub struct Named<T> {
    name: Box<str>,
    payload: PhantomData<fn() -> T>,
}

/// A custom event whose payload is of type `T`.
///
/// When a payload of another type comes, the listener does not run, and is not used up if it was to run
/// `once`. The peer is told, `{"type":"error","event":name,"message":reason}` with the `ack` of the
/// event if it has one, listeners for [`event::Error`](crate::event::Error) hear
/// [`Failure::Payload`](crate::event::Failure::Payload), and the connection goes on.
///
/// An event without a payload has the payload `{}`, which a struct without fields takes.
///
/// ```
/// use rushwire::{App, event};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Join {
///     room: String,
/// }
///
/// let mut app = App::new();
/// app.ws("/chat", |socket, _| {
///     // {"type":"join-room","data":{"room":"lobby"},"ack":1}
///     socket.on(event::named::<Join>("join-room"), |socket, join| {
///         socket.join(&join.room);
///         join.ack("welcome"); // {"type":"ack","ack":1,"data":"welcome"}
///     });
/// });
/// ```
pub fn named<T: DeserializeOwned + 'static>(name: impl Into<Box<str>>) -> Named<T> {
    Named {
        name: name.into(),
        payload: PhantomData,
    }
}

impl<T> Clone for Named<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            payload: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Named").field(&self.name).finish()
    }
}

impl<T> sealed::Sealed for Named<T> {}

impl<T: DeserializeOwned + 'static> Event for Named<T> {
    type Payload<'a> = Payload<'a, T>;

    /// It lies among the others as a listener that parses first.
    fn into_listener(self, id: u32, once: bool, mut callback: Callback<Self>) -> Listener {
        let parse = move |socket: &Socket, payload: Payload<'_>| match payload.parse::<T>() {
            Ok(value) => {
                if once {
                    socket.off(ListenerId(id));
                }
                callback(socket, payload.with(&value));
            }
            Err(error) => payload.refuse(&error),
        };
        Custom::listener(id, false, &self.name, Box::new(parse))
    }

    fn callback<'a>(_: &'a mut Listener) -> Option<&'a mut Option<Callback<Self>>>
    where
        Self: 'a,
    {
        None
    }

    fn name(payload: Self::Payload<'_>) -> &str {
        payload.name()
    }

    fn misused(&self) -> Option<String> {
        misused(&self.name)
    }
}
