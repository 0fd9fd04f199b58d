//! A whole connection of a server, from its first byte to its end, over a network in memory: whatever
//! comes in, what goes out is HTTP and frames, sockets end once, and nothing is left.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::choices::{Choices, pieces};
use crate::proto::decoder::Role;
use crate::proto::naive::{Owned, decode};
use crate::testing::{Connection, TestServer};
use crate::{App, Message, Options, Overflow, Socket, event};

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const POLICIES: [Overflow; 3] = [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest];
/// The longest that a connection may go on that nothing is heard of, whatever it did before.
const END: Duration = Duration::from_secs(600);

#[derive(Default)]
struct Counts {
    opened: Cell<usize>,
    closed: Cell<usize>,
}

/// Plays the peer of one connection. The first bytes choose how the network is, how it ends, and
/// whether the rest comes behind an opening handshake.
///
/// # Panics
///
/// When a promise of the server is broken.
pub fn session(data: &[u8]) {
    let mut choices = Choices::new(data);
    let how = choices.byte();
    let (seed, step) = (choices.byte(), choices.byte());
    let window = 1 << (choices.below(10) + 4);
    let pause = Duration::from_secs(choices.below(32) as u64);
    let counts = Rc::new(Counts::default());
    let test = server(POLICIES[usize::from(how >> 4) % 3], &counts);
    test.set_window(window);
    let mut peer = test.open();
    let mut came = Vec::new();
    let opens = how & 1 == 1;
    if opens {
        peer.send(HANDSHAKE);
        came.extend(peer.recv());
    }
    for piece in pieces(choices.rest(), seed, step) {
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
        2 => return end(&test, peer, Connection::reset, &counts),
        _ => return end(&test, peer, Connection::vanish, &counts),
    }
    test.clock().advance(END);
    came.extend(peer.recv());
    assert!(peer.is_ended(), "it goes on after its time");
    check_sent(&came, opens);
    end(&test, peer, drop, &counts);
}

/// Its socket does what it is told, and each route answers in another way.
fn server(overflow: Overflow, counts: &Rc<Counts>) -> TestServer {
    let mut app = App::with(Options {
        max_message_size: 2048,
        max_body_size: 512,
        max_backpressure: 4096,
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
    let counts = Rc::clone(counts);
    app.ws("/socket", move |socket, _| {
        counts.opened.set(counts.opened.get() + 1);
        let counts = Rc::clone(&counts);
        socket.on(event::Message, act);
        socket.on(event::Close, move |_, _| {
            counts.closed.set(counts.closed.get() + 1);
        });
    });
    TestServer::new(app).expect("nothing is wrong with it")
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

/// What the server sends is an answer of HTTP, and behind a 101 whole frames as a server may send them,
/// up to one close frame.
fn check_sent(came: &[u8], opens: bool) {
    if came.is_empty() {
        return;
    }
    assert!(came.starts_with(b"HTTP/1.1 "), "it answers in HTTP");
    if !opens {
        return;
    }
    assert!(came.starts_with(b"HTTP/1.1 101 "), "it was let in");
    let end = came.windows(4).position(|four| four == b"\r\n\r\n");
    let frames = &came[end.expect("a whole head") + 4..];
    let (heard, verdict) = decode(Role::Client, 1 << 20, frames);
    assert_eq!(verdict, Ok(()), "it keeps to the protocol");
    let closes = heard.iter().filter(|it| matches!(it, Owned::Close(..)));
    assert!(closes.count() <= 1);
}

/// It goes, and some time passes: then nothing of it is left.
fn end(test: &TestServer, peer: Connection, go: fn(Connection), counts: &Counts) {
    go(peer);
    test.clock().advance(END);
    let stats = test.hub().stats();
    assert_eq!(counts.opened.get(), counts.closed.get(), "each ends once");
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
