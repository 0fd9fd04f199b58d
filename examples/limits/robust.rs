//! `/robust/:room`: messages to a room, as `{"type":…}` with whatever else; everyone there hears them
//! with `from` and `timestamp`. What makes no sense is answered with an error, and so is what comes too
//! fast; the connection stays open. It ends after a time by itself, however busy it is.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use rushwire::event::Failure;
use rushwire::{CloseCode, Socket, event};
use serde_json::{Value, json};

use crate::{limited, tell};

/// Somebody comes in.
pub(crate) fn welcome(socket: &Socket, room: &str, timeout: Duration) {
    let room = format!("robust:{room}");
    if !limited::enter(socket, &room) {
        return;
    }
    let millis = timeout.as_millis() as u64;
    tell(
        socket,
        &json!({ "type": "welcome", "id": socket.id().to_string(), "timeout": millis }),
    );

    // Not `max_lifetime`, which says 1001: this end is planned, and no reason to come back.
    let stale = socket.clone();
    let timer = socket.hub().set_timeout(timeout, move |_| {
        // It fails only for codes that may not be sent.
        let _ = stale.close_with(1000, "Connection timeout");
    });
    socket.on(event::Close, move |_, _| {
        timer.cancel();
    });
    socket.on(event::Message, move |socket, message| {
        match checked(message.as_text()) {
            Ok(said) => relay(socket, &room, said),
            Err(why) => {
                let error =
                    json!({ "type": "error", "message": "Invalid message format", "details": why });
                tell(socket, &error);
            }
        }
    });
    socket.on(event::Error, |socket, failure| {
        let error = json!({ "type": "error", "message": "Connection error occurred", "code": code(failure) });
        tell(socket, &error);
    });
}

/// A message that makes sense: an object with a type.
fn checked(text: Option<&str>) -> Result<Value, &'static str> {
    let text = text.ok_or("Binary messages mean nothing here")?;
    let said: Value = serde_json::from_str(text).map_err(|_| "This is no JSON")?;
    match said["type"].as_str() {
        Some("") | None => Err("Invalid message type"),
        Some(_) => Ok(said),
    }
}

fn relay(socket: &Socket, room: &str, mut said: Value) {
    said["from"] = socket.id().to_string().into();
    said["timestamp"] = Utc::now()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
        .into();
    socket.broadcast_all(room, &said.to_string());
}

/// The close code that a failure leads to.
fn code(failure: &Failure) -> u16 {
    match failure {
        Failure::Violation(violation) => violation.close_code().0,
        Failure::Panic(_) => CloseCode::INTERNAL_ERROR.0,
        _ => CloseCode::ABNORMAL.0,
    }
}
