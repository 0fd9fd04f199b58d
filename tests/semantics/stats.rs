//! What a server says that it has done.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::client::{BINARY, CONTINUATION, PING, PONG, TEXT};
use crate::common::{http, knock, serve_with};
use rushwire::{Hub, Options, Refusal, Socket, Stats, event};

#[test]
fn every_message_byte_refusal_and_end_is_counted_once() {
    let options = || Options {
        heartbeat: Duration::ZERO,
        max_connections: 2,
        allow_origins: vec!["https://a.example".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.verify_client(|request| request.query("no").is_none());
        app.ws_use(|_, request, next| {
            if request.query("reject").is_none() {
                next.run();
            }
        });
        app.ws("/", |socket, _| {
            socket.join("room");
            socket.on(event::Message, |_, _| {});
        });
        app.get("/page", |ctx| ctx.status(418).text("a teapot"));
    });
    let origin = "Origin: https://a.example\r\n";
    let stats = || server.ask(Hub::stats);
    assert_eq!(stats(), Stats::default());

    // Who is refused is counted by the cause.
    let refused = [
        ("/", "", 403),
        ("/?no", origin, 401),
        ("/nowhere", origin, 404),
        ("/nowhere", origin, 404),
        ("/%zz", origin, 400),
    ];
    for (path, headers, status) in refused {
        assert_eq!(knock(server.addr, path, headers), status, "{path}");
    }
    assert_eq!(http::get(server.addr, "/page").status, 418);
    assert_eq!(http::get(server.addr, "/").status, 426);
    let connect = |path| crate::common::Client::connect_with(server.addr, path, origin);
    connect("/?reject").expect_close(1008);
    let (mut a, mut b) = (connect("/"), connect("/"));
    server.wait_until("both are in", |hub| hub.len() == 2);
    server.wait_until("who was rejected is counted", |hub| {
        hub.stats().refused.contains_key(&Refusal::Middleware)
    });
    assert_eq!(knock(server.addr, "/", origin), 503);
    let mut expected = Stats::default();
    (expected.total_connections, expected.accepted) = (2, 2);
    expected.rooms = BTreeMap::from([("room".to_owned(), 2)]);
    expected.refused = BTreeMap::from([
        (Refusal::BadRequest, 1),
        (Refusal::Verify, 1),
        (Refusal::Origin, 1),
        (Refusal::NoRoute, 2),
        (Refusal::Application, 1),
        (Refusal::NoUpgrade, 1),
        (Refusal::Full, 1),
        (Refusal::Middleware, 1),
    ]);
    assert_eq!(stats(), expected);

    // A message counts once, however it is cut, and only its payload; control frames do not count.
    a.send("12345");
    a.send_binary(&[0; 100_000]);
    a.send_frame(false, 0, TEXT, b"12");
    a.send_frame(true, 0, PING, b"no message");
    a.send_frame(true, 0, CONTINUATION, b"345");
    a.send_frame(true, 0, BINARY, b"");
    a.send_frame(true, 0, PONG, b"no message");
    assert_eq!(a.next().expect("a pong").opcode, PONG);
    server.wait_until("all are heard", |hub| hub.stats().messages_in == 4);
    (expected.messages_in, expected.bytes_in) = (4, 100_010);
    assert_eq!(stats(), expected);

    // A broadcast counts once for each receiver.
    let reached = server.ask(|hub| {
        let sockets = hub.sockets();
        let socket: &Socket = &sockets[0];
        socket.send("123");
        socket.ping(b"no message");
        let large = vec![0; 100_000];
        [
            hub.ws_broadcast("1234", None),
            socket.broadcast("room", "12345"),
            socket.broadcast("nobody", "123456"),
            hub.to("room").send(&large),
        ]
    });
    assert_eq!(reached, [2, 1, 0, 2]);
    (expected.messages_out, expected.bytes_out) = (6, 3 + 2 * 4 + 5 + 2 * 100_000);
    assert_eq!(stats(), expected);

    // Ends are counted by their code, and nothing that is over is forgotten.
    a.send_close(4001, "");
    while a.recv().opcode != 8 {}
    a.expect_end();
    b.finish();
    while b.next().is_some() {}
    server.wait_until("both are gone", Hub::is_empty);
    expected.total_connections = 0;
    expected.rooms.clear();
    expected.closed = BTreeMap::from([(1006, 1), (4001, 1)]);
    assert_eq!(stats(), expected);
}
