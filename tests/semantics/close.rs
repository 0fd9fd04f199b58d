//! 10. `close()`: codes and reasons.

use std::sync::mpsc::channel;

use crate::common::client::{CLOSE, close_payload};
use crate::common::{PATIENCE, Server, serve};
use rushwire::{CloseCode, InvalidCloseCode, SendStatus, Socket, event};

/// Does `act` to each socket as soon as it is open.
fn serve_doing(act: impl Fn(&Socket) + Send + 'static) -> Server {
    serve(move |app| _ = app.ws("/", move |socket, _| act(socket)))
}

#[test]
fn close_is_1000_with_no_reason() {
    let server = serve_doing(Socket::close);
    let mut client = server.connect("/");
    let frame = client.next().expect("a close frame");
    assert_eq!(
        (frame.opcode, frame.payload),
        (CLOSE, close_payload(1000, ""))
    );
    client.send_close(1000, "");
    client.expect_end();
}

#[test]
fn only_codes_that_may_be_sent_are() {
    let (sender, results) = channel();
    let server = serve_doing(move |socket| {
        for code in 0..=u16::MAX {
            let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !allowed {
                sender
                    .send((code, socket.close_with(code, "no")))
                    .expect("the test waits");
                assert!(socket.is_open(), "a refused code changes nothing");
            }
        }
        socket.send("still open");
    });
    let mut client = server.connect("/");
    assert_eq!(client.text(), "still open");
    let refused: Vec<_> = results.try_iter().collect();
    assert_eq!(refused.len(), 65_536 - 4 - 8 - 2_000);
    for (code, result) in refused {
        assert_eq!(result, Err(InvalidCloseCode(CloseCode(code))));
    }
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999,
    ] {
        let server =
            serve_doing(move |socket| socket.close_with(code, "reason").expect("a good code"));
        let mut client = server.connect("/");
        assert_eq!(client.closed(), (code, "reason".to_owned()));
        client.send_close(code, "");
        client.expect_end();
    }
}

#[test]
fn a_reason_is_cut_to_123_bytes_on_a_character_boundary() {
    #[rustfmt::skip]
    let table = [
        ("it fits",               "x".repeat(123),                   123),
        ("one byte too long",     "x".repeat(124),                   123),
        ("very long",             "x".repeat(100_000),               123),
        ("two bytes each",        "é".repeat(70),                    122),
        ("four bytes each",       "😀".repeat(40),                   120),
        ("one, then four each",   format!("x{}", "😀".repeat(40)),   121),
        ("three, then four each", format!("xxx{}", "😀".repeat(40)), 123),
    ];
    for (name, reason, expected) in table {
        let said = reason.clone();
        let server =
            serve_doing(move |socket| socket.close_with(4_000, &said).expect("a good code"));
        let (code, heard) = server.connect("/").closed();
        assert_eq!((code, heard.len()), (4000, expected), "{name}");
        assert!(reason.starts_with(&heard), "{name}");
    }
}

#[test]
fn nothing_is_sent_or_joined_after_close_and_the_first_close_counts() {
    let (sender, results) = channel();
    let server = serve_doing(move |socket| {
        socket.send("before");
        socket.close_with(4_001, "first").expect("a good code");
        socket.close_with(4_002, "second").expect("a good code");
        socket.close();
        sender
            .send((
                socket.send("after"),
                socket.join("room"),
                socket.ping(b"p"),
                socket.is_open(),
            ))
            .expect("the test waits");
    });
    let mut client = server.connect("/");
    assert_eq!(client.text(), "before");
    assert_eq!(client.closed(), (4001, "first".to_owned()));
    client.send_close(4001, "");
    client.expect_end();
    let result = results.recv_timeout(PATIENCE).expect("the handler ran");
    assert_eq!(
        result,
        (SendStatus::Closed, rushwire::Join::Closed, false, false)
    );
}

#[test]
fn no_message_is_heard_after_close() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| {
                socket.hub().ws_broadcast(message, Some("witnesses"));
                socket.close();
            });
        });
        app.ws("/witness", |socket, _| {
            socket.join("witnesses");
            socket.send("open");
        });
    });
    let mut witness = server.connect("/witness");
    assert_eq!(witness.text(), "open");
    let mut client = server.connect("/");
    let both = [
        crate::common::client::frame(true, 0, 1, b"one"),
        crate::common::client::frame(true, 0, 1, b"two"),
    ]
    .concat();
    client.send_raw(&both);
    client.send("three");
    assert_eq!(client.closed(), (1000, String::new()));
    client.send("four");
    client.send_close(1000, "");
    client.expect_end();
    assert_eq!(witness.text(), "one");
    server.ask(|hub| hub.ws_broadcast("last", None));
    assert_eq!(witness.text(), "last");
}
