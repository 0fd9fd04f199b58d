//! `/limited/:room`: a room for so many. Who finds it full is told so, and sent away for now.

use rushwire::{Join, Socket, event};
use serde_json::json;

use crate::tell;

/// Somebody comes in.
pub(crate) fn welcome(socket: &Socket, name: &str, capacity: usize) {
    let room = format!("limited:{name}");
    if !enter(socket, &room) {
        return;
    }
    let members = socket.hub().room(&room).len();
    let joined =
        json!({ "type": "joined", "room": name, "members": members, "capacity": capacity });
    tell(socket, &joined);
    announce(socket, &room);
    let relayed = room.clone();
    socket.on(event::Message, move |socket, message| {
        socket.broadcast(&relayed, message);
    });
    socket.on(event::Close, move |socket, _| announce(socket, &room));
}

/// Joins a room that has a place left: looking and joining are one step, so that no two can have the
/// last place. Whoever has none is told, and closed with 1013, "try again later".
pub(crate) fn enter(socket: &Socket, room: &str) -> bool {
    let (code, why) = match socket.join(room) {
        Join::Joined | Join::Already => return true,
        Join::Full => (1013, "Room is full"),
        _ => (1008, "Bad room name"),
    };
    tell(socket, &json!({ "error": why }));
    // It fails only for codes that may not be sent.
    let _ = socket.close_with(code, why);
    false
}

/// Tells the others how many there are.
fn announce(socket: &Socket, room: &str) {
    let members = socket.hub().room(room).len();
    let message = json!({ "type": "members", "members": members });
    socket.broadcast(room, &message.to_string());
}
