//! The opening handshake of a server that agrees (RFC 6455 §4.1).

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use rushwire::{Client, ConnectError, ConnectOptions, SendStatus, event};

use crate::common::NEVER;
use crate::peer::{Peer, play, unmasked};
use crate::{Dialer, never};

#[test]
fn the_request_says_what_it_must_and_what_the_options_add() {
    let stage = play(|listener| {
        let peer = Peer::accept(listener);
        let address = listener.local_addr().expect("address").to_string();
        assert!(peer.request.starts_with("GET /path?query HTTP/1.1\r\n"));
        let expected = [
            ("Host", Some(&*address)),
            ("Upgrade", Some("websocket")),
            ("Connection", Some("Upgrade")),
            ("Sec-WebSocket-Version", Some("13")),
            ("Sec-WebSocket-Protocol", Some("chat.v2, chat.v1")),
            ("Authorization", Some("Bearer secret")),
            ("Origin", Some("http://here")),
            ("Sec-WebSocket-Extensions", None),
            ("Content-Length", None),
        ];
        for (name, value) in expected {
            assert_eq!(peer.header(name), value, "{name}");
        }
        let key = peer.header("Sec-WebSocket-Key").expect("a key");
        assert!(key.len() == 24 && key.ends_with("=="), "{key}");
    });
    let options = ConnectOptions {
        headers: vec![
            ("Authorization".into(), "Bearer secret".into()),
            ("Origin".into(), "http://here".into()),
        ],
        subprotocols: vec!["chat.v2".into(), "chat.v1".into()],
        ..ConnectOptions::default()
    };
    let error = Dialer::new(&stage.url, options, never).error();
    assert!(matches!(error, ConnectError::Io(..)), "{error:?}");
}

#[test]
fn no_two_requests_have_the_same_key() {
    let stage = play(|listener| {
        let mut keys = HashSet::new();
        for _ in 0..20 {
            let peer = Peer::accept(listener);
            keys.insert(peer.header("Sec-WebSocket-Key").expect("a key").to_owned());
        }
        assert_eq!(keys.len(), 20);
    });
    for _ in 0..20 {
        Dialer::new(&stage.url, ConnectOptions::default(), never).error();
    }
}

#[test]
fn the_handler_sees_the_answer_and_the_socket_what_was_agreed_on() {
    let stage = play(|listener| {
        let mut peer = Peer::accept(listener);
        let answer = peer.agreement("Sec-WebSocket-Protocol: b\r\nX-Served-By: me\r\n");
        peer.send(answer);
        peer.close(1000);
    });
    let options = ConnectOptions {
        subprotocols: vec!["a".into(), "b".into()],
        ..ConnectOptions::default()
    };
    let address = stage.addr;
    let seen = Rc::new(RefCell::new(0));
    let count = Rc::clone(&seen);
    let dialer = Dialer::new(&stage.url, options, move |socket, answer| {
        *count.borrow_mut() += 1;
        assert_eq!(
            (answer.status, answer.header("x-served-by")),
            (101, Some("me"))
        );
        assert_eq!(socket.protocol().as_deref(), Some("b"));
        assert_eq!(socket.url(), "/path?query");
        assert_eq!(socket.remote_addr(), Some(address));
    });
    assert_eq!(dialer.run(), []);
    assert_eq!(*seen.borrow(), 1);
}

/// What an echo of each message gives, when the answer and two messages come in pieces of `size`.
fn hear_in_pieces(size: usize) -> Vec<String> {
    let stage = play(move |listener| {
        let mut peer = Peer::accept(listener);
        let mut bytes = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".to_vec();
        bytes.extend(peer.agreement(""));
        bytes.extend(unmasked(0x81, b"glued"));
        bytes.extend(unmasked(0x01, b"cut "));
        bytes.extend(unmasked(0x80, "in twö".as_bytes()));
        bytes.extend(unmasked(0x88, &1000_u16.to_be_bytes()));
        bytes.chunks(size).for_each(|piece| peer.send(piece));
        assert_eq!(peer.close_code(), 1000);
    });
    let heard = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&heard);
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
        let note = Rc::clone(&note);
        socket.on(event::Message, move |_, message| {
            note.borrow_mut()
                .push(message.as_text().expect("text").to_owned());
        });
    });
    assert_eq!(dialer.run(), []);
    heard.take()
}

#[test]
fn what_comes_behind_the_answer_is_heard_however_it_is_cut() {
    for size in [1, 2, 3, 7, 64, usize::MAX] {
        assert_eq!(hear_in_pieces(size), ["glued", "cut in twö"], "{size}");
    }
}

#[test]
fn a_name_is_looked_up_and_all_its_addresses_are_tried() {
    // Where it has an address of IPv6 as well, nobody listens there.
    let stage = play(|listener| Peer::agree(listener).close(1000));
    let url = stage.url.replace("127.0.0.1", "localhost");
    let dialer = Dialer::new(&url, ConnectOptions::default(), |_, _| {});
    assert_eq!(dialer.run(), []);
}

#[test]
fn who_has_no_address_and_who_does_not_listen_are_errors_of_the_system() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = nobody.local_addr().expect("address").port();
    drop(nobody);
    for (host, expected) in [
        ("127.0.0.1", Some(ErrorKind::ConnectionRefused)),
        ("name.invalid", None),
    ] {
        let url = format!("ws://{host}:{port}/");
        match Dialer::new(&url, ConnectOptions::default(), never).error() {
            ConnectError::Io(kind, _) => assert_eq!(kind, expected.unwrap_or(kind)),
            error => panic!("{host}: {error:?}"),
        }
    }
}

#[test]
fn who_does_not_answer_the_connection_is_given_up_in_time() {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = deaf.local_addr().expect("address");
    let mut waiting = Vec::new();
    // A listener whose queue is full answers nobody.
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue never fills");
    }
    let options = ConnectOptions {
        connect_timeout: Duration::from_millis(100),
        handshake_timeout: NEVER,
        ..ConnectOptions::default()
    };
    let error = Dialer::new(&format!("ws://{address}/"), options, never).error();
    assert_eq!(error, ConnectError::TimedOut);
}

#[test]
fn who_does_not_answer_the_request_is_given_up_however_busy_it_seems() {
    let stage = play(|listener| {
        let mut peer = Peer::accept(listener);
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nX: "
            .iter()
            .chain([b'x'; 5000].iter())
        {
            peer.send([*byte]);
            std::thread::sleep(Duration::from_millis(1));
            if peer.stream.peek(&mut [0]).is_ok_and(|n| n == 0) {
                return;
            }
        }
        panic!("the client never leaves");
    });
    let options = ConnectOptions {
        handshake_timeout: Duration::from_millis(200),
        connect_timeout: NEVER,
        ..ConnectOptions::default()
    };
    let error = Dialer::new(&stage.url, options, never).error();
    assert_eq!(error, ConnectError::TimedOut);
}

#[test]
fn what_cannot_be_connected_to_or_sent_is_an_error_at_once_that_quotes_it() {
    let client = Client::new().expect("a client");
    let with = |name: &str, value: &str| ConnectOptions {
        headers: vec![(name.into(), value.into())],
        ..ConnectOptions::default()
    };
    let table = [
        ("http://a/", ConnectOptions::default(), "http://a/"),
        ("ws://a/#b", ConnectOptions::default(), "ws://a/#b"),
        ("ws://a/\r\nX: y", ConnectOptions::default(), "X: y"),
        ("ws://a/", with("X Y", "z"), "X Y"),
        ("ws://a/", with("X", "a\r\nb: c"), "X"),
        ("ws://a/", with("host", "b"), "host"),
        (
            "ws://a/",
            ConnectOptions {
                subprotocols: vec!["a, b".into()],
                ..ConnectOptions::default()
            },
            "a, b",
        ),
    ];
    for (url, options, quoted) in table {
        let error = client.connect(url, options, never).expect_err(url);
        let text = error.to_string();
        assert!(text.contains(quoted), "{url}: {text}");
    }
    assert!(client.is_done());
}

#[test]
fn what_is_sent_before_there_is_a_socket_comes_first_and_in_order() {
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        let texts = [peer.text(), peer.text(), peer.text()];
        assert_eq!(texts, ["from the handler", "early", "also early"]);
        peer.expect_close(1000);
    });
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), |socket, _| {
        socket.send("from the handler");
    });
    for text in ["early", "also early"] {
        assert_eq!(dialer.connection.send(text), SendStatus::Queued);
    }
    assert_eq!(dialer.connection.unsent(), 2);
    let mut dialer = dialer;
    dialer.run_until("all is sent", |this| this.connection.unsent() == 0);
    assert_eq!(dialer.connection.close(), 0);
    assert_eq!(dialer.run(), []);
}
