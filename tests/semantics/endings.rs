//! 11. The close event: exactly once, with the truth about who ended the connection and why.

use std::time::Duration;

use crate::common::client::{CLOSE, CONTINUATION, PING, TEXT, frame};
use crate::common::{Client, Server, serve, serve_with};
use crate::{Journal, NEVER};
use rushwire::{Options, Rate, event};

/// Options with no time-out that is not asked for.
fn patient() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: NEVER,
        ..Options::default()
    }
}

/// Sockets do what a text message says, and note their end.
fn serve_ending(options: impl FnOnce() -> Options + Send + 'static) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            noted.watch_close(socket);
            socket.on(event::Message, |socket, message| {
                match message.as_text().unwrap_or_default() {
                    "close" => socket.close(),
                    "close with" => socket.close_with(4_001, "bye").expect("a good code"),
                    "close twice" => {
                        socket.close_with(4_001, "first").expect("a good code");
                        socket.close_with(4_002, "second").expect("a good code");
                    }
                    "terminate" => socket.terminate(),
                    "close, then terminate" => {
                        socket.close_with(4_003, "soon").expect("a good code");
                        socket.terminate();
                    }
                    "panic" => panic!("as asked"),
                    "shut down" => socket.hub().shutdown(NEVER),
                    _ => {}
                }
            });
            socket.send("open");
        });
    });
    (server, journal)
}

type Row = (&'static str, fn() -> Options, fn(&mut Client), &'static str);

fn say(client: &mut Client, what: &str) {
    client.send(what);
    let (code, _) = client.closed();
    client.try_send_close(code);
    client.expect_end();
}

fn break_rules(client: &mut Client, frames: &[u8]) {
    client.send_raw(frames);
    client.closed();
    client.finish();
    client.expect_end();
}

#[test]
fn the_close_event_tells_who_ended_the_connection_and_why() {
    #[rustfmt::skip]
    let table: [Row; 25] = [
        ("close()", patient, |client| say(client, "close"), r#"1000 "" Us Requested"#),
        ("close_with", patient, |client| say(client, "close with"), r#"4001 "bye" Us Requested"#),
        ("close twice", patient, |client| say(client, "close twice"), r#"4001 "first" Us Requested"#),
        ("the peer closes", patient, |client| {
            client.send_close(3_001, "had enough");
            assert_eq!(client.closed().0, 3_001);
            client.expect_end();
        }, r#"3001 "had enough" Peer Requested"#),
        ("the peer closes without a code", patient, |client| {
            client.send_frame(true, 0, CLOSE, b"");
            client.closed();
            client.expect_end();
        }, r#"1005 "" Peer Requested"#),
        ("the peer answers with another code", patient, |client| {
            client.send("close with");
            client.closed();
            client.send_close(3_002, "no, me");
            client.expect_end();
        }, r#"4001 "bye" Us Requested"#),
        ("the peer answers our close with FIN", patient, |client| {
            client.send("close with");
            client.closed();
            client.finish();
            client.expect_end();
        }, r#"4001 "bye" Us Requested"#),
        ("FIN", patient, |client| {
            client.finish();
            client.expect_end();
        }, r#"1006 "" Nobody PeerGone"#),
        ("FIN inside of a frame", patient, |client| {
            client.send_raw(&frame(true, 0, TEXT, b"cut off")[..9]);
            client.finish();
            client.expect_end();
        }, r#"1006 "" Nobody PeerGone"#),
        ("FIN inside of a message", patient, |client| {
            client.send_frame(false, 0, TEXT, b"more to come");
            client.finish();
            client.expect_end();
        }, r#"1006 "" Nobody PeerGone"#),
        ("reserved bits", patient, |client| break_rules(client, &frame(true, 4, TEXT, b"x")), r#"1002 "reserved bits are set" Us Violation(ReservedBits)"#),
        ("an opcode of none", patient, |client| break_rules(client, &frame(true, 0, 0xB, b"")), r#"1002 "reserved opcode 0xb" Us Violation(ReservedOpcode(11))"#),
        ("no mask", patient, |client| break_rules(client, &[0x81, 1, b'x']), r#"1002 "frame of a client is not masked" Us Violation(NotMasked)"#),
        ("a continuation of nothing", patient, |client| break_rules(client, &frame(true, 0, CONTINUATION, b"x")), r#"1002 "continuation of no message" Us Violation(UnexpectedContinuation)"#),
        ("a long ping", patient, |client| break_rules(client, &frame(true, 0, PING, &[0; 126])), r#"1002 "control frame of more than 125 bytes" Us Violation(ControlTooLong)"#),
        ("text that is not UTF-8", patient, |client| break_rules(client, &frame(true, 0, TEXT, b"\xC0")), r#"1007 "text is not UTF-8" Us Violation(NotUtf8)"#),
        ("too big", || Options { max_message_size: 4, ..patient() }, |client| break_rules(client, &frame(true, 0, TEXT, b"12345")),
            r#"1009 "message of 5 bytes, at most 4 are accepted" Us Violation(TooBig { len: 5, max: 4 })"#),
        ("a listener panics", patient, |client| {
            client.send("panic");
            assert_eq!(client.closed().0, 1_011);
            client.finish();
            client.expect_end();
        }, r#"1011 "" Us Panic"#),
        ("too many messages", || Options { message_rate: Some(Rate { messages: 1, per: NEVER }), ..patient() }, |client| {
            client.send("one");
            client.send("two");
            assert_eq!(client.closed().0, 1_008);
            client.finish();
            client.expect_end();
        }, r#"1008 "too many messages" Us RateLimit"#),
        ("no answer to our close", || Options { close_timeout: Duration::from_millis(100), ..patient() }, |client| {
            client.send("close with");
            assert_eq!(client.closed().0, 4_001);
            client.expect_end();
        }, r#"4001 "bye" Us CloseTimeout"#),
        ("no answer to a ping", || Options { heartbeat: Duration::from_millis(50), pong_timeout: Duration::from_millis(50), ..patient() }, |client| {
            while client.next().is_some_and(|frame| frame.opcode == PING) {}
            client.expect_end();
        }, r#"1001 "ping timeout" Us PingTimeout"#),
        ("idle", || Options { idle_timeout: Duration::from_millis(50), ..patient() }, |client| client.expect_close(1_001), r#"1001 "idle timeout" Us IdleTimeout"#),
        ("too old", || Options { max_lifetime: Duration::from_millis(50), ..patient() }, |client| client.expect_close(1_001), r#"1001 "lifetime over" Us LifetimeOver"#),
        ("terminate()", patient, |client| {
            client.send("terminate");
            client.expect_end();
        }, r#"1006 "" Us Terminated"#),
        ("the server shuts down", patient, |client| {
            client.send("shut down");
            client.expect_close(1_001);
        }, r#"1001 "server is shutting down" Us Shutdown"#),
    ];
    for (name, options, end, expected) in table {
        let (server, journal) = serve_ending(options);
        let mut client = server.connect("/");
        // The heartbeat may be quicker.
        let opened = std::iter::from_fn(|| client.next()).any(|frame| frame.payload == b"open");
        assert!(opened, "{name}");
        end(&mut client);
        assert_eq!(journal.wait_for(1), [expected], "{name}");
        drop(server);
        assert_eq!(journal.lines(), [expected], "{name}: it comes once");
    }
}

#[test]
fn a_reset_is_an_error_of_the_stream() {
    let (server, journal) = serve_ending(patient);
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    server.ask(|hub| hub.ws_broadcast("never read", None));
    crate::reset(client);
    assert_eq!(
        journal.wait_for(1),
        [r#"1006 "" Nobody Io(ConnectionReset)"#]
    );
    drop(server);
    assert_eq!(journal.lines().len(), 1);
}

/// A peer that is still busy has `close_timeout` to read our last words, whatever else is due.
#[test]
fn other_deadlines_do_not_cut_the_end_short() {
    let (server, journal) = serve_ending(|| Options {
        handshake_timeout: Duration::from_millis(100),
        heartbeat: Duration::from_millis(50),
        ..patient()
    });
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client.send_raw(&frame(true, 4, TEXT, b"x"));
    assert_eq!(client.closed().0, 1002);
    let (sender, time) = std::sync::mpsc::channel();
    server.ask(move |hub| {
        hub.set_timeout(Duration::from_millis(300), move |_| {
            sender.send(()).expect("the test waits")
        });
    });
    time.recv_timeout(crate::common::PATIENCE)
        .expect("the time passes");
    assert!(journal.lines().is_empty(), "{:?}", journal.lines());
    client.finish();
    assert!(journal.wait_for(1)[0].starts_with("1002 "));
}

#[test]
fn a_close_that_is_cut_short_keeps_its_code() {
    let (server, journal) = serve_ending(patient);
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client.send("close, then terminate");
    while client.next().is_some() {}
    assert!(
        journal.wait_for(1)[0].starts_with(r#"4003 "soon" Us "#),
        "{:?}",
        journal.lines()
    );
    drop(server);
    assert_eq!(journal.lines().len(), 1);
}

#[test]
fn rooms_are_left_before_but_can_still_be_told_and_spoken_to() {
    let server = serve(|app| {
        app.ws("/:name", |socket, request| {
            let name = request.param("name").to_owned();
            ["first", "second", "third"]
                .iter()
                .for_each(|room| _ = socket.join(room));
            socket.leave("second");
            socket.on(event::Close, move |socket, _| {
                assert_eq!(
                    socket
                        .rooms()
                        .iter()
                        .map(|room| &**room)
                        .collect::<Vec<_>>(),
                    ["first", "third"]
                );
                assert_eq!(socket.room().as_deref(), Some("third"));
                assert!(
                    !socket.is_in("first")
                        && !socket
                            .hub()
                            .room("first")
                            .members()
                            .iter()
                            .any(|s| s.id() == socket.id())
                );
                let left = socket.hub().room("first").len();
                assert_eq!(
                    socket.send("nobody hears this"),
                    rushwire::SendStatus::Closed
                );
                assert_eq!(
                    socket.broadcast_all("first", &format!("{name} left {left} behind")),
                    left
                );
            });
            socket.send("open");
        });
    });
    let mut clients = ["Ada", "Brook", "Cleo"].map(|name| server.connect(&format!("/{name}")));
    clients
        .iter_mut()
        .for_each(|client| assert_eq!(client.text(), "open"));
    let [ada, mut brook, mut cleo] = clients;
    drop(ada);
    assert_eq!(
        (brook.text(), cleo.text()),
        ("Ada left 2 behind".into(), "Ada left 2 behind".into())
    );
    brook.send_close(1000, "");
    assert_eq!(cleo.text(), "Brook left 1 behind");
    drop(cleo);
    server.wait_until("nobody is there", |hub| {
        hub.is_empty() && hub.rooms().is_empty()
    });
}

/// D13: a predecessor told it two or three times.
#[test]
fn it_comes_once_to_each_of_many_listeners_of_many_sockets() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| {
        app.ws("/:name", move |socket, request| {
            for which in ["a", "b"] {
                let (noted, name) = (noted.clone(), request.param("name").to_owned());
                socket.on(event::Close, move |socket, _| {
                    socket.close();
                    socket.terminate();
                    noted.note(format!("{name} {which}"));
                });
            }
        });
    });
    let mut clients: Vec<Client> = (0..20)
        .map(|i| server.connect(&format!("/{i:02}")))
        .collect();
    server.wait_until("all are there", |hub| hub.len() == 20);
    for client in clients.iter_mut().step_by(2) {
        client.send_close(1000, "");
        client.send_close(1000, "");
    }
    clients.truncate(10);
    drop(clients);
    server.wait_until("all are gone or going", |hub| hub.len() <= 5);
    server.ask(|hub| hub.sockets().iter().for_each(|socket| socket.terminate()));
    server.wait_until("all are gone", |hub| hub.is_empty());
    drop(server);
    let mut lines = journal.lines();
    lines.sort_unstable();
    let expected: Vec<String> = (0..20)
        .flat_map(|i| [format!("{i:02} a"), format!("{i:02} b")])
        .collect();
    assert_eq!(lines, expected);
}
