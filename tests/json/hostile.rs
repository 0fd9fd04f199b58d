//! Hostile JSON is an ordinary message, or an error: nothing panics, and the socket goes on.

use rushwire::{Options, event};
use serde_json::json;

use super::common::serve_with;
use super::{echo_messages, expect_alive, message, recv, serve_one};

#[test]
fn what_serde_json_does_not_take_is_an_ordinary_message() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        socket.on("e", |_, payload| panic!("{payload:?}"));
        socket.on(event::named::<u64>("n"), |_, n| panic!("{n:?}"));
    });
    let mut client = server.connect("/");
    let deep = |open: &str, close: &str, n| {
        format!(
            r#"{{"type":"e","data":{}1{}}}"#,
            open.repeat(n),
            close.repeat(n)
        )
    };
    #[rustfmt::skip]
    let table = [
        ("arrays too deep",            deep("[", "]", 127)),
        ("arrays far too deep",        deep("[", "]", 200_000)),
        ("objects far too deep",       deep(r#"{"a":"#, "}", 100_000)),
        ("never closed",               format!(r#"{{"type":"e","data":{}"#, "[".repeat(500_000))),
        ("a number too large",         r#"{"type":"n","data":1e400}"#.into()),
        ("an exponent without end",    format!(r#"{{"type":"n","data":1e{}}}"#, "9".repeat(10_000))),
        ("a lone high surrogate",      r#"{"type":"e","data":"\ud83d"}"#.into()),
        ("a lone low surrogate",       r#"{"type":"e","data":"\udc7b"}"#.into()),
        ("surrogates in wrong order",  r#"{"type":"e","data":"\udc7b\ud83d"}"#.into()),
        ("one in the type",            r#"{"type":"e\ud83d"}"#.into()),
        ("a control character",        "{\"type\":\"e\u{1}\"}".into()),
        ("a number that is none",      r#"{"type":"n","data":NaN}"#.into()),
        ("leading zeros",              r#"{"type":"n","data":007}"#.into()),
        ("a comment",                  r#"{"type":"e"/**/}"#.into()),
        ("a NUL behind it",            "{\"type\":\"e\"}\0".into()),
    ];
    for (name, text) in table {
        client.send(&text);
        assert!(recv(&mut client) == message(&text), "{name}");
    }
}

#[test]
fn what_it_takes_is_an_event_however_odd() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        socket.on("e", |socket, payload| {
            socket.emit("heard", payload.value());
        });
    });
    let mut client = server.connect("/");
    let deepest = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    #[rustfmt::skip]
    let table = [
        ("as deep as can be",        format!(r#"{{"type":"e","data":{deepest}}}"#), deepest.clone()),
        ("the last type counts",     r#"{"type":"x","type":"e","data":1}"#.into(),  "1".into()),
        ("the last data counts",     r#"{"data":1,"type":"e","data":2}"#.into(),    "2".into()),
        ("a large whole number",     r#"{"type":"e","data":18446744073709551616}"#.into(), "18446744073709552000".into()),
        ("digits without end",       format!(r#"{{"type":"e","data":0.{}}}"#, "3".repeat(50_000)), "0.3333333333333333".into()),
        ("nothing but nearly",       r#"{"type":"e","data":1e-400}"#.into(),        "0".into()),
        ("a surrogate pair",         r#"{"type":"e","data":"\ud83d\udc7b"}"#.into(), r#""👻""#.into()),
        ("an escaped NUL",           r#"{"type":"e","data":"\u0000"}"#.into(),      r#""\u0000""#.into()),
        ("a name of the language",   r#"{"type":"e","__proto__":{"a":1}}"#.into(),  r#"{"a":1}"#.into()),
        ("an empty name",            r#"{"type":"e","":1}"#.into(),                 "1".into()),
    ];
    for (name, text, payload) in table {
        client.send(&text);
        let answer = recv(&mut client);
        assert_eq!(answer["type"], "heard", "{name}");
        let expected: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
        // serde_json's numbers are exact but for their last bit.
        let close = match (answer["data"].as_f64(), expected.as_f64()) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= theirs.abs() * f64::EPSILON,
            _ => false,
        };
        assert!(close || answer["data"] == expected, "{name}: {answer}");
    }
    let mut other = server.connect("/");
    other.send(r#"{"type":"e","type":"x"}"#);
    assert_eq!(recv(&mut other), message(r#"{"type":"e","type":"x"}"#));
}

#[test]
fn a_wide_event_of_the_largest_size_is_heard() {
    let options = || Options {
        max_message_size: 256 * 1024,
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| {
            socket.on("e", |socket, payload| {
                let len = payload.as_array().map(Vec::len);
                socket.emit("len", (len, payload.object().len()));
            });
        });
    });
    let mut client = server.connect("/");
    let (head, item, tail) = (r#"{"type":"e","data":[0"#, ",{}", "]}");
    let count = (256 * 1024 - head.len() - tail.len()) / item.len();
    client.send(&format!("{head}{}{tail}", item.repeat(count)));
    assert_eq!(recv(&mut client)["data"], json!([count + 1, 2]));
}

#[test]
fn mutilated_events_end_nothing() {
    let (server, reports) = serve_one(|socket| {
        echo_messages(socket);
        socket.on("e", |socket, payload| {
            payload.ack(payload.value());
            socket.emit("heard", payload.value());
        });
        socket.on(event::named::<(u8, String)>("n"), |socket, n| {
            socket.emit("heard", n.value());
        });
    });
    let mut client = server.connect("/");
    let seeds = [
        r#"{"type":"e","data":{"a":[1,2.5e3,"x\u00e9\n"],"b":null},"ack":7}"#,
        r#"{"type":"n","data":[1,"text"],"ack":"id"}"#,
        r#"{"ack":"\ud83d\udc7b","x":true,"y":-0.0,"type":"e"}"#,
    ];
    let alphabet = br#"{}[]",:\udetyp019.-+eE "#;
    let mut x = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 16) as usize % below
    };
    let mut reached = std::collections::BTreeSet::new();
    for round in 0..3_000 {
        let mut bytes = seeds[random(seeds.len())].as_bytes().to_vec();
        for _ in 0..random(4) {
            let place = random(bytes.len());
            match random(3) {
                0 => drop(bytes.remove(place)),
                1 => bytes.insert(place, alphabet[random(alphabet.len())]),
                _ => bytes[place] = alphabet[random(alphabet.len())],
            }
        }
        let text = String::from_utf8(bytes).expect("ASCII");
        client.send(&text);
        client.send("next");
        loop {
            let answer = recv(&mut client);
            if answer == message("next") {
                break;
            }
            let kind = answer["type"].as_str().expect("a type").to_owned();
            assert!(
                ["ack", "error", "heard", "message"].contains(&&*kind),
                "{round}: {answer}"
            );
            reached.insert(kind);
        }
    }
    assert_eq!(reached.len(), 4, "{reached:?}");
    expect_alive(&mut client);
    drop(server);
    assert!(reports.rest().is_empty(), "nothing has gone wrong");
}
