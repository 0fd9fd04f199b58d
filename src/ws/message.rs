//! What is said: text or binary, borrowed for as long as it takes to send or to hear it.

use std::rc::Rc;

use crate::proto::encoder;
use crate::proto::frame::Opcode;

/// A message (RFC 6455 §5.6). It borrows its payload, and copying it copies a pointer.
///
/// Everything that sends takes whatever is `Into<Message>`: `&str`, `&String`, `&[u8]`, `&Vec<u8>`, an
/// array of bytes, or a message that was received; and [whatever else](crate::IntoMessage) becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The text, if this is text.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, whatever its kind.
    pub fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Whether this is text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The length of the payload in bytes.
    pub fn len(self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(self) -> bool {
        self.as_bytes().is_empty()
    }

    pub(crate) fn opcode(self) -> Opcode {
        if self.is_text() {
            Opcode::Text
        } else {
            Opcode::Binary
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a OwnedMessage> for Message<'a> {
    fn from(message: &'a OwnedMessage) -> Self {
        match message {
            OwnedMessage::Text(text) => Self::Text(text),
            OwnedMessage::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// A message that is encoded once, to be sent many times (RFC 6455 §5.2): what everyone is told on
/// joining, say. Cloning copies a pointer.
///
/// ```
/// # use rushwire::{App, Prepared};
/// # let mut app = App::new();
/// let rules = Prepared::new("be kind");
/// app.ws("/chat", move |socket, _| {
///     socket.send_prepared(&rules);
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) frame: Rc<Vec<u8>>,
    pub(super) payload: usize,
}

impl Prepared {
    /// Encodes a message.
    pub fn new<'m>(message: impl Into<Message<'m>>) -> Self {
        let message = message.into();
        let frame = encoder::prepare(message.opcode(), message.as_bytes());
        Self {
            frame: Rc::new(frame),
            payload: message.len(),
        }
    }
}

/// A message that owns its payload, for keeping it or taking it to another thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OwnedMessage {
    /// UTF-8 text.
    Text(String),
    /// Any bytes.
    Binary(Vec<u8>),
}

impl From<Message<'_>> for OwnedMessage {
    fn from(message: Message<'_>) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.to_owned()),
            Message::Binary(bytes) => Self::Binary(bytes.to_owned()),
        }
    }
}
