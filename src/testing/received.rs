//! What a client of the kit hears, and how it reads it.

use std::collections::VecDeque;

use super::MASK;
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Piece, Role, Step};
use crate::proto::encoder;
use crate::proto::frame::Opcode;
use crate::proto::violation::Violation;

/// What the server has sent to a [`Client`](super::Client).
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
    /// The server broke the protocol. Nothing more is heard of it.
    Violation(Violation),
}

impl From<&str> for Received {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The WebSocket side of a client: from the server's bytes to what is received, and what is answered
/// unasked.
#[derive(Debug)]
pub(super) struct Hearing {
    decoder: Decoder,
    received: VecDeque<Received>,
    pub(super) answers_pings: bool,
    pub(super) answers_close: bool,
    has_closed: bool,
    is_broken: bool,
}

impl Hearing {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::new(Role::Client, usize::MAX),
            received: VecDeque::new(),
            answers_pings: true,
            answers_close: true,
            has_closed: false,
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
                return encoder::encode_masked(answer, Opcode::Pong, payload, MASK);
            }
            Received::Close { code, .. } if self.answers_close && !self.has_closed => {
                self.has_closed = true;
                encoder::encode_close_masked(answer, CloseCode(*code), "", MASK);
            }
            _ => {}
        }
        self.received.push_back(heard);
    }
}
