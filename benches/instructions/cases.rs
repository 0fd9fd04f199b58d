//! The cases: each does its operation `n` times.

use std::hint::black_box;

use rushwire::bench::{self, Connection, Decoder, Rooms, Server};
use rushwire::{Socket, event};

use crate::THOUSAND;
use crate::frames::{ASCII, CJK, KEY, Kind, bytes, masked, text};
use crate::requests::{ANSWER, BROWSER, Handshake, PLAIN};

/// How many frames come in one read.
const PIPELINED: usize = 50;

/// A name without spaces, and what does it so often.
type Case = (&'static str, fn(usize));

pub(crate) const CASES: [Case; 11] = [
    ("decode-20-binary", |n| decode(Kind::Binary, &bytes(20), n)),
    ("decode-20-ascii", |n| {
        decode(Kind::Text, text(ASCII, 20).as_bytes(), n)
    }),
    ("decode-125-binary", |n| {
        decode(Kind::Binary, &bytes(125), n)
    }),
    ("decode-20-cut-in-two", decode_cut),
    ("decode-4096-cjk", |n| {
        decode(Kind::Text, text(CJK, 4096).as_bytes(), n)
    }),
    ("mask-1024", mask),
    ("echo-20", echo),
    ("fan-out-64-to-1000", fan_out),
    ("handshake-plain", |n| handshake(PLAIN, n)),
    ("handshake-browser", |n| handshake(BROWSER, n)),
    ("join-and-leave", join_and_leave),
];

/// Frames that come many in a read.
fn decode(kind: Kind, payload: &[u8], n: usize) {
    let mut input = masked(kind, payload).repeat(PIPELINED);
    read(&mut input, usize::MAX, payload.len(), n / PIPELINED);
}

/// Frames that come in two reads each.
fn decode_cut(n: usize) {
    let mut input = masked(Kind::Binary, &bytes(20));
    let half = input.len() / 2;
    read(&mut input, half, 20, n);
}

/// Decodes `input` so many times, in portions of `cut` bytes.
fn read(input: &mut [u8], cut: usize, len: usize, times: usize) {
    let mut decoder = Decoder::new(len);
    let mut heard = 0;
    for _ in 0..times {
        for portion in black_box(&mut *input).chunks_mut(cut) {
            let is_right = decoder.read(portion, |message| heard += black_box(message).len());
            assert!(is_right);
        }
    }
    let frames = input.len() / masked(Kind::Binary, &bytes(len)).len();
    assert_eq!(heard, times * frames * len);
}

fn mask(n: usize) {
    let mut payload = bytes(1024);
    for _ in 0..n {
        bench::mask(black_box(&mut payload), black_box(KEY));
    }
    // An even number of times.
    assert_eq!(payload, bytes(1024));
}

/// From the decoder through the listener to the outbox, many frames in a turn.
fn echo(n: usize) {
    let server = Server::default();
    let mut connection = connect(&server, |socket| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
    let mut input = masked(Kind::Binary, &bytes(20)).repeat(PIPELINED);
    for _ in 0..n / PIPELINED {
        connection.receive(&mut input, &server);
        server.write();
    }
    assert_sent(&server, n, 20);
}

/// Each delivery of a broadcast to a thousand members, one in a turn.
fn fan_out(n: usize) {
    let server = Server::default();
    let mut sender = connect(&server, |socket| {
        socket.on(event::Message, |socket, message| {
            socket.broadcast("room", message);
        });
    });
    let member = |socket: &Socket| {
        socket.join("room");
    };
    let members = (0..THOUSAND).map(|_| connect(&server, member));
    let _members: Vec<Connection> = members.collect();
    let mut input = masked(Kind::Binary, &bytes(64));
    for _ in 0..n / THOUSAND {
        sender.receive(&mut input, &server);
        server.write();
    }
    assert_sent(&server, n, 64);
}

fn connect(server: &Server, handler: impl FnOnce(&Socket)) -> Connection {
    server.connect(handler).expect("a place")
}

fn assert_sent(server: &Server, messages: usize, len: usize) {
    let stats = server.hub().stats();
    assert_eq!(stats.messages_out, messages as u64);
    assert_eq!(stats.bytes_out, (messages * len) as u64);
}

/// From the bytes of the request to those of the answer.
fn handshake(request: Handshake, n: usize) {
    let mut answer = Vec::new();
    for _ in 0..n {
        answer.clear();
        let is_right = bench::open(&mut answer, black_box(request.text.as_bytes()));
        assert!(is_right);
    }
    assert_eq!(answer, ANSWER.as_bytes());
}

/// A member of nine rooms joins a tenth, in which others are, and leaves it.
fn join_and_leave(n: usize) {
    let mut rooms = Rooms::default();
    for name in (0..9).map(|i| format!("other-{i}")) {
        assert!(rooms.join(&name, 0));
    }
    for other in 1..=THOUSAND as u32 {
        assert!(rooms.join("room", other));
    }
    for _ in 0..n {
        assert!(rooms.join(black_box("room"), 0));
        assert!(rooms.leave(black_box("room"), 0));
    }
    assert_eq!(rooms.members("room").len(), THOUSAND);
}
