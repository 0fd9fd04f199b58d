//! The client against our own server, and inside of one.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, ConnectError, ConnectOptions, Hub, Options, event};

use crate::common::{serve, serve_with};
use crate::{Dialer, never};

fn echo(app: &mut App) {
    app.ws("/echo", |socket, _| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
}

#[test]
fn client_and_server_talk_in_texts_and_bytes_of_any_size() {
    let server = serve_with(
        || Options {
            max_message_size: 4 << 20,
            max_backpressure: 16 << 20,
            ..Options::default()
        },
        echo,
    );
    let sizes = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 3 << 20];
    let heard = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&heard);
    let limits = Options {
        max_message_size: 4 << 20,
        max_backpressure: 16 << 20,
        ..Options::default()
    };
    let url = format!("ws://{}/echo", server.addr);
    let dialer = Dialer::with(limits, &url, ConnectOptions::default(), move |socket, _| {
        for size in sizes {
            socket.send(&"x".repeat(size));
            socket.send(&vec![size as u8; size]);
        }
        let note = Rc::clone(&note);
        socket.on(event::Message, move |socket, message| {
            let fits = match message.as_text() {
                Some(text) => text.bytes().all(|byte| byte == b'x'),
                None => message
                    .as_bytes()
                    .iter()
                    .all(|byte| *byte == message.len() as u8),
            };
            note.borrow_mut().push((fits, message.len()));
            if note.borrow().len() == 2 * sizes.len() {
                socket.close();
            }
        });
    });
    assert_eq!(dialer.run(), []);
    let expected: Vec<_> = sizes.iter().flat_map(|size| [(true, *size); 2]).collect();
    assert_eq!(heard.take(), expected);
}

#[test]
fn a_server_that_refuses_is_understood() {
    let server = serve(|app| {
        echo(app);
        app.verify_client(|request| request.header("authorization").is_some());
    });
    for (path, status) in [("/echo", 401), ("/nowhere", 404)] {
        let url = format!("ws://{}{path}", server.addr);
        match Dialer::new(&url, ConnectOptions::default(), never).error() {
            ConnectError::Refused(answer) => assert_eq!(answer.status, status, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

/// A server whose sockets at `/relay` hear whatever another server says in answer to what they say.
fn relay(app: &mut App, upstream: &str) {
    let options = ConnectOptions::default();
    let connection = app.hub().connect(upstream, options, |socket, _| {
        socket.join("upstream");
        socket.on(event::Message, |socket, message| {
            socket.hub().ws_broadcast(message, None);
        });
    });
    let connection = connection.expect("a URL");
    app.ws("/relay", move |socket, _| {
        let connection = connection.clone();
        socket.on(event::Message, move |_, message| {
            connection.send(message);
        });
    });
}

#[test]
fn a_server_connects_to_another_in_its_own_reactor() {
    let origin = serve(echo);
    let upstream = format!("ws://{}/echo", origin.addr);
    let server = serve(move |app| relay(app, &upstream));
    let (mut one, mut other) = (server.connect("/relay"), server.connect("/relay"));
    for text in ["first", "second"] {
        one.send(text);
        // To everyone, and not back to where it came from: that would never end.
        assert_eq!(
            (one.text(), other.text()),
            (text.to_owned(), text.to_owned())
        );
    }
    let in_room = server.ask(|hub: &Hub| hub.to("upstream").send("third"));
    assert_eq!(
        (in_room, one.text(), other.text()),
        (1, "third".into(), "third".into())
    );
    origin.wait_until("there is one socket", |hub| hub.len() == 1);
    let everyone = server.ask(|hub: &Hub| hub.ws_broadcast("to everyone", None));
    assert_eq!(
        (everyone, one.text(), other.text()),
        (2, "to everyone".into(), "to everyone".into())
    );
    server.stop(Duration::from_secs(5));
    origin.wait_until("nobody is left", Hub::is_empty);
}

#[test]
fn an_app_that_never_runs_keeps_nothing_of_its_connections() {
    let witness = Rc::new(());
    let captured = Rc::clone(&witness);
    let app = App::new();
    let connection = app.hub().connect(
        "ws://127.0.0.1:1/",
        ConnectOptions::default(),
        move |_, _| {
            let _ = &captured;
        },
    );
    let connection = connection.expect("a URL");
    connection.on_error(|_| {});
    drop(app);
    assert!(connection.is_over());
    assert_eq!(Rc::strong_count(&witness), 1);
}
