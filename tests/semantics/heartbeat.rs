//! 12. Heartbeat: who is silent for too long is let go, and nobody else.
//!
//! In a time that stands still, so to the tick; at the foot each promise once more over real sockets.

use std::time::{Duration, Instant};

use crate::common::client::{CLOSE, CONTINUATION, PING, PONG, TEXT, frame};
use crate::common::{Client, Server, serve_with};
use crate::{Journal, NEVER};
use rushwire::testing::{self, Received, TestServer};
use rushwire::{App, Options, event};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const TICK: Duration = ms(10);

fn times(heartbeat: Duration, pong_timeout: Duration) -> Options {
    Options {
        heartbeat,
        pong_timeout,
        ..Options::default()
    }
}

fn set_up(app: &mut App, journal: &Journal) {
    let noted = journal.clone();
    app.ws("/", move |socket, _| {
        noted.watch_close(socket);
        socket.on(event::Message, |_, _| {});
    });
}

fn in_memory(options: Options) -> (TestServer, Journal) {
    let journal = Journal::default();
    let mut app = App::with(options);
    set_up(&mut app, &journal);
    (TestServer::new(app).expect("nothing is wrong"), journal)
}

/// A client that answers nothing by itself.
fn silent(test: &TestServer) -> testing::Client {
    let mut client = test.connect("/");
    client.ignore_pings();
    client.ignore_close();
    client
}

/// When pings and the close frame come, up to `end`, in milliseconds since the server began; what else
/// comes is passed over.
fn heard(test: &TestServer, client: &mut testing::Client, end: Duration) -> Vec<(u128, String)> {
    let mut heard = Vec::new();
    while test.clock().elapsed() < end {
        test.clock().advance(TICK);
        for received in client.recv_all() {
            let what = match received {
                Received::Ping(_) => "ping".to_owned(),
                Received::Close { code, .. } => format!("close {code}"),
                _ => continue,
            };
            heard.push((test.clock().elapsed().as_millis(), what));
        }
    }
    heard
}

fn at(times: &[u128], end: Option<u128>) -> Vec<(u128, String)> {
    let pings = times.iter().map(|time| (*time, "ping".to_owned()));
    let close = end.map(|time| (time, "close 1001".to_owned()));
    pings.chain(close).collect()
}

#[test]
fn a_silent_peer_is_pinged_then_closed_with_1001_and_cut() {
    type Row = (&'static str, u64, u64, &'static [u128], u128);
    #[rustfmt::skip]
    let table: [Row; 4] = [
        ("pong_timeout shorter than heartbeat",           30_000, 5_000,  &[30_000],                        35_000),
        ("as long: no second ping",                       6_000,  6_000,  &[6_000],                         12_000),
        ("longer: later pings do not move the deadline",  3_000,  10_000, &[3_000, 6_000, 9_000, 12_000],   13_000),
        ("both as short as can be told",                  10,     10,     &[10],                            20),
    ];
    for (name, heartbeat, pong_timeout, pings, end) in table {
        let (test, journal) = in_memory(times(ms(heartbeat), ms(pong_timeout)));
        let mut client = silent(&test);
        let end_of_test = ms(heartbeat + 2 * pong_timeout);
        let heard = heard(&test, &mut client, end_of_test);
        assert_eq!(heard, at(pings, Some(end)), "{name}");
        assert!(client.is_ended(), "{name}");
        assert_eq!(
            journal.lines(),
            [r#"1001 "ping timeout" Us PingTimeout"#],
            "{name}"
        );
    }
}

#[test]
fn the_first_ping_comes_after_one_heartbeat_whatever_the_other_times_are() {
    let (test, _) = in_memory(Options {
        heartbeat: ms(50),
        handshake_timeout: NEVER,
        close_timeout: NEVER,
        ..Options::default()
    });
    let mut client = silent(&test);
    assert_eq!(heard(&test, &mut client, ms(60)), at(&[50], None));
}

#[test]
fn a_peer_that_answers_lives_and_is_pinged_again_and_again() {
    let (test, journal) = in_memory(times(ms(20), ms(200)));
    let mut client = silent(&test);
    for _ in 0..1000 {
        test.clock().advance(ms(20));
        let Some(Received::Ping(payload)) = client.recv() else {
            panic!("no ping at {:?}", test.clock().elapsed());
        };
        assert!(payload.len() <= 125);
        let socket = test.hub().sockets().remove(0);
        assert!(!socket.is_alive());
        client.send_raw(frame(true, 0, PONG, &payload));
        assert_eq!((client.recv(), socket.is_alive()), (None, true));
    }
    assert!(journal.lines().is_empty());
}

/// Never a pong to a ping, but something at the last tick before each deadline.
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
        let (test, journal) = in_memory(times(ms(20), ms(150)));
        let mut client = silent(&test);
        // A ping is unanswered from the first heartbeat after each sign of life.
        test.clock().advance(ms(20));
        for sign in &signs {
            test.clock().advance(ms(140));
            client.send_raw(sign);
            test.turn();
            // The heartbeat goes on in its own step, whatever the peer says.
            let is_pinged = || !test.hub().sockets().iter().all(|socket| socket.is_alive());
            for _ in 0..2 {
                if !is_pinged() {
                    test.clock().advance(TICK);
                }
            }
            assert!(is_pinged(), "{name}");
        }
        assert!(journal.lines().is_empty(), "{name}: {:?}", journal.lines());
        test.clock().advance(ms(140));
        assert!(journal.lines().is_empty(), "{name}: {:?}", journal.lines());
        test.clock().advance(TICK);
        assert_eq!(journal.lines().len(), 1, "{name}: now it is silent");
    }
}

#[test]
fn our_own_sends_are_no_sign_of_life_of_the_peer() {
    let (test, journal) = in_memory(times(ms(30), ms(100)));
    let mut client = silent(&test);
    let talk = |hub: &rushwire::Hub| _ = hub.ws_broadcast("still talking", None);
    test.hub().set_interval(ms(10), talk);
    let heard = heard(&test, &mut client, ms(200));
    assert_eq!(heard, at(&[30, 60, 90, 120], Some(130)));
    assert_eq!(journal.lines(), [r#"1001 "ping timeout" Us PingTimeout"#]);
}

/// D11, and a zero that was taken for a millisecond.
#[test]
fn zero_turns_it_off() {
    for (name, heartbeat, pong_timeout, pings) in [
        ("both", ms(0), ms(50), 0),
        ("the deadline only", ms(20), ms(0), 500),
    ] {
        let (test, journal) = in_memory(times(heartbeat, pong_timeout));
        let mut client = silent(&test);
        let heard = heard(&test, &mut client, ms(10_000));
        let expected: Vec<u128> = (1..=pings).map(|n| n * 20).collect();
        assert_eq!(heard, at(&expected, None), "{name}");
        assert!(journal.lines().is_empty() && !client.is_ended(), "{name}");
    }
}

#[test]
fn the_application_may_vouch_for_a_peer() {
    let (test, journal) = in_memory(times(ms(20), ms(100)));
    let mut client = silent(&test);
    let vouch = |hub: &rushwire::Hub| hub.sockets().iter().for_each(|socket| socket.mark_alive());
    let timer = test.hub().set_interval(ms(10), vouch);
    test.hub().set_timeout(ms(405), move |_| _ = timer.cancel());
    let heard = heard(&test, &mut client, ms(1000));
    let expected: Vec<u128> = (1..=25).map(|n| n * 20).collect();
    assert_eq!(heard, at(&expected, Some(520)));
    assert_eq!(journal.lines().len(), 1);
}

#[test]
fn only_data_resets_the_idle_timeout_and_nothing_the_lifetime() {
    let idle = || Options {
        idle_timeout: ms(150),
        ..times(ms(20), ms(10_000))
    };
    let lifetime = || Options {
        max_lifetime: ms(150),
        ..times(ms(20), ms(10_000))
    };
    type Row = (&'static str, fn() -> Options, u8, bool);
    #[rustfmt::skip]
    let table: [Row; 6] = [
        ("messages keep from idling",   idle,     TEXT,         true),
        ("pings do not",                idle,     PING,         false),
        ("pongs do not",                idle,     PONG,         false),
        ("fragments do not yet",        idle,     CONTINUATION, false),
        ("messages do not keep young",  lifetime, TEXT,         false),
        ("pings neither",               lifetime, PING,         false),
    ];
    for (name, options, opcode, lives) in table {
        let (test, journal) = in_memory(options());
        let mut client = silent(&test);
        if opcode == CONTINUATION {
            client.send_raw(frame(false, 0, TEXT, b"begun"));
            test.turn();
        }
        for _ in 0..14 {
            test.clock().advance(TICK);
            client.send_raw(frame(opcode != CONTINUATION, 0, opcode, b""));
        }
        test.turn();
        assert!(journal.lines().is_empty(), "{name}: too soon");
        for _ in 0..100 {
            test.clock().advance(TICK);
            client.send_raw(frame(opcode != CONTINUATION, 0, opcode, b""));
            if !lives {
                break;
            }
        }
        let closes = client.recv_all().into_iter();
        let closes = closes.filter(|it| matches!(it, Received::Close { code: 1001, .. }));
        assert_eq!(closes.count(), usize::from(!lives), "{name}");
    }
}

// Over real sockets, in real time: once for each promise.

fn serve_timed(options: impl FnOnce() -> Options + Send + 'static) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| set_up(app, &noted));
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
fn over_a_real_socket_a_silent_peer_is_closed_and_cut() {
    let (server, journal) = serve_timed(|| times(ms(30), ms(150)));
    let started = Instant::now();
    let mut client = server.connect("/");
    let (pings, code) = pings_until_close(&mut client);
    assert!((3..=12).contains(&pings), "{pings} pings");
    assert_eq!(code, 1001);
    client.expect_end();
    let took = started.elapsed();
    assert!(took >= ms(160), "{took:?} is too soon");
    assert_eq!(
        journal.wait_for(1),
        [r#"1001 "ping timeout" Us PingTimeout"#]
    );
}

#[test]
fn over_a_real_socket_a_peer_that_answers_lives() {
    let (server, journal) = serve_timed(|| times(ms(20), ms(200)));
    let mut client = server.connect("/");
    for _ in 0..30 {
        let ping = client.next().expect("a ping");
        assert_eq!(ping.opcode, PING);
        client.send_frame(true, 0, PONG, &ping.payload);
    }
    assert!(journal.lines().is_empty());
    server.wait_until("no ping is unanswered", |hub| {
        hub.sockets().iter().all(|socket| socket.is_alive())
    });
}

#[test]
fn over_a_real_socket_whoever_idles_or_grows_old_is_closed() {
    type Row = (&'static str, fn() -> Options);
    let table: [Row; 2] = [
        ("IdleTimeout", || Options {
            idle_timeout: ms(150),
            ..times(ms(20), ms(10_000))
        }),
        ("LifetimeOver", || Options {
            max_lifetime: ms(150),
            ..times(ms(20), ms(10_000))
        }),
    ];
    for (cause, options) in table {
        let (server, journal) = serve_timed(options);
        let started = Instant::now();
        let mut client = server.connect("/");
        assert_eq!(pings_until_close(&mut client).1, 1001, "{cause}");
        let took = started.elapsed();
        assert!(took >= ms(130), "{cause}: {took:?} is too soon");
        client.send_close(1001, "");
        let line = journal.wait_for(1).remove(0);
        assert!(line.ends_with(&format!("Us {cause}")), "{line}");
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
