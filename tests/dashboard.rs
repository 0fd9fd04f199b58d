//! The dashboard example, as its page talks to it: a whole program, in a process of its own. A8, A19
//! and A23.
#![cfg(unix)]

mod common;

/// Their own tests run here: `cargo test` does not run what stands in an example.
#[path = "../examples/dashboard/orders.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod orders;
#[path = "../examples/dashboard/process.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod process;

use std::time::{Duration, Instant};

use common::client::{CLOSE, PING, PONG, TEXT};
use common::example::{Example, hear, hear_of, hear_until, say};
use common::http::{self, Answer};
use common::{Client, knock};
use serde_json::{Value, json};

fn start() -> Example {
    Example::start("dashboard", &[])
}

/// Somebody who looks at the dashboard, and what they are shown first.
fn look(program: &Example) -> (Client, Value) {
    let mut client = Client::connect(program.addr, "/dashboard");
    let shown = hear(&mut client);
    assert_eq!(shown["type"], "initial_metrics", "{shown}");
    (client, shown)
}

fn post(program: &Example, body: &str) -> Answer {
    let len = body.len();
    let head = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    http::request(
        program.addr,
        format!("{head}Content-Length: {len}\r\n\r\n{body}"),
    )
}

fn order(program: &Example, item: &str) -> Value {
    let wanted = json!({ "item": item, "quantity": 2, "price": 3.5 });
    let answer = post(program, &wanted.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    serde_json::from_str(answer.text()).expect("JSON")
}

/// What there is to hear beside the metrics, which come all the time.
fn hear_news(client: &mut Client) -> Value {
    let always = ["metrics_update", "metric_update", "latency"];
    hear_until(client, "news", |heard| {
        !always.contains(&heard["type"].as_str().unwrap_or_default())
    })
}

/// What A8 says of metrics. Only Linux tells what the process costs.
fn assert_metrics(data: &Value, may_be_early: bool) {
    let costs = [&data["cpu"], &data["memory"]];
    if cfg!(target_os = "linux") {
        let cpu = costs[0].as_f64();
        assert!(
            may_be_early || cpu.is_some_and(|cpu| (0.0..6400.0).contains(&cpu)),
            "{data}"
        );
        assert!(
            costs[1].as_u64().is_some_and(|bytes| bytes > 100_000),
            "{data}"
        );
    } else {
        assert_eq!(costs, [&Value::Null; 2]);
    }
    assert!(
        data["connections"].as_u64().is_some_and(|count| count >= 1),
        "{data}"
    );
    assert!(
        data["uptime"]
            .as_f64()
            .is_some_and(|seconds| seconds >= 0.0),
        "{data}"
    );
    assert!(data["messages"].is_u64(), "{data}");
}

#[test]
fn the_page_is_there_and_nothing_else() {
    let program = start();
    let page = http::get(program.addr, "/");
    assert_eq!(page.status, 200);
    let kind = page.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/html"), "{kind}");
    assert!(page.text().starts_with("<!doctype html>"));
    assert_eq!(http::get(program.addr, "/other").status, 404);
    assert_eq!(http::get(program.addr, "/dashboard").status, 426);
    let answer = http::get(program.addr, "/api/orders");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

/// A8: `initial_metrics` to whoever comes.
#[test]
fn who_comes_is_shown_the_metrics_at_once() {
    let program = start();
    let (_first, shown) = look(&program);
    assert_metrics(&shown["data"], true);
    assert_eq!(shown["data"]["connections"], 1);
    assert!(
        shown["timestamp"].as_u64() > Some(1_767_000_000_000),
        "{shown}"
    );
    assert_eq!(shown["orders"], json!([]));
    let (_second, shown) = look(&program);
    assert_eq!(shown["data"]["connections"], 2);
}

/// A8: `metrics_update` every 1000 ms, to everyone in the room.
#[test]
fn metrics_come_every_second_and_are_real() {
    let program = start();
    let (mut one, _) = look(&program);
    let (mut other, _) = look(&program);
    let first = hear_of(&mut one, "metrics_update");
    assert_eq!(
        hear_of(&mut other, "metrics_update"),
        first,
        "the same to all"
    );
    assert_metrics(&first["data"], false);
    assert_eq!(first["data"]["connections"], 2);
    drop(other);
    let later: Vec<_> = (0..3)
        .map(|_| hear_of(&mut one, "metrics_update"))
        .collect();
    let time = |of: &Value| of["timestamp"].as_u64().expect("a time");
    let took = time(&later[2]) - time(&first);
    // The first may have come late by nearly a second; on a busy machine all may.
    assert!((2_000..12_000).contains(&took), "three in {took} ms");
    let third = &later[2];
    assert_eq!(third["data"]["connections"], 1, "the other one has left");
    let uptime = |of: &Value| of["data"]["uptime"].as_f64().expect("seconds");
    assert!(uptime(third) - uptime(&first) >= 2.0, "{first} {third}");
    let messages = |of: &Value| of["data"]["messages"].as_u64().expect("a number");
    assert!(messages(third) > messages(&first));
    let (_late, shown) = look(&program);
    let history = shown["history"].as_array().expect("a list");
    let seen = json!({ "data": third["data"], "timestamp": third["timestamp"] });
    assert!(
        history.contains(&seen),
        "those who come later are shown what was"
    );
}

/// A8: the processor time is that of the program.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_works_shows_it() {
    let program = start();
    let (mut watcher, _) = look(&program);
    hear_of(&mut watcher, "metrics_update");
    let idle = hear_of(&mut watcher, "metrics_update")["data"]["cpu"].as_f64();
    let idle = idle.expect("percent");
    let mut busy = idle;
    for _ in 0..20 {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1_200) {
            assert_eq!(http::get(program.addr, "/").status, 200);
        }
        let cpu = hear_of(&mut watcher, "metrics_update")["data"]["cpu"].as_f64();
        busy = cpu.expect("percent").max(busy);
        if busy > idle + 1.0 {
            return;
        }
    }
    panic!("{busy} is no more than {idle}");
}

/// A8: `subscribe` and `unsubscribe` join and leave `metrics:NAME`, and what is told there reaches
/// those who are in it alone.
#[test]
fn who_subscribes_to_a_metric_hears_it_more_often_until_unsubscribing() {
    let program = start();
    let (mut ada, _) = look(&program);
    let (mut brook, _) = look(&program);
    say(
        &mut ada,
        &json!({ "type": "subscribe", "metric": "memory" }),
    );
    let subscribed = json!({ "type": "subscribed", "metric": "memory" });
    assert_eq!(hear_news(&mut ada), subscribed);
    let (mut all, mut own) = (0, 0);
    while all < 3 {
        let heard = hear(&mut ada);
        all += u32::from(heard["type"] == "metrics_update");
        if heard["type"] == "metric_update" {
            own += 1;
            assert_eq!(heard["metric"], "memory");
            let is_told = cfg!(target_os = "linux");
            assert_eq!(heard["value"].is_u64(), is_told, "{heard}");
        }
    }
    assert!((6..=16).contains(&own), "{own} in the time of {all}");
    say(
        &mut ada,
        &json!({ "type": "unsubscribe", "metric": "memory" }),
    );
    let unsubscribed = json!({ "type": "unsubscribed", "metric": "memory" });
    assert_eq!(hear_news(&mut ada), unsubscribed);
    // Nothing but what everyone hears, for longer than a quarter of a second.
    let mut updates = 0;
    while updates < 2 {
        let heard = hear(&mut ada);
        assert_ne!(heard["type"], "metric_update", "{heard}");
        updates += u32::from(heard["type"] == "metrics_update");
    }
    say(&mut brook, &json!({ "type": "no such type" }));
    loop {
        let heard = hear(&mut brook);
        assert_ne!(heard["type"], "metric_update", "nor ever did the other");
        if heard["type"] == "error" {
            break;
        }
    }
}

/// A8: `new_order` to everyone, and the HTTP answer is the order.
#[test]
fn an_order_over_http_is_answered_with_201_and_told_to_everyone() {
    let program = start();
    let (mut ada, _) = look(&program);
    let (mut brook, _) = look(&program);
    let text = "Tea <b>\u{1F375}</b> \"x\"";
    let placed = order(&program, text);
    let created = &placed["createdAt"];
    let expected = json!({
        "id": 1, "item": text, "quantity": 2, "price": 3.5, "total": 7.0, "status": "new",
        "createdAt": created,
    });
    assert_eq!(placed, expected);
    assert!(created.as_u64() > Some(1_767_000_000_000));
    let news = json!({ "type": "new_order", "order": placed, "timestamp": created });
    assert_eq!(hear_news(&mut ada), news);
    assert_eq!(hear_news(&mut brook), news);
    let second = order(&program, "Coffee");
    let (_, shown) = look(&program);
    assert_eq!(shown["orders"], json!([second, placed]), "newest first");
}

/// A8.
#[test]
fn an_order_that_makes_no_sense_is_answered_with_400_and_told_to_nobody() {
    let program = start();
    let (mut ada, _) = look(&program);
    let cases = [
        ("", "the body must be JSON"),
        ("{", "the body must be JSON"),
        ("\u{FEFF}{}", "the body must be JSON"),
        ("{}", "item must be"),
        (r#"{"item":"Tea"}"#, "quantity must be"),
        (r#"{"item":"Tea","quantity":1}"#, "price must be"),
        (
            r#"{"item":"Tea","quantity":1e3,"price":1}"#,
            "quantity must be",
        ),
    ];
    for (body, beginning) in cases {
        let answer = post(&program, body);
        assert_eq!(answer.status, 400, "{body}");
        let error: Value = serde_json::from_str(answer.text()).expect("JSON");
        let why = error["error"].as_str().unwrap_or_default();
        assert!(why.starts_with(beginning), "{body}: {why}");
    }
    let deep = post(&program, &"[".repeat(8_000));
    assert_eq!(deep.status, 400, "nested deeply");
    assert_eq!(post(&program, &" ".repeat(8_193)).status, 413);
    let placed = order(&program, "Tea");
    assert_eq!(
        hear_news(&mut ada)["order"],
        placed,
        "the first that is heard of"
    );
}

/// A23: `bulk_update` changes many things at once, and says what it did not change.
#[test]
fn orders_are_moved_on_in_bulk() {
    let program = start();
    let (mut ada, _) = look(&program);
    for item in ["Tea", "Coffee", "Milk"] {
        order(&program, item);
    }
    let (mut brook, _) = look(&program);
    for _ in 0..3 {
        assert_eq!(hear_news(&mut ada)["type"], "new_order");
    }
    let items = json!([
        { "id": 1, "status": "packed" }, { "id": 9, "status": "packed" }, { "id": 3, "status": "shipped" },
    ]);
    say(&mut ada, &json!({ "type": "bulk_update", "items": items }));
    let news = hear_news(&mut ada);
    assert_eq!(news["type"], "orders_updated");
    let statuses = news["orders"].as_array().expect("orders").iter();
    let statuses: Vec<_> = statuses
        .map(|o| (o["id"].clone(), o["status"].clone()))
        .collect();
    assert_eq!(
        statuses,
        [(json!(1), json!("packed")), (json!(3), json!("shipped"))]
    );
    assert_eq!(hear_news(&mut brook), news);
    let rejected = json!([{ "index": 1, "reason": "there is no order 9" }]);
    let answer = json!({ "type": "bulk_updated", "applied": 2, "rejected": rejected });
    assert_eq!(hear_news(&mut ada), answer);

    let many: Vec<_> = (0..101)
        .map(|id| json!({ "id": id, "status": "packed" }))
        .collect();
    say(&mut ada, &json!({ "type": "bulk_update", "items": many }));
    assert_eq!(hear_news(&mut ada)["message"], "at most 100 items at once");
    say(&mut ada, &json!({ "type": "bulk_update", "items": [] }));
    assert_eq!(hear_news(&mut ada)["applied"], 0);
    let placed = order(&program, "Sugar");
    assert_eq!(hear_news(&mut brook)["order"], placed, "nothing before");
}

/// A19: the application pings each of its sockets, hears the pongs, and stops with the socket.
#[test]
fn the_application_pings_by_itself_and_hears_the_answers() {
    let program = start();
    let begun = Instant::now();
    let mut client = Client::connect(program.addr, "/dashboard");
    let mut pings = Vec::new();
    let mut told = 0;
    // The first ping comes at once, the others every two seconds; only the last one may be answered.
    while told < 2 {
        assert!(begun.elapsed() < common::PATIENCE, "pings: {pings:?}");
        let frame = client.next().expect("a frame");
        match frame.opcode {
            PING => {
                client.send_frame(true, 0, PONG, b"something else");
                client.send_frame(true, 0, PONG, &frame.payload);
                pings.push(frame.payload);
            }
            TEXT => {
                let heard: Value = serde_json::from_slice(&frame.payload).expect("JSON");
                if heard["type"] == "latency" {
                    told += 1;
                    let ms = heard["ms"].as_f64().expect("milliseconds");
                    assert!((0.0..20_000.0).contains(&ms), "{ms}");
                    assert_eq!(told, pings.len(), "one for each ping");
                }
            }
            other => panic!("opcode {other}"),
        }
    }
    assert_ne!(pings[0], pings[1], "each has a number");
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

#[test]
fn nonsense_is_answered_with_an_error_and_survived() {
    let program = start();
    let (mut ada, _) = look(&program);
    let format = "Invalid message format";
    let cases = [
        ("hello", format),
        (r#"{"type":"subscribe","#, format),
        (r#"["subscribe"]"#, format),
        (r#"{"metric":"cpu"}"#, format),
        (r#"{"type":7}"#, format),
        (r#"{"type":"dance"}"#, "Unknown message type"),
        (r#"{"type":"metrics_update"}"#, "Unknown message type"),
        (r#"{"type":"subscribe"}"#, "Unknown metric: null"),
        (r#"{"type":"subscribe","metric":7}"#, "Unknown metric: 7"),
        (
            r#"{"type":"subscribe","metric":"x"}"#,
            "Unknown metric: \"x\"",
        ),
        (
            r#"{"type":"unsubscribe","metric":""}"#,
            "Unknown metric: \"\"",
        ),
        (r#"{"type":"bulk_update"}"#, format),
        (r#"{"type":"bulk_update","items":7}"#, format),
    ];
    for (text, message) in cases {
        ada.send(text);
        let error = json!({ "type": "error", "message": message });
        assert_eq!(hear_news(&mut ada), error, "{text}");
    }
    ada.send(&"[".repeat(30_000));
    assert_eq!(hear_news(&mut ada)["message"], format, "nested deeply");
    ada.send_binary(br#"{"type":"subscribe","metric":"cpu"}"#);
    assert_eq!(hear_news(&mut ada)["message"], format, "binary");
    say(&mut ada, &json!({ "type": "subscribe", "metric": "cpu" }));
    assert_eq!(hear_news(&mut ada)["type"], "subscribed");
    assert_eq!(knock(program.addr, "/other", ""), 404);
}

#[test]
fn sigterm_closes_everyone_with_1001_and_ends_well() {
    let mut program = start();
    let (mut ada, _) = look(&program);
    program.signal("-TERM");
    let close = loop {
        let frame = ada.recv();
        if frame.opcode == CLOSE {
            break frame;
        }
    };
    assert_eq!(close.payload[..2], 1001u16.to_be_bytes());
    ada.try_send_close(1001);
    ada.expect_end();
    assert_eq!(program.end(), Some(0));
}
