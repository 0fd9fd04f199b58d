//! As much as fits through the wire, in the smallest pieces there are. Fairness is counted in turns of
//! the loop, which the test drives itself.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rushwire::testing::TestServer;
use rushwire::{App, Options, Server, event};

use super::common::client::{CONTINUATION, PING, PONG, TEXT, frame, upgrade_request};
use super::common::log::{Log, log};
use super::common::{Client, PATIENCE, http, serve_with};
use super::{in_memory, member, still};

/// What is read of one connection in a turn while others have something to say.
const BUDGET: usize = 128 * 1024;
/// What is accepted in a turn.
const ACCEPTS: u64 = 64;
const KIB: usize = 1024;

/// A loop that the test drives, and how much the sockets at `/flood` have heard.
struct Driven {
    server: Server,
    addr: SocketAddr,
    heard: Rc<Cell<usize>>,
}

impl Driven {
    fn new() -> Self {
        let heard = Rc::new(Cell::new(0));
        let mut app = App::with(still());
        app.ws("/echo", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
        let counter = Rc::clone(&heard);
        app.ws("/flood", move |socket, _| {
            let heard = Rc::clone(&counter);
            let count = move || heard.set(heard.get() + 1);
            socket.on(event::Message, {
                let count = count.clone();
                move |_, _| count()
            });
            socket.on(event::Ping, {
                let count = count.clone();
                move |_, _| count()
            });
            socket.on(event::Pong, move |_, _| count());
        });
        let counter = Rc::clone(&heard);
        app.get("/", move |ctx| {
            counter.set(counter.get() + 1);
            ctx.text("");
        });
        let server = app.bind("127.0.0.1:0").expect("bind");
        let addr = server.local_addr().expect("TCP");
        Self {
            server,
            addr,
            heard,
        }
    }

    fn turn(&mut self) {
        self.server.turn(Some(Duration::ZERO)).expect("a turn");
    }

    /// Turns until `done`.
    fn turn_until(&mut self, what: &str, mut done: impl FnMut(&Server) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(&self.server) {
            self.server
                .turn(Some(Duration::from_millis(5)))
                .expect("a turn");
            assert!(Instant::now() < deadline, "never: {what}");
        }
    }

    fn connect(&mut self, path: &'static str) -> Client {
        let addr = self.addr;
        let client = std::thread::spawn(move || Client::connect(addr, path));
        self.turn_until("it is connected", |_| client.is_finished());
        client.join().expect("it is let in")
    }

    /// Asks `client` to say something: how many turns it takes until it is answered.
    fn turns_to_answer(&mut self, client: &mut Client) -> usize {
        client.send("and I?");
        let answer = b"\x81\x06and I?";
        for turns in 1..100 {
            self.turn();
            let mut came = [0; 8];
            if client
                .stream
                .peek(&mut came)
                .is_ok_and(|n| n == answer.len())
            {
                assert_eq!(&came, answer);
                assert_eq!(client.text(), "and I?");
                return turns;
            }
        }
        panic!("it is never answered");
    }
}

/// Sends the same again and again, as fast as the kernel takes it, and reads what comes.
struct Flood {
    stream: TcpStream,
    bytes: Vec<u8>,
    at: usize,
}

impl Flood {
    fn new(stream: TcpStream, piece: &[u8]) -> Self {
        stream.set_nonblocking(true).expect("set nonblocking");
        let bytes = piece.repeat(64 * KIB / piece.len() + 1);
        Self {
            stream,
            bytes,
            at: 0,
        }
    }

    fn go_on(&mut self) {
        let mut came = [0; 64 * KIB];
        while self.stream.read(&mut came).is_ok_and(|n| n > 0) {}
        loop {
            match self.stream.write(&self.bytes[self.at..]) {
                Ok(n) => self.at = (self.at + n) % self.bytes.len(),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) => panic!("{e}"),
            }
        }
    }
}

/// What each flood consists of, and how many of it are heard in `BUDGET` bytes at most.
fn pieces() -> Vec<(&'static str, Vec<u8>, usize)> {
    let more = |fin, payload: &[u8]| frame(fin, 0, CONTINUATION, payload);
    let fragments = |payload: &[u8], count| {
        let start = frame(false, 0, TEXT, payload);
        [
            start,
            more(false, payload).repeat(count),
            more(true, payload),
        ]
        .concat()
    };
    let all = [
        ("pings", frame(true, 0, PING, b"")),
        ("long pings", frame(true, 0, PING, &[7; 125])),
        ("pongs", frame(true, 0, PONG, b"")),
        ("empty messages", frame(true, 0, TEXT, b"")),
        ("messages of a byte", frame(true, 0, TEXT, b"x")),
        ("empty fragments", fragments(b"", 1000)),
        ("fragments of a byte", fragments(b"x", 1000)),
    ];
    let most = |piece: &[u8]| BUDGET.div_ceil(piece.len()) + 1;
    all.into_iter()
        .map(|(name, piece)| (name, piece.clone(), most(&piece)))
        .collect()
}

#[test]
fn whoever_floods_has_its_share_of_a_turn_and_others_are_answered_in_the_first() {
    for (name, piece, most) in pieces() {
        let mut driven = Driven::new();
        let mut good = driven.connect("/echo");
        let mut floods: Vec<Flood> = (0..3)
            .map(|_| Flood::new(driven.connect("/flood").stream, &piece))
            .collect();
        for round in 0..8 {
            floods.iter_mut().for_each(Flood::go_on);
            let before = driven.heard.get();
            let turns = driven.turns_to_answer(&mut good);
            assert!(turns <= 2, "{name}, round {round}: {turns} turns");
            let heard = driven.heard.get() - before;
            let share = floods.len() * most * turns;
            assert!(
                heard > 0 && heard <= share,
                "{name}: {heard} in {turns} turns, at most {share}"
            );
        }
        assert_eq!(driven.server.hub().len(), 4, "{name}: it is no offence");
    }
}

#[test]
fn whoever_pipelines_requests_has_its_share_of_a_turn_too() {
    let mut driven = Driven::new();
    let mut good = driven.connect("/echo");
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut floods: Vec<Flood> = (0..3)
        .map(|_| Flood::new(http::connect(driven.addr), request))
        .collect();
    let share = floods.len() * (BUDGET / request.len() + 2);
    for round in 0..20 {
        floods.iter_mut().for_each(Flood::go_on);
        let before = driven.heard.get();
        let turns = driven.turns_to_answer(&mut good);
        assert!(turns <= 2, "round {round}: {turns} turns");
        let heard = driven.heard.get() - before;
        assert!(
            heard <= share * turns,
            "{heard} in {turns} turns, at most {share} in one"
        );
    }
    assert!(
        driven.heard.get() > 1000,
        "{} were answered",
        driven.heard.get()
    );
}

/// As many as the kernel lets wait at the door.
#[test]
fn a_flood_of_connections_is_taken_in_batches_and_members_are_answered_between() {
    const CROWD: u64 = 120;
    let mut driven = Driven::new();
    let mut good = driven.connect("/echo");
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut stream = http::connect(driven.addr);
            let request = upgrade_request("/echo", "");
            stream
                .write_all(request.as_bytes())
                .expect("the kernel takes it");
            stream
        })
        .collect();
    let mut before = driven.server.hub().stats().accepted;
    let mut rounds = 0;
    while before < CROWD + 1 {
        let turns = driven.turns_to_answer(&mut good);
        assert_eq!(turns, 1, "round {rounds}");
        let accepted = driven.server.hub().stats().accepted;
        let new = accepted - before;
        assert!(
            (1..=ACCEPTS).contains(&new),
            "round {rounds}: {new} at once"
        );
        (before, rounds) = (accepted, rounds + 1);
    }
    assert_eq!(rounds, 2);
    for stream in crowd {
        Client::take_over(stream);
    }
}

/// Of what the kernel has refused a half of `max_backpressure`, and what one read has brought.
#[test]
fn pongs_that_nobody_reads_are_bounded_and_each_comes_once_when_somebody_does() {
    for max in [64 * KIB, 1024 * KIB] {
        let options = move || Options {
            max_backpressure: max,
            ..still()
        };
        let server = serve_with(options, |app| {
            app.ws("/:name", |socket, request| {
                socket.join(request.param("name"));
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
        });
        let mut deaf = server.connect("/deaf");
        let mut other = server.connect("/other");
        let ping = |number: u32| {
            let mut payload = [7; 125];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            frame(true, 0, PING, &payload)
        };
        let waiting =
            || server.ask(|hub| member(hub, "deaf").map_or(0, |socket| socket.buffered_amount()));
        let all: Vec<u8> = (0..300_000).flat_map(ping).collect();
        deaf.stream.set_nonblocking(true).expect("set nonblocking");
        let mut sent = 0;
        loop {
            let before = sent;
            while let Ok(n) = deaf.stream.write(&all[sent..]) {
                sent += n;
                assert!(sent < all.len(), "all was read: this test shows nothing");
            }
            // It has had a few turns to take more.
            other.send("and I?");
            assert_eq!(other.text(), "and I?");
            if sent == before && waiting() > max / 2 {
                break;
            }
        }
        let waits = waiting();
        assert!(waits <= max / 2 + BUDGET, "{waits} bytes wait, {max} may");
        let kept = server.ask(|hub| hub.stats().waiting_bytes);
        assert!(
            kept <= 2 * (max / 2 + BUDGET),
            "{kept} bytes are kept for {waits}"
        );
        assert_eq!(server.ask(|hub| hub.len()), 2, "it is no offence");

        deaf.stream.set_nonblocking(false).expect("set blocking");
        let whole = sent.div_ceil(131);
        let rest = all[sent..whole * 131].to_vec();
        let mut stream = deaf.stream.try_clone().expect("clone");
        let writer = std::thread::spawn(move || stream.write_all(&rest).expect("it is read again"));
        // One that comes while others wait may go ahead of them.
        let mut answered = vec![false; whole];
        for _ in 0..whole {
            let pong = deaf.next().expect("all are answered");
            assert_eq!((pong.opcode, pong.payload.len()), (PONG, 125));
            let [a, b, c, d, ..] = pong.payload[..] else {
                unreachable!()
            };
            let number = u32::from_be_bytes([a, b, c, d]) as usize;
            assert!(
                !std::mem::replace(&mut answered[number], true),
                "{number} twice"
            );
        }
        writer.join().expect("the writer");
        server.wait_until("nothing waits", |hub| hub.stats().waiting_bytes == 0);
    }
}

/// What is read of one connection that is alone, or amid a large message.
const LARGE: usize = 1024 * KIB;

/// A server in memory, and connections through which everything below fits at once.
fn wide() -> (TestServer, Log) {
    let (pen, log) = log();
    let options = Options {
        max_message_size: 8 * LARGE,
        ..still()
    };
    let test = in_memory(options, pen);
    test.set_window(8 * LARGE);
    (test, log)
}

#[test]
fn whoever_sends_a_large_message_has_its_share_of_a_turn_too() {
    let (test, log) = wide();
    let (mut large, mut small) = (test.connect("/large"), test.connect("/small"));
    large.send(vec![7; 4 * LARGE].as_slice());
    small.send("and I?");
    test.turn();
    assert_eq!(log.find("small message"), "small message and I?");
    assert_eq!(log.next(), format!("large message {} bytes", 4 * LARGE));
}

/// Who speaks while another is heard that was alone when the turn began is heard before the rest of it.
#[test]
fn whoever_is_alone_has_its_share_of_a_turn_too() {
    let (test, log) = wide();
    let (mut loud, mut small) = (test.connect("/loud"), Some(test.connect("/small")));
    let piece = vec![7; 8 * KIB];
    for _ in 0..4 * LARGE / piece.len() {
        loud.send(piece.as_slice());
    }
    let sockets = test.hub().sockets();
    let socket = sockets.iter().find(|socket| socket.url() == "/loud");
    socket
        .expect("it is there")
        .once(event::Message, move |_, _| {
            small.take().expect("it is once").send("and I?");
        });
    test.turn();
    let before = || log.next() != "small message and I?";
    let heard = std::iter::repeat_with(before).take_while(|is| *is).count();
    let share = (LARGE + BUDGET) / piece.len();
    assert!(heard <= 2 + share, "{heard} before it, two of them open");
}
