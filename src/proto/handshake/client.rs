//! The client's side: the request, and is this answer the right one (RFC 6455 §4.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::HandshakeError;
use super::{accept_key, write_line};
use crate::http::ResponseHead;

/// `Sec-WebSocket-Key` for 16 bytes that nobody can foresee: their base64.
pub(crate) fn request_key(random: [u8; 16]) -> String {
    let mut key = [0; 24];
    let written = STANDARD.encode_slice(random, &mut key);
    debug_assert_eq!(written.ok(), Some(key.len()));
    key.map(char::from).iter().collect()
}

/// Appends the whole request.
///
/// `key` is a [`request_key`]. `host` and `target` are those of
/// the address, `protocols` are tokens, and `extra` has passed [`crate::http::check_header`]:
/// nothing is checked here.
pub(crate) fn write_request<'a>(
    out: &mut Vec<u8>,
    host: &str,
    target: &str,
    key: &str,
    protocols: &[impl AsRef<str>],
    extra: impl Iterator<Item = (&'a str, &'a str)>,
) {
    for part in ["GET ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    write_line(out, "Host", host);
    write_line(out, "Upgrade", "websocket");
    write_line(out, "Connection", "Upgrade");
    write_line(out, "Sec-WebSocket-Key", key);
    write_line(out, "Sec-WebSocket-Version", "13");
    if !protocols.is_empty() {
        let names: Vec<&str> = protocols.iter().map(AsRef::as_ref).collect();
        write_line(out, "Sec-WebSocket-Protocol", names.join(", "));
    }
    for (name, value) in extra {
        write_line(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}

/// Checks the answer to a request with that `key`, which offered these subprotocols and no
/// extension. Gives the subprotocol that the server chose.
///
/// # Errors
///
/// The connection must be closed: it speaks no WebSocket.
pub(crate) fn check_response(
    head: &ResponseHead,
    key: &str,
    offered: &[impl AsRef<str>],
) -> Result<Option<String>, HandshakeError> {
    if head.status() != 101 {
        return Err(HandshakeError::Status(head.status()));
    }
    let mut upgrades = head.header_values("upgrade");
    let is_websocket = |value: &[u8]| value.eq_ignore_ascii_case(b"websocket");
    if !upgrades.next().is_some_and(is_websocket) || upgrades.next().is_some() {
        return Err(HandshakeError::Upgrade);
    }
    if !head.has_token("connection", "upgrade") {
        return Err(HandshakeError::Connection);
    }
    let accepts = head.header_values("sec-websocket-accept");
    if !accepts.eq([accept_key(key)]) {
        return Err(HandshakeError::Accept);
    }
    let mut extensions = head.header_values("sec-websocket-extensions");
    if extensions.next().is_some() {
        return Err(HandshakeError::ExtensionNotOffered);
    }
    protocol(head, offered)
}

fn protocol(
    head: &ResponseHead,
    offered: &[impl AsRef<str>],
) -> Result<Option<String>, HandshakeError> {
    let mut chosen = head.header_values("sec-websocket-protocol");
    let Some(first) = chosen.next() else {
        return Ok(None);
    };
    let mut offered = offered.iter().map(AsRef::as_ref);
    let name = offered.find(|name: &&str| name.as_bytes() == first);
    match (name, chosen.next()) {
        (Some(name), None) => Ok(Some(name.to_owned())),
        _ => Err(HandshakeError::ProtocolNotOffered),
    }
}
