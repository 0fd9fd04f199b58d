//! A panic ends what it concerns and leaves nothing locked: where it was thrown, the next one passes.

use std::thread;
use std::time::Duration;

use rushwire::{App, IntoMessage, Message, Options, Socket, event};

use crate::common::client::{BINARY, TEXT, frame};
use crate::common::log::{Pen, log};
use crate::common::{Client, Server, http, serve_with};
use crate::{Fuse, hush};

struct Case {
    name: &'static str,
    arm: fn(&mut App, Fuse),
    /// Tries it, and tells what came of it.
    attempt: fn(&Server) -> String,
    /// What comes of it the first time, and the second.
    expected: [&'static str; 2],
    /// Whether `App::on_error` hears of it: not of what panics on a thread of the application.
    is_reported: bool,
}

const fn case(
    name: &'static str,
    arm: fn(&mut App, Fuse),
    attempt: fn(&Server) -> String,
    expected: [&'static str; 2],
) -> Case {
    Case {
        name,
        arm,
        attempt,
        expected,
        is_reported: true,
    }
}

const fn on_another_thread(case: Case) -> Case {
    Case {
        is_reported: false,
        ..case
    }
}

const PAGE: [&str; 2] = ["500 internal server error\n", "200 a page"];
const UPGRADE: [&str; 2] = ["500 internal server error\n", "echo"];
const SOCKET: [&str; 2] = ["closed 1011", "echo"];

const CASES: [Case; 25] = [
    case("middleware, before the handler", before, page, PAGE),
    case("middleware, behind the handler", behind, page, PAGE),
    case(
        "middleware of the route, before its handler",
        |app, fuse| {
            app.route("/page")
                .middleware(move |ctx, next| {
                    fuse.burn();
                    next.run(ctx);
                })
                .get(|ctx| ctx.text("a page"));
        },
        page,
        PAGE,
    ),
    case(
        "middleware of the route, behind its handler",
        |app, fuse| {
            app.route("/page")
                .middleware(move |ctx, next| {
                    next.run(ctx);
                    fuse.burn();
                })
                .get(|ctx| ctx.text("a page"));
        },
        page,
        PAGE,
    ),
    case(
        "a handler that has said something already",
        |app, fuse| {
            app.get("/page", move |ctx| {
                ctx.header("X-Half", "of an answer");
                ctx.text("a page");
                fuse.burn();
            });
        },
        page,
        PAGE,
    ),
    case(
        "a handler that has deferred its answer",
        |app, fuse| {
            app.get("/page", move |ctx| {
                let answer = ctx.defer();
                fuse.burn();
                answer.respond(rushwire::Response::text("a page"));
            });
        },
        page,
        PAGE,
    ),
    on_another_thread(case(
        "the thread that a handler has deferred its answer to",
        |app, fuse| {
            app.get("/page", move |ctx| {
                let (answer, fuse) = (ctx.defer(), fuse.clone());
                thread::spawn(move || {
                    fuse.burn();
                    answer.respond(rushwire::Response::text("a page"));
                });
            });
        },
        page,
        PAGE,
    )),
    case(
        "the handler for errors",
        |app, fuse| {
            app.error_handler(move |ctx, _| {
                fuse.burn();
                ctx.text("dressed");
            });
            plain(app);
        },
        |server| answer(server, "/nowhere"),
        ["500 internal server error\n", "404 dressed"],
    ),
    case("middleware, before the upgrade", before, socket, UPGRADE),
    case("middleware, behind the upgrade", behind, socket, UPGRADE),
    case(
        "the deferring verdict",
        |app, fuse| {
            app.verify_client_deferred(move |_, verdict| {
                fuse.burn();
                verdict.accept();
            });
            plain(app);
        },
        socket,
        UPGRADE,
    ),
    on_another_thread(case(
        "the thread that decides",
        |app, fuse| {
            app.verify_client_deferred(move |_, verdict| {
                let fuse = fuse.clone();
                thread::spawn(move || {
                    fuse.burn();
                    verdict.accept();
                });
            });
            plain(app);
        },
        socket,
        UPGRADE,
    )),
    case(
        "the choice of a subprotocol",
        |app, fuse| {
            app.choose_subprotocol(move |_, _| {
                fuse.burn();
                None
            });
            plain(app);
        },
        |server| say(server, "Sec-WebSocket-Protocol: a\r\n", &[]),
        UPGRADE,
    ),
    case(
        "the socket middleware of a route",
        |app, fuse| {
            app.route("/")
                .ws_use(move |_, _, next| {
                    fuse.burn();
                    next.run();
                })
                .ws(echo);
        },
        socket,
        SOCKET,
    ),
    on_another_thread(case(
        "the thread that socket middleware asks",
        |app, fuse| {
            app.ws_use(move |_, _, next| {
                let fuse = fuse.clone();
                thread::spawn(move || {
                    fuse.burn();
                    next.run();
                });
            });
            plain(app);
        },
        socket,
        ["closed 1008", "echo"],
    )),
    case(
        "socket middleware behind one that waits",
        |app, fuse| {
            app.ws_use(later);
            app.ws_use(move |_, _, next| {
                fuse.burn();
                next.run();
            });
            plain(app);
        },
        socket,
        SOCKET,
    ),
    case(
        "a handler behind middleware that waits",
        |app, fuse| {
            app.ws_use(later);
            app.ws("/", move |socket, request| {
                fuse.burn();
                echo(socket, request);
            });
        },
        socket,
        SOCKET,
    ),
    case(
        "a listener that hears what came before the handler",
        |app, fuse| {
            app.ws_use(later);
            listen(app, fuse);
        },
        socket,
        SOCKET,
    ),
    case(
        "a listener that runs once",
        |app, fuse| {
            app.ws("/", move |socket, request| {
                let fuse = fuse.clone();
                socket.once(event::Message, move |_, _| fuse.burn());
                echo(socket, request);
            });
        },
        socket,
        SOCKET,
    ),
    case(
        "the second of three listeners",
        |app, fuse| {
            app.ws("/", move |socket, request| {
                let fuse = fuse.clone();
                socket.on(event::Message, |_, _| {});
                socket.on(event::Message, move |_, _| fuse.burn());
                echo(socket, request);
            });
        },
        socket,
        SOCKET,
    ),
    case(
        "a listener that hears a message in fragments",
        listen,
        |server| {
            let first = frame(false, 0, TEXT, b"he");
            say(server, "", &[first, frame(true, 0, 0, b"llo")])
        },
        SOCKET,
    ),
    case(
        "a listener that hears a message of many reads",
        listen,
        |server| say(server, "", &[frame(true, 0, BINARY, &[7; 900_000])]),
        SOCKET,
    ),
    case(
        "a message that cannot be made",
        |app, fuse| {
            app.ws("/", move |socket, request| {
                let fuse = fuse.clone();
                socket.on(event::Message, move |socket, _| {
                    socket.broadcast_all("nobody", Made(&fuse));
                });
                echo(socket, request);
            });
        },
        socket,
        SOCKET,
    ),
    case(
        "a listener for rooms",
        |app, fuse| {
            app.on_room(move |_, _| fuse.burn());
            app.ws("/", |socket, request| {
                socket.join("room");
                echo(socket, request);
            });
        },
        socket,
        ["echo", "echo"],
    ),
    case(
        "a timer",
        |app, fuse| {
            app.ws("/", move |socket, request| {
                let fuse = fuse.clone();
                socket
                    .hub()
                    .set_timeout(Duration::ZERO, move |_| fuse.burn());
                echo(socket, request);
            });
        },
        socket,
        ["echo", "echo"],
    ),
];

fn before(app: &mut App, fuse: Fuse) {
    app.middleware(move |ctx, next| {
        fuse.burn();
        next.run(ctx);
    });
    plain(app);
}

fn behind(app: &mut App, fuse: Fuse) {
    app.middleware(move |ctx, next| {
        next.run(ctx);
        fuse.burn();
    });
    plain(app);
}

/// Routes that do nothing wrong.
fn plain(app: &mut App) {
    app.get("/page", |ctx| ctx.text("a page")).ws("/", echo);
}

/// Decides on another thread.
fn later(_: &Socket, _: &rushwire::Request, next: rushwire::Next) {
    thread::spawn(move || next.run());
}

fn listen(app: &mut App, fuse: Fuse) {
    app.ws("/", move |socket, request| {
        let fuse = fuse.clone();
        socket.on(event::Message, move |_, _| fuse.burn());
        echo(socket, request);
    });
}

fn echo(socket: &Socket, _: &rushwire::Request) {
    socket.on(event::Message, |socket, _| _ = socket.send("echo"));
}

/// A message that panics while it is made.
struct Made<'a>(&'a Fuse);

impl IntoMessage for Made<'_> {
    fn with_message<R>(self, take: impl FnOnce(Message<'_>) -> R) -> Result<R, String> {
        self.0.burn();
        Ok(take(Message::Text("made")))
    }
}

fn page(server: &Server) -> String {
    answer(server, "/page")
}

fn answer(server: &Server, path: &str) -> String {
    let answer = http::get(server.addr, path);
    assert!(answer.status == 200 || answer.header("x-half").is_none());
    format!("{} {}", answer.status, answer.text())
}

fn socket(server: &Server) -> String {
    say(server, "", &[frame(true, 0, TEXT, b"hello")])
}

/// Opens a socket, says something, and tells what the server says.
fn say(server: &Server, headers: &str, frames: &[Vec<u8>]) -> String {
    let mut client = match Client::try_connect(server.addr, "/", headers) {
        Ok(client) => client,
        Err(answer) => return format!("{} {}", answer.status, answer.text()),
    };
    match frames {
        [] => client.send("hello"),
        frames => frames.iter().for_each(|frame| client.send_raw(frame)),
    }
    let heard = client.recv();
    if heard.opcode == TEXT {
        return String::from_utf8(heard.payload).expect("text");
    }
    let code = heard.payload.first_chunk().expect("a code");
    client.try_send_close(u16::from_be_bytes(*code));
    client.expect_end();
    format!("closed {}", u16::from_be_bytes(*code))
}

fn setup(app: &mut App, case: &Case, fuse: Fuse, pen: Pen) {
    let reports = pen.clone();
    app.on_error(move |report| reports.note(format!("report {}", report.message)));
    // First, so that its listeners are there when something panics.
    app.ws_use(move |socket, _, next| {
        pen.watch("it", socket);
        next.run();
    });
    (case.arm)(app, fuse);
}

#[test]
fn where_a_panic_was_the_next_one_passes() {
    hush();
    for case in &CASES {
        println!("{}", case.name);
        let (pen, log) = log();
        let fuse = Fuse::default();
        let server = serve_with(Options::default, move |app| setup(app, case, fuse, pen));
        let seen = [(case.attempt)(&server), (case.attempt)(&server)];
        assert_eq!(seen, case.expected, "{}", case.name);
        server.stop(Duration::from_secs(5));
        let lines = log.rest();
        let count = |begin: &str| lines.iter().filter(|line| line.starts_with(begin)).count();
        assert_eq!(
            count("it open"),
            count("it close"),
            "{}: {lines:?}",
            case.name
        );
        let reports = usize::from(case.is_reported);
        assert_eq!(
            count("report thrown on purpose"),
            reports,
            "{}: {lines:?}",
            case.name
        );
    }
}
