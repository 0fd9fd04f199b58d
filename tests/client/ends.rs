//! How a connection of the client ends, and what is left of it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use rushwire::{ConnectError, ConnectOptions, Gone, OwnedMessage, SendStatus, event};

use crate::peer::{Peer, play, unmasked};
use crate::{Dialer, never};

#[test]
fn the_server_closes_the_connection_first_whoever_began() {
    for client_begins in [false, true] {
        let stage = play(move |listener| {
            let mut peer = Peer::agree(listener);
            if !client_begins {
                peer.send(unmasked(0x88, &1000_u16.to_be_bytes()));
            }
            assert_eq!(peer.close_code(), 1000);
            if client_begins {
                peer.send(unmasked(0x88, &1000_u16.to_be_bytes()));
            }
            // RFC 6455 §7.1.1: so that TIME_WAIT is the server's.
            peer.expect_silence(Duration::from_millis(200));
            peer.finish();
            assert_eq!(peer.next(), None);
        });
        let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
            if client_begins {
                socket.close();
            }
        });
        assert_eq!(dialer.run(), [], "{client_begins}");
    }
}

#[test]
fn a_server_that_never_closes_is_left_in_the_end() {
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        peer.send(unmasked(0x88, &1000_u16.to_be_bytes()));
        assert_eq!(peer.close_code(), 1000);
        assert_eq!(peer.next(), None);
    });
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), |_, _| {});
    assert_eq!(dialer.run(), []);
}

/// How often the handler and the close listener run when the server leaves after `sent` bytes of its
/// answer and a message, with RST or FIN.
fn leave_after(sent: usize, reset: bool) -> (usize, usize, Vec<ConnectError>) {
    let stage = play(move |listener| {
        // What is not read makes the end a RST.
        let mut peer = match reset {
            true => Peer::accept_up_to(listener, "Sec-WebSocket-Version"),
            false => Peer::accept(listener),
        };
        let mut bytes = peer.agreement("");
        bytes.extend(unmasked(0x81, b"a message that may be cut"));
        peer.send(bytes.get(..sent).unwrap_or(&bytes));
    });
    let (opened, closed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (open, close) = (Rc::clone(&opened), Rc::clone(&closed));
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
        open.set(open.get() + 1);
        let close = Rc::clone(&close);
        socket.on(event::Close, move |_, _| close.set(close.get() + 1));
    });
    let failed = dialer.run().into_iter().map(|failed| failed.error);
    (opened.get(), closed.get(), failed.collect())
}

#[test]
fn a_server_that_leaves_anywhere_is_told_exactly_once() {
    for reset in [false, true] {
        for sent in 0..170 {
            let (opened, closed, failed) = leave_after(sent, reset);
            let told = match opened {
                0 => failed.len(),
                _ => closed,
            };
            assert_eq!(told, 1, "{sent} {reset}: {opened} {closed} {failed:?}");
            assert_eq!(opened, closed, "{sent} {reset}");
        }
        // The head has about 130 bytes.
        assert_eq!(leave_after(20, reset).0, 0);
    }
    assert_eq!(leave_after(170, false).0, 1);
}

#[test]
fn a_handler_that_panics_ends_its_socket_with_1011() {
    let stage = play(|listener| Peer::agree(listener).expect_close(1011));
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), |_, _| panic!("oh"));
    assert_eq!(dialer.run(), []);
}

#[test]
fn a_listener_for_errors_that_panics_disturbs_nothing() {
    let stage = play(|listener| drop(Peer::accept(listener)));
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), never);
    dialer.connection.on_error(|_| panic!("oh"));
    assert_eq!(dialer.run(), []);
}

#[test]
fn closing_gives_up_before_anything_was_tried() {
    let stage = play(|listener| {
        listener.set_nonblocking(true).expect("set");
        let nobody = listener.accept().map_err(|e| e.kind());
        assert_eq!(nobody.err(), Some(std::io::ErrorKind::WouldBlock));
    });
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), never);
    dialer.connection.send("kept");
    assert_eq!(dialer.connection.close(), 1);
    assert!(dialer.connection.is_over());
    assert_eq!(dialer.connection.send("late"), SendStatus::Closed);
    assert_eq!(dialer.run(), []);
}

#[test]
fn closing_gives_up_amid_the_handshake() {
    let (sender, receiver) = mpsc::channel();
    let stage = play(move |listener| {
        let mut peer = Peer::accept(listener);
        sender.send(()).expect("the test waits");
        peer.wait_for_the_end();
    });
    // Neither side waits for a time-out.
    let options = ConnectOptions {
        handshake_timeout: Duration::from_secs(3_600),
        ..ConnectOptions::default()
    };
    let mut dialer = Dialer::new(&stage.url, options, never);
    dialer.run_until("the request is there", |_| receiver.try_recv().is_ok());
    assert_eq!(dialer.connection.close(), 0);
    assert_eq!(dialer.run(), []);
}

#[test]
fn another_thread_sends_and_closes() {
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        assert_eq!([peer.text(), peer.text()], ["one", "two"]);
        peer.expect_close(1000);
    });
    let mut dialer = Dialer::new(&stage.url, ConnectOptions::default(), |_, _| {});
    dialer.run_until("there is a socket", |this| {
        this.connection.socket().is_some()
    });
    let remote = dialer.connection.remote();
    let text = |text: &str| OwnedMessage::Text(text.into());
    let other = std::thread::spawn(move || {
        remote.send(text("one")).expect("it is there");
        remote.send(text("two")).expect("it is there");
        remote.close().expect("it is there");
        remote
    });
    let remote = other.join().expect("the other thread");
    assert_eq!(dialer.run(), []);
    assert_eq!(remote.send(text("late")), Err(Gone));
    assert_eq!(remote.close(), Err(Gone));
}
