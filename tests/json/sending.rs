//! JSON on its way out: `emit`, and `Json` wherever a message can be sent.

use std::collections::BTreeMap;

use rushwire::{App, Json, Message, OwnedMessage, SendStatus, Socket, event};
use serde::ser::{Error, Serialize, Serializer};
use serde_json::json;

use super::common::{Client, Server, serve};
use super::{log, recv, report_to};

/// A value that does not serialize.
pub(super) struct Unfit;

impl Serialize for Unfit {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it has no words"))
    }
}

/// Three sockets, of which the first two are in "room", and the last in "hall".
fn three(setup: impl FnOnce(&mut App) + Send + 'static) -> (Server, [Client; 3]) {
    let server = serve(move |app| {
        setup(app);
        app.ws("/:room", |socket, request| {
            socket.join(request.param("room"));
            socket.send("open");
        });
    });
    let clients = ["/room", "/room", "/hall"].map(|path| {
        let mut client = server.connect(path);
        assert_eq!(client.text(), "open");
        client
    });
    (server, clients)
}

/// The sockets, in the order in which they came.
fn first(hub: &rushwire::Hub) -> Socket {
    hub.sockets().swap_remove(0)
}

#[test]
fn an_event_is_sent_as_type_and_data() {
    let (server, mut clients) = three(|_| {});
    server.ask(|hub| {
        let socket = first(hub);
        assert_eq!(socket.emit("text", "a \"b\""), SendStatus::Queued);
        socket.emit("nothing", ());
        socket.emit("value", json!({ "z": 1, "a": [null] }));
        socket.emit("borrowed", BTreeMap::from([("k", 0.5)]));
        socket.emit("né\"e", Some(1));
    });
    for text in [
        r#"{"type":"text","data":"a \"b\""}"#,
        r#"{"type":"nothing","data":null}"#,
        r#"{"type":"value","data":{"a":[null],"z":1}}"#,
        r#"{"type":"borrowed","data":{"k":0.5}}"#,
        r#"{"type":"né\"e","data":1}"#,
    ] {
        assert_eq!(clients[0].text(), text);
    }
}

#[test]
fn an_event_reaches_the_audience_that_it_is_sent_to() {
    let (server, mut clients) = three(|_| {});
    let reached = server.ask(|hub| {
        let socket = first(hub);
        [
            hub.emit("all", 0),
            hub.to("room").emit("room", 1),
            hub.to("room")
                .to("hall")
                .except(socket.id())
                .emit("others", 2),
            socket.to("room").emit("neighbour", 3),
            hub.room("hall").emit("hall", 4),
            hub.to("nowhere").emit("nobody", 5),
            hub.emit("end", 6),
        ]
    });
    assert_eq!(reached, [3, 2, 2, 1, 1, 0, 3]);
    for (client, expected) in clients.iter_mut().zip([
        vec![("all", 0), ("room", 1)],
        vec![("all", 0), ("room", 1), ("others", 2), ("neighbour", 3)],
        vec![("all", 0), ("others", 2), ("hall", 4)],
    ]) {
        for (name, data) in expected.into_iter().chain([("end", 6)]) {
            assert_eq!(recv(client), json!({ "type": name, "data": data }));
        }
    }
}

#[test]
fn json_is_sent_wherever_a_message_can_be_sent() {
    let (server, mut clients) = three(|_| {});
    let id = server.ask(|hub| first(hub).id());
    let value = json!({ "n": 1 });
    server.ask(move |hub| {
        let socket = first(hub);
        assert_eq!(socket.send(Json(&value)), SendStatus::Queued);
        assert_eq!(socket.broadcast("room", Json(&[1, 2])), 1);
        assert_eq!(socket.broadcast_all("room", Json("text")), 2);
        assert_eq!(hub.ws_broadcast(Json(&value), None), 3);
        assert_eq!(hub.ws_broadcast(Json(&2), Some("hall")), 1);
        assert_eq!(hub.to("room").except(socket.id()).send(Json(&3)), 1);
        assert_eq!(hub.room("room").send(Json(&4)), 2);
    });
    server.remote.send(id, Json(&5)).expect("a server");
    server.remote.broadcast("room", Json(&6)).expect("a server");
    for (client, expected) in clients.iter_mut().zip([
        vec![
            json!({ "n": 1 }),
            json!("text"),
            json!({ "n": 1 }),
            json!(4),
            json!(5),
            json!(6),
        ],
        vec![
            json!([1, 2]),
            json!("text"),
            json!({ "n": 1 }),
            json!(3),
            json!(4),
            json!(6),
        ],
        vec![json!({ "n": 1 }), json!(2)],
    ]) {
        for value in expected {
            assert_eq!(recv(client), value);
        }
    }
}

#[test]
fn json_is_sent_by_the_application_too() {
    let server = serve(|app| {
        assert_eq!(app.ws_broadcast(Json(&1), None), 0, "nobody is there yet");
        app.ws("/", |socket, _| {
            socket.send(Json(&json!([])));
        });
    });
    assert_eq!(server.connect("/").text(), "[]");
}

#[test]
fn json_is_text_that_another_may_have_written() {
    let text = |json: Json<'_, str>| {
        use rushwire::IntoMessage as _;
        json.with_message(|message| OwnedMessage::from(message))
    };
    assert_eq!(
        text(Json("x")),
        Ok(OwnedMessage::from(Message::from(r#""x""#)))
    );
}

#[test]
fn what_does_not_serialize_reaches_nobody_and_is_reported_with_its_type() {
    let (pen, reports) = log();
    let (server, mut clients) = three(move |app| report_to(app, pen));
    let id = server.ask(|hub| first(hub).id());
    server.ask(|hub| {
        let socket = first(hub);
        let keys = BTreeMap::from([([1], 2)]);
        assert_eq!(socket.send(Json(&keys)), SendStatus::Invalid);
        assert_eq!(socket.emit("unfit", Unfit), SendStatus::Invalid);
        assert_eq!(socket.broadcast("room", Json(&Unfit)), 0);
        assert_eq!(socket.broadcast_all("room", Json(&Unfit)), 0);
        assert_eq!(hub.ws_broadcast(Json(&Unfit), None), 0);
        assert_eq!(hub.ws_broadcast(Json(&Unfit), Some("room")), 0);
        assert_eq!(hub.to("room").send(Json(&Unfit)), 0);
        assert_eq!(hub.room("room").send(Json(&Unfit)), 0);
        assert_eq!(hub.emit("e", Unfit), 0);
        assert_eq!(hub.to("room").emit("e", Unfit), 0);
    });
    server.remote.send(id, Json(&Unfit)).expect("a server");
    server
        .remote
        .broadcast("room", Json(&Unfit))
        .expect("a server");
    let line = reports.next();
    assert!(line.starts_with(&format!("socket {id}: Json(&")), "{line}");
    assert!(line.contains("BTreeMap<[i32; 1], i32>"), "{line}");
    assert!(line.ends_with("key must be a string"), "{line}");
    let line = reports.next();
    assert!(
        line.starts_with(&format!("socket {id}: \"unfit\" with ")),
        "{line}"
    );
    for n in 0..10 {
        let line = reports.next();
        let is_quoted = line.contains("sending::Unfit") && line.ends_with("it has no words");
        assert!(is_quoted, "{n}: {line}");
    }
    server.ask(|hub| hub.ws_broadcast("end", None));
    for client in &mut clients {
        assert_eq!(client.text(), "end", "nothing else has come");
    }
    let stats = server.ask(|hub| hub.stats());
    assert_eq!(stats.messages_out, 3 + 3);
}

#[test]
fn a_value_may_call_the_library_while_it_is_serialized() {
    struct Reentrant(Socket);
    impl Serialize for Reentrant {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let socket = &self.0;
            socket.send("inside");
            socket.join("other");
            socket.on("added", |_, _| {});
            socket.broadcast_all("room", "inside");
            socket.hub().emit("inside", socket.rooms().len());
            serializer.serialize_str("outside")
        }
    }
    let (server, mut clients) = three(|_| {});
    server.ask(|hub| {
        let socket = first(hub);
        let value = Reentrant(socket.clone());
        assert_eq!(socket.broadcast_all("room", Json(&value)), 2);
        assert_eq!(hub.emit("all", &value), 3);
        assert_eq!(socket.send(Json(&value)), SendStatus::Queued);
    });
    let inside = ["inside", "inside", r#"{"type":"inside","data":2}"#];
    for last in [
        r#""outside""#,
        r#"{"type":"all","data":"outside"}"#,
        r#""outside""#,
    ] {
        for expected in inside.into_iter().chain([last]) {
            assert_eq!(clients[0].text(), expected);
        }
    }
}

#[test]
fn a_panic_while_serializing_ends_the_socket_whose_listener_runs() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no words")
        }
    }
    let (server, reports) = super::serve_one(|socket| {
        socket.join("room");
        socket.on(event::Message, |socket, _| {
            socket.broadcast_all("room", Json(&Panics));
        });
        socket.send("open");
    });
    let (mut one, mut other) = (server.connect("/"), server.connect("/"));
    assert_eq!((one.text(), other.text()), ("open".into(), "open".into()));
    one.send("x");
    assert_eq!(one.closed().0, 1011);
    assert!(reports.next().ends_with("no words"));
    server.ask(|hub| hub.ws_broadcast("end", None));
    assert_eq!(other.text(), "end");
}
