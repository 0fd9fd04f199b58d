//! What the other end of a socket hears in the kit, and how it reads it.

use std::collections::VecDeque;

use super::MASK;
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Piece, Role, Step};
use crate::proto::encoder;
use crate::proto::frame::Opcode;
use crate::proto::violation::Violation;

/// What was sent to a [`Client`](super::Client).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, if they are not [answered unheard](super::Client::ignore_pings).
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close frame: its code, 1005 if it had none, and its reason.
    Close {
        /// The code.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// The other side broke the protocol. Nothing more is heard of it.
    Violation(Violation),
}

impl From<&str> for Received {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The WebSocket side of a peer: from the bytes that come to what is received, and what is answered unasked.
#[derive(Debug)]
pub(super) struct Hearing {
    decoder: Decoder,
    /// What its own frames are masked with, if they are: those of a client.
    key: Option<[u8; 4]>,
    received: VecDeque<Received>,
    pub(super) answers_pings: bool,
    pub(super) answers_close: bool,
    has_closed: bool,
    is_closed: bool,
    is_broken: bool,
}

impl Hearing {
    pub(super) fn new(role: Role) -> Self {
        Self {
            decoder: Decoder::new(role, usize::MAX),
            key: (role == Role::Client).then_some(MASK),
            received: VecDeque::new(),
            answers_pings: true,
            answers_close: true,
            has_closed: false,
            is_closed: false,
            is_broken: false,
        }
    }

    pub(super) fn next(&mut self) -> Option<Received> {
        self.received.pop_front()
    }

    /// A close frame was sent: the server's is not answered any more.
    pub(super) fn closes(&mut self) {
        self.has_closed = true;
    }

    /// Whether it is to leave: a client when the server does, which may be so; a server when both have sent
    /// close frames (RFC 6455 §7.1.1). Not who answers no close frames.
    pub(super) fn leaves(&self, is_ended: bool) -> bool {
        let is_over = match self.key {
            Some(_) => is_ended,
            None => self.has_closed && self.is_closed,
        };
        is_over && self.answers_close
    }

    pub(super) fn key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// Reads all of `input`, and appends what is to be answered to `answer`.
    pub(super) fn read(&mut self, input: &mut [u8], answer: &mut Vec<u8>) {
        let mut rest = input;
        while !self.is_broken {
            let heard = match self.decoder.step(rest) {
                Ok(Step { piece: None, .. }) => return,
                Ok(Step {
                    used,
                    piece: Some(piece),
                }) => (used, Self::of(piece)),
                Err(violation) => {
                    self.is_broken = true;
                    return self.received.push_back(Received::Violation(violation));
                }
            };
            let (used, heard) = heard;
            self.take(heard, answer);
            rest = rest.get_mut(used..).unwrap_or_default();
        }
    }

    fn of(piece: Piece<'_>) -> Received {
        match piece {
            Piece::Text(text) => Received::Text(text.to_owned()),
            Piece::Binary(bytes) => Received::Binary(bytes.to_vec()),
            Piece::Ping(bytes) => Received::Ping(bytes.to_vec()),
            Piece::Pong(bytes) => Received::Pong(bytes.to_vec()),
            Piece::Close(code, reason) => Received::Close {
                code: code.0,
                reason: reason.to_owned(),
            },
        }
    }

    /// A ping that is answered is not heard of.
    fn take(&mut self, heard: Received, answer: &mut Vec<u8>) {
        match &heard {
            Received::Ping(payload) if self.answers_pings => {
                return encoder::encode_as(answer, Opcode::Pong, payload, self.key);
            }
            Received::Close { code, .. } if self.answers_close && !self.has_closed => {
                (self.has_closed, self.is_closed) = (true, true);
                encoder::encode_close_as(answer, CloseCode(*code), "", self.key);
            }
            Received::Close { .. } => self.is_closed = true,
            _ => {}
        }
        self.received.push_back(heard);
    }
}
