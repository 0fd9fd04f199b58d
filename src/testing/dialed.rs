//! A connection that the application makes: the test is the server at its other end.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use super::answer;
use super::client::Client;
use super::connection::Connection;
use super::server::Shared;
use crate::http::{Head, HeadParser, Limits};
use crate::proto::handshake;

/// A request may have as much as there is.
const LIMITS: Limits = Limits {
    max_head: usize::MAX,
    max_fields: usize::MAX,
};

/// A connection that the application has made with [`Hub::connect`](crate::Hub::connect), on which its
/// request waits for an answer: from [`TestServer::dialed`](super::TestServer::dialed).
///
/// Dropping it is a server that leaves without one.
pub struct Dialed {
    connection: Connection,
    address: SocketAddr,
    head: Head,
}

impl Dialed {
    /// The next that has come. One that was given up before its request was written is passed over.
    pub(super) fn next(shared: &Rc<Shared>) -> Option<Self> {
        loop {
            let (address, wire, line) = shared.dialed()?;
            let connection = Connection::over(shared, wire, line);
            if let Some(head) = connection.await_now(|line| take(&mut line.came)) {
                return Some(Self {
                    connection,
                    address,
                    head,
                });
            }
        }
    }

    /// Where the application has connected to: names are 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request's target: path and query.
    pub fn target(&self) -> &str {
        self.head.target()
    }

    /// The first value of a header of the request, whatever the case of its name.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.head.header(name)
    }

    /// Opens the socket: the other end of it.
    pub fn accept(self) -> Client {
        self.accept_with(&[])
    }

    /// Opens the socket with these headers on the 101, such as `Sec-WebSocket-Protocol`.
    pub fn accept_with(mut self, headers: &[(&str, &str)]) -> Client {
        let key = self.head.header("sec-websocket-key").unwrap_or_default();
        let mut bytes = Vec::new();
        handshake::write_accept(&mut bytes, key, None, headers.iter().copied());
        self.connection.send(&bytes);
        if let Some((_, answer)) = answer::take(&mut bytes, false, false) {
            self.connection.line().accepts(answer);
        }
        Client::new(self.connection)
    }

    /// Answers with that status and no body, and ends the connection.
    pub fn refuse(mut self, status: u16) {
        let head = format!("HTTP/1.1 {status} \r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        self.connection.send(head);
        self.connection.finish();
    }

    /// The bytes of the connection behind the request, to be answered otherwise or not at all.
    pub fn connection(self) -> Connection {
        self.connection
    }
}

/// Takes a request's head off the front, if it is there whole.
fn take(bytes: &mut Vec<u8>) -> Option<Head> {
    let progress = HeadParser::new(LIMITS).push(bytes).ok()?;
    let head = progress.head?;
    bytes.drain(..progress.used);
    Some(head)
}

impl fmt::Debug for Dialed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialed")
            .field("address", &self.address)
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}
