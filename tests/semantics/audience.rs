//! 7. Audience: who hears a broadcast, once and in order.

use crate::common::client::{BINARY, TEXT};
use crate::common::{Client, Server, serve};
use rushwire::{ReadyState, event};

/// Each joins the rooms of its query and says "open"; a message `verb room` does that.
fn serve_rooms() -> Server {
    serve(|app| {
        app.ws("/", |socket, request| {
            request
                .query_all("in")
                .for_each(|room| _ = socket.join(room));
            socket.on(event::Message, |socket, message| {
                let (verb, room) = message
                    .as_text()
                    .and_then(|text| text.split_once(' '))
                    .expect("verb and room");
                let reached = match verb {
                    "broadcast" => socket.broadcast(room, "from one"),
                    "broadcast_all" => socket.broadcast_all(room, "from one"),
                    "ws_broadcast" => socket.hub().ws_broadcast("from one", Some(room)),
                    "everyone" => socket.hub().ws_broadcast("from one", None),
                    "to" => socket.to(room).to("b").send("from one"),
                    _ => panic!("{verb}?"),
                };
                socket.send(&format!("reached {reached}"));
            });
            socket.send("open");
        });
    })
}

fn join(server: &Server, rooms: &[&str]) -> Client {
    let query: Vec<String> = rooms.iter().map(|room| format!("in={room}")).collect();
    let mut client = server.connect(&format!("/?{}", query.join("&")));
    assert_eq!(client.text(), "open");
    client
}

/// What a client has heard so far: everything before a marker.
fn heard(server: &Server, client: &mut Client) -> Vec<String> {
    server.ask(|hub| {
        hub.sockets()
            .iter()
            .for_each(|socket| _ = socket.send("marker"))
    });
    std::iter::repeat_with(|| client.text())
        .take_while(|text| text != "marker")
        .collect()
}

/// The members: one in a, one in b, one in both, one in neither; the sender is in a or in nothing.
#[test]
fn each_kind_of_broadcast_reaches_whom_it_says_once() {
    #[rustfmt::skip]
    let table = [
        // sender in, what, reached; then a copy for: a, b, both, neither, the sender
        ("a", "broadcast a",       2, [1, 0, 1, 0, 0]),
        ("",  "broadcast a",       2, [1, 0, 1, 0, 0]),
        ("a", "broadcast_all a",   3, [1, 0, 1, 0, 1]),
        ("",  "broadcast_all a",   2, [1, 0, 1, 0, 0]),
        ("a", "ws_broadcast a",    3, [1, 0, 1, 0, 1]),
        ("a", "everyone -",        5, [1, 1, 1, 1, 1]),
        ("",  "everyone -",        5, [1, 1, 1, 1, 1]),
        ("a", "to a",              3, [1, 1, 1, 0, 0]),
        ("",  "to a",              3, [1, 1, 1, 0, 0]),
        ("a", "to nowhere",        2, [0, 1, 1, 0, 0]),
        ("a", "broadcast no",      0, [0, 0, 0, 0, 0]),
        ("a", "broadcast_all no",  0, [0, 0, 0, 0, 0]),
        ("a", "ws_broadcast no",   0, [0, 0, 0, 0, 0]),
    ];
    for (sender_in, what, reached, expected) in table {
        let server = serve_rooms();
        let mut clients = [&["a"][..], &["b"], &["a", "b"], &[]].map(|rooms| join(&server, rooms));
        let mut sender = join(&server, if sender_in.is_empty() { &[] } else { &["a"] });
        sender.send(what);
        let mut copies: Vec<usize> = Vec::new();
        let mut own: Vec<String> = std::iter::repeat_with(|| sender.text())
            .take_while(|text| !text.starts_with("reached"))
            .collect();
        own.extend(heard(&server, &mut sender));
        for client in &mut clients {
            let heard: Vec<String> = std::iter::repeat_with(|| client.text())
                .take_while(|text| text != "marker")
                .collect();
            assert!(
                heard.iter().all(|text| text == "from one"),
                "{what}: {heard:?}"
            );
            copies.push(heard.len());
        }
        copies.push(own.len());
        assert_eq!(copies, expected, "{what} by one in {sender_in:?}");
        sender.send(what);
        let answer =
            std::iter::repeat_with(|| sender.text()).find(|text| text.starts_with("reached"));
        assert_eq!(
            answer,
            Some(format!("reached {reached}")),
            "{what} by one in {sender_in:?}"
        );
    }
}

#[test]
fn the_hub_can_leave_out_some() {
    let server = serve_rooms();
    let mut ada = join(&server, &["a", "b"]);
    let ada_id = server.ask(|hub| hub.sockets()[0].id());
    let mut brook = join(&server, &["b"]);
    let mut cleo = join(&server, &["a"]);
    let brook_id = server.ask(move |hub| {
        hub.room("b")
            .members()
            .iter()
            .map(|s| s.id())
            .find(|id| *id != ada_id)
            .expect("Brook")
    });
    let reached = server.ask(move |hub| {
        let all_but_ada = hub.to("a").to("b").except(ada_id).send("not for Ada");
        let only_cleo = hub
            .to("a")
            .to("b")
            .except(brook_id)
            .except(ada_id)
            .send("for Cleo");
        (
            all_but_ada,
            only_cleo,
            hub.to("a").except(brook_id).send("nobody is left out"),
            hub.room("b").send("in b"),
        )
    });
    assert_eq!(reached, (2, 1, 2, 2));
    assert_eq!(heard(&server, &mut ada), ["nobody is left out", "in b"]);
    assert_eq!(
        (brook.text(), brook.text(), brook.text()),
        ("not for Ada".into(), "in b".into(), "marker".into())
    );
    assert_eq!(
        (cleo.text(), cleo.text(), cleo.text()),
        (
            "not for Ada".into(),
            "for Cleo".into(),
            "nobody is left out".into()
        )
    );
}

/// An id of one that is gone leaves out nobody who has taken its place.
#[test]
fn a_stale_id_leaves_out_nobody() {
    let server = serve_rooms();
    let gone = join(&server, &["a"]);
    let stale = server.ask(|hub| hub.sockets()[0].id());
    drop(gone);
    server.wait_until("it is gone", |hub| hub.is_empty());
    let mut heir = join(&server, &["a"]);
    assert_eq!(
        server.ask(move |hub| hub.to("a").except(stale).send("hello")),
        1
    );
    assert_eq!(heir.text(), "hello");
}

#[test]
fn a_socket_that_is_closing_is_not_reached() {
    let server = serve_rooms();
    let mut closing = join(&server, &["a"]);
    let mut open = join(&server, &["a"]);
    let reached = server.ask(|hub| {
        let socket = &hub.sockets()[0];
        socket.close();
        assert_eq!(socket.ready_state(), ReadyState::Closing);
        (hub.ws_broadcast("late", None), hub.to("a").send("late"))
    });
    assert_eq!(reached, (1, 1));
    closing.expect_close(1000);
    assert_eq!(
        (open.text(), open.text()),
        ("late".to_owned(), "late".to_owned())
    );
}

/// Small messages, middling ones and large ones go different ways to the kernel.
#[test]
fn messages_of_one_sender_to_one_receiver_never_overtake_each_other() {
    const SIZES: [usize; 9] = [1, 100, 5_000, 10, 70_000, 1, 300_000, 4_096, 2];
    let server = serve_rooms();
    let mut clients: Vec<Client> = (0..3).map(|_| join(&server, &["a"])).collect();
    server.ask(|hub| {
        for round in 0..10 {
            for (i, size) in SIZES.into_iter().enumerate() {
                let bytes = vec![(round * SIZES.len() + i) as u8; size];
                let text = String::from_utf8(bytes.iter().map(|byte| byte & 0x7F).collect())
                    .expect("ASCII");
                match (i + round) % 4 {
                    0 => drop(hub.ws_broadcast(&bytes, None)),
                    1 => hub
                        .sockets()
                        .iter()
                        .for_each(|socket| _ = socket.send(&text)),
                    2 => drop(hub.to("a").send(&bytes)),
                    _ => drop(hub.sockets()[0].broadcast_all("a", &text)),
                }
            }
        }
    });
    for client in &mut clients {
        for n in 0..10 * SIZES.len() {
            let frame = client.recv();
            let (size, byte) = (SIZES[n % SIZES.len()], n as u8);
            let expected = match (n % SIZES.len() + n / SIZES.len()) % 4 {
                0 | 2 => (BINARY, byte),
                _ => (TEXT, byte & 0x7F),
            };
            assert_eq!((frame.opcode, frame.payload[0]), expected, "message {n}");
            assert_eq!(
                (frame.fin, frame.payload.len()),
                (true, size),
                "message {n}"
            );
        }
    }
}
