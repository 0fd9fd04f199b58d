//! 8. Rooms: who is where, and what is the room that a socket is "in".

mod common;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};

use common::client::frame;
use common::{Client, PATIENCE, Server, serve, serve_with};
use rushwire::{Join, Options, Socket, event};

/// Runs `act` with each socket, on the server's thread, and gives what it gives.
fn with_socket<R: Send + 'static>(
    options: fn() -> Options,
    act: impl Fn(&Socket) -> R + Send + 'static,
) -> (R, Server, Client) {
    let (sender, results) = channel();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            sender.send(act(socket)).expect("the test waits")
        });
    });
    let client = server.connect("/");
    (receive(&results), server, client)
}

fn receive<R>(results: &Receiver<R>) -> R {
    results.recv_timeout(PATIENCE).expect("it ran")
}

fn names(rooms: &[std::rc::Rc<str>]) -> String {
    rooms.join(" ")
}

/// A server whose sockets join the rooms of their query, in that order, and then say "open".
fn serve_joining() -> Server {
    serve(|app| {
        app.ws("/", |socket, request| {
            request
                .query_all("in")
                .for_each(|room| _ = socket.join(room));
            socket.send("open");
        });
    })
}

fn join(server: &Server, query: &str) -> Client {
    let mut client = server.connect(&format!("/?{query}"));
    assert_eq!(client.text(), "open");
    client
}

#[test]
fn room_is_the_most_recently_joined_room_still_held() {
    type Step = fn(&Socket);
    #[rustfmt::skip]
    let steps: [(&str, Step, Option<&str>, &str); 12] = [
        ("nothing yet",             |_| {},                         None,      ""),
        ("join a",                  |s| _ = s.join("a"),          Some("a"), "a"),
        ("join b",                  |s| _ = s.join("b"),          Some("b"), "a b"),
        ("join c",                  |s| _ = s.join("c"),          Some("c"), "a b c"),
        ("join a again",            |s| _ = s.join("a"),          Some("c"), "a b c"),
        ("leave b",                 |s| _ = s.leave("b"),         Some("c"), "a c"),
        ("leave c",                 |s| _ = s.leave("c"),         Some("a"), "a"),
        ("leave a stranger's room", |s| _ = s.leave("x"),         Some("a"), "a"),
        ("join b once more",        |s| _ = s.join("b"),          Some("b"), "a b"),
        ("leave a",                 |s| _ = s.leave("a"),         Some("b"), "b"),
        ("leave b and return",      |s| _ = (s.leave("b"), s.join("c"), s.join("b")), Some("b"), "c b"),
        ("leave all",               |s| _ = (s.leave("b"), s.leave("c")), None, ""),
    ];
    let walk = move |socket: &Socket| {
        steps.map(|(_, step, _, _)| {
            step(socket);
            (
                socket.room().map(|room| room.to_string()),
                names(&socket.rooms()),
            )
        })
    };
    let (seen, _server, _client) = with_socket(Options::default, walk);
    for ((name, _, room, rooms), seen) in steps.into_iter().zip(seen) {
        assert_eq!(seen, (room.map(str::to_owned), rooms.to_owned()), "{name}");
    }
}

#[test]
fn joining_twice_is_joining_once() {
    let (seen, server, mut client) = with_socket(Options::default, |socket| {
        let joins = [socket.join("a"), socket.join("a"), socket.join("a")];
        (
            joins,
            joins.map(Join::is_in),
            socket.hub().room("a").len(),
            socket.broadcast_all("a", "once"),
            [socket.leave("a"), socket.leave("a")],
        )
    });
    assert_eq!(
        seen,
        (
            [Join::Joined, Join::Already, Join::Already],
            [true; 3],
            1,
            1,
            [true, false]
        )
    );
    assert_eq!(client.text(), "once");
    server.ask(|hub| hub.ws_broadcast("only once", None));
    assert_eq!(client.text(), "only once");
}

#[test]
fn a_socket_joins_only_so_many_rooms() {
    let (seen, ..) = with_socket(
        || Options {
            max_rooms_per_socket: 3,
            ..Options::default()
        },
        |socket| {
            let first = ["a", "b", "c", "d"].map(|room| socket.join(room));
            let again = socket.join("a");
            socket.leave("b");
            (
                first,
                again,
                socket.join("d"),
                socket.join("e"),
                names(&socket.rooms()),
                socket.hub().rooms(),
            )
        },
    );
    let first = [Join::Joined, Join::Joined, Join::Joined, Join::Limit];
    let rooms: Vec<String> = ["a", "c", "d"].map(str::to_owned).into();
    assert_eq!(
        seen,
        (
            first,
            Join::Already,
            Join::Joined,
            Join::Limit,
            "a c d".to_owned(),
            rooms
        )
    );
}

#[test]
fn by_default_a_socket_joins_a_hundred_rooms() {
    let (joined, ..) = with_socket(Options::default, |socket| {
        (0..150)
            .filter(|i| socket.join(&format!("room {i}")).is_in())
            .count()
    });
    assert_eq!(joined, 100);
}

#[test]
fn a_name_is_neither_empty_nor_too_long_and_anything_else() {
    let (seen, ..) = with_socket(
        || Options {
            max_room_name: 8,
            ..Options::default()
        },
        |socket| {
            [
                "",
                "12345678",
                "123456789",
                "éééé",
                "ééééé",
                " ",
                "a\0b",
                "😀😀",
                "\n",
            ]
            .map(|name| (socket.join(name), socket.is_in(name)))
        },
    );
    let (good, bad) = ((Join::Joined, true), (Join::BadName, false));
    assert_eq!(seen, [bad, good, bad, good, bad, good, good, good, good]);
}

/// A14: checking and joining are one step.
#[test]
fn a_room_takes_as_many_as_it_has_room_for() {
    let (sender, results) = channel();
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            let joined = socket.join_up_to("small", 2);
            sender
                .send((
                    joined,
                    socket.join_up_to("small", 2),
                    socket.hub().room("small").len(),
                ))
                .expect("the test waits");
            if joined == Join::Full {
                socket.send("room is full");
                socket
                    .close_with(1_013, "room is full")
                    .expect("a good code");
            }
        });
    });
    let mut clients: Vec<Client> = Vec::new();
    for expected in [
        (Join::Joined, Join::Already, 1),
        (Join::Joined, Join::Already, 2),
        (Join::Full, Join::Full, 2),
    ] {
        clients.push(server.connect("/"));
        assert_eq!(receive(&results), expected);
    }
    let mut refused = clients.pop().expect("three came");
    assert_eq!(refused.text(), "room is full");
    refused.expect_close(1013);
    drop(clients.pop());
    server.wait_until("one has left", |hub| hub.room("small").len() == 1);
    let _next = server.connect("/");
    assert_eq!(receive(&results), (Join::Joined, Join::Already, 2));
}

#[test]
fn there_is_no_room_for_nobody() {
    let (seen, ..) = with_socket(Options::default, |socket| {
        (
            socket.join_up_to("none", 0),
            socket.hub().rooms(),
            socket.rooms().len(),
        )
    });
    assert_eq!(seen, (Join::Full, Vec::<String>::new(), 0));
}

#[test]
fn a_room_tells_who_is_in_it_as_a_snapshot() {
    let server = serve_joining();
    let _clients = [
        join(&server, "in=a&in=b"),
        join(&server, "in=a"),
        join(&server, "in=b&in=a"),
    ];
    server.ask(|hub| {
        assert_eq!(hub.rooms(), ["a", "b"]);
        assert_eq!(
            (
                hub.room("a").name(),
                hub.room("a").len(),
                hub.room("b").len(),
                hub.room("x").len()
            ),
            ("a", 3, 2, 0)
        );
        assert!(hub.room("x").is_empty() && !hub.room("a").is_empty());
        let members = hub.room("a").members();
        for (i, member) in members.iter().enumerate() {
            assert!(member.is_in("a"));
            assert!(member.leave("a"));
            assert_eq!(hub.room("a").len(), 2 - i);
            assert!(
                members
                    .iter()
                    .all(|other| other.ready_state() == rushwire::ReadyState::Open)
            );
        }
        assert_eq!(hub.rooms(), ["b"]);
        let stats = hub.stats();
        assert_eq!(stats.rooms, BTreeMap::from([("b".to_owned(), 2)]));
    });
}

#[test]
fn a_room_ends_with_its_last_member_however_that_leaves() {
    let server = serve_joining();
    type End = fn(Client, &Server);
    let ends: [(&str, End); 5] = [
        ("leave", |client, server| {
            server.ask(|hub| {
                hub.sockets()
                    .iter()
                    .for_each(|socket| _ = socket.leave("a"))
            });
            drop(client);
        }),
        ("close", |mut client, _| {
            client.send_close(1000, "");
            while client.next().is_some() {}
        }),
        ("FIN", |client, _| drop(client)),
        ("a violation", |mut client, _| {
            client.send_raw(&frame(true, 7, 1, b""));
            client.finish();
            while client.next().is_some() {}
        }),
        ("terminate", |mut client, server| {
            server.ask(|hub| hub.sockets().iter().for_each(Socket::terminate));
            while client.next().is_some() {}
        }),
    ];
    for (name, end) in ends {
        let client = join(&server, "in=a");
        assert_eq!(server.ask(|hub| hub.rooms()), ["a"], "{name}");
        end(client, &server);
        server.wait_until("the room is gone", |hub| {
            hub.rooms().is_empty() && hub.stats().rooms.is_empty() && hub.is_empty()
        });
    }
}

/// D21: joining after the end kept a room for ever.
#[test]
fn nobody_joins_while_closing_or_after_the_end() {
    let (sender, results) = channel();
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            socket.join("before");
            socket.close();
            let closing = (socket.join("closing"), socket.join("before"));
            let sender = sender.clone();
            let kept = socket.clone();
            socket.on(event::Close, move |socket, _| {
                let inside = (socket.join("inside"), socket.leave("before"));
                let (sender, kept) = (sender.clone(), kept.clone());
                socket
                    .hub()
                    .set_timeout(std::time::Duration::ZERO, move |hub| {
                        let after = (
                            kept.join("after"),
                            kept.leave("before"),
                            names(&kept.rooms()),
                        );
                        sender
                            .send((closing, inside, after, hub.rooms()))
                            .expect("the test waits");
                    });
            });
        });
    });
    server.connect("/").expect_close(1000);
    let (closing, inside, after, rooms) = receive(&results);
    assert_eq!(closing, (Join::Closed, Join::Closed));
    assert_eq!(inside, (Join::Closed, false));
    assert_eq!(after, (Join::Closed, false, "before".to_owned()));
    assert!(rooms.is_empty(), "{rooms:?}");
}

/// A stored socket of one that is gone touches nothing of the one that took its place.
#[test]
fn a_stale_socket_is_in_no_room_of_its_heir() {
    let (sender, results) = channel();
    let server = serve(move |app| {
        let mut first: Option<Socket> = None;
        app.ws("/", move |socket, _| {
            socket.join("room");
            let Some(stale) = &first else {
                first = Some(socket.clone());
                return sender
                    .send((Join::Joined, false, false, 1))
                    .expect("the test waits");
            };
            let answer = (
                stale.join("room"),
                stale.leave("room"),
                stale.is_in("room"),
                socket.hub().room("room").len(),
            );
            assert_ne!(stale.id(), socket.id());
            sender.send(answer).expect("the test waits");
        });
    });
    let first = server.connect("/");
    receive(&results);
    drop(first);
    server.wait_until("it is gone", |hub| hub.is_empty());
    let _heir = server.connect("/");
    assert_eq!(receive(&results), (Join::Closed, false, false, 1));
}

/// Random walks of many sockets against the obvious model, with endings in between.
#[test]
fn rooms_agree_with_lists_of_names_whatever_happens() {
    let server = serve_joining();
    let mut clients: Vec<Option<Client>> = Vec::new();
    clients.resize_with(8, || None);
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..60 {
        for client in &mut clients {
            client.get_or_insert_with(|| join(&server, "in=lobby"));
        }
        let seed = x;
        server.ask(move |hub| walk(hub, seed));
        for _ in 0..3 {
            x = step(x);
            clients[x as usize % 8] = None;
        }
        let left = clients.iter().flatten().count();
        server.wait_until("the lost ones are gone", move |hub| hub.len() == left);
        assert_eq!(server.ask(|hub| hub.sockets().len()), left, "round {round}");
    }
    clients.clear();
    server.wait_until("everything is gone", |hub| {
        hub.is_empty() && hub.rooms().is_empty()
    });
}

fn step(mut x: u64) -> u64 {
    x ^= x << 13;
    x ^= x >> 7;
    x ^ x << 17
}

/// Joins and leaves at random, and compares what everybody says with a list per socket.
fn walk(hub: &rushwire::Hub, mut x: u64) {
    let sockets = hub.sockets();
    let mut model: Vec<Vec<String>> = sockets
        .iter()
        .map(|socket| socket.rooms().iter().map(|room| room.to_string()).collect())
        .collect();
    for _ in 0..300 {
        x = step(x);
        let (who, name) = (x as usize % sockets.len(), format!("room {}", x >> 8 & 7));
        let (socket, mine) = (&sockets[who], &mut model[who]);
        if x >> 16 & 1 == 0 {
            let expected = if mine.contains(&name) {
                Join::Already
            } else {
                Join::Joined
            };
            assert_eq!(socket.join(&name), expected);
            if expected == Join::Joined {
                mine.push(name);
            }
        } else {
            assert_eq!(socket.leave(&name), mine.contains(&name));
            mine.retain(|room| *room != name);
        }
        assert_eq!(socket.room().as_deref(), mine.last().map(String::as_str));
    }
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for (socket, mine) in sockets.iter().zip(&model) {
        assert_eq!(names(&socket.rooms()), mine.join(" "));
        mine.iter()
            .for_each(|room| *sizes.entry(room.clone()).or_default() += 1);
    }
    assert_eq!(hub.stats().rooms, sizes);
    assert_eq!(hub.rooms(), sizes.keys().cloned().collect::<Vec<_>>());
    for (room, size) in &sizes {
        let mut members: Vec<_> = hub.room(room).members().iter().map(Socket::id).collect();
        members.sort_unstable();
        let mut expected: Vec<_> = sockets
            .iter()
            .zip(&model)
            .filter(|(_, mine)| mine.contains(room))
            .map(|(socket, _)| socket.id())
            .collect();
        expected.sort_unstable();
        assert_eq!((members, hub.room(room).len()), (expected, *size), "{room}");
    }
}

#[test]
fn leaving_in_the_turn_of_a_broadcast_takes_nothing_back() {
    let (reached, _server, mut client) = with_socket(Options::default, |socket| {
        socket.join("a");
        let first = socket.broadcast_all("a", "one");
        socket.leave("a");
        let second = socket.broadcast_all("a", "two");
        socket.join("a");
        (first, second, socket.broadcast_all("a", "three"))
    });
    assert_eq!(reached, (1, 0, 1));
    assert_eq!(
        (client.text(), client.text()),
        ("one".to_owned(), "three".to_owned())
    );
}
