//! 5. Middleware that decides later, here or on another thread.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::common::client::{BINARY, CONTINUATION, PING, PONG, TEXT, frame, upgrade_request};
use crate::common::{Client, PATIENCE, Server, http, serve_with};
use crate::{Journal, NEVER, still_serves};
use rushwire::testing::{Received, TestServer};
use rushwire::{App, Hub, Join, Next, Options, ReadyState, event};

/// A server that hands each `Next` of a `?wait` to the test, once for each `wait`.
struct Waiting {
    server: Server,
    nexts: Receiver<Next>,
    journal: Journal,
}

impl Waiting {
    fn new() -> Self {
        Self::with(|| Options {
            heartbeat: Duration::ZERO,
            close_timeout: NEVER,
            ..Options::default()
        })
    }

    fn with(options: impl FnOnce() -> Options + Send + 'static) -> Self {
        let (sender, nexts) = channel();
        let journal = Journal::default();
        let noted = journal.clone();
        let server = serve_with(options, move |app| {
            let watched = noted.clone();
            app.ws_use(move |socket, request, next| {
                watched.watch_close(socket);
                if request.query("speak").is_some() {
                    socket.send(&vec![0; 200_000]);
                }
                next.run();
            });
            for round in 0..2 {
                let sender = sender.clone();
                app.ws_use(move |socket, request, next| {
                    assert_eq!(socket.join("early"), Join::Closed);
                    match request.query_all("wait").nth(round) {
                        Some(_) => sender.send(next).expect("the test waits"),
                        None => next.run(),
                    }
                });
            }
            app.ws("/", move |socket, _| {
                socket.on(event::Message, |socket, message| _ = socket.send(message));
                socket.join("room");
                socket.send("hello");
            });
        });
        Self {
            server,
            nexts,
            journal,
        }
    }

    fn next(&self) -> Next {
        self.nexts
            .recv_timeout(PATIENCE)
            .expect("middleware has run")
    }

    fn knock(&self, query: &str) -> (Client, Next) {
        let client = self.server.connect(&format!("/?{query}"));
        (client, self.next())
    }
}

const TICK: Duration = Duration::from_millis(10);

type Nexts = Rc<RefCell<Vec<Next>>>;

/// A server in memory that keeps each `Next` for the test.
fn in_memory(options: Options) -> (TestServer, Nexts, Journal) {
    let (nexts, journal) = (Nexts::default(), Journal::default());
    let (kept, noted) = (Rc::clone(&nexts), journal.clone());
    let mut app = App::with(options);
    app.ws_use(move |socket, _, next| {
        noted.watch_close(socket);
        kept.borrow_mut().push(next);
    });
    app.ws("/", |socket, _| _ = socket.send("hello"));
    let test = TestServer::new(app).expect("nothing is wrong");
    (test, nexts, journal)
}

#[test]
fn next_may_be_run_on_another_thread_and_the_handler_runs_on_the_servers() {
    let (sender, threads) = channel();
    let server = serve_with(Options::default, move |app| {
        let sent = sender.clone();
        app.ws_use(move |_, _, next| {
            sent.send(std::thread::current().id())
                .expect("the test waits");
            drop(std::thread::spawn(move || next.run_with(7_u32)));
        });
        app.ws("/", move |socket, _| {
            sender
                .send(std::thread::current().id())
                .expect("the test waits");
            socket.send(&socket.data::<u32>().expect("carried over").to_string());
        });
    });
    for _ in 0..20 {
        assert_eq!(server.connect("/").text(), "7");
        let thread = || threads.recv_timeout(PATIENCE).expect("it ran");
        assert_eq!(thread(), thread());
    }
}

/// Running a `Next` and dropping what is left of it are two moments, and the server may be quick.
#[test]
fn what_is_left_of_a_next_decides_nothing_for_the_middleware_after_it() {
    let options = || Options {
        handshake_timeout: NEVER,
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        for _ in 0..8 {
            app.ws_use(|_, _, next| drop(std::thread::spawn(move || next.run())));
        }
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| still_serves(&server, "/")));
        }
    });
}

#[test]
fn what_becomes_of_next_later_decides() {
    type Row = (&'static str, fn(Next), u16, &'static str);
    #[rustfmt::skip]
    let table: [Row; 3] = [
        ("dropped",                          drop,                                   1008, "rejected by middleware"),
        ("rejected",                         |next| next.reject(4_010, "too late"),  4010, "too late"),
        ("with a code that may not be sent", |next| next.reject(999, "too late"),    1008, "too late"),
    ];
    for (name, decide, code, reason) in table {
        for elsewhere in [false, true] {
            let waiting = Waiting::new();
            let (mut client, next) = waiting.knock("wait");
            if elsewhere {
                std::thread::spawn(move || decide(next))
                    .join()
                    .expect("no panic");
            } else {
                waiting.server.ask(move |_| decide(next));
            }
            assert_eq!(client.closed(), (code, reason.to_owned()), "{name}");
            client.send_close(code, "");
            client.expect_end();
            assert_eq!(
                waiting.journal.wait_for(1),
                [format!("{code} {reason:?} Us Rejected")],
                "{name}"
            );
            still_serves(&waiting.server, "/");
        }
    }
}

#[test]
fn until_all_middleware_has_passed_it_nobody_sees_a_socket() {
    let waiting = Waiting::new();
    let server = &waiting.server;
    let mut witness = server.connect("/");
    assert_eq!(witness.text(), "hello");
    let (mut client, next) = waiting.knock("wait&wait");
    let seen = |hub: &Hub| {
        let stats = hub.stats();
        let rooms = hub.rooms().join(" ");
        let reached = (
            hub.ws_broadcast("secret", None),
            hub.ws_broadcast("secret", Some("early")),
            hub.to("room").send("secret"),
        );
        (
            hub.len(),
            hub.sockets().len(),
            stats.total_connections,
            stats.accepted,
            rooms,
            reached,
        )
    };
    let alone = (1, 1, 1, 1, "room".to_owned(), (1, 0, 1));
    assert_eq!(server.ask(seen), alone);
    next.run();
    let second = waiting.next();
    assert_eq!(server.ask(seen), alone);
    second.run();
    assert_eq!(client.text(), "hello", "no secret came before");
    assert_eq!(server.ask(seen), (2, 2, 2, 2, "room".to_owned(), (2, 0, 2)));
    assert_eq!(
        (client.text(), client.text()),
        ("secret".to_owned(), "secret".to_owned())
    );
}

#[test]
fn frames_that_come_meanwhile_are_held_and_then_delivered_in_order() {
    let waiting = Waiting::new();
    let (mut client, next) = waiting.knock("wait&wait");
    client.send("0");
    let mut sizes: Vec<usize> = Vec::new();
    let big = client.stream.try_clone().expect("clone");
    let sender = std::thread::spawn(move || {
        let mut big = big;
        for size in (1..120).map(|i: usize| i * i * 7) {
            big.write_all(&frame(true, 0, BINARY, &vec![size as u8; size]))
                .expect("send");
        }
        big.write_all(&frame(true, 0, PING, b"last")).expect("send");
    });
    next.run();
    waiting.next().run();
    assert_eq!(
        (client.text(), client.text()),
        ("hello".to_owned(), "0".to_owned())
    );
    while let Some(frame) = client.next().filter(|frame| frame.opcode != PONG) {
        assert!(
            frame
                .payload
                .iter()
                .all(|&byte| byte == frame.payload.len() as u8)
        );
        sizes.push(frame.payload.len());
    }
    assert_eq!(sizes, (1..120).map(|i| i * i * 7).collect::<Vec<usize>>());
    sender.join().expect("all is sent");
}

#[test]
fn frames_in_the_segment_of_the_request_are_held_as_well() {
    let waiting = Waiting::new();
    for query in ["wait", "wait&wait"] {
        let early = [
            upgrade_request(&format!("/?{query}"), "").into_bytes(),
            frame(true, 0, TEXT, b"one"),
            frame(true, 0, TEXT, &[b'2'; 300]),
            frame(false, 0, TEXT, b"th"),
        ];
        let mut stream = http::connect(waiting.server.addr);
        stream.write_all(&early.concat()).expect("send");
        let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
        let mut client = Client {
            stream,
            rest,
            answer,
        };
        for _ in query.split('&') {
            let next = waiting.next();
            client.send_frame(false, 0, CONTINUATION, b"");
            next.run();
        }
        client.send_frame(true, 0, CONTINUATION, b"ree");
        assert_eq!(client.text(), "hello", "{query}");
        let heard = [client.text(), client.text(), client.text()];
        assert_eq!(heard, ["one", &"2".repeat(300), "three"], "{query}");
    }
}

/// A peer that is not yet let in must not fill the memory.
#[test]
fn what_is_held_meanwhile_is_bounded() {
    for (name, query, decisions) in [
        ("the first middleware waits", "wait", 0),
        ("the second waits after the first did", "wait&wait", 1),
    ] {
        let waiting = Waiting::new();
        let (client, mut next) = waiting.knock(query);
        for _ in 0..decisions {
            next.run();
            next = waiting.next();
        }
        let chunk = frame(true, 0, BINARY, &[0; 60_000]);
        client
            .stream
            .set_write_timeout(Some(Duration::from_millis(200)))
            .expect("set a timeout");
        let mut sent = 0;
        while sent < 100_000_000 && (&client.stream).write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        assert!(sent < 64_000_000, "{name}: the server took {sent} bytes");
        drop(next);
    }
}

#[test]
fn who_is_not_let_in_in_time_is_closed_with_1008_and_what_comes_later_changes_nothing() {
    let timeout = Duration::from_secs(10);
    for passed in [timeout - TICK, timeout, NEVER] {
        let (test, nexts, journal) = in_memory(Options {
            handshake_timeout: timeout,
            ..Options::default()
        });
        let mut client = test.connect("/");
        let next = nexts.borrow_mut().pop().expect("middleware has run");
        test.clock().advance(passed);
        next.run();
        if passed < timeout {
            assert_eq!(client.text(), "hello");
            continue;
        }
        let closed = client.closed();
        assert_eq!(closed, (1008, "not admitted in time".to_owned()));
        assert!(client.is_ended() && test.hub().is_empty());
        assert_eq!(test.hub().stats().accepted, 0);
        let line = r#"1008 "not admitted in time" Us Rejected"#;
        assert_eq!(journal.lines(), [line]);
        let mut another = test.connect("/");
        nexts.borrow_mut().remove(0).run();
        assert_eq!(another.text(), "hello");
    }
}

#[test]
fn over_a_real_socket_who_is_not_let_in_in_time_is_closed_with_1008() {
    let waiting = Waiting::with(|| Options {
        handshake_timeout: Duration::from_millis(100),
        ..Options::default()
    });
    let (mut client, next) = waiting.knock("wait");
    assert_eq!(client.closed().0, 1008);
    client.finish();
    client.expect_end();
    let lines = waiting.journal.wait_for(1);
    assert!(
        lines[0].starts_with("1008 ") && lines[0].ends_with(" Us Rejected"),
        "{lines:?}"
    );
    next.run();
    still_serves(&waiting.server, "/");
    assert_eq!(waiting.server.ask(|hub| hub.stats().accepted), 1);
}

/// D2: a reset while the decision was pending ended a predecessor's process.
#[test]
fn the_peer_may_vanish_meanwhile() {
    for how in ["FIN", "RST"] {
        let waiting = Waiting::new();
        // What is left unread makes the kernel say RST instead of FIN.
        let (client, next) = waiting.knock(if how == "RST" { "wait&speak" } else { "wait" });
        if how == "RST" {
            crate::reset(client)
        } else {
            drop(client)
        }
        next.run();
        still_serves(&waiting.server, "/");
        waiting.server.wait_until("nobody is there", |hub| {
            hub.is_empty() && hub.rooms().is_empty()
        });
        let lines = waiting.journal.wait_for(2);
        assert_eq!(
            lines
                .iter()
                .filter(|line| line.starts_with("1006 \"\" Nobody"))
                .count(),
            2,
            "{how}: {lines:?}"
        );
    }
}

/// Also when so much has come already that nothing more is read.
#[test]
fn a_socket_that_is_reset_meanwhile_is_closed_before_anybody_decides() {
    for held in [0, 200_000] {
        let waiting = Waiting::with(|| Options {
            max_connections: 1,
            heartbeat: Duration::ZERO,
            handshake_timeout: NEVER,
            ..Options::default()
        });
        let (mut client, next) = waiting.knock("wait&speak");
        let large = frame(true, 0, BINARY, &vec![0; held]);
        client.stream.write_all(&large).expect("send");
        crate::reset(client);
        let line = &waiting.journal.wait_for(1)[0];
        assert!(line.starts_with("1006 \"\" Nobody"), "{held}: {line}");
        still_serves(&waiting.server, "/");
        next.run();
        waiting.server.wait_until("nobody is there", Hub::is_empty);
    }
}

#[test]
fn next_may_outlive_the_server() {
    let waiting = Waiting::new();
    let (mut client, next) = waiting.knock("wait");
    waiting.server.stop(Duration::ZERO);
    while client.next().is_some() {}
    next.run();
}

#[test]
fn a_pending_socket_is_connecting_and_can_be_spoken_to() {
    let (sender, nexts) = channel();
    let server = serve_with(Options::default, move |app| {
        app.ws_use(move |socket, _, next| {
            assert_eq!(socket.ready_state(), ReadyState::Connecting);
            assert!(!socket.is_open());
            socket.send("one moment");
            sender.send(next).expect("the test waits");
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    let mut client = server.connect("/");
    assert_eq!(client.text(), "one moment");
    nexts.recv_timeout(PATIENCE).expect("it has run").run();
    assert_eq!(client.text(), "hello");
}

/// It answers our close frame, and is not kept waiting until the time-outs.
#[test]
fn closing_and_keeping_next_is_closing() {
    let (sender, nexts) = channel();
    let options = || Options {
        handshake_timeout: NEVER,
        close_timeout: NEVER,
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        app.ws_use(move |socket, _, next| {
            socket.close_with(4_001, "no").expect("a good code");
            sender.send(next).expect("the test waits");
        });
    });
    let mut client = server.connect("/ws");
    let next = nexts.recv_timeout(PATIENCE).expect("it has run");
    client.expect_close(4001);
    next.run();
    assert_eq!(server.ask(|hub| hub.stats().accepted), 0);
}

#[test]
fn the_heartbeat_of_a_socket_that_had_to_wait_begins_when_it_is_let_in() {
    let period = Duration::from_secs(30);
    let (test, nexts, _) = in_memory(Options {
        heartbeat: period,
        handshake_timeout: NEVER,
        ..Options::default()
    });
    let mut client = test.connect("/");
    client.ignore_pings();
    test.clock().advance(20 * period + period / 2);
    assert_eq!(client.recv(), None);
    nexts.borrow_mut().remove(0).run();
    assert_eq!(client.text(), "hello");
    // The first is overdue, so it comes at once; the next in its own time.
    assert!(matches!(client.recv(), Some(Received::Ping(_))));
    test.clock().advance(period - TICK);
    assert_eq!(client.recv(), None);
    test.clock().advance(TICK);
    assert!(matches!(client.recv(), Some(Received::Ping(_))));
}

#[test]
fn a_pending_socket_that_is_closed_ends_when_its_peer_answers() {
    let waiting = Waiting::new();
    let (mut client, next) = waiting.knock("wait");
    waiting
        .server
        .remote
        .shutdown(NEVER)
        .expect("the server runs");
    client.expect_close(1001);
    crate::wait_for_the_end_of(&waiting.server.remote);
    assert_eq!(
        waiting.journal.lines(),
        ["1001 \"server is shutting down\" Us Shutdown"]
    );
    next.run();
}
