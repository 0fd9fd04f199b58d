//! The server's half of the opening handshake (RFC 6455 §4.2): what is refused, and with which
//! status; what is unusual and yet accepted; and the exact bytes of the answer.

#[path = "../common/mod.rs"]
mod common;

mod accepted;
mod refused;
mod refused_bytes;
mod refused_lines;

use common::client::upgrade_request;
use common::http::{self, Answer};
use common::{Server, serve_with};
use rushwire::{Options, event};

/// The longest head in these tests.
const MAX_HEAD: usize = 1200;

/// A server with an endpoint, one that has a parameter, and a route for HTTP.
fn server() -> Server {
    let options = || Options {
        max_head_size: MAX_HEAD,
        ..Options::default()
    };
    serve_with(options, |app| {
        for path in ["/echo", "/room/:name"] {
            app.ws(path, |socket, _| {
                socket.on(event::Message, |socket, message| {
                    socket.send(message);
                });
            });
        }
        app.get("/page", |ctx| ctx.text("a page"));
    })
}

/// A good request.
fn good() -> String {
    upgrade_request("/echo", "")
}

/// A good request with more headers.
fn with(headers: &str) -> String {
    upgrade_request("/echo", headers)
}

/// A good request with another part in place of one.
fn swap(part: &str, other: &str) -> String {
    let good = good();
    assert!(good.contains(part), "{part:?} is no part of it");
    good.replacen(part, other, 1)
}

/// A good request with another first line.
fn line(line: &str) -> String {
    swap("GET /echo HTTP/1.1", line)
}

/// A good request without one of its lines, or with another in its place.
fn header(name: &str, lines: &str) -> String {
    let good = good();
    let kept = good
        .split_inclusive("\r\n")
        .map(|line| if line.starts_with(name) { lines } else { line });
    let request: String = kept.collect();
    assert_ne!(request, good, "{name} is no header of it");
    request
}

/// The one answer to a request that ends the connection.
fn last_answer(stream: &mut std::net::TcpStream) -> Answer {
    let (answer, rest) = http::read_answer(stream, Vec::new(), false);
    assert!(rest.is_empty(), "more than an answer");
    assert_eq!(http::read_to_end(stream), b"", "more than an answer");
    answer
}
