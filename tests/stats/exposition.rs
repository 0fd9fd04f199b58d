//! Statistics as text: read by an independent parser they say what the value says.

use std::collections::BTreeMap;

use super::prometheus::{Family, parse};
use crate::common::{Client, Server, http, knock, serve};
use rushwire::{Hub, Refusal, Stats, event};

/// Names that would break out of a string, a line or a label.
const NAMES: [&str; 9] = [
    "general",
    "\"quoted\"",
    "back\\slash\\",
    "two\nlines\r\n",
    "rushwire_fake_total 7\n# TYPE x counter",
    "\u{0}\u{1}\u{7F}\u{85}\u{9B}",
    "\u{1b}[31mred",
    "räume 🚪 \u{202e}\u{2028}",
    "{\"a\":1},}\"} 5",
];

/// A server with a history: rooms, messages, refusals and ends.
fn lived() -> (Server, Vec<Client>) {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            NAMES.iter().for_each(|name| _ = socket.join(name));
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.send("open");
        });
        app.get("/metrics", |ctx| {
            ctx.text(ctx.hub().stats().to_prometheus())
        });
        app.get("/stats", |ctx| ctx.json(ctx.hub().stats().to_json()));
    });
    for code in [1000, 1001, 3000, 3999, 4000, 4001, 4001, 4999] {
        let mut client = server.connect("/");
        assert_eq!(client.text(), "open");
        client.send_close(code, "");
        while client.next().is_some() {}
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
    }
    assert_eq!(knock(server.addr, "/nowhere", ""), 404);
    let mut clients = vec![server.connect("/"), server.connect("/")];
    for client in &mut clients {
        assert_eq!(client.text(), "open");
        client.send("hello");
        assert_eq!(client.text(), "hello");
    }
    server.ask(|hub| _ = hub.sockets()[0].leave(NAMES[0]));
    (server, clients)
}

#[test]
fn the_json_is_json_and_says_what_the_value_says() {
    let (server, _clients) = lived();
    let stats = server.ask(Hub::stats);
    let answer = http::get(server.addr, "/stats");
    let json: serde_json::Value = serde_json::from_str(answer.text()).expect("it is JSON");
    let refused: BTreeMap<&str, u64> = stats
        .refused
        .iter()
        .map(|(k, n)| (k.as_str(), *n))
        .collect();
    let expected = serde_json::json!({
        "total_connections": 2,
        "accepted": 10,
        "rooms": stats.rooms,
        "messages_in": 2,
        "bytes_in": 10,
        "messages_out": 12,
        "bytes_out": 50,
        "dropped": 0,
        "backpressure_drops": 0,
        "waiting_bytes": 0,
        "shed": 0,
        "slow_listeners": 0,
        "refused": refused,
        "closed": stats.closed,
    });
    assert_eq!(json, expected);
    assert_eq!(
        json["rooms"].as_object().map(|rooms| rooms.len()),
        Some(NAMES.len())
    );
    assert_eq!(json["refused"], serde_json::json!({"no_route": 1}));
    let empty: serde_json::Value = serde_json::from_str(&Stats::default().to_json()).expect("JSON");
    assert_eq!(empty["rooms"], serde_json::json!({}));
}

fn value(families: &BTreeMap<String, Family>, name: &str) -> f64 {
    match families[&format!("rushwire_{name}")].samples.as_slice() {
        [sample] if sample.labels.is_empty() => sample.value,
        other => panic!("{name}: {other:?}"),
    }
}

fn labelled(families: &BTreeMap<String, Family>, name: &str, label: &str) -> BTreeMap<String, u64> {
    let samples = families[&format!("rushwire_{name}")].samples.iter();
    samples
        .map(|sample| match sample.labels.as_slice() {
            [(key, text)] if key == label => (text.clone(), sample.value as u64),
            other => panic!("{name}: {other:?}"),
        })
        .collect()
}

#[test]
fn the_metrics_are_what_prometheus_reads_and_say_what_the_value_says() {
    let (server, _clients) = lived();
    let stats = server.ask(Hub::stats);
    let answer = http::get(server.addr, "/metrics");
    assert!(
        answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain"))
    );
    let families = parse(answer.text()).expect("it is the text format");
    for (name, family) in &families {
        assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name}");
        assert!(
            !family.help.is_empty() && name.starts_with("rushwire_"),
            "{name}"
        );
    }
    let expected = [
        ("connections", 2),
        ("connections_accepted_total", 10),
        ("rooms", NAMES.len()),
        ("memberships", 2 * NAMES.len() - 1),
        ("messages_received_total", 2),
        ("received_bytes_total", 10),
        ("messages_sent_total", 12),
        ("sent_bytes_total", 50),
        ("messages_undelivered_total", 0),
        ("backpressure_drops_total", 0),
        ("waiting_bytes", 0),
        ("shed_total", 0),
        ("slow_listeners_total", 0),
    ];
    for (name, number) in expected {
        assert_eq!(value(&families, name), number as f64, "{name}");
    }
    let codes = [("1000", 1), ("1001", 1), ("3xxx", 2), ("4xxx", 4)];
    let codes = codes.map(|(code, count)| (code.to_owned(), count));
    assert_eq!(
        labelled(&families, "closed_total", "code"),
        BTreeMap::from(codes)
    );
    let causes = labelled(&families, "refused_total", "cause");
    assert_eq!(
        causes.len(),
        Refusal::ALL.len(),
        "all causes are there from the beginning"
    );
    for cause in Refusal::ALL {
        let count = stats.refused.get(cause).copied().unwrap_or_default();
        assert_eq!(causes[cause.as_str()], count, "{cause}");
    }
}

/// Users name rooms and choose codes: neither may make a time series.
#[test]
fn rooms_and_codes_that_peers_choose_add_no_lines_unless_rooms_are_asked_for() {
    let (server, _clients) = lived();
    let stats = server.ask(Hub::stats);
    let families = parse(&stats.to_prometheus()).expect("it is the text format");
    assert!(!families.contains_key("rushwire_room_members"));
    let lines = |stats: &Stats| stats.to_prometheus().lines().count();
    let mut more = stats.clone();
    (0..1_000).for_each(|n| _ = more.rooms.insert(format!("room {n}"), 1));
    (3_000..5_000).for_each(|code| _ = more.closed.insert(code, 1));
    assert_eq!(lines(&more), lines(&stats));

    let with_rooms = parse(&stats.to_prometheus_with_rooms()).expect("it is the text format");
    let sizes = stats
        .rooms
        .iter()
        .map(|(name, size)| (name.clone(), *size as u64));
    assert_eq!(
        labelled(&with_rooms, "room_members", "room"),
        sizes.collect()
    );
    assert_eq!(with_rooms.len(), families.len() + 1);
    assert_eq!(value(&with_rooms, "rooms"), NAMES.len() as f64);
}

#[test]
fn a_server_that_has_seen_nothing_says_so() {
    let families = parse(&Stats::default().to_prometheus_with_rooms()).expect("the text format");
    for (name, family) in families {
        assert!(
            family.samples.iter().all(|sample| sample.value == 0.0),
            "{name}"
        );
    }
}
