//! Ends by code, and drops by policy.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::{Client, Server, serve, serve_with};
use rushwire::{Hub, Options, Overflow, SendStatus, Stats, event};

fn connect(server: &Server) -> Client {
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client
}

fn balance(stats: &Stats) {
    let ended: u64 = stats.closed.values().sum();
    assert_eq!(stats.accepted, stats.total_connections as u64 + ended);
}

/// How a socket ends, and the code that counts. A code that may not be sent is a violation, so what a
/// peer makes up is not counted under its own name.
#[test]
fn ends_are_counted_by_code_and_codes_that_do_not_exist_are_not() {
    type End = fn(&mut Client);
    #[rustfmt::skip]
    let table: [(u16, End); 11] = [
        (1000, |client| client.send_close(1000, "")),
        (1001, |client| client.send_close(1001, "bye")),
        (1005, |client| client.send_frame(true, 0, 8, b"")),
        (1006, |client| client.finish()),
        (1002, |client| client.send_close(999, "")),
        (1002, |client| client.send_close(1006, "")),
        (1002, |client| client.send_close(2999, "")),
        (1002, |client| client.send_close(5000, "")),
        (1007, |client| client.send_frame(true, 0, 1, b"\xFF")),
        (3000, |client| client.send_close(3000, "")),
        (4999, |client| client.send_close(4999, "")),
    ];
    let server = serve(|app| _ = app.ws("/", |socket, _| _ = socket.send("open")));
    let mut expected = BTreeMap::new();
    for (code, end) in table {
        let mut client = connect(&server);
        balance(&server.ask(Hub::stats));
        end(&mut client);
        while client.next().is_some() {}
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
        *expected.entry(code).or_default() += 1_u64;
        let stats = server.ask(Hub::stats);
        assert_eq!(stats.closed, expected);
        balance(&stats);
    }
}

/// Sends messages of 20 kB to a client that does not read until 10 have been dropped, at most 1,000;
/// gives how many were sent and how many said that they were dropped.
fn press(policy: Overflow) -> (Server, Client, (usize, u64)) {
    let options = move || Options {
        max_backpressure: 100_000,
        overflow: policy,
        heartbeat: Duration::ZERO,
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        _ = app.ws("/", |socket, _| _ = socket.send("open"))
    });
    let client = connect(&server);
    let sent = server.ask(|hub| {
        let socket = &hub.sockets()[0];
        let mut statuses = Vec::new();
        // Only large messages are written at once: fill the kernel with them. What is left of the last
        // one, which is written to its end, leaves room for others.
        while socket.buffered_amount() == 0 {
            assert_eq!(socket.send(&vec![0; 1 << 16]), SendStatus::Queued);
        }
        while statuses.len() < 1_000 && hub.stats().backpressure_drops < 10 && socket.is_open() {
            statuses.push(socket.send(&vec![0; 20_000]));
        }
        let dropped = statuses
            .iter()
            .filter(|status| **status == SendStatus::Dropped);
        (statuses.len(), dropped.count() as u64)
    });
    (server, client, sent)
}

#[test]
fn drops_of_the_newest_are_counted_as_they_are_said() {
    let (server, _client, (sent, said)) = press(Overflow::DropNewest);
    let drops = server.ask(|hub| hub.stats().backpressure_drops);
    assert_eq!((drops, said), (10, 10), "of {sent}");
}

#[test]
fn drops_of_the_oldest_are_counted_and_told_with_drain() {
    let (server, mut client, (sent, said)) = press(Overflow::DropOldest);
    let stats = server.ask(Hub::stats);
    assert!(stats.backpressure_drops >= 10, "{sent} were sent");
    assert_eq!(said, 0, "the newest is taken");
    // What is not dropped comes, and then all is told.
    let expected = stats.backpressure_drops;
    let arrive = stats.messages_out - 1 - expected;
    for _ in 0..arrive {
        client.binary();
    }
    server.wait_until("the drops are told", move |hub| {
        hub.stats().dropped == expected
    });
    assert_eq!(server.ask(|hub| hub.stats().backpressure_drops), expected);
}

#[test]
fn what_is_thrown_away_when_the_policy_closes_is_counted() {
    let (server, client, _) = press(Overflow::Close);
    let drops = server.ask(|hub| hub.stats().backpressure_drops);
    assert!(drops > 0);
    drop(client);
    server.wait_until("it is gone", Hub::is_empty);
    let stats = server.ask(Hub::stats);
    assert_eq!(stats.closed, BTreeMap::from([(1013, 1)]));
    assert!(stats.dropped >= drops, "{stats:?}");
    assert_eq!(stats.backpressure_drops, drops);
}

/// A peer that is gone drops nothing by backpressure, whatever it left unread.
#[test]
fn what_a_lost_connection_leaves_behind_is_no_backpressure() {
    let (server, client) = press_a_little();
    drop(client);
    server.wait_until("it is gone", Hub::is_empty);
    let stats = server.ask(Hub::stats);
    assert!(stats.dropped > 0);
    assert_eq!(stats.backpressure_drops, 0);
}

fn press_a_little() -> (Server, Client) {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.send("open");
            socket.on(event::Close, |_, close| assert!(close.undelivered > 0));
        });
    });
    let client = connect(&server);
    server.ask(|hub| {
        let socket = &hub.sockets()[0];
        while socket.buffered_amount() == 0 {
            socket.send(&vec![0; 1 << 20]);
        }
        socket.send(&vec![0; 20_000]);
    });
    (server, client)
}
