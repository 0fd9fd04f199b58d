//! Servers that mean harm to our client. What they may get wrong in the handshake and in frames is in
//! `tests/client`.

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rushwire::{Client, ConnectOptions, Options, Overflow, SendStatus, Socket, event};

use super::common::PATIENCE;
use super::common::log::log;
use super::peer::{Peer, Stage, play, unmasked};
use super::still;

const KIB: usize = 1024;
const MAX: usize = 256 * KIB;

/// A client on this thread with one socket.
struct Dialed {
    client: Client,
    socket: Rc<RefCell<Option<Socket>>>,
}

impl Dialed {
    fn new(limits: Options, stage: &Stage, handler: impl Fn(&Socket) + 'static) -> Self {
        let client = Client::with(limits).expect("a client");
        let socket = Rc::new(RefCell::new(None));
        let place = Rc::clone(&socket);
        let options = ConnectOptions::default();
        let connected = client.connect(&stage.url, options, move |socket, _| {
            handler(socket);
            place.replace(Some(socket.clone()));
        });
        connected.expect("a good URL");
        let mut dialed = Self { client, socket };
        dialed.turn_until("it is open", |dialed| dialed.socket.borrow().is_some());
        dialed
    }

    fn turn_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "never: {what}");
            let turn = self.client.turn(Some(Duration::from_millis(5)));
            turn.expect("a turn");
        }
    }

    fn socket(&self) -> Socket {
        self.socket.borrow().clone().expect("it is open")
    }
}

#[test]
fn a_server_that_falls_silent_anywhere_is_missed_by_the_heartbeat_and_left() {
    let large = unmasked(0x82, &[7; 70_000]);
    let table: [(&str, Vec<u8>); 6] = [
        ("behind its agreement", Vec::new()),
        ("inside of a header", large[..5].to_vec()),
        (
            "inside of a small payload",
            unmasked(0x81, b"small")[..4].to_vec(),
        ),
        ("inside of a large payload", large[..60_000].to_vec()),
        ("inside of a ping", unmasked(0x89, b"ping")[..4].to_vec()),
        ("between two fragments", unmasked(0x01, b"begun")),
    ];
    for (name, bytes) in table {
        let (pen, log) = log();
        let (leave, left) = channel::<()>();
        let stage = play(move |listener| {
            let mut peer = Peer::agree(listener);
            peer.send(bytes);
            let _ = left.recv();
        });
        let limits = Options {
            heartbeat: Duration::from_millis(50),
            pong_timeout: Duration::from_millis(100),
            close_timeout: Duration::from_millis(100),
            ..Options::default()
        };
        let mut dialed = Dialed::new(limits, &stage, move |socket| pen.watch("it", socket));
        dialed.turn_until("it is left", |dialed| dialed.client.is_done());
        drop(dialed);
        drop(leave);
        let expected = [
            "it open",
            r#"it close 1001 "ping timeout" Us PingTimeout 0"#,
        ];
        assert_eq!(log.rest(), expected, "{name}");
    }
}

/// Numbers of the messages that come until the client closes, in the order in which they came.
fn numbers(peer: &mut Peer) -> Vec<u32> {
    let mut numbers = Vec::new();
    loop {
        let frame = peer.next().expect("a close frame comes last");
        match frame.payload[..] {
            _ if frame.first == 0x88 => return numbers,
            [a, b, c, d, ..] => numbers.push(u32::from_be_bytes([a, b, c, d])),
            _ => panic!("{} bytes", frame.payload.len()),
        }
    }
}

#[test]
fn what_a_server_does_not_read_is_bounded_and_delivered_in_order_or_counted() {
    for overflow in [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest] {
        let (pen, log) = log();
        let (read, reads) = channel::<()>();
        let (tell, told) = channel();
        let stage = play(move |listener| {
            let mut peer = Peer::agree(listener);
            reads.recv().expect("the test says when");
            tell.send(numbers(&mut peer)).expect("the test waits");
            peer.send(unmasked(0x88, b""));
        });
        let limits = Options {
            max_backpressure: MAX,
            overflow,
            ..still()
        };
        let mut dialed = Dialed::new(limits, &stage, move |socket| pen.watch("it", socket));
        let socket = dialed.socket();
        // Far more than the kernel takes.
        let mut statuses = Vec::new();
        for number in 0..6_000_u32 {
            let mut message = vec![7; 4 * KIB];
            message[..4].copy_from_slice(&number.to_be_bytes());
            statuses.push(socket.send(&message));
            assert!(socket.buffered_amount() <= MAX, "{overflow:?}");
            if number % 8 == 0 {
                dialed.client.turn(Some(Duration::ZERO)).expect("a turn");
            }
        }
        let of = |fate| statuses.iter().filter(|it| **it == fate).count();
        let accepted = of(SendStatus::Queued) + of(SendStatus::Backpressure);
        read.send(()).expect("it waits");
        dialed.turn_until("all is read", |_| socket.buffered_amount() == 0);
        socket.close();
        dialed.turn_until("it is over", |dialed| dialed.client.is_done());
        let came = told.recv_timeout(PATIENCE).expect("it has read");
        assert!(came.is_sorted_by(|a, b| a < b), "{overflow:?}: in order");
        drop((dialed, socket));
        let lost: usize = log.rest().iter().filter_map(|line| undelivered(line)).sum();
        let refused = of(SendStatus::Dropped);
        assert_eq!(
            came.len() + lost,
            accepted + refused,
            "{overflow:?}: {lost} lost"
        );
        let is_refused = [
            of(SendStatus::Closed) > 0,
            refused > 0,
            lost > 0 && refused == 0,
        ];
        assert!(
            is_refused[overflow as usize],
            "{overflow:?}: it was never too much"
        );
    }
}

/// What a line tells to be lost.
fn undelivered(line: &str) -> Option<usize> {
    let tells = line.starts_with("it drain") || line.starts_with("it close");
    line.rsplit(' ').next().filter(|_| tells)?.parse().ok()
}

#[test]
fn a_server_that_pings_and_does_not_read_is_not_answered_without_end() {
    let (tell, told) = channel();
    let (leave, left) = channel::<()>();
    let stage = play(move |listener| {
        let mut peer = Peer::agree(listener);
        let pings = unmasked(0x89, &[7; 125]).repeat(1_000);
        let brief = Some(Duration::from_millis(200));
        peer.stream.set_write_timeout(brief).expect("set a timeout");
        let mut sent = 0;
        let end = loop {
            match peer.stream.write(&pings[sent % pings.len()..]) {
                Ok(n) if sent < 64 << 20 => sent += n,
                Ok(_) => break None,
                Err(e) => break Some(e.kind()),
            }
        };
        tell.send(end).expect("the test waits");
        let _ = left.recv();
    });
    let limits = Options {
        max_backpressure: MAX,
        ..still()
    };
    let pings = Rc::new(RefCell::new(0));
    let heard = Rc::clone(&pings);
    let mut dialed = Dialed::new(limits, &stage, move |socket| {
        let heard = Rc::clone(&heard);
        socket.on(event::Ping, move |_, _| *heard.borrow_mut() += 1);
    });
    let end = RefCell::new(None);
    dialed.turn_until("it is read no more", |_| {
        if let Ok(why) = told.try_recv() {
            end.replace(Some(why));
        }
        end.borrow().is_some()
    });
    let end = end.take().flatten();
    assert!(
        matches!(end, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "{end:?}"
    );
    let waits = dialed.socket().buffered_amount();
    // Half of what may wait, and the answers to one read: with their masks they are longer.
    assert!(
        waits > MAX / 2 && waits < MAX / 2 + 140 * KIB,
        "{waits} bytes wait"
    );
    assert!(*pings.borrow() > 1000 && dialed.socket().is_open());
    drop(leave);
}
