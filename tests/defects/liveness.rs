//! D20, D21 and D23: who is gone was not missed, rooms were not let go of, and silence was not heard.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use rushwire::{Hub, Join, Options, Socket, event};

use crate::common::client::{CLOSE, PING, PONG, TEXT, frame};
use crate::common::log::log;
use crate::common::serve_with;
use crate::small;

/// Who sent FIN without a close frame stayed in all rooms and was counted for ever; here it is missed
/// at once: told once, as 1006, out of its rooms, and the connection is closed on this side, too.
#[test]
fn d20_a_fin_without_a_close_frame_is_noticed() {
    let (pen, log) = log();
    let server = serve_with(small, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join("room");
            socket.on(event::Close, |socket, _| {
                _ = socket.broadcast("room", "one left")
            });
        });
    });
    let mut witness = server.connect("/witness");
    let whole = frame(true, 0, TEXT, b"hello");
    let ends = [0, 1, 4, whole.len() - 1, whole.len()];
    for (gone, cut) in (1..).zip(ends) {
        let mut client = server.connect("/a");
        server.wait_until("it is in", |hub| hub.room("room").len() == 2);
        client.send_raw(&whole[..cut]);
        client.finish();
        client.expect_end();
        assert_eq!(witness.text(), "one left", "cut at {cut}");
        assert_eq!(log.find("a close"), r#"a close 1006 "" Nobody PeerGone 0"#);
        let stats = server.ask(|hub| hub.stats());
        assert_eq!((stats.total_connections, stats.rooms["room"]), (1, 1));
        assert_eq!(stats.closed.get(&1006), Some(&gone), "counted once");
    }
}

/// A peer that was taken for dead was sent a close frame and forgotten, with its connection open for
/// ever; here it is counted until the connection is closed.
#[test]
fn d20_a_dead_peer_is_cut_and_not_forgotten() {
    let options = || Options {
        heartbeat: Duration::from_millis(50),
        pong_timeout: Duration::from_millis(100),
        ..small()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| _ = socket.join("room"));
    });
    let mut client = server.connect("/");
    while client.next().is_some_and(|frame| frame.opcode != CLOSE) {}
    // Without any answer to the close frame.
    client.expect_end();
    server.wait_until("nobody is in", |hub| {
        hub.is_empty() && hub.rooms().is_empty() && hub.stats().total_connections == 0
    });
}

/// Joining after the close kept a room for ever; here nobody joins who is not open, whatever the way in.
#[test]
fn d21_joining_after_the_close_keeps_no_room() {
    let (pen, log) = log();
    let server = serve_with(small, move |app| {
        app.ws("/", move |socket, _| {
            socket.join("before");
            let (pen, kept) = (pen.clone(), socket.clone());
            socket.on(event::Message, |socket, _| {
                socket.close();
                assert_eq!(socket.join("closing"), Join::Closed);
            });
            socket.on(event::Close, move |socket, _| {
                assert_eq!(socket.join("closed"), Join::Closed);
                let (pen, kept) = (pen.clone(), kept.clone());
                socket.hub().set_timeout(Duration::ZERO, move |hub| {
                    let joins = [
                        kept.join("before"),
                        kept.join("after"),
                        kept.join_up_to("after", 9),
                    ];
                    pen.note(format!(
                        "{joins:?} {:?} {:?}",
                        hub.rooms(),
                        hub.stats().rooms
                    ));
                });
            });
        });
    });
    for end in ["ours", "theirs", "FIN", "cut"] {
        let mut client = server.connect("/");
        server.wait_until("it is in", |hub| hub.len() == 1);
        match end {
            "ours" => {
                client.send("close");
                client.expect_close(1000);
            }
            "theirs" => client.send_close(1000, ""),
            "FIN" => client.finish(),
            _ => server.ask(|hub| hub.sockets().iter().for_each(Socket::terminate)),
        }
        assert_eq!(log.next(), "[Closed, Closed, Closed] [] {}", "{end}");
    }
}

/// A limit on rooms refused joining one that was there already; here it counts a socket's own rooms,
/// and joining again is no more.
#[test]
fn d21_the_limit_on_rooms_refuses_no_room_that_one_is_in() {
    let options = || Options {
        max_rooms_per_socket: 2,
        ..small()
    };
    let server = serve_with(options, |app| _ = app.ws("/", |_, _| {}));
    let _clients = [server.connect("/"), server.connect("/")];
    server.wait_until("both are in", |hub| hub.len() == 2);
    server.ask(|hub| {
        let sockets = hub.sockets();
        let (a, b) = (&sockets[0], &sockets[1]);
        let joins = [
            a.join("1"),
            a.join("2"),
            a.join("1"),
            a.join("3"),
            b.join("1"),
            b.join("2"),
        ];
        use Join::{Already, Joined, Limit};
        assert_eq!(joins, [Joined, Joined, Already, Limit, Joined, Joined]);
        assert!(a.leave("1"));
        assert_eq!(
            (a.join("3"), hub.rooms()),
            (Joined, vec!["1".into(), "2".into(), "3".into()])
        );
    });
}

/// `leaveAll` scanned every room of the server; what leaving costs among many members and rooms is
/// counted by `benches/instructions`, here is what it does.
#[test]
fn d21_leaving_touches_ones_own_rooms_only() {
    const OTHERS: usize = 10_000;
    let options = || Options {
        max_rooms_per_socket: usize::MAX,
        ..small()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, request| {
            let rooms = request.query("all").map_or(3, |_| OTHERS);
            (0..rooms).for_each(|i| _ = socket.join(&i.to_string()));
        });
    });
    let _hoarder = server.connect("/?all");
    server.wait_until("all rooms are there", |hub| hub.rooms().len() == OTHERS);
    let leaver = server.connect("/");
    server.wait_until("both are in", |hub| hub.room("2").len() == 2);
    drop(leaver);
    server.wait_until("it is gone", |hub| hub.len() == 1);
    let sizes = |hub: &Hub| {
        (0..OTHERS)
            .map(|i| hub.room(&i.to_string()).len())
            .sum::<usize>()
    };
    assert_eq!(
        server.ask(move |hub| (hub.rooms().len(), sizes(hub))),
        (OTHERS, OTHERS)
    );
}

/// The test of the ping timeout could not fail: nothing was pinged, and whatever came was taken for
/// right; here three groups under one clock differ by one thing each, and only who leaves a ping without
/// an answer is closed.
#[test]
fn d23_the_ping_timeout_fires_for_the_missing_pong_and_for_nothing_else() {
    let timed = |heartbeat: u64| {
        let (pen, log) = log();
        let options = move || Options {
            heartbeat: Duration::from_millis(heartbeat),
            pong_timeout: Duration::from_millis(300),
            ..Options::default()
        };
        let server = serve_with(options, move |app| {
            app.ws("/:name", move |socket, request| {
                pen.watch(request.param("name"), socket)
            });
        });
        (server, log)
    };
    let (server, log) = timed(100);
    let (unpinged, unpinged_log) = timed(0);
    let mut without_heartbeat = unpinged.connect("/silent");
    let mut answers = server.connect("/answers");
    let answering = std::thread::spawn(move || {
        let mut pings = 0;
        loop {
            let frame = answers.next().expect("who answers is not closed");
            match frame.opcode {
                PING => answers.send_frame(true, 0, PONG, &frame.payload),
                TEXT => return (pings, answers),
                opcode => panic!("opcode {opcode}"),
            }
            pings += 1;
        }
    });
    let began = Instant::now();
    let mut silent = server.connect("/silent");
    let mut pings = 0;
    let close = loop {
        let frame = silent.next().expect("a close frame before the end");
        match frame.opcode {
            PING => pings += 1,
            _ => break frame,
        }
    };
    assert_eq!(
        (close.opcode, &close.payload[..2]),
        (CLOSE, &1001_u16.to_be_bytes()[..])
    );
    assert!((1..10).contains(&pings), "{pings} pings before the end");
    assert!(
        began.elapsed() >= Duration::from_millis(380),
        "{:?}",
        began.elapsed()
    );
    silent.expect_end();
    assert_eq!(
        log.find("silent close"),
        r#"silent close 1001 "ping timeout" Us PingTimeout 0"#
    );
    // The one who answers has been pinged as often, and is there.
    server.wait_until("it is alone", |hub| hub.len() == 1);
    assert_eq!(server.ask(|hub| hub.ws_broadcast("enough", None)), 1);
    let (answered, _answers) = answering.join().expect("who answers is not closed");
    assert!(answered >= pings, "{answered} pings");
    // So is the one who was never pinged.
    let stream = &mut without_heartbeat.stream;
    stream.set_nonblocking(true).expect("set nonblocking");
    let heard = stream.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(heard, Err(ErrorKind::WouldBlock));
    assert_eq!(unpinged.ask(|hub| hub.len()), 1);
    for (server, log, name) in [(server, log, "answers"), (unpinged, unpinged_log, "silent")] {
        server.stop(Duration::ZERO);
        let ends = log.rest();
        let ends: Vec<_> = ends
            .iter()
            .filter(|line| line.contains(" close "))
            .collect();
        assert!(
            matches!(&ends[..], [end] if end.starts_with(&format!("{name} close "))
                && end.contains(" Shutdown ")),
            "{ends:?}"
        );
    }
}
