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
mod verify;

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use common::{PATIENCE, Server, http, knock, reset, until};
use rushwire::{Remote, Socket, event};

/// Longer than any test lives: what it times never comes.
const NEVER: Duration = Duration::from_secs(3_600);

/// What the application's code heard, in order, for the test to read.
#[derive(Clone, Default)]
struct Journal(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Journal {
    fn note(&self, line: impl Display) {
        self.lock().push(line.to_string());
        self.0.1.notify_all();
    }

    fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// The lines, once there are `count` of them.
    fn wait_for(&self, count: usize) -> Vec<String> {
        let short = |lines: &mut Vec<String>| lines.len() < count;
        let (lines, _) = self
            .0
            .1
            .wait_timeout_while(self.lock(), PATIENCE, short)
            .expect("no panic in the journal");
        assert!(
            lines.len() >= count,
            "{count} lines were expected, but there are only {lines:?}"
        );
        lines.clone()
    }

    /// Notes each close event of `socket`.
    fn watch_close(&self, socket: &Socket) {
        let journal = self.clone();
        socket.on(event::Close, move |_, close| {
            journal.note(format!(
                "{} {:?} {:?} {:?}",
                close.code, close.reason, close.by, close.cause
            ));
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.0.lock().expect("no panic in the journal")
    }
}

/// Waits until the server behind `remote` has ended.
fn wait_for_the_end_of(remote: &Remote) {
    until("the server ends", || remote.post(|_| ()).is_err());
}

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
