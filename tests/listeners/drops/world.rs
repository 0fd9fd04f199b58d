//! A server on the test's own thread, all that an application can hold of it, and peers.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Once;
use std::time::{Duration, Instant};

use rushwire::{App, ConnectOptions, Connection, Hub, Options, ReadyState, Server, Socket, event};

use super::held::{HELD, Held, Marks, let_go};
use super::orders::Item;
use crate::common::client::{CLOSE, TEXT, close_payload, frame, upgrade_request};
use crate::common::{PATIENCE, http};

/// Where something is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between two turns.
    Outside,
    Message,
    Timer,
    Job,
    Handler,
    /// A socket's last listener.
    Close,
    /// On another thread, if that may be.
    Thread,
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
    /// What the next listener is to drop.
    static DUE: RefCell<Vec<Item>> = const { RefCell::new(Vec::new()) };
    static CLOSED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Panics on this thread so far, caught or not.
pub(super) fn panics() -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            others(info);
        }));
    });
    PANICS.get()
}

/// In a listener: drops what is due.
fn drop_due() {
    for item in DUE.take() {
        let_go(item, false);
    }
}

/// A server, and what makes its listeners run.
pub(super) struct World {
    server: Option<Server>,
    /// The other end of a socket whose listeners drop what is due.
    trigger: TcpStream,
    marks: Marks,
}

impl World {
    /// A server with a socket that is open, one that was, one that waits for middleware, one for a
    /// verdict, a request that waits for its answer, a timer, and a connection that it makes. All that
    /// it calls holds the hub, and with it itself.
    pub(super) fn new(marks: &Marks, uses: bool) -> Self {
        HELD.take();
        CLOSED.take();
        let mut app = App::with(Options {
            heartbeat: Duration::ZERO,
            ..Options::default()
        });
        setup(&mut app, marks);
        let server = app.bind("127.0.0.1:0").expect("bind");
        let (hub, address) = (server.hub().clone(), server.local_addr().expect("TCP"));
        let knock = |path| {
            let mut stream = http::connect(address);
            stream
                .write_all(upgrade_request(path, "").as_bytes())
                .expect("send");
            stream
        };
        let held = (hub.clone(), marks.mark("timer"));
        let timer = hub.set_interval(Duration::from_secs(3_600), move |_| _ = &held);
        let connection = connect(&hub, &format!("ws://{address}/theirs"), marks);
        let stale = knock("/stale");
        HELD.with_borrow_mut(|held| {
            held.app = Some(app);
            held.remote = Some(hub.remote());
            held.hub = Some(hub);
            held.timer = Some(timer);
            held.connection = Some(connection);
            held.peers = ["/socket", "/verdict", "/next"].map(knock).into();
            held.peers.push(http::connect(address));
            held.peers[3]
                .write_all(b"GET /deferred HTTP/1.0\r\n\r\n")
                .expect("send");
            held.uses = uses;
        });
        let mut world = Self {
            server: Some(server),
            trigger: knock("/trigger"),
            marks: marks.clone(),
        };
        world.turn_until("all is there", |held| held.is_complete());
        drop(stale);
        world.turn_until("one is gone", |held| {
            held.stale
                .as_ref()
                .is_some_and(|it| it.ready_state() == ReadyState::Closed)
        });
        world
    }

    /// Takes turns until something holds.
    fn turn_until(&mut self, what: &str, is_so: impl Fn(&Held) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !HELD.with_borrow(&is_so) {
            assert!(Instant::now() < deadline, "never: {what}");
            self.turn();
        }
    }

    fn turn(&mut self) {
        if let Some(server) = &mut self.server {
            server.turn(Some(Duration::from_millis(1))).expect("a turn");
        }
    }

    /// Drops something at that place, if there is still a server.
    pub(super) fn drop_in(&mut self, item: Item, place: Place) {
        let Some(server) = self.server.as_ref() else {
            return let_go(item, place == Place::Thread);
        };
        match place {
            Place::Outside | Place::Thread => return let_go(item, place == Place::Thread),
            Place::Timer => drop(server.hub().set_timeout(Duration::ZERO, |_| drop_due())),
            Place::Job => server.remote().post(|_| drop_due()).expect("it is there"),
            Place::Message => self
                .trigger
                .write_all(&frame(true, 0, TEXT, b"drop"))
                .expect("send"),
            Place::Close => self.provoke_close(),
            Place::Handler => {
                let address = server.local_addr().expect("TCP");
                let mut stream = http::connect(address);
                stream
                    .write_all(b"GET /drop HTTP/1.0\r\n\r\n")
                    .expect("send");
                // It has gone before the answer comes.
            }
        }
        DUE.set(vec![item]);
        self.turn_until("it is dropped", |_| DUE.with_borrow(Vec::is_empty));
    }

    /// Ends a socket for its last listener's sake.
    fn provoke_close(&mut self) {
        let Some(server) = &self.server else { return };
        let mut stream = http::connect(server.local_addr().expect("TCP"));
        let hello = upgrade_request("/last", "");
        let close = frame(true, 0, CLOSE, &close_payload(1000, ""));
        stream
            .write_all(&[hello.as_bytes(), &close].concat())
            .expect("send");
    }

    /// Drops the server. At [`Place::Close`] the rest goes meanwhile.
    pub(super) fn drop_server(&mut self, rest: &[Item], place: Place) {
        if place == Place::Close {
            DUE.set(rest.to_vec());
        }
        drop(self.server.take());
        assert!(DUE.with_borrow(Vec::is_empty), "the last listener has run");
    }

    /// What is left can be used, and says whether the server is there.
    pub(super) fn check(&mut self) {
        let is_over = self.server.is_none();
        HELD.with_borrow(|held| held.check(is_over));
    }

    /// All that is left goes; gives who has heard of the end.
    pub(super) fn end(self) -> Vec<&'static str> {
        assert!(self.server.is_none(), "it was among the items");
        drop((self.trigger, self.marks));
        let mut closed = CLOSED.take();
        closed.sort_unstable();
        closed
    }
}

fn setup(app: &mut App, marks: &Marks) {
    let (hub, remote) = (app.hub().clone(), app.remote());
    let holds = |name| (hub.clone(), remote.clone(), marks.mark(name));
    let held = holds("errors");
    app.on_error(move |_| _ = &held);
    let held = holds("rooms");
    app.on_room(move |_, _| _ = &held);
    let held = holds("verify");
    app.verify_client_deferred(move |request, verdict| {
        _ = &held;
        match request.path() {
            "/verdict" => HELD.with_borrow_mut(|held| held.verdict = Some(verdict)),
            _ => verdict.accept(),
        }
    });
    let held = holds("middleware");
    app.ws_use(move |_, request, next| {
        _ = &held;
        match request.path() {
            "/next" => HELD.with_borrow_mut(|held| held.next = Some(next)),
            _ => next.run(),
        }
    });
    for (path, name) in [
        ("/socket", "open"),
        ("/stale", "stale"),
        ("/trigger", "trigger"),
        ("/theirs", "theirs"),
    ] {
        let (held, marks) = (holds("handler"), marks.clone());
        app.ws(path, move |socket, _| {
            _ = &held;
            socket.join("room");
            watch(socket, name, &marks);
            HELD.with_borrow_mut(|held| match name {
                "open" => held.socket = Some(socket.clone()),
                "stale" => held.stale = Some(socket.clone()),
                _ => {}
            });
        });
    }
    app.ws("/next", |_, _| {});
    app.ws("/verdict", |_, _| {});
    app.ws("/last", |socket, _| {
        _ = socket.on(event::Close, |_, _| drop_due())
    });
    let held = holds("route");
    app.get("/deferred", move |ctx| {
        _ = &held;
        HELD.with_borrow_mut(|held| held.deferred = Some(ctx.defer()));
    });
    app.get("/drop", |_| drop_due());
}

/// Notes the end of a socket. What it hears and holds has itself in it.
fn watch(socket: &Socket, name: &'static str, marks: &Marks) {
    socket.set(marks.mark("data"));
    let held = (socket.clone(), marks.mark("message"));
    socket.on(event::Message, move |_, _| {
        _ = &held;
        drop_due();
    });
    let held = (socket.clone(), marks.mark("close"));
    socket.on(event::Close, move |_, _| {
        _ = &held;
        CLOSED.with_borrow_mut(|closed| closed.push(name));
        if name == "trigger" {
            drop_due();
        }
    });
}

/// Connects this server to itself.
fn connect(hub: &Hub, url: &str, marks: &Marks) -> Connection {
    let (held, inner) = ((hub.clone(), marks.mark("connect")), marks.clone());
    let connection = hub.connect(url, ConnectOptions::default(), move |socket, _| {
        _ = &held;
        watch(socket, "ours", &inner);
    });
    let connection = connection.expect("a URL");
    let held = (connection.clone(), marks.mark("its errors"));
    connection.on_error(move |_| _ = &held);
    connection
}
