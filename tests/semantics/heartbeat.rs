//! 12. Heartbeat: who is silent for too long is let go, and nobody else.

use std::time::{Duration, Instant};

use crate::common::client::{CLOSE, CONTINUATION, PING, PONG, TEXT, frame};
use crate::common::{Client, Server, serve_with};
use crate::{Journal, NEVER};
use rushwire::{Options, event};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn serve_heartbeat(heartbeat: Duration, pong_timeout: Duration) -> (Server, Journal) {
    serve_timed(move || Options {
        heartbeat,
        pong_timeout,
        ..Options::default()
    })
}

fn serve_timed(options: impl FnOnce() -> Options + Send + 'static) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            noted.watch_close(socket);
            socket.on(event::Message, |_, _| {});
        });
    });
    (server, journal)
}

/// Counts the pings that come until the close frame, whose code is given too.
fn pings_until_close(client: &mut Client) -> (usize, u16) {
    let mut pings = 0;
    loop {
        let frame = client.next().expect("a close frame before the end");
        match frame.opcode {
            PING if pings < 100 => pings += 1,
            PING => panic!("it is pinged for ever"),
            CLOSE => {
                return (
                    pings,
                    u16::from_be_bytes([frame.payload[0], frame.payload[1]]),
                );
            }
            _ => {}
        }
    }
}

#[test]
fn a_silent_peer_is_pinged_then_closed_with_1001_and_cut() {
    let table = [
        ("pong_timeout shorter than heartbeat", ms(150), ms(50), 1),
        ("as long", ms(60), ms(60), 1),
        (
            "longer: later pings do not move the deadline",
            ms(30),
            ms(150),
            3,
        ),
    ];
    for (name, heartbeat, pong_timeout, least) in table {
        let (server, journal) = serve_heartbeat(heartbeat, pong_timeout);
        let started = Instant::now();
        let mut client = server.connect("/");
        let (pings, code) = pings_until_close(&mut client);
        assert!(pings >= least && pings <= 12, "{name}: {pings} pings");
        assert_eq!(code, 1001, "{name}");
        client.expect_end();
        assert!(
            started.elapsed() >= heartbeat + pong_timeout - ms(20),
            "{name}: {:?} is too soon",
            started.elapsed()
        );
        assert_eq!(
            journal.wait_for(1),
            [r#"1001 "ping timeout" Us PingTimeout"#],
            "{name}"
        );
    }
}

#[test]
fn the_first_ping_comes_after_one_heartbeat_whatever_the_other_times_are() {
    let (server, _) = serve_timed(|| Options {
        heartbeat: ms(50),
        handshake_timeout: NEVER,
        close_timeout: NEVER,
        ..Options::default()
    });
    let mut client = server.connect("/");
    assert_eq!(client.next().expect("a ping").opcode, PING);
}

#[test]
fn a_peer_that_answers_lives_and_is_pinged_again_and_again() {
    let (server, journal) = serve_heartbeat(ms(20), ms(200));
    let mut client = server.connect("/");
    for _ in 0..30 {
        let ping = client.next().expect("a ping");
        assert_eq!(ping.opcode, PING);
        assert!(ping.payload.len() <= 125);
        client.send_frame(true, 0, PONG, &ping.payload);
    }
    assert!(journal.lines().is_empty());
    server.wait_until("no ping is unanswered", |hub| {
        hub.sockets().iter().all(|socket| socket.is_alive())
    });
}

/// Never a pong, but something within each pong timeout.
#[test]
fn any_byte_is_a_sign_of_life() {
    let long = frame(true, 0, TEXT, &[b'x'; 60]);
    #[rustfmt::skip]
    let table: [(&str, Vec<Vec<u8>>); 4] = [
        ("messages",           vec![frame(true, 0, TEXT, b"x"); 15]),
        ("pings of its own",   vec![frame(true, 0, PING, b"x"); 15]),
        ("unasked pongs",      vec![frame(true, 0, PONG, b"unasked"); 15]),
        ("bytes of one frame", long.chunks(4).map(<[u8]>::to_vec).collect()),
    ];
    for (name, signs) in table {
        let (server, journal) = serve_heartbeat(ms(20), ms(150));
        let mut client = server.connect("/");
        let started = Instant::now();
        for sign in &signs {
            // A ping tells that time has passed.
            while client.next().expect("not closed").opcode != PING {}
            client.send_raw(sign);
        }
        while started.elapsed() < ms(450) {
            while client
                .next()
                .unwrap_or_else(|| panic!("{name}: closed"))
                .opcode
                != PING
            {}
            client.send_frame(true, 0, PONG, b"");
        }
        assert!(journal.lines().is_empty(), "{name}: {:?}", journal.lines());
    }
}

#[test]
fn our_own_sends_are_no_sign_of_life_of_the_peer() {
    let (server, journal) = serve_heartbeat(ms(30), ms(100));
    let mut client = server.connect("/");
    server.ask(|hub| {
        hub.set_interval(ms(10), |hub| _ = hub.ws_broadcast("still talking", None));
    });
    assert_eq!(pings_until_close(&mut client).1, 1001);
    assert_eq!(
        journal.wait_for(1),
        [r#"1001 "ping timeout" Us PingTimeout"#]
    );
}

/// D11, and a zero that was taken for a millisecond.
#[test]
fn zero_turns_it_off() {
    for (name, heartbeat, pong_timeout, pings) in [
        ("both", ms(0), ms(50), false),
        ("the deadline only", ms(20), ms(0), true),
    ] {
        let (server, journal) = serve_heartbeat(heartbeat, pong_timeout);
        let mut client = server.connect("/");
        let (sender, ticks) = std::sync::mpsc::channel();
        server.ask(move |hub| {
            hub.set_timeout(ms(300), move |hub| {
                hub.ws_broadcast("time is up", None);
                sender.send(()).expect("the test waits");
            });
        });
        ticks
            .recv_timeout(crate::common::PATIENCE)
            .expect("the time passes");
        let mut pinged = false;
        loop {
            let frame = client.next().unwrap_or_else(|| panic!("{name}: closed"));
            match frame.opcode {
                PING => pinged = true,
                opcode => {
                    assert_eq!(opcode, TEXT, "{name}: {frame:?}");
                    break;
                }
            }
        }
        assert_eq!(pinged, pings, "{name}");
        assert!(journal.lines().is_empty(), "{name}");
    }
}

#[test]
fn the_application_may_vouch_for_a_peer() {
    let (server, journal) = serve_heartbeat(ms(20), ms(100));
    let mut client = server.connect("/");
    server.ask(|hub| {
        let timer = hub.set_interval(ms(10), |hub| {
            hub.sockets().iter().for_each(|socket| socket.mark_alive())
        });
        hub.set_timeout(ms(400), move |_| _ = timer.cancel());
    });
    let (pings, code) = pings_until_close(&mut client);
    assert!(pings > 8, "only {pings} pings: it was closed too soon");
    assert_eq!((code, journal.wait_for(1).len()), (1001, 1));
}

#[test]
fn only_data_resets_the_idle_timeout_and_nothing_the_lifetime() {
    type Row = (&'static str, fn() -> Options, u8, bool);
    #[rustfmt::skip]
    let table: [Row; 6] = [
        ("messages keep from idling",   || Options { idle_timeout: ms(150), ..Options::default() }, TEXT, true),
        ("pings do not",                || Options { idle_timeout: ms(150), ..Options::default() }, PING, false),
        ("pongs do not",                || Options { idle_timeout: ms(150), ..Options::default() }, PONG, false),
        ("fragments do not yet",        || Options { idle_timeout: ms(150), ..Options::default() }, CONTINUATION, false),
        ("messages do not keep young",  || Options { max_lifetime: ms(150), ..Options::default() }, TEXT, false),
        ("pings neither",               || Options { max_lifetime: ms(150), ..Options::default() }, PING, false),
    ];
    for (name, options, opcode, lives) in table {
        let (server, journal) = serve_timed(move || Options {
            heartbeat: ms(20),
            pong_timeout: ms(10_000),
            ..options()
        });
        let mut client = server.connect("/");
        let started = Instant::now();
        if opcode == CONTINUATION {
            client.send_frame(false, 0, TEXT, b"begun");
        }
        let mut closed = false;
        while started.elapsed() < ms(500) && !closed {
            match client.next().map(|frame| frame.opcode) {
                Some(PING) => drop(std::io::Write::write_all(
                    &mut &client.stream,
                    &frame(opcode != CONTINUATION, 0, opcode, b""),
                )),
                Some(CLOSE) | None => closed = true,
                Some(_) => {}
            }
        }
        assert_eq!(closed, !lives, "{name}: {:?}", journal.lines());
        assert!(
            !closed || started.elapsed() >= ms(130),
            "{name}: {:?} is too soon",
            started.elapsed()
        );
    }
}

#[test]
fn pings_go_between_queued_messages_and_not_behind_all_of_them() {
    let (server, _) = serve_timed(|| Options {
        heartbeat: ms(0),
        max_backpressure: 64 << 20,
        ..Options::default()
    });
    let mut client = server.connect("/");
    server.wait_until("it is open", |hub| hub.len() == 1);
    // More than the kernel takes, in messages of a kibibyte.
    let queued = server.ask(|hub| {
        let socket = hub.sockets()[0].clone();
        let queued = (0..24_000)
            .filter(|_| socket.send(&vec![1; 1024]) != rushwire::SendStatus::Closed)
            .count();
        assert!(
            socket.buffered_amount() > 4 << 20,
            "only {} bytes are queued",
            socket.buffered_amount()
        );
        assert!(socket.ping(b"overtakes"));
        queued
    });
    let (mut before, mut after, mut pinged) = (0, 0, false);
    while before + after < queued {
        let frame = client.next().expect("not closed");
        match frame.opcode {
            PING => pinged = true,
            _ if pinged => after += 1,
            _ => before += 1,
        }
    }
    assert!(
        pinged && after > 2_000,
        "{before} messages before the ping, {after} behind it"
    );
}
