//! How to connect.

use std::time::Duration;

use super::error::ConnectError;
use crate::http::{check_header, is_token};

/// How to connect; limits on messages, heartbeat and the like are those of the
/// [`Options`](crate::Options) of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Further headers of the request, `Authorization` or `Origin` say.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer, the preferred one first (RFC 6455 §1.9).
    pub subprotocols: Vec<String>,
    /// How long each address of the host may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long the server may take to answer. Default: 10 s.
    pub handshake_timeout: Duration,
    /// Whether and how to try again. Default: not.
    pub reconnect: Option<Reconnect>,
    /// How many bytes of messages are kept while there is no connection yet, or none any more and it
    /// is tried again. Default: 1 MiB.
    pub max_unsent: usize,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            subprotocols: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            reconnect: None,
            max_unsent: 1024 * 1024,
        }
    }
}

/// When to try again: after [`first`](Self::first), then twice as long each time, up to
/// [`longest`](Self::longest); each time a random part of up to half less, so that not all clients of a
/// server that was restarted come at once. A server that says `Retry-After` is left alone so long, up to an hour.
///
/// It is tried again when a connection could not be made or was lost. Not after a deliberate end: a
/// close of this side, close codes 1000 and 1008 of the server, a status that will be the same the next
/// time (such as 401 and 404), or a server that speaks no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// Default: 500 ms.
    pub first: Duration,
    /// Default: 30 s.
    pub longest: Duration,
    /// A connection that was open so long counts as good: the next wait is the first again. Default: 10 s.
    pub stable: Duration,
    /// How often in a row. Default: `u32::MAX`.
    pub attempts: u32,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            stable: Duration::from_secs(10),
            attempts: u32::MAX,
        }
    }
}

impl Reconnect {
    /// The wait before attempt `n`, counted from 0. `jitter` may be anything.
    pub(super) fn wait(&self, n: u32, jitter: [u8; 4]) -> Duration {
        let doubled = self.first.saturating_mul(1 << n.min(31));
        let whole = doubled.min(self.longest);
        whole - (whole / 2).mul_f64(f64::from(u32::from_ne_bytes(jitter)) / f64::from(u32::MAX))
    }
}

/// The headers that the handshake writes itself.
const OWN: [&str; 9] = [
    "host",
    "connection",
    "upgrade",
    "content-length",
    "transfer-encoding",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
];

impl ConnectOptions {
    /// Quotes what cannot be sent.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        for (name, value) in &self.headers {
            check_header(name, value).map_err(ConnectError::Header)?;
            if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                let offence = crate::http::InvalidHeader::reserved(name);
                return Err(ConnectError::Header(offence));
            }
        }
        for (at, name) in self.subprotocols.iter().enumerate() {
            let mut earlier = self.subprotocols.iter().take(at);
            if !is_token(name.as_bytes()) || earlier.any(|other| other == name) {
                return Err(ConnectError::Subprotocol(name.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_jitter_takes_up_to_half() {
        let reconnect = Reconnect {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
            ..Reconnect::default()
        };
        let full: Vec<u128> = (0..6)
            .map(|n| reconnect.wait(n, [0; 4]).as_millis())
            .collect();
        assert_eq!(full, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(reconnect.wait(0, [0xFF; 4]), Duration::from_millis(50));
        let longest = Reconnect {
            first: Duration::MAX,
            longest: Duration::MAX,
            ..reconnect
        };
        assert_eq!(longest.wait(u32::MAX, [0; 4]), Duration::MAX);
    }

    #[test]
    fn what_cannot_be_sent_is_quoted() {
        let with = |name: &str, value: &str| ConnectOptions {
            headers: vec![(name.into(), value.into())],
            ..ConnectOptions::default()
        };
        for (name, value) in [
            ("Sec-WebSocket-Key", "x"),
            ("HOST", "a"),
            ("a b", ""),
            ("A", "\n"),
        ] {
            let error = with(name, value).check().expect_err(name).to_string();
            assert!(error.contains(name.trim_end()), "{name}: {error}");
        }
        assert!(with("Authorization", "Bearer x").check().is_ok());
        let offering = |names: &[&str]| ConnectOptions {
            subprotocols: names.iter().map(|&name| name.into()).collect(),
            ..ConnectOptions::default()
        };
        assert!(offering(&["a", "b"]).check().is_ok());
        for bad in [&["a", "b", "a"][..], &["a b"], &[""]] {
            assert!(offering(bad).check().is_err(), "{bad:?}");
        }
    }
}
