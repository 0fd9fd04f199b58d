//! A server with a place for each thing that can block, and what a client does so that it does.

use std::any::Any;
use std::io::{Write, stdin};
use std::time::Duration;

use rushwire::{App, ConnectOptions, Context, Options, Rate, Request, RoomChange, event};

use crate::common::child::{self, Process};
use crate::common::client::{PING, PONG, TEXT, upgrade_request};
use crate::common::{Client, http};

/// Waits for a line.
fn block() {
    let _ = stdin().lines().next();
}

fn block_at(request: &Request, path: &str) {
    if request.path() == path {
        block();
    }
}

/// Blocks when it is let go of.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        block();
    }
}

/// In the child: a place for each thing that can block, found by its path.
pub(super) fn serve_places(limit: Duration) {
    let mut app = App::with(Options {
        slow_listener: limit,
        heartbeat: Duration::ZERO,
        message_rate: Some(Rate {
            messages: 2,
            per: Duration::from_secs(3_600),
        }),
        ..Options::default()
    });
    sockets(&mut app);
    requests(&mut app);
    app.on_room(|_, event| {
        if event.change == RoomChange::Created {
            block();
        }
    });
    app.on_error(|report| {
        if report.message == "told" {
            block();
        }
    });
    app.get("/quit", |ctx| ctx.hub().shutdown(Duration::from_secs(20)));
    child::listen(&mut app);
}

fn sockets(app: &mut App) {
    app.ws_use(|_, request, next| {
        block_at(request, "/socket-middleware");
        next.run();
    });
    app.ws("/socket-middleware", |_, _| {});
    app.ws("/socket-handler", |_, _| block());
    app.ws("/message", |socket, _| {
        socket.on(event::Message, |_, _| block());
    });
    app.ws("/rooms/:room", |socket, _| {
        socket.on(event::Message, |_, _| {});
        socket.on(event::Message, |_, _| block());
    });
    app.ws("/close", |socket, _| {
        _ = socket.on(event::Close, |_, _| block())
    });
    app.ws("/error", |socket, _| {
        _ = socket.on(event::Error, |_, _| block())
    });
    app.ws("/ping", |socket, _| {
        _ = socket.on(event::Ping, |_, _| block())
    });
    app.ws("/pong", |socket, _| {
        _ = socket.on(event::Pong, |_, _| block())
    });
    app.ws("/rate", |socket, _| {
        socket.on(event::RateLimit, |_, _| block());
    });
    app.ws("/held", |socket, _| socket.set(Held));
    app.ws("/room-listener", |socket, _| _ = socket.join("blocks"));
    app.ws("/error-listener", |_, _| panic!("told"));
    app.ws("/panic", |socket, _| {
        socket.on(event::Message, |_, _| panic!("at once"));
    });
    app.ws("/verify", |_, _| {});
    app.ws("/subprotocol", |_, _| {});
    app.ws("/origin", |_, _| {});
    app.ws("/plain", |_, _| {});
    #[cfg(feature = "json")]
    app.ws("/custom", |socket, _| {
        socket.on("join-room", |_, _| block());
    });
}

fn requests(app: &mut App) {
    app.middleware(|ctx, next| {
        block_at(ctx.request(), "/middleware");
        next.run(ctx);
    });
    app.verify_client(|request| {
        block_at(request, "/verify");
        true
    });
    app.allow_origin_if(|_, request| {
        block_at(request, "/origin");
        true
    });
    app.choose_subprotocol(|request, _| {
        block_at(request, "/subprotocol");
        None
    });
    app.error_handler(|ctx, _| block_at(ctx.request(), "/nowhere"));
    app.get("/middleware", |_| {});
    app.get("/handler", |_| block());
    app.get("/timer", |ctx| {
        ctx.hub().set_timeout(Duration::ZERO, |_| block());
    });
    app.get("/job", |ctx| {
        ctx.hub().remote().post(|_| block()).expect("it runs");
    });
    app.get("/connect", |ctx| dial(ctx, "/plain"));
    app.get("/fails", |ctx| dial(ctx, "/nobody"));
    app.get("/stats", |ctx| {
        let stats = ctx.hub().stats();
        ctx.text(stats.slow_listeners.to_string());
    });
}

/// Connects to itself, in a way that blocks in whatever hears of it.
fn dial(ctx: &Context, path: &str) {
    let host = ctx.request().header("Host").unwrap_or_default();
    let url = format!("ws://{host}{path}");
    let options = ConnectOptions {
        headers: vec![("Origin".to_owned(), "http://localhost".to_owned())],
        ..ConnectOptions::default()
    };
    let connection = ctx.hub().connect(&url, options, |_, _| block());
    connection.expect("a URL").on_error(|_| block());
}

/// What keeps a connection open until it is dropped.
pub(super) type Kept = Box<dyn Any>;

/// What is told, and how it is brought about.
pub(super) type Place = (&'static str, fn(&Process) -> Kept);

pub(super) const PLACES: [Place; 23] = [
    (r#"what="Message" socket=… path="/message""#, |at| {
        say(at, "/message?token=secret", TEXT)
    }),
    (r#"what="Message" socket=… path="/rooms/a%20b""#, |at| {
        say(at, "/rooms/a%20b", TEXT)
    }),
    (r#"what="Ping" socket=… path="/ping""#, |at| {
        say(at, "/ping", PING)
    }),
    (r#"what="Pong" socket=… path="/pong""#, |at| {
        say(at, "/pong", PONG)
    }),
    (r#"what="Error" socket=… path="/error""#, |at| {
        say(at, "/error", 7)
    }),
    (r#"what="Close" socket=… path="/close""#, |at| {
        leave(at, "/close")
    }),
    (r#"what="RateLimit" socket=… path="/rate""#, |at| {
        let mut client = open(at, "/rate");
        (0..3).for_each(|_| client.send("one"));
        Box::new(client)
    }),
    (
        r#"what="what a socket held" socket=… path="/held""#,
        |at| leave(at, "/held"),
    ),
    (
        r#"what="socket middleware" socket=… path="/socket-middleware""#,
        |at| knock(at, "/socket-middleware"),
    ),
    (
        r#"what="socket handler" socket=… path="/socket-handler""#,
        |at| knock(at, "/socket-handler"),
    ),
    (r#"what="room listener""#, |at| knock(at, "/room-listener")),
    (r#"what="error listener""#, |at| {
        knock(at, "/error-listener")
    }),
    (r#"what="verify_client" path="/verify""#, |at| {
        knock(at, "/verify?token=secret")
    }),
    (r#"what="choose_subprotocol" path="/subprotocol""#, |at| {
        knock(at, "/subprotocol")
    }),
    (r#"what="allow_origin_if" path="/origin""#, |at| {
        knock(at, "/origin")
    }),
    (r#"what="middleware" path="/middleware""#, |at| {
        get(at, "/middleware")
    }),
    (r#"what="handler" path="/handler""#, |at| {
        get(at, "/handler?token=secret")
    }),
    (r#"what="error handler" path="/nowhere""#, |at| {
        get(at, "/nowhere")
    }),
    (r#"what="timer""#, |at| get(at, "/timer")),
    (r#"what="remote job""#, |at| get(at, "/job")),
    (r#"what="connect handler" socket=… path="/plain""#, |at| {
        get(at, "/connect")
    }),
    (r#"what="connection's error listener""#, |at| {
        get(at, "/fails")
    }),
    CUSTOM,
];

#[cfg(feature = "json")]
const CUSTOM: Place = (r#"what="join-room" socket=… path="/custom""#, |at| {
    let mut client = open(at, "/custom");
    client.send(r#"{"type":"join-room"}"#);
    Box::new(client)
});

/// Without the feature there are no such events, and it is a message.
#[cfg(not(feature = "json"))]
const CUSTOM: Place = (r#"what="Message" socket=… path="/message""#, |at| {
    let mut client = open(at, "/message");
    client.send(r#"{"type":"join-room"}"#);
    Box::new(client)
});

/// What every client says of itself.
pub(super) const HEADERS: &str = "Origin: http://localhost\r\nSec-WebSocket-Protocol: a\r\n";

fn open(at: &Process, path: &str) -> Client {
    Client::connect_with(at.addr, path, HEADERS)
}

pub(super) fn say(at: &Process, path: &str, opcode: u8) -> Kept {
    let mut client = open(at, path);
    client.send_frame(true, 0, opcode, b"hello");
    Box::new(client)
}

fn leave(at: &Process, path: &str) -> Kept {
    let mut client = open(at, path);
    client.send_close(1000, "");
    Box::new(client)
}

/// Asks for a socket, and does not wait for the answer.
fn knock(at: &Process, path: &str) -> Kept {
    let mut stream = http::connect(at.addr);
    let request = upgrade_request(path, HEADERS);
    stream.write_all(request.as_bytes()).expect("send");
    Box::new(stream)
}

pub(super) fn get(at: &Process, path: &str) -> Kept {
    let mut stream = http::connect(at.addr);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", at.addr);
    stream.write_all(request.as_bytes()).expect("send");
    Box::new(stream)
}
