//! Custom events and JSON (feature `json`): a text message that is an object with a `type` goes to the
//! listeners of that name, is answered once if it asks for it, and whatever is hostile is an ordinary
//! message.

#![cfg(feature = "json")]

#[path = "../common/mod.rs"]
mod common;

mod acks;
mod events;
mod hostile;
mod http;
mod laws;
mod sending;
mod typed;

use common::log::{Log, Pen, log};
use common::{Client, Server, serve};
use rushwire::{App, Report, Socket, event};
use serde_json::{Value, json};

/// The next message, which is JSON.
fn recv(client: &mut Client) -> Value {
    let text = client.text();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn send(client: &mut Client, value: &Value) {
    client.send(&value.to_string());
}

/// Answers each message that is no event with `{"type":"message","data":…}`.
fn echo_messages(socket: &Socket) {
    socket.on(event::Message, |socket, message| {
        let text = message.as_text().map_or_else(
            || json!({ "bytes": message.as_bytes() }),
            |text| json!(text),
        );
        socket.emit("message", text);
    });
}

/// The echo of a message that was no event.
fn message(text: &str) -> Value {
    json!({ "type": "message", "data": text })
}

/// A server with one route, `/`, and what it reports.
fn serve_one(open: impl Fn(&Socket) + Send + 'static) -> (Server, Log) {
    let (pen, log) = log();
    let server = serve(move |app| {
        report_to(app, pen);
        app.ws("/", move |socket, _| open(socket));
    });
    (server, log)
}

fn report_to(app: &mut App, pen: Pen) {
    app.on_error(move |report: &Report| pen.note(report.to_string()));
}

/// Fails unless the socket is still open and hears.
fn expect_alive(client: &mut Client) {
    client.send("still there?");
    assert_eq!(recv(client), message("still there?"));
}
