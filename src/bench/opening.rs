//! The opening handshake of a server: a request's head, what is asked of it, and the answer.

use crate::http::{Head, HeadParser, Limits};
use crate::proto::handshake;

const LIMITS: Limits = Limits {
    max_head: 16 * 1024,
    max_fields: 100,
};

/// A request without a body.
#[derive(Debug)]
pub struct Request(Head);

impl Request {
    /// Reads a request that has come whole.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        HeadParser::new(LIMITS).push(bytes).ok()?.head.map(Self)
    }

    /// The key, if this is a handshake in which all is right (RFC 6455 §4.2.1).
    pub fn key(&self) -> Option<&str> {
        handshake::check(&self.0).ok().map(|offer| offer.key)
    }
}

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
pub fn accept_key(key: &str) -> [u8; 28] {
    handshake::accept_key(key)
}

/// Appends the answer that accepts a handshake to `out`.
pub fn answer(out: &mut Vec<u8>, key: &str) {
    handshake::write_accept(out, key, None, std::iter::empty());
}

/// Reads a handshake that has come whole, and appends the answer that accepts it to `out`; `false` if
/// anything in it is wrong.
pub fn open(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let request = Request::parse(bytes);
    let key = request.as_ref().and_then(Request::key);
    key.is_some_and(|key| {
        answer(out, key);
        true
    })
}
