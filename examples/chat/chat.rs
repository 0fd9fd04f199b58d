//! The sockets: who comes, goes and moves, and what they say to whom. Everything is JSON in text.
//!
//! A newcomer hears `authenticated` (with a token), `room-info` and `room-history`; who moves hears
//! `room-switched` and the latter two. The others in a room hear `user-joined`, `user-left`,
//! `chat-message`, `typing` and `announcement`; `private-message` goes to one person in whatever room,
//! and its author hears `private-message-sent`. `system_message` comes from the admin. What makes no
//! sense is answered by `error`, and the connection stays. `said.rs` lists what people may say; a
//! `clientId` that comes with it is given back, so that its author knows the answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chrono::{SecondsFormat, Utc};
use rushwire::{Hub, Socket, event};
use serde_json::{Value, json};

use crate::auth::User;
use crate::rooms::Rooms;
use crate::said::{Said, error};

/// Chat rooms and people are rooms of the hub, and must not be mistaken for each other.
const ROOM: &str = "room:";
const USER: &str = "user:";
/// The longest name of a chat room, in bytes.
const LONGEST_ROOM: usize = 256;

/// What [`Options::max_room_name`](rushwire::Options) has to allow, in bytes.
pub(crate) const fn longest_room_name() -> usize {
    ROOM.len() + LONGEST_ROOM
}

/// The chat room that a socket is in.
struct Place(String);

/// All rooms of the chat.
#[derive(Default)]
pub(crate) struct Chat {
    rooms: RefCell<Rooms>,
    said: Cell<u64>,
}

impl Chat {
    /// Somebody comes in.
    pub(crate) fn welcome(self: &Rc<Self>, socket: &Socket, room: &str) {
        let user = socket.data::<User>();
        let user = user.expect("verify_client lets nobody in without a user");
        socket.join(&format!("{USER}{}", user.id));
        if !socket.join(&format!("{ROOM}{room}")).is_in() {
            // It fails only for codes that may not be sent.
            let _ = socket.close_with(1008, "bad room name");
            return;
        }
        if !user.guest {
            let event = json!({ "type": "authenticated", "user": user.json(), "roomId": room });
            socket.send(&event.to_string());
        }
        self.enter(socket, &user, room);
        self.listen(socket);
    }

    fn listen(self: &Rc<Self>, socket: &Socket) {
        let chat = Rc::clone(self);
        socket.on(event::Message, move |socket, message| {
            if let Err(answer) = chat.hear(socket, message.as_text()) {
                socket.send(&answer.to_string());
            }
        });
        socket.on(event::RateLimit, |socket, limited| {
            let mut answer = error("Rate limit exceeded");
            answer["retryAfter"] = json!(limited.retry_after.as_millis() as u64);
            socket.send(&answer.to_string());
        });
        socket.on(event::Error, |socket, failure| {
            let mut answer = error("Connection error occurred");
            if let event::Failure::Violation(violation) = failure {
                answer["code"] = json!(violation.close_code().0);
            }
            socket.send(&answer.to_string());
        });
        let chat = Rc::clone(self);
        socket.on(event::Close, move |socket, _| {
            if let (Some(user), Some(place)) = (socket.data::<User>(), socket.data::<Place>()) {
                chat.leave(socket, &user, &place.0);
            }
        });
    }

    /// Somebody says something. `Err` is what they are told if it makes no sense.
    fn hear(&self, socket: &Socket, text: Option<&str>) -> Result<(), Value> {
        let message: Value = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| error("Invalid message format"))?;
        let client_id = message["clientId"].as_str();
        let said = Said::read(&message);
        said.and_then(|said| self.answer(socket, said, client_id))
            .map_err(|why| named(error(why), client_id))
    }

    fn answer(
        &self,
        socket: &Socket,
        said: Said<'_>,
        client_id: Option<&str>,
    ) -> Result<(), &'static str> {
        let (Some(user), Some(place)) = (socket.data::<User>(), socket.data::<Place>()) else {
            return Err("Not in a room");
        };
        let (room, user_json) = (format!("{ROOM}{}", place.0), user.json());
        match said {
            Said::Chat(text) => self.say(socket, &user, &place.0, text, client_id),
            Said::Announce(text) => {
                let event = json!({ "type": "announcement", "text": text, "user": user_json, "timestamp": now() });
                socket.broadcast_all(&room, &named(event, client_id).to_string());
            }
            Said::Private { to, text } => whisper(socket, &user, to, text, client_id)?,
            Said::Typing(typing) => {
                let event = json!({ "type": "typing", "user": user_json, "isTyping": typing });
                socket.broadcast(&room, &event.to_string());
            }
            Said::Switch(to) => self.switch(socket, &user, &place.0, to)?,
            Said::RoomInfo => self.send_info(socket, &place.0),
        }
        Ok(())
    }

    fn say(&self, socket: &Socket, user: &User, room: &str, text: &str, client_id: Option<&str>) {
        self.said.set(self.said.get() + 1);
        let message = json!({
            "type": "chat-message", "id": self.said.get(), "text": text, "roomId": room,
            "user": user.json(), "timestamp": now(),
        });
        let message = named(message, client_id);
        socket.broadcast_all(&format!("{ROOM}{room}"), &message.to_string());
        self.rooms.borrow_mut().keep(room, message);
    }

    fn switch(
        &self,
        socket: &Socket,
        user: &User,
        from: &str,
        to: &str,
    ) -> Result<(), &'static str> {
        if to != from {
            if to.is_empty() || !socket.join(&format!("{ROOM}{to}")).is_in() {
                return Err("Bad room name");
            }
            socket.leave(&format!("{ROOM}{from}"));
            self.leave(socket, user, from);
        }
        let words = format!("Switched to room: {to}");
        let event = json!({ "type": "room-switched", "roomId": to, "message": words });
        socket.send(&event.to_string());
        match to == from {
            true => self.show(socket, user, to),
            false => self.enter(socket, user, to),
        }
        Ok(())
    }

    /// Shows the room to someone who has joined it, and them to the room.
    fn enter(&self, socket: &Socket, user: &User, room: &str) {
        socket.set(Place(room.to_owned()));
        let is_new = self.rooms.borrow_mut().enter(room, user);
        self.show(socket, user, room);
        if is_new {
            self.announce(socket, user, room, "joined");
        }
    }

    /// Somebody has left.
    fn leave(&self, socket: &Socket, user: &User, room: &str) {
        let is_gone = self.rooms.borrow_mut().leave(room, user);
        if is_gone {
            self.announce(socket, user, room, "left");
        }
    }

    /// Tells the others in a room who has come or left.
    fn announce(&self, socket: &Socket, user: &User, room: &str, what: &str) {
        let event = json!({
            "type": format!("user-{what}"), "user": user.json(),
            "message": format!("{} {what} room {room}", user.name),
            "userCount": self.rooms.borrow().count(room),
        });
        socket.broadcast(&format!("{ROOM}{room}"), &event.to_string());
    }

    /// Shows how many are in a room, who they are, and what was said last.
    fn show(&self, socket: &Socket, user: &User, room: &str) {
        self.send_info(socket, room);
        let rooms = self.rooms.borrow();
        let history = json!({
            "type": "room-history", "roomId": room, "you": user.json(),
            "users": rooms.people(room), "messages": rooms.recent(room),
        });
        socket.send(&history.to_string());
    }

    fn send_info(&self, socket: &Socket, room: &str) {
        let count = self.rooms.borrow().count(room);
        let info = json!({ "type": "room-info", "roomId": room, "userCount": count });
        socket.send(&info.to_string());
    }

    /// What `GET /rooms` shows.
    pub(crate) fn all_rooms(&self) -> Value {
        self.rooms.borrow().all()
    }

    /// What `GET /rooms/:room/info` shows.
    pub(crate) fn room_info(&self, hub: &Hub, room: &str) -> Value {
        let connections = hub.room(&format!("{ROOM}{room}")).len();
        let rooms = self.rooms.borrow();
        json!({ "room": room, "connections": connections, "messages": rooms.history(room) })
    }
}

/// Tells something to everyone in a room, or to everyone. Gives how many were reached.
pub(crate) fn tell(hub: &Hub, room: Option<&str>, message: &str) -> usize {
    let event = json!({ "type": "system_message", "message": message, "timestamp": now() });
    let room = room.map(|room| format!("{ROOM}{room}"));
    hub.ws_broadcast(&event.to_string(), room.as_deref())
}

/// A message for one person, in all of their windows.
fn whisper(
    socket: &Socket,
    user: &User,
    to: &str,
    text: &str,
    client_id: Option<&str>,
) -> Result<(), &'static str> {
    let message =
        json!({ "type": "private-message", "text": text, "from": user.json(), "timestamp": now() });
    let reached = socket
        .hub()
        .to(&format!("{USER}{to}"))
        .send(&message.to_string());
    if reached == 0 {
        return Err("User not found or offline");
    }
    let receipt = json!({ "type": "private-message-sent", "to": to, "text": text });
    socket.send(&named(receipt, client_id).to_string());
    Ok(())
}

/// Gives a message the name that its author gave it.
fn named(mut message: Value, client_id: Option<&str>) -> Value {
    if let Some(id) = client_id {
        message["clientId"] = id.into();
    }
    message
}

/// The time in UTC, as `Date.parse` reads it (ISO 8601).
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
