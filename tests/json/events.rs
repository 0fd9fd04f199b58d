//! Which messages are events, who hears them, and what they carry (design §1.9).

use rushwire::{Join, ListenerId, Options, Rate, event};
use serde_json::{Value, json};

use super::common::client::{BINARY, CONTINUATION, TEXT, frame};
use super::common::{Client, serve, serve_with};
use super::{echo_messages, expect_alive, message, recv, send, serve_one};

/// Answers events of these names with their name and payload.
fn echo_events(socket: &rushwire::Socket, names: &[&'static str]) {
    for &name in names {
        socket.on(name, move |socket, payload| {
            socket.emit("heard", json!([name, payload.value()]));
        });
    }
}

fn heard(name: &str, payload: &Value) -> Value {
    json!({ "type": "heard", "data": [name, payload] })
}

#[test]
fn a_message_whose_type_has_a_listener_goes_there_instead_of_message() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        echo_events(socket, &["join-room", "leave-room"]);
    });
    let mut client = server.connect("/");
    send(
        &mut client,
        &json!({ "type": "join-room", "data": "lobby" }),
    );
    send(&mut client, &json!({ "type": "leave-room", "data": 7 }));
    assert_eq!(recv(&mut client), heard("join-room", &json!("lobby")));
    assert_eq!(recv(&mut client), heard("leave-room", &json!(7)));
    expect_alive(&mut client);
}

#[test]
fn the_payload_is_data_or_the_only_other_field_or_the_rest() {
    let (server, _) = serve_one(|socket| echo_events(socket, &["e"]));
    let mut client = server.connect("/");
    #[rustfmt::skip]
    let table = [
        ("data",                      r#"{"type":"e","data":[1]}"#,                 json!([1])),
        ("data that is null",         r#"{"type":"e","data":null,"x":1}"#,          json!(null)),
        ("data beside others",        r#"{"x":1,"data":2,"type":"e","y":3}"#,       json!(2)),
        ("the only other field",      r#"{"type":"e","room":"general"}"#,           json!("general")),
        ("an object of its own",      r#"{"room":{"a":1},"type":"e"}"#,             json!({ "a": 1 })),
        ("the only one beside ack",   r#"{"type":"e","ack":1,"room":"general"}"#,   json!("general")),
        ("beside an ack of no use",   r#"{"type":"e","ack":null,"room":"general"}"#, json!("general")),
        ("the rest",                  r#"{"type":"e","a":1,"b":[2]}"#,              json!({ "a": 1, "b": [2] })),
        ("the rest without ack",      r#"{"a":1,"type":"e","b":2,"ack":"x"}"#,      json!({ "a": 1, "b": 2 })),
        ("nothing",                   r#"{"type":"e"}"#,                            json!({})),
        ("nothing but ack",           r#"{"type":"e","ack":1}"#,                    json!({})),
        ("blanks",                    " \n{ \"type\" :\t\"e\" , \"data\" : 1 } ",   json!(1)),
        ("an escaped type",           r#"{"type":"\u0065","data":1}"#,              json!(1)),
        ("the last of two",           r#"{"type":"e","data":1,"data":2}"#,          json!(2)),
    ];
    for (name, text, payload) in table {
        client.send(text);
        assert_eq!(recv(&mut client), heard("e", &payload), "{name}");
    }
}

#[test]
fn everything_else_is_an_ordinary_message() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        echo_events(socket, &["e"]);
    });
    let mut client = server.connect("/");
    for text in [
        "",
        "e",
        "\"e\"",
        "null",
        r#"[{"type":"e"}]"#,
        r#"{"type":"E"}"#,
        r#"{"type":"e "}"#,
        r#"{"type":""}"#,
        r#"{"type":"unknown","data":1}"#,
        r#"{"type":["e"]}"#,
        r#"{"type":null}"#,
        r#"{"type":1}"#,
        r#"{"Type":"e"}"#,
        r#"{"data":{"type":"e"}}"#,
        "{}",
        r#"{"type":"e""#,
        r#"{"type":"e"} {}"#,
        r#"{"type":"e",}"#,
        r#"{type:"e"}"#,
        r#"{'type':'e'}"#,
        "\u{feff}{\"type\":\"e\"}",
    ] {
        client.send(text);
        assert_eq!(recv(&mut client), message(text), "{text}");
    }
    let event = br#"{"type":"e"}"#;
    client.send_binary(event);
    let bytes = json!({ "type": "message", "data": { "bytes": event.to_vec() } });
    assert_eq!(recv(&mut client), bytes, "binary is never an event");
}

#[test]
fn a_message_of_a_reserved_type_is_an_ordinary_message() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        echo_events(
            socket,
            &[
                "e", "message", "close", "error", "ping", "pong", "open", "drain",
            ],
        );
        echo_events(socket, &["ratelimit"]);
    });
    let mut client = server.connect("/");
    for name in [
        "message",
        "close",
        "error",
        "ping",
        "pong",
        "open",
        "drain",
        "ratelimit",
    ] {
        let text = json!({ "type": name, "data": 1 }).to_string();
        client.send(&text);
        assert_eq!(recv(&mut client), message(&text), "{name}");
    }
}

#[test]
fn a_listener_for_a_reserved_name_is_reported_with_what_to_use_instead() {
    let table = [
        ("message", "event::Message"),
        ("close", "event::Close"),
        ("error", "event::Error"),
        ("ping", "event::Ping"),
        ("pong", "event::Pong"),
        ("drain", "event::Drain"),
        ("ratelimit", "event::RateLimit"),
        ("open", "the handler of App::ws"),
    ];
    let (server, reports) = serve_one(move |socket| {
        for (name, _) in table {
            let id = socket.on(name, |_, _| unreachable!("the name is reserved"));
            assert!(!socket.off(id), "it is not kept");
        }
        socket.once(String::from("close"), |_, _| {});
        socket.on(event::named::<u8>("error"), |_, _| {});
        socket.on("messages", |_, _| {});
    });
    let _client = server.connect("/");
    let id = server.ask(|hub| hub.sockets()[0].id());
    for (name, instead) in table.into_iter().chain([table[1], table[2]]) {
        let line = reports.next();
        let start = format!("socket {id}: a listener for {name:?} never runs");
        assert!(
            line.starts_with(&start) && line.ends_with(instead),
            "{line}"
        );
    }
    server.stop(std::time::Duration::ZERO);
    assert!(reports.rest().is_empty(), "no other name is reserved");
}

#[test]
fn no_report_interrupts_a_call_of_the_application() {
    let (pen, log) = super::log();
    let server = serve(move |app| {
        let inner = pen.clone();
        super::report_to(app, pen.clone());
        app.ws("/", move |socket, _| {
            socket.on("message", |_, _| {});
            socket.send(rushwire::Json(&super::sending::Unfit));
            inner.note("the handler goes on");
        });
    });
    let _client = server.connect("/");
    assert_eq!(log.next(), "the handler goes on");
    assert!(log.next().contains("event::Message"));
    assert!(log.next().contains("Unfit"));
}

#[test]
fn without_listeners_for_events_every_event_is_a_message() {
    let (server, _) = serve_one(echo_messages);
    let mut client = server.connect("/");
    let text = r#"{"type":"e","data":1}"#;
    client.send(text);
    assert_eq!(recv(&mut client), message(text));
}

#[test]
fn without_a_listener_for_messages_events_are_heard_and_the_rest_is_ignored() {
    let (server, _) = serve_one(|socket| echo_events(socket, &["e"]));
    let mut client = server.connect("/");
    client.send("ignored");
    client.send(r#"{"type":"other"}"#);
    client.send(r#"{"type":"e","data":1}"#);
    assert_eq!(recv(&mut client), heard("e", &json!(1)));
}

#[test]
fn listeners_of_one_event_run_in_the_order_in_which_they_were_added() {
    let (server, _) = serve_one(|socket| {
        for (n, name) in ["a", "b", "a", "b", "a"].into_iter().enumerate() {
            socket.on(name, move |socket, _| {
                socket.emit(name, n);
            });
        }
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"a"}"#);
    client.send(r#"{"type":"b"}"#);
    for (name, n) in [("a", 0), ("a", 2), ("a", 4), ("b", 1), ("b", 3)] {
        assert_eq!(recv(&mut client), json!({ "type": name, "data": n }));
    }
}

#[test]
fn once_is_once_and_off_is_off() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        let note = |what: &'static str| {
            move |socket: &rushwire::Socket, _: event::Payload<'_>| {
                socket.emit(what, ());
            }
        };
        socket.once("e", note("once"));
        let off: ListenerId = socket.on("e", note("always"));
        socket.on("off", move |socket, _| {
            socket.emit("off", [socket.off(off), socket.off(off)]);
        });
    });
    let mut client = server.connect("/");
    for (text, answers) in [
        (
            r#"{"type":"e"}"#,
            vec![
                json!({ "type": "once", "data": null }),
                json!({ "type": "always", "data": null }),
            ],
        ),
        (
            r#"{"type":"e"}"#,
            vec![json!({ "type": "always", "data": null })],
        ),
        (
            r#"{"type":"off"}"#,
            vec![json!({ "type": "off", "data": [true, false] })],
        ),
        (r#"{"type":"e"}"#, vec![message(r#"{"type":"e"}"#)]),
    ] {
        client.send(text);
        for answer in answers {
            assert_eq!(recv(&mut client), answer, "{text}");
        }
    }
}

#[test]
fn a_name_may_be_made_at_run_time() {
    let server = serve(|app| {
        app.ws("/:name", |socket, request| {
            socket.on(request.param("name"), |socket, _| {
                socket.emit("borrowed", ());
            });
            socket.on(format!("{}-2", request.param("name")), |socket, _| {
                socket.emit("owned", ());
            });
            let typed = event::named::<u8>(format!("{}-3", request.param("name")));
            socket.on(typed, |socket, n| {
                socket.emit("typed", *n);
            });
        });
    });
    let mut client = server.connect("/move");
    for (name, answer) in [
        ("move", "borrowed"),
        ("move-2", "owned"),
        ("move-3", "typed"),
    ] {
        send(&mut client, &json!({ "type": name, "data": 1 }));
        assert_eq!(recv(&mut client)["type"], answer);
    }
}

#[test]
fn the_whole_message_is_there_to_look_at_and_to_pass_on() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            assert_eq!(socket.join("room"), Join::Joined);
            socket.on("draw", |socket, payload| {
                assert_eq!(payload.object()["colour"], "red");
                assert_eq!(payload.object()["type"], "draw");
                assert_eq!(payload[0], 1);
                assert_eq!(payload.as_array().map(Vec::len), Some(2));
                assert_eq!(payload.parse::<(u8, u8)>().ok(), Some((1, 2)));
                assert!(payload.parse::<String>().is_err());
                socket.broadcast("room", payload.message());
            });
            socket.send("open");
        });
    });
    let (mut painter, mut viewer) = (server.connect("/"), server.connect("/"));
    assert_eq!(
        (painter.text(), viewer.text()),
        ("open".into(), "open".into())
    );
    let text = r#"{ "colour":"red","type":"draw",  "data":[1, 2]}"#;
    painter.send(text);
    assert_eq!(viewer.text(), text, "byte for byte");
}

#[test]
fn a_payload_may_be_borrowed_from() {
    let (server, _) = serve_one(|socket| {
        #[derive(serde::Deserialize)]
        struct Move<'a> {
            piece: &'a str,
        }
        socket.on("move", |socket, payload| {
            let Ok(Move { piece }) = payload.parse() else {
                panic!("{payload:?}")
            };
            socket.emit("moved", piece);
        });
    });
    let mut client = server.connect("/");
    send(
        &mut client,
        &json!({ "type": "move", "data": { "piece": "rook" } }),
    );
    assert_eq!(recv(&mut client)["data"], "rook");
}

#[test]
fn an_event_may_come_in_fragments_and_many_in_one_segment() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        echo_events(socket, &["e"]);
    });
    let mut client = server.connect("/");
    let mut bytes = Vec::new();
    for n in 0..200 {
        bytes.extend(frame(false, 0, TEXT, br#"{"type":"#));
        bytes.extend(frame(
            true,
            0,
            CONTINUATION,
            format!(r#""e","data":{n}}}"#).as_bytes(),
        ));
        bytes.extend(frame(
            true,
            0,
            TEXT,
            format!(r#"{{"type":"e","n":{n}}}"#).as_bytes(),
        ));
        bytes.extend(frame(true, 0, TEXT, n.to_string().as_bytes()));
        bytes.extend(frame(true, 0, BINARY, &[1]));
    }
    client.send_raw(&bytes);
    for n in 0..200 {
        assert_eq!(recv(&mut client), heard("e", &json!(n)));
        assert_eq!(recv(&mut client), heard("e", &json!(n)));
        assert_eq!(recv(&mut client), message(&n.to_string()));
        assert_eq!(recv(&mut client)["data"], json!({ "bytes": [1] }));
    }
}

#[test]
fn an_event_that_comes_with_the_request_is_heard() {
    let (server, _) = serve_one(|socket| echo_events(socket, &["early"]));
    let mut stream = super::common::http::connect(server.addr);
    let mut bytes = super::common::client::upgrade_request("/", "").into_bytes();
    bytes.extend(frame(true, 0, TEXT, br#"{"type":"early","data":"bird"}"#));
    std::io::Write::write_all(&mut stream, &bytes).expect("send");
    let (answer, rest) = super::common::http::read_answer(&mut stream, Vec::new(), false);
    let mut client = Client {
        stream,
        rest,
        answer,
    };
    assert_eq!(recv(&mut client), heard("early", &json!("bird")));
}

#[test]
fn events_count_as_messages_and_against_the_message_rate() {
    let options = || Options {
        message_rate: Some(Rate {
            messages: 2,
            per: std::time::Duration::from_secs(3_600),
        }),
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| echo_events(socket, &["e"]));
    });
    let mut client = server.connect("/");
    for _ in 0..3 {
        client.send(r#"{"type":"e","data":1}"#);
    }
    for _ in 0..2 {
        assert_eq!(recv(&mut client), heard("e", &json!(1)));
    }
    assert_eq!(client.closed().0, 1008);
    let stats = server.ask(|hub| hub.stats());
    assert_eq!((stats.messages_in, stats.bytes_in), (3, 3 * 21));
}
