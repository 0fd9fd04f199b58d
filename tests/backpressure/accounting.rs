//! Each policy: every message is delivered once and in order, or counted.

use std::time::Duration;

use rushwire::{Hub, Overflow, SendStatus, Socket};

use super::common::Server;
use super::common::client::CLOSE;
use super::common::log::{Log, log};
use super::{
    KIB, MAX, POLICIES, accepted, member, number_of, read_up_to, send_until, serve_limited,
    undelivered,
};

/// Counts what was told to be dropped until it is `expected`, and sees to it that it stays so.
fn expect_drained(server: Server, log: Log, expected: usize, name: &str) {
    let mut told = 0;
    while told < expected {
        told += undelivered(&log.find("a drain"));
    }
    server.stop(Duration::from_secs(1));
    told += log
        .rest()
        .iter()
        .map(|line| undelivered(line))
        .sum::<usize>();
    assert_eq!(told, expected, "{name}");
}

/// Message sizes: in the turn's log, and in buffers of their own.
const SIZES: [usize; 3] = [2 * KIB, 16 * KIB, 100 * KIB];

fn flood(server: &Server, size: usize) -> Vec<SendStatus> {
    let count = 10 * 1024 * KIB / size;
    send_until(server, "a", size, MAX, |all| all.len() >= count)
}

#[test]
fn drop_newest_delivers_what_was_accepted_and_counts_the_rest() {
    for size in SIZES {
        let (pen, log) = log();
        let server = serve_limited(MAX, Overflow::DropNewest, pen);
        let mut client = server.connect("/a");
        let statuses = flood(&server, size);
        let accepted = accepted(&statuses);
        let dropped = statuses.len() - accepted.len();
        assert!(
            dropped > 0 && !statuses.contains(&SendStatus::Closed),
            "{size}"
        );
        assert_eq!(
            read_up_to(&mut client, accepted[accepted.len() - 1]),
            accepted,
            "{size}"
        );
        let drained =
            std::thread::spawn(
                move || while client.next().is_some_and(|frame| frame.opcode != CLOSE) {},
            );
        expect_drained(server, log, dropped, &format!("messages of {size}"));
        drained.join().expect("the peer");
    }
}

#[test]
fn drop_oldest_delivers_the_newest_and_counts_what_it_dropped() {
    for size in SIZES {
        let (pen, log) = log();
        let server = serve_limited(MAX, Overflow::DropOldest, pen);
        let mut client = server.connect("/a");
        let statuses = flood(&server, size);
        assert_eq!(
            accepted(&statuses).len(),
            statuses.len(),
            "{size}: all are accepted"
        );
        let delivered = read_up_to(&mut client, statuses.len() as u32 - 1);
        let dropped = statuses.len() - delivered.len();
        assert!(dropped > 0, "{size}");
        let gaps = delivered
            .windows(2)
            .filter(|pair| pair[1] != pair[0] + 1)
            .count();
        assert!(
            gaps >= 1,
            "{size}: the dropped ones are older than the last"
        );
        let drained =
            std::thread::spawn(
                move || while client.next().is_some_and(|frame| frame.opcode != CLOSE) {},
            );
        expect_drained(server, log, dropped, &format!("messages of {size}"));
        drained.join().expect("the peer");
    }
}

#[test]
fn close_delivers_a_beginning_then_1013_and_counts_the_rest() {
    for size in SIZES {
        let (pen, log) = log();
        let server = serve_limited(MAX, Overflow::Close, pen);
        let mut client = server.connect("/a");
        let statuses = send_until(&server, "a", size, MAX, |all| {
            all.contains(&SendStatus::Closed)
        });
        let accepted = accepted(&statuses).len();
        assert!(
            statuses[..accepted].contains(&SendStatus::Backpressure),
            "{size}: a warning comes first"
        );
        assert!(
            !statuses[accepted..]
                .iter()
                .any(|status| *status != SendStatus::Closed),
            "{size}"
        );
        let mut delivered = 0;
        let close = loop {
            let frame = client.recv();
            if frame.opcode == CLOSE {
                break frame.payload;
            }
            assert_eq!(
                number_of(&frame.payload),
                delivered,
                "{size}: without a gap"
            );
            delivered += 1;
        };
        assert_eq!(
            close,
            [&1013_u16.to_be_bytes()[..], b"slow consumer"].concat()
        );
        client.try_send_close(1013);
        client.expect_end();
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
        server.stop(Duration::ZERO);
        let lines = log.rest();
        let end = lines.last().expect("the end");
        assert!(
            end.starts_with(r#"a close 1013 "slow consumer" Us SlowConsumer "#),
            "{lines:?}"
        );
        assert_eq!(
            delivered as usize + undelivered(end),
            accepted,
            "{size}: {end}"
        );
    }
}

#[test]
fn a_peer_that_never_reads_again_is_cut_and_all_that_waited_is_counted() {
    for policy in POLICIES {
        let (pen, log) = log();
        let server = serve_limited(MAX, policy, pen);
        let client = server.connect("/a");
        let statuses = send_until(&server, "a", 16 * KIB, MAX, |all| {
            all.last().is_some_and(|last| *last != SendStatus::Queued)
        });
        assert!(!statuses.is_empty());
        server.ask(|hub| member(hub, "a").iter().for_each(Socket::terminate));
        server.wait_until("it is gone", Hub::is_empty);
        let end = log.find("a close");
        let waited = undelivered(&end) * 16 * KIB;
        assert!(
            waited > MAX / 2 - 16 * KIB && waited <= MAX + 16 * KIB,
            "{policy:?}: {end}"
        );
        drop(client);
    }
}
