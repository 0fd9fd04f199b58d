//! The peer or the network ends the connection: FIN and RST, wherever they come.

#[cfg(unix)]
use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use rushwire::{App, event};

use super::common::client::{BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame};
use super::common::log::log;
#[cfg(unix)]
use super::common::unix::{UnixClient, serve_unix};
use super::common::{Client, PATIENCE};
use super::{drop_unread, gone, no_heartbeat, observed};

/// Where in its stream of frames a peer may vanish.
fn unfinished() -> Vec<(&'static str, Vec<u8>)> {
    let start = frame(false, 0, TEXT, b"not all of ");
    let long = frame(true, 0, BINARY, &[7; 300]);
    vec![
        ("between two frames", Vec::new()),
        (
            "inside of a header",
            frame(true, 0, TEXT, b"x")[..1].to_vec(),
        ),
        ("inside of a long length", long[..3].to_vec()),
        ("inside of a key", long[..6].to_vec()),
        ("before the payload", long[..8].to_vec()),
        ("inside of a payload", long[..200].to_vec()),
        (
            "inside of a ping",
            frame(true, 0, PING, b"ping")[..8].to_vec(),
        ),
        ("between two fragments", start.clone()),
        (
            "inside of a second fragment",
            [
                start.clone(),
                frame(true, 0, CONTINUATION, b"the rest")[..9].to_vec(),
            ]
            .concat(),
        ),
        (
            "inside of a close frame",
            frame(true, 0, CLOSE, &close_payload(1000, "bye"))[..7].to_vec(),
        ),
    ]
}

#[test]
fn what_is_complete_is_heard_before_a_fin_and_then_1006_once() {
    for (name, rest) in unfinished() {
        for at_once in [true, false] {
            let (pen, log) = log();
            let server = observed(pen);
            let mut client = server.connect("/a");
            let hold = at_once.then(|| server.hold());
            client.send_raw(
                &[
                    frame(true, 0, TEXT, b"one"),
                    frame(true, 0, TEXT, b"two"),
                    rest.clone(),
                ]
                .concat(),
            );
            client.finish();
            drop(hold);
            client.expect_end();
            gone(&server);
            server.stop(Duration::ZERO);
            let expected = [
                "a open",
                "a message one",
                "a message two",
                r#"a close 1006 "" Nobody PeerGone 0"#,
            ];
            assert_eq!(log.rest(), expected, "FIN {name}, at once: {at_once}");
        }
    }
}

#[test]
fn what_is_complete_is_heard_before_an_rst_and_then_1006_once() {
    for (name, rest) in unfinished() {
        for at_once in [true, false] {
            let (pen, log) = log();
            let server = observed(pen);
            let mut client = server.connect("/a");
            server.ask(|hub| hub.ws_broadcast("never read", None));
            assert!(client.stream.peek(&mut [0]).expect("something comes") > 0);
            let hold = at_once.then(|| server.hold());
            client.send_raw(
                &[
                    frame(true, 0, TEXT, b"one"),
                    frame(true, 0, TEXT, b"two"),
                    rest.clone(),
                ]
                .concat(),
            );
            drop_unread(client);
            drop(hold);
            gone(&server);
            server.stop(Duration::ZERO);
            let expected = [
                "a open",
                "a message one",
                "a message two",
                "a error connection reset",
                r#"a close 1006 "" Nobody Io(ConnectionReset) 0"#,
            ];
            assert_eq!(log.rest(), expected, "RST {name}, at once: {at_once}");
        }
    }
}

/// More than one read takes, and the answers to the first part meet a peer that is gone.
#[cfg(unix)]
#[test]
fn all_that_came_is_heard_although_the_answers_find_nobody() {
    let (pen, log) = log();
    let (server, path) = serve_unix(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    });
    let mut client = UnixClient::connect(&path, "/a");
    let hold = server.hold();
    let messages = frame(true, 0, BINARY, &[1; 1000]).repeat(150);
    client
        .stream
        .write_all(&messages)
        .expect("it fits into the socket");
    drop(client);
    // Somebody else has something to do, too: so not all is read in one turn.
    server.remote.post(|_| ()).expect("the server is there");
    drop(hold);
    gone(&server);
    server.stop(Duration::ZERO);
    let lines = log.rest();
    assert_eq!(
        lines
            .iter()
            .filter(|line| *line == "a message 1000 bytes")
            .count(),
        150
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("a close 1006"))
            .count(),
        1
    );
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("a close 1006")),
        "{:?}",
        lines.last()
    );
}

#[test]
fn a_fin_behind_a_close_frame_changes_nothing() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    let hold = server.hold();
    client.send_raw(
        &[
            frame(true, 0, TEXT, b"one"),
            frame(true, 0, CLOSE, &close_payload(4001, "bye")),
        ]
        .concat(),
    );
    client.finish();
    drop(hold);
    assert_eq!(client.closed().0, 4001);
    client.expect_end();
    gone(&server);
    server.stop(Duration::ZERO);
    assert_eq!(
        log.rest(),
        [
            "a open",
            "a message one",
            r#"a close 4001 "bye" Peer Requested 0"#
        ]
    );
}

/// Edges tell of FIN and RST once; a loop that waits for them again, or never forgets them, spins.
#[test]
fn a_connection_that_ended_costs_no_turns() {
    type End = fn(Client);
    let ends: [(&str, End); 3] = [
        ("FIN", |client| {
            client.stream.shutdown(Shutdown::Write).expect("FIN")
        }),
        ("both closed", drop),
        ("half a frame, then both closed", |mut client| {
            client.send_raw(&[0x82])
        }),
    ];
    let mut app = App::with(no_heartbeat());
    app.ws("/", |_, _| {});
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("address");
    for (name, end) in ends {
        let peer = std::thread::spawn(move || end(Client::connect(addr, "/")));
        let deadline = Instant::now() + PATIENCE;
        while !peer.is_finished() || !server.hub().is_empty() {
            server.turn(Some(Duration::from_millis(10))).expect("turn");
            assert!(
                Instant::now() < deadline,
                "{name}: the end was never noticed"
            );
        }
        peer.join().expect("the peer");
        server.turn(Some(Duration::ZERO)).expect("turn");
        let began = Instant::now();
        (0..4).for_each(|_| server.turn(Some(Duration::from_millis(25))).expect("turn"));
        assert!(
            began.elapsed() > Duration::from_millis(50),
            "{name}: turns without anything to do end at once"
        );
    }
}
