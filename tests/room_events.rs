//! Changes of rooms, for the whole server: told in order, once, when nothing else runs, and true.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use common::log::{Log, Pen, log};
use common::{Client, Server, serve, serve_with};
use rushwire::{App, Hub, Join, Options, RoomChange, RoomEvent, Socket, SocketId, event};

/// One line for each change: what, where, whether it was that socket, how many there are.
fn line(event: RoomEvent<'_>) -> String {
    let RoomEvent {
        change,
        room,
        members,
        ..
    } = event;
    format!("{change:?} {room} {members}")
}

fn note_rooms(app: &mut App, pen: &Pen) {
    let pen = pen.clone();
    app.on_room(move |_, event| pen.note(line(event)));
}

/// A server whose sockets say "open"; changes are written down.
fn serve_noted(setup: impl FnOnce(&mut App, &Pen) + Send + 'static) -> (Server, Log) {
    let (pen, log) = log();
    let server = serve(move |app| {
        note_rooms(app, &pen);
        setup(app, &pen);
    });
    (server, log)
}

fn open(app: &mut App, _: &Pen) {
    app.ws("/", |socket, _| _ = socket.send("open"));
}

fn connect(server: &Server) -> Client {
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client
}

/// Runs `act` with the only socket.
fn with_one(server: &Server, act: impl FnOnce(&Socket) + Send + 'static) {
    server.ask(|hub| act(&hub.sockets()[0]));
}

#[test]
fn a_room_is_created_joined_left_and_destroyed_with_counts() {
    let (server, log) = serve_noted(open);
    let (_a, _b) = (connect(&server), connect(&server));
    server.ask(|hub| {
        let [a, b] = &hub.sockets()[..] else {
            panic!("two are there")
        };
        for (socket, room) in [(a, "x"), (b, "x"), (b, "y")] {
            assert_eq!(socket.join(room), Join::Joined);
        }
        assert!(a.leave("x") && b.leave("x") && b.leave("y"));
        assert_eq!(a.join("x"), Join::Joined);
    });
    let expected = [
        "Created x 1",
        "Joined x 1",
        "Joined x 2",
        "Created y 1",
        "Joined y 1",
        "Left x 1",
        "Left x 0",
        "Destroyed x 0",
        "Left y 0",
        "Destroyed y 0",
        "Created x 1",
        "Joined x 1",
    ];
    assert_eq!(expected.map(|_| log.next()), expected);
}

#[test]
fn the_socket_is_the_one_that_came_or_left() {
    let (sender, ids) = channel::<(RoomChange, SocketId)>();
    let server = serve(move |app| {
        app.on_room(move |_, event| sender.send((event.change, event.socket)).expect("a test"));
        app.ws("/", |socket, _| _ = socket.send("open"));
    });
    let (_a, _b) = (connect(&server), connect(&server));
    let (a, b) = server.ask(|hub| {
        let sockets = hub.sockets();
        sockets.iter().for_each(|socket| _ = socket.join("x"));
        sockets.iter().for_each(|socket| _ = socket.leave("x"));
        (sockets[0].id(), sockets[1].id())
    });
    server.ask(|_| ());
    let told: Vec<_> = ids.try_iter().collect();
    let expected = [
        (RoomChange::Created, a),
        (RoomChange::Joined, a),
        (RoomChange::Joined, b),
        (RoomChange::Left, a),
        (RoomChange::Left, b),
        (RoomChange::Destroyed, b),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_changes_nothing_is_not_told() {
    let (pen, log) = log();
    let options = || Options {
        max_room_size: Some(1),
        max_rooms_per_socket: 2,
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        note_rooms(app, &pen);
        open(app, &pen);
    });
    let (_a, _b) = (connect(&server), connect(&server));
    server.ask(|hub| {
        let [a, b] = &hub.sockets()[..] else {
            panic!("two are there")
        };
        assert_eq!(a.join("x"), Join::Joined);
        assert_eq!(a.join("x"), Join::Already);
        assert_eq!(b.join("x"), Join::Full);
        assert_eq!(b.join(""), Join::BadName);
        assert!(!b.leave("x") && !b.leave("nowhere"));
        a.join("y");
        assert_eq!(a.join("z"), Join::Limit);
        b.close();
        assert_eq!(b.join("b"), Join::Closed);
    });
    server.stop(Duration::from_secs(20));
    let lines = log.rest();
    let changes = |room: &str| lines.iter().filter(|line| line.contains(room)).count();
    assert_eq!((changes(" x "), changes(" y ")), (4, 4), "{lines:?}");
    assert_eq!(lines.len(), 8, "{lines:?}");
}

/// However a socket ends, it leaves; its own listeners hear of its end first.
#[test]
fn an_end_leaves_all_rooms_after_the_close_event() {
    type End = fn(&Server, Client);
    #[rustfmt::skip]
    let ends: [(&str, End); 7] = [
        ("the peer's close frame", |_, mut client| client.send_close(1000, "")),
        ("FIN",                    |_, mut client| client.finish()),
        ("RST",                    |server, client| {
            with_one(server, |socket| _ = socket.send("to be read"));
            common::reset(client);
        }),
        ("a violation",            |_, mut client| client.send_frame(true, 7, 1, b"")),
        ("terminate",              |server, _client| with_one(server, Socket::terminate)),
        ("a panic",                |_, mut client| client.send("panic")),
        ("shutdown",               |server, mut client| {
            server.remote.shutdown(Duration::from_secs(20)).expect("it runs");
            client.expect_close(1001);
        }),
    ];
    for (name, end) in ends {
        let (server, log) = serve_noted(|app, pen| {
            let pen = pen.clone();
            app.ws("/", move |socket, _| {
                socket.join("first");
                socket.join("second");
                socket.on(event::Message, |_, _| panic!("on purpose"));
                let pen = pen.clone();
                socket.on(event::Close, move |socket, _| {
                    pen.note(format!("close {}", socket.hub().rooms().len()));
                });
                socket.send("open");
            });
        });
        let client = connect(&server);
        end(&server, client);
        log.find("Joined second");
        let expected = [
            "close 0",
            "Left first 0",
            "Destroyed first 0",
            "Left second 0",
            "Destroyed second 0",
        ];
        assert_eq!(expected.map(|_| log.next()), expected, "{name}");
    }
}

#[test]
fn who_ends_with_the_server_leaves_too() {
    let (server, log) = serve_noted(|app, _| {
        app.ws("/", |socket, _| {
            socket.join("x");
            socket.send("open");
        });
    });
    let _clients = (connect(&server), connect(&server));
    server.stop(Duration::ZERO);
    let lines = log.rest();
    assert_eq!(lines.last().map(String::as_str), Some("Destroyed x 0"));
    let left = lines.iter().filter(|line| line.starts_with("Left"));
    assert_eq!(left.count(), 2, "{lines:?}");
}

/// A call that changes rooms returns before anybody hears of it, whoever calls from wherever.
#[test]
fn no_change_is_told_inside_of_the_call_that_makes_it() {
    let (sender, told) = channel();
    let server = serve(move |app| {
        let busy = Rc::new(RefCell::new(0));
        let seen = Rc::clone(&busy);
        app.on_room(move |hub, event| {
            let mut depth = seen.try_borrow_mut().expect("nothing else runs");
            *depth += 1;
            // Changes made here are told later, too.
            if event.room == "x" && event.change == RoomChange::Joined {
                let socket = hub.socket(event.socket).expect("it is there");
                socket.join("y");
                socket.leave("x");
            }
            sender.send(line(event)).expect("the test waits");
        });
        let (a, b) = (Rc::clone(&busy), Rc::clone(&busy));
        app.ws("/", move |socket, _| {
            let _busy = a.borrow_mut();
            socket.join("x");
            socket.send("open");
            let b = Rc::clone(&b);
            socket.on(event::Message, move |socket, _| {
                let _busy = b.borrow_mut();
                socket.leave("y");
                socket.join("z");
                socket.terminate();
            });
        });
    });
    let mut client = connect(&server);
    client.send("go");
    let expected = [
        "Created x 1",
        "Joined x 1",
        "Created y 1",
        "Joined y 1",
        "Left x 0",
        "Destroyed x 0",
        "Left y 0",
        "Destroyed y 0",
        "Created z 1",
        "Joined z 1",
        "Left z 0",
        "Destroyed z 0",
    ];
    assert_eq!(expected.map(|_| next(&told)), expected);
}

fn next<T>(told: &Receiver<T>) -> T {
    told.recv_timeout(common::PATIENCE)
        .expect("something happens")
}

/// In each kind of change, each thing is done to the socket that it is about, which may be gone, and
/// to another.
#[test]
fn anything_may_be_done_in_a_change() {
    type Action = fn(&Socket);
    #[rustfmt::skip]
    let actions: [(&str, Action); 10] = [
        ("join",         |socket| _ = socket.join("new")),
        ("leave",        |socket| _ = socket.leave("x")),
        ("leave all",    |socket| socket.rooms().iter().for_each(|room| _ = socket.leave(room))),
        ("close",        Socket::close),
        ("terminate",    Socket::terminate),
        ("broadcast",    |socket| _ = (socket.broadcast_all("x", "hi"), socket.hub().ws_broadcast("hi", None))),
        ("listen",       |socket| _ = socket.on(event::Message, |_, _| ())),
        ("hear rooms",   |socket| socket.hub().on_room(|hub, _| drop(hub.stats()))),
        ("ask",          |socket| drop((socket.hub().rooms(), socket.hub().room("x").members(), socket.rooms()))),
        ("panic",        |_| panic!("on purpose")),
    ];
    let changes = [
        RoomChange::Created,
        RoomChange::Joined,
        RoomChange::Left,
        RoomChange::Destroyed,
    ];
    for change in changes {
        for (name, action) in actions {
            for other in [false, true] {
                let case = format!("{change:?} × {name} × {other}");
                println!("{case}");
                act_in_a_change(change, action, other);
            }
        }
    }
}

fn act_in_a_change(when: RoomChange, action: fn(&Socket), other: bool) {
    let (sender, acted) = channel();
    let (reports, reported) = channel();
    let server = serve(move |app| {
        app.on_error(move |report| {
            reports
                .send(report.message.clone())
                .expect("the test waits")
        });
        let sockets: Rc<RefCell<Vec<Socket>>> = Rc::default();
        let known = Rc::clone(&sockets);
        let done = Cell::new(false);
        let mut model = Model::default();
        app.on_room(move |hub, event| {
            model.take(event);
            if event.change == when && event.room == "x" && !done.replace(true) {
                sender.send(()).expect("the test waits");
                let target = known.borrow().iter().find_map(|socket| {
                    ((socket.id() == event.socket) != other).then(|| socket.clone())
                });
                action(&target.expect("both are known"));
            }
            let _ = hub.len();
        });
        app.ws("/", move |socket, _| {
            sockets.borrow_mut().push(socket.clone());
            socket.join("home");
            socket.send("open");
        });
    });
    let clients = (connect(&server), connect(&server));
    server.ask(|hub| {
        let sockets = hub.sockets();
        sockets.iter().for_each(|socket| _ = socket.join("x"));
        sockets.iter().for_each(|socket| _ = socket.leave("x"));
    });
    next(&acted);
    // Whoever comes then is served, in rooms too.
    let mut witness = connect(&server);
    assert!(server.ask(|hub| hub.room("home").send("hello")) >= 1);
    while witness.text() != "hello" {}
    drop((clients, witness));
    let unwanted = |reports: &Receiver<String>| reports.try_iter().find(|it| it != "on purpose");
    assert_eq!(unwanted(&reported), None);
    server.wait_until("everyone is gone", |hub| {
        hub.is_empty() && hub.rooms().is_empty()
    });
    assert_eq!(unwanted(&reported), None);
}

#[test]
fn listeners_hear_in_the_order_in_which_they_were_added_and_new_ones_from_the_next_on() {
    let (server, log) = serve_noted(|app, pen| {
        let (pen, added) = (pen.clone(), Cell::new(false));
        app.on_room(move |hub, event| {
            pen.note(format!("second {}", line(event)));
            if !added.replace(true) {
                let pen = pen.clone();
                hub.on_room(move |_, event| pen.note(format!("third {}", line(event))));
            }
        });
        app.ws("/", |socket, _| _ = socket.send("open"));
    });
    let _client = connect(&server);
    with_one(&server, |socket| _ = socket.join("x"));
    let expected = [
        "Created x 1",
        "second Created x 1",
        "Joined x 1",
        "second Joined x 1",
        "third Joined x 1",
    ];
    assert_eq!(expected.map(|_| log.next()), expected);
}

#[test]
fn a_panic_in_a_listener_is_reported_and_ends_nothing() {
    let (pen, log) = log();
    let server = serve(move |app| {
        let reports = pen.clone();
        app.on_error(move |report| reports.note(format!("report {report}")));
        app.on_room(|_, event| panic!("at {}", event.room));
        note_rooms(app, &pen);
        app.ws("/", |socket, _| _ = socket.send("open"));
    });
    let mut client = connect(&server);
    with_one(&server, |socket| {
        socket.join("x");
        socket.send("still here");
    });
    let expected = ["report at x", "Created x 1", "report at x", "Joined x 1"];
    assert_eq!(expected.map(|_| log.next()), expected);
    assert_eq!(client.text(), "still here");
}

/// Two listeners' worth of changes for each change would be heard for ever: others are served between.
#[test]
fn changes_that_bring_about_changes_without_end_starve_nobody() {
    let (sender, rounds): (Sender<()>, _) = channel();
    let server = serve(move |app| {
        app.on_room(move |hub, event| {
            let _ = sender.send(());
            if let Some(socket) = hub.socket(event.socket) {
                match event.change {
                    RoomChange::Joined => _ = socket.leave("x"),
                    RoomChange::Destroyed => _ = socket.join("x"),
                    _ => {}
                }
            }
        });
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.send("open");
        });
        app.get("/", |ctx| ctx.text("hello"));
    });
    let mut client = connect(&server);
    with_one(&server, |socket| _ = socket.join("x"));
    for _ in 0..1_000 {
        next(&rounds);
    }
    client.send("echo");
    assert_eq!(client.text(), "echo");
    let _other = connect(&server);
    server.ask(|_| ());
    // Nor is the end of the server kept from coming.
    server.stop(Duration::ZERO);
    assert!(rounds.iter().count() > 0);
}

/// Who drives the server by turns may change rooms between them: that makes the next turn due.
#[test]
fn a_change_between_turns_is_told_in_the_next_which_does_not_wait() {
    let told: Rc<RefCell<Vec<String>>> = Rc::default();
    let seen = Rc::clone(&told);
    let mut app = App::new();
    app.on_room(move |_, event| seen.borrow_mut().push(line(event)));
    app.ws("/", |socket, _| _ = socket.send("open"));
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("an address");
    let client = std::thread::spawn(move || Client::connect(addr, "/"));
    while server.hub().is_empty() {
        server.turn(Some(common::PATIENCE)).expect("a turn");
    }
    let _client = client.join().expect("it is connected");
    // What is left to write is written.
    while server.timeout() == Some(Duration::ZERO) {
        server.turn(Some(Duration::ZERO)).expect("a turn");
    }
    let socket = server.hub().sockets()[0].clone();
    socket.join("x");
    assert!(told.borrow().is_empty());
    assert_eq!(server.timeout(), Some(Duration::ZERO));
    server.turn(None).expect("a turn");
    assert_eq!(*told.borrow(), ["Created x 1", "Joined x 1"]);
    assert_ne!(server.timeout(), Some(Duration::ZERO));
}

/// Who is in which room, as the changes say. Any that does not fit what came before is a failure.
#[derive(Default)]
struct Model(BTreeMap<String, BTreeSet<SocketId>>);

impl Model {
    fn take(&mut self, event: RoomEvent<'_>) {
        let RoomEvent {
            change,
            room,
            socket,
            members,
            ..
        } = event;
        match change {
            RoomChange::Created => {
                let before = self.0.insert(room.to_owned(), BTreeSet::new());
                assert!(before.is_none(), "{room} was there");
                assert_eq!(members, 1, "{room}");
            }
            RoomChange::Joined => {
                let there = self.0.get_mut(room).expect("it was created");
                assert!(there.insert(socket), "{socket} was in {room}");
                assert_eq!(members, there.len(), "{room}");
            }
            RoomChange::Left => {
                let there = self.0.get_mut(room).expect("it was created");
                assert!(there.remove(&socket), "{socket} was not in {room}");
                assert_eq!(members, there.len(), "{room}");
            }
            RoomChange::Destroyed => {
                let there = self.0.remove(room).expect("it was created");
                assert!(there.is_empty(), "somebody is in {room}");
                assert_eq!(members, 0, "{room}");
            }
        }
    }
}

/// A step of xorshift: another number for each.
fn step(mut x: u64) -> u64 {
    x ^= x << 13;
    x ^= x >> 7;
    x ^ x << 17
}

/// Random joins, leaves and ends, in listeners of changes too, against the obvious model: told the
/// changes alone, it knows who is where.
#[test]
fn the_changes_tell_who_is_where_whatever_happens() {
    let (reports, failed) = channel();
    let server = serve(move |app| {
        app.on_error(move |report| reports.send(report.to_string()).expect("the test waits"));
        let mut model = Model::default();
        app.on_room(move |hub, event| {
            model.take(event);
            MODEL.set(model.0.clone());
            // Now and then a change brings about others.
            let x = step(event.members as u64 + 7 * event.room.len() as u64 + COUNT.get());
            COUNT.set(COUNT.get() + 1);
            if x.is_multiple_of(16) {
                let sockets = hub.sockets();
                if let Some(socket) = sockets.get(x as usize / 16 % sockets.len().max(1)) {
                    act(socket, step(x));
                }
            }
        });
        app.ws("/", |socket, _| _ = socket.send("open"));
    });
    let mut clients: Vec<Option<Client>> = Vec::new();
    clients.resize_with(8, || None);
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..60 {
        clients
            .iter_mut()
            .for_each(|client| _ = client.get_or_insert_with(|| connect(&server)));
        let seed = x;
        server.ask(move |hub| {
            let (sockets, mut x) = (hub.sockets(), seed);
            for _ in 0..200.min(200 * sockets.len()) {
                x = step(x);
                act(&sockets[x as usize % sockets.len()], x >> 8);
            }
        });
        for _ in 0..2 {
            x = step(x);
            clients[x as usize % 8] = None;
        }
        // Those that were ended from within are gone as well.
        server.wait_until("all is told", |hub| {
            let told = MODEL.with_borrow(Clone::clone);
            let there = |room: &String| hub.room(room).members().iter().map(Socket::id).collect();
            let rooms = hub.rooms().into_iter();
            told == rooms.map(|room| (room.clone(), there(&room))).collect()
        });
        clients
            .iter_mut()
            .for_each(|client| _ = client.take_if(|client| is_over(client)));
        assert_eq!(
            failed.try_iter().collect::<Vec<_>>(),
            [""; 0],
            "round {round}"
        );
    }
    clients.clear();
    server.wait_until("everything is gone", |hub| {
        hub.is_empty() && MODEL.with_borrow(BTreeMap::is_empty)
    });
    assert_eq!(failed.try_iter().collect::<Vec<_>>(), [""; 0]);
    assert!(server.ask(|_| COUNT.get()) > 2_000, "much happened");
}

/// Whether the server has ended the connection. Nothing else is sent on it.
fn is_over(client: &Client) -> bool {
    client.stream.set_nonblocking(true).expect("a socket");
    let over = !matches!(client.stream.peek(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
    client.stream.set_nonblocking(false).expect("a socket");
    over
}

thread_local! {
    /// What the changes have told, for jobs of the same thread.
    static MODEL: RefCell<BTreeMap<String, BTreeSet<SocketId>>> = RefCell::default();
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Joins, leaves, and seldom ends.
fn act(socket: &Socket, x: u64) {
    let room = format!("room {}", x % 5);
    match x >> 8 & 31 {
        0..=14 => _ = socket.join(&room),
        15..=29 => _ = socket.leave(&room),
        30 => socket.terminate(),
        _ => drop(socket.hub().stats()),
    }
}

#[test]
fn hubs_hear_as_apps_do() {
    let (sender, told) = channel();
    let server = serve(|app| _ = app.ws("/", |socket, _| _ = socket.send("open")));
    let _client = connect(&server);
    with_one(&server, |socket| _ = socket.join("before"));
    server.ask(move |hub: &Hub| {
        hub.on_room(move |_, event| sender.send(line(event)).expect("the test waits"));
    });
    with_one(&server, |socket| {
        socket.leave("before");
        socket.join("x");
    });
    // What happened before anybody listened is not told.
    let expected = [
        "Left before 0",
        "Destroyed before 0",
        "Created x 1",
        "Joined x 1",
    ];
    assert_eq!(expected.map(|_| next(&told)), expected);
}
