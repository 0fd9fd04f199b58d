//! 17. Shutdown: everybody is told, what was sent arrives, and then it ends.

use std::cell::RefCell;
use std::io::Write;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::common::client::{CLOSE, frame};
use crate::common::{Client, PATIENCE, Server, http, patient, serve_with, wait_for_closed_doors};
use crate::{Journal, NEVER, keep_alive_get, until, wait_for_the_end_of};
use rushwire::event;

fn serve_noting() -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(patient, move |app| {
        app.get("/", |ctx| ctx.text("a page"));
        app.post("/", |ctx| ctx.bytes("text/plain", ctx.body()));
        app.ws("/", move |socket, _| {
            noted.watch_close(socket);
            socket.on(event::Message, |socket, message| _ = socket.send(message));
            socket.send("open");
        });
    });
    (server, journal)
}

fn join(server: &Server) -> Client {
    let mut client = server.connect("/");
    assert_eq!(client.text(), "open");
    client
}

#[test]
fn everybody_is_closed_with_1001_and_every_close_event_fires_once() {
    let (server, journal) = serve_noting();
    let mut clients: Vec<Client> = (0..30).map(|_| join(&server)).collect();
    server.remote.shutdown(NEVER).expect("the server runs");
    for client in &mut clients {
        client.expect_close(1001);
    }
    wait_for_the_end_of(&server.remote);
    assert_eq!(
        journal.lines(),
        vec![r#"1001 "server is shutting down" Us Shutdown"#; 30]
    );
}

#[test]
fn what_was_sent_before_arrives() {
    let (server, _) = serve_noting();
    let mut client = join(&server);
    server.ask(|hub| {
        for n in 0..200_u8 {
            hub.ws_broadcast(&vec![n; 100_000], None);
        }
        hub.shutdown(NEVER);
    });
    for n in 0..200 {
        let message = client.binary();
        assert!(
            message.len() == 100_000 && message.iter().all(|&byte| byte == n),
            "message {n}"
        );
    }
    client.expect_close(1001);
    wait_for_the_end_of(&server.remote);
}

#[test]
fn messages_that_are_sent_after_it_are_not() {
    let (server, _) = serve_noting();
    let mut client = join(&server);
    server.remote.shutdown(NEVER).expect("the server runs");
    until("the socket is closing", || {
        server.ask(|hub| hub.sockets().iter().all(|socket| !socket.is_open()))
    });
    assert_eq!(server.ask(|hub| hub.ws_broadcast("too late", None)), 0);
    client.expect_close(1001);
}

#[test]
fn idle_connections_end_at_once_and_requests_under_way_are_answered() {
    let (server, _) = serve_noting();
    let mut fresh = http::connect(server.addr);
    let mut idle = keep_alive_get(server.addr, "/");
    let mut busy = keep_alive_get(server.addr, "/");
    busy.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha")
        .expect("send");
    let mut heading = keep_alive_get(server.addr, "/");
    heading.write_all(b"GET / HTTP/1.1\r\nHo").expect("send");
    // What was sent on another connection before this answer has been read as well.
    for _ in 0..3 {
        server.ask(|_| ());
    }
    server.remote.shutdown(NEVER).expect("the server runs");
    assert_eq!(http::read_to_end(&mut idle), b"");
    assert_eq!(http::read_to_end(&mut fresh), b"");
    busy.write_all(b"lf").expect("send");
    let (answer, rest) = http::read_answer(&mut busy, Vec::new(), false);
    assert_eq!(
        (answer.status, answer.text(), answer.header("connection")),
        (200, "half", Some("close"))
    );
    assert_eq!(rest, b"");
    busy.shutdown(std::net::Shutdown::Write).expect("send FIN");
    assert_eq!(http::read_to_end(&mut busy), b"");
    heading.write_all(b"st: x\r\n\r\n").expect("send");
    assert_eq!(
        http::read_answer(&mut heading, Vec::new(), false).0.text(),
        "a page"
    );
    drop(heading);
    wait_for_the_end_of(&server.remote);
}

#[test]
fn nobody_new_is_let_in() {
    let (server, _) = serve_noting();
    let mut client = join(&server);
    let mut late = http::connect(server.addr);
    late.write_all(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        .expect("send");
    for _ in 0..3 {
        server.ask(|_| ());
    }
    server.remote.shutdown(NEVER).expect("the server runs");
    assert_eq!(client.closed().0, 1001);
    wait_for_closed_doors(server.addr);
    late.write_all(b"Host: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").expect("send");
    assert_eq!(
        http::read_answer(&mut late, Vec::new(), false).0.status,
        503
    );
    drop(late);
    client.send_close(1001, "");
    client.expect_end();
    wait_for_the_end_of(&server.remote);
}

#[test]
fn at_the_deadline_the_rest_is_cut_and_still_hears_its_end_once() {
    let (server, journal) = serve_noting();
    // One answers, one never does, one does not even read, one is in the middle of a request.
    let mut polite = join(&server);
    let mut mute = join(&server);
    let stuck = join(&server);
    let mut busy = keep_alive_get(server.addr, "/");
    busy.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha")
        .expect("send");
    let big = server.ask(|hub| {
        let stuck = hub.sockets()[2].clone();
        (0..100).for_each(|_| _ = stuck.send(&vec![0; 500_000]));
        stuck.buffered_amount()
    });
    assert!(big > 1_000_000, "only {big} bytes wait");
    let started = Instant::now();
    server
        .remote
        .shutdown(Duration::from_millis(300))
        .expect("the server runs");
    polite.expect_close(1001);
    assert_eq!(mute.closed().0, 1001);
    mute.expect_end();
    assert_eq!(http::read_to_end(&mut busy), b"");
    wait_for_the_end_of(&server.remote);
    assert!(
        started.elapsed() >= Duration::from_millis(280),
        "{:?} is before the deadline",
        started.elapsed()
    );
    let lines = journal.lines();
    assert_eq!(
        lines,
        vec![r#"1001 "server is shutting down" Us Shutdown"#; 3]
    );
    drop(stuck);
}

#[test]
fn without_grace_everybody_is_cut() {
    let (server, journal) = serve_noting();
    let mut clients: Vec<Client> = (0..5).map(|_| join(&server)).collect();
    server
        .remote
        .shutdown(Duration::ZERO)
        .expect("the server runs");
    for client in &mut clients {
        while let Some(frame) = client.next() {
            assert_eq!(frame.opcode, CLOSE);
        }
    }
    wait_for_the_end_of(&server.remote);
    assert_eq!(
        journal.lines(),
        vec![r#"1001 "server is shutting down" Us Shutdown"#; 5]
    );
}

#[test]
fn asked_twice_the_sooner_deadline_counts() {
    for (first, second) in [
        (NEVER, Duration::from_millis(50)),
        (Duration::from_millis(50), NEVER),
    ] {
        let (server, journal) = serve_noting();
        let mut mute = join(&server);
        server.remote.shutdown(first).expect("the server runs");
        server.remote.shutdown(second).expect("the server runs");
        assert_eq!(mute.closed().0, 1001);
        mute.expect_end();
        wait_for_the_end_of(&server.remote);
        assert_eq!(journal.lines().len(), 1);
    }
}

#[test]
fn a_peer_that_goes_on_talking_does_not_keep_the_server() {
    let (server, journal) = serve_noting();
    let mut client = join(&server);
    server.remote.shutdown(NEVER).expect("the server runs");
    for _ in 0..50 {
        client.send_binary(&[0; 10_000]);
    }
    // Some may have come before.
    while client.recv().opcode != CLOSE {}
    client.send_raw(
        &[
            frame(true, 0, 1, b"one more"),
            frame(true, 0, CLOSE, &1001_u16.to_be_bytes()),
        ]
        .concat(),
    );
    client.expect_end();
    wait_for_the_end_of(&server.remote);
    assert_eq!(journal.lines().len(), 1);
}

#[test]
fn a_server_with_nobody_ends_at_once() {
    let (server, _) = serve_noting();
    server.remote.shutdown(NEVER).expect("the server runs");
    wait_for_the_end_of(&server.remote);
    assert!(TcpStream::connect(server.addr).is_err());
}

#[test]
fn a_shutdown_asked_between_two_turns_is_begun_by_the_next() {
    let mut app = rushwire::App::with(patient());
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    assert_eq!(server.timeout(), None);
    server.hub().shutdown(NEVER);
    assert_eq!(server.timeout(), Some(Duration::ZERO));
    server.turn(None).expect("a turn");
    assert!(server.is_done());
}

#[test]
fn no_turn_waits_longer_than_the_deadline() {
    const GRACE: Duration = Duration::from_secs(60);
    let pending = Rc::new(RefCell::new(None));
    let mut app = rushwire::App::with(patient());
    let asked = Rc::clone(&pending);
    app.get("/later", move |ctx| {
        asked.replace(Some(ctx.defer()));
    });
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let mut waiting = http::connect(server.local_addr().expect("TCP"));
    let request = b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
    waiting.write_all(request).expect("send");
    while pending.borrow().is_none() {
        server.turn(Some(PATIENCE)).expect("a turn");
    }
    let before = server.timeout().expect("the answer is waited for");
    assert!(before > GRACE);
    server.hub().shutdown(GRACE);
    server.turn(None).expect("a turn");
    assert!(server.timeout().expect("and now the end") <= GRACE);
    assert!(!server.is_done());
}
