//! Many messages in one read: each is delivered as if it had come alone, whatever the listeners of
//! those before it have done; and what is sent in answer keeps its order, whatever its size.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use common::client::{BINARY, CLOSE, PING, TEXT, close_payload, frame};
use common::log::log;
use common::{Server, serve, serve_with};
use rushwire::{ListenerId, Options, Socket, event};

/// Sends `texts` in one segment to a socket that `set_up` has prepared, then a close frame.
fn send_at_once(server: &Server, texts: &[&str]) -> common::Client {
    let mut client = server.connect("/");
    let mut bytes: Vec<u8> = texts
        .iter()
        .flat_map(|text| frame(true, 0, TEXT, text.as_bytes()))
        .collect();
    bytes.extend(frame(true, 0, CLOSE, &close_payload(1000, "")));
    client.send_raw(&bytes);
    client
}

/// The texts that come back until the close frame.
fn answers(client: &mut common::Client) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let frame = client.recv();
        if frame.opcode == CLOSE {
            return texts;
        }
        texts.push(String::from_utf8(frame.payload).expect("text"));
    }
}

fn echo_as(socket: &Socket, name: &'static str) -> ListenerId {
    socket.on(event::Message, move |socket, message| {
        socket.send(&format!("{name} {}", message.as_text().unwrap_or("?")));
    })
}

#[test]
fn a_listener_that_removes_itself_hears_none_of_the_messages_behind() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            let me: Rc<Cell<Option<ListenerId>>> = Rc::default();
            let mine = Rc::clone(&me);
            let id = socket.on(event::Message, move |socket, message| {
                socket.send(message);
                if message.as_text() == Some("two") {
                    assert!(mine.get().is_some_and(|id| socket.off(id)));
                }
            });
            me.set(Some(id));
        });
    });
    let mut client = send_at_once(&server, &["one", "two", "three", "four"]);
    assert_eq!(answers(&mut client), ["one", "two"]);
}

#[test]
fn a_listener_that_is_added_hears_the_next_message_and_not_this_one() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            echo_as(socket, "first");
            socket.once(event::Message, |socket, _| {
                echo_as(socket, "second");
            });
        });
    });
    let mut client = send_at_once(&server, &["a", "b"]);
    assert_eq!(answers(&mut client), ["first a", "first b", "second b"]);
}

#[test]
fn a_listener_that_replaces_itself_is_followed_by_the_new_one() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            let me: Rc<Cell<Option<ListenerId>>> = Rc::default();
            let mine = Rc::clone(&me);
            me.set(Some(socket.on(event::Message, move |socket, message| {
                socket.send(message);
                mine.take().map(|id| socket.off(id));
                echo_as(socket, "new");
            })));
        });
    });
    let mut client = send_at_once(&server, &["a", "b", "c"]);
    assert_eq!(answers(&mut client), ["a", "new b", "new c"]);
}

#[test]
fn a_ping_between_messages_may_change_who_hears_the_next() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            let id = echo_as(socket, "old");
            socket.on(event::Ping, move |socket, _| {
                socket.off(id);
                echo_as(socket, "new");
            });
        });
    });
    let mut client = server.connect("/");
    let bytes = [
        frame(true, 0, TEXT, b"a"),
        frame(true, 0, PING, b""),
        frame(true, 0, TEXT, b"b"),
    ];
    client.send_raw(&bytes.concat());
    assert_eq!(client.text(), "old a");
    assert_eq!(client.text(), "new b");
}

#[test]
fn nothing_is_heard_behind_the_message_that_closed_or_cut_the_connection() {
    type End = fn(&Socket);
    let ends: [End; 2] = [Socket::close, Socket::terminate];
    for end in ends {
        let (pen, heard) = log();
        let server = serve_with(Options::default, move |app| {
            app.ws("/", move |socket, _| {
                let pen = pen.clone();
                socket.on(event::Message, move |socket, message| {
                    pen.note(message.as_text().unwrap_or("?"));
                    if message.as_text() == Some("two") {
                        end(socket);
                    }
                });
            });
        });
        let _client = send_at_once(&server, &["one", "two", "three"]);
        server.wait_until("it is gone", |hub| hub.is_empty());
        server.stop(std::time::Duration::ZERO);
        assert_eq!(heard.rest(), ["one", "two"]);
    }
}

#[test]
fn a_panic_ends_the_socket_and_lets_go_of_its_listener() {
    let (pen, log) = log();
    let server = serve_with(Options::default, move |app| {
        let pen = RefCell::new(pen);
        app.ws("/", move |socket, _| {
            struct Dropped(common::log::Pen);
            impl Drop for Dropped {
                fn drop(&mut self) {
                    self.0.note("dropped");
                }
            }
            let kept = Dropped(pen.borrow().clone());
            socket.on(event::Message, move |_, message| {
                kept.0.note(message.as_text().unwrap_or("?"));
                assert_ne!(message.as_text(), Some("two"), "on purpose");
            });
        });
    });
    let mut client = send_at_once(&server, &["one", "two", "three"]);
    client.expect_close(1011);
    drop(client);
    assert_eq!(
        [log.next(), log.next(), log.next()],
        ["one", "two", "dropped"]
    );
}

/// Short, medium and large messages take three ways to the wire.
#[test]
fn answers_keep_their_order_whatever_their_sizes() {
    let sizes = [
        3, 200_000, 3, 125, 126, 70_000, 0, 65_535, 65_536, 1, 300_000, 2,
    ];
    let server = serve(move |app| {
        app.ws("/", move |socket, _| {
            socket.on(event::Message, move |socket, _| {
                for (i, size) in sizes.into_iter().enumerate() {
                    socket.send(&vec![i as u8; size]);
                }
            });
        });
    });
    let mut client = server.connect("/");
    let twice = frame(true, 0, BINARY, b"go").repeat(2);
    client.send_raw(&twice);
    for (i, size) in sizes.into_iter().enumerate().cycle().take(2 * sizes.len()) {
        assert_eq!(client.binary(), vec![i as u8; size], "message {i}");
    }
}

/// What others are sent in between goes to the same log, and must not go to this one.
#[test]
fn an_answer_and_a_broadcast_in_turns_reach_each_whom_they_are_for() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.join("room");
            socket.on(event::Message, |socket, message| {
                socket.send(message);
                socket.broadcast("room", "to the others");
                socket.send(message);
                socket.send(message);
            });
        });
    });
    let mut other = server.connect("/");
    server.wait_until("both are there", |hub| hub.room("room").len() == 1);
    let mut client = server.connect("/");
    server.wait_until("both are there", |hub| hub.room("room").len() == 2);
    let frames = [frame(true, 0, TEXT, b"a"), frame(true, 0, TEXT, b"b")];
    client.send_raw(&frames.concat());
    let heard: Vec<String> = (0..6).map(|_| client.text()).collect();
    assert_eq!(heard, ["a", "a", "a", "b", "b", "b"]);
    assert_eq!(other.text(), "to the others");
    assert_eq!(other.text(), "to the others");
}
