//! What a connection and a server held is let go of, once, and nothing else inherits it.

use std::cell::RefCell;
#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use rushwire::{App, Socket, event};

use super::common::log::{Pen, log};
use super::common::{Client, serve, serve_with};
use super::{Probe, STALE, gone, no_heartbeat, reset};

/// What a listener captures, and how one sees that it does so no more.
struct Held<T> {
    captured: T,
    _probe: Probe,
}

impl<T> Held<T> {
    fn new(captured: T, count: &Arc<AtomicUsize>) -> Self {
        let _probe = Probe(Arc::clone(count));
        Self { captured, _probe }
    }

    /// Through `self`, so that a closure captures all of it and not only the part that it uses.
    fn captured(&self) -> &T {
        &self.captured
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
            socket.on(event::Close, |socket, _| {
                assert!(socket.data::<Last>().is_some())
            });
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
            let cycle = || Held::new(socket.clone(), &count);
            let held = cycle();
            socket.on(event::Message, move |_, _| {
                _ = held.captured().ready_state()
            });
            let held = cycle();
            socket.once(event::Close, move |_, _| _ = held.captured().ready_state());
            let (held, later) = (cycle(), RefCell::new(Some(cycle())));
            socket.on(event::Close, move |socket, _| {
                held.captured();
                // Whoever listens to what is over hears nothing, and is not kept.
                let held = later.take().expect("it closes once");
                socket.on(event::Close, move |_, _| _ = held.captured().ready_state());
            });
        });
    });
    for ended in 1..=3 {
        let client = server.connect("/");
        server.wait_until("the handler has run", |hub| hub.len() == 1);
        assert_eq!(
            dropped.load(SeqCst),
            4 * (ended - 1),
            "they live as long as the connection"
        );
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
        let held = Held::new(stale.clone(), &count);
        stale.on(event::Message, move |_, _| _ = held.captured().id());
    });
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn a_server_that_is_dropped_tells_every_socket_its_end_and_lets_go_of_everything() {
    let (pen, log) = log();
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut app = App::with(no_heartbeat());
    let held = Held::new(app.hub().clone(), &dropped);
    app.on_error(move |_| _ = held.captured().len());
    let held = Held::new(app.hub().clone(), &dropped);
    app.hub().set_interval(Duration::from_secs(1000), move |_| {
        _ = held.captured().len()
    });
    let held = Held::new(app.hub().clone(), &dropped);
    app.get("/", move |_| _ = held.captured().len());
    let count = Arc::clone(&dropped);
    app.ws("/:name", move |socket, request| {
        pen.watch(request.param("name"), socket);
        socket.join("room");
        let held = Held::new(socket.clone(), &count);
        socket.on(event::Close, move |_, _| {
            _ = held.captured().broadcast("room", "farewell")
        });
    });
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("address");
    let peers = std::thread::spawn(move || {
        (0..50)
            .map(|i| Client::connect(addr, &format!("/{i}")))
            .collect::<Vec<_>>()
    });
    while server.hub().len() < 50 {
        server.turn(Some(Duration::from_millis(10))).expect("turn");
    }
    let mut peers = peers.join().expect("the peers");
    drop((server, app));
    let lines = log.rest();
    assert_eq!(lines.len(), 100);
    for i in 0..50 {
        let of_it: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with(&format!("{i} ")))
            .collect();
        assert_eq!(
            of_it,
            [
                &format!("{i} open"),
                &format!(r#"{i} close 1006 "" Us Shutdown 0"#)
            ]
        );
    }
    peers.iter_mut().for_each(Client::expect_end);
    assert_eq!(dropped.load(SeqCst), 53);
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_process_inherits_no_connection() {
    let server = serve(|app| {
        app.ws("/", |_, _| {});
    });
    let _client = server.connect("/");
    let sockets = |of: &str| {
        let shown = std::process::Command::new("ls")
            .args(["-l", &format!("/proc/{of}/fd")])
            .output()
            .expect("ls");
        let shown = String::from_utf8(shown.stdout).expect("text");
        let lines = shown
            .lines()
            .filter(|line| line.contains("socket:") || line.contains("anon_inode:"));
        lines
            .filter_map(|line| Some(line.split_once("-> ")?.1.to_owned()))
            .collect::<BTreeSet<_>>()
    };
    let (ours, inherited) = (sockets(&std::process::id().to_string()), sockets("self"));
    assert!(
        ours.len() >= 4,
        "listener, connection, poll and waker: {ours:?}"
    );
    assert!(
        inherited.is_disjoint(&ours),
        "{:?}",
        inherited.intersection(&ours)
    );
}
