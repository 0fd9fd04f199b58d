//! What people may say, and the check that it makes sense. `chat.rs` answers it.

use serde_json::{Value, json};

/// The longest text, in characters.
const LONGEST: usize = 4_000;

/// Something that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// `{"type":"chat","text":…}`
    Chat(&'a str),
    /// `{"type":"announce","text":…}`
    Announce(&'a str),
    /// `{"type":"private","targetUserId":…,"text":…}`
    Private { to: &'a str, text: &'a str },
    /// `{"type":"typing","isTyping":true}`
    Typing(bool),
    /// `{"type":"switch-room","room":…}`
    Switch(&'a str),
    /// `{"type":"room-info"}`
    RoomInfo,
}

impl<'a> Said<'a> {
    /// Reads a message. `Err` is what its author is told.
    pub(crate) fn read(message: &'a Value) -> Result<Self, &'static str> {
        const FORMAT: &str = "Invalid message format";
        match message["type"].as_str().ok_or(FORMAT)? {
            "chat" => Ok(Self::Chat(text(message)?)),
            "announce" => Ok(Self::Announce(text(message)?)),
            "private" => Ok(Self::Private {
                to: message["targetUserId"].as_str().ok_or(FORMAT)?,
                text: text(message)?,
            }),
            "typing" => Ok(Self::Typing(message["isTyping"].as_bool().ok_or(FORMAT)?)),
            "switch-room" | "join-room" => {
                Ok(Self::Switch(message["room"].as_str().ok_or(FORMAT)?))
            }
            "room-info" => Ok(Self::RoomInfo),
            _ => Err("Unknown message type"),
        }
    }
}

fn text(message: &Value) -> Result<&str, &'static str> {
    match message["text"].as_str().ok_or("Invalid message format")? {
        text if text.trim().is_empty() => Err("The message is empty"),
        text if text.chars().nth(LONGEST).is_some() => Err("The message is too long"),
        text => Ok(text),
    }
}

/// How somebody is told that something went wrong.
pub(crate) fn error(why: &str) -> Value {
    json!({ "type": "error", "message": why })
}
