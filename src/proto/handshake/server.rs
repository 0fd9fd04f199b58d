//! The server's side: is this request a handshake, and the answer that accepts it
//! (RFC 6455 §4.2).

use super::error::HandshakeError;
use super::{accept_key, is_key, write_line};
use crate::http::{Framing, Head, Method, Version, is_token};
use crate::proto::extension::{self, Extension};

/// Whether a request asks for this protocol, rightly or not: anything else is plain HTTP.
pub(crate) fn wants_websocket(head: &Head) -> bool {
    head.has_token("upgrade", "websocket")
}

/// What a client asks for in a handshake that is right.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    /// What [`write_accept`] needs.
    pub(crate) key: &'a str,
    #[cfg_attr(
        not(any(test, fuzzing)),
        expect(
            dead_code,
            reason = "they are agreed on later, by what the request says"
        )
    )]
    protocols: Vec<&'a str>,
    #[cfg_attr(
        not(any(test, fuzzing)),
        expect(
            dead_code,
            reason = "no extension is spoken, but their grammar is checked"
        )
    )]
    extensions: Vec<Extension<'a>>,
}

impl<'a> Offer<'a> {
    /// The subprotocols, by preference.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn protocols(&self) -> impl Iterator<Item = &'a str> {
        self.protocols.iter().copied()
    }

    /// The extensions, by preference.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn extensions(&self) -> &[Extension<'a>] {
        &self.extensions
    }
}

/// Checks a request against all that RFC 6455 §4.2.1 asks of it.
///
/// # Errors
///
/// Answer with [`HandshakeError::status`]: the method is looked at first, and the version last,
/// so that 426 says that all else is right.
pub(crate) fn check(head: &Head) -> Result<Offer<'_>, HandshakeError> {
    if head.method() != Method::Get {
        return Err(HandshakeError::Method);
    }
    if head.version() != Version::Http11 {
        return Err(HandshakeError::HttpVersion);
    }
    if !wants_websocket(head) {
        return Err(HandshakeError::Upgrade);
    }
    if !head.has_token("connection", "upgrade") {
        return Err(HandshakeError::Connection);
    }
    if !matches!(head.framing(), Framing::None | Framing::Length(0)) {
        return Err(HandshakeError::Body);
    }
    let offer = Offer {
        key: key(head)?,
        protocols: protocols(head)?,
        extensions: extension::parse(head.header_values("sec-websocket-extensions"))
            .map_err(|_| HandshakeError::Extensions)?,
    };
    match one(head, "sec-websocket-version") {
        Some("13") => Ok(offer),
        _ => Err(HandshakeError::Version),
    }
}

fn key(head: &Head) -> Result<&str, HandshakeError> {
    let key = one(head, "sec-websocket-key");
    key.filter(|key| is_key(key)).ok_or(HandshakeError::Key)
}

/// The value of a header that is there exactly once.
fn one<'a>(head: &'a Head, name: &'a str) -> Option<&'a str> {
    let mut values = head.header_values(name);
    let value = values.next()?;
    match values.next() {
        None => str::from_utf8(value).ok(),
        Some(_) => None,
    }
}

/// The list of subprotocols: if there is one, it has an element (RFC 6455 §4.1 item 10).
fn protocols(head: &Head) -> Result<Vec<&str>, HandshakeError> {
    let mut protocols = Vec::new();
    let mut is_present = false;
    for line in head.header_values("sec-websocket-protocol") {
        let line = str::from_utf8(line).map_err(|_| HandshakeError::Protocol)?;
        protocols.extend(line.split(',').map(|name| name.trim_matches([' ', '\t'])));
        is_present = true;
    }
    protocols.retain(|name| !name.is_empty());
    let are_tokens = protocols.iter().all(|name| is_token(name.as_bytes()));
    match are_tokens && are_unique(&protocols) && is_present != protocols.is_empty() {
        true => Ok(protocols),
        false => Err(HandshakeError::Protocol),
    }
}

/// By sorting: a list may be as long as a head.
fn are_unique(names: &[&str]) -> bool {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    sorted.is_sorted_by(|a, b| a < b)
}

/// Appends the whole answer that accepts a handshake (RFC 6455 §4.2.2 item 5).
///
/// `protocol` is one of those offered. Names and values of `extra` have passed
/// [`crate::http::check_header`].
pub(crate) fn write_accept<'a>(
    out: &mut Vec<u8>,
    key: &str,
    protocol: Option<&str>,
    extra: impl Iterator<Item = (&'a str, &'a str)>,
) {
    out.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\n\
          Upgrade: websocket\r\n\
          Connection: Upgrade\r\n",
    );
    write_line(out, "Sec-WebSocket-Accept", accept_key(key));
    if let Some(protocol) = protocol {
        write_line(out, "Sec-WebSocket-Protocol", protocol);
    }
    for (name, value) in extra {
        write_line(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}
