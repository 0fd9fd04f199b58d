//! A chat with rooms: history, typing, private messages, and a page to use it from.
//!
//! ```text
//! cargo run --release --example chat
//! cargo run --release --example chat -- 0.0.0.0:8080
//! ```
//!
//! The page is at `/`, the sockets are at `/chat/:room?user=NAME`. SIGTERM and Ctrl-C shut the
//! server down: everyone hears 1001, and what was said before is delivered.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rushwire::{App, Hub, Options, Remote, Request, Socket, SocketId, event};
use serde_json::{Value, json};

/// How many messages of a room are kept, and how many of them a newcomer is shown.
const KEPT: usize = 100;
const SHOWN: usize = 50;
/// The longest message in bytes: a newcomer is shown many of them at once.
const LONGEST: usize = 32 * 1024;
/// How long those who are connected have to read what was said before a shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// Who somebody is: what their socket carries.
struct User {
    name: String,
    room: String,
}

impl User {
    fn json(&self, id: SocketId) -> Value {
        json!({ "id": id.to_string(), "name": self.name })
    }
}

/// What was said in each room that somebody is in.
#[derive(Default)]
struct Chat {
    history: RefCell<HashMap<String, VecDeque<Value>>>,
    said: Cell<u64>,
}

fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let mut app = App::with(Options {
        max_message_size: LONGEST,
        ..Options::default()
    });
    app.get("/", |ctx| ctx.html(include_str!("chat.html")));

    let chat = Rc::new(Chat::default());
    app.ws("/chat/:room", move |socket, request| {
        chat.welcome(socket, request)
    });

    shut_down_on_signals(app.remote())?;
    app.listen(&address, |address| {
        println!("listening on http://{address}")
    })
}

impl Chat {
    /// Somebody comes in.
    fn welcome(self: &Rc<Self>, socket: &Socket, request: &Request) {
        let name = request
            .query("user")
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .unwrap_or("Anonymous");
        let user = User {
            name: name.chars().take(40).collect(),
            room: request.param("room").to_owned(),
        };
        if !socket.join(&user.room).is_in() {
            // It fails only for codes that may not be sent.
            let _ = socket.close_with(1008, "bad room name");
            return;
        }
        self.show_history(socket, &user);
        announce(socket, &user, "user-joined");
        socket.set(user);

        let chat = Rc::clone(self);
        socket.on(event::Message, move |socket, message| {
            if let Err(reply) = chat.hear(socket, message.as_text()) {
                socket.send(&reply.to_string());
            }
        });
        let chat = Rc::clone(self);
        socket.on(event::Close, move |socket, _| chat.farewell(socket));
    }

    /// Shows a newcomer what was said last, and who is here.
    fn show_history(&self, socket: &Socket, user: &User) {
        let history = self.history.borrow();
        let messages = history.get(&user.room).map_or(Vec::new(), |kept| {
            kept.iter()
                .skip(kept.len().saturating_sub(SHOWN))
                .cloned()
                .collect()
        });
        let mut users = everyone(socket.hub(), &user.room);
        users.push(user.json(socket.id()));
        let welcome = json!({ "type": "room-history", "room": user.room, "you": user.json(socket.id()), "messages": messages, "users": users });
        socket.send(&welcome.to_string());
    }

    /// Somebody says something. `Err` is what they are told if it makes no sense.
    fn hear(&self, socket: &Socket, text: Option<&str>) -> Result<(), Value> {
        let said: Value = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| error("Invalid message format", &Value::Null))?;
        let user = socket
            .data::<User>()
            .ok_or_else(|| error("Not in a room", &said["clientId"]))?;
        match said["type"].as_str() {
            Some("chat") => self.say(socket, &user, &said),
            Some("typing") => {
                let typing = said["isTyping"].as_bool().unwrap_or(false);
                let event =
                    json!({ "type": "typing", "user": user.json(socket.id()), "isTyping": typing });
                socket.broadcast(&user.room, &event.to_string());
                Ok(())
            }
            Some("private") => whisper(socket, &user, &said),
            Some(_) => Err(error("Unknown message type", &said["clientId"])),
            None => Err(error("Invalid message format", &said["clientId"])),
        }
    }

    fn say(&self, socket: &Socket, user: &User, said: &Value) -> Result<(), Value> {
        self.said.set(self.said.get() + 1);
        let mut message = json!({
            "type": "chat-message", "id": self.said.get(), "text": text_of(said)?,
            "user": user.json(socket.id()), "timestamp": now(),
        });
        if let Some(id) = said["clientId"].as_str() {
            message["clientId"] = id.into();
        }
        socket.broadcast_all(&user.room, &message.to_string());
        let mut history = self.history.borrow_mut();
        let kept = history.entry(user.room.clone()).or_default();
        kept.push_back(message);
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(())
    }

    /// Somebody has left. The last one takes the history along.
    fn farewell(&self, socket: &Socket) {
        let Some(user) = socket.data::<User>() else {
            return;
        };
        announce(socket, &user, "user-left");
        if socket.hub().room(&user.room).is_empty() {
            self.history.borrow_mut().remove(&user.room);
        }
    }
}

/// Tells the others in the room who has come or left.
fn announce(socket: &Socket, user: &User, what: &str) {
    let count = socket.hub().room(&user.room).len();
    let event = json!({ "type": what, "user": user.json(socket.id()), "userCount": count });
    socket.broadcast(&user.room, &event.to_string());
}

/// A message for one pair of eyes.
fn whisper(socket: &Socket, user: &User, said: &Value) -> Result<(), Value> {
    let text = text_of(said)?;
    let to = said["targetUserId"].as_str().unwrap_or_default();
    let found = to.parse().ok().and_then(|id| socket.hub().socket(id));
    let target = found.ok_or_else(|| error("User not found or offline", &said["clientId"]))?;
    let message = json!({ "type": "private-message", "text": text, "from": user.json(socket.id()), "timestamp": now() });
    target.send(&message.to_string());
    let mut receipt = json!({ "type": "private-message-sent", "to": to, "text": text });
    if let Some(id) = said["clientId"].as_str() {
        receipt["clientId"] = id.into();
    }
    socket.send(&receipt.to_string());
    Ok(())
}

/// Everyone in a room who has introduced themselves.
fn everyone(hub: &Hub, room: &str) -> Vec<Value> {
    let members = hub.room(room).members();
    members
        .iter()
        .filter_map(|socket| Some(socket.data::<User>()?.json(socket.id())))
        .collect()
}

fn text_of(said: &Value) -> Result<&str, Value> {
    said["text"]
        .as_str()
        .ok_or_else(|| error("Invalid message format", &said["clientId"]))
}

/// The answer to a message that makes no sense; it names the message if that had a name.
fn error(why: &str, client_id: &Value) -> Value {
    let mut error = json!({ "type": "error", "message": why });
    if client_id.is_string() {
        error["clientId"] = client_id.clone();
    }
    error
}

/// The time in UTC, as `Date.parse` reads it (ISO 8601).
fn now() -> String {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    // Days to a date, by eras of 400 years that begin in March.
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let (day, month) = (
        of_year - (153 * m + 2) / 5 + 1,
        if m < 10 { m + 3 } else { m - 9 },
    );
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (h, min, s, ms) = (
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1_000 % 60,
        rest % 1_000,
    );
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{min:02}:{s:02}.{ms:03}Z")
}

/// SIGTERM and Ctrl-C end the server politely, the second time at once.
#[cfg(unix)]
fn shut_down_on_signals(remote: Remote) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        let mut grace = GRACE;
        for _ in signals.forever() {
            if remote.shutdown(grace).is_err() {
                return;
            }
            grace = Duration::ZERO;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn shut_down_on_signals(_remote: Remote) -> std::io::Result<()> {
    Ok(())
}
