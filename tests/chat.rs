//! The chat example, as its page talks to it: a whole program, in a process of its own.
//!
//! `cargo test` builds the examples before it runs the tests.
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use common::{Client, PATIENCE, http};
use serde_json::{Value, json};

/// The program, which is killed when this is dropped.
struct Chat {
    child: Child,
    addr: SocketAddr,
}

impl Chat {
    fn start() -> Self {
        let tests = std::env::current_exe().expect("the test's own path");
        let target = tests
            .parent()
            .and_then(|deps| deps.parent())
            .expect("target/<profile>/deps");
        let program = target.join("examples").join("chat");
        let spawned = Command::new(&program)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|e| {
            panic!(
                "{}: {e}; run `cargo build --example chat`",
                program.display()
            )
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("a line");
        let addr = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|addr| addr.parse().ok());
        Self {
            child,
            addr: addr.unwrap_or_else(|| panic!("{line:?}")),
        }
    }

    /// Somebody who has come in, and what they were shown.
    fn join(&self, room: &str, user: &str) -> (Client, Value) {
        let mut client = Client::connect(self.addr, &format!("/chat/{room}?user={user}"));
        let welcome = hear(&mut client);
        assert_eq!(welcome["type"], "room-history");
        (client, welcome)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .expect("kill");
        assert!(status.success());
    }

    /// Waits for its end; gives the exit code.
    fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(client: &mut Client) -> Value {
    serde_json::from_str(&client.text()).expect("JSON")
}

fn say(client: &mut Client, what: &Value) {
    client.send(&what.to_string());
}

/// ISO 8601, in UTC, with milliseconds.
fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z" && text > "2026"
}

/// Nothing waits for this client: what it says next is the next thing that it hears.
fn hears_nothing(client: &mut Client) {
    say(
        client,
        &json!({ "type": "no such type", "clientId": "probe" }),
    );
    assert_eq!(
        hear(client),
        json!({ "type": "error", "message": "Unknown message type", "clientId": "probe" })
    );
}

#[test]
fn the_page_is_there_and_nothing_else() {
    let chat = Chat::start();
    let page = http::get(chat.addr, "/");
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(page.text().contains("<!doctype html>") || page.text().contains("<!DOCTYPE html>"));
    assert_eq!(http::get(chat.addr, "/other").status, 404);
    assert_eq!(http::get(chat.addr, "/chat/lobby").status, 426);
}

#[test]
fn those_who_come_and_go_are_announced_to_the_others() {
    let chat = Chat::start();
    let (mut ada, welcome) = chat.join("lobby", "Ada");
    let ada_is = json!({ "id": welcome["you"]["id"], "name": "Ada" });
    let expected = json!({ "type": "room-history", "room": "lobby", "you": ada_is, "messages": [], "users": [ada_is] });
    assert_eq!(welcome, expected);
    let (brook, welcome) = chat.join("lobby", "Br%C3%B6%C3%B6k%20%F0%9F%A6%8A");
    let brook_is = welcome["you"].clone();
    assert_eq!(brook_is["name"], "Bröök 🦊");
    assert_ne!(brook_is["id"], ada_is["id"]);
    let mut users: Vec<_> = welcome["users"]
        .as_array()
        .expect("users")
        .iter()
        .map(|user| user["name"].as_str())
        .collect();
    users.sort_unstable();
    assert_eq!(users, [Some("Ada"), Some("Bröök 🦊")]);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "user-joined", "user": brook_is, "userCount": 2 })
    );
    let (mut cleo, welcome) = chat.join("garden", "Cleo");
    assert_eq!(
        welcome["users"].as_array().map(Vec::len),
        Some(1),
        "another room"
    );
    drop(brook);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "user-left", "user": brook_is, "userCount": 1 })
    );
    hears_nothing(&mut cleo);
    let (_, welcome) = chat.join("lobby", "");
    assert_eq!(welcome["you"]["name"], "Anonymous");
}

#[test]
fn what_is_said_reaches_the_room_and_those_who_come_later() {
    let chat = Chat::start();
    let ((mut ada, welcome), (mut cleo, _)) =
        (chat.join("lobby", "Ada"), chat.join("garden", "Cleo"));
    let (mut brook, _) = chat.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let text = "<img src=x onerror=alert(1)> \u{1F98A} \"quoted\" \\ \n line";
    say(
        &mut ada,
        &json!({ "type": "chat", "text": text, "clientId": "mine-1" }),
    );
    let (to_ada, to_brook) = (hear(&mut ada), hear(&mut brook));
    assert_eq!(to_ada, to_brook);
    let id = to_ada["id"].as_u64().expect("a number");
    assert!(is_timestamp(&to_ada["timestamp"]), "{to_ada}");
    let timestamp = &to_ada["timestamp"];
    let expected = json!({ "type": "chat-message", "id": id, "text": text, "user": welcome["you"], "timestamp": timestamp, "clientId": "mine-1" });
    assert_eq!(to_ada, expected);
    say(&mut brook, &json!({ "type": "chat", "text": "" }));
    let second = hear(&mut ada);
    assert!(
        second["id"].as_u64() > Some(id) && second.get("clientId").is_none(),
        "{second}"
    );
    hears_nothing(&mut cleo);
    let (_, welcome) = chat.join("lobby", "Dora");
    assert_eq!(welcome["messages"], json!([to_ada, second]));
}

#[test]
fn a_newcomer_is_shown_the_last_fifty_messages() {
    let chat = Chat::start();
    let (mut ada, _) = chat.join("lobby", "Ada");
    for number in 0..120 {
        say(
            &mut ada,
            &json!({ "type": "chat", "text": number.to_string() }),
        );
        assert_eq!(hear(&mut ada)["text"], number.to_string());
    }
    let (_, welcome) = chat.join("lobby", "Brook");
    let shown = welcome["messages"].as_array().expect("messages").iter();
    let shown: Vec<_> = shown
        .map(|message| message["text"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(
        shown,
        (70..120)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
}

#[test]
fn typing_is_told_to_the_others_only() {
    let chat = Chat::start();
    let (mut ada, welcome) = chat.join("lobby", "Ada");
    let (mut brook, _) = chat.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    for typing in [true, false] {
        say(&mut ada, &json!({ "type": "typing", "isTyping": typing }));
        assert_eq!(
            hear(&mut brook),
            json!({ "type": "typing", "user": welcome["you"], "isTyping": typing })
        );
    }
    hears_nothing(&mut ada);
}

#[test]
fn a_private_message_reaches_one_and_is_confirmed() {
    let chat = Chat::start();
    let (mut ada, ada_is) = chat.join("lobby", "Ada");
    let (mut brook, brook_is) = chat.join("lobby", "Brook");
    let (mut cleo, _) = chat.join("lobby", "Cleo");
    assert_eq!(
        (
            hear(&mut ada)["type"].clone(),
            hear(&mut ada)["type"].clone()
        ),
        ("user-joined".into(), "user-joined".into())
    );
    assert_eq!(hear(&mut brook)["type"], "user-joined");
    let target = &brook_is["you"]["id"];
    say(
        &mut ada,
        &json!({ "type": "private", "targetUserId": target, "text": "psst", "clientId": "p1" }),
    );
    let heard = hear(&mut brook);
    assert!(is_timestamp(&heard["timestamp"]));
    let timestamp = &heard["timestamp"];
    assert_eq!(
        heard,
        json!({ "type": "private-message", "text": "psst", "from": ada_is["you"], "timestamp": timestamp })
    );
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "private-message-sent", "to": target, "text": "psst", "clientId": "p1" })
    );
    say(
        &mut ada,
        &json!({ "type": "private", "targetUserId": "nobody", "text": "psst", "clientId": "p2" }),
    );
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "error", "message": "User not found or offline", "clientId": "p2" })
    );
    hears_nothing(&mut cleo);
}

#[test]
fn nonsense_is_answered_with_an_error_and_survived() {
    let chat = Chat::start();
    let (mut ada, _) = chat.join("lobby", "Ada");
    let (mut brook, _) = chat.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let format = "Invalid message format";
    let cases = [
        ("not JSON", "hello", format),
        ("nothing", "", format),
        ("half a JSON", r#"{"type":"chat","text":"#, format),
        ("nested deeply", &"[".repeat(30_000), format),
        ("a number", "7", format),
        ("an array", r#"["chat"]"#, format),
        ("no type", r#"{"text":"x"}"#, format),
        (
            "a type that is no string",
            r#"{"type":7,"text":"x"}"#,
            format,
        ),
        (
            "an unknown type",
            r#"{"type":"dance"}"#,
            "Unknown message type",
        ),
        (
            "a reserved one",
            r#"{"type":"room-history"}"#,
            "Unknown message type",
        ),
        ("no text", r#"{"type":"chat"}"#, format),
        (
            "a text that is no string",
            r#"{"type":"chat","text":{"a":1}}"#,
            format,
        ),
        (
            "a private one without text",
            r#"{"type":"private","targetUserId":"0-0"}"#,
            format,
        ),
        (
            "a private one to nobody",
            r#"{"type":"private","text":"x"}"#,
            "User not found or offline",
        ),
        (
            "a private one to a number",
            r#"{"type":"private","text":"x","targetUserId":7}"#,
            "User not found or offline",
        ),
    ];
    for (name, text, message) in cases {
        ada.send(text);
        assert_eq!(
            hear(&mut ada),
            json!({ "type": "error", "message": message }),
            "{name}"
        );
    }
    ada.send_binary(br#"{"type":"chat","text":"binary"}"#);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "error", "message": format }),
        "binary"
    );
    // A wrong clientId is not given back.
    ada.send(r#"{"type":"dance","clientId":7}"#);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "error", "message": "Unknown message type" })
    );
    say(&mut ada, &json!({ "type": "chat", "text": "still here" }));
    assert_eq!(
        hear(&mut brook)["text"],
        "still here",
        "and nobody else heard of it"
    );
}

#[test]
fn a_room_whose_name_is_too_long_is_refused_with_1008() {
    let chat = Chat::start();
    let mut client = Client::connect(chat.addr, &format!("/chat/{}?user=Ada", "x".repeat(300)));
    assert_eq!(client.closed(), (1008, "bad room name".to_owned()));
    let (_ada, _) = chat.join(&"x".repeat(256), "Ada");
}

#[test]
fn a_room_forgets_when_the_last_one_leaves() {
    let chat = Chat::start();
    let (mut ada, _) = chat.join("lobby", "Ada");
    say(&mut ada, &json!({ "type": "chat", "text": "remember" }));
    hear(&mut ada);
    ada.send_close(1000, "");
    ada.expect_close(1000);
    let (_, welcome) = chat.join("lobby", "Brook");
    assert_eq!(welcome["messages"], json!([]));
}

#[test]
fn sigterm_and_sigint_close_everyone_with_1001_and_end_well() {
    for signal in ["-TERM", "-INT"] {
        let mut chat = Chat::start();
        let (mut ada, _) = chat.join("lobby", "Ada");
        let (mut brook, _) = chat.join("garden", "Brook");
        say(&mut ada, &json!({ "type": "chat", "text": "last words" }));
        assert_eq!(hear(&mut ada)["text"], "last words");
        chat.signal(signal);
        for client in [&mut ada, &mut brook] {
            assert_eq!(client.closed().0, 1001, "{signal}");
            client.try_send_close(1001);
            client.expect_end();
        }
        assert_eq!(chat.end(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_those_who_do_not_answer() {
    let mut chat = Chat::start();
    let (mut ada, _) = chat.join("lobby", "Ada");
    chat.signal("-TERM");
    assert_eq!(ada.closed().0, 1001);
    let began = Instant::now();
    chat.signal("-TERM");
    assert_eq!(chat.end(), Some(0));
    assert!(
        began.elapsed().as_secs() < 4,
        "the grace of five seconds is not waited for"
    );
}
