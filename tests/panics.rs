//! A panic in code of the application ends the one socket that it concerns, with 1011, or nothing
//! at all; it is reported, and everyone else loses nothing.
mod common;

use std::cell::RefCell;
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use common::client::{CLOSE, PING, PONG, TEXT, close_payload, frame};
use common::log::{Log, Pen, log};
use common::{Client, Server, http, serve_with};
use rushwire::{App, Options, Rate, SendStatus, Socket, Timer, event};

/// Where the application's code runs, and what its panic brings about.
const PLACES: [(Place, Outcome); 14] = [
    (Place::Middleware, Outcome::Closed1011),
    (Place::Handler, Outcome::Closed1011),
    (Place::Message, Outcome::Closed1011),
    (Place::Ping, Outcome::Closed1011),
    (Place::Pong, Outcome::Closed1011),
    (Place::Drain, Outcome::Closed1011),
    (Place::RateLimit, Outcome::Closed1011),
    (Place::Error, Outcome::Closed1011),
    (Place::Close, Outcome::ClosedAnyway(4000)),
    (Place::Timeout, Outcome::Open),
    (Place::Interval, Outcome::Open),
    (Place::Job, Outcome::Open),
    (Place::Route, Outcome::Answered500),
    (Place::Verify, Outcome::Answered500),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Middleware,
    Handler,
    Message,
    Ping,
    Pong,
    Drain,
    RateLimit,
    Error,
    Close,
    Timeout,
    Interval,
    Job,
    Route,
    Verify,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Closed1011,
    /// The end was under way already, with this code.
    ClosedAnyway(u16),
    Open,
    Answered500,
}

/// What is thrown, and what is told of it.
const PAYLOADS: [(Payload, &str); 3] = [
    (Payload::Str, "thrown on purpose"),
    (Payload::String, "thrown on purpose, formatted"),
    (Payload::Other, "a panic without a message"),
];

#[derive(Clone, Copy, Debug)]
enum Payload {
    Str,
    String,
    Other,
}

/// Thrown, and neither `&str` nor `String`.
struct Thrown;

fn throw(payload: Payload) {
    match payload {
        Payload::Str => panic!("thrown on purpose"),
        Payload::String => panic!("thrown on purpose, {}", "formatted"),
        Payload::Other => panic_any(Thrown),
    }
}

/// Panics on purpose are many; only others are worth reading.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thrown = info.payload();
            let text = thrown.downcast_ref::<&str>().copied();
            let text = text.or_else(|| thrown.downcast_ref::<String>().map(String::as_str));
            if !thrown.is::<Thrown>() && !text.is_some_and(|text| text.contains("on purpose")) {
                loud(info);
            }
        }));
    });
}

fn options(place: Place) -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: Duration::from_millis(300),
        max_backpressure: 1 << 20,
        message_rate: (place == Place::RateLimit).then_some(Rate {
            messages: 3,
            per: Duration::from_secs(100_000),
        }),
        ..Options::default()
    }
}

fn setup(app: &mut App, pen: Pen, place: Place, payload: Payload) {
    let reports = pen.clone();
    app.on_error(move |report| reports.note(format!("report {report}")));
    app.verify_client(move |request| {
        if place == Place::Verify && request.path() == "/actor" {
            throw(payload);
        }
        true
    });
    app.ws_use(move |_, request, next| {
        if place == Place::Middleware && request.path() == "/actor" {
            throw(payload);
        }
        next.run();
    });
    app.get("/page", move |ctx| {
        if place == Place::Route {
            throw(payload);
        }
        ctx.text("a page");
    });
    app.ws("/witness", |socket, _| {
        socket.join("room");
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    app.ws("/actor", move |socket, _| {
        socket.join("room");
        pen.watch("actor", socket);
        arm(socket, place, payload);
    });
}

fn arm(socket: &Socket, place: Place, payload: Payload) {
    match place {
        Place::Handler => throw(payload),
        Place::Message => _ = socket.on(event::Message, move |_, _| throw(payload)),
        Place::Ping => _ = socket.on(event::Ping, move |_, _| throw(payload)),
        Place::Pong => _ = socket.on(event::Pong, move |_, _| throw(payload)),
        Place::Error => _ = socket.on(event::Error, move |_, _| throw(payload)),
        Place::RateLimit => _ = socket.on(event::RateLimit, move |_, _| throw(payload)),
        Place::Close => _ = socket.on(event::Close, move |_, _| throw(payload)),
        Place::Drain => {
            socket.on(event::Message, |socket, _| {
                while socket.send(&vec![7; 60_000]) == SendStatus::Queued {}
            });
            socket.on(event::Drain, move |_, _| throw(payload));
        }
        Place::Timeout => {
            _ = socket
                .hub()
                .set_timeout(Duration::ZERO, move |_| throw(payload))
        }
        Place::Interval => {
            _ = socket
                .hub()
                .set_interval(Duration::from_millis(1), move |_| throw(payload))
        }
        Place::Middleware | Place::Job | Place::Route | Place::Verify => {}
    }
}

/// Does on the wire what makes it happen.
fn provoke(server: &Server, actor: &mut Client, place: Place, payload: Payload) {
    match place {
        Place::Message | Place::Drain => actor.send("go"),
        Place::Ping => actor.send_frame(true, 0, PING, b"go"),
        Place::Pong => actor.send_frame(true, 0, PONG, b"go"),
        Place::Error => actor.send_frame(true, 0, 0xB, b""),
        Place::RateLimit => actor.send_raw(&frame(true, 0, TEXT, b"go").repeat(4)),
        Place::Close => actor.send_raw(&frame(true, 0, CLOSE, &close_payload(4000, ""))),
        Place::Job => server
            .remote
            .post(move |_| throw(payload))
            .expect("the server runs"),
        _ => {}
    }
}

#[test]
fn a_panic_ends_one_socket_is_reported_and_costs_the_others_nothing() {
    hush();
    for (place, outcome) in PLACES {
        for (payload, told) in PAYLOADS {
            println!("{place:?}, {payload:?}");
            let (pen, log) = log();
            let server = serve_with(
                move || options(place),
                move |app| setup(app, pen, place, payload),
            );
            let mut witness = server.connect("/witness");
            witness.send("before");
            let actor = Client::try_connect(server.addr, "/actor", "");
            let actor = actor.map(|mut actor| {
                provoke(&server, &mut actor, place, payload);
                actor
            });
            match (outcome, actor) {
                (Outcome::Answered500, Err(answer)) => assert_eq!(answer.status, 500),
                (Outcome::Answered500, Ok(actor)) => {
                    assert_eq!(http::get(server.addr, "/page").status, 500);
                    leave(actor);
                }
                (Outcome::Closed1011, Ok(mut actor)) => {
                    expect_close_behind_messages(&mut actor, 1011)
                }
                (Outcome::ClosedAnyway(code), Ok(mut actor)) => {
                    expect_close_behind_messages(&mut actor, code)
                }
                (Outcome::Open, Ok(mut actor)) => {
                    expect_report(&log, told, outcome);
                    actor.send_frame(true, 0, PING, b"still there");
                    assert_eq!(actor.next().expect("a pong").payload, b"still there");
                    leave(actor);
                }
                (_, Err(answer)) => panic!("{answer:?}"),
            }
            if outcome != Outcome::Open {
                expect_report(&log, told, outcome);
            }
            witness.send("after");
            assert_eq!(
                (witness.text(), witness.text()),
                ("before".to_owned(), "after".to_owned())
            );
            judge(server, log, outcome, place);
        }
    }
}

fn expect_report(log: &Log, told: &str, outcome: Outcome) {
    let report = log.find("report");
    assert!(report.ends_with(told), "{report} should tell: {told}");
    assert_eq!(
        report.contains("report socket "),
        closes(outcome),
        "{report}"
    );
}

fn closes(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Closed1011 | Outcome::ClosedAnyway(_))
}

fn leave(mut actor: Client) {
    actor.send_close(1000, "");
    assert_eq!(actor.closed().0, 1000);
    actor.expect_end();
}

fn expect_close_behind_messages(actor: &mut Client, code: u16) {
    let close = std::iter::repeat_with(|| actor.recv())
        .find(|frame| frame.opcode == CLOSE)
        .expect("a close frame");
    assert_eq!(close.payload.get(..2), Some(&code.to_be_bytes()[..]));
    actor.try_send_close(code);
    actor.expect_end();
}

/// The actor's own account: the error, if a listener of its own panicked, and its end, once.
fn judge(server: Server, log: Log, outcome: Outcome, place: Place) {
    if closes(outcome) {
        server.wait_until("only the witness is left", |hub| {
            hub.len() == 1 && hub.room("room").len() == 1
        });
    }
    server.stop(Duration::ZERO);
    let rest = log.rest();
    let ends: Vec<_> = rest
        .iter()
        .filter(|line| line.starts_with("actor close"))
        .collect();
    let expected = match (outcome, place) {
        // It had no listeners yet, or the report came behind the end.
        (_, Place::Middleware | Place::Close) | (Outcome::Answered500, _)
            if place != Place::Route =>
        {
            return assert!(ends.is_empty(), "{rest:?}");
        }
        (Outcome::Closed1011 | Outcome::ClosedAnyway(_), _) => r#"actor close 1011 "" Us Panic"#,
        _ => r#"actor close 1000 "" Peer Requested 0"#,
    };
    assert!(
        ends.len() == 1 && ends[0].starts_with(expected),
        "{expected} once: {rest:?}"
    );
}

#[test]
fn the_error_event_tells_the_socket_of_a_panic_in_its_own_listener() {
    hush();
    let (pen, log) = log();
    let server = serve_with(Options::default, move |app| {
        app.ws("/", move |socket, _| {
            pen.watch("a", socket);
            socket.on(event::Message, |_, _| panic!("thrown on purpose"));
        });
    });
    let mut client = server.connect("/");
    client.send_raw(&frame(true, 0, TEXT, b"heard").repeat(3));
    client.expect_close(1011);
    server.stop(Duration::ZERO);
    let expected = [
        "a open",
        "a message heard",
        "a error a listener panicked: thrown on purpose",
        r#"a close 1011 "" Us Panic 0"#,
    ];
    assert_eq!(log.rest(), expected, "the messages behind it are not heard");
}

#[test]
fn an_interval_that_panicked_does_not_run_again() {
    hush();
    let (pen, log) = log();
    let server = serve_with(Options::default, move |app| {
        app.hub().set_interval(Duration::from_millis(1), move |_| {
            pen.note("run");
            panic!("thrown on purpose");
        });
    });
    assert_eq!(log.next(), "run");
    // Its closure, and the pen in it, is dropped while the server runs.
    assert!(log.rest().is_empty());
    server.stop(Duration::ZERO);
}

#[test]
fn a_panic_of_the_one_who_hears_of_panics_ends_nothing() {
    hush();
    let server = serve_with(Options::default, |app| {
        app.on_error(|_| panic!("thrown on purpose, too"));
        app.get("/panic", |_| panic!("thrown on purpose"));
        app.get("/page", |ctx| ctx.text("a page"));
    });
    assert_eq!(http::get(server.addr, "/panic").status, 500);
    assert_eq!(http::get(server.addr, "/panic").status, 500);
    assert_eq!(http::get(server.addr, "/page").text(), "a page");
}

#[test]
fn a_panic_in_the_rule_for_origins_refuses_that_request() {
    hush();
    let (pen, log) = log();
    let server = serve_with(Options::default, move |app| {
        app.on_error(move |report| pen.note(report.to_string()));
        app.allow_origin_if(|origin, _| match origin {
            "http://good" => true,
            _ => panic!("thrown on purpose"),
        });
        app.ws("/", |socket, _| _ = socket.send("open"));
    });
    let refused = Client::try_connect(server.addr, "/", "Origin: http://bad\r\n");
    assert_eq!(refused.map(|_| ()).expect_err("refused").status, 500);
    assert_eq!(log.next(), "thrown on purpose");
    assert_eq!(
        Client::connect_with(server.addr, "/", "Origin: http://good\r\n").text(),
        "open"
    );
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("thrown on purpose, by a drop");
        }
    }
}

/// Leaves a [`Grenade`] behind where it was kept itself.
struct Heirloom(Socket);

impl Drop for Heirloom {
    fn drop(&mut self) {
        self.0.set(Grenade);
    }
}

type Action = fn(&Socket);

/// Lets go of a [`Grenade`] somewhere inside of the library.
const DROPS: [(&str, Action); 8] = [
    ("the data of a socket", |socket| socket.set(Grenade)),
    ("data that is left by data", |socket| {
        socket.set(Heirloom(socket.clone()));
    }),
    ("a listener", |socket| hold(socket, Grenade)),
    ("data that is replaced", |socket| {
        (0..2).for_each(|_| socket.set(Grenade))
    }),
    ("a timer that cancelled itself", |socket| {
        let (grenade, own) = (RefCell::new(Some(Grenade)), Rc::new(RefCell::new(None)));
        let mine = Rc::clone(&own);
        let timer = socket
            .hub()
            .set_interval(Duration::from_millis(1), move |_| {
                assert!(grenade.borrow().is_some());
                mine.take().as_ref().map(Timer::cancel);
            });
        own.replace(Some(timer));
    }),
    ("a timer that ran", |socket| {
        let grenade = Grenade;
        socket
            .hub()
            .set_timeout(Duration::ZERO, move |_| drop(grenade));
    }),
    ("a timer that is cancelled", |socket| {
        let grenade = RefCell::new(Some(Grenade));
        socket
            .hub()
            .set_interval(Duration::from_secs(1000), move |_| drop(grenade.take()))
            .cancel();
    }),
    ("a job", |socket| {
        let id = socket.id();
        let grenade = Grenade;
        socket
            .hub()
            .remote()
            .post(move |hub| drop((hub.socket(id).is_some(), grenade)))
            .expect("the server runs");
    }),
];

fn hold(socket: &Socket, grenade: Grenade) {
    let grenade = RefCell::new(Some(grenade));
    socket.on(event::Pong, move |_, _| drop(grenade.take()));
}

#[test]
fn a_panic_in_a_drop_ends_nothing_else() {
    hush();
    for (name, arm) in DROPS {
        println!("{name}");
        let (pen, log) = log();
        let server = serve_with(Options::default, move |app| {
            app.on_error(move |report| pen.note(report.message.clone()));
            app.ws("/actor", move |socket, _| arm(socket));
            app.ws("/witness", |socket, _| {
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
        });
        let mut witness = server.connect("/witness");
        drop(server.connect("/actor"));
        assert_eq!(log.next(), "thrown on purpose, by a drop", "{name}");
        server.wait_until("only the witness is left", |hub| hub.len() == 1);
        witness.send("after");
        assert_eq!(witness.text(), "after", "{name}");
        server.stop(Duration::ZERO);
    }
}
