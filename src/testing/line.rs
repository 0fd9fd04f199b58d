//! The test's end of one connection: it sends what the network takes, and reads what has come.

use super::KEY;
use super::answer::{self, Answer};
use super::received::{Hearing, Received};
use crate::net::memory::End;
use crate::proto::decoder::Role;
use crate::proto::handshake;

/// How many bytes are read at once.
const CHUNK: usize = 16 * 1024;

/// The test's end of one connection.
#[derive(Debug)]
pub(super) struct Line {
    /// `None` when this side is gone.
    end: Option<End>,
    /// What the network has not taken yet.
    unsent: Vec<u8>,
    /// FIN is behind that.
    finishes: bool,
    is_reading: bool,
    /// The server's FIN or RST has been read.
    is_ended: bool,
    /// What has come, and was not looked at yet.
    pub(super) came: Vec<u8>,
    state: State,
}

/// What is spoken.
#[derive(Debug)]
enum State {
    /// What the test makes of it.
    Bytes,
    /// An opening handshake was sent, with these subprotocols.
    Opening(Vec<String>),
    Open(Box<Open>),
    Refused(Answer),
}

#[derive(Debug)]
struct Open {
    answer: Answer,
    hearing: Hearing,
}

impl Line {
    pub(super) fn new(end: Option<End>) -> Self {
        Self {
            end,
            unsent: Vec::new(),
            finishes: false,
            is_reading: true,
            is_ended: false,
            came: Vec::new(),
            state: State::Bytes,
        }
    }

    /// The request was answered so, with 101: what comes is frames of a client.
    pub(super) fn accepts(&mut self, answer: Answer) {
        self.state = State::Open(Box::new(Open {
            answer,
            hearing: Hearing::new(Role::Server),
        }));
        self.understand();
    }

    /// An opening handshake is sent: what comes is its answer, and then frames.
    pub(super) fn opens(&mut self, protocols: Vec<String>) {
        self.state = State::Opening(protocols);
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
        self.write();
    }

    /// Sends FIN behind all that was sent.
    pub(super) fn finish(&mut self) {
        self.finishes = true;
        self.write();
    }

    pub(super) fn read_on(&mut self, is_reading: bool) {
        self.is_reading = is_reading;
    }

    /// Whether the server has ended the connection, as far as it was read.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended || self.end.is_none()
    }

    /// This side is gone at once, without a word.
    pub(super) fn vanish(&mut self) {
        if let Some(end) = self.end.take() {
            end.vanish();
        }
    }

    /// This side is gone at once, with RST.
    pub(super) fn reset(&mut self) {
        if let Some(end) = self.end.take() {
            end.reset();
        }
    }

    /// The next answer of HTTP; `to_head` says that the request was HEAD.
    pub(super) fn next_answer(&mut self, to_head: bool) -> Option<Answer> {
        let taken = answer::take(&mut self.came, self.is_ended, to_head);
        taken.map(|(_, answer)| answer)
    }

    /// How the opening handshake was answered: by 101, or by a refusal.
    pub(super) fn opened(&self) -> Option<Result<&Answer, &Answer>> {
        match &self.state {
            State::Bytes | State::Opening(_) => None,
            State::Open(open) => Some(Ok(&open.answer)),
            State::Refused(answer) => Some(Err(answer)),
        }
    }

    pub(super) fn hearing(&mut self) -> Option<&mut Hearing> {
        match &mut self.state {
            State::Open(open) => Some(&mut open.hearing),
            _ => None,
        }
    }

    pub(super) fn next_received(&mut self) -> Option<Received> {
        self.hearing().and_then(Hearing::next)
    }

    /// Sends what can be sent, reads what is there, and answers what is answered unasked.
    pub(super) fn pump(&mut self) {
        self.write();
        if self.is_reading {
            self.read();
            self.understand();
        }
    }

    fn write(&mut self) {
        let Some(end) = &self.end else {
            return self.unsent.clear();
        };
        let mut sent = 0;
        while let Some(rest) = self.unsent.get(sent..).filter(|rest| !rest.is_empty()) {
            match end.write(rest) {
                Ok(n) => sent += n,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                // Nobody will ever read it.
                Err(_) => sent = self.unsent.len(),
            }
        }
        self.unsent.drain(..sent);
        if self.finishes && self.unsent.is_empty() {
            // There is nobody left to be told, if it fails.
            let _ = end.finish();
            self.finishes = false;
        }
    }

    fn read(&mut self) {
        let Some(end) = self.end.as_ref().filter(|_| !self.is_ended) else {
            return;
        };
        let mut chunk = [0; CHUNK];
        loop {
            match end.read(&mut chunk) {
                Ok(0) => break self.is_ended = true,
                Ok(n) => self.came.extend(chunk.iter().take(n)),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => break self.is_ended = true,
            }
        }
    }

    fn understand(&mut self) {
        if let State::Opening(protocols) = &self.state
            && let Some((head, answer)) = answer::take(&mut self.came, self.is_ended, false)
        {
            self.state = match handshake::check_response(&head, KEY, protocols) {
                Ok(_) => State::Open(Box::new(Open {
                    answer,
                    hearing: Hearing::new(Role::Client),
                })),
                Err(_) => State::Refused(answer),
            };
        }
        if let State::Open(open) = &mut self.state {
            let mut came = std::mem::take(&mut self.came);
            open.hearing.read(&mut came, &mut self.unsent);
            self.finishes |= open.hearing.leaves(self.is_ended);
            self.write();
        }
    }
}
