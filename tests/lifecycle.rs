//! How a connection ends: whatever the peer, the network or the application does, what came before
//! the end is heard, the end is told exactly once, and nothing of the connection is left.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use common::client::{BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame, upgrade_request};
use common::log::{Pen, log};
use common::{Client, PATIENCE, Server, http, serve, serve_with};
use rushwire::{App, Hub, Join, Options, SendStatus, Socket, SocketId, event};

const SHORT: Duration = Duration::from_millis(150);

/// A server that writes down what every socket at `/:name` hears.
fn observed(pen: Pen) -> Server {
    serve_with(no_heartbeat, move |app| observe(app, pen))
}

fn no_heartbeat() -> Options {
    Options { heartbeat: Duration::ZERO, close_timeout: SHORT, ..Options::default() }
}

fn observe(app: &mut App, pen: Pen) {
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.join(request.param("name"));
    });
}

/// Runs `job` with the one socket in the room of that name.
fn with_socket<R: Send + 'static>(server: &Server, name: &'static str, job: impl FnOnce(&Socket) -> R + Send + 'static) -> R {
    server.ask(move |hub| job(&member(hub, name)))
}

fn member(hub: &Hub, name: &str) -> Socket {
    hub.room(name).members().into_iter().next().expect("the socket is connected")
}

/// What the kernel does when the last of a connection is closed: RST if anything is unread.
fn reset(server: &Server, client: Client) {
    server.ask(|hub| hub.ws_broadcast("never read", None));
    drop_unread(client);
}

fn drop_unread(client: Client) {
    assert!(client.rest.is_empty() && client.stream.peek(&mut [0]).expect("something comes") > 0);
    drop(client);
}

fn gone(server: &Server) {
    server.wait_until("the connection is gone", Hub::is_empty);
}

/// Where in its stream of frames a peer may vanish.
fn unfinished() -> Vec<(&'static str, Vec<u8>)> {
    let start = frame(false, 0, TEXT, b"not all of ");
    let long = frame(true, 0, BINARY, &[7; 300]);
    vec![
        ("between two frames", Vec::new()),
        ("inside of a header", frame(true, 0, TEXT, b"x")[..1].to_vec()),
        ("inside of a long length", long[..3].to_vec()),
        ("inside of a key", long[..6].to_vec()),
        ("before the payload", long[..8].to_vec()),
        ("inside of a payload", long[..200].to_vec()),
        ("inside of a ping", frame(true, 0, PING, b"ping")[..8].to_vec()),
        ("between two fragments", start.clone()),
        ("inside of a second fragment", [start.clone(), frame(true, 0, CONTINUATION, b"the rest")[..9].to_vec()].concat()),
        ("inside of a close frame", frame(true, 0, CLOSE, &close_payload(1000, "bye"))[..7].to_vec()),
    ]
}

#[test]
fn what_is_complete_is_heard_before_a_fin_and_then_1006_once() {
    for (name, rest) in unfinished() {
        for at_once in [true, false] {
            let (pen, log) = log();
            let server = observed(pen);
            let mut client = server.connect("/a");
            let hold = at_once.then(|| server.hold());
            client.send_raw(&[frame(true, 0, TEXT, b"one"), frame(true, 0, TEXT, b"two"), rest.clone()].concat());
            client.finish();
            drop(hold);
            client.expect_end();
            gone(&server);
            server.stop(Duration::ZERO);
            let expected = ["a open", "a message one", "a message two", r#"a close 1006 "" Nobody PeerGone 0"#];
            assert_eq!(log.rest(), expected, "FIN {name}, at once: {at_once}");
        }
    }
}

#[test]
fn what_is_complete_is_heard_before_an_rst_and_then_1006_once() {
    for (name, rest) in unfinished() {
        for at_once in [true, false] {
            let (pen, log) = log();
            let server = observed(pen);
            let mut client = server.connect("/a");
            server.ask(|hub| hub.ws_broadcast("never read", None));
            assert!(client.stream.peek(&mut [0]).expect("something comes") > 0);
            let hold = at_once.then(|| server.hold());
            client.send_raw(&[frame(true, 0, TEXT, b"one"), frame(true, 0, TEXT, b"two"), rest.clone()].concat());
            drop_unread(client);
            drop(hold);
            gone(&server);
            server.stop(Duration::ZERO);
            let expected = [
                "a open",
                "a message one",
                "a message two",
                "a error connection reset",
                r#"a close 1006 "" Nobody Io(ConnectionReset) 0"#,
            ];
            assert_eq!(log.rest(), expected, "RST {name}, at once: {at_once}");
        }
    }
}

/// More than one read, and every answer meets a peer that has closed its descriptor.
#[test]
fn all_that_came_is_heard_although_the_answers_find_nobody() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.on(event::Message, |socket, message| drop(socket.send(message)));
        });
    });
    let mut client = server.connect("/a");
    let hold = server.hold();
    (0..300).for_each(|_| client.send_binary(&[1; 1000]));
    drop(client);
    drop(hold);
    gone(&server);
    server.stop(Duration::ZERO);
    let lines = log.rest();
    assert_eq!(lines.iter().filter(|line| *line == "a message 1000 bytes").count(), 300);
    assert_eq!(lines.iter().filter(|line| line.starts_with("a close 1006")).count(), 1);
    assert!(lines.last().is_some_and(|line| line.starts_with("a close 1006")), "{:?}", lines.last());
}

#[test]
fn a_fin_behind_a_close_frame_changes_nothing() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    let hold = server.hold();
    client.send_raw(&[frame(true, 0, TEXT, b"one"), frame(true, 0, CLOSE, &close_payload(4001, "bye"))].concat());
    client.finish();
    drop(hold);
    assert_eq!(client.closed().0, 4001);
    client.expect_end();
    gone(&server);
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", "a message one", r#"a close 4001 "bye" Peer Requested 0"#]);
}

/// Edges tell of FIN and RST once; a loop that waits for them again, or never forgets them, spins.
#[test]
fn a_connection_that_ended_costs_no_turns() {
    let ends: [(&str, fn(Client)); 3] = [
        ("FIN", |client| client.stream.shutdown(Shutdown::Write).expect("FIN")),
        ("both closed", drop),
        ("half a frame, then both closed", |mut client| client.send_raw(&[0x82])),
    ];
    let mut app = App::with(no_heartbeat());
    app.ws("/", |_, _| {});
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("address");
    for (name, end) in ends {
        let peer = std::thread::spawn(move || end(Client::connect(addr, "/")));
        let deadline = Instant::now() + PATIENCE;
        while !peer.is_finished() || !server.hub().is_empty() {
            server.turn(Some(Duration::from_millis(10))).expect("turn");
            assert!(Instant::now() < deadline, "{name}: the end was never noticed");
        }
        peer.join().expect("the peer");
        server.turn(Some(Duration::ZERO)).expect("turn");
        let began = Instant::now();
        (0..4).for_each(|_| server.turn(Some(Duration::from_millis(25))).expect("turn"));
        assert!(began.elapsed() > Duration::from_millis(50), "{name}: turns without anything to do end at once");
    }
}

#[test]
fn nothing_is_heard_after_close_not_even_what_was_read_already() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/", move |socket, _| {
            pen.watch("a", socket);
            socket.on(event::Message, |socket, message| {
                if message.as_text() == Some("close") {
                    socket.close_with(4000, "enough").expect("a good code");
                    socket.close();
                    assert_eq!(socket.send("too late"), SendStatus::Closed);
                }
            });
        });
    });
    let mut client = server.connect("/");
    let frames = ["before", "close", "after"].map(|text| frame(true, 0, TEXT, text.as_bytes()));
    client.send_raw(&frames.concat());
    assert_eq!(client.closed(), (4000, "enough".to_owned()));
    client.send("much later");
    client.send_close(4000, "");
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", "a message before", "a message close", r#"a close 4000 "enough" Us Requested 0"#]);
}

#[test]
fn what_was_sent_before_close_is_delivered_first() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            (0..3).for_each(|i| drop(socket.send(&format!("{i}"))));
            socket.send(&vec![5; 8 << 20]);
            socket.close_with(4000, "").expect("a good code");
        });
    });
    let mut client = server.connect("/");
    assert_eq!([client.text(), client.text(), client.text()], ["0", "1", "2"]);
    assert!(client.binary() == vec![5; 8 << 20]);
    client.expect_close(4000);
}

#[test]
fn terminate_says_nothing_drops_what_waits_and_counts_it() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| {
        (0..3).for_each(|_| assert_eq!(socket.send("dropped"), SendStatus::Queued));
        socket.terminate();
        socket.terminate();
        assert_eq!(socket.send("too late"), SendStatus::Closed);
    });
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", r#"a close 1006 "" Us Terminated 3"#]);
}

#[test]
fn a_peer_that_never_answers_our_close_is_cut_after_close_timeout() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| socket.close_with(4000, "bye").expect("a good code"));
    assert_eq!(client.closed(), (4000, "bye".to_owned()));
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", r#"a close 4000 "bye" Us CloseTimeout 0"#]);
}

#[test]
fn when_both_close_at_once_each_has_said_it_once() {
    let (pen, log) = log();
    let server = observed(pen);
    let mut client = server.connect("/a");
    with_socket(&server, "a", |socket| socket.close_with(4000, "ours").expect("a good code"));
    // The peer has not read ours yet when it sends its own.
    client.send_close(4001, "theirs");
    assert_eq!(client.closed(), (4000, "ours".to_owned()));
    client.expect_end();
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", r#"a close 4000 "ours" Us Requested 0"#]);
}

#[test]
fn a_peer_that_floods_after_our_close_is_not_heard_and_cut_in_time() {
    let (pen, log) = log();
    let server = observed(pen);
    let client = server.connect("/a");
    with_socket(&server, "a", Socket::close);
    let mut flood = client;
    let message = frame(true, 0, BINARY, &[0; 60_000]);
    let began = Instant::now();
    while std::io::Write::write_all(&mut flood.stream, &message).is_ok() {
        assert!(began.elapsed() < PATIENCE, "the flood is never ended");
    }
    gone(&server);
    assert_eq!(server.ask(|hub| hub.stats().messages_in), 0);
    server.stop(Duration::ZERO);
    assert_eq!(log.rest(), ["a open", r#"a close 1000 "" Us CloseTimeout 0"#]);
}

#[test]
fn whatever_is_done_to_a_stale_handle_its_successor_is_untouched() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join("room");
            STALE.with_borrow_mut(|stale| stale.get_or_insert_with(|| socket.clone()).clone());
        });
    });
    let mut first = server.connect("/first");
    first.send_close(1000, "");
    first.closed();
    first.expect_end();
    gone(&server);
    let mut heir = server.connect("/heir");
    let stale = server.ask(|hub| {
        let stale = STALE.take().expect("the first is kept");
        let heir = member(hub, "room");
        assert_eq!(slot(stale.id()), slot(heir.id()), "the place is taken again, or this test shows nothing");
        assert_ne!(stale.id(), heir.id());
        assert_eq!(stale.send("x"), SendStatus::Closed);
        assert_eq!(stale.join("other"), Join::Closed);
        assert!(!stale.leave("room") && !stale.ping(b"x") && !stale.is_in("room") && !stale.is_open() && !stale.is_alive());
        assert_eq!(stale.rooms().iter().map(|room| &**room).collect::<Vec<_>>(), ["room"]);
        assert_eq!(stale.buffered_amount(), 0);
        assert!(hub.socket(stale.id()).is_none());
        stale.mark_alive();
        stale.close();
        stale.close_with(4000, "").expect("a good code");
        stale.terminate();
        assert_eq!(hub.to("room").except(stale.id()).send("to the heir"), 1);
        assert_eq!(stale.broadcast("room", "from the stale one"), 1);
        assert_eq!((heir.is_open(), heir.is_in("room"), heir.rooms().len()), (true, true, 1));
        stale.id()
    });
    server.remote.send(stale, "for nobody").expect("the server is there");
    assert_eq!((heir.text(), heir.text()), ("to the heir".to_owned(), "from the stale one".to_owned()));
    heir.send_close(1000, "");
    heir.expect_close(1000);
    server.stop(Duration::ZERO);
    let close = r#"close 1000 "" Peer Requested 0"#;
    assert_eq!(log.rest(), ["first open", &format!("first {close}"), "heir open", &format!("heir {close}")]);
}

thread_local! {
    /// Kept on the server's thread beyond its connection.
    static STALE: RefCell<Option<Socket>> = const { RefCell::new(None) };
}

/// Which place of the table an id names: what stands before the generation.
fn slot(id: SocketId) -> String {
    let id = id.to_string();
    id.split_once('-').expect("place and generation").0.to_owned()
}

#[test]
fn ids_are_never_given_out_again_though_places_are() {
    let server = serve_with(no_heartbeat, |app| {
        app.ws("/", |socket, _| drop(socket.send(&socket.id().to_string())));
    });
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        let mut clients = [server.connect("/"), server.connect("/")];
        for id in clients.each_mut().map(Client::text) {
            places.insert(id.split_once('-').expect("place and generation").0.to_owned());
            assert!(ids.insert(id.clone()), "{id} a second time");
        }
        clients.each_mut().iter_mut().for_each(|client| client.send_close(1000, ""));
        clients.each_mut().iter_mut().for_each(|client| drop(client.closed()));
    }
    assert!(places.len() < 100, "places are not used again: this test shows nothing");
}

/// Three things are ready in one turn: a message that ends B, a message of B, and a newcomer.
#[test]
fn a_newcomer_hears_nothing_of_the_one_that_was_cut_in_the_same_turn() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join(request.param("name"));
            socket.on(event::Message, |socket, message| {
                if message.as_text() == Some("cut b") {
                    member(socket.hub(), "b").terminate();
                }
            });
        });
    });
    let (mut a, mut b) = (server.connect("/a"), server.connect("/b"));
    let hold = server.hold();
    a.send("cut b");
    b.send("from b");
    let mut newcomer = http::connect(server.addr);
    let hello = [upgrade_request("/c", "").as_bytes(), &frame(true, 0, TEXT, b"from c")].concat();
    std::io::Write::write_all(&mut newcomer, &hello).expect("send");
    drop(hold);
    b.expect_end();
    server.wait_until("the newcomer is open", |hub| !hub.room("c").is_empty());
    assert_eq!(log.find("c message"), "c message from c");
    let ids = server.ask(|hub| hub.sockets().len());
    assert_eq!(ids, 2);
    server.stop(Duration::ZERO);
    let rest = log.rest();
    assert!(!rest.iter().any(|line| line.contains("from b")), "{rest:?}");
}

/// Counts how often it is dropped.
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// What a listener captures: a socket, and whether it is still captured.
struct Held<T>(T, Probe);

impl<T> Held<T> {
    /// Captures all of it, not only the part that is used.
    fn touch(&self) -> &T {
        &self.0
    }
}

#[test]
fn user_data_is_dropped_once_and_after_the_close_listener() {
    let (pen, log) = log();
    struct Last(Pen);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.note("data dropped");
        }
    }
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/a", move |socket, _| {
            pen.watch("a", socket);
            socket.set(Last(pen.clone()));
            socket.on(event::Close, |socket, _| assert!(socket.data::<Last>().is_some()));
        });
    });
    let mut client = server.connect("/a");
    client.send_close(1000, "");
    client.closed();
    client.expect_end();
    assert_eq!(log.find("data"), "data dropped");
    server.stop(Duration::ZERO);
    assert!(log.rest().is_empty(), "once, and last");
}

#[test]
fn listeners_that_capture_their_own_socket_are_freed_at_close() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/", move |socket, _| {
            let cycle = || Held(socket.clone(), Probe(Arc::clone(&count)));
            let held = cycle();
            socket.on(event::Message, move |_, _| drop(held.touch().ready_state()));
            let held = cycle();
            socket.once(event::Close, move |_, _| drop(held.touch().ready_state()));
            let (held, later) = (cycle(), RefCell::new(Some(cycle())));
            socket.on(event::Close, move |socket, _| {
                held.touch();
                // Whoever listens to what is over hears nothing, and is not kept.
                let held = later.take().expect("it closes once");
                socket.on(event::Close, move |_, _| drop(held.touch().ready_state()));
            });
        });
    });
    for ended in 1..=3 {
        let client = server.connect("/");
        server.wait_until("the handler has run", |hub| hub.len() == 1);
        assert_eq!(dropped.load(SeqCst), 4 * (ended - 1), "they live as long as the connection");
        match ended {
            1 => reset(&server, client),
            2 => drop(client),
            _ => server.ask(|hub| hub.sockets().iter().for_each(Socket::terminate)),
        }
        gone(&server);
        assert_eq!(dropped.load(SeqCst), 4 * ended);
    }
}

#[test]
fn a_listener_added_to_a_connection_that_is_gone_is_not_kept() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let server = serve_with(no_heartbeat, |app| {
        app.ws("/", |socket, _| STALE.set(Some(socket.clone())));
    });
    drop(server.connect("/"));
    gone(&server);
    server.ask(move |_| {
        let stale = STALE.take().expect("it is kept");
        let held = Held(stale.clone(), Probe(count));
        stale.on(event::Message, move |_, _| drop(held.touch().id()));
    });
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn a_server_that_is_dropped_tells_every_socket_its_end_and_lets_go_of_everything() {
    let (pen, log) = log();
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut app = App::with(no_heartbeat());
    let probe = || Probe(Arc::clone(&dropped));
    let held = Held(app.hub().clone(), probe());
    app.on_error(move |_| drop(held.touch().len()));
    let held = Held(app.hub().clone(), probe());
    app.hub().set_interval(Duration::from_secs(1000), move |_| drop(held.touch().len()));
    let held = Held(app.hub().clone(), probe());
    app.get("/", move |_| drop(held.touch().len()));
    let count = Arc::clone(&dropped);
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.join("room");
        let held = Held(socket.clone(), Probe(Arc::clone(&count)));
        socket.on(event::Close, move |_, _| drop(held.touch().broadcast("room", "farewell")));
    });
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("address");
    let peers = std::thread::spawn(move || (0..50).map(|i| Client::connect(addr, &format!("/{i}"))).collect::<Vec<_>>());
    while server.hub().len() < 50 {
        server.turn(Some(Duration::from_millis(10))).expect("turn");
    }
    let mut peers = peers.join().expect("the peers");
    drop((server, app));
    let lines = log.rest();
    assert_eq!(lines.len(), 100);
    for i in 0..50 {
        let of_it: Vec<_> = lines.iter().filter(|line| line.starts_with(&format!("{i} "))).collect();
        assert_eq!(of_it, [&format!("{i} open"), &format!(r#"{i} close 1006 "" Us Shutdown 0"#)]);
    }
    peers.iter_mut().for_each(Client::expect_end);
    assert_eq!(dropped.load(SeqCst), 53);
}

#[test]
fn all_rooms_are_left_before_the_close_event_and_still_told() {
    let rooms = 10_000;
    let (pen, log) = log();
    let server = serve_with(
        move || Options { max_rooms_per_socket: rooms, ..no_heartbeat() },
        move |app| {
            app.ws("/", move |socket, _| {
                (0..rooms).for_each(|i| assert_eq!(socket.join(&format!("room {i}")), Join::Joined));
                let pen = pen.clone();
                socket.on(event::Close, move |socket, _| {
                    assert_eq!(socket.join("late"), Join::Closed);
                    assert_eq!(socket.send("late"), SendStatus::Closed);
                    socket.close();
                    pen.note(format!("{} held, {} known", socket.rooms().len(), socket.hub().rooms().len()));
                });
            });
        },
    );
    drop(server.connect("/"));
    assert_eq!(log.next(), format!("{rooms} held, 0 known"));
    server.stop(Duration::ZERO);
    assert!(log.rest().is_empty());
}

#[test]
fn a_connection_may_ask_for_pages_before_it_becomes_a_socket() {
    let server = serve(|app| {
        app.get("/page", |ctx| ctx.text("a page"));
        app.ws("/", |socket, _| drop(socket.send("a socket")));
    });
    let mut stream = http::connect(server.addr);
    let requests = ["GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n", &upgrade_request("/", "")].concat();
    std::io::Write::write_all(&mut stream, requests.as_bytes()).expect("send");
    let (page, rest) = http::read_answer(&mut stream, Vec::new(), false);
    let (answer, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!((page.text(), answer.status), ("a page", 101));
    assert_eq!(Client { stream, rest, answer }.text(), "a socket");
}

#[test]
fn a_peer_that_leaves_before_it_is_let_in_is_let_in_heard_and_gone() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws_use(|_, _, next| NEXT.set(Some(next)));
        app.ws("/", move |socket, _| pen.watch("a", socket));
    });
    let mut client = server.connect("/");
    client.send("farewell");
    drop(client);
    server.ask(|hub| {
        assert_eq!((hub.len(), hub.sockets().len()), (0, 0));
        NEXT.take().expect("the middleware waits").run();
    });
    assert_eq!(log.find("a close"), r#"a close 1006 "" Nobody PeerGone 0"#);
    gone(&server);
    server.stop(Duration::ZERO);
    assert!(log.rest().is_empty());
}

#[test]
fn a_peer_that_leaves_before_it_is_refused_leaves_nothing() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws_use(move |socket, _, next| {
            pen.watch("a", socket);
            NEXT.set(Some(next));
        });
        app.ws("/", |_, _| panic!("it is not let in"));
    });
    let mut client = server.connect("/");
    client.send("never heard");
    drop(client);
    server.ask(|_| drop(NEXT.take().expect("the middleware waits")));
    assert_eq!((log.next(), log.next()), ("a open".to_owned(), r#"a close 1008 "rejected by middleware" Us Rejected 0"#.to_owned()));
    server.stop(Duration::ZERO);
    assert!(log.rest().is_empty());
}

thread_local! {
    static NEXT: RefCell<Option<rushwire::Next>> = const { RefCell::new(None) };
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_process_inherits_no_connection() {
    let server = serve(|app| {
        app.ws("/", |_, _| {});
    });
    let _client = server.connect("/");
    let sockets = |of: &str| {
        let shown = std::process::Command::new("ls").args(["-l", &format!("/proc/{of}/fd")]).output().expect("ls");
        let shown = String::from_utf8(shown.stdout).expect("text");
        let lines = shown.lines().filter(|line| line.contains("socket:") || line.contains("anon_inode:"));
        lines.filter_map(|line| Some(line.split_once("-> ")?.1.to_owned())).collect::<BTreeSet<_>>()
    };
    let (ours, inherited) = (sockets(&std::process::id().to_string()), sockets("self"));
    assert!(ours.len() >= 4, "listener, connection, poll and waker: {ours:?}");
    assert!(inherited.is_disjoint(&ours), "{:?}", inherited.intersection(&ours));
}
