//! Why there is no connection, and what a server said instead of 101.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::http::{InvalidHeader, ResponseHead};
use crate::proto::close::CloseCode;

/// No server is left alone for longer because it says so, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3600;

/// The answer of a server to a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status, 101 for a socket.
    pub status: u16,
    /// Names and values in the order in which they came; what is not UTF-8 is replaced.
    pub headers: Vec<(String, String)>,
    /// The body, at most its first 64 KiB. None for a socket.
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn of(head: &ResponseHead) -> Self {
        let text = |value| String::from_utf8_lossy(value).into_owned();
        let fields = head.fields();
        Self {
            status: head.status(),
            headers: fields
                .map(|(name, value)| (name.to_owned(), text(value)))
                .collect(),
            body: Vec::new(),
        }
    }

    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be connected to: it, and why.
    Url(String, &'static str),
    /// A header of the options cannot be sent.
    Header(InvalidHeader),
    /// A subprotocol of the options is no token, or there twice (RFC 6455 §4.1 item 10).
    Subprotocol(String),
    /// The name was not found, nobody listens, the connection was lost.
    Io(io::ErrorKind, String),
    /// [`connect_timeout`](super::ConnectOptions::connect_timeout) or
    /// [`handshake_timeout`](super::ConnectOptions::handshake_timeout) has passed.
    TimedOut,
    /// The server answered with another status than 101. Redirects are not followed.
    Refused(Answer),
    /// The server speaks no WebSocket, or breaks its rules: why (RFC 6455 §4.1).
    Violation(String),
    /// There was a connection, which was closed with this code and reason, or was lost (1006).
    Closed(CloseCode, String),
    /// The reactor shuts down, and tries nothing any more.
    Shutdown,
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind(), error.to_string())
    }
}

impl From<io::ErrorKind> for ConnectError {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Io(kind, kind.to_string())
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, why) => write!(f, "url {url:?} {why}"),
            Self::Header(offence) => offence.fmt(f),
            Self::Subprotocol(name) => {
                write!(f, "subprotocol {name:?} is no token, or is there twice")
            }
            Self::Io(_, what) => f.write_str(what),
            Self::TimedOut => f.write_str("the server took too long"),
            Self::Refused(answer) => write!(f, "the server answered with status {}", answer.status),
            Self::Violation(why) => f.write_str(why),
            Self::Closed(code, reason) => write!(f, "closed with {code} {reason:?}"),
            Self::Shutdown => f.write_str("shutting down"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl ConnectError {
    /// Whether it may be otherwise the next time.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Io(..) | Self::TimedOut | Self::Closed(..) => true,
            Self::Refused(answer) => matches!(answer.status, 408 | 425 | 429 | 500..),
            _ => false,
        }
    }

    /// How long the server wants to be left alone (RFC 9110 §10.2.3), an hour at most; dates are not read.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let Self::Refused(answer) = self else {
            return None;
        };
        let seconds: u64 = answer.header("retry-after")?.parse().ok()?;
        Some(Duration::from_secs(seconds.min(LONGEST_RETRY_AFTER)))
    }
}

/// An attempt to connect that failed, or a connection that was lost: what a
/// [`Connection`](super::Connection) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// Why.
    pub error: ConnectError,
    /// When it is tried again. `None`: never.
    pub retry_in: Option<Duration>,
    /// Messages that were accepted while there was no connection, and are given up: 0 as long as it is
    /// tried again.
    pub unsent: usize,
}
