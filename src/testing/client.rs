//! The other end of a socket: a peer that speaks WebSocket.

use std::fmt;

use super::MASK;
use super::answer::Answer;
use super::connection::Connection;
use super::line::Line;
use super::received::{Hearing, Received};
use crate::proto::close::CloseCode;
use crate::proto::encoder;
use crate::proto::frame::Opcode;
use crate::ws::into_message::IntoMessage;

/// A client's socket at a [`TestServer`](super::TestServer); or, at the other end of a connection that the
/// application has made, that of [a server](super::Dialed::accept), which is the same but for masking.
///
/// As a browser does, it answers pings and close frames by itself, and takes all that the server sends
/// as soon as it is sent, unless told otherwise. Dropping it is a closed tab: FIN without a close frame,
/// or RST if something was left unread.
pub struct Client {
    connection: Connection,
}

impl Client {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The answer to the opening handshake: 101, or a refusal. `None` as long as there is none.
    pub fn answer(&mut self) -> Option<Answer> {
        self.opened()
            .map(|opened| opened.unwrap_or_else(|refused| refused))
    }

    pub(super) fn opened(&self) -> Option<Result<Answer, Answer>> {
        let opened = |line: &mut Line| {
            let opened = line.opened()?;
            Some(opened.cloned().map_err(Answer::clone))
        };
        self.connection.await_now(opened)
    }

    /// The subprotocol that is spoken, if one was agreed on.
    pub fn protocol(&mut self) -> Option<String> {
        let answer = self.answer()?;
        answer.header("sec-websocket-protocol").map(str::to_owned)
    }

    /// Sends a message: what a socket's `send` takes.
    ///
    /// # Panics
    ///
    /// If there is no message to be sent, with the reason.
    #[track_caller]
    pub fn send(&mut self, message: impl IntoMessage) {
        let (mut bytes, key) = (Vec::new(), self.key());
        let made = message.with_message(|message| {
            encoder::encode_as(&mut bytes, message.opcode(), message.as_bytes(), key);
        });
        assert_eq!(made, Ok(()), "there is no message to be sent");
        self.send_raw(bytes);
    }

    /// Sends a ping. Its payload should have at most 125 bytes.
    pub fn ping(&mut self, payload: &[u8]) {
        self.send_frame(Opcode::Ping, payload);
    }

    /// Sends a pong.
    pub fn pong(&mut self, payload: &[u8]) {
        self.send_frame(Opcode::Pong, payload);
    }

    /// Closes with 1000 and no reason: [`close_with`](Self::close_with).
    pub fn close(&mut self) {
        self.close_with(1000, "");
    }

    /// Sends a close frame with any code, 1005 for one without, and as much of `reason` as fits. The
    /// server's is received next.
    pub fn close_with(&mut self, code: u16, reason: &str) {
        let mut bytes = Vec::new();
        encoder::encode_close_as(&mut bytes, CloseCode(code), reason, self.key());
        self.set(Hearing::closes);
        self.send_raw(bytes);
    }

    /// Sends bytes as they are: frames that are right or wrong, whole or in part.
    pub fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.connection.send(bytes);
    }

    /// What comes next, or `None` if there is nothing now.
    pub fn recv(&mut self) -> Option<Received> {
        self.connection.await_now(Line::next_received)
    }

    /// All that has come and was not given yet.
    pub fn recv_all(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.recv()).collect()
    }

    /// What comes next, which is text.
    ///
    /// # Panics
    ///
    /// If it is anything else, or nothing, with what it is.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn text(&mut self) -> String {
        match self.recv() {
            Some(Received::Text(text)) => text,
            other => panic!("text was expected, and there is {other:?}"),
        }
    }

    /// What comes next, which is a binary message.
    ///
    /// # Panics
    ///
    /// If it is anything else, or nothing, with what it is.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn binary(&mut self) -> Vec<u8> {
        match self.recv() {
            Some(Received::Binary(bytes)) => bytes,
            other => panic!("a binary message was expected, and there is {other:?}"),
        }
    }

    /// What comes next, which is a close frame: its code, 1005 if it had none, and its reason.
    ///
    /// # Panics
    ///
    /// If it is anything else, or nothing, with what it is.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn closed(&mut self) -> (u16, String) {
        match self.recv() {
            Some(Received::Close { code, reason }) => (code, reason),
            other => panic!("a close frame was expected, and there is {other:?}"),
        }
    }

    /// Answers no pings from now on: they are received.
    pub fn ignore_pings(&mut self) {
        self.set(|hearing| hearing.answers_pings = false);
    }

    /// Does not answer the server's close frame, and does not leave when the server does.
    pub fn ignore_close(&mut self) {
        self.set(|hearing| hearing.answers_close = false);
    }

    /// [`Connection::is_ended`].
    pub fn is_ended(&self) -> bool {
        self.connection.is_ended()
    }

    /// [`Connection::stop_reading`].
    pub fn stop_reading(&mut self) {
        self.connection.stop_reading();
    }

    /// [`Connection::read_on`].
    pub fn read_on(&mut self) {
        self.connection.read_on();
    }

    /// [`Connection::finish`].
    pub fn finish(&mut self) {
        self.connection.finish();
    }

    /// [`Connection::reset`].
    pub fn reset(self) {
        self.connection.reset();
    }

    /// [`Connection::vanish`].
    pub fn vanish(self) {
        self.connection.vanish();
    }

    fn send_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        encoder::encode_as(&mut bytes, opcode, payload, self.key());
        self.send_raw(bytes);
    }

    /// What its frames are masked with. Who has no answer yet is a client.
    fn key(&self) -> Option<[u8; 4]> {
        let mut line = self.connection.line();
        line.hearing().map_or(Some(MASK), |hearing| hearing.key())
    }

    fn set(&mut self, set: impl FnOnce(&mut Hearing)) {
        self.connection.line().hearing().map(set);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.connection).finish()
    }
}
