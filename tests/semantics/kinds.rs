//! Text stays text and binary stays binary, whichever way a message goes.

use crate::common::client::{BINARY, TEXT};
use crate::common::serve;
use rushwire::{Message, OwnedMessage, Prepared, Socket, event};

type Way = fn(&Socket, Message<'_>);

const WAYS: [(&str, Way); 11] = [
    ("send", |socket, message| _ = socket.send(message)),
    ("send_prepared", |socket, message| {
        socket.send_prepared(&Prepared::new(message));
    }),
    ("kept and sent", |socket, message| {
        let owned = OwnedMessage::from(message);
        socket.send(&owned);
    }),
    ("broadcast", |socket, message| {
        for other in socket.hub().sockets() {
            if other.id() != socket.id() {
                other.broadcast("room", message);
            }
        }
    }),
    ("broadcast_all", |socket, message| {
        socket.broadcast_all("room", message);
    }),
    ("to, from another", |socket, message| {
        for other in socket.hub().sockets() {
            if other.id() != socket.id() {
                other.to("none").to("room").send(message);
            }
        }
    }),
    ("hub.to", |socket, message| {
        socket.hub().to("room").send(message);
    }),
    ("room", |socket, message| {
        socket.hub().room("room").send(message);
    }),
    ("ws_broadcast", |socket, message| {
        socket.hub().ws_broadcast(message, None);
    }),
    ("remote.send", |socket, message| {
        socket
            .hub()
            .remote()
            .send(socket.id(), message)
            .expect("the server runs");
    }),
    ("remote.broadcast", |socket, message| {
        socket
            .hub()
            .remote()
            .broadcast("room", message)
            .expect("the server runs");
    }),
];

#[test]
fn a_message_keeps_its_kind_whichever_way_it_goes() {
    let server = serve(|app| {
        app.ws("/witness", |_, _| {});
        app.ws("/:way", |socket, request| {
            let number: usize = request.param("way").parse().expect("a number");
            let (_, way) = WAYS[number];
            socket.join("room");
            socket.on(event::Message, way);
        });
    });
    let _witness = server.connect("/witness");
    server.wait_until("the witness is in", |hub| hub.len() == 1);
    let long = "gr\u{fc}\u{df}e ".repeat(20_000);
    let payloads: [&[u8]; 4] = [b"", b"text, it seems", b"\xFF\x00\xFE", long.as_bytes()];
    for (number, (name, _)) in WAYS.iter().enumerate() {
        let mut client = server.connect(&format!("/{number}"));
        for payload in payloads {
            for opcode in [TEXT, BINARY] {
                if opcode == TEXT && std::str::from_utf8(payload).is_err() {
                    continue;
                }
                client.send_frame(true, 0, opcode, payload);
                let frame = client.recv();
                assert_eq!(frame.opcode, opcode, "{name}");
                assert!(frame.payload == payload, "{name}");
            }
        }
        drop(client);
        server.wait_until("it is gone", |hub| hub.len() == 1);
    }
}
