//! Peers that do not read what is sent to them.

use rushwire::testing::{Client, Received, TestServer};
use rushwire::{App, Options, Overflow, SendStatus, event};

use super::common::client::{TEXT, frame};
use super::common::log::{Pen, log};
use super::{SECOND, TICK, member, still};

const KIB: usize = 1024;
const MAX: usize = 256 * KIB;
const POLICIES: [Overflow; 3] = [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest];

/// Sockets at `/:name` are each in the room of that name and in `"all"`, and have 16 KiB of network.
fn server(options: Options, pen: Pen) -> TestServer {
    let mut app = App::with(options);
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.join(request.param("name"));
        socket.join("all");
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    let test = TestServer::new(app).expect("nothing is wrong with it");
    test.set_window(16 * KIB);
    test
}

fn limited(overflow: Overflow, pen: Pen) -> TestServer {
    let options = Options {
        max_backpressure: MAX,
        overflow,
        ..still()
    };
    server(options, pen)
}

fn deaf(test: &TestServer, name: &str) -> Client {
    let mut client = test.connect(&format!("/{name}"));
    client.stop_reading();
    client
}

/// Sends messages of that size to `name`, a few in each turn, until `bytes` were sent; tells what became
/// of each.
fn pour(test: &TestServer, name: &str, size: usize, bytes: usize) -> Vec<SendStatus> {
    (0..bytes.div_ceil(size + 4))
        .map(|number| {
            let socket = member(test.hub(), name);
            let status = socket.map_or(SendStatus::Closed, |socket| {
                socket.send(&vec![number as u8; size])
            });
            if number % 8 == 0 {
                test.turn();
            }
            status
        })
        .collect()
}

/// What waits is counted without what its memory has room for besides: at most as much again, and as
/// much as was dropped in front of it.
#[test]
fn whatever_the_size_of_messages_what_waits_keeps_memory_in_proportion() {
    for (overflow, times) in [
        (Overflow::Close, 2),
        (Overflow::DropNewest, 2),
        (Overflow::DropOldest, 4),
    ] {
        for size in [1, 10, 126, 1000, 4 * KIB, 20 * KIB, 100 * KIB] {
            let (pen, _log) = log();
            let test = limited(overflow, pen);
            let _deaf = deaf(&test, "deaf");
            let mut most = 0;
            for _ in 0..16 {
                pour(&test, "deaf", size, MAX / 8);
                most = most.max(test.hub().stats().waiting_bytes);
            }
            assert!(most > MAX / 2, "{overflow:?}, {size}: {most} waited");
            assert!(most <= times * MAX, "{overflow:?}, {size}: {most} kept");
        }
    }
}

/// What a turn sends lies in one log. Who does not read its part of a large one does not keep all of it.
#[test]
fn what_others_are_sent_in_the_same_turn_does_not_count_for_who_does_not_read() {
    let (pen, _log) = log();
    let test = limited(Overflow::DropNewest, pen);
    let _deaf = deaf(&test, "deaf");
    let _other = test.connect("/other");
    let send = |name, bytes: usize| -> Vec<SendStatus> {
        let socket = member(test.hub(), name).expect("it is there");
        let message = vec![7; 2 * KIB];
        let count = bytes / message.len();
        (0..count).map(|_| socket.send(&message)).collect()
    };
    send("other", MAX * 3 / 8);
    send("deaf", MAX * 9 / 16);
    test.turn();
    let statuses = send("deaf", MAX / 4);
    assert!(!statuses.contains(&SendStatus::Dropped), "{statuses:?}");
}

/// A peer that reads nothing is not heard either: so its pongs are not missed, for whatever time.
#[test]
fn pings_of_the_heartbeat_do_not_pile_up_for_who_does_not_read() {
    let (pen, _log) = log();
    let options = Options {
        max_backpressure: MAX,
        overflow: Overflow::DropNewest,
        ..Options::default()
    };
    let test = server(options, pen);
    let mut deaf = deaf(&test, "deaf");
    deaf.ignore_pings();
    let sent = pour(&test, "deaf", KIB, 2 * MAX);
    test.clock().advance(60 * SECOND);
    let waits = || member(test.hub(), "deaf").map(|socket| socket.buffered_amount());
    let before = waits();
    assert!(before.is_some_and(|bytes| bytes > MAX / 2));
    test.clock().advance(24 * 3600 * SECOND);
    assert_eq!(waits(), before, "nothing has come to it in a day");
    deaf.read_on();
    let heard = deaf.recv_all();
    let pings = heard.iter().filter(|it| matches!(it, Received::Ping(_)));
    assert_eq!(pings.count(), 1, "and goes between the messages");
    let accepted = sent.iter().filter(|it| **it != SendStatus::Dropped).count();
    assert_eq!(heard.len() - 1, accepted);
    // It reads again, so it is pinged again, and missed if it does not answer.
    test.clock().advance(75 * SECOND + TICK);
    let missed = Received::Close {
        code: 1001,
        reason: "ping timeout".to_owned(),
    };
    assert_eq!(deaf.recv_all().last(), Some(&missed));
}

/// An answer to the peer's own ping may wait as well: that does not stand for a ping of ours, or the
/// peer would be missed for not having answered what it was never sent.
#[test]
fn a_pong_that_waits_is_no_ping_of_the_heartbeat() {
    let (pen, _log) = log();
    let test = server(Options::default(), pen);
    let mut deaf = deaf(&test, "deaf");
    deaf.ignore_pings();
    pour(&test, "deaf", KIB, 32 * KIB);
    deaf.ping(b"there?");
    test.clock().advance(31 * SECOND);
    deaf.read_on();
    let heard = deaf.recv_all();
    let of = |is_meant: fn(&&Received) -> bool| heard.iter().filter(is_meant).count();
    assert_eq!(of(|it| matches!(it, Received::Pong(_))), 1, "its own");
    assert_eq!(
        of(|it| matches!(it, Received::Ping(_))),
        1,
        "the heartbeat's"
    );
}

/// What was accepted is delivered or counted, by each policy, however small the messages are.
#[test]
fn a_message_for_who_does_not_read_is_delivered_in_order_or_counted() {
    for overflow in POLICIES {
        for size in [1, 126, 20 * KIB] {
            let (pen, log) = log();
            let test = limited(overflow, pen);
            let mut deaf = deaf(&test, "deaf");
            let statuses = pour(&test, "deaf", size, 3 * MAX);
            deaf.read_on();
            let heard = deaf.recv_all();
            test.clock().advance(5 * SECOND);
            drop(test);
            let of = |fate| statuses.iter().filter(|it| **it == fate).count();
            let accepted = of(SendStatus::Queued) + of(SendStatus::Backpressure);
            let told = undelivered(log.rest());
            let what = format!("{overflow:?}, {size}: {accepted} accepted, {told:?} told");
            match overflow {
                Overflow::Close => {
                    let heard = heard.len() - 1;
                    assert!(heard < accepted && told == (0, accepted - heard), "{what}");
                }
                Overflow::DropNewest => {
                    assert_eq!(heard.len(), accepted, "{what}");
                    assert_eq!(told, (of(SendStatus::Dropped), 0), "{what}");
                    assert!(told.0 > 0, "{what}");
                }
                Overflow::DropOldest => {
                    assert_eq!(accepted, statuses.len(), "{what}");
                    assert_eq!(told, (accepted - heard.len(), 0), "{what}");
                    let last = Received::Binary(vec![(accepted - 1) as u8; size]);
                    assert_eq!(heard.last(), Some(&last), "{what}");
                }
            }
        }
    }
}

/// The sums of `undelivered` that `Drain` and `Close` have told.
fn undelivered(lines: Vec<String>) -> (usize, usize) {
    let sum = |beginning: &str| {
        let told = lines.iter().filter(|line| line.starts_with(beginning));
        let numbers = told.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        numbers.sum()
    };
    (sum("deaf drain"), sum("deaf close"))
}

#[test]
fn who_is_closed_for_not_reading_and_still_does_not_is_cut_after_close_timeout() {
    let (pen, log) = log();
    let test = limited(Overflow::Close, pen);
    let deaf = deaf(&test, "deaf");
    let statuses = pour(&test, "deaf", KIB, 2 * MAX);
    let accepted = statuses.iter().filter(|it| **it != SendStatus::Closed);
    let accepted = accepted.count();
    // Only what is partly written is kept, and the close frame.
    assert!(test.hub().stats().waiting_bytes < 4 * KIB);
    test.clock().advance(5 * SECOND - TICK);
    assert_eq!(test.hub().len(), 1, "it may still read");
    test.clock().advance(TICK);
    let stats = test.hub().stats();
    assert_eq!((stats.total_connections, stats.waiting_bytes), (0, 0));
    let end = log.find("deaf close");
    // 15 whole ones are in the network.
    let lost = accepted - 15;
    let told = format!(r#"deaf close 1013 "slow consumer" Us SlowConsumer {lost}"#);
    assert_eq!(end, told);
    drop(deaf);
}

/// 10,000 requests for an answer, by one who reads none: they are heard as far as their answers may
/// wait, and not an answer more.
#[test]
fn who_asks_and_does_not_read_is_heard_no_further_than_half_of_what_may_wait() {
    for overflow in POLICIES {
        let (pen, log) = log();
        let test = limited(overflow, pen);
        let mut deaf = deaf(&test, "deaf");
        let asked = frame(true, 0, TEXT, &[b'x'; 1000]);
        deaf.send_raw(asked.repeat(10_000));
        test.clock().advance(3600 * SECOND);
        let stats = test.hub().stats();
        let heard = stats.messages_in;
        // 16 KiB are in the network, and one read may bring as much more.
        assert!((128..164).contains(&heard), "{overflow:?}: {heard} heard");
        assert_eq!(stats.total_connections, 1, "{overflow:?}: it is no offence");
        deaf.read_on();
        assert_eq!(
            deaf.recv_all().len(),
            10_000,
            "{overflow:?}: nothing is lost"
        );
        drop(test);
        assert_eq!(undelivered(log.rest()), (0, 0), "{overflow:?}");
    }
}
