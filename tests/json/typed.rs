//! Custom events with a type: what is not of it never reaches the listener, is answered, and closes
//! nothing.

use std::collections::BTreeMap;

use rushwire::event::{self, Failure};
use serde::Deserialize;
use serde_json::json;

use super::{echo_messages, expect_alive, message, recv, send, serve_one};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    room: String,
    #[serde(default)]
    seats: u8,
}

#[derive(Debug, Deserialize)]
struct Leave {}

fn echo_errors(socket: &rushwire::Socket) {
    socket.on(event::Error, |socket, failure| match failure {
        Failure::Payload { event, reason } => {
            socket.emit("failure", [event.as_str(), reason.as_str()]);
        }
        other => panic!("{other}"),
    });
}

#[test]
fn a_payload_of_the_type_is_handed_over_as_that_type() {
    let (server, _) = serve_one(|socket| {
        socket.on(event::named::<Join>("join"), |socket, join| {
            let Join { room, seats } = join.value();
            assert_eq!(
                (&join.room, join.object()["type"].as_str()),
                (room, Some("join"))
            );
            socket.emit("joined", (room, seats));
        });
        socket.on(
            event::named::<BTreeMap<String, f64>>("prices"),
            |socket, prices| {
                socket.emit("sum", prices.values().sum::<f64>());
            },
        );
        socket.on(event::named::<Leave>("leave"), |socket, _| {
            socket.emit("left", ());
        });
    });
    let mut client = server.connect("/");
    #[rustfmt::skip]
    let table = [
        (json!({ "type": "join", "data": { "room": "a", "seats": 2 } }), json!({ "type": "joined", "data": ["a", 2] })),
        (json!({ "type": "join", "room": "b", "seats": 3 }),             json!({ "type": "joined", "data": ["b", 3] })),
        (json!({ "type": "join", "data": { "room": "c" } }),             json!({ "type": "joined", "data": ["c", 0] })),
        (json!({ "type": "prices", "a": 1.5, "b": 2 }),                  json!({ "type": "sum", "data": 3.5 })),
        (json!({ "type": "leave" }),                                     json!({ "type": "left", "data": null })),
    ];
    for (event, answer) in table {
        send(&mut client, &event);
        assert_eq!(recv(&mut client), answer, "{event}");
    }
}

#[test]
fn a_payload_of_another_type_is_an_error_that_is_answered_and_closes_nothing() {
    let (server, reports) = serve_one(|socket| {
        echo_messages(socket);
        echo_errors(socket);
        socket.on(event::named::<Join>("join"), |_, join| panic!("{join:?}"));
    });
    let mut client = server.connect("/");
    #[rustfmt::skip]
    let table = [
        (json!(null),                       "invalid type: null, expected struct Join"),
        (json!("lobby"),                    "invalid type: string \"lobby\", expected struct Join"),
        (json!({}),                         "missing field `room`"),
        (json!({ "room": 1 }),              "invalid type: integer `1`, expected a string"),
        (json!({ "room": "a", "seats": 256 }), "invalid value: integer `256`, expected u8"),
        (json!({ "room": "a", "x": 1 }),    "unknown field `x`, expected `room` or `seats`"),
    ];
    for (data, reason) in table {
        send(&mut client, &json!({ "type": "join", "data": data }));
        let answer = json!({ "type": "error", "event": "join", "message": reason });
        assert_eq!(recv(&mut client), answer, "{data}");
        let failure = json!({ "type": "failure", "data": ["join", reason] });
        assert_eq!(recv(&mut client), failure, "{data}");
        expect_alive(&mut client);
    }
    server.stop(std::time::Duration::ZERO);
    assert!(
        reports.rest().is_empty(),
        "a peer's error is none of the application"
    );
}

#[test]
fn without_a_listener_for_errors_only_the_peer_is_told() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        socket.on(event::named::<u8>("n"), |socket, n| {
            socket.emit("n", *n);
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"n","data":-1}"#);
    let answer = recv(&mut client);
    assert_eq!(
        (&answer["type"], &answer["event"]),
        (&json!("error"), &json!("n"))
    );
    client.send(r#"{"type":"n","data":1}"#);
    assert_eq!(recv(&mut client), json!({ "type": "n", "data": 1 }));
}

#[test]
fn a_wrong_payload_does_not_use_up_a_listener_that_runs_once() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        socket.once(event::named::<u8>("n"), |socket, n| {
            socket.emit("n", *n);
        });
    });
    let mut client = server.connect("/");
    for _ in 0..2 {
        client.send(r#"{"type":"n","data":"x"}"#);
        assert_eq!(recv(&mut client)["type"], "error");
    }
    client.send(r#"{"type":"n","data":1}"#);
    assert_eq!(recv(&mut client), json!({ "type": "n", "data": 1 }));
    client.send(r#"{"type":"n","data":2}"#);
    assert_eq!(recv(&mut client), message(r#"{"type":"n","data":2}"#));
}

#[test]
fn a_listener_that_runs_once_is_gone_when_it_runs() {
    let (server, _) = serve_one(|socket| {
        socket.once(event::named::<u8>("n"), |socket, n| {
            let seen = *n;
            socket.once(event::named::<u8>("n"), move |socket, n| {
                socket.emit("both", [seen, *n]);
            });
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"n","data":1}"#);
    client.send(r#"{"type":"n","data":2}"#);
    assert_eq!(recv(&mut client), json!({ "type": "both", "data": [1, 2] }));
}

#[test]
fn listeners_of_one_name_may_want_different_types() {
    let (server, _) = serve_one(|socket| {
        socket.on(event::named::<u8>("v"), |socket, n| {
            socket.emit("number", *n);
        });
        socket.on(event::named::<String>("v"), |socket, text| {
            socket.emit("text", text.value());
        });
        socket.on("v", |socket, any| {
            socket.emit("any", any.value());
        });
    });
    let mut client = server.connect("/");
    for (data, types) in [
        (json!(7), ["number", "error", "any"]),
        (json!("x"), ["error", "text", "any"]),
    ] {
        send(&mut client, &json!({ "type": "v", "data": data }));
        assert_eq!(
            types.map(|_| recv(&mut client)["type"].clone()),
            types,
            "{data}"
        );
    }
}

#[test]
fn an_error_answers_what_asked_for_an_acknowledgement_and_uses_it_up() {
    let (server, _) = serve_one(|socket| {
        socket.on(event::named::<u8>("n"), |_, n| panic!("{n:?}"));
        socket.on("n", |socket, any| {
            let ack = format!("{:?}", any.ack("again"));
            socket.emit("second", ack);
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"n","data":"x","ack":"id-1"}"#);
    let answer = recv(&mut client);
    assert_eq!(
        (&answer["type"], &answer["ack"]),
        (&json!("error"), &json!("id-1"))
    );
    assert_eq!(
        recv(&mut client),
        json!({ "type": "second", "data": "Already" })
    );
}

#[test]
fn a_reason_that_quotes_the_peer_is_cut() {
    let (server, _) = serve_one(|socket| {
        echo_errors(socket);
        socket.on(event::named::<Join>("join"), |_, _| unreachable!());
    });
    let mut client = server.connect("/");
    for filler in ["x", "é", "\u{7f}", "👻"] {
        send(
            &mut client,
            &json!({ "type": "join", "data": filler.repeat(10_000) }),
        );
        let answer = recv(&mut client);
        let reason = answer["message"].as_str().expect("a reason");
        assert!(reason.starts_with("invalid type: string"), "{reason}");
        assert!((197..=200).contains(&reason.len()), "{}", reason.len());
        assert_eq!(recv(&mut client)["data"][1], *reason);
    }
}
