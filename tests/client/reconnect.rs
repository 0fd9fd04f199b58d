//! Connecting again: when, when not, and what becomes of messages meanwhile.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use rushwire::{CloseCode, ConnectError, ConnectOptions, Options, Reconnect, SendStatus, event};

use crate::common::NEVER;
use crate::peer::{Peer, play, say, unmasked};
use crate::{Dialer, never};

pub(super) fn reconnecting(attempts: u32) -> ConnectOptions {
    ConnectOptions {
        reconnect: Some(Reconnect {
            first: Duration::from_millis(20),
            longest: Duration::from_millis(100),
            attempts,
            ..Reconnect::default()
        }),
        ..ConnectOptions::default()
    }
}

/// Tries again when the test is over.
pub(super) fn waiting() -> ConnectOptions {
    ConnectOptions {
        reconnect: Some(Reconnect {
            first: NEVER,
            longest: NEVER,
            ..Reconnect::default()
        }),
        ..ConnectOptions::default()
    }
}

#[test]
fn a_connection_that_is_lost_is_made_again_and_what_was_sent_meanwhile_arrives_once_and_in_order() {
    let stage = play(|listener| {
        let mut first = Peer::agree(listener);
        assert_eq!(first.text(), "hello 1");
        drop(first);
        // It is turned away twice, and then welcome.
        drop(Peer::accept(listener));
        Peer::accept(listener).send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        let mut last = Peer::agree(listener);
        let texts = [last.text(), last.text(), last.text()];
        assert_eq!(texts, ["hello 2", "offline 1", "offline 2"]);
        last.close(1000);
    });
    let count = Rc::new(Cell::new(0));
    let sockets = Rc::clone(&count);
    let mut dialer = Dialer::new(&stage.url, reconnecting(9), move |socket, _| {
        sockets.set(sockets.get() + 1);
        socket.send(&format!("hello {}", sockets.get()));
    });
    dialer.run_until("the first is lost", |this| !this.failed.borrow().is_empty());
    assert!(dialer.connection.socket().is_none() && !dialer.connection.is_over());
    for text in ["offline 1", "offline 2"] {
        assert_eq!(dialer.connection.send(text), SendStatus::Queued);
    }
    let failed = dialer.run();
    assert_eq!(count.get(), 2);
    let errors: Vec<_> = failed.iter().map(|failed| &failed.error).collect();
    assert!(
        matches!(
            errors[..],
            [
                ConnectError::Closed(CloseCode::ABNORMAL, _),
                ConnectError::Io(..),
                ConnectError::Refused(_)
            ]
        ),
        "{errors:?}"
    );
    assert!(
        failed
            .iter()
            .all(|failed| failed.retry_in.is_some() && failed.unsent == 0)
    );
}

#[test]
fn waits_grow_and_end_with_the_last_attempt_which_tells_what_was_never_sent() {
    let stage = play(|listener| {
        for _ in 0..5 {
            drop(Peer::accept(listener));
        }
    });
    let dialer = Dialer::new(&stage.url, reconnecting(4), never);
    let connection = dialer.connection.clone();
    connection.send("never sent");
    let failed = dialer.run();
    assert_eq!(connection.unsent(), 0, "it was told, and is given up");
    let waits: Vec<_> = failed.iter().map(|failed| failed.retry_in).collect();
    let bounds = [(10, 20), (20, 40), (40, 80), (50, 100)];
    assert_eq!(waits.len(), 5, "{waits:?}");
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        let millis = wait.expect("again").as_millis();
        assert!((least..=most).contains(&millis), "{waits:?}");
    }
    let unsent: Vec<_> = failed.iter().map(|failed| failed.unsent).collect();
    assert_eq!((waits[4], unsent), (None, vec![0, 0, 0, 0, 1]));
}

/// What a client that tries again makes of one connection, behind which nobody listens.
fn after(script: impl FnOnce(Peer) + Send + 'static) -> Vec<Option<Duration>> {
    let stage = play(move |listener| script(Peer::agree(listener)));
    let dialer = Dialer::new(&stage.url, reconnecting(9), |_, _| {});
    let failed = dialer.run();
    failed.iter().map(|failed| failed.retry_in).collect()
}

#[test]
fn a_deliberate_end_is_the_end_and_no_failure() {
    for code in [1000, 1008] {
        assert_eq!(after(move |peer| peer.close(code)), [], "{code}");
    }
}

#[test]
fn after_any_other_end_it_is_tried_again() {
    let ends: [fn(Peer); 4] = [
        |peer| peer.close(1001),
        |peer| peer.close(1012),
        |peer| peer.close(4000),
        drop,
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let stage = play(move |listener| {
            end(Peer::agree(listener));
            Peer::agree(listener).close(1000);
        });
        let failed = Dialer::new(&stage.url, reconnecting(1), |_, _| {}).run();
        assert_eq!(failed.len(), 1, "{n}: {failed:?}");
        assert!(failed[0].retry_in.is_some(), "{n}");
    }
}

#[test]
fn a_close_of_this_side_is_final_whenever_it_is_asked_for() {
    let ways: [fn(&rushwire::Socket); 2] = [|socket| socket.close(), |socket| socket.terminate()];
    for way in ways {
        let stage = play(|listener| {
            let mut peer = Peer::agree(listener);
            if peer.next().is_some() {
                peer.send(unmasked(0x88, &1000_u16.to_be_bytes()));
            }
        });
        let dialer = Dialer::new(&stage.url, reconnecting(9), move |socket, _| way(socket));
        assert_eq!(dialer.run(), []);
    }
}

#[test]
fn a_close_of_this_side_is_final_although_nobody_answers_it() {
    let ways: [fn(&Dialer); 2] = [
        |dialer| dialer.connection.socket().expect("it is open").close(),
        |dialer| _ = dialer.connection.close(),
    ];
    for way in ways {
        let stage = play(|listener| Peer::agree(listener).wait_for_the_end());
        let impatient = Options {
            close_timeout: Duration::from_millis(50),
            ..Options::default()
        };
        let mut dialer = Dialer::with(impatient, &stage.url, reconnecting(9), |_, _| {});
        dialer.run_until("it is open", |this| this.connection.socket().is_some());
        way(&dialer);
        assert_eq!(dialer.run(), []);
    }
}

#[test]
fn an_answer_that_will_be_the_same_the_next_time_is_not_asked_for_again() {
    for (answer, again) in [
        ("401 Unauthorized\r\n", false),
        ("404 Not Found\r\n", false),
        ("302 Found\r\nLocation: /\r\n", false),
        ("500 Oh\r\n", true),
        ("503 Busy\r\n", true),
        ("429 Slow Down\r\n", true),
        ("408 Too Late\r\n", true),
        ("425 Too Early\r\n", true),
        ("101 Yes\r\n", false),
    ] {
        let stage = say(format!("HTTP/1.1 {answer}Content-Length: 0\r\n\r\n"));
        let mut dialer = Dialer::new(&stage.url, reconnecting(9), never);
        dialer.run_until("it fails", |this| !this.failed.borrow().is_empty());
        let retry = dialer.failed.borrow()[0].retry_in.is_some();
        assert_eq!(
            (retry, dialer.connection.is_over()),
            (again, !again),
            "{answer}"
        );
        dialer.connection.close();
        dialer.run();
    }
}

#[test]
fn who_does_not_answer_in_time_is_asked_again() {
    let stage = play(|listener| Peer::accept(listener).wait_for_the_end());
    let options = ConnectOptions {
        handshake_timeout: Duration::from_millis(50),
        ..reconnecting(9)
    };
    let mut dialer = Dialer::new(&stage.url, options, never);
    dialer.run_until("it fails", |this| !this.failed.borrow().is_empty());
    let first = dialer.failed.borrow()[0].clone();
    assert_eq!(first.error, ConnectError::TimedOut);
    assert!(first.retry_in.is_some() && !dialer.connection.is_over());
    dialer.connection.close();
}

#[test]
fn a_server_that_says_how_long_is_left_alone_so_long() {
    for (value, seconds) in [
        ("7", 7),
        ("18446744073709551615", 3600),
        ("soon", 0),
        ("-1", 0),
    ] {
        let text =
            format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        let stage = say(text);
        let mut dialer = Dialer::new(&stage.url, reconnecting(9), never);
        dialer.run_until("it fails", |this| !this.failed.borrow().is_empty());
        let wait = dialer.failed.borrow()[0].retry_in.expect("again");
        assert_eq!(wait.as_secs(), seconds, "{value}");
        dialer.connection.close();
        dialer.run();
    }
}

#[test]
fn a_connection_that_was_stable_begins_with_the_first_wait_again() {
    for (stable, second) in [
        (Duration::ZERO, 10..=20),
        (Duration::from_secs(60), 20..=40),
    ] {
        let stage = play(|listener| {
            drop(Peer::agree(listener));
            drop(Peer::agree(listener));
            Peer::agree(listener).close(1000);
        });
        let mut options = reconnecting(9);
        let reconnect = options.reconnect.expect("set");
        options.reconnect = Some(Reconnect {
            stable,
            ..reconnect
        });
        let failed = Dialer::new(&stage.url, options, |_, _| {}).run();
        let waits: Vec<_> = failed.iter().filter_map(|failed| failed.retry_in).collect();
        assert_eq!(waits.len(), 2, "{failed:?}");
        assert!(
            second.contains(&waits[1].as_millis()),
            "{stable:?}: {waits:?}"
        );
    }
}

#[test]
fn a_listener_for_the_close_may_close_for_good_what_would_be_tried_again() {
    let stage = play(|listener| drop(Peer::agree(listener)));
    let over: Rc<RefCell<Option<rushwire::Connection>>> = Rc::default();
    let held = Rc::clone(&over);
    let dialer = Dialer::new(&stage.url, reconnecting(9), move |socket, _| {
        let held = Rc::clone(&held);
        socket.on(event::Close, move |_, _| {
            let connection = held.borrow_mut().take();
            assert_eq!(connection.expect("held").close(), 0);
        });
    });
    *over.borrow_mut() = Some(dialer.connection.clone());
    assert_eq!(dialer.run(), []);
}
