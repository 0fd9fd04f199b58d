//! How a connection of the client ends, and what is left of it.

use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use rushwire::{
    Client, CloseCode, ConnectError, ConnectOptions, Gone, Hub, OwnedMessage, SendStatus, Socket,
    event,
};

use crate::common::PATIENCE;
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
        let (opened, _, failed) = leave_after(20, reset);
        let [ConnectError::Io(kind, _)] = failed[..] else {
            panic!("{failed:?}");
        };
        let is_named = match reset {
            true => matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            false => kind == ErrorKind::UnexpectedEof,
        };
        assert!(opened == 0 && is_named, "{reset}: {kind}");
    }
    assert_eq!(leave_after(170, false).0, 1);
}

#[test]
fn a_client_runs_until_all_its_connections_are_over() {
    let stages = [1000, 1001].map(|code| play(move |listener| Peer::agree(listener).close(code)));
    let mut client = Client::new().expect("a client");
    let closed = Rc::new(Cell::new(0));
    for stage in &stages {
        let closed = Rc::clone(&closed);
        let connected = client.connect(&stage.url, ConnectOptions::default(), move |socket, _| {
            let closed = Rc::clone(&closed);
            socket.on(event::Close, move |_, _| closed.set(closed.get() + 1));
        });
        connected.expect("a connection");
    }
    client.run().expect("it runs");
    assert!(client.is_done());
    assert_eq!(closed.get(), 2);
}

#[test]
fn a_handler_that_panics_ends_its_socket_with_1011() {
    let stage = play(|listener| Peer::agree(listener).expect_close(1011));
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), |_, _| panic!("oh"));
    assert_eq!(dialer.run(), []);
}

/// What is told when a message waits for a socket with which `handler` is done at once.
fn wait_for(code: u16, handler: fn(&Socket)) -> Vec<(ConnectError, usize)> {
    let stage = play(move |listener| Peer::agree(listener).expect_close(code));
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
        handler(socket);
    });
    assert_eq!(dialer.connection.send("never sent"), SendStatus::Queued);
    let failed = dialer.run().into_iter();
    failed.map(|failed| (failed.error, failed.unsent)).collect()
}

#[test]
fn what_waits_for_a_socket_that_its_handler_ends_is_not_sent_but_told() {
    let closed = ConnectError::Closed(CloseCode::NORMAL, String::new());
    assert_eq!(wait_for(1000, Socket::close), [(closed, 1)]);
    let told = wait_for(1011, |_| panic!("oh"));
    assert!(
        matches!(&told[..], [(ConnectError::Closed(code, _), 1)] if code.0 == 1011),
        "{told:?}"
    );
}

#[test]
fn nothing_is_accepted_for_a_socket_that_closes_and_will_have_no_other() {
    let stage = play(|listener| Peer::agree(listener).expect_close(1000));
    let mut dialer = Dialer::new(&stage.url, ConnectOptions::default(), |_, _| {});
    dialer.run_until("there is a socket", |this| {
        this.connection.socket().is_some()
    });
    dialer.connection.socket().expect("it is there").close();
    assert_eq!(dialer.connection.send("too late"), SendStatus::Closed);
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
        assert_eq!(nobody.err(), Some(ErrorKind::WouldBlock));
    });
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), never);
    dialer.connection.send("kept");
    assert_eq!(dialer.connection.close(), 1);
    assert!(dialer.connection.is_over());
    assert_eq!(dialer.connection.send("late"), SendStatus::Closed);
    assert_eq!(dialer.run(), []);
}

#[test]
fn closing_gives_up_what_has_an_address_and_is_not_begun_yet() {
    let stage = play(|listener| {
        listener.set_nonblocking(true).expect("set");
        // The system may have connected it, but nothing is said.
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false).expect("set");
            stream.set_read_timeout(Some(PATIENCE)).expect("set");
            assert_eq!(stream.read(&mut [0]).expect("it ends"), 0);
        }
    });
    let mut dialer = Dialer::new(&stage.url, ConnectOptions::default(), never);
    let connection = dialer.connection.clone();
    // Behind the timer with which it begins, and before the reactor takes what that has left for it.
    let close = move |_: &Hub| assert_eq!(connection.close(), 0);
    dialer.client.hub().set_timeout(Duration::ZERO, close);
    dialer.run_until("it is over", |this| this.connection.is_over());
    assert!(dialer.client.is_done() && dialer.connection.is_over());
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
