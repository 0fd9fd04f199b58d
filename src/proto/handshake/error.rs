//! Why an opening handshake failed (RFC 6455 §4.1, §4.2).

use std::fmt;

/// What is wrong with a request, or with the answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeError {
    /// The request is not a GET (§4.1 item 2).
    Method,
    /// The request is not HTTP/1.1 (§4.1 item 2).
    HttpVersion,
    /// `Upgrade` is not `websocket` (§4.2.1 item 3, §4.1).
    Upgrade,
    /// `Connection` does not list `Upgrade` (§4.2.1 item 4, §4.1).
    Connection,
    /// There is not exactly one key, or it is not 16 bytes in base64 (§4.2.1 item 5).
    Key,
    /// There is not exactly one version, or it is not 13 (§4.2.1 item 6, §4.4).
    Version,
    /// The request has a body, whose bytes could be taken for frames (§4.1).
    Body,
    /// The subprotocols are not tokens, or one is there twice (§4.1 item 10).
    Protocol,
    /// The extensions do not follow the grammar (§9.1).
    Extensions,
    /// The answer has another status than 101 (§4.1).
    Status(u16),
    /// The answer has not exactly one proof, or not that of our key (§4.1).
    Accept,
    /// The answer names a subprotocol that was not offered, or several (§4.1).
    ProtocolNotOffered,
    /// The answer names an extension that was not offered (§4.1).
    ExtensionNotOffered,
}

impl HandshakeError {
    /// The status that a server answers with. Nothing answers an answer: for what a client
    /// finds, it has no meaning.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Version => 426,
            _ => 400,
        }
    }

    /// The section of RFC 6455 that holds the rule, as `"4.2.1"`.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Upgrade | Self::Connection | Self::Key | Self::Version => "4.2.1",
            Self::Extensions => "9.1",
            _ => "4.1",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method of a WebSocket handshake must be GET",
            Self::HttpVersion => "a WebSocket handshake needs HTTP/1.1",
            Self::Upgrade => "Upgrade must be websocket",
            Self::Connection => "Connection must list Upgrade",
            Self::Key => "Sec-WebSocket-Key must be 16 bytes in base64",
            Self::Version => "Sec-WebSocket-Version must be 13",
            Self::Body => "a WebSocket handshake must not have a body",
            Self::Protocol => "Sec-WebSocket-Protocol must list tokens, each once",
            Self::Extensions => "Sec-WebSocket-Extensions is malformed",
            Self::Status(status) => return write!(f, "the server answered with status {status}"),
            Self::Accept => "Sec-WebSocket-Accept does not prove that the key was read",
            Self::ProtocolNotOffered => "the server chose a subprotocol that was not offered",
            Self::ExtensionNotOffered => "the server chose an extension that was not offered",
        })
    }
}

impl std::error::Error for HandshakeError {}
