//! 6. Early frames: what the client sends before the handler has returned.

use std::io::Write;

use crate::Journal;
use crate::common::client::{
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame, upgrade_request,
};
use crate::common::{Client, Server, http, serve, serve_with};
use rushwire::{Options, event};

/// Notes what its sockets hear.
fn listening(options: fn() -> Options) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            noted.note("handler");
            noted.watch_close(socket);
            let heard = noted.clone();
            socket.on(event::Message, move |_, message| {
                heard.note(format!("message {}", message.as_text().unwrap_or("binary")))
            });
            let heard = noted.clone();
            socket.on(event::Ping, move |_, payload| {
                heard.note(format!("ping {}", String::from_utf8_lossy(payload)))
            });
            let heard = noted.clone();
            socket.on(event::Error, move |_, failure| {
                heard.note(format!("error {failure}"))
            });
        });
    });
    (server, journal)
}

/// Sends the request and what follows it in pieces that are cut at `cuts`.
fn send_all(server: &Server, frames: &[u8], cuts: &[usize]) -> Client {
    let bytes = [upgrade_request("/", "").as_bytes(), frames].concat();
    let mut stream = http::connect(server.addr);
    let mut from = 0;
    for &to in cuts.iter().chain([&bytes.len()]) {
        stream.write_all(&bytes[from..to]).expect("send");
        from = to;
    }
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(answer.status, 101);
    Client {
        stream,
        rest,
        answer,
    }
}

#[test]
fn frames_in_the_segment_of_the_request_are_delivered_in_order() {
    let frames = [
        frame(true, 0, TEXT, b"one"),
        frame(false, 0, TEXT, b"t"),
        frame(true, 0, PING, b"between"),
        frame(true, 0, CONTINUATION, b"wo"),
        frame(true, 0, BINARY, &[0; 300]),
        frame(true, 0, TEXT, b"three"),
        frame(true, 0, CLOSE, &close_payload(3_001, "done")),
        frame(true, 0, TEXT, b"after the end"),
    ];
    let expected = [
        "handler",
        "message one",
        "ping between",
        "message two",
        "message binary",
        "message three",
        "3001 \"done\" Peer Requested",
    ];
    let frames = frames.concat();
    let head = upgrade_request("/", "").len();
    // Whole, and cut at each byte of the end of the request and of the first frames.
    for cuts in std::iter::once(Vec::new()).chain((head - 5..head + 40).map(|at| vec![at])) {
        let (server, journal) = listening(Options::default);
        let mut client = send_all(&server, &frames, &cuts);
        let pong = client.next().expect("a pong");
        assert_eq!(
            (pong.opcode, pong.payload.as_slice()),
            (PONG, b"between".as_slice()),
            "cut at {cuts:?}"
        );
        assert_eq!(client.closed().0, 3001, "cut at {cuts:?}");
        client.expect_end();
        assert_eq!(
            journal.wait_for(expected.len()),
            expected,
            "cut at {cuts:?}"
        );
    }
}

#[test]
fn early_frames_obey_the_limits() {
    let options = || Options {
        max_message_size: 10,
        ..Options::default()
    };
    #[rustfmt::skip]
    let table = [
        ("too big",      [frame(true, 0, TEXT, b"0123456789"), frame(true, 0, TEXT, b"0123456789a")].concat(), 1009, "message 0123456789"),
        ("not text",     [frame(true, 0, TEXT, b"text"), frame(true, 0, TEXT, b"\xff")].concat(),              1007, "message text"),
        ("a bad opcode", [frame(true, 0, TEXT, b"text"), frame(true, 0, 0xB, b"")].concat(),                   1002, "message text"),
    ];
    for (name, frames, code, first) in table {
        let (server, journal) = listening(options);
        let mut client = send_all(&server, &frames, &[]);
        assert_eq!(client.closed().0, code, "{name}");
        client.finish();
        client.expect_end();
        let lines = journal.wait_for(4);
        assert_eq!(&lines[..2], ["handler", first], "{name}");
        assert!(lines[2].starts_with("error "), "{name}: {lines:?}");
        assert!(
            lines[3].starts_with(&format!("{code} ")),
            "{name}: {lines:?}"
        );
        assert_eq!(lines.len(), 4, "{name}: {lines:?}");
    }
}

#[test]
fn a_handler_that_closes_hears_nothing_of_what_came_early() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            noted.watch_close(socket);
            let heard = noted.clone();
            socket.on(event::Message, move |_, _| heard.note("a message"));
            socket.close_with(4_000, "no").expect("a good code");
        });
    });
    let mut client = send_all(
        &server,
        &[
            frame(true, 0, TEXT, b"early"),
            frame(true, 0, TEXT, b"bird"),
        ]
        .concat(),
        &[],
    );
    client.expect_close(4000);
    assert_eq!(journal.wait_for(1), ["4000 \"no\" Us Requested"]);
}

#[test]
fn listeners_that_the_handler_adds_last_hear_the_first_frame() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.send("opened");
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    });
    let mut client = send_all(&server, &frame(true, 0, TEXT, b"early"), &[]);
    assert_eq!(
        (client.text(), client.text()),
        ("opened".to_owned(), "early".to_owned())
    );
}
