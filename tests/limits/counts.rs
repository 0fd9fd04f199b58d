//! How many: sockets, rooms, messages.

use std::time::{Duration, Instant};

use rushwire::{Hub, Join, Options, Rate, event};

use super::common::client::{BINARY, frame};
use super::common::{Client, PATIENCE, http, serve, serve_with};
use super::{SHORT, limited, quiet};

#[test]
fn paths_open_endpoints_beside_the_routes_and_the_default_is_ws() {
    let (server, _log) = limited(|| Options {
        paths: vec!["/more".into()],
        ..quiet()
    });
    let statuses = ["/", "/more", "/ws"].map(|path| {
        Client::try_connect(server.addr, path, "").map_or_else(|answer| answer.status, |_| 101)
    });
    assert_eq!(statuses, [101, 101, 404]);
    let server = serve(|_| {});
    let statuses = ["/", "/ws"].map(|path| {
        Client::try_connect(server.addr, path, "").map_or_else(|answer| answer.status, |_| 101)
    });
    assert_eq!(statuses, [404, 101]);
}

#[test]
fn a_socket_beyond_max_connections_is_answered_503_until_a_place_is_free() {
    let (server, _log) = limited(|| Options {
        max_connections: 2,
        ..quiet()
    });
    let (first, _second) = (server.connect("/"), server.connect("/"));
    let refused = Client::try_connect(server.addr, "/", "")
        .map(|_| ())
        .expect_err("full");
    assert_eq!(refused.status, 503);
    assert!(
        refused
            .header("retry-after")
            .is_some_and(|after| after.parse::<u32>().is_ok())
    );
    assert_eq!(
        http::get(server.addr, "/page").text(),
        "a page",
        "plain HTTP needs no place"
    );
    drop(first);
    server.wait_until("a place is free", |hub| hub.len() == 1);
    let _third = server.connect("/");
}

#[test]
fn a_socket_beyond_max_connections_per_ip_is_answered_429_until_a_place_is_free() {
    let options = || Options {
        max_connections_per_ip: Some(1),
        trusted_proxies: vec!["127.0.0.1".into()],
        ..quiet()
    };
    let (server, _log) = limited(options);
    let from =
        |ip: &str| Client::try_connect(server.addr, "/", &format!("X-Forwarded-For: {ip}\r\n"));
    let first = from("10.0.0.1").expect("a place");
    assert_eq!(from("10.0.0.1").map(|_| ()).expect_err("full").status, 429);
    let _other = from("10.0.0.2").expect("another address has a place of its own");
    drop(first);
    server.wait_until("a place is free", |hub| hub.len() == 1);
    let _again = from("10.0.0.1").expect("a place again");
}

#[test]
fn rooms_are_limited_in_number_in_their_names_and_in_members() {
    let options = || Options {
        max_rooms_per_socket: 2,
        max_room_name: 8,
        ..quiet()
    };
    let (server, _log) = limited(options);
    let _clients = [server.connect("/"), server.connect("/")];
    server.wait_until("both are open", |hub| hub.len() == 2);
    server.ask(|hub| {
        let [a, b] = &hub.sockets()[..] else {
            panic!("two sockets")
        };
        let (long, longest) = ("123456789", "12345678");
        let cases = [
            ("no name", a.join(""), Join::BadName),
            ("a name of one byte more", a.join(long), Join::BadName),
            ("four letters of nine bytes", a.join("äöü€"), Join::BadName),
            ("the longest name", a.join(longest), Join::Joined),
            ("the same again", a.join(longest), Join::Already),
            ("no room for anybody", a.join_up_to("none", 0), Join::Full),
            ("the last room", a.join_up_to("pair", 1), Join::Joined),
            (
                "in it already, and it is full",
                a.join_up_to("pair", 1),
                Join::Already,
            ),
            ("one room more", a.join("third"), Join::Limit),
            ("one member more", b.join_up_to("pair", 1), Join::Full),
            ("a higher capacity", b.join_up_to("pair", 2), Join::Joined),
        ];
        for (name, found, expected) in cases {
            assert_eq!(found, expected, "{name}");
            assert_eq!(
                found.is_in(),
                matches!(expected, Join::Joined | Join::Already),
                "{name}"
            );
        }
        assert!(a.leave("pair"));
        assert_eq!(a.join("third"), Join::Joined, "a place is free again");
        assert_eq!(
            (hub.rooms(), hub.room("none").len()),
            (
                vec![longest.to_owned(), "pair".to_owned(), "third".to_owned()],
                0
            )
        );
        assert_eq!(
            hub.sockets()
                .iter()
                .map(|socket| socket.rooms().len())
                .collect::<Vec<_>>(),
            [2, 1]
        );
    });
}

#[test]
fn a_peer_beyond_message_rate_is_closed_with_1008_unless_somebody_listens() {
    let rate = || Options {
        message_rate: Some(Rate {
            messages: 3,
            per: Duration::from_secs(100_000),
        }),
        ..quiet()
    };
    let (server, log) = limited(rate);
    let mut client = server.connect("/");
    client.send_raw(&frame(true, 0, BINARY, b"12").repeat(5));
    client.expect_close(1008);
    drop(client);
    server.wait_until("it is gone", Hub::is_empty);
    server.stop(Duration::ZERO);
    let lines = log.rest();
    assert_eq!(
        lines
            .iter()
            .filter(|line| *line == "a message 2 bytes")
            .count(),
        3
    );
    assert!(
        lines.contains(&r#"a close 1008 "too many messages" Us RateLimit 0"#.to_owned()),
        "{lines:?}"
    );

    let server = serve_with(rate, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.on(event::RateLimit, |socket, limited| {
                assert!(limited.retry_after > Duration::from_secs(1000));
                socket.send("slow down");
            });
        });
    });
    let mut client = server.connect("/");
    ["a", "b", "c", "d", "e"]
        .iter()
        .for_each(|text| client.send(text));
    let answers: Vec<String> = (0..5).map(|_| client.text()).collect();
    assert_eq!(answers, ["a", "b", "c", "slow down", "slow down"]);
}

#[test]
fn a_rate_refills_evenly() {
    let rate = || Options {
        message_rate: Some(Rate {
            messages: 2,
            per: SHORT,
        }),
        ..quiet()
    };
    let server = serve_with(rate, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.on(event::RateLimit, |socket, limited| {
                _ = socket.send(&format!("{:?}", limited.retry_after <= SHORT / 2))
            });
        });
    });
    let mut client = server.connect("/");
    let deadline = Instant::now() + PATIENCE;
    let mut accepted = 0;
    while accepted < 6 {
        client.send("x");
        match &*client.text() {
            "x" => accepted += 1,
            other => assert_eq!(other, "true", "one message takes half of the time"),
        }
        assert!(Instant::now() < deadline, "it is never refilled");
    }
}
