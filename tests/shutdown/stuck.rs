//! Some do not read: they are waited for until the deadline, and what they have not got is counted.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Client as Reader, Received, TestServer};
use rushwire::{App, Hub, Options, SendStatus, Socket, event};

use super::common::log::{Log, log};
use super::common::{Client, serve_with};
use super::common::{NEVER, patient, wait_for_the_end_of};
use super::crowd::{For, numbered};

const STUCK: usize = 10;
const READERS: usize = 200;
const SIZE: usize = 50_000;
/// What one is sent: far more than the system takes for it.
const MESSAGES: u64 = 200;

#[test]
fn who_never_reads_is_cut_at_the_deadline_and_what_it_has_not_got_is_counted() {
    let (pen, log) = log();
    let server = serve_with(patient, move |app| {
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

/// When it has begun, a second call brings the deadline nearer, and never moves it away.
#[test]
fn of_two_calls_the_sooner_deadline_cuts_those_who_are_stuck() {
    const SOON: Duration = Duration::from_millis(300);
    for [first, second] in [[NEVER, Duration::ZERO], [NEVER, SOON], [SOON, NEVER]] {
        let server = serve_with(patient, |app| {
            app.ws("/stuck", |socket, _| {
                (0..MESSAGES).for_each(|n| _ = socket.send(&numbered(For::One, n, SIZE)));
            });
            app.ws("/reader", |_, _| {});
        });
        let stuck: Vec<Client> = (0..STUCK).map(|_| server.connect("/stuck")).collect();
        let mut reader = server.connect("/reader");
        server.remote.shutdown(first).expect("it runs");
        reader.expect_close(1001);
        // It may have ended already.
        let _ = server.remote.shutdown(second);
        wait_for_the_end_of(&server.remote);
        drop(stuck);
    }
}

/// How many messages wait for somebody who reads slowly, how long they are, and how much of that is read in
/// a second.
const WAITING: u8 = 10;
const LEN: usize = 30 * 1024;
const STEP: usize = 5 * 1024;

/// A server, somebody who does not read what was sent, and what is heard of the end.
fn slow() -> (TestServer, Reader, Log) {
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
    let mut reader = test.connect("/");
    reader.stop_reading();
    for n in 0..WAITING {
        test.hub().ws_broadcast(&vec![n; LEN], None);
    }
    // The network is full, and the rest waits.
    test.turn();
    (test, reader, log)
}

/// Has somebody read slowly what was sent before `end`; gives what was heard, and what came of it.
fn read_slowly(end: impl FnOnce(&Hub)) -> (Vec<Received>, String) {
    let (test, mut reader, log) = slow();
    end(test.hub());
    test.turn();
    for _ in 0..2 * usize::from(WAITING) * LEN / STEP {
        test.clock().advance(Duration::from_secs(1));
        reader.read_on();
        reader.stop_reading();
    }
    reader.read_on();
    (reader.recv_all(), log.next())
}

/// However long the grace is.
#[test]
fn who_does_not_read_on_for_close_timeout_is_not_waited_for() {
    let (test, _reader, log) = slow();
    test.hub().shutdown(NEVER);
    test.turn();
    test.clock().advance(Duration::from_millis(4_980));
    assert!(!test.hub().is_empty());
    test.clock().advance(Duration::from_millis(30));
    assert!(test.hub().is_empty() && test.is_done());
    assert_eq!(log.next(), format!("1001 CloseTimeout {WAITING}"));
}

/// A loop that has nothing else to do does not sleep on.
#[test]
fn the_deadline_itself_is_waited_for() {
    let (test, _reader, log) = slow();
    test.hub().shutdown(Duration::from_secs(3));
    let has_gone = Rc::new(Cell::new(false));
    let seen = Rc::clone(&has_gone);
    let later = Duration::from_millis(3_100);
    test.hub()
        .set_timeout(later, move |hub| seen.set(hub.is_empty()));
    test.clock().advance(Duration::from_secs(4));
    assert!(has_gone.get());
    assert_eq!(log.next(), format!("1001 Shutdown {WAITING}"));
}

/// It takes a minute, and `close_timeout` is five seconds.
#[test]
fn who_reads_slowly_gets_the_rest_as_long_as_the_grace_lasts() {
    let all = || (0..WAITING).map(|n| Received::Binary(vec![n; LEN]));
    let all_and_close = |code, reason: &str| {
        let reason = reason.to_owned();
        all()
            .chain([Received::Close { code, reason }])
            .collect::<Vec<_>>()
    };
    let (heard, end) = read_slowly(|hub| hub.shutdown(Duration::from_secs(100)));
    assert_eq!(end, "1001 Shutdown 0");
    assert!(heard == all_and_close(1001, "server is shutting down"));
    let (heard, end) = read_slowly(|hub| hub.sockets().iter().for_each(Socket::close));
    assert_eq!(end, "1000 Requested 0");
    assert!(heard == all_and_close(1000, ""));
    let (heard, end) = read_slowly(|hub| hub.shutdown(Duration::from_secs(30)));
    let (got, lost) = (heard.len(), usize::from(WAITING) - heard.len());
    assert_eq!(
        end,
        format!("1001 Shutdown {lost}"),
        "what it has not got is counted"
    );
    assert!(got > 0 && lost > 0 && heard == all().take(got).collect::<Vec<_>>());
}
