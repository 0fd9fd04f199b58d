//! A whole connection of a server, from its first byte to its end, over a network in memory: whatever
//! comes in, what goes out is HTTP and frames, a socket hears what was sent and ends once, and nothing
//! is left.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::choices::{Choices, expand, pieces, unit};
use super::texts::check_line;
use crate::http::{Limits, ResponseHead, ResponseParser, reason};
use crate::proto::decoder::Role;
use crate::proto::naive::{Owned, decode};
use crate::testing::{Connection, TestServer};
use crate::{App, Message, Options, Overflow, Request, Socket, event};

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const POLICIES: [Overflow; 3] = [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest];
/// The longest that a connection may go on that nothing is heard of, whatever it did before.
const END: Duration = Duration::from_secs(600);

/// An answer is short.
const ANSWER: Limits = Limits {
    max_head: 2048,
    max_fields: 16,
};

/// How much may come, and wait.
struct Scale {
    message: usize,
    body: usize,
    backpressure: usize,
}

const SMALL: Scale = Scale {
    message: 2048,
    body: 512,
    backpressure: 4096,
};
/// Large enough for a message that is read to where it belongs, and for a buffer that is used again.
const LARGE: Scale = Scale {
    message: 160 * 1024,
    body: 64 * 1024,
    backpressure: 1024 * 1024,
};
/// For two messages of that length.
const MAX_INPUT: usize = 320 * 1024;

/// What the application has seen.
#[derive(Default)]
struct Seen {
    opened: Cell<usize>,
    closed: Cell<usize>,
    heard: RefCell<Vec<Vec<u8>>>,
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
    let mut choices = Choices::new(data);
    let how = choices.byte();
    let (seed, step) = (choices.byte(), choices.byte());
    let window = 1 << (choices.below(10) + 4);
    let pause = choices.byte();
    let (scale, input, by) = match pause {
        // Of what is large, a piece may be large enough to complete a message where it belongs.
        224.. => (LARGE, expand(choices.rest(), MAX_INPUT), 4),
        _ => (SMALL, choices.rest().to_vec(), 1),
    };
    let pause = Duration::from_secs(u64::from(pause % 32));
    let unit = unit(input.len()) * by;
    let seen = Rc::new(Seen::default());
    let test = server(POLICIES[usize::from(how >> 4) % 3], &scale, &seen);
    test.set_window(window * unit);
    let mut peer = test.open();
    let mut came = Vec::new();
    let opens = how & 1 == 1;
    if opens {
        peer.send(HANDSHAKE);
        came.extend(peer.recv());
    }
    for piece in pieces(&input, seed, step, unit) {
        if how & 2 == 2 {
            peer.stop_reading();
        }
        peer.send(piece);
        test.turn();
        peer.read_on();
        came.extend(peer.recv());
        if how & 4 == 4 {
            test.clock().advance(pause);
        }
    }
    match how >> 6 {
        0 => peer.finish(),
        1 => came.extend(peer.recv()),
        2 => return end(&test, peer, Connection::reset, &seen),
        _ => return end(&test, peer, Connection::vanish, &seen),
    }
    test.clock().advance(END);
    came.extend(peer.recv());
    assert!(peer.is_ended(), "it goes on after its time");
    check_sent(&came, &input, opens, &seen);
    if opens {
        check_heard(&input, scale.message, how & 0xC6 == 0, &seen);
    }
    end(&test, peer, drop, &seen);
}

/// Its socket does what it is told, and each route answers in another way.
fn server(overflow: Overflow, scale: &Scale, seen: &Rc<Seen>) -> TestServer {
    let mut app = App::with(Options {
        max_message_size: scale.message,
        max_body_size: scale.body,
        max_backpressure: scale.backpressure,
        idle_timeout: Duration::from_secs(300),
        overflow,
        ..Options::default()
    });
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
    let seen = Rc::clone(seen);
    app.ws("/socket", move |socket, _| {
        seen.opened.set(seen.opened.get() + 1);
        let (hearer, seen) = (Rc::clone(&seen), Rc::clone(&seen));
        socket.on(event::Message, move |socket, message| {
            hearer.heard.borrow_mut().push(message.as_bytes().to_vec());
            act(socket, message);
        });
        socket.on(event::Close, move |_, _| {
            seen.closed.set(seen.closed.get() + 1);
        });
    });
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

/// The first byte of a message says what becomes of it.
fn act(socket: &Socket, message: Message<'_>) {
    let bytes = message.as_bytes();
    match bytes.first().map_or(0, |first| first % 16) {
        1 => socket.close(),
        2 => drop(socket.close_with(4000, "as you say")),
        3 => socket.terminate(),
        4 => drop(socket.ping(b"?")),
        5 => drop(socket.join("room")),
        6 => drop(socket.leave("room")),
        7 => drop(socket.broadcast_all("room", message)),
        8 => drop((0..20).map(|_| socket.send(bytes)).collect::<Vec<_>>()),
        9 => drop(socket.once(event::Message, |socket, message| {
            socket.send(message);
            socket.close();
        })),
        10 => socket.hub().shutdown(Duration::from_secs(5)),
        11 => {
            let again = socket.clone();
            let late = move |_: &crate::Hub| _ = again.send("late");
            socket.hub().set_timeout(Duration::from_secs(2), late);
        }
        _ => drop(socket.send(message)),
    }
}

/// What the server sends are answers of HTTP, and behind a 101 frames.
fn check_sent(came: &[u8], input: &[u8], opens: bool, seen: &Seen) {
    // What belongs to an answer to HEAD is not said in the answer.
    let asks_for_head = !opens && input.windows(5).any(|five| five == b"HEAD ");
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
                return check_frames(rest);
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

/// Whole frames as a server may send them, up to one close frame.
fn check_frames(frames: &[u8]) {
    let (heard, verdict) = decode(Role::Client, 1 << 20, frames);
    assert_eq!(verdict, Ok(()), "it keeps to the protocol");
    let closes = heard.iter().filter(|it| matches!(it, Owned::Close(..)));
    assert!(closes.count() <= 1);
}

/// The socket heard what the naive decoder reads, in that order, until it ended; and all of it if nothing
/// of the socket, the network or the time (`is_calm`) was in the way.
fn check_heard(input: &[u8], max: usize, is_calm: bool, seen: &Seen) {
    let (sent, _) = decode(Role::Server, max, input);
    let sent = sent.into_iter().filter_map(|piece| match piece {
        Owned::Text(text) => Some(text.into_bytes()),
        Owned::Binary(bytes) => Some(bytes),
        _ => None,
    });
    let sent: Vec<Vec<u8>> = sent.collect();
    let heard = seen.heard.borrow();
    // What is large would fill the screen.
    assert!(sent.starts_with(&heard), "it hears what was not sent");
    let act = |message: &Vec<u8>| message.first().map_or(0, |first| first % 16);
    let may_end = |message| matches!(act(message), 1..=3 | 8..=10);
    if is_calm && !sent.iter().any(may_end) {
        assert_eq!(heard.len(), sent.len(), "it hears all that was sent");
    }
}

/// It goes, and some time passes: then nothing of it is left.
fn end(test: &TestServer, peer: Connection, go: fn(Connection), seen: &Seen) {
    go(peer);
    test.clock().advance(END);
    let stats = test.hub().stats();
    for line in seen.told.borrow().iter() {
        check_line(line, 1000);
    }
    assert_eq!(seen.opened.get(), seen.closed.get(), "each ends once");
    assert_eq!((test.hub().len(), stats.total_connections), (0, 0));
    assert_eq!((test.hub().rooms().len(), stats.waiting_bytes), (0, 0));
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_noise, run_seeds};
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
        let mut random = Random::new();
        for _ in 0..if cfg!(miri) { 2 } else { 400 } {
            let mut input: Vec<u8> = (0..5).map(|_| random.below(256) as u8).collect();
            input[0] |= 1;
            for _ in 0..random.below(12) {
                let len = random.below(120);
                let first = [0x81, 0x82, 0x82, 0x02, 0x80, 0x89, 0x8A, 0x88][random.below(8)];
                input.extend([first, 0x80 | len as u8, 0, 0, 0, 0]);
                let act = random.below(16) as u8;
                input.extend((0..len).map(|i| if i == 0 { act } else { b'x' }));
            }
            session(&input);
        }
    }
}
