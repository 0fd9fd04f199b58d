//! Acknowledgements: an event with a field `ack` is answered once.

use rushwire::event::{self, Ack};
use rushwire::{Json, SendStatus, event::Payload};
use serde_json::json;

use super::sending::Unfit;
use super::{echo_messages, expect_alive, recv, serve_one};

#[test]
fn an_event_is_acknowledged_with_the_ack_that_it_came_with() {
    let (server, _) = serve_one(|socket| {
        socket.on("save", |_, payload| {
            assert_eq!(payload.ack(payload.value()), Ack::Sent(SendStatus::Queued));
        });
    });
    let mut client = server.connect("/");
    for ack in [
        "1",
        "0",
        "-7",
        "2.5",
        "18446744073709551615",
        r#""""#,
        r#""id-\"7\"""#,
        r#""é""#,
    ] {
        client.send(&format!(r#"{{"type":"save","ack":{ack},"data":[1]}}"#));
        let expected = format!(r#"{{"type":"ack","ack":{ack},"data":[1]}}"#);
        assert_eq!(client.text(), expected);
    }
}

#[test]
fn a_second_acknowledgement_is_not_sent_and_says_so() {
    let (server, _) = serve_one(|socket| {
        socket.on("save", |socket, payload| {
            assert_eq!(payload.ack("first"), Ack::Sent(SendStatus::Queued));
            assert_eq!(payload.ack("second"), Ack::Already);
            socket.emit("end", ());
        });
        let third = |payload: Payload<'_>| payload.ack("third");
        socket.on("save", move |_, payload| {
            assert_eq!(third(payload), Ack::Already)
        });
        socket.on(event::named::<u8>("save"), |socket, n| {
            assert_eq!(n.ack("fourth"), Ack::Already);
            socket.emit("end", ());
        });
    });
    let mut client = server.connect("/");
    for ack in 0..3 {
        client.send(&format!(r#"{{"type":"save","ack":{ack},"data":1}}"#));
        let first = json!({ "type": "ack", "ack": ack, "data": "first" });
        assert_eq!(recv(&mut client), first, "each event once");
        for _ in 0..2 {
            assert_eq!(recv(&mut client)["type"], "end");
        }
    }
}

#[test]
fn what_does_not_ask_is_not_acknowledged() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        socket.on("save", |_, payload| {
            assert_eq!(payload.ack(1), Ack::NotAsked);
            assert_eq!(payload.ack(2), Ack::NotAsked);
        });
    });
    let mut client = server.connect("/");
    for rest in [
        "",
        r#","ack":null"#,
        r#","ack":true"#,
        r#","ack":[1]"#,
        r#","ack":{"a":1}"#,
    ] {
        client.send(&format!(r#"{{"type":"save"{rest}}}"#));
        expect_alive(&mut client);
    }
}

#[test]
fn an_acknowledgement_that_does_not_serialize_is_reported_and_another_may_follow() {
    let (server, reports) = serve_one(|socket| {
        socket.on("save", |_, payload| {
            assert_eq!(payload.ack(Unfit), Ack::Sent(SendStatus::Invalid));
            assert_eq!(payload.ack("saved"), Ack::Sent(SendStatus::Queued));
            assert_eq!(payload.ack("again"), Ack::Already);
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"save","ack":1}"#);
    assert_eq!(recv(&mut client)["data"], "saved");
    let line = reports.next();
    assert!(
        line.contains(r#""ack" with"#) && line.contains("Unfit"),
        "{line}"
    );
}

#[test]
fn a_closed_socket_acknowledges_nothing() {
    let (server, _) = serve_one(|socket| {
        socket.on("bye", |socket, payload| {
            socket.send(Json("last"));
            socket.close();
            assert_eq!(payload.ack(1), Ack::Sent(SendStatus::Closed));
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"bye","ack":1}"#);
    assert_eq!(recv(&mut client), "last");
    client.expect_close(1000);
}
