//! Connections that the application makes, of which the test is the other end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Received, TestServer};
use rushwire::{
    App, ConnectError, ConnectOptions, Connection, Failed, Reconnect, SendStatus, event,
};

use super::{Journal, SECOND};

/// What `connect` is told of failures.
type Failures = Rc<RefCell<Vec<Failed>>>;

/// A server with nothing but a connection to `url`, whose socket notes what it hears.
fn connecting(url: &str, options: ConnectOptions) -> (TestServer, Connection, Journal, Failures) {
    let journal = Journal::default();
    let app = App::new();
    let noting = journal.clone();
    let connection = app.hub().connect(url, options, move |socket, answer| {
        noting.note(format!("open {}", answer.status));
        noting.watch(socket);
        let heard = noting.clone();
        socket.on(event::Message, move |_, message| {
            heard.note(message.as_text().unwrap_or("binary"));
        });
    });
    let connection = connection.expect("it is a URL");
    let failures = Failures::default();
    let told = Rc::clone(&failures);
    connection.on_error(move |failed| told.borrow_mut().push(failed.clone()));
    let test = TestServer::new(app).expect("nothing is wrong with it");
    (test, connection, journal, failures)
}

fn reconnecting() -> ConnectOptions {
    ConnectOptions {
        reconnect: Some(Reconnect {
            first: SECOND,
            longest: 4 * SECOND,
            ..Reconnect::default()
        }),
        ..ConnectOptions::default()
    }
}

#[test]
fn the_test_is_the_server_that_it_connects_to_and_both_say_what_they_like() {
    let mut options = ConnectOptions::default();
    options.subprotocols.push("v1".to_owned());
    let (test, connection, journal, failures) =
        connecting("ws://feed.example:81/prices?of=all", options);
    assert_eq!(connection.send("first"), SendStatus::Queued);
    let dialed = test.dialed().expect("it connects");
    assert_eq!(dialed.address(), ([127, 0, 0, 1], 81).into());
    assert_eq!(dialed.target(), "/prices?of=all");
    assert_eq!(dialed.header("Host"), Some("feed.example:81"));
    assert_eq!(dialed.header("sec-websocket-protocol"), Some("v1"));
    let mut server = dialed.accept_with(&[("Sec-WebSocket-Protocol", "v1")]);
    assert_eq!(server.protocol().as_deref(), Some("v1"));
    assert_eq!(server.text(), "first");
    server.send("to all");
    server.ping(b"there?");
    assert_eq!(server.recv(), Some(Received::Pong(b"there?".to_vec())));
    server.close_with(4001, "enough");
    assert_eq!(server.closed().0, 4001);
    assert!(server.is_ended());
    assert_eq!(journal.take()[..2], ["open 101", "to all"]);
    assert!(
        connection.is_over() && failures.take().is_empty(),
        "the socket was told"
    );
    assert!(test.dialed().is_none());
}

#[test]
fn in_its_time_it_is_tried_again_and_what_was_kept_meanwhile_comes_in_order() {
    let (test, connection, journal, failures) = connecting("ws://feed.example", reconnecting());
    test.dialed().expect("it connects").refuse(503);
    let clock = test.clock();
    for wait in [1, 2, 4, 4] {
        assert_eq!(
            connection.send(&format!("kept for {wait}")),
            SendStatus::Queued
        );
        clock.advance(SECOND * wait - Duration::from_millis(1));
        assert!(test.dialed().is_none(), "{wait} s are not over");
        clock.advance(Duration::from_millis(1));
        drop(test.dialed().expect("it tries again"));
    }
    clock.advance(4 * SECOND);
    let mut server = test.dialed().expect("it tries again").accept();
    let kept: Vec<_> = (0..4).map(|_| server.text()).collect();
    assert_eq!(
        kept,
        ["kept for 1", "kept for 2", "kept for 4", "kept for 4"]
    );
    assert_eq!(failures.borrow().len(), 5);
    assert_eq!(journal.take(), ["open 101"]);
    server.reset();
    clock.advance(10 * SECOND);
    assert!(test.dialed().is_some(), "and again");
}

#[test]
fn a_socket_hears_of_its_end_before_it_is_told_what_comes_of_it() {
    let (test, connection, journal, _) = connecting("ws://feed.example", reconnecting());
    let noting = journal.clone();
    connection.on_error(move |failed| noting.note(format!("again in {:?}", failed.retry_in)));
    drop(test.dialed().expect("it connects").accept());
    test.turn();
    let lines = journal.take();
    assert_eq!(lines.first().map(String::as_str), Some("open 101"));
    assert_eq!(lines.last().map(String::as_str), Some("again in Some(1s)"));
    assert!(lines[lines.len() - 2].starts_with("close"), "{lines:?}");
}

/// The network holds no whole request, and nobody has read on in time.
#[test]
fn behind_a_connection_that_was_given_up_the_next_one_is_found() {
    let options = ConnectOptions {
        connect_timeout: SECOND,
        ..reconnecting()
    };
    let (test, _connection, _journal, failures) = connecting("ws://feed.example", options);
    test.set_window(16);
    test.clock().advance(2 * SECOND);
    assert_eq!(failures.borrow().len(), 1);
    test.dialed().expect("it tries again").accept();
}

#[test]
fn whoever_does_not_answer_is_left_in_time() {
    let (test, connection, _journal, failures) =
        connecting("ws://[::1]/", ConnectOptions::default());
    let mut silent = test.dialed().expect("it connects").connection();
    test.clock()
        .advance(ConnectOptions::default().handshake_timeout);
    assert_eq!(silent.recv(), b"");
    assert!(silent.is_ended() && connection.is_over());
    assert_eq!(failures.borrow()[0].error, ConnectError::TimedOut);
}

#[test]
fn an_answer_that_is_none_is_told_as_what_it_is() {
    let (test, _connection, journal, failures) = connecting("ws://a/", ConnectOptions::default());
    let mut wrong = test.dialed().expect("it connects").connection();
    wrong.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    test.turn();
    assert!(journal.take().is_empty());
    let failed = failures.take();
    let [
        Failed {
            error: ConnectError::Refused(answer),
            ..
        },
    ] = &failed[..]
    else {
        panic!("{failed:?}");
    };
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"no"[..]));
}
