//! The opening handshake (RFC 6455 §4): the server checks a request and answers it, the client
//! writes a request and checks the answer.
//!
//! Whether anybody is welcome is decided above; here it is only whether the words are right.

mod client;
mod error;
mod server;

pub(crate) use client::{check_response, request_key, write_request};
pub(crate) use error::HandshakeError;
#[cfg(any(test, fuzzing))]
pub(crate) use server::Offer;
pub(crate) use server::{check, wants_websocket, write_accept};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`: base64 of SHA-1 of the key and a constant
/// (RFC 6455 §4.2.2).
pub(crate) fn accept_key(key: &str) -> [u8; 28] {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(GUID);
    let mut accept = [0; 28];
    let written = STANDARD.encode_slice(hash.digest().bytes(), &mut accept);
    debug_assert_eq!(written.ok(), Some(accept.len()));
    accept
}

/// Whether `key` is the base64 of 16 bytes, in its one right spelling (RFC 6455 §4.1).
fn is_key(key: &str) -> bool {
    STANDARD.decode_slice(key, &mut [0; 24]) == Ok(16)
}

/// Appends a field line to a head.
fn write_line(out: &mut Vec<u8>, name: &str, value: impl AsRef<[u8]>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_ref());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
