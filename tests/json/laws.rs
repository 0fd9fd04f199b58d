//! The laws of listeners hold for custom events: whatever is done from one, and to whom.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use rushwire::{ListenerId, Socket, event};
use serde_json::json;

use super::common::client::{TEXT, frame};
use super::common::serve;
use super::{echo_messages, expect_alive, log, message, recv, serve_one};

const EVENT: &str = r#"{"type":"e","data":1}"#;

/// So many events in one segment.
fn events(count: usize) -> Vec<u8> {
    frame(true, 0, TEXT, EVENT.as_bytes()).repeat(count)
}

#[test]
fn a_panic_ends_that_socket_with_1011_and_is_reported() {
    let (server, reports) = serve_one(|socket| {
        echo_messages(socket);
        socket.on("e", |_, _| panic!("at the event"));
        socket.on("e", |_, _| unreachable!("the socket has ended"));
        socket.on(event::named::<u8>("typed"), |_, _| panic!("at the type"));
    });
    let mut other = server.connect("/");
    for (text, panic) in [
        (EVENT, "at the event"),
        (r#"{"type":"typed","data":1}"#, "at the type"),
    ] {
        let mut client = server.connect("/");
        client.send(text);
        assert_eq!(client.closed().0, 1011);
        assert!(reports.next().ends_with(panic));
    }
    expect_alive(&mut other);
}

#[test]
fn a_panic_in_a_listener_for_errors_after_a_wrong_payload_ends_the_socket() {
    let (server, reports) = serve_one(|socket| {
        socket.on(event::named::<u8>("e"), |_, _| {});
        socket.on(event::Error, |_, failure| panic!("{failure}"));
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"e","data":"x"}"#);
    assert_eq!(recv(&mut client)["type"], "error");
    assert_eq!(client.closed().0, 1011);
    assert!(
        reports
            .next()
            .contains(r#"the payload of "e" is wrong: invalid type"#)
    );
}

#[test]
fn close_stops_the_delivery_of_events_that_are_read_already() {
    let (pen, heard) = log();
    let server = serve(move |app| {
        let pen = pen.clone();
        app.ws("/", move |socket, _| {
            let pen = pen.clone();
            socket.on("e", move |socket, _| {
                pen.note("event");
                socket.close();
            });
        });
    });
    let mut client = server.connect("/");
    client.send_raw(&events(5));
    client.expect_close(1000);
    server.stop(Duration::ZERO);
    assert_eq!(heard.rest(), ["event"]);
}

#[test]
fn a_listener_may_end_its_socket_in_any_way() {
    type End = fn(&Socket);
    let table: [(&str, End, Option<u16>); 4] = [
        ("close", |socket| socket.close(), Some(1000)),
        (
            "with a code",
            |socket| socket.close_with(4000, "").expect("a good code"),
            Some(4000),
        ),
        ("terminate", |socket| socket.terminate(), None),
        (
            "close and terminate",
            |socket| {
                socket.close();
                socket.terminate()
            },
            None,
        ),
    ];
    for typed in [false, true] {
        for (name, end, code) in table {
            let (server, _) = serve_one(move |socket| {
                if typed {
                    socket.on(event::named::<u8>("e"), move |socket, _| end(socket));
                } else {
                    socket.on("e", move |socket, _| end(socket));
                }
            });
            let mut client = server.connect("/");
            client.send_raw(&events(3));
            match code {
                Some(code) => assert_eq!(client.closed().0, code, "{name}"),
                None => assert_eq!(client.next(), None, "{name}"),
            }
        }
    }
}

#[test]
fn a_listener_may_replace_itself() {
    fn listen(socket: &Socket, n: u32, own: &Rc<Cell<Option<ListenerId>>>) {
        let again = own.clone();
        let id = socket.on("e", move |socket, _| {
            assert!(
                again.get().is_some_and(|id| socket.off(id)),
                "it is running"
            );
            socket.emit("heard", n);
            listen(socket, n + 1, &again);
        });
        own.set(Some(id));
    }
    let (server, _) = serve_one(|socket| listen(socket, 0, &Rc::default()));
    let mut client = server.connect("/");
    client.send_raw(&events(20));
    for n in 0..20 {
        assert_eq!(recv(&mut client)["data"], n);
    }
}

#[test]
fn a_listener_may_remove_the_others_and_add_more_which_run_the_next_time() {
    let (server, _) = serve_one(|socket| {
        let later = Rc::new(Cell::new(None));
        let remove = later.clone();
        socket.once("e", move |socket, _| {
            socket.off(remove.take().expect("it was added"));
            socket.emit("first", ());
            socket.on("e", |socket, _| {
                socket.emit("added", ());
            });
        });
        later.set(Some(socket.on("e", |_, _| unreachable!("it was removed"))));
        socket.on("e", |socket, _| {
            socket.emit("last", ());
        });
    });
    let mut client = server.connect("/");
    client.send_raw(&events(2));
    for name in ["first", "last", "last", "added"] {
        assert_eq!(recv(&mut client)["type"], name);
    }
}

#[test]
fn listening_to_the_first_event_and_to_none_takes_effect_with_the_next_message() {
    let (server, _) = serve_one(|socket| {
        let events = Rc::new(RefCell::new(Vec::new()));
        socket.on(event::Message, move |socket, message| {
            match message.as_text() {
                Some("listen") => {
                    let id = socket.on("e", |socket, _| {
                        socket.emit("heard", ());
                    });
                    events.borrow_mut().push(id);
                }
                Some("ignore") => {
                    let all = std::mem::take(&mut *events.borrow_mut());
                    assert!(all.into_iter().all(|id| socket.off(id)));
                }
                _ => drop(socket.send(message)),
            }
        });
    });
    let mut client = server.connect("/");
    let segment: Vec<u8> = [
        EVENT, "listen", EVENT, "plain", EVENT, "ignore", EVENT, EVENT, "listen", EVENT,
    ]
    .iter()
    .flat_map(|text| frame(true, 0, TEXT, text.as_bytes()))
    .collect();
    client.send_raw(&segment);
    let heard = r#"{"type":"heard","data":null}"#;
    for expected in [EVENT, heard, "plain", heard, EVENT, EVENT, heard] {
        assert_eq!(client.text(), expected);
    }
}

#[test]
fn what_hears_a_wrong_payload_may_do_anything_to_the_listener_that_refused_it() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        let id = socket.on(event::named::<u8>("e"), |_, _| {});
        socket.on(event::Error, move |socket, _| {
            assert!(socket.off(id), "it is out of its place, and there");
            socket.on("e", |socket, payload| {
                socket.emit("any", payload.value());
            });
        });
    });
    let mut client = server.connect("/");
    client.send(r#"{"type":"e","data":"x"}"#);
    assert_eq!(recv(&mut client)["type"], "error");
    client.send(r#"{"type":"e","data":"x"}"#);
    assert_eq!(recv(&mut client), json!({ "type": "any", "data": "x" }));
}

#[test]
fn what_hears_a_wrong_payload_may_close() {
    let (server, _) = serve_one(|socket| {
        socket.on(event::named::<u8>("e"), |_, _| {});
        socket.on(event::Error, |socket, _| {
            socket.close_with(4001, "strict").expect("a good code")
        });
    });
    let mut client = server.connect("/");
    client.send_raw(&frame(true, 0, TEXT, br#"{"type":"e","data":"x"}"#).repeat(3));
    assert_eq!(recv(&mut client)["type"], "error", "the answer comes first");
    client.expect_close(4001);
}

#[test]
fn no_listener_runs_inside_of_another() {
    let (server, _) = serve_one(|socket| {
        let running = Rc::new(Cell::new(false));
        let enter = move |socket: &Socket, what: &str| {
            assert!(!running.replace(true), "{what} runs inside of another");
            socket.emit(what, ());
            socket.broadcast_all("room", "x");
            socket.on("message", |_, _| {});
            running.set(false);
        };
        let also = enter.clone();
        socket.on("e", move |socket, _| also(socket, "e"));
        let also = enter.clone();
        socket.on(event::named::<u8>("e"), move |socket, _| {
            also(socket, "typed")
        });
        let also = enter.clone();
        socket.on(event::Error, move |socket, _| also(socket, "failure"));
        socket.on(event::Message, move |socket, _| enter(socket, "plain"));
    });
    let mut client = server.connect("/");
    client.send(EVENT);
    client.send(r#"{"type":"e","data":"x"}"#);
    client.send("x");
    for name in ["e", "typed", "e", "error", "failure", "plain"] {
        assert_eq!(recv(&mut client)["type"], name);
    }
}

/// Sends from its socket when it is dropped.
struct Farewell(Socket, Arc<AtomicUsize>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.emit("dropped", ());
        self.0.on("e", |_, _| {});
        self.1.fetch_add(1, SeqCst);
    }
}

#[test]
fn what_a_listener_captured_may_call_back_when_it_is_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let (server, _) = serve_one(move |socket| {
        echo_messages(socket);
        for end in [false, true] {
            let farewell = Farewell(socket.clone(), Arc::clone(&count));
            socket.on("e", move |socket, _| {
                assert!(farewell.0.is_open());
                if end {
                    socket.emit("end", ());
                }
            });
        }
        let farewell = Farewell(socket.clone(), Arc::clone(&count));
        socket.once(event::named::<u8>("e"), move |_, _| _ = &farewell);
        let farewell = Farewell(socket.clone(), Arc::clone(&count));
        socket.on("close", move |_, _| _ = &farewell);
    });
    let mut client = server.connect("/");
    assert_eq!(
        recv(&mut client)["type"],
        "dropped",
        "the reserved one is not kept"
    );
    client.send(EVENT);
    assert_eq!(recv(&mut client)["type"], "end");
    assert_eq!(recv(&mut client)["type"], "dropped", "once");
    expect_alive(&mut client);
    client.send_close(1000, "");
    client.closed();
    client.expect_end();
    server.wait_until(
        "all are dropped, though they captured their socket",
        move |_| dropped.load(SeqCst) == 4,
    );
}

#[test]
fn a_listener_may_end_another_socket_that_has_events_to_hear() {
    let (pen, heard) = log();
    let server = serve(move |app| {
        let pen = pen.clone();
        app.ws("/:name", move |socket, request| {
            let (pen, name) = (pen.clone(), request.param("name").to_owned());
            socket.on("e", move |socket, _| {
                pen.note(&name);
                for other in socket.hub().sockets() {
                    if other.id() != socket.id() {
                        other.terminate();
                    }
                }
            });
        });
    });
    let (mut a, mut b) = (server.connect("/a"), server.connect("/b"));
    let held = server.hold();
    a.send_raw(&events(1));
    b.send_raw(&events(1));
    drop(held);
    let survivor = heard.next();
    let mut gone = if survivor == "a" { b } else { a };
    assert_eq!(gone.next(), None);
    server.stop(Duration::ZERO);
    assert!(heard.rest().is_empty(), "who was ended hears nothing");
}

#[test]
fn an_event_after_the_end_of_its_listener_is_a_message() {
    let (server, _) = serve_one(|socket| {
        echo_messages(socket);
        let own = Rc::new(Cell::new(None));
        let id = own.clone();
        let listener = socket.on("e", move |socket, _| {
            socket.off(id.take().expect("once"));
        });
        own.set(Some(listener));
    });
    let mut client = server.connect("/");
    client.send_raw(&events(2));
    assert_eq!(recv(&mut client), message(EVENT));
}
