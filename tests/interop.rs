//! An independent client (tungstenite) and this server understand each other.
mod common;

use std::net::TcpStream;
use std::time::Duration;

use common::log::{Log, log};
use common::{Server, http, serve_with};
use rushwire::{Options, event};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Error, Message, WebSocket};

fn echo() -> (Server, Log) {
    let (pen, log) = log();
    let options = || Options {
        heartbeat: Duration::ZERO,
        subprotocols: vec!["chat.v2".into(), "chat.v1".into()],
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        app.ws("/echo", move |socket, _| {
            pen.watch("a", socket);
            socket.join("room");
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    });
    (server, log)
}

fn connect(server: &Server, protocols: Option<&str>) -> (WebSocket<TcpStream>, Option<String>) {
    let mut request = format!("ws://{}/echo", server.addr)
        .into_client_request()
        .expect("a request");
    if let Some(protocols) = protocols {
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            protocols.parse().expect("a value"),
        );
    }
    let (socket, answer) =
        tungstenite::client(request, http::connect(server.addr)).expect("the handshake");
    let protocol = answer.headers().get("Sec-WebSocket-Protocol");
    (
        socket,
        protocol.map(|value| value.to_str().expect("text").to_owned()),
    )
}

#[test]
fn messages_of_all_kinds_and_lengths_come_back() {
    let (server, _log) = echo();
    let (mut socket, _) = connect(&server, None);
    let lengths = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 65_537, 1 << 20];
    for len in lengths {
        let bytes: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
        let text: String = "aé漢😀".chars().cycle().take(len / 4).collect();
        for message in [Message::binary(bytes), Message::text(text)] {
            socket.send(message.clone()).expect("send");
            assert!(socket.read().expect("the echo") == message, "{len}");
        }
    }
}

#[test]
fn a_message_in_fragments_comes_back_whole() {
    let (server, _log) = echo();
    let (mut socket, _) = connect(&server, None);
    let parts = ["a ", "message ", "", "in five ", "parts"];
    for (index, part) in parts.iter().enumerate() {
        let opcode = if index == 0 {
            Data::Text
        } else {
            Data::Continue
        };
        let last = index == parts.len() - 1;
        socket
            .send(Message::Frame(Frame::message(
                *part,
                OpCode::Data(opcode),
                last,
            )))
            .expect("send");
        if !last {
            let ping = Message::Ping(part.as_bytes().to_vec().into());
            socket.send(ping).expect("ping");
            let pong = Message::Pong(part.as_bytes().to_vec().into());
            assert_eq!(
                socket.read().expect("the pong"),
                pong,
                "between the fragments"
            );
        }
    }
    assert_eq!(
        socket.read().expect("the echo"),
        Message::text(parts.concat())
    );
}

#[test]
fn pings_are_answered_both_ways() {
    let (server, log) = echo();
    let (mut socket, _) = connect(&server, None);
    socket
        .send(Message::Ping(vec![1, 2, 3].into()))
        .expect("ping");
    assert_eq!(
        socket.read().expect("the pong"),
        Message::Pong(vec![1, 2, 3].into())
    );
    let (sender, receiver) = std::sync::mpsc::channel();
    server.ask(move |hub| {
        let socket = &hub.sockets()[0];
        socket.on(event::Pong, move |_, payload| {
            drop(sender.send(payload.to_vec()))
        });
        assert!(socket.ping(b"to tungstenite"));
    });
    assert_eq!(
        socket.read().expect("the ping"),
        Message::Ping(b"to tungstenite".to_vec().into())
    );
    socket.flush().expect("the pong is sent");
    assert_eq!(
        receiver.recv_timeout(common::PATIENCE).expect("the pong"),
        b"to tungstenite"
    );
    drop(log);
}

#[test]
fn close_codes_and_reasons_arrive_when_the_client_begins() {
    let cases = [
        (Some((1000, "")), r#"a close 1000 "" Peer Requested 0"#),
        (
            Some((1001, "leaving")),
            r#"a close 1001 "leaving" Peer Requested 0"#,
        ),
        (
            Some((3000, "registered")),
            r#"a close 3000 "registered" Peer Requested 0"#,
        ),
        (
            Some((4999, "größe")),
            r#"a close 4999 "größe" Peer Requested 0"#,
        ),
        (None, r#"a close 1005 "" Peer Requested 0"#),
    ];
    for (close, told) in cases {
        let (server, log) = echo();
        let (mut socket, _) = connect(&server, None);
        let frame = close.map(|(code, reason)| CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        });
        socket.close(frame).expect("close");
        let answer = socket.read().expect("the answer");
        let Message::Close(answer) = answer else {
            panic!("{answer:?}")
        };
        // The same code, or 1000 for none.
        let code = close.map_or(1000, |(code, _)| code);
        assert_eq!(answer.map(|frame| u16::from(frame.code)), Some(code));
        assert!(
            matches!(socket.read(), Err(Error::ConnectionClosed)),
            "in good order"
        );
        assert_eq!(log.find("a close"), told);
    }
}

#[test]
fn close_codes_and_reasons_arrive_when_the_server_begins() {
    let cases = [
        (1000, ""),
        (1001, "away"),
        (1011, "trouble"),
        (3000, "größe"),
        (4999, "mine"),
    ];
    for (code, reason) in cases {
        let (server, log) = echo();
        let (mut socket, _) = connect(&server, None);
        server.wait_until("it is open", |hub| hub.len() == 1);
        server.ask(move |hub| {
            hub.sockets()[0]
                .close_with(code, reason)
                .expect("a good code")
        });
        let heard = socket.read().expect("the close frame");
        assert_eq!(
            heard,
            Message::Close(Some(CloseFrame {
                code: CloseCode::from(code),
                reason: reason.into()
            }))
        );
        assert!(
            matches!(socket.read(), Err(Error::ConnectionClosed)),
            "in good order"
        );
        assert_eq!(
            log.find("a close"),
            format!(r#"a close {code} {reason:?} Us Requested 0"#)
        );
    }
}

#[test]
fn the_first_subprotocol_of_ours_that_is_offered_is_agreed_on() {
    let (server, _log) = echo();
    let cases = [
        (Some("chat.v1, chat.v2"), Some("chat.v2")),
        (Some("other, chat.v1"), Some("chat.v1")),
        (None, None),
    ];
    for (offered, agreed) in cases {
        let (mut socket, protocol) = connect(&server, offered);
        assert_eq!(protocol.as_deref(), agreed, "{offered:?}");
        let told = server.ask(|hub| hub.sockets().last().and_then(rushwire::Socket::protocol));
        assert_eq!(told.as_deref(), agreed, "{offered:?}");
        socket.close(None).expect("close");
        while socket.read().is_ok() {}
        server.wait_until("it is gone", rushwire::Hub::is_empty);
    }
}

#[test]
fn a_broadcast_reaches_many_independent_clients() {
    let (server, _log) = echo();
    let mut sockets: Vec<_> = (0..20).map(|_| connect(&server, None).0).collect();
    server.wait_until("all are open", |hub| hub.len() == 20);
    let large = "x".repeat(100_000);
    let text = large.clone();
    assert_eq!(
        server.ask(move |hub| hub.to("room").send(&text) + hub.to("room").send("small")),
        40
    );
    for socket in &mut sockets {
        assert!(socket.read().expect("the first") == Message::text(large.clone()));
        assert_eq!(socket.read().expect("the second"), Message::text("small"));
    }
}
