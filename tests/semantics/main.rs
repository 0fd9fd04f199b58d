//! What the library promises to whoever builds on it: the numbered list "Semantics" of the design,
//! a module for each theme, over real sockets and through the public face only.

#[path = "../common/mod.rs"]
mod common;

mod address;
mod audience;
mod close;
mod deferred;
mod early;
mod endings;
mod errors;
mod flow;
mod full;
mod heartbeat;
mod kinds;
mod middleware;
mod order;
mod origins;
#[cfg(feature = "regex")]
mod origins_regex;
mod paths;
mod shutdown;
mod stats;
mod subprotocols;
mod told;
mod upgrade_headers;
mod verdicts;
mod verify;

use std::net::SocketAddr;

use common::journal::Journal;
use common::{NEVER, Server, http, knock, reset, until, wait_for_the_end_of};

/// Fails unless whoever comes now is served at `path`, which says "hello" to everybody.
fn still_serves(server: &Server, path: &str) {
    assert_eq!(server.connect(path).text(), "hello");
}

/// A GET on a connection that stays open.
fn keep_alive_get(addr: SocketAddr, path: &str) -> std::net::TcpStream {
    let mut stream = http::connect(addr);
    std::io::Write::write_all(
        &mut stream,
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes(),
    )
    .expect("send");
    assert_eq!(
        http::read_answer(&mut stream, Vec::new(), false).0.status,
        200
    );
    stream
}
