//! Ends of sockets, of servers and of the kit itself.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Received, TestServer};
use rushwire::{App, Options, event};

use super::{Journal, SECOND, close, echo, serve, still};

#[test]
fn a_panicking_listener_ends_its_socket_with_1011_and_is_reported() {
    let journal = Journal::default();
    let (noted, reported) = (journal.clone(), journal.clone());
    let mut app = App::with(still());
    app.on_error(move |report| reported.note(format!("reported {}", report.message)));
    app.get("/", |_| panic!("in a route"));
    app.ws("/", move |socket, _| {
        noted.watch(socket);
        socket.on(event::Message, |socket, message| match message.as_text() {
            Some("panic") => panic!("in a listener"),
            _ => _ = socket.send(message),
        });
    });
    let test = serve(app);
    let (mut client, mut other) = (test.connect("/"), test.connect("/"));
    client.send("panic");
    assert_eq!(client.closed().0, 1011);
    assert!(client.is_ended());
    let lines = journal.take();
    assert!(
        lines.iter().any(|line| line.starts_with("error ")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line == "reported in a listener"),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("close 1011 ")),
        "{lines:?}"
    );
    other.send("still here");
    assert_eq!(other.text(), "still here");
    assert_eq!(test.get("/").status, 500);
    assert_eq!(journal.take(), ["reported in a route"]);
}

#[test]
fn each_way_to_go_is_heard_as_what_it_is() {
    type Way = fn(rushwire::testing::Client);
    let table: [(&str, Way, &str); 4] = [
        ("dropped", drop, "close 1006 Nobody PeerGone 0"),
        (
            "FIN",
            |mut client| client.finish(),
            "close 1006 Nobody PeerGone 0",
        ),
        (
            "RST",
            |client| client.reset(),
            "close 1006 Nobody Io(ConnectionReset) 0",
        ),
        (
            "a close frame",
            |mut client| client.close(),
            "close 1000 Peer Requested 0",
        ),
    ];
    for (name, way, told) in table {
        let (test, journal) = echo(still());
        way(test.connect("/"));
        test.turn();
        let lines = journal.take();
        assert_eq!(
            lines.last().map(String::as_str),
            Some(told),
            "{name}: {lines:?}"
        );
        assert!(test.hub().is_empty(), "{name}");
    }
}

#[test]
fn several_hundred_clients_hear_each_other() {
    const COUNT: usize = 500;
    let mut app = App::with(still());
    app.ws("/", |socket, _| {
        socket.join("all");
        socket.on(event::Message, |socket, message| {
            _ = socket.broadcast("all", message)
        });
    });
    let test = serve(app);
    let mut clients: Vec<_> = (0..COUNT).map(|_| test.connect("/")).collect();
    assert_eq!(test.hub().room("all").len(), COUNT);
    for (number, client) in clients.iter_mut().enumerate().step_by(50) {
        client.send(&number.to_string());
    }
    let expected: Vec<String> = (0..COUNT).step_by(50).map(|n| n.to_string()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let others = expected.iter().filter(|text| **text != number.to_string());
        let others: Vec<Received> = others.map(|text| text.as_str().into()).collect();
        assert_eq!(client.recv_all(), others, "client {number}");
    }
    drop(clients);
    test.turn();
    assert!(test.hub().is_empty() && test.hub().rooms().is_empty());
}

/// What a listener captures, to be counted.
struct Held(Rc<Cell<usize>>);

impl Held {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[test]
fn hundreds_of_connections_that_come_and_go_leave_nothing() {
    let held = Rc::new(Cell::new(0));
    let counted = Rc::clone(&held);
    let mut app = App::with(still());
    let route = Held::new(&held);
    app.ws("/", move |socket, _| {
        let _ = &route;
        let listener = Held::new(&counted);
        socket.join("room");
        let own = socket.clone();
        socket.on(event::Message, move |_, message| {
            let _ = &listener;
            own.send(message);
        });
    });
    let test = serve(app);
    for round in 0..400 {
        let mut client = test.connect("/");
        client.send("x");
        assert_eq!(client.text(), "x");
        assert_eq!(held.get(), 2, "round {round}");
        match round % 4 {
            0 => drop(client),
            1 => client.reset(),
            2 => {
                client.close();
                assert_eq!(client.closed().0, 1000);
            }
            _ => {
                client.stop_reading();
                client.send(&vec![0; 100_000]);
                test.turn();
                drop(client);
            }
        }
        test.turn();
        assert_eq!((held.get(), test.hub().len()), (1, 0), "round {round}");
    }
    assert_eq!(test.hub().stats().accepted, 400);
    drop(test);
    assert_eq!(held.get(), 0, "the route is let go of with the server");
}

#[test]
fn a_server_shuts_down_as_it_would_and_cuts_who_stays_too_long() {
    let (test, journal) = echo(still());
    let (mut polite, mut rude) = (test.connect("/"), test.connect("/"));
    rude.ignore_close();
    test.hub().shutdown(3 * SECOND);
    assert_eq!(polite.recv(), close(1001, "server is shutting down"));
    assert!(polite.is_ended() && !test.is_done());
    assert_eq!(rude.closed().0, 1001);
    test.clock().advance(3 * SECOND - Duration::from_millis(1));
    assert!(!test.is_done() && !rude.is_ended());
    test.clock().advance(Duration::from_millis(1));
    assert!(test.is_done() && rude.is_ended());
    let cause = |line: &String| line.split(' ').nth(3).map(str::to_owned);
    let causes: Vec<_> = journal.take().iter().filter_map(cause).collect();
    assert_eq!(causes.len(), 2, "{causes:?}");
    // Nothing is left to be done, however long it is waited for.
    let began = std::time::Instant::now();
    test.clock().advance(24 * 3600 * SECOND);
    assert!(began.elapsed() < 20 * SECOND);
    // Who comes now finds nobody.
    let late = test.open();
    assert!(late.is_ended());
}

#[test]
fn when_the_server_is_dropped_everyone_hears_it_and_nothing_more_happens() {
    let (test, journal) = echo(still());
    let (clock, remote) = (test.clock(), test.remote());
    let mut client = test.connect("/");
    drop(test);
    assert_eq!(journal.take().len(), 1);
    assert!(client.is_ended());
    client.send("nobody is there");
    assert_eq!(client.recv(), None);
    clock.advance(SECOND);
    assert!(remote.post(|_| ()).is_err());
}

#[test]
fn what_other_threads_ask_for_is_done_in_a_turn() {
    let (test, _) = echo(still());
    let mut client = test.connect("/");
    let remote = test.remote();
    let asks = std::thread::spawn(move || remote.post(|hub| _ = hub.ws_broadcast("news", None)));
    asks.join().expect("no panic").expect("the server is there");
    assert_eq!(client.text(), "news");
}

#[test]
fn what_listeners_ask_of_a_remote_is_done_in_the_same_turn() {
    let mut app = App::with(still());
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| {
            let (remote, id) = (socket.hub().remote(), socket.id());
            let text = message.as_text().expect("text").to_owned();
            let again = remote.clone();
            let later = move |_: &rushwire::Hub| _ = again.send(id, &text);
            remote.post(later).expect("the server is there");
        });
    });
    let test = serve(app);
    let mut client = test.connect("/");
    client.send("later");
    assert_eq!(client.text(), "later");
}

#[test]
fn each_run_is_like_every_other() {
    let run = || {
        let mut lines = Vec::new();
        let mut app = App::with(Options::default());
        app.ws("/", |socket, _| {
            let address = socket.remote_addr().expect("it has one");
            socket.send(&format!("{} {address}", socket.id()));
            socket.join("all");
        });
        app.hub().set_interval(7 * SECOND, |hub| {
            let members = hub.room("all").members();
            members
                .iter()
                .for_each(|socket| _ = socket.send(&format!("{}", socket.id())));
        });
        let test = TestServer::new(app).expect("nothing is wrong with it");
        let mut clients = Vec::new();
        for round in 0..20 {
            clients.push(test.connect("/"));
            test.clock().advance(SECOND);
            if round % 3 == 0 {
                clients.remove(round / 4);
            }
            clients
                .iter_mut()
                .for_each(|client| lines.push(client.recv_all()));
        }
        lines
    };
    assert_eq!(run(), run());
}

#[test]
fn two_servers_on_one_thread_know_nothing_of_each_other() {
    let ((a, _), (b, _)) = (echo(still()), echo(still()));
    let (mut to_a, mut to_b) = (a.connect("/"), b.connect("/"));
    a.clock().advance(SECOND);
    assert_eq!(
        (a.clock().elapsed(), b.clock().elapsed()),
        (SECOND, Duration::ZERO)
    );
    to_a.send("a");
    to_b.send("b");
    assert_eq!((to_a.text(), to_b.text()), ("a".into(), "b".into()));
    drop(a);
    assert!(to_a.is_ended() && !to_b.is_ended());
}
