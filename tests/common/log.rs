//! What listeners hear, written down on the server's thread and read in the test.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use rushwire::{Socket, event};

use super::PATIENCE;

/// Writes lines down.
#[derive(Clone)]
pub struct Pen(Sender<String>);

/// The lines, in the order in which they were written.
pub struct Log(Receiver<String>);

pub fn log() -> (Pen, Log) {
    let (sender, receiver) = mpsc::channel();
    (Pen(sender), Log(receiver))
}

impl Pen {
    pub fn note(&self, line: impl Into<String>) {
        let _ = self.0.send(line.into());
    }

    /// Writes down that a socket is open, and whatever it hears from now on.
    pub fn watch(&self, name: &str, socket: &Socket) {
        self.note(format!("{name} open"));
        let (pen, who) = (self.clone(), name.to_owned());
        socket.on(event::Message, move |_, message| {
            let text = message
                .as_text()
                .map_or_else(|| format!("{} bytes", message.len()), str::to_owned);
            pen.note(format!("{who} message {text}"));
        });
        let (pen, who) = (self.clone(), name.to_owned());
        socket.on(event::Error, move |_, failure| {
            pen.note(format!("{who} error {failure}"))
        });
        let (pen, who) = (self.clone(), name.to_owned());
        socket.on(event::Drain, move |_, drained| {
            pen.note(format!("{who} drain {}", drained.undelivered))
        });
        let (pen, who) = (self.clone(), name.to_owned());
        socket.on(event::Close, move |_, close| {
            let event::Closed {
                code,
                reason,
                by,
                cause,
                undelivered,
            } = close;
            pen.note(format!(
                "{who} close {code} {reason:?} {by:?} {cause:?} {undelivered}"
            ));
        });
    }
}

impl Log {
    /// The next line.
    pub fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("something happens")
    }

    /// The next line that begins so; others are passed over.
    pub fn find(&self, beginning: &str) -> String {
        loop {
            let line = self.next();
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// All that is written from now on until nobody is left who could write: until the server and
    /// all listeners are gone.
    pub fn rest(self) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.0.recv_timeout(left) {
                Ok(_) if left.is_zero() => panic!("somebody still writes"),
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("somebody still holds a listener after {lines:?}")
                }
            }
        }
    }
}
