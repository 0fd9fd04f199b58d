//! A whole connection of a server, from its first byte to its end, over a network in memory: whatever
//! comes in, what goes out is HTTP and frames, a socket hears what was sent and ends once, and nothing
//! is left.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::sockets::{END, Heard, Script, check_frames};
use super::texts::check_line;
use crate::http::{Limits, ResponseHead, ResponseParser, reason};
use crate::proto::decoder::Role;
use crate::proto::naive::decode;
use crate::testing::{Connection, TestServer};
use crate::{App, Request};

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// An answer is short.
const ANSWER: Limits = Limits {
    max_head: 2048,
    max_fields: 16,
};

/// What the application has seen.
#[derive(Default)]
struct Seen {
    sockets: Rc<Heard>,
    /// Headers that an answer 101 was to have.
    added: RefCell<Vec<(String, String)>>,
    /// Why others could not be added.
    told: RefCell<Vec<String>>,
}

/// Plays the peer of one connection. The first bytes choose how the network is, how it ends, whether
/// the rest comes behind an opening handshake, and whether it is a seed of something large.
///
/// # Panics
///
/// When a promise of the server is broken.
pub fn session(data: &[u8]) {
    let script = Script::read(data);
    let seen = Rc::new(Seen::default());
    let test = server(&script, &seen);
    test.set_window(script.window);
    let mut peer = test.open();
    let mut came = Vec::new();
    if script.opens() {
        peer.send(HANDSHAKE);
        came.extend(peer.recv());
    }
    came.extend(script.talk(&test, &mut peer));
    match script.how >> 6 {
        0 => peer.finish(),
        1 => came.extend(peer.recv()),
        2 => return end(&test, peer, Connection::reset, &seen),
        _ => return end(&test, peer, Connection::vanish, &seen),
    }
    test.clock().advance(END);
    came.extend(peer.recv());
    assert!(peer.is_ended(), "it goes on after its time");
    check_sent(&came, &script, &seen);
    if script.opens() {
        let (sent, _) = decode(Role::Server, script.scale.message, &script.input);
        seen.sockets.check(sent, script.is_calm());
    }
    end(&test, peer, drop, &seen);
}

/// Its socket does what it is told, and each route answers in another way.
fn server(script: &Script, seen: &Rc<Seen>) -> TestServer {
    let mut app = App::with(script.options());
    app.get("/page", |ctx| ctx.text("a page"));
    app.post("/page", |ctx| {
        let body = ctx.body_text().unwrap_or_default().to_owned();
        ctx.text(body);
    });
    app.get("/later", |ctx| {
        let answer = ctx.defer();
        let late = move |_: &crate::Hub| answer.respond(crate::Response::text("late"));
        ctx.hub().set_timeout(Duration::from_secs(5), late);
    });
    let verifier = Rc::clone(seen);
    app.verify_client(move |request| {
        add_header(request, &verifier);
        true
    });
    let sockets = Rc::clone(&seen.sockets);
    app.ws("/socket", move |socket, _| sockets.welcome(socket));
    TestServer::new(app).expect("nothing is wrong with it")
}

/// The query names a header for the answer. What is wrong with it is checked later: a panic in here is
/// the application's, and survived.
fn add_header(request: &Request, seen: &Seen) {
    let Some(name) = request.query("name") else {
        return;
    };
    let value = request.query("value").unwrap_or_default();
    match request.respond_header(name, value) {
        Ok(()) => seen.added.borrow_mut().push((name.into(), value.into())),
        Err(error) => seen.told.borrow_mut().push(error.to_string()),
    }
}

/// What the server sends are answers of HTTP, and behind a 101 frames.
fn check_sent(came: &[u8], script: &Script, seen: &Seen) {
    // What belongs to an answer to HEAD is not said in the answer.
    let opens = script.opens();
    let asks_for_head = !opens && script.input.windows(5).any(|five| five == b"HEAD ");
    let mut rest = came;
    while !rest.is_empty() {
        let progress = ResponseParser::new(ANSWER).push(rest);
        let progress = progress.expect("it answers in HTTP");
        let head = progress.head.expect("a whole head");
        rest = &rest[progress.used..];
        match head.status() {
            100 => assert_eq!(head.reason(), "Continue"),
            101 => {
                check_added(&head, seen);
                check_frames(Role::Client, rest);
                return;
            }
            _ if asks_for_head => return,
            _ => {
                assert!(!opens, "it was let in");
                rest = check_answer(&head, rest);
            }
        }
    }
}

/// An answer is final and whole, and why it refuses stands there in a line. Gives what is behind it.
fn check_answer<'a>(head: &ResponseHead, rest: &'a [u8]) -> &'a [u8] {
    let status = head.status();
    assert!(matches!(status, 200..=599), "{status}");
    assert_eq!(head.reason(), reason(status));
    let length = head.header("content-length").map(str::parse::<usize>);
    let length = length.expect("it has a length").expect("in digits");
    let (body, rest) = rest.split_at_checked(length).expect("a whole body");
    if status >= 400 {
        let text = std::str::from_utf8(body).expect("it is text");
        check_line(text.strip_suffix('\n').expect("a line"), 200);
    }
    rest
}

/// The headers of the application came with the last answer, each once.
fn check_added(head: &ResponseHead, seen: &Seen) {
    assert_eq!(head.reason(), "Switching Protocols");
    for (name, value) in seen.added.borrow().iter() {
        let value = value.trim_matches([' ', '\t']).as_bytes();
        let fields = head.fields();
        let found = fields.filter(|field| *field == (name.as_str(), value));
        assert_eq!(found.count(), 1, "{name}");
    }
}

/// It goes, and some time passes: then nothing of it is left.
fn end(test: &TestServer, peer: Connection, go: fn(Connection), seen: &Seen) {
    go(peer);
    test.clock().advance(END);
    for line in seen.told.borrow().iter() {
        check_line(line, 1000);
    }
    seen.sockets.check_end(test);
}

#[cfg(test)]
mod tests {
    use super::super::noise::{run_frames, run_noise, run_seeds};
    use super::session;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("session", session);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(200, 200, session);
    }

    #[test]
    fn frames_that_tell_the_socket_what_to_do_break_no_promise() {
        run_frames(true, session);
    }
}
