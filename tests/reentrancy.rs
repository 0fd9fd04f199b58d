//! The laws of listeners: whatever is done to whichever socket from wherever the application's code
//! runs, nothing panics, nothing runs inside something else, and every socket ends exactly once.
//!
//! The cases are the product of all places × all actions × all targets.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use common::client::{CLOSE, PING, PONG, TEXT, close_payload, frame, upgrade_request};
use common::{Server, serve_with};
use rushwire::{
    App, ConnectOptions, Connection, Options, Rate, RoomChange, SendStatus, Socket, event,
};

/// Where the application's code runs.
const PLACES: [Place; 17] = [
    Place::Middleware,
    Place::Handler,
    Place::Message,
    Place::Once,
    Place::Ping,
    Place::Pong,
    Place::Error,
    Place::RateLimit,
    Place::Drain,
    Place::Close,
    Place::Drop,
    Place::Timeout,
    Place::Interval,
    Place::Job,
    Place::Route,
    Place::RoomJoined,
    Place::RoomLeft,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Middleware,
    Handler,
    Message,
    Once,
    Ping,
    Pong,
    Error,
    RateLimit,
    Drain,
    Close,
    Drop,
    Timeout,
    Interval,
    Job,
    Route,
    RoomJoined,
    RoomLeft,
}

type Action = fn(&World, &Socket);

/// What it does.
const ACTIONS: [(&str, Action); 22] = [
    ("send", |_, socket| ignore(socket.send("x"))),
    ("send more than may wait", |_, socket| {
        (0..120).for_each(|_| ignore(socket.send(&vec![0; 60_000])));
    }),
    ("close", |_, socket| socket.close()),
    ("close with a code", |_, socket| {
        socket.close_with(4_000, "bye").expect("a good code")
    }),
    ("terminate", |_, socket| socket.terminate()),
    ("close, then terminate", |_, socket| {
        socket.close();
        socket.terminate();
    }),
    ("send, then close, then send", |_, socket| {
        socket.send("before");
        socket.close();
        assert_eq!(socket.send("after"), SendStatus::Closed);
    }),
    ("join", |_, socket| ignore(socket.join("new"))),
    ("leave", |_, socket| ignore(socket.leave("room"))),
    ("join and leave many", |_, socket| {
        (0..50).for_each(|i| ignore(socket.join(&format!("r{i}"))));
        (0..50).for_each(|i| ignore(socket.leave(&format!("r{i}"))));
    }),
    ("broadcast", |_, socket| {
        ignore(socket.broadcast("room", "x"))
    }),
    ("broadcast to all", |_, socket| {
        ignore(socket.broadcast_all("room", "x"))
    }),
    ("broadcast, then leave", |_, socket| {
        socket.broadcast_all("room", "x");
        socket.leave("room");
        socket.broadcast_all("room", "y");
    }),
    ("ping", |_, socket| ignore(socket.ping(b"p"))),
    ("replace the listeners", |world, socket| {
        for id in world
            .listeners
            .borrow_mut()
            .remove(&socket.id())
            .into_iter()
            .flatten()
        {
            socket.off(id);
        }
        let world = world.clone();
        socket.on(event::Message, move |socket, _| {
            world.enter(socket, "message")
        });
    }),
    ("add a listener", |world, socket| {
        let world = world.clone();
        socket.on(event::Message, move |socket, _| {
            world.enter(socket, "message")
        });
        socket.once(event::Close, |_, _| {});
    }),
    ("keep data that calls back when dropped", |_, socket| {
        socket.set(Farewell(socket.clone()));
        socket.set(Farewell(socket.clone()));
    }),
    ("set and cancel timers", |world, socket| {
        let hub = socket.hub();
        let inner = socket.clone();
        hub.set_timeout(Duration::ZERO, move |_| ignore(inner.send("later")));
        assert!(hub.set_interval(Duration::ZERO, |_| ()).cancel());
        world
            .timers
            .borrow_mut()
            .drain(..)
            .for_each(|timer| ignore(timer.cancel()));
    }),
    ("ask the hub everything", |_, socket| {
        let hub = socket.hub();
        hub.sockets().iter().for_each(|other| {
            ignore((
                other.room(),
                other.rooms(),
                other.is_open(),
                other.buffered_amount(),
            ))
        });
        hub.rooms()
            .iter()
            .for_each(|room| ignore(hub.room(room).members()));
        ignore((
            hub.stats(),
            hub.socket(socket.id()),
            socket.data::<u8>(),
            socket.last_pong(),
            socket.is_alive(),
        ));
        hub.ws_broadcast("everyone", None);
    }),
    ("post a job", |_, socket| {
        let id = socket.id();
        socket
            .hub()
            .remote()
            .send(id, "posted")
            .expect("the server runs");
        socket
            .hub()
            .remote()
            .post(move |hub| hub.socket(id).iter().for_each(Socket::close))
            .expect("the server runs");
    }),
    ("connect to who does not listen", |world, socket| {
        dial(world, socket);
    }),
    ("connect, then give up", |world, socket| {
        dial(world, socket).close();
    }),
];

/// Begins a connection of this side, that fails.
fn dial(world: &World, socket: &Socket) -> Connection {
    let options = ConnectOptions::default();
    let connection = socket.hub().connect("ws://127.0.0.1:9/", options, |_, _| {
        unreachable!("nobody listens")
    });
    let (connection, world) = (connection.expect("a URL"), world.clone());
    connection.on_error(move |_| {
        let busy = world.busy.try_borrow_mut();
        assert!(busy.is_ok(), "a failure was told inside of a call");
    });
    assert_eq!(connection.send("early"), SendStatus::Queued);
    connection
}

/// To whom.
const TARGETS: [&str; 4] = [
    "the socket itself",
    "another",
    "everyone",
    "one that is gone, and whose place is taken",
];

/// Says that an answer does not matter.
fn ignore<T>(_: T) {}

#[test]
fn anything_may_be_done_to_any_socket_from_anywhere() {
    let mut cases = 0;
    for place in PLACES {
        for (action, (what, _)) in ACTIONS.iter().enumerate() {
            for (target, whom) in TARGETS.iter().enumerate() {
                let name = format!("{place:?} × {what} × {whom}");
                // Shown if it fails: the last one named is the one.
                println!("{name}");
                run(place, action, target).unwrap_or_else(|problem| panic!("{name}: {problem}"));
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 17 * 22 * 4);
}

/// What the listeners of one case share.
#[derive(Clone, Default)]
struct World(Rc<Shared>);

#[derive(Default)]
struct Shared {
    sockets: RefCell<BTreeMap<String, Socket>>,
    listeners: RefCell<BTreeMap<rushwire::SocketId, Vec<rushwire::ListenerId>>>,
    timers: RefCell<Vec<rushwire::Timer>>,
    /// What happened to whom, in order.
    log: RefCell<Vec<(String, &'static str)>>,
    /// Borrowed while code of the application runs: a second borrow means that it ran inside.
    busy: RefCell<()>,
    acted: Cell<bool>,
    errors: RefCell<Vec<String>>,
}

impl std::ops::Deref for World {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Calls back in when it is dropped.
struct Farewell(Socket);

impl Drop for Farewell {
    fn drop(&mut self) {
        let Self(socket) = self;
        socket.send("from the grave");
        socket.join("grave");
        socket.leave("room");
        socket.broadcast("room", "somebody left");
        socket.hub().ws_broadcast("somebody left", None);
        socket.close();
        socket.terminate();
    }
}

/// Drops run wherever the owner lets go, so they are no listeners; but the action is taken there.
struct ActsWhenDropped(World, Socket, usize, usize);

impl Drop for ActsWhenDropped {
    fn drop(&mut self) {
        let Self(world, socket, action, target) = self;
        world.act(socket, *action, *target);
    }
}

impl World {
    fn enter(&self, socket: &Socket, what: &'static str) {
        let _busy = self
            .busy
            .try_borrow_mut()
            .expect("a listener ran inside of another");
        self.log.borrow_mut().push((socket.id().to_string(), what));
    }

    /// Takes the action, once in each case, with a borrow held across it.
    fn act(&self, me: &Socket, action: usize, target: usize) {
        if self.acted.replace(true) {
            return;
        }
        let targets: Vec<Socket> = {
            let sockets = self.sockets.borrow();
            match target {
                0 => vec![me.clone()],
                1 => vec![sockets["other"].clone()],
                2 => sockets.values().cloned().chain([me.clone()]).collect(),
                _ => vec![sockets["gone"].clone()],
            }
        };
        let _busy = self
            .busy
            .try_borrow_mut()
            .expect("the action ran inside of a listener");
        targets
            .iter()
            .for_each(|socket| ACTIONS[action].1(self, socket));
    }

    /// Listeners that every socket has.
    fn watch(&self, socket: &Socket) {
        let mut ids = Vec::new();
        let world = self.clone();
        ids.push(socket.on(event::Message, move |socket, message| {
            world.enter(socket, "message");
            if message.as_text() == Some("echo") {
                socket.send("echo");
            }
        }));
        let world = self.clone();
        ids.push(socket.on(event::Error, move |socket, _| world.enter(socket, "error")));
        let world = self.clone();
        ids.push(socket.on(event::Drain, move |socket, _| world.enter(socket, "drain")));
        self.listeners.borrow_mut().insert(socket.id(), ids);
        // Never replaced, so that the end is always seen. It captures its own socket: a cycle.
        let (world, me) = (self.clone(), socket.clone());
        socket.on(event::Close, move |socket, _| {
            assert_eq!(me.id(), socket.id());
            world.enter(socket, "close");
        });
    }
}

fn options(place: Place) -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: Duration::from_millis(300),
        max_message_size: 1 << 20,
        message_rate: (place == Place::RateLimit).then_some(Rate {
            messages: 2,
            per: Duration::from_secs(100_000),
        }),
        ..Options::default()
    }
}

fn setup(app: &mut App, place: Place, action: usize, target: usize) {
    let world = World::default();
    let errors = world.clone();
    app.on_error(move |report| errors.errors.borrow_mut().push(report.to_string()));
    app.hub().set_timeout(Duration::MAX, |_| ());
    let seen = world.clone();
    app.on_room(move |_, _| {
        let busy = seen.busy.try_borrow_mut();
        assert!(busy.is_ok(), "a change of rooms was told inside of a call");
    });
    let seen = world.clone();
    app.ws_use(move |socket, request, next| {
        if request.param("name") == "actor" && place == Place::Middleware {
            seen.act(socket, action, target);
        }
        next.run();
    });
    let seen = world.clone();
    app.get("/act", move |ctx| {
        let actor = seen.sockets.borrow().get("actor").cloned();
        actor
            .iter()
            .for_each(|actor| seen.act(actor, action, target));
        ctx.text("done");
    });
    let seen = world.clone();
    app.get("/log", move |ctx| {
        let log: Vec<String> = seen
            .log
            .borrow()
            .iter()
            .map(|(id, what)| format!("{id} {what}"))
            .collect();
        let errors = seen.errors.borrow().join("\n! ");
        ctx.header("X-Acted", seen.acted.get().to_string());
        ctx.text(format!(
            "{}{}{errors}",
            log.join("\n"),
            if errors.is_empty() { "" } else { "\n! " }
        ));
    });
    app.ws("/:name", move |socket, request| {
        let name = request.param("name").to_owned();
        world.enter(socket, "open");
        world.watch(socket);
        socket.join("room");
        if name == "actor" {
            arm(&world, socket, place, action, target);
        }
        world.sockets.borrow_mut().insert(name, socket.clone());
    });
}

/// Has the action taken in that place, for that socket.
fn arm(world: &World, socket: &Socket, place: Place, action: usize, target: usize) {
    let act = {
        let world = world.clone();
        move |socket: &Socket| world.act(socket, action, target)
    };
    match place {
        Place::Handler => act(socket),
        Place::Message => ignore(socket.on(event::Message, move |socket, _| act(socket))),
        Place::Once => ignore(socket.once(event::Message, move |socket, _| act(socket))),
        Place::Ping => ignore(socket.on(event::Ping, move |socket, _| act(socket))),
        Place::Pong => ignore(socket.on(event::Pong, move |socket, _| act(socket))),
        Place::Error => ignore(socket.on(event::Error, move |socket, _| act(socket))),
        Place::RateLimit => ignore(socket.on(event::RateLimit, move |socket, _| act(socket))),
        Place::Close => ignore(socket.on(event::Close, move |socket, _| act(socket))),
        Place::Drain => {
            socket.on(event::Message, |socket, message| {
                let mut patience = 1_000;
                while message.as_text() == Some("flood")
                    && socket.send(&vec![7; 60_000]) == SendStatus::Queued
                    && patience > 0
                {
                    patience -= 1;
                }
            });
            socket.on(event::Drain, move |socket, _| act(socket));
        }
        Place::Drop => {
            let guard = ActsWhenDropped(world.clone(), socket.clone(), action, target);
            socket.on(event::Message, move |_, _| {
                let _ = &guard;
            });
        }
        Place::Timeout => {
            let socket = socket.clone();
            socket
                .hub()
                .clone()
                .set_timeout(Duration::ZERO, move |_| act(&socket));
        }
        Place::Interval => {
            let (me, hub) = (socket.clone(), socket.hub().clone());
            let timer = hub.set_interval(Duration::from_millis(1), move |_| act(&me));
            world.timers.borrow_mut().push(timer);
        }
        Place::Job => {
            let socket = socket.clone();
            JOB.set(Some(Box::new(move || act(&socket))));
        }
        Place::RoomJoined | Place::RoomLeft => {
            let change = match place {
                Place::RoomJoined => RoomChange::Joined,
                _ => RoomChange::Left,
            };
            let me = socket.clone();
            socket.hub().on_room(move |_, event| {
                if event.socket == me.id() && event.change == change {
                    act(&me);
                }
            });
            socket.join("armed");
        }
        Place::Middleware | Place::Route => {}
    }
}

/// Does on the wire what makes the action happen.
fn provoke(server: &Server, actor: &mut TcpStream, place: Place) {
    let go = |opcode| frame(true, 0, opcode, b"go");
    let bytes = match place {
        Place::Middleware | Place::Handler | Place::Timeout | Place::Interval => Vec::new(),
        Place::RoomJoined => Vec::new(),
        Place::Message | Place::Once => go(TEXT),
        Place::Ping => go(PING),
        Place::Pong => go(PONG),
        Place::Error => go(0xB),
        Place::RateLimit => [go(TEXT), go(TEXT), go(TEXT)].concat(),
        Place::Drain => frame(true, 0, TEXT, b"flood"),
        Place::Close | Place::Drop | Place::RoomLeft => {
            frame(true, 0, CLOSE, &close_payload(1000, ""))
        }
        Place::Job | Place::Route => Vec::new(),
    };
    actor.write_all(&bytes).expect("send");
    match place {
        Place::Drain => while discard_some(actor) && !acted(server) {},
        Place::Job => {
            server.wait_until("the actor is there", |_| JOB.with_borrow(Option::is_some));
            server
                .remote
                .post(|_| JOB.take().into_iter().for_each(|job| job()))
                .expect("the server runs");
        }
        Place::Route => {
            server.wait_until("the actor is there", |hub| hub.len() == 3);
            common::http::get(server.addr, "/act");
        }
        _ => {}
    }
}

/// Reads whatever is there, or comes within a moment. `false` when the connection is closed.
fn discard_some(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(5)))
        .expect("set a timeout");
    let read = stream.read(&mut vec![0; 256 * 1024]);
    read.map_or_else(
        |e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        |n| n > 0,
    )
}

thread_local! {
    /// A job comes from another thread and cannot carry the world along; it finds it here.
    static JOB: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

fn acted(server: &Server) -> bool {
    common::http::get(server.addr, "/log").header("x-acted") == Some("true")
}

fn run(place: Place, action: usize, target: usize) -> Result<(), String> {
    let server = serve_with(
        move || options(place),
        move |app| setup(app, place, action, target),
    );
    let mut gone = server.connect("/gone");
    gone.send_close(1000, "");
    gone.closed();
    gone.expect_end();
    server.wait_until("the first one is gone", |hub| hub.is_empty());
    // Takes the place of the one that is gone.
    let mut heir = server.connect("/heir");
    let other = server.connect("/other");
    // The action may cut the connection before the answer is written, so that is not waited for:
    // what the actor says comes early, and is held for it.
    let mut actor = common::http::connect(server.addr);
    actor
        .write_all(upgrade_request("/actor", "").as_bytes())
        .expect("send");
    provoke(&server, &mut actor, place);
    wait_for_action(&server);
    survives(&server);
    if target != 2 {
        for _ in 0..2 {
            heir.send("echo");
            while heir.recv().payload != b"echo" {}
        }
    }
    drop((heir, other, actor));
    server.wait_until("everyone is gone", |hub| {
        hub.is_empty() && hub.rooms().is_empty()
    });
    judge(common::http::get(server.addr, "/log").text())
}

fn wait_for_action(server: &Server) {
    let deadline = std::time::Instant::now() + common::PATIENCE;
    while !acted(server) {
        assert!(
            std::time::Instant::now() < deadline,
            "the action was never taken"
        );
        std::thread::yield_now();
    }
}

/// Whoever comes next is served.
fn survives(server: &Server) {
    let mut witness = server.connect("/witness");
    witness.send("echo");
    while witness.recv().payload != b"echo" {}
}

/// Every socket opens first and closes last, once, and nothing panicked.
fn judge(log: &str) -> Result<(), String> {
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    for line in log.lines() {
        if line.starts_with('!') {
            return Err(format!("{line}\n{log}"));
        }
        let (id, what) = line.split_once(' ').expect("an id and what happened");
        let fits = match (what, open.get(id)) {
            ("open", None) => open.insert(id, true).is_none(),
            ("close", Some(true)) => open.insert(id, false).is_some(),
            ("message" | "error" | "drain", Some(true)) => true,
            _ => false,
        };
        if !fits {
            return Err(format!("{line} is out of order in\n{log}"));
        }
    }
    match open.iter().find(|(_, still)| **still) {
        Some((id, _)) => Err(format!("{id} never closed in\n{log}")),
        None => Ok(()),
    }
}
