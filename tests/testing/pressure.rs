//! A client that does not read, or that is gone without a word.

use std::time::Duration;

use rushwire::testing::Received;
use rushwire::{App, Options, Overflow, SendStatus, event};

use super::{Journal, SECOND, close, serve, still};

const KIB: usize = 1024;

/// An application whose sockets tell when they drain.
fn draining(overflow: Overflow) -> (rushwire::testing::TestServer, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(Options {
        max_backpressure: 64 * KIB,
        overflow,
        ..still()
    });
    app.ws("/", move |socket, _| {
        noted.watch(socket);
        let noted = noted.clone();
        socket.on(event::Drain, move |socket, drained| {
            let waits = socket.buffered_amount();
            noted.note(format!("drain {} {waits}", drained.undelivered));
        });
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    let test = serve(app);
    test.set_window(16 * KIB);
    (test, journal)
}

/// Sends messages of a kibibyte, one a turn, until one has that fate; how many were sent.
fn send_until(test: &rushwire::testing::TestServer, fate: SendStatus) -> usize {
    for count in 1..1000 {
        let socket = test.hub().sockets().pop().expect("it is there");
        let status = socket.send(&vec![count as u8; KIB]);
        test.turn();
        if status == fate {
            return count;
        }
    }
    panic!("never {fate:?}");
}

#[test]
fn what_a_client_does_not_read_waits_and_drain_follows_when_it_does() {
    let (test, journal) = draining(Overflow::Close);
    let mut client = test.connect("/");
    client.stop_reading();
    let sent = send_until(&test, SendStatus::Backpressure);
    // 16 KiB are in the network, and more than half of 64 KiB wait.
    assert!((48..=50).contains(&sent), "{sent}");
    let waits = test.hub().sockets()[0].buffered_amount();
    assert!(waits > 32 * KIB && waits < 34 * KIB, "{waits}");
    assert!(journal.take().is_empty());
    assert_eq!(client.recv(), None, "it does not read");
    // Nor is it read.
    client.send("not yet");
    test.turn();
    assert_eq!(test.hub().stats().messages_in, 0);
    client.read_on();
    let heard = client.recv_all();
    assert_eq!(heard.len(), sent + 1);
    for (number, message) in (1..).zip(&heard[..sent]) {
        assert_eq!(*message, Received::Binary(vec![number as u8; KIB]));
    }
    assert_eq!(heard[sent], "not yet".into());
    assert_eq!(journal.take(), ["drain 0 0"]);
}

#[test]
fn over_the_limit_the_policy_decides() {
    let (test, journal) = draining(Overflow::Close);
    let mut client = test.connect("/");
    client.stop_reading();
    let sent = send_until(&test, SendStatus::Closed);
    client.read_on();
    let heard = client.recv_all();
    assert_eq!(heard.last(), close(1013, "slow consumer").as_ref());
    let lines = journal.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("close 1013 Us SlowConsumer"),
        "{lines:?}"
    );
    let undelivered: usize = lines[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(heard.len() - 1 + undelivered, sent - 1);

    let (test, journal) = draining(Overflow::DropNewest);
    let mut client = test.connect("/");
    client.stop_reading();
    let sent = send_until(&test, SendStatus::Dropped);
    client.read_on();
    assert_eq!(client.recv_all().len(), sent - 1);
    assert_eq!(journal.take(), ["drain 1 0"]);
}

#[test]
fn a_client_that_vanishes_is_missed_only_by_the_heartbeat() {
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(Options {
        heartbeat: 30 * SECOND,
        pong_timeout: 45 * SECOND,
        ..Options::default()
    });
    app.ws("/", move |socket, _| noted.watch(socket));
    let test = serve(app);
    test.connect("/").vanish();
    test.clock()
        .advance(75 * SECOND - Duration::from_millis(10));
    assert_eq!((test.hub().len(), journal.take()), (1, Vec::new()));
    test.clock().advance(Duration::from_millis(10));
    assert_eq!(journal.take(), ["close 1001 Us PingTimeout 0"]);
    test.clock().advance(10 * SECOND);
    assert!(test.hub().is_empty());
}

#[test]
fn a_large_message_goes_through_a_narrow_network_whole() {
    for window in [1, 3, 100, 4096] {
        let (test, _) = draining(Overflow::Close);
        test.set_window(window);
        let mut client = test.connect("/");
        let size = if window == 1 { 5_000 } else { 150_000 };
        let message: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        client.send(&message);
        assert!(client.binary() == message, "through {window}");
    }
}

/// The one that was dropped was large, so what waits then is less than half of what may.
#[test]
fn what_was_dropped_for_a_newer_message_is_told_by_drain_however_little_waits_then() {
    let (test, journal) = draining(Overflow::DropOldest);
    let mut client = test.connect("/");
    client.stop_reading();
    test.turn();
    let socket = test.hub().sockets().pop().expect("it is there");
    let send = |len| socket.send(&vec![7; len]);
    let fates = [send(17 * KIB), send(60 * KIB)];
    test.turn();
    let fates = [fates[0], fates[1], send(5 * KIB)];
    assert_eq!(fates, [SendStatus::Queued; 3]);
    client.read_on();
    assert_eq!(client.binary().len(), 17 * KIB);
    assert_eq!(client.binary().len(), 5 * KIB);
    assert_eq!(journal.take().last().map(String::as_str), Some("drain 1 0"));
}
