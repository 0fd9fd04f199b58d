//! Some do not read: they are waited for until the deadline, and what they have not got is counted.

use std::time::Duration;

use rushwire::{SendStatus, event};

use super::common::log::log;
use super::common::{Client, serve_with};
use super::crowd::{For, numbered};
use super::{NEVER, options, wait_for_the_end_of};

const STUCK: usize = 20;
const READERS: usize = 200;
const SIZE: usize = 50_000;
/// What one is sent: far more than the system takes for it.
const MESSAGES: u64 = 400;

#[test]
fn who_never_reads_is_cut_at_the_deadline_and_what_it_has_not_got_is_counted() {
    let (pen, log) = log();
    let server = serve_with(options, move |app| {
        let pen = pen.clone();
        app.ws("/*", move |socket, request| {
            let (pen, name) = (pen.clone(), request.path().to_owned());
            socket.on(event::Close, move |_, close| {
                pen.note(format!(
                    "{name} {} {:?} {}",
                    close.code, close.cause, close.undelivered
                ));
            });
            let count = if request.path() == "/stuck" {
                MESSAGES
            } else {
                4
            };
            for number in 0..count {
                let status = socket.send(&numbered(For::One, number, SIZE));
                assert!(matches!(
                    status,
                    SendStatus::Queued | SendStatus::Backpressure
                ));
            }
        });
    });
    let mut stuck: Vec<Client> = (0..STUCK).map(|_| server.connect("/stuck")).collect();
    let readers: Vec<Client> = (0..READERS).map(|_| server.connect("/reader")).collect();
    server
        .remote
        .shutdown(Duration::from_millis(500))
        .expect("it runs");
    let read = std::thread::spawn(move || {
        for mut client in readers {
            for number in 0..4 {
                assert_eq!(client.binary(), numbered(For::One, number, SIZE));
            }
            client.expect_close(1001);
        }
    });
    wait_for_the_end_of(&server.remote);
    read.join().expect("who reads gets everything");
    drop(server);
    let mut ends = log.rest();
    ends.sort();
    let (of_readers, of_stuck) = ends.split_at(READERS);
    assert_eq!(of_readers, vec!["/reader 1001 Shutdown 0"; READERS]);
    for (client, end) in stuck.iter_mut().zip(of_stuck) {
        let undelivered = end.strip_prefix("/stuck 1001 Shutdown ").expect(end);
        let undelivered: u64 = undelivered.parse().expect("a number");
        assert!((1..=MESSAGES).contains(&undelivered), "{end}");
        // All that was taken for it is whole and in order, and no close frame overtakes it.
        let mut number = 0;
        while let Some(frame) = client.next() {
            assert!(
                frame.payload == numbered(For::One, number, SIZE),
                "message {number}"
            );
            number += 1;
        }
        assert!(number < MESSAGES);
    }
    let all = |end: &String| end.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok());
    let counted: u64 = of_stuck.iter().filter_map(all).sum();
    assert!(counted < STUCK as u64 * MESSAGES, "some of it was taken");
}

/// Nor does one of those keep the others, or the end, when a second call brings the deadline nearer.
#[test]
fn a_second_call_cuts_those_whom_the_first_would_wait_for() {
    let server = serve_with(options, |app| {
        app.ws("/stuck", |socket, _| {
            (0..MESSAGES).for_each(|n| _ = socket.send(&numbered(For::One, n, SIZE)));
        });
    });
    let stuck: Vec<Client> = (0..STUCK).map(|_| server.connect("/stuck")).collect();
    server.remote.shutdown(NEVER).expect("it runs");
    server.remote.shutdown(Duration::ZERO).expect("it runs");
    wait_for_the_end_of(&server.remote);
    drop(stuck);
}
