//! The opening handshake (RFC 6455 §4), with the one key that every server here can answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use socket2::SockRef;

/// How many are under way at a time: half of what a backlog of 128 holds.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);

/// The RFC's own key and what must come of it (§1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) fn request(address: SocketAddr, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// A connection on its way to be one.
pub(crate) struct Opening {
    pub(crate) stream: TcpStream,
    pub(crate) began: Instant,
    asked: bool,
    answer: Vec<u8>,
}

impl Opening {
    /// Connects; on loopback the request can mostly follow at once.
    pub(crate) fn start(
        address: SocketAddr,
        request: &[u8],
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).map_err(explained)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, token, both)?;
        let mut opening = Self {
            stream,
            began,
            asked: false,
            answer: Vec::new(),
        };
        opening.ask(request)?;
        Ok(opening)
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        match self.stream.write(request) {
            Ok(n) if n == request.len() => self.asked = true,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::NotConnected
                ) => {}
            Ok(_) => return Err(io::Error::other("a request was taken in part")),
            Err(error) => return Err(explained(error)),
        }
        Ok(())
    }

    /// Goes on after an event; whether the 101 is there.
    pub(crate) fn go_on(&mut self, request: &[u8]) -> io::Result<bool> {
        if !self.asked {
            self.ask(request)?;
        }
        let mut chunk = [0; 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => return Err(io::Error::other("the server ended the opening handshake")),
            Ok(n) => self.answer.extend_from_slice(&chunk[..n]),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::NotConnected
                ) => {}
            Err(error) => return Err(explained(error)),
        }
        check(&self.answer)
    }

    /// Makes closing send RST: no port waits in TIME_WAIT.
    pub(crate) fn close_by_reset(&self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }
}

fn explained(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("connecting: {error}"))
}

/// Whether a whole and right 101 is there (§4.1), and nothing behind it but perhaps a ping: some greet so.
fn check(answer: &[u8]) -> io::Result<bool> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.split("\r\n");
    let switching = lines
        .next()
        .is_some_and(|status| status.starts_with("HTTP/1.1 101"));
    let accepted = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| {
            name.eq_ignore_ascii_case("Sec-WebSocket-Accept") && value.trim() == ACCEPT
        });
    let behind = answer.get(end + 4..).unwrap_or_default();
    match switching && accepted && (behind.is_empty() || is_ping(behind)) {
        true => Ok(true),
        false => Err(io::Error::other(format!("a wrong 101: {head}"))),
    }
}

/// Whether these bytes are one whole ping of a server (§5.5.2).
fn is_ping(bytes: &[u8]) -> bool {
    matches!(bytes, [0x89, len, payload @ ..] if payload.len() == usize::from(*len))
}

/// Opens `count` connections, registered under the tokens from `first` on.
pub(crate) fn open(
    poll: &mut Poll,
    address: SocketAddr,
    path: &str,
    first: usize,
    count: usize,
) -> io::Result<Vec<TcpStream>> {
    let request = request(address, path);
    let mut events = Events::with_capacity(AT_ONCE);
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let base = first + open.len();
        let tokens = base..base + AT_ONCE.min(first + count - base);
        let mut openings = tokens
            .map(|token| Opening::start(address, &request, poll.registry(), Token(token)))
            .collect::<io::Result<Vec<_>>>()?;
        finish(poll, &mut events, &mut openings, base, &request)?;
        for opening in openings {
            opening.close_by_reset()?;
            opening.stream.set_nodelay(true)?;
            open.push(opening.stream);
        }
    }
    Ok(open)
}

fn finish(
    poll: &mut Poll,
    events: &mut Events,
    openings: &mut [Opening],
    base: usize,
    request: &[u8],
) -> io::Result<()> {
    let start = Instant::now();
    let mut missing = openings.len();
    while missing > 0 {
        poll.poll(events, Some(Duration::ZERO))?;
        for event in events.iter() {
            let opening = event.token().0.checked_sub(base);
            let opening = opening.and_then(|place| openings.get_mut(place));
            if let Some(opening) = opening
                && !is_done(opening)
                && opening.go_on(request)?
            {
                missing -= 1;
            }
        }
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other("no 101 within ten seconds"));
        }
    }
    Ok(())
}

fn is_done(opening: &Opening) -> bool {
    opening.answer.ends_with(b"\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_right_101_passes() {
        let right = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             sec-websocket-accept:{ACCEPT}\r\n\r\n"
        );
        assert!(check(right.as_bytes()).expect("right"));
        let greeted = [right.as_bytes(), b"\x89\x02hi"].concat();
        assert!(check(&greeted).expect("right, and a ping"));
        for cut in 0..right.len() {
            assert!(!check(&right.as_bytes()[..cut]).expect("incomplete"));
        }
        let cases = [
            ("another status", right.replace("101", "200")),
            ("another key", right.replace(ACCEPT, KEY)),
            ("no key", right.replace("sec-websocket-accept", "x")),
            ("more behind it", format!("{right}.")),
        ];
        for (name, wrong) in cases {
            assert!(check(wrong.as_bytes()).is_err(), "{name}");
        }
    }
}
