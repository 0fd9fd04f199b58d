//! What is said over the sockets, as JSON: notifications for somebody or for a role, and channels to
//! subscribe to.
//!
//! | they say | they hear |
//! | --- | --- |
//! | (they connect) | `authenticated` {user}, then `pending` {notifications, missed} |
//! | `subscribe` {channel} | `subscribed` {channel}, and from then on `update` {channel, data, timestamp} |
//! | `unsubscribe` {channel} | `unsubscribed` {channel} |
//! | `read` {ids} or {all: true} | `read` {ids}, on all of their connections |
//! | | `notification` {notification} |
//! | anything else | `error` {message} |
//!
//! Everybody is in the rooms `user:ID` and `role:ROLE`; a channel is the room `channel:NAME`, so that
//! nobody can subscribe to what is meant for others. The library leaves all of them at the end.

use std::cell::RefCell;
use std::rc::Rc;

use chrono::{SecondsFormat, Utc};
use rushwire::{Hub, Join, Socket, event};
use serde_json::{Value, json};

use crate::auth::{Role, User};
use crate::inbox::{Inbox, pending};
use crate::posts::Posts;

/// The longest name of a channel, in bytes.
const LONGEST_CHANNEL: usize = 100;
const CHANNEL: &str = "channel:";

/// Whom a notification is for.
pub(crate) enum Target {
    User(String),
    Role(Role),
}

impl Target {
    fn room(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Role(role) => format!("role:{}", role.name()),
        }
    }

    fn means(&self, user: &User) -> bool {
        match self {
            Self::User(id) => user.id == *id,
            Self::Role(role) => user.role == *role,
        }
    }
}

/// Everything that is kept between two messages.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) inbox: RefCell<Inbox>,
    pub(crate) posts: RefCell<Posts>,
}

impl Live {
    /// Somebody connects; `verify_client` has seen to it that they are somebody.
    pub(crate) fn welcome(self: &Rc<Self>, socket: &Socket) {
        let Some(user) = socket.data::<User>() else {
            return socket.terminate();
        };
        socket.join(&format!("user:{}", user.id));
        socket.join(&format!("role:{}", user.role.name()));
        tell(
            socket,
            &json!({ "type": "authenticated", "user": user.json() }),
        );
        let (waiting, missed) = self.inbox.borrow_mut().arrive(&user);
        tell(socket, &pending(&waiting, missed));

        let (live, reader) = (Rc::clone(self), Rc::clone(&user));
        socket.on(event::Message, move |socket, message| {
            if let Err(why) = live.hear(socket, &reader, message.as_text()) {
                tell(socket, &json!({ "type": "error", "message": why }));
            }
        });
        socket.on(event::RateLimit, |socket, limited| {
            let wait = limited.retry_after.as_millis() as u64;
            let error =
                json!({ "type": "error", "message": "Rate limit exceeded", "retryAfter": wait });
            tell(socket, &error);
        });
        let live = Rc::clone(self);
        socket.on(event::Close, move |_, _| {
            live.inbox.borrow_mut().depart(&user)
        });
    }

    /// Somebody says something. `Err` is what they are told if it makes no sense.
    fn hear(&self, socket: &Socket, user: &User, text: Option<&str>) -> Result<(), &'static str> {
        let said = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let said = said.ok_or("Invalid message format")?;
        match said["type"].as_str().ok_or("Invalid message format")? {
            "subscribe" => subscribe(socket, channel_of(&said)?),
            "unsubscribe" => {
                let channel = channel_of(&said)?;
                socket.leave(&format!("{CHANNEL}{channel}"));
                tell(
                    socket,
                    &json!({ "type": "unsubscribed", "channel": channel }),
                );
                Ok(())
            }
            "read" => self.read(socket, user, &said),
            _ => Err("Unknown message type"),
        }
    }

    /// Somebody has read something: their other connections are told as well.
    fn read(&self, socket: &Socket, user: &User, said: &Value) -> Result<(), &'static str> {
        let mut inbox = self.inbox.borrow_mut();
        let read = match (&said["all"], &said["ids"]) {
            (Value::Bool(true), _) => inbox.read(user, |_| true),
            (_, Value::Array(ids)) => inbox.read(user, |id| ids.contains(&id.into())),
            _ => return Err("Invalid message format"),
        };
        let read = json!({ "type": "read", "ids": read });
        socket.broadcast_all(&format!("user:{}", user.id), &read.to_string());
        Ok(())
    }

    /// Keeps a notification and sends it to whoever is here. Gives how many people it is for, and how
    /// many of those are away; `None`: it is for nobody who is known.
    pub(crate) fn notify(
        &self,
        hub: &Hub,
        from: &User,
        to: &Target,
        text: &str,
    ) -> Option<(usize, usize)> {
        let room = to.room();
        let from = json!({ "id": from.id, "name": from.name });
        let notification = json!({ "text": text, "from": from, "to": room, "timestamp": now() });
        let mut inbox = self.inbox.borrow_mut();
        let (notification, ids) = inbox.post(|user| to.means(user), &notification)?;
        let message = json!({ "type": "notification", "notification": notification });
        hub.to(&room).send(&message.to_string());
        Some((ids.len(), inbox.away(&ids)))
    }
}

fn subscribe(socket: &Socket, channel: &str) -> Result<(), &'static str> {
    match socket.join(&format!("{CHANNEL}{channel}")) {
        Join::Joined | Join::Already => {
            tell(socket, &json!({ "type": "subscribed", "channel": channel }));
            Ok(())
        }
        Join::BadName => Err("Invalid channel"),
        _ => Err("Too many channels"),
    }
}

fn channel_of(said: &Value) -> Result<&str, &'static str> {
    let channel = said["channel"].as_str();
    let fits = |channel: &&str| !channel.is_empty() && channel.len() <= LONGEST_CHANNEL;
    channel.filter(fits).ok_or("Invalid channel")
}

/// Tells all subscribers of a channel; gives how many there are.
pub(crate) fn publish(hub: &Hub, channel: &str, data: &Value) -> usize {
    let update = json!({ "type": "update", "channel": channel, "data": data, "timestamp": now() });
    hub.to(&format!("{CHANNEL}{channel}"))
        .send(&update.to_string())
}

/// The channels that somebody subscribes to, with how many do.
pub(crate) fn channels(hub: &Hub) -> Value {
    let rooms = hub.stats().rooms.into_iter();
    let channels = rooms.filter_map(|(room, members)| {
        let channel = room.strip_prefix(CHANNEL)?;
        Some((channel.to_owned(), members.into()))
    });
    Value::Object(channels.collect())
}

fn tell(socket: &Socket, what: &Value) {
    socket.send(&what.to_string());
}

/// The time in UTC, as `Date.parse` reads it (ISO 8601).
pub(crate) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
