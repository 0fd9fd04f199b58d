//! What a socket tells of itself, of its peer's signs of life, and of what is kept with it.

use std::time::Duration;

use crate::common::client::{PING, PONG, TEXT, frame};
use crate::common::{Client, serve_with};
use crate::{Journal, NEVER};
use rushwire::testing::TestServer;
use rushwire::{App, Options, Socket, event};

/// No pings but one's own.
fn still() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        subprotocols: vec!["v1".into()],
        ..Options::default()
    }
}

/// The request is over when the handler has returned; what is worth knowing of it stays.
#[test]
fn url_address_and_protocol_are_known_while_it_is_open_and_after_its_end() {
    let journal = Journal::default();
    let noted = journal.clone();
    let tell = |socket: &Socket| {
        format!(
            "{} {:?} {:?} {}",
            socket.url(),
            socket.remote_addr(),
            socket.protocol(),
            socket.id()
        )
    };
    let server = serve_with(still, move |app| {
        app.ws("/chat/:room", move |socket, request| {
            assert_eq!(socket.url(), request.url());
            noted.note(tell(socket));
            for _ in 0..2 {
                let noted = noted.clone();
                socket.on(event::Message, move |socket, _| noted.note(tell(socket)));
            }
            let (noted, kept) = (noted.clone(), socket.clone());
            socket.on(event::Close, move |socket, _| {
                noted.note(tell(socket));
                let (noted, kept) = (noted.clone(), kept.clone());
                let later = move |_: &rushwire::Hub| noted.note(tell(&kept));
                socket.hub().set_timeout(Duration::ZERO, later);
            });
        });
    });
    for (headers, protocol) in [
        ("Sec-WebSocket-Protocol: v1\r\n", "Some(\"v1\")"),
        ("", "None"),
    ] {
        for url in ["/chat/a", "/chat/a%20b?x=1&x=2&y", "/chat/%C3%BC?"] {
            let before = journal.lines().len();
            let mut client = Client::connect_with(server.addr, url, headers);
            let address = client.stream.local_addr().expect("it is connected");
            client.send("hello");
            client.send_close(1000, "");
            let lines = journal.wait_for(before + 5).split_off(before);
            let id = lines[0].rsplit(' ').next().expect("an id").to_owned();
            let told = format!("{url} Some({address}) {protocol} {id}");
            assert_eq!(lines, vec![told; 5]);
        }
    }
}

#[test]
fn pings_and_pongs_are_told_and_a_ping_is_answered_whoever_listens() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(still, move |app| {
        app.ws("/:listeners", move |socket, request| {
            let count: usize = request.param("listeners").parse().expect("a number");
            for _ in 0..count {
                let pings = noted.clone();
                socket.on(event::Ping, move |_, bytes| {
                    pings.note(format!("ping {bytes:?}"))
                });
                let pongs = noted.clone();
                socket.on(event::Pong, move |_, bytes| {
                    pongs.note(format!("pong {bytes:?}"))
                });
            }
            socket.on(event::Message, |socket, message| {
                assert!(socket.ping(message.as_bytes()));
            });
        });
    });
    let long: Vec<u8> = (0..200).collect();
    for count in 0..3 {
        let before = journal.lines().len();
        let mut client = server.connect(&format!("/{count}"));
        let mut expected = Vec::new();
        for payload in [&[][..], b"\xFFx", &long[..125]] {
            client.send_frame(true, 0, PING, payload);
            let pong = client.next().expect("a pong");
            let told = (pong.opcode, &pong.payload[..]);
            assert_eq!(told, (PONG, payload), "{count} listeners");
            expected.extend(vec![format!("ping {payload:?}"); count]);
        }
        // The application's own ping, of 125 bytes at most; the answer to it, and one to nothing.
        client.send_binary(&long);
        let ping = client.next().expect("a ping");
        assert_eq!((ping.opcode, &ping.payload[..]), (PING, &long[..125]));
        for payload in [&long[..125], b"unasked"] {
            client.send_frame(true, 0, PONG, payload);
            expected.extend(vec![format!("pong {payload:?}"); count]);
        }
        client.send_close(1000, "");
        client.closed();
        client.expect_end();
        assert_eq!(journal.lines()[before..], expected);
    }
}

/// It begins with the connection: who has never been pinged is not dead.
#[test]
fn last_pong_counts_from_the_opening_and_anew_from_every_sign_of_life() {
    const LONG: Duration = Duration::from_secs(200);
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(still());
    app.ws("/", move |socket, _| {
        let noted = noted.clone();
        let note = move |what: &str, socket: &Socket| {
            noted.note(format!("{what} {:?}", socket.last_pong()));
        };
        note("opening", socket);
        let on_message = note.clone();
        socket.on(event::Message, move |socket, _| {
            on_message("message", socket)
        });
        let on_ping = note.clone();
        socket.on(event::Ping, move |socket, _| on_ping("ping", socket));
        socket.on(event::Pong, move |socket, _| note("pong", socket));
    });
    let test = TestServer::new(app).expect("nothing is wrong");
    let mut client = test.connect("/");
    let socket = test.hub().sockets().remove(0);
    let mut expected = vec!["opening 0ns"];
    for (sign, told) in [
        (frame(true, 0, TEXT, b"x"), "message 0ns"),
        (frame(true, 0, PING, b"x"), "ping 0ns"),
        (frame(true, 0, PONG, b"x"), "pong 0ns"),
    ] {
        test.clock().advance(LONG);
        assert_eq!(socket.last_pong(), LONG, "{told}");
        // Part of a frame is a sign, too, which nobody hears.
        client.send_raw(&sign[..3]);
        test.turn();
        assert_eq!(socket.last_pong(), Duration::ZERO, "{told}");
        client.send_raw(&sign[3..]);
        test.turn();
        expected.push(told);
        assert_eq!(journal.lines(), expected);
    }
}

#[test]
fn is_alive_is_false_while_a_ping_of_the_heartbeat_is_unanswered() {
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(Options {
        heartbeat: Duration::from_secs(30),
        pong_timeout: NEVER,
        ..Options::default()
    });
    app.ws("/", move |socket, _| {
        assert!(socket.is_alive());
        // The application's own is no part of the heartbeat.
        socket.ping(b"own");
        assert!(socket.is_alive());
        let noted = noted.clone();
        socket.on(event::Pong, move |socket, _| noted.note(socket.is_alive()));
    });
    let test = TestServer::new(app).expect("nothing is wrong");
    let mut client = test.connect("/");
    client.ignore_pings();
    let socket = test.hub().sockets().remove(0);
    assert_eq!(journal.lines(), ["true"], "its own is answered");
    for round in 2..=4 {
        assert!(socket.is_alive());
        test.clock().advance(Duration::from_secs(30));
        assert!(!socket.is_alive());
        client.pong(b"");
        test.turn();
        assert_eq!(journal.lines(), vec!["true"; round]);
    }
}

/// The two before, over a real socket.
#[test]
fn over_a_real_socket_signs_of_life_are_told() {
    let options = || Options {
        heartbeat: Duration::from_millis(30),
        pong_timeout: NEVER,
        ..Options::default()
    };
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            let noted = noted.clone();
            socket.on(event::Pong, move |socket, _| {
                noted.note(format!("{} {:?}", socket.is_alive(), socket.last_pong()));
            });
        });
    });
    let mut client = server.connect("/");
    for round in 1..=3 {
        server.wait_until("a ping is unanswered", |hub| {
            let sockets = hub.sockets();
            let socket = sockets.first();
            socket.is_some_and(|it| !it.is_alive() && it.last_pong() >= Duration::from_millis(20))
        });
        client.send_frame(true, 0, PONG, b"");
        assert_eq!(journal.wait_for(round), vec!["true 0ns"; round]);
    }
}

#[test]
fn values_are_kept_by_type_and_the_later_replaces_the_earlier() {
    struct User(&'static str);
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(still, move |app| {
        app.verify_client(|request| {
            request.set(User("from the request"));
            request.set(1_u8);
            true
        });
        app.ws("/", move |socket, _| {
            let (user, number) = (socket.data::<User>(), socket.data::<u8>());
            assert_eq!(user.map(|user| user.0), Some("from the request"));
            assert_eq!((number.as_deref(), socket.data::<u16>()), (Some(&1), None));
            socket.set(2_u8);
            socket.set(3_u16);
            assert_eq!(
                number.as_deref(),
                Some(&1),
                "what one has stays what it was"
            );
            let noted = noted.clone();
            socket.on(event::Close, move |socket, _| {
                noted.note(format!(
                    "{:?} {:?} {:?} {:?}",
                    socket.data::<User>().map(|user| user.0),
                    socket.data::<u8>(),
                    socket.data::<u16>(),
                    socket.data::<u32>()
                ));
            });
        });
    });
    drop(server.connect("/"));
    let told = r#"Some("from the request") Some(2) Some(3) None"#;
    assert_eq!(journal.wait_for(1), [told]);
    // Nobody else's, in the same place.
    drop(server.connect("/"));
    assert_eq!(journal.wait_for(2), [told; 2]);
}
