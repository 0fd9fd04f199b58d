//! One side closes: `close`, `terminate`, both at once, and peers who do not play along.

use std::io::Write;
use std::time::{Duration, Instant};

use rushwire::{Join, Options, SendStatus, Socket, event};

use super::common::client::{BINARY, PING, PONG, TEXT, frame};
use super::common::log::log;
use super::common::{PATIENCE, serve, serve_with};
use super::{gone, no_heartbeat, observed, with_socket};

#[test]
fn nothing_is_heard_after_close_not_even_what_was_read_already() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/", move |socket, _| {
            pen.watch("a", socket);
            socket.on(event::Message, |socket, message| {
                if message.as_text() == Some("close") {
                    socket.close_with(4000, "enough").expect("a good code");
                    socket.close();
                    assert_eq!(socket.send("too late"), SendStatus::Closed);
                }
            });
        });
    });
    let mut client = server.connect("/");
    let frames = ["before", "close", "after"].map(|text| frame(true, 0, TEXT, text.as_bytes()));
    client.send_raw(&frames.concat());
    assert_eq!(client.closed(), (4000, "enough".to_owned()));
    client.send("much later");
    client.send_close(4000, "");
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(
        log.rest(),
        [
            "a open",
            "a message before",
            "a message close",
            r#"a close 4000 "enough" Us Requested 0"#
        ]
    );
}

#[test]
fn nothing_at_all_is_heard_after_terminate() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/", move |socket, _| {
            pen.watch("a", socket);
            socket.on(event::Message, |socket, _| socket.terminate());
            let pings = pen.clone();
            socket.on(event::Ping, move |_, _| pings.note("a ping"));
            let pongs = pen.clone();
            socket.on(event::Pong, move |_, _| pongs.note("a pong"));
        });
    });
    let mut client = server.connect("/");
    let frames = [
        frame(true, 0, PING, b""),
        frame(true, 0, TEXT, b"cut"),
        frame(true, 0, PING, b""),
        frame(true, 0, PONG, b""),
        frame(true, 0, TEXT, b"after"),
        frame(true, 0, 0xB, b"a violation"),
    ];
    client.send_raw(&frames.concat());
    client.expect_end();
    server.stop(Duration::ZERO);
    // The pong to the first ping was queued, and is no message.
    let end = r#"a close 1006 "" Us Terminated 0"#;
    assert_eq!(log.rest(), ["a open", "a ping", "a message cut", end]);
}

#[test]
fn what_was_sent_before_close_is_delivered_first() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            (0..3).for_each(|i| _ = socket.send(&format!("{i}")));
            socket.send(&vec![5; 8 << 20]);
            socket.close_with(4000, "").expect("a good code");
        });
    });
    let mut client = server.connect("/");
    assert_eq!(
        [client.text(), client.text(), client.text()],
        ["0", "1", "2"]
    );
    assert!(client.binary() == vec![5; 8 << 20]);
    client.expect_close(4000);
}

#[test]
fn terminate_says_nothing_drops_what_waits_and_counts_it() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| {
        (0..3).for_each(|_| assert_eq!(socket.send("dropped"), SendStatus::Queued));
        socket.terminate();
        socket.terminate();
        assert_eq!(socket.send("too late"), SendStatus::Closed);
    });
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", r#"a close 1006 "" Us Terminated 3"#]);
}

#[test]
fn a_peer_that_never_answers_our_close_is_cut_after_close_timeout() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| {
        socket.close_with(4000, "bye").expect("a good code")
    });
    assert_eq!(client.closed(), (4000, "bye".to_owned()));
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(
        log.rest(),
        ["a open", r#"a close 4000 "bye" Us CloseTimeout 0"#]
    );
}

#[test]
fn when_both_close_at_once_each_has_said_it_once() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| {
        socket.close_with(4000, "ours").expect("a good code")
    });
    // The peer has not read ours yet when it sends its own.
    client.send_close(4001, "theirs");
    assert_eq!(client.closed(), (4000, "ours".to_owned()));
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(
        log.rest(),
        ["a open", r#"a close 4000 "ours" Us Requested 0"#]
    );
}

#[test]
fn a_peer_that_floods_after_our_close_is_not_heard_and_cut_in_time() {
    let (pen, log) = log();
    let server = observed(pen);
    let client = server.connect("/a");
    with_socket(&server, "a", Socket::close);
    let mut flood = client;
    let message = frame(true, 0, BINARY, &[0; 60_000]);
    let began = Instant::now();
    while flood.stream.write_all(&message).is_ok() {
        assert!(began.elapsed() < PATIENCE, "the flood is never ended");
    }
    gone(&server);
    assert_eq!(server.ask(|hub| hub.stats().messages_in), 0);
    server.stop(Duration::ZERO);
    assert_eq!(
        log.rest(),
        ["a open", r#"a close 1000 "" Us CloseTimeout 0"#]
    );
}

#[test]
fn all_rooms_are_left_before_the_close_event_and_still_told() {
    let rooms = 10_000;
    let (pen, log) = log();
    let server = serve_with(
        move || Options {
            max_rooms_per_socket: rooms,
            ..no_heartbeat()
        },
        move |app| {
            app.ws("/", move |socket, _| {
                (0..rooms)
                    .for_each(|i| assert_eq!(socket.join(&format!("room {i}")), Join::Joined));
                let pen = pen.clone();
                socket.on(event::Close, move |socket, _| {
                    assert_eq!(socket.join("late"), Join::Closed);
                    assert_eq!(socket.send("late"), SendStatus::Closed);
                    socket.close();
                    pen.note(format!(
                        "{} held, {} known",
                        socket.rooms().len(),
                        socket.hub().rooms().len()
                    ));
                });
            });
        },
    );
    drop(server.connect("/"));
    assert_eq!(log.next(), format!("{rooms} held, 0 known"));
    server.stop(Duration::ZERO);
    assert!(log.rest().is_empty());
}
