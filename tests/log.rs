//! The feature `log`: the events of a server's life through the crate `log`.
//!
//! A server logs on its own thread, so each test reads what was logged there.
#![cfg(feature = "log")]

mod common;

use std::cell::{Cell, RefCell};
use std::sync::Once;
use std::time::Duration;

use common::{Client, Server, http, knock, serve, serve_with};
use log::{Level, LevelFilter, Log, Metadata, Record};
use rushwire::{App, Hub, Options, Socket, event};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// What else the logger of this thread does with each line.
    static HABIT: Cell<Habit> = const { Cell::new(Habit::None) };
    static HUB: RefCell<Option<Hub>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy, PartialEq)]
enum Habit {
    None,
    Panics,
    CallsIn,
    WantsOnlyWarnings,
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        HABIT.get() != Habit::WantsOnlyWarnings || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || record.target() != "rushwire" {
            return;
        }
        let line = format!("{} {}", record.level(), record.args());
        LINES.with_borrow_mut(|lines| lines.push(line));
        match HABIT.get() {
            Habit::Panics => panic!("a bad logger"),
            Habit::CallsIn => {
                HABIT.set(Habit::None);
                HUB.with_borrow(|hub| hub.iter().for_each(call_in));
                HABIT.set(Habit::CallsIn);
            }
            Habit::None | Habit::WantsOnlyWarnings => {}
        }
    }

    fn flush(&self) {}
}

/// Asks for everything and changes everything.
fn call_in(hub: &Hub) {
    drop((hub.stats(), hub.rooms()));
    for socket in hub.sockets() {
        drop((socket.rooms(), socket.url().to_owned(), socket.data::<u8>()));
        socket.join("from the logger");
        socket.leave("from the logger");
        socket.send("from the logger");
        socket.set(1_u8);
    }
    hub.ws_broadcast("from the logger", None);
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).expect("there is no other");
        log::set_max_level(LevelFilter::Trace);
    });
}

/// What was logged so far on the server's thread, without what differs from run to run.
fn logged(server: &Server) -> Vec<String> {
    let lines = server.ask(|_| LINES.take());
    lines.iter().map(|line| settled(line)).collect()
}

fn settled(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.split_once('=') {
        Some((key @ ("peer" | "at" | "socket"), _)) => format!("{key}=…"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn setup(app: &mut App) {
    HUB.set(Some(app.hub().clone()));
    app.verify_client(|request| request.query("no").is_none());
    app.ws("/chat", |socket, _| {
        socket.join("room");
        socket.on(event::Message, |_, _| panic!("on purpose"));
    });
    app.get("/page", |ctx| ctx.text("a page"));
}

/// Waits until nobody is there any more, and everything about it is logged.
fn settle(server: &Server, client: Client) {
    drop(client);
    server.wait_until("it is gone", Hub::is_empty);
}

#[test]
fn each_event_is_logged_at_its_level_whatever_debug_says() {
    listen();
    let server = serve_with(Options::default, setup);
    let mut all = logged(&server);
    assert_eq!(http::get(server.addr, "/page").status, 200);
    assert_eq!(knock(server.addr, "/chat?no&token=secret", ""), 401);
    let connect = || {
        let client = server.connect("/chat?token=secret");
        server.wait_until("it is there", |hub| !hub.is_empty());
        client
    };
    let mut client = connect();
    client.send_close(1000, "bye");
    settle(&server, client);
    let mut client = connect();
    client.send_frame(true, 7, 1, b"");
    settle(&server, client);
    let mut client = connect();
    client.send("panic");
    settle(&server, client);
    let rest = server.ask(|hub| {
        hub.shutdown(Duration::from_secs(20));
        LINES.take()
    });
    all.extend(rest.iter().map(|line| settled(line)));
    let opened = r#"DEBUG opened socket=… peer=… path="/chat""#;
    let accepted = "DEBUG accepted peer=…";
    let (joined, left) = (
        r#"TRACE joined socket=… room="room""#,
        r#"TRACE left socket=… room="room""#,
    );
    let expected = [
        "DEBUG listening at=…",
        accepted,
        accepted,
        r#"INFO refused peer=… status=401 cause=verify path="/chat""#,
        accepted,
        opened,
        joined,
        left,
        r#"DEBUG closed socket=… code=1000 by=peer cause=Requested undelivered=0 reason="bye""#,
        accepted,
        opened,
        joined,
        left,
        r#"WARN closed socket=… code=1002 by=us cause=Violation(ReservedBits) undelivered=0 reason="reserved bits are set""#,
        accepted,
        opened,
        joined,
        r#"ERROR error socket=… message="on purpose""#,
        left,
        r#"DEBUG closed socket=… code=1011 by=us cause=Panic undelivered=0 reason="""#,
        "DEBUG shutdown grace=20s",
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_the_logger_does_not_want_is_not_logged() {
    listen();
    let server = serve(|app| {
        HABIT.set(Habit::WantsOnlyWarnings);
        setup(app);
    });
    let mut client = server.connect("/chat");
    client.send("panic");
    while client.next().is_some() {}
    settle(&server, client);
    assert_eq!(
        logged(&server),
        [r#"ERROR error socket=… message="on purpose""#]
    );
}

/// It runs inside of calls of the application, and outside of all listeners.
#[test]
fn a_logger_that_panics_ends_nothing() {
    listen();
    let server = serve(|app| {
        HABIT.set(Habit::Panics);
        app.ws("/", |socket, _| {
            socket.join("room");
            socket.send("open");
            socket.on(event::Message, |socket, message| {
                socket.leave("room");
                socket.send(message);
            });
        });
    });
    for _ in 0..3 {
        assert_eq!(knock(server.addr, "/nowhere", ""), 404);
        let mut client = server.connect("/");
        assert_eq!(client.text(), "open");
        client.send("echo");
        assert_eq!(client.text(), "echo");
        client.send_close(1000, "");
        assert_eq!(client.closed().0, 1000);
        settle(&server, client);
    }
    assert!(logged(&server).len() > 15);
}

/// A logger has no way to the server but one that the application makes. It may be used.
#[test]
fn a_logger_that_calls_in_finds_nothing_borrowed() {
    listen();
    let server = serve(|app| {
        HABIT.set(Habit::CallsIn);
        setup(app);
        app.on_error(|report| _ = report.to_string());
    });
    for end in ["close", "panic", "terminate"] {
        let mut client = server.connect("/chat");
        server.wait_until("it is there", |hub| !hub.is_empty());
        match end {
            "close" => client.send_close(1000, ""),
            "panic" => client.send("panic"),
            _ => server.ask(|hub| hub.sockets().iter().for_each(Socket::terminate)),
        }
        assert_eq!(knock(server.addr, "/nowhere", ""), 404);
        assert_eq!(knock(server.addr, "/chat?no", ""), 401);
        settle(&server, client);
    }
    let lines = logged(&server);
    let from_here = lines.iter().filter(|line| line.contains("from the logger"));
    assert!(from_here.count() > 10, "{lines:#?}");
    let panics = lines.iter().filter(|line| line.starts_with("ERROR"));
    assert_eq!(panics.count(), 1, "{lines:#?}");
}
