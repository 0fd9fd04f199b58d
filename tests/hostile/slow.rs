//! Slow on purpose: who sends a byte now and then, and who reads as little as can be.

use rushwire::testing::{Client, Connection, Received, TestServer};
use rushwire::{App, Options, Socket};

use super::common::client::{BINARY, CONTINUATION, PING, TEXT, announcement, close_payload, frame};
use super::common::log::log;
use super::{SECOND, TICK, in_memory, still};

/// What a peer sends a byte at a time, none of which ever completes a message.
fn trickles() -> Vec<(&'static str, Vec<u8>)> {
    let begun = frame(false, 0, TEXT, b"begun");
    let header = |opcode| announcement(true, opcode, 1 << 20);
    let slowly = |head: Vec<u8>| [head, vec![b'x'; 1000]].concat();
    vec![
        ("the header of a frame", header(BINARY)),
        ("the payload of a binary frame", slowly(header(BINARY))),
        ("the payload of a text frame", masked_text()),
        (
            "the header of a second fragment",
            [begun.clone(), announcement(true, CONTINUATION, 1 << 19)].concat(),
        ),
        ("fragments of a byte", fragments()),
        (
            "a ping inside of a message",
            [begun, frame(true, 0, PING, &[7; 125])[..130].to_vec()].concat(),
        ),
    ]
}

fn masked_text() -> Vec<u8> {
    let mut text = frame(true, 0, TEXT, &[b'x'; 60_000]);
    text.truncate(1000);
    text
}

fn fragments() -> Vec<u8> {
    let more = frame(false, 0, CONTINUATION, b"x");
    [frame(false, 0, TEXT, b"x"), more.repeat(100)].concat()
}

/// Another client is served at this moment.
fn serves(other: &mut Client) {
    other.send("and I?");
    assert_eq!(other.text(), "and I?");
}

#[test]
fn who_sends_a_byte_now_and_then_is_idle_all_the_same_and_told_1001_to_the_tick() {
    for (name, bytes) in trickles() {
        let (pen, log) = log();
        let options = Options {
            idle_timeout: 20 * SECOND,
            ..Options::default()
        };
        let test = in_memory(options, pen);
        let (mut slow, mut other) = (test.connect("/slow"), test.connect("/other"));
        // Its answer would be taken for payload anyway.
        slow.ignore_close();
        let mut bytes = bytes.iter();
        for _ in 0..19 {
            slow.send_raw(bytes.by_ref().take(5).copied().collect::<Vec<_>>());
            test.clock().advance(SECOND);
            serves(&mut other);
        }
        test.clock().advance(SECOND - TICK);
        assert_eq!(slow.recv(), None, "{name}: not before its time");
        test.clock().advance(TICK);
        assert_eq!(slow.closed(), (1001, "idle timeout".into()), "{name}");
        serves(&mut other);
        test.clock().advance(5 * SECOND - TICK);
        assert!(!slow.is_ended(), "{name}: it may answer");
        test.clock().advance(TICK);
        assert!(slow.is_ended() && test.hub().len() == 1, "{name}");
        let end = log.find("slow close");
        assert_eq!(end, r#"slow close 1001 "idle timeout" Us CloseTimeout 0"#);
    }
}

/// Any byte is a sign of life, so without `idle_timeout` such a peer stays; what it costs is in
/// `large.rs`.
#[test]
fn who_sends_a_byte_now_and_then_lives_and_what_it_says_in_the_end_is_heard() {
    let (pen, _log) = log();
    let test = in_memory(Options::default(), pen);
    let (mut slow, mut other) = (test.connect("/slow"), test.connect("/other"));
    slow.ignore_pings();
    let hours = frame(true, 0, TEXT, &[b'x'; 500]);
    for byte in &hours {
        // Twice in the time that a peer may be silent.
        test.clock().advance(37 * SECOND);
        slow.send_raw([*byte]);
        test.turn();
    }
    let heard = slow.recv_all();
    let (pings, rest): (Vec<_>, Vec<_>) = heard
        .into_iter()
        .partition(|heard| matches!(heard, Received::Ping(_)));
    assert_eq!(pings.len(), hours.len() * 37 / 30, "one every 30 s");
    assert_eq!(rest, [Received::Text("x".repeat(500))]);
    serves(&mut other);
}

#[test]
fn who_stops_inside_of_a_frame_is_missed_by_the_heartbeat_to_the_tick() {
    for (name, bytes) in trickles() {
        for cut in [1, bytes.len() / 2, bytes.len()] {
            let (pen, log) = log();
            let test = in_memory(Options::default(), pen);
            let (mut slow, mut other) = (test.connect("/slow"), test.connect("/other"));
            slow.ignore_pings();
            slow.ignore_close();
            slow.send_raw(&bytes[..cut]);
            // Pinged after 30 s; then it has 45.
            test.clock().advance(75 * SECOND - TICK);
            serves(&mut other);
            let pings = slow.recv_all();
            let ping = Received::Ping(Vec::new());
            assert_eq!(pings, [ping.clone(), ping], "{name}, {cut} bytes");
            test.clock().advance(TICK);
            assert_eq!(slow.closed(), (1001, "ping timeout".into()), "{name}");
            assert!(slow.is_ended() && test.hub().len() == 1, "{name}");
            let end = log.find("slow close");
            assert_eq!(end, r#"slow close 1001 "ping timeout" Us PingTimeout 0"#);
        }
    }
}

/// The ways to be half open, and what the server says in the end.
const HALF_OPEN: [(&str, Option<u16>); 4] = [
    ("", None),
    ("GET /page HTTP/1.1\r\nHos", Some(408)),
    (
        "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        Some(408),
    ),
    (
        "GET /slow HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
        Some(408),
    ),
];

/// All of the reserve is taken by those who never finish: it is free again when their time is over,
/// or, if they were told so and stay, when they have had time to read that.
#[test]
fn a_flood_of_half_open_connections_holds_the_door_for_its_time_and_no_longer() {
    const PLACES: usize = 50 + 256;
    for (part, status) in HALF_OPEN {
        let (pen, _log) = log();
        let options = Options {
            max_connections: 50,
            ..Options::default()
        };
        let test = in_memory(options, pen);
        let mut inside = test.connect("/inside");
        let open = |_| {
            let mut connection = test.open();
            connection.send(part);
            connection
        };
        let mut flood: Vec<Connection> = (1..PLACES).map(open).collect();
        let mut late = test.request("GET", "/page").begin();
        test.clock().advance(10 * SECOND - TICK);
        assert!(flood.iter().all(|it| !it.is_ended()), "{part:?}");
        serves(&mut inside);
        test.clock().advance(TICK);
        for connection in &mut flood {
            let answer = connection.answer().map(|it| it.status);
            assert_eq!(answer, status, "{part:?}");
            assert!(connection.is_ended(), "{part:?}");
        }
        if status.is_some() {
            test.clock().advance(5 * SECOND - TICK);
            assert_eq!(late.answer(), None, "{part:?}: they are still there");
            test.clock().advance(TICK);
        }
        assert_eq!(late.answer().map(|it| it.status), Some(200), "{part:?}");
        serves(&mut inside);
        assert_eq!(test.hub().len(), 1);
    }
}

/// Asks for a page larger than the network, and reads nothing.
#[test]
fn who_does_not_read_an_answer_is_waited_for_twice_keep_alive_timeout_and_then_close_timeout() {
    let mut app = App::with(still());
    app.get("/large", |ctx| ctx.text("x".repeat(1 << 20)));
    app.get("/page", |ctx| ctx.text("a page"));
    let test = TestServer::new(app).expect("nothing is wrong with it");
    test.set_window(16 * 1024);
    let mut deaf = test.request("GET", "/large").begin();
    deaf.stop_reading();
    let waiting = || test.hub().stats().waiting_bytes;
    // It may be that it has only begun to read slowly.
    let patience = 5 * SECOND + 5 * SECOND + 5 * SECOND;
    test.clock().advance(patience - TICK);
    assert!(waiting() > 1 << 19, "{} bytes wait", waiting());
    assert_eq!(test.get("/page").text(), "a page");
    test.clock().advance(TICK);
    assert_eq!(waiting(), 0, "it is cut, and costs nothing any more");
    deaf.read_on();
    assert!(deaf.answer().is_none() && deaf.is_ended());
}

#[test]
fn who_answers_our_close_frame_with_anything_else_has_close_timeout_and_no_more() {
    let (pen, log) = log();
    let test = in_memory(still(), pen);
    let mut slow = test.connect("/slow");
    slow.ignore_close();
    test.hub().sockets().iter().for_each(Socket::close);
    for _ in 0..49 {
        slow.send_raw(frame(true, 0, PING, b"wait"));
        slow.send_raw(frame(true, 0, TEXT, b"for me"));
        test.clock().advance(SECOND / 10);
    }
    test.clock().advance(SECOND / 10 - TICK);
    assert!(!slow.is_ended());
    test.clock().advance(TICK);
    assert!(slow.is_ended() && test.hub().is_empty());
    let lines = [log.next(), log.next()];
    let end = r#"slow close 1000 "" Us CloseTimeout 0"#;
    assert_eq!(lines, ["slow open", end], "nothing more was heard");
}

/// Whoever is sent away may read the rest: 16 KiB in each `close_timeout` are enough to go on.
#[test]
fn who_is_closed_may_read_the_rest_as_long_as_it_reads_16_kib_in_close_timeout() {
    const REST: usize = 300 * 1024;
    for (step, gets_all) in [(5 * 1024, true), (2 * 1024, false)] {
        let (pen, _log) = log();
        let test = in_memory(
            Options {
                close_timeout: 5 * SECOND,
                ..still()
            },
            pen,
        );
        test.set_window(step);
        let mut slow = test.connect("/slow");
        slow.stop_reading();
        test.hub().ws_broadcast(&vec![7; REST], None);
        // A violation: it is not heard any more, but it may read what was sent before.
        slow.send_raw(frame(true, 4, TEXT, b""));
        test.turn();
        let mut seconds = 0;
        while !test.hub().is_empty() {
            test.clock().advance(SECOND);
            slow.read_on();
            slow.stop_reading();
            seconds += 1;
            assert!(seconds < 1000, "it is never cut");
        }
        slow.read_on();
        let heard = slow.recv_all();
        if gets_all {
            assert!(seconds > REST / step - 5, "{seconds} s");
            assert_eq!(heard[0], Received::Binary(vec![7; REST]));
            let reason = "reserved bits are set".to_owned();
            assert_eq!(heard[1], Received::Close { code: 1002, reason });
        } else {
            assert_eq!(seconds, 5, "it is cut after `close_timeout`");
            assert!(heard.is_empty(), "it never came to the end");
        }
        assert_eq!(test.hub().stats().waiting_bytes, 0);
    }
}

#[test]
fn a_close_frame_that_trickles_in_is_answered_when_it_is_whole() {
    let (pen, log) = log();
    let test = in_memory(still(), pen);
    let mut slow = test.connect("/slow");
    for byte in frame(true, 0, 8, &close_payload(4001, "at last")) {
        assert_eq!(slow.recv(), None);
        slow.send_raw([byte]);
        test.clock().advance(60 * SECOND);
    }
    assert_eq!(slow.closed().0, 4001);
    assert!(slow.is_ended());
    let end = r#"slow close 4001 "at last" Peer Requested 0"#;
    assert_eq!(log.find("slow close"), end);
}
