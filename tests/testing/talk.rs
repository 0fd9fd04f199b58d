//! Messages, rooms, refusals, plain HTTP: all that needs no time.

use std::cell::Cell;
use std::rc::Rc;

use rushwire::testing::Received;
use rushwire::{App, ConfigError, Options, Response, event};

use super::{close, echo, serve, still, text};

#[test]
fn what_is_sent_is_heard_and_answered_and_nothing_more_comes() {
    let (test, _) = echo(still());
    let mut client = test.connect("/");
    assert_eq!(client.recv(), None);
    client.send("hello");
    client.send(&[0, 159, 146, 150]);
    client.send("");
    client.send(&"x".repeat(200_000));
    assert_eq!(client.text(), "hello");
    assert_eq!(client.binary(), [0, 159, 146, 150]);
    assert_eq!(client.recv(), text(""));
    assert_eq!(client.text().len(), 200_000);
    assert_eq!(client.recv(), None);
    client.ping(b"are you there");
    assert_eq!(client.recv(), Some(Received::Pong(b"are you there".into())));
}

#[test]
fn rooms_are_broadcast_to_and_left() {
    let mut app = App::with(still());
    app.ws("/chat/:room", |socket, request| {
        let room = request.param("room").to_owned();
        socket.join(&room);
        socket.broadcast(&room, "somebody came");
        socket.on(event::Message, move |socket, message| {
            socket.broadcast(&room, message);
        });
    });
    let test = serve(app);
    let (mut a, mut b, mut c) = (
        test.connect("/chat/red"),
        test.connect("/chat/red"),
        test.connect("/chat/blue"),
    );
    b.send("hello");
    assert_eq!(a.recv_all(), ["somebody came".into(), "hello".into()]);
    assert_eq!((b.recv(), c.recv()), (None, None));
    assert_eq!(test.hub().rooms(), ["blue", "red"]);
    drop(a);
    test.turn();
    assert_eq!(test.hub().room("red").len(), 1);
    assert_eq!(test.hub().ws_broadcast("all", None), 2);
    assert_eq!((b.text(), c.text()), ("all".into(), "all".into()));
}

#[test]
fn whoever_is_refused_sees_why() {
    let mut app = App::with(Options {
        max_connections_per_ip: Some(1),
        deny_addresses: vec!["198.51.100.0/24".into()],
        trusted_proxies: vec!["127.0.0.1".into()],
        subprotocols: vec!["v2".into(), "v1".into()],
        ..still()
    });
    app.verify_client(|request| {
        match request.header("Authorization") {
            Some("Bearer good") => Ok(()),
            Some(_) => Err(Response::text("no such token").with_status(403)),
            None => Err(Response::text("who are you?").with_status(401)),
        }
        .map_or_else(rushwire::Verdict::from, |()| true.into())
    });
    app.ws("/", |socket, request| {
        socket.send(&request.client_ip().expect("it has one").to_string());
    });
    let test = serve(app);
    let good = || {
        let request = test.request("GET", "/");
        request.header("Authorization", "Bearer good")
    };
    let missing = test.request("GET", "/").connect().unwrap_err();
    assert_eq!(
        (missing.status, missing.text().as_str()),
        (401, "who are you?")
    );
    let bad = test
        .request("GET", "/")
        .header("Authorization", "Bearer bad");
    let bad = bad.connect().unwrap_err();
    assert_eq!((bad.status, bad.text().as_str()), (403, "no such token"));
    assert_eq!(
        test.request("GET", "/nowhere")
            .connect()
            .unwrap_err()
            .status,
        404
    );
    let denied = good().from([198, 51, 100, 9]).connect().unwrap_err();
    assert_eq!(denied.status, 403);
    let proxied = good().header("X-Forwarded-For", "198.51.100.9");
    assert_eq!(proxied.connect().unwrap_err().status, 403);

    let first = good()
        .from([203, 0, 113, 7])
        .subprotocol("v1")
        .subprotocol("v2");
    let mut first = first.connect().expect("a place");
    assert_eq!(
        first.protocol().as_deref(),
        Some("v2"),
        "the server's order"
    );
    assert_eq!(first.text(), "203.0.113.7");
    let second = good().from([203, 0, 113, 7]).connect().unwrap_err();
    assert_eq!(second.status, 429);
    assert!(second.header("retry-after").is_some());
    let proxied = good().header("X-Forwarded-For", "203.0.113.8");
    assert_eq!(
        proxied.connect().expect("another address").text(),
        "203.0.113.8"
    );
    drop(first);
    assert!(
        good().from([203, 0, 113, 7]).connect().is_ok(),
        "its place is free"
    );
}

#[test]
fn plain_requests_are_answered_and_connections_kept() {
    let mut app = App::with(still());
    app.get("/rooms/:room", |ctx| {
        ctx.json(format!(r#"{{"room":"{}"}}"#, ctx.param("room")));
    });
    app.post("/orders", |ctx| {
        ctx.status(201)
            .header("X-Length", ctx.body().len().to_string());
        ctx.bytes("application/octet-stream", ctx.body());
    });
    let test = serve(app);
    let answer = test.get("/rooms/red");
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, r#"{"room":"red"}"#)
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(test.get("/nowhere").status, 404);
    let body = vec![7; 300_000];
    let answer = test.request("POST", "/orders").body(body.clone()).send();
    assert_eq!(
        (answer.status, answer.header("x-length")),
        (201, Some("300000"))
    );
    assert_eq!(answer.body, body);
    let head = test.request("HEAD", "/rooms/red").send();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("14"))
    );
    assert!(head.body.is_empty());
    let expecting = test
        .request("POST", "/orders")
        .header("Expect", "100-continue");
    assert_eq!(expecting.body("late").send().status, 201);

    let mut kept = test.open();
    let ask = "GET /rooms/a HTTP/1.1\r\nHost: h\r\n\r\n";
    kept.send(ask.repeat(3));
    let answers: Vec<_> = std::iter::from_fn(|| kept.answer()).collect();
    assert_eq!(answers.len(), 3);
    assert!(!kept.is_ended());
    kept.send("nonsense\r\n\r\n");
    assert_eq!(kept.answer().expect("a refusal").status, 400);
    assert!(kept.is_ended() && kept.recv().is_empty());
}

#[test]
fn what_is_wrong_with_an_application_is_told() {
    let mut app = App::with(Options {
        max_message_size: 0,
        ..Options::default()
    });
    app.ws("/:", |_, _| {});
    let wrong: ConfigError = rushwire::testing::TestServer::new(app).unwrap_err();
    assert_eq!(wrong.problems().len(), 2, "{wrong}");
    assert!(wrong.to_string().contains("\"/:\""), "{wrong}");
}

#[test]
fn frames_may_be_sent_piecemeal_and_wrong() {
    let (test, journal) = echo(still());
    let mut client = test.connect("/");
    for byte in common_hello() {
        assert_eq!(client.recv(), None);
        client.send_raw([byte]);
    }
    assert_eq!(client.text(), "Hello");
    client.send_raw(b"\x81\x05Hello"); // not masked
    assert_eq!(client.closed().0, 1002);
    assert!(client.is_ended());
    assert_eq!(journal.take().len(), 2, "error and close");
}

/// A masked "Hello" (RFC 6455 §5.7).
fn common_hello() -> [u8; 11] {
    *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
}

#[test]
fn a_close_is_answered_unless_told_otherwise_and_then_the_connection_ends() {
    let (test, journal) = echo(still());
    let mut client = test.connect("/");
    client.close_with(4_000, "enough");
    assert_eq!(client.recv(), close(4_000, ""));
    assert!(client.is_ended());
    assert_eq!(journal.take(), ["close 4000 Peer Requested 0"]);
    let mut client = test.connect("/");
    test.hub()
        .sockets()
        .iter()
        .for_each(rushwire::Socket::close);
    assert_eq!(client.recv(), close(1000, ""));
    assert!(client.is_ended(), "it has answered");
    assert_eq!(journal.take(), ["close 1000 Us Requested 0"]);
}

#[test]
fn middleware_may_decide_later_and_on_another_thread() {
    let mut app = App::with(still());
    let kept = Rc::new(Cell::new(None));
    let keeps = Rc::clone(&kept);
    app.ws_use(move |_, _, next| keeps.set(Some(next)));
    app.ws("/", |socket, _| {
        let value = socket.data::<u32>().expect("carried over");
        socket.send(&value.to_string());
    });
    let test = serve(app);
    let mut client = test.connect("/");
    assert_eq!((client.recv(), test.hub().len()), (None, 0));
    let next = kept.take().expect("it has run");
    let decides = std::thread::spawn(move || next.run_with(7_u32));
    decides.join().expect("no panic");
    assert_eq!(client.text(), "7");
}
