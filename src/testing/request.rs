//! A request in the making.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use super::KEY;
use super::answer::Answer;
use super::client::Client;
use super::connection::Connection;
use super::server::Shared;
use crate::proto::handshake;

/// A request in the making, for HTTP or for a socket, by a client that is not connected yet.
///
/// What it is made of is sent as it is: a header that no server would take is one that can be tested.
/// For a socket, the method is `GET`, whatever was said.
#[must_use = "nothing is sent before `send`, `begin`, `connect` or `knock`"]
pub struct Request {
    shared: Rc<Shared>,
    from: Option<IpAddr>,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    protocols: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn new(shared: &Rc<Shared>, method: &str, target: &str) -> Self {
        Self {
            shared: Rc::clone(shared),
            from: None,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            protocols: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Comes from that address. Default: 127.0.0.1. Each connection has a port of its own.
    pub fn from(mut self, ip: impl Into<IpAddr>) -> Self {
        self.from = Some(ip.into());
        self
    }

    /// Has this header, beside those that it needs; `Host` replaces `localhost`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Offers this subprotocol, after those offered before.
    pub fn subprotocol(mut self, name: &str) -> Self {
        self.protocols.push(name.to_owned());
        self
    }

    /// Has this body, and says how long it is. A socket's has none.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own, and gives the answer.
    ///
    /// # Panics
    ///
    /// If there is none before time has passed, or another thread has done its part:
    /// [`begin`](Self::begin) does not expect one at once.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.target);
        match self.begin().answer() {
            Some(answer) => answer,
            None => panic!("{asked} has no answer yet"),
        }
    }

    /// Sends it on a connection of its own, whose [`answer`](Connection::answer) is looked at later.
    pub fn begin(self) -> Connection {
        let mut connection = Connection::new(&self.shared, self.from);
        connection.asks_for_head(self.method == "HEAD");
        connection.send(self.plain());
        connection
    }

    /// Opens a socket.
    ///
    /// # Errors
    ///
    /// The answer, if it is a refusal.
    ///
    /// # Panics
    ///
    /// If there is no answer before time has passed, or another thread has done its part:
    /// [`knock`](Self::knock) does not expect one at once.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn connect(self) -> Result<Client, Answer> {
        let target = self.target.clone();
        let client = self.knock();
        match client.opened() {
            Some(Ok(_)) => Ok(client),
            Some(Err(refused)) => Err(refused),
            None => panic!("{target:?} has no answer yet"),
        }
    }

    /// Asks for a socket; whether it is opened, the client's [`answer`](Client::answer) tells.
    pub fn knock(self) -> Client {
        let mut connection = Connection::new(&self.shared, self.from);
        let opening = self.opening();
        connection.line().opens(self.protocols);
        connection.send(opening);
        Client::new(connection)
    }

    fn opening(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        handshake::write_request(
            &mut bytes,
            self.host(),
            &self.target,
            KEY,
            &self.protocols,
            self.others(),
        );
        bytes
    }

    fn plain(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\n",
            self.method,
            self.target,
            self.host()
        );
        let has_length = self.others().any(|(name, _)| {
            ["content-length", "transfer-encoding"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        });
        for (name, value) in self.others() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() && !has_length {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    fn host(&self) -> &str {
        let mut all = self.headers.iter();
        let found = all.find(|(name, _)| name.eq_ignore_ascii_case("host"));
        found.map_or("localhost", |(_, value)| value)
    }

    fn others(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.headers.iter();
        all.filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
