//! Some do not read: they are waited for until the deadline, and what they have not got is counted.

use std::time::Duration;

use rushwire::testing::{Received, TestServer};
use rushwire::{App, Hub, Options, SendStatus, Socket, event};

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

/// What waits for somebody who reads slowly, and how much of it is read in a second.
const REST: usize = 300 * 1024;
const STEP: usize = 5 * 1024;

/// Has somebody read slowly what was sent before `end`; gives what was heard, and what came of it.
fn read_slowly(end: impl FnOnce(&Hub)) -> (Vec<Received>, String) {
    let (pen, log) = log();
    let mut app = App::with(Options {
        heartbeat: Duration::ZERO,
        ..Options::default()
    });
    app.ws("/", move |socket, _| {
        let pen = pen.clone();
        socket.on(event::Close, move |_, close| {
            pen.note(format!(
                "{} {:?} {}",
                close.code, close.cause, close.undelivered
            ));
        });
    });
    let test = TestServer::new(app).expect("it is right");
    test.set_window(STEP);
    let mut slow = test.connect("/");
    slow.stop_reading();
    test.hub().ws_broadcast(&vec![7; REST], None);
    end(test.hub());
    test.turn();
    for _ in 0..2 * REST / STEP {
        test.clock().advance(Duration::from_secs(1));
        slow.read_on();
        slow.stop_reading();
    }
    slow.read_on();
    (slow.recv_all(), log.next())
}

/// It takes a minute, and `close_timeout` is five seconds.
#[test]
fn who_reads_slowly_gets_the_rest_as_long_as_the_grace_lasts() {
    let close = |code, reason: &str| {
        let reason = reason.to_owned();
        vec![
            Received::Binary(vec![7; REST]),
            Received::Close { code, reason },
        ]
    };
    let (heard, end) = read_slowly(|hub| hub.shutdown(Duration::from_secs(100)));
    assert_eq!(end, "1001 Shutdown 0");
    assert!(heard == close(1001, "server is shutting down"));
    let (heard, end) = read_slowly(|hub| hub.sockets().iter().for_each(Socket::close));
    assert_eq!(end, "1000 Requested 0");
    assert!(heard == close(1000, ""));
    let (heard, end) = read_slowly(|hub| hub.shutdown(Duration::from_secs(30)));
    assert_eq!(
        (end.as_str(), heard.len()),
        ("1001 Shutdown 1", 0),
        "it is counted"
    );
}
