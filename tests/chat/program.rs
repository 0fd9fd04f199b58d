//! The program, and somebody who signs in.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use serde_json::{Value, json};

use crate::common::Client;
use crate::common::example::{self, Example};
pub(crate) use crate::common::example::{hear, say};
use crate::common::http::{self, Answer};

/// The program, which is killed when this is dropped.
pub(crate) struct Chat(Example);

impl Deref for Chat {
    type Target = Example;

    fn deref(&self) -> &Example {
        &self.0
    }
}

impl DerefMut for Chat {
    fn deref_mut(&mut self) -> &mut Example {
        &mut self.0
    }
}

/// The program as it is started, on a free port and with nothing but `settings` in its environment.
pub(crate) fn command(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = example::command("chat");
    command
        .env_remove("CHAT_SECRET")
        .env_remove("CHAT_ADMIN_TOKEN");
    command
        .args(arguments)
        .arg("127.0.0.1:0")
        .envs(settings.iter().copied());
    command
}

impl Chat {
    pub(crate) fn start() -> Self {
        Self::with(&[], &[])
    }

    pub(crate) fn with(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self(Example::run(command(arguments, settings)))
    }

    /// A token for a name.
    pub(crate) fn login(&self, name: &str) -> String {
        let answer = self.post("/api/login", "", &json!({ "name": name }).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        json_of(&answer)["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Somebody new who has come in, and the history that they were shown.
    pub(crate) fn join(&self, room: &str, name: &str) -> (Client, Value) {
        self.enter(room, &self.login(name))
    }

    /// Somebody who has come in with a token, and the history that they were shown.
    pub(crate) fn enter(&self, room: &str, token: &str) -> (Client, Value) {
        let mut client = Client::connect(self.addr, &format!("/chat/{room}?token={token}"));
        assert_eq!(hear(&mut client)["type"], "authenticated");
        let welcome = shown(&mut client);
        (client, welcome)
    }

    pub(crate) fn get(&self, path: &str, headers: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        http::request(self.addr, request)
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let len = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n");
        http::request(self.addr, format!("{head}{headers}\r\n{body}"))
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    assert_eq!(
        answer.header("content-type"),
        Some("application/json"),
        "{answer:?}"
    );
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// The history of a room that somebody has come to, after how many are there.
pub(crate) fn shown(client: &mut Client) -> Value {
    let (info, history) = (hear(client), hear(client));
    assert_eq!(
        (&info["type"], &history["type"]),
        (&json!("room-info"), &json!("room-history"))
    );
    let users = history["users"].as_array().expect("users");
    assert_eq!(info["userCount"], users.len(), "{info}");
    assert_eq!(info["roomId"], history["roomId"]);
    history
}

/// Says something, and takes one's own copy of it.
pub(crate) fn chat(client: &mut Client, text: &str) -> Value {
    say(client, &json!({ "type": "chat", "text": text }));
    let heard = hear(client);
    assert_eq!(
        (&heard["type"], &heard["text"]),
        (&json!("chat-message"), &json!(text))
    );
    heard
}

/// Nothing waits for this client: what it says next is the next thing that it hears.
pub(crate) fn hears_nothing(client: &mut Client) {
    say(
        client,
        &json!({ "type": "no such type", "clientId": "probe" }),
    );
    assert_eq!(
        hear(client),
        json!({ "type": "error", "message": "Unknown message type", "clientId": "probe" })
    );
}

/// The names of those in a room, sorted.
pub(crate) fn names(history: &Value) -> Vec<&str> {
    let users = history["users"].as_array().expect("users");
    let mut names: Vec<_> = users
        .iter()
        .map(|user| user["name"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    names
}

/// ISO 8601, in UTC, with milliseconds.
pub(crate) fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = text.chars().map(digit).collect();
    shape == "0000-00-00T00:00:00.000Z" && text > "2026"
}
