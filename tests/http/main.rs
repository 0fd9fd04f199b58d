//! HTTP on the port of the sockets: routes, bodies, connections that are kept, and what a hostile
//! client cannot do (RFC 9110, RFC 9112).

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod bodies;
mod connections;
mod deferred;
mod middleware;
mod pressure;
mod routes;
mod smuggling;
mod timeouts;

use std::io::Write;
use std::net::TcpStream;

use common::http::{self, Answer};
use common::journal::Journal;

/// A request without a body, on a connection that is kept.
fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A connection that is asked one thing after the other.
struct Asker {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Asker {
    fn new(server: &common::Server) -> Self {
        Self {
            stream: http::connect(server.addr),
            rest: Vec::new(),
        }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("send");
    }

    /// The next answer, to anything but HEAD.
    fn answer(&mut self) -> Answer {
        self.read(false)
    }

    /// The next answer, to HEAD.
    fn head_answer(&mut self) -> Answer {
        self.read(true)
    }

    fn read(&mut self, head: bool) -> Answer {
        let (answer, rest) =
            http::read_answer(&mut self.stream, std::mem::take(&mut self.rest), head);
        self.rest = rest;
        answer
    }

    fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes);
        self.answer()
    }

    /// Fails unless the server closes the connection without another byte.
    fn expect_end(&mut self) {
        self.rest.extend(http::read_to_end(&mut self.stream));
        assert_eq!(
            String::from_utf8_lossy(&self.rest),
            "",
            "nothing more was expected"
        );
    }
}
