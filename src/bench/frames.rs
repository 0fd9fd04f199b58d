//! Frames: masking, headers, and the decoder by itself.

use crate::Message;
use crate::proto::decoder::{self, Piece, Role, Step};
use crate::proto::encoder;
use crate::proto::frame::{Header, Opcode};

/// Applies `key` to `payload` in place.
#[inline]
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    crate::proto::mask::mask(payload, key);
}

/// The length of the header at the front of `bytes`, and that of the payload behind it.
#[inline]
pub fn parse_header(bytes: &[u8]) -> Option<(usize, u64)> {
    let (header, size) = Header::parse(bytes).ok()??;
    Some((size, header.len))
}

/// Appends a binary frame to `out`, as a server sends it.
#[inline]
pub fn encode(out: &mut Vec<u8>, payload: &[u8]) {
    encoder::encode(out, Opcode::Binary, payload);
}

/// A server's decoder.
#[derive(Debug)]
pub struct Decoder(decoder::Decoder);

impl Decoder {
    /// A decoder for messages of at most `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self(decoder::Decoder::new(Role::Server, max_message))
    }

    /// Decodes all of `input`, as a session does, and gives `each` message. `false` when the peer
    /// broke a rule. What is no message is passed over.
    #[inline]
    pub fn read(&mut self, input: &mut [u8], mut each: impl FnMut(Message<'_>)) -> bool {
        let mut hear = |piece: Piece<'_>| match piece {
            Piece::Text(text) => each(Message::Text(text)),
            Piece::Binary(bytes) => each(Message::Binary(bytes)),
            Piece::Ping(_) | Piece::Pong(_) | Piece::Close(..) => {}
        };
        let mut rest = input;
        loop {
            while let Some(plain) = self.0.plain(rest) {
                let (frame, behind) = rest.split_at_mut(plain.end);
                match self.0.open(plain, frame) {
                    Ok(piece) => hear(piece),
                    Err(_) => return false,
                }
                rest = behind;
            }
            match self.0.step(rest) {
                Ok(Step { piece: None, .. }) => return true,
                Ok(Step {
                    used,
                    piece: Some(piece),
                }) => {
                    hear(piece);
                    rest = rest.get_mut(used..).unwrap_or_default();
                }
                Err(_) => return false,
            }
        }
    }
}
