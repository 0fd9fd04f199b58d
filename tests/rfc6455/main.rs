//! RFC 6455 §4–§8 as a client sees it: every MUST of a server that shows on the wire.
//!
//! The opening handshake (§4) has more cases in `tests/handshake`.

#[path = "../common/mod.rs"]
mod common;

mod bad_frames;
mod limits;
mod messages;
mod musts;
mod not_text;

use std::sync::mpsc::{self, Receiver};

use common::{PATIENCE, Server, serve_with};
use rushwire::event::{self, By, Failure};
use rushwire::{Message, Options};

/// What the application heard of one socket.
#[derive(Debug, PartialEq)]
enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Violation(u16),
    Close { code: u16, reason: String, by: By },
}

/// A server that echoes each message, and tells what it hears.
struct Echo {
    server: Server,
    heard: Receiver<Heard>,
}

impl Echo {
    fn new() -> Self {
        Self::with(Options::default)
    }

    fn with(options: impl FnOnce() -> Options + Send + 'static) -> Self {
        let (teller, heard) = mpsc::channel();
        let server = serve_with(options, move |app| {
            app.ws("/", move |socket, _| {
                let tell = teller.clone();
                socket.on(event::Message, move |socket, message| {
                    socket.send(message);
                    let _ = tell.send(match message {
                        Message::Text(text) => Heard::Text(text.to_owned()),
                        Message::Binary(bytes) => Heard::Binary(bytes.to_owned()),
                    });
                });
                let tell = teller.clone();
                socket.on(event::Ping, move |_, payload| {
                    drop(tell.send(Heard::Ping(payload.to_owned())))
                });
                let tell = teller.clone();
                socket.on(event::Pong, move |_, payload| {
                    drop(tell.send(Heard::Pong(payload.to_owned())))
                });
                let tell = teller.clone();
                socket.on(event::Error, move |_, failure| {
                    if let Failure::Violation(violation) = failure {
                        let _ = tell.send(Heard::Violation(violation.close_code().0));
                    }
                });
                let tell = teller.clone();
                socket.on(event::Close, move |_, closed| {
                    let (code, reason, by) = (closed.code.0, closed.reason.to_owned(), closed.by);
                    let _ = tell.send(Heard::Close { code, reason, by });
                });
            });
        });
        Self { server, heard }
    }

    fn heard(&self) -> Heard {
        self.heard
            .recv_timeout(PATIENCE)
            .expect("the application hears something")
    }

    /// What it heard of a socket that has gone, up to its end.
    fn heard_to_the_end(&self) -> Vec<Heard> {
        let mut all = Vec::new();
        while !matches!(all.last(), Some(Heard::Close { .. })) {
            all.push(self.heard());
        }
        all
    }
}
