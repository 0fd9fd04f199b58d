//! The limits example, as its page talks to it: a whole program, in a process of its own. A11, A12, A13,
//! A14 and A19.
#![cfg(unix)]

mod common;

/// Its own tests run here: `cargo test` does not run what stands in an example.
#[path = "../examples/limits/settings.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod settings;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::client::{CLOSE, PING, PONG, TEXT};
use common::example::{self, Example, hear, say};
use common::http::{self, Answer};
use common::{Client, until};
use serde_json::{Value, json};

fn start(arguments: &str) -> Example {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    Example::start("limits", &words)
}

/// What a request for a socket is answered with.
fn knock(addr: SocketAddr, path: &str, from: &str) -> Answer {
    let answer = Client::try_connect(addr, path, &forwarded(from));
    answer.map_or_else(|refused| refused, |client| client.answer)
}

/// A socket that says, through the trusted proxy that we are, where it comes from.
fn connect_from(addr: SocketAddr, path: &str, from: &str) -> Client {
    Client::connect_with(addr, path, &forwarded(from))
}

fn forwarded(from: &str) -> String {
    match from {
        "" => String::new(),
        from => format!("X-Forwarded-For: {from}\r\n"),
    }
}

fn get_from(addr: SocketAddr, from: &str) -> u16 {
    let more = forwarded(from);
    let request = format!("GET /api/limits HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    http::request(addr, request).status
}

fn limits(program: &Example) -> Value {
    let answer = http::get(program.addr, "/api/limits");
    assert_eq!(answer.status, 200);
    serde_json::from_str(answer.text()).expect("JSON")
}

/// Somebody in a room of `/robust`.
fn robust(program: &Example) -> Client {
    let mut client = Client::connect(program.addr, "/robust/lobby");
    assert_eq!(hear(&mut client)["type"], "welcome");
    client
}

fn hear_texts(client: &mut Client, count: usize) -> Vec<Value> {
    (0..count).map(|_| hear(client)).collect()
}

#[test]
fn the_page_is_there_and_loads_nothing_from_elsewhere() {
    let program = start("");
    let page = http::get(program.addr, "/");
    let kind = page.header("content-type").unwrap_or_default();
    assert!(page.status == 200 && kind.starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.text().contains("innerHTML") && !page.text().contains("https://"));
}

/// A12: so many new connections from one address in so long a time.
#[test]
fn who_connects_too_often_is_refused_with_429_and_when_to_come_back() {
    let program = start("--connections 3/60s");
    let addr = program.addr;
    for number in 0..3 {
        let answer = knock(addr, "/limited/a", "");
        assert_eq!(answer.status, 101, "{number}");
    }
    let answer = knock(addr, "/limited/a", "");
    assert_eq!(answer.status, 429);
    let wait = answer.header("retry-after").map(str::parse::<u64>);
    assert!(
        matches!(wait, Some(Ok(1..=20))),
        "a place comes back every 20 s: {wait:?}"
    );
    // Another address has a bucket of its own, and plain HTTP needs none.
    assert_eq!(knock(addr, "/limited/a", "198.51.100.7").status, 101);
    assert_eq!(get_from(addr, ""), 200);
}

/// A12: the rate refills evenly, and not with the calendar's minute.
#[test]
fn who_has_waited_may_connect_again() {
    let program = start("--connections 1/300ms");
    let began = Instant::now();
    assert_eq!(knock(program.addr, "/limited/a", "").status, 101);
    until("the next may come", || {
        knock(program.addr, "/limited/a", "").status == 101
    });
    assert!(began.elapsed() >= Duration::from_millis(250));
}

/// A12: so many connections from one address at a time.
#[test]
fn one_address_has_only_so_many_connections_at_a_time() {
    let program = start("--per-ip 2");
    let addr = program.addr;
    let first = Client::connect(addr, "/limited/a");
    let _second = Client::connect(addr, "/limited/b");
    assert_eq!(knock(addr, "/limited/c", "").status, 429);
    assert_eq!(knock(addr, "/limited/c", "198.51.100.7").status, 101);
    drop(first);
    until("the place is free again", || {
        knock(addr, "/limited/c", "").status == 101
    });
}

/// A12: who is no trusted proxy cannot say to be somebody else.
#[test]
fn a_forged_address_gets_no_more_connections() {
    let program = start("--per-ip 1 --trust none");
    let _only = connect_from(program.addr, "/limited/a", "198.51.100.7");
    for from in ["", "198.51.100.8", "203.0.113.9"] {
        assert_eq!(
            knock(program.addr, "/limited/a", from).status,
            429,
            "{from}"
        );
    }
}

/// A13: lists of addresses and networks, IPv4 in IPv6 clothes included.
#[test]
fn addresses_are_allowed_and_denied_by_network() {
    let deny = "--deny 10.0.0.0/8,2001:db8::/32,192.0.2.7";
    let both = "--allow 10.0.0.0/8,127.0.0.1 --deny 10.9.0.0/16";
    let cases = [
        ("", "203.0.113.77", 403),
        ("", "203.0.114.1", 200),
        (deny, "10.1.2.3", 403),
        (deny, "11.1.2.3", 200),
        (deny, "::ffff:10.1.2.3", 403),
        (deny, "2001:db8:1::1", 403),
        (deny, "2001:db9::1", 200),
        (deny, "192.0.2.7", 403),
        (deny, "192.0.2.8", 200),
        (both, "10.1.2.3", 200),
        (both, "10.9.2.3", 403),
        (both, "192.0.2.7", 403),
        (both, "", 200),
    ];
    for (arguments, from, status) in cases {
        let program = start(arguments);
        let name = format!("{from} with {arguments:?}");
        assert_eq!(get_from(program.addr, from), status, "{name}");
        let opened = if status == 200 { 101 } else { 403 };
        assert_eq!(
            knock(program.addr, "/limited/a", from).status,
            opened,
            "{name}"
        );
    }
}

/// A13: the list holds for whoever connects, whatever a header says.
#[test]
fn a_denied_peer_cannot_talk_itself_in() {
    let program = start("--deny 127.0.0.0/8 --trust none");
    for from in ["", "198.51.100.7"] {
        assert_eq!(get_from(program.addr, from), 403, "{from}");
        assert_eq!(
            knock(program.addr, "/limited/a", from).status,
            403,
            "{from}"
        );
    }
}

/// A11: so many messages from one socket; what is too much is answered, and the connection stays.
#[test]
fn messages_beyond_the_rate_are_refused_and_the_connection_stays_open() {
    let program = start("--messages 3/60s");
    let mut client = robust(&program);
    let mut other = robust(&program);
    for number in 0..6 {
        say(&mut client, &json!({ "type": "chat", "text": number }));
    }
    let heard = hear_texts(&mut client, 6);
    let texts: Vec<_> = heard.iter().map(|one| one["text"].as_u64()).collect();
    assert_eq!(texts, [Some(0), Some(1), Some(2), None, None, None]);
    for error in &heard[3..] {
        let wait = &error["retryAfter"];
        assert!(wait.as_u64().is_some_and(|wait| wait <= 20_000), "{wait}");
        let expected =
            json!({ "type": "error", "message": "Rate limit exceeded", "retryAfter": wait });
        assert_eq!(*error, expected);
    }
    // Others have a rate of their own, and the first still hears them.
    say(&mut other, &json!({ "type": "chat", "text": "mine" }));
    assert_eq!(hear(&mut client)["text"], "mine");
    assert_eq!(hear_texts(&mut other, 4)[3]["text"], "mine");
}

/// A11: the rate comes back.
#[test]
fn who_has_waited_may_send_again() {
    let program = start("--messages 2/1s");
    let mut client = robust(&program);
    let mut refused = 0;
    for number in 0.. {
        say(&mut client, &json!({ "type": "chat", "text": number }));
        match hear(&mut client)["type"].as_str() {
            Some("error") => refused += 1,
            _ if refused > 0 => return,
            _ => {}
        }
    }
}

/// A11: long messages cost more.
#[test]
fn bytes_beyond_the_rate_are_refused_as_well() {
    let program = start("--bytes 1000/60s");
    let mut client = robust(&program);
    let text = "x".repeat(400);
    for _ in 0..3 {
        say(&mut client, &json!({ "type": "chat", "text": text }));
    }
    let types = hear_texts(&mut client, 3);
    let types: Vec<_> = types.iter().map(|one| one["type"].as_str()).collect();
    assert_eq!(types, [Some("chat"), Some("chat"), Some("error")]);
}

/// A11: a connection ends after its time, however busy it is, with 1000.
#[test]
fn a_connection_is_closed_with_1000_after_its_time() {
    let program = start("--timeout 400ms --messages 100000/1s --bytes 100000000/1s");
    let mut quiet = Client::connect(program.addr, "/limited/a");
    let began = Instant::now();
    let mut client = robust(&program);
    loop {
        say(&mut client, &json!({ "type": "chat", "text": "busy" }));
        let frame = client.recv();
        if frame.opcode == CLOSE {
            assert_eq!(&frame.payload[..2], 1000_u16.to_be_bytes());
            assert_eq!(&frame.payload[2..], b"Connection timeout");
            break;
        }
        assert_eq!(frame.opcode, TEXT);
        assert!(began.elapsed() < Duration::from_secs(10), "it never ends");
    }
    assert!(began.elapsed() >= Duration::from_millis(350), "too early");
    // Only `/robust` has such an end.
    quiet.send_frame(true, 0, PING, b"here");
    assert_eq!(hear(&mut quiet)["type"], "joined");
    assert_eq!(quiet.next().map(|frame| frame.opcode), Some(PONG));
}

/// A11: a message has a type; what makes no sense is answered.
#[test]
fn messages_that_make_no_sense_are_answered_and_survived() {
    let program = start("");
    let mut client = robust(&program);
    let cases = [
        ("hello", "This is no JSON"),
        ("", "This is no JSON"),
        ("7", "Invalid message type"),
        ("{}", "Invalid message type"),
        (r#"{"type":7}"#, "Invalid message type"),
        (r#"{"type":""}"#, "Invalid message type"),
        (r#"["type"]"#, "Invalid message type"),
    ];
    for (said, details) in cases {
        client.send(said);
        let error =
            json!({ "type": "error", "message": "Invalid message format", "details": details });
        assert_eq!(hear(&mut client), error, "{said}");
    }
    client.send_binary(br#"{"type":"chat"}"#);
    assert_eq!(
        hear(&mut client)["details"],
        "Binary messages mean nothing here"
    );
    say(
        &mut client,
        &json!({ "type": "chat", "from": "somebody else" }),
    );
    let heard = hear(&mut client);
    assert!(
        heard["type"] == "chat" && heard["from"] != "somebody else",
        "{heard}"
    );
}

/// A11: an error is told before the end it leads to.
#[test]
fn an_error_is_told_with_its_code_before_the_connection_ends() {
    let program = start("");
    let long = vec![b'x'; 16 * 1024 + 1];
    let cases = [
        ("too long", TEXT, long.as_slice(), 1009),
        ("not UTF-8", TEXT, b"\xFF", 1007),
        ("no opcode", 0x3, b"", 1002),
    ];
    for (name, opcode, payload, code) in cases {
        let mut client = robust(&program);
        client.send_frame(true, 0, opcode, payload);
        let error =
            json!({ "type": "error", "message": "Connection error occurred", "code": code });
        assert_eq!(hear(&mut client), error, "{name}");
        assert_eq!(client.closed().0, code, "{name}");
    }
}

/// A14: a full room says so, closes with 1013, and has a place again when somebody leaves.
#[test]
fn a_full_room_says_so_and_closes_with_1013() {
    let program = start("--room 2");
    let addr = program.addr;
    let (mut ada, mut brook) = (
        Client::connect(addr, "/limited/lobby"),
        Client::connect(addr, "/limited/lobby"),
    );
    let joined =
        |members| json!({ "type": "joined", "room": "lobby", "members": members, "capacity": 2 });
    assert_eq!(hear(&mut ada), joined(1));
    assert_eq!(hear(&mut brook), joined(2));
    assert_eq!(hear(&mut ada), json!({ "type": "members", "members": 2 }));
    let mut late = Client::connect(addr, "/limited/lobby");
    assert_eq!(hear(&mut late), json!({ "error": "Room is full" }));
    assert_eq!(late.closed(), (1013, "Room is full".to_owned()));
    let mut elsewhere = Client::connect(addr, "/limited/garden");
    assert_eq!(hear(&mut elsewhere)["members"], 1);
    // Who was refused is not in it.
    ada.send("hello");
    assert_eq!(brook.text(), "hello");

    brook.send_close(1000, "");
    brook.expect_close(1000);
    assert_eq!(hear(&mut ada), json!({ "type": "members", "members": 1 }));
    let mut next = Client::connect(addr, "/limited/lobby");
    assert_eq!(hear(&mut next), joined(2));
}

/// A14: looking and joining are one step.
#[test]
fn no_two_get_the_last_place_however_many_come_at_once() {
    let program = start("--room 10 --per-ip 100 --connections 100/1s");
    let addr = program.addr;
    let come = move || {
        let mut client = Client::connect(addr, "/limited/lobby");
        let is_in = hear(&mut client)["type"] == "joined";
        (is_in, client)
    };
    let threads: Vec<_> = (0..40).map(|_| std::thread::spawn(come)).collect();
    let came = threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"));
    let came: Vec<(bool, Client)> = came.collect();
    assert_eq!(came.iter().filter(|(is_in, _)| *is_in).count(), 10);
    assert_eq!(limits(&program)["gauges"]["rooms"]["limited:lobby"], 10);
}

/// A14: a room that nobody is in is not remembered.
#[test]
fn an_empty_room_is_forgotten() {
    let program = start("");
    let client = Client::connect(program.addr, "/limited/lobby");
    assert_eq!(
        limits(&program)["gauges"]["rooms"],
        json!({ "limited:lobby": 1 })
    );
    drop(client);
    until("the room is gone", || {
        limits(&program)["gauges"]["rooms"] == json!({})
    });
    let mut long = Client::connect(program.addr, &format!("/limited/{}", "x".repeat(300)));
    assert_eq!(hear(&mut long), json!({ "error": "Bad room name" }));
    assert_eq!(long.closed().0, 1008);
}

/// A19: the application pings, and measures how long the answer takes.
#[test]
fn a_heartbeat_is_answered_and_measured() {
    let program = start("--beat 400ms");
    let mut client = Client::connect(program.addr, "/heartbeat");
    assert_eq!(
        hear(&mut client),
        json!({ "type": "welcome", "period": 400 })
    );
    // What was not asked for counts as no answer.
    client.send_frame(true, 0, PONG, &1_u32.to_be_bytes());
    for beat in 1..=2 {
        let heard = hear(&mut client);
        assert_eq!(
            (&heard["type"], &heard["beat"]),
            (&json!("heartbeat"), &json!(beat))
        );
        let millis = heard["roundTrip"].as_f64().expect("a number");
        assert!(millis > 0.0 && millis < 20_000.0, "{millis}");
    }
}

/// A19: who does not answer is gone.
#[test]
fn who_leaves_two_beats_unanswered_is_closed_with_1001() {
    let program = start("--beat 60ms");
    let mut client = Client::connect(program.addr, "/heartbeat");
    assert_eq!(hear(&mut client)["type"], "welcome");
    for beat in 1_u32..=2 {
        let ping = client.next().expect("a ping");
        assert_eq!(
            (ping.opcode, ping.payload),
            (PING, beat.to_be_bytes().to_vec())
        );
        // The wrong answer is none.
        client.send_frame(true, 0, PONG, b"what?");
    }
    assert_eq!(client.closed(), (1001, "No heartbeat".to_owned()));
}

/// A19: and so does the library, on all sockets.
#[test]
fn the_heartbeat_of_the_library_ends_who_is_silent() {
    let program = start("--heartbeat 60ms --pong 150ms");
    let mut client = Client::connect(program.addr, "/limited/a");
    assert_eq!(hear(&mut client)["type"], "joined");
    let frames: Vec<_> = std::iter::from_fn(|| client.next()).collect();
    assert!(frames.len() >= 2, "{frames:?}");
    let (last, pings) = frames.split_last().expect("frames");
    assert!(pings.iter().all(|frame| frame.opcode == PING), "{frames:?}");
    assert_eq!(
        (last.opcode, &last.payload[..2]),
        (CLOSE, &1001_u16.to_be_bytes()[..])
    );
}

/// A11 to A14: what is used can be watched.
#[test]
fn who_watches_sees_limits_and_gauges() {
    let program = start("--room 3 --per-ip 5 --messages 7/2s");
    let mut watcher = connect_from(program.addr, "/watch", "198.51.100.7");
    let shown = hear(&mut watcher);
    assert_eq!(shown["type"], "limits");
    let limits = &shown["limits"];
    assert_eq!(limits["you"], "198.51.100.7");
    assert_eq!((&limits["room"], &limits["perIp"]), (&json!(3), &json!(5)));
    assert_eq!(limits["messages"], json!({ "count": 7, "per": 2000 }));

    let _same = connect_from(program.addr, "/limited/a", "198.51.100.7");
    let _others =
        ["198.51.100.8", "198.51.100.9"].map(|from| connect_from(program.addr, "/limited/b", from));
    let refused = knock(program.addr, "/limited/a", "203.0.113.1");
    assert_eq!(refused.status, 403);
    let deadline = Instant::now() + common::PATIENCE;
    loop {
        let shown = hear(&mut watcher);
        assert_eq!(shown["type"], "gauges");
        let gauges = &shown["gauges"];
        if gauges["here"] == 2
            && gauges["open"] == 4
            && gauges["refused"] == json!({ "address": 1 })
        {
            assert_eq!(gauges["rooms"], json!({ "limited:a": 1, "limited:b": 2 }));
            return;
        }
        assert!(Instant::now() < deadline, "{gauges}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_quoted_and_ends_the_program() {
    let cases = [
        ("--rooms 3", "--rooms"),
        ("--deny 10.0.0.0/33", "10.0.0.0/33"),
        ("--room 0", "max_room_size"),
        ("--messages 0/1s", "message_rate"),
    ];
    for (arguments, quoted) in cases {
        let mut program = example::command("limits");
        program.arg("127.0.0.1:0").args(arguments.split(' '));
        let said = example::refusal(program);
        assert!(said.contains(quoted), "{arguments}: {said}");
    }
}

#[test]
fn sigterm_closes_everyone_with_1001_and_ends_well() {
    let mut program = start("");
    let mut client = robust(&program);
    program.signal("-TERM");
    client.expect_close(1001);
    assert_eq!(program.end(), Some(0));
}
