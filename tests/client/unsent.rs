//! Messages for which there is no connection: kept for the next one, refused, or told of.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use rushwire::{CloseCode, ConnectError, ConnectOptions, OwnedMessage, ReadyState, SendStatus};

use crate::common::NEVER;
use crate::peer::{Peer, Stage, play, say, unmasked};
use crate::reconnect::{reconnecting, waiting};
use crate::{Dialer, never};

/// A server that says 1001 and leaves when it is told to, and a client that has heard it; the server's
/// next client is played by `next`.
fn leaving(next: fn(&TcpListener)) -> (Dialer, mpsc::Sender<()>, Stage) {
    let (leave, told) = mpsc::channel();
    let stage = play(move |listener| {
        let mut peer = Peer::agree(listener);
        peer.send(unmasked(0x88, &1001_u16.to_be_bytes()));
        assert_eq!(peer.close_code(), 1001);
        told.recv().expect("the test says so");
        drop(peer);
        next(listener);
    });
    let mut dialer = Dialer::new(&stage.url, reconnecting(9), |_, _| {});
    dialer.run_until("the server says goodbye", |this| {
        let socket = this.connection.socket();
        socket.is_some_and(|socket| socket.ready_state() == ReadyState::Closing)
    });
    (dialer, leave, stage)
}

#[test]
fn what_is_sent_while_the_server_leaves_waits_for_the_next_connection() {
    let (dialer, leave, _stage) = leaving(|listener| {
        let mut next = Peer::agree(listener);
        assert_eq!(next.text(), "for the next");
        next.close(1000);
    });
    assert_eq!(dialer.connection.send("for the next"), SendStatus::Queued);
    leave.send(()).expect("it waits");
    let failed = dialer.run();
    let unsent: Vec<_> = failed.iter().map(|failed| failed.unsent).collect();
    assert_eq!(unsent, [0], "{failed:?}");
}

#[test]
fn who_is_given_up_while_the_server_leaves_is_not_looked_for_again() {
    let (mut dialer, leave, _stage) = leaving(|_| {});
    let socket = dialer.connection.socket().expect("it is closing");
    assert_eq!(dialer.connection.close(), 0);
    leave.send(()).expect("it waits");
    dialer.run_until("it has gone", |_| {
        socket.ready_state() == ReadyState::Closed
    });
    assert!(dialer.connection.is_over());
    assert_eq!(dialer.run(), []);
}

#[test]
fn a_server_that_leaves_while_the_client_shuts_down_is_not_looked_for_again() {
    let (mut dialer, leave, _stage) = leaving(|_| {});
    dialer.client.hub().shutdown(NEVER);
    dialer.client.turn(Some(Duration::ZERO)).expect("a turn");
    assert_eq!(dialer.connection.send("too late"), SendStatus::Closed);
    leave.send(()).expect("it waits");
    assert_eq!(dialer.run(), []);
}

#[test]
fn what_another_thread_gives_up_is_told_here() {
    let stage = play(|listener| drop(Peer::agree(listener)));
    let mut dialer = Dialer::new(&stage.url, waiting(), |_, _| {});
    dialer.run_until("it waits", |this| !this.failed.borrow().is_empty());
    let remote = dialer.connection.remote();
    let other = std::thread::spawn(move || {
        let message = OwnedMessage::Text("never sent".into());
        remote.send(message).and_then(|()| remote.close())
    });
    assert_eq!(other.join().expect("the other thread"), Ok(()));
    let failed = dialer.run();
    let closed = ConnectError::Closed(CloseCode::NORMAL, String::new());
    let told: Vec<_> = failed[1..]
        .iter()
        .map(|it| (&it.error, it.unsent))
        .collect();
    assert_eq!(told, [(&closed, 1)]);
}

#[test]
fn messages_are_kept_up_to_the_limit_and_refused_beyond_it() {
    let stage = say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    let options = ConnectOptions {
        max_unsent: 10,
        ..reconnecting(0)
    };
    let dialer = Dialer::new(&stage.url, options, never);
    let sent = ["12345", "123456", "12345", "", "1"].map(|text| dialer.connection.send(text));
    use SendStatus::{Dropped, Queued};
    assert_eq!(sent, [Queued, Dropped, Queued, Queued, Dropped]);
    assert_eq!(dialer.connection.unsent(), 3);
    let failed = dialer.run();
    assert_eq!(failed.last().map(|failed| failed.unsent), Some(3));
}

#[test]
fn a_client_that_shuts_down_tells_what_was_never_sent() {
    let stage = play(|listener| drop(Peer::accept(listener)));
    let mut dialer = Dialer::new(&stage.url, waiting(), never);
    dialer.run_until("it waits", |this| !this.failed.borrow().is_empty());
    dialer.connection.send("never sent");
    dialer.client.hub().shutdown(Duration::from_secs(1));
    let failed = dialer.run();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[1].error, ConnectError::Shutdown);
    assert_eq!((failed[1].retry_in, failed[1].unsent), (None, 1));
}

#[test]
fn a_client_that_is_dropped_tells_it_too() {
    let stage = play(|listener| drop(Peer::agree(listener)));
    let mut dialer = Dialer::new(&stage.url, reconnecting(9), |_, _| {});
    dialer.run_until("it was there", |this| !this.failed.borrow().is_empty());
    dialer.connection.send("never sent");
    let failed = Rc::clone(&dialer.failed);
    let connection = dialer.connection.clone();
    drop(dialer);
    assert!(connection.is_over());
    let last: Option<(ConnectError, usize)> = failed
        .borrow()
        .last()
        .map(|failed| (failed.error.clone(), failed.unsent));
    assert_eq!(last, Some((ConnectError::Shutdown, 1)));
}
