//! D12–D17: rules for who may do how much did not hold.

use std::io::Write;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use rushwire::{App, Hub, Join, Options, Rate, Request, event};

use crate::common::client::{PING, TEXT, frame, upgrade_request};
use crate::common::log::log;
use crate::common::{Client, PATIENCE, http, knock, serve, serve_with, until};
use crate::small;

/// A wildcard path beside a route let sockets in past the middleware, which heard every broadcast; here
/// middleware runs at every endpoint, and who has not passed hears nothing.
#[test]
fn d12_a_wildcard_path_skips_no_middleware() {
    let options = || Options {
        paths: vec!["/chat/*".into(), "/push".into()],
        ..small()
    };
    let (sender, asked) = channel();
    let server = serve_with(options, move |app| {
        app.ws_use(move |_, request, next| {
            sender
                .send(request.path().to_owned())
                .expect("the test waits");
            match request.query("token") {
                Some("secret") => next.run(),
                _ => next.reject(1008, "no token"),
            }
        });
        app.ws("/chat/:room", |_, _| {});
    });
    for path in ["/chat/a", "/chat/", "/chat/a/b", "/chat/a/b/c", "/push"] {
        let asked = || asked.recv_timeout(PATIENCE).expect("middleware runs");
        let mut stranger = server.connect(path);
        assert_eq!(asked(), path);
        let mut friend = server.connect(&format!("{path}?token=secret"));
        assert_eq!(asked(), path);
        server.wait_until("the friend is in", |hub| hub.len() == 1);
        assert_eq!(
            server.ask(|hub| hub.ws_broadcast("secret", None)),
            1,
            "{path}"
        );
        assert_eq!(friend.text(), "secret");
        assert_eq!(stranger.closed(), (1008, "no token".to_owned()), "{path}");
        drop(friend);
        server.wait_until("the friend is gone", Hub::is_empty);
    }
}

/// Broadcasts reached a socket before its authenticating middleware had finished; here it is in no
/// room, no count and no broadcast until then.
#[test]
fn d13_no_broadcast_reaches_a_socket_before_its_middleware_has_finished() {
    let (sender, nexts) = channel();
    let server = serve_with(small, move |app| {
        app.ws_use(|socket, _, next| {
            assert_eq!(socket.join("room"), Join::Closed);
            next.run();
        });
        app.ws_use(move |_, _, next| sender.send(next).expect("the test waits"));
        app.ws("/", |socket, _| _ = socket.join("room"));
    });
    let shout = |text: &'static str| {
        server.ask(move |hub| {
            let reached = [
                hub.ws_broadcast(text, None),
                hub.ws_broadcast(text, Some("room")),
                hub.to("room").send(text),
            ];
            (
                reached,
                hub.len(),
                hub.stats().total_connections,
                hub.rooms().len(),
            )
        })
    };
    let mut client = server.connect("/");
    let next = nexts.recv_timeout(PATIENCE).expect("middleware runs");
    assert_eq!(shout("early"), ([0; 3], 0, 0, 0));
    next.run();
    server.wait_until("it is in", |hub| hub.len() == 1);
    assert_eq!(shout("late"), ([1; 3], 1, 1, 1));
    assert_eq!([client.text(), client.text(), client.text()], ["late"; 3]);
}

/// `X-Forwarded-For` was believed of anybody, so that every limit for an address was for nothing, and
/// whoever came without it was unknown; here it is believed of trusted proxies only.
#[test]
fn d14_forwarded_headers_of_strangers_are_not_believed() {
    let table = [
        (vec![], "127.0.0.1"),
        (vec!["10.0.0.0/8".to_owned()], "127.0.0.1"),
        (vec!["127.0.0.1".to_owned()], "6.6.6.6"),
    ];
    for (trusted_proxies, told) in table {
        let options = move || Options {
            trusted_proxies,
            max_connections_per_ip: Some(2),
            ..small()
        };
        let server = serve_with(options, |app| {
            app.ws("/", |socket, request| {
                socket.send(
                    &request
                        .client_ip()
                        .map_or("unknown".to_owned(), |ip| ip.to_string()),
                );
            });
        });
        for headers in [
            "X-Forwarded-For: 6.6.6.6\r\n",
            "X-Forwarded-For: 7.7.7.7, 6.6.6.6\r\n",
            "Forwarded: for=6.6.6.6\r\n",
        ] {
            let mut client = Client::connect_with(server.addr, "/", headers);
            assert_eq!(client.text(), told, "{headers}");
            drop(client);
            server.wait_until("it is gone", Hub::is_empty);
        }
        assert_eq!(
            server.connect("/").text(),
            "127.0.0.1",
            "who comes directly is known"
        );
        server.wait_until("it is gone", Hub::is_empty);
        // Another address in each, and at the right end, where the proxy writes.
        let crowd: Vec<u16> = (1..=5)
            .scan(Vec::new(), |inside, i| {
                let headers = format!("X-Forwarded-For: 6.6.6.{i}\r\n");
                let client = Client::try_connect(server.addr, "/", &headers);
                let status = client.as_ref().map_or_else(|answer| answer.status, |_| 101);
                inside.extend(client);
                Some(status)
            })
            .collect();
        let expected = if told == "127.0.0.1" {
            [101, 101, 429, 429, 429]
        } else {
            [101; 5]
        };
        assert_eq!(crowd, expected, "{told}");
    }
}

/// With `max_connections` 1 and a decision that takes its time three got in; here one does, however many
/// race for the place.
#[test]
fn d15_max_connections_admits_exactly_so_many_while_handshakes_race() {
    const RACERS: usize = 16;
    let (sender, nexts) = channel();
    let options = || Options {
        max_connections: 1,
        ..small()
    };
    let server = serve_with(options, move |app| {
        app.ws_use(move |_, _, next| sender.send(next).expect("the test waits"));
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    for _ in 0..5 {
        let start = Arc::new(Barrier::new(RACERS));
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let (start, addr) = (Arc::clone(&start), server.addr);
                std::thread::spawn(move || {
                    start.wait();
                    Client::try_connect(addr, "/", "")
                })
            })
            .collect();
        let answers = racers
            .into_iter()
            .map(|racer| racer.join().expect("a racer"));
        let (inside, refused): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
        assert_eq!(inside.len(), 1);
        for answer in refused.into_iter().filter_map(Result::err) {
            assert_eq!(answer.status, 503);
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
        // Nobody else has come as far as the decision.
        nexts
            .recv_timeout(PATIENCE)
            .expect("one has come so far")
            .run();
        assert!(nexts.try_recv().is_err(), "but only one");
        for client in inside {
            assert_eq!(client.expect("it is in").text(), "hello");
        }
        server.wait_until("its place is free", Hub::is_empty);
    }
}

/// Joining without a user skipped the authorisation, and a test of the wrong thing refused everybody;
/// here `verify_client` is asked once for each upgrade, whatever the request leaves out, and nobody
/// gets in whom it has not accepted.
#[test]
fn d16_no_request_gets_past_verify_client() {
    let (sender, asked) = channel();
    let options = || Options {
        paths: vec!["/push/*".into()],
        ..small()
    };
    let server = serve_with(options, move |app: &mut App| {
        app.verify_client(move |request: &Request| {
            sender.send(()).expect("the test waits");
            request.query("user") == Some("ann")
        });
        for pattern in ["/", "/rooms/:room", "/files/*"] {
            app.ws(pattern, |_, _| {});
        }
        app.get("/page", |ctx| ctx.text("a page"));
    });
    let queries = [
        "",
        "?",
        "?user",
        "?user=",
        "?user=bob",
        "?user=bob&user=ann",
        "?USER=ann",
        "?user=ann%00",
    ];
    for path in ["/", "/rooms/a", "/files/", "/files/a/b", "/push/x"] {
        for query in queries {
            let url = format!("{path}{query}");
            assert_eq!(knock(server.addr, &url, ""), 401, "{url}");
            assert!(
                asked.try_recv().is_ok() && asked.try_recv().is_err(),
                "{url}: once"
            );
            assert!(server.ask(Hub::is_empty), "{url}");
        }
        // Nor behind another request on the same connection.
        let mut stream = http::connect(server.addr);
        let page = "GET /page?user=ann HTTP/1.1\r\nHost: h\r\n\r\n";
        let requests = format!("{page}{}", upgrade_request(path, ""));
        stream.write_all(requests.as_bytes()).expect("send");
        let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
        assert_eq!(answer.status, 200);
        assert_eq!(
            http::read_answer(&mut stream, rest, false).0.status,
            401,
            "{path}"
        );
        assert!(
            asked.try_recv().is_ok() && asked.try_recv().is_err(),
            "{path}: once"
        );

        let url = format!("{path}?user=ann");
        let friend = server.connect(&url);
        assert!(
            asked.try_recv().is_ok() && asked.try_recv().is_err(),
            "{url}: once"
        );
        drop(friend);
        server.wait_until("the friend is gone", Hub::is_empty);
    }
    assert_eq!(server.ask(|hub| hub.stats().accepted), 5);
}

/// The counter for each address was never counted up, and entries of others never taken out; here it
/// counts up and down, however connections end.
#[test]
fn d16_the_count_for_each_address_goes_up_and_down() {
    let options = || Options {
        max_connections_per_ip: Some(2),
        ..small()
    };
    let server = serve_with(options, |app| {
        app.verify_client(|request| request.query("no").is_none());
        app.ws_use(|_, request, next| {
            if request.query("reject").is_none() {
                next.run();
            }
        });
        app.ws("/", |_, _| {});
    });
    for round in 0..20 {
        let mut both = [server.connect("/"), server.connect("/")];
        assert_eq!(knock(server.addr, "/", ""), 429, "round {round}");
        match round % 4 {
            0 => both.iter_mut().for_each(Client::finish),
            1 => server.ask(|hub| hub.sockets().iter().for_each(rushwire::Socket::terminate)),
            2 => both
                .iter_mut()
                .for_each(|client| client.send_close(1000, "")),
            _ => {}
        }
        drop(both);
        server.wait_until("both are gone", Hub::is_empty);
        // Who is refused, by whatever rule, takes no place either.
        for _ in 0..3 {
            assert_eq!(knock(server.addr, "/?no", ""), 401, "round {round}");
        }
        for _ in 0..3 {
            until("the rejected one is gone", || {
                knock(server.addr, "/?reject", "") == 101
            });
        }
        until("all places are free", || {
            let first = Client::try_connect(server.addr, "/", "");
            first.is_ok() && knock(server.addr, "/", "") == 101
        });
        server.wait_until("both are gone", Hub::is_empty);
    }
}

/// What was counted for a client was never let go of, and could be another's; here who comes next in
/// the same place begins with a full allowance.
#[test]
fn d16_a_newcomer_inherits_no_counted_messages() {
    let options = || Options {
        message_rate: Some(Rate {
            messages: 3,
            per: Duration::from_secs(100_000),
        }),
        ..small()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.on(event::RateLimit, |socket, _| _ = socket.send("slow down"));
        });
    });
    for _ in 0..5 {
        let mut client = server.connect("/");
        client.send_raw(&frame(true, 0, TEXT, b"x").repeat(4));
        let answers: Vec<String> = (0..4).map(|_| client.text()).collect();
        assert_eq!(answers, ["x", "x", "x", "slow down"]);
        drop(client);
        server.wait_until("it is gone", Hub::is_empty);
    }
}

/// Nothing limited how long a handshake takes, how many connections an address has, how much it says,
/// nor how many rooms of what names it joins; here each has a limit, by default or by an option.
#[test]
fn d17_every_resource_that_a_client_takes_has_a_limit() {
    let defaults = Options::default();
    assert_eq!(defaults.handshake_timeout, Duration::from_secs(10));
    assert_eq!(
        (defaults.max_rooms_per_socket, defaults.max_room_name),
        (100, 256)
    );
    let short = || Options {
        handshake_timeout: Duration::from_millis(150),
        ..small()
    };
    let server = serve_with(short, |app| _ = app.ws("/", |_, _| {}));
    for (part, answer) in [(4, "HTTP/1.1 408 "), (100, "HTTP/1.1 408 "), (0, "")] {
        let mut stream = http::connect(server.addr);
        let request = upgrade_request("/", "");
        stream.write_all(&request.as_bytes()[..part]).expect("send");
        let said = String::from_utf8(http::read_to_end(&mut stream)).expect("text");
        assert!(
            said.starts_with(answer) && said.is_empty() == answer.is_empty(),
            "{said}"
        );
    }

    let server = serve(|app| _ = app.ws("/", |_, _| {}));
    let _client = server.connect("/");
    server.wait_until("it is in", |hub| hub.len() == 1);
    server.ask(|hub| {
        let socket = &hub.sockets()[0];
        assert_eq!(socket.join(&"x".repeat(257)), Join::BadName);
        assert_eq!(socket.join(&"x".repeat(256)), Join::Joined);
        let more: Vec<Join> = (0..101).map(|i| socket.join(&i.to_string())).collect();
        assert_eq!(
            more.iter().filter(|join| **join == Join::Joined).count(),
            99
        );
        assert!(more[99..].iter().all(|join| *join == Join::Limit));
        assert_eq!(hub.rooms().len(), 100);
    });

    let strict = || Options {
        max_connections_per_ip: Some(1),
        message_rate: Some(Rate {
            messages: 10,
            per: Duration::from_secs(100_000),
        }),
        ..small()
    };
    let (pen, log) = log();
    let server = crate::echo(strict, pen);
    let mut client = server.connect("/");
    assert_eq!(knock(server.addr, "/", ""), 429);
    client.send_frame(true, 0, PING, b"is no message");
    client.send_raw(&frame(true, 0, TEXT, b"x").repeat(11));
    (0..10).for_each(|_| assert_eq!(client.text(), "x"));
    client.expect_close(1008);
    assert_eq!(
        log.find("a close"),
        r#"a close 1008 "too many messages" Us RateLimit 0"#
    );
}
