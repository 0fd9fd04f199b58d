//! 18. Full: a bounded number of sockets and connections, refused politely and at no cost.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::client::upgrade_request;
use crate::common::{Client, PATIENCE, Server, http, serve_with};
use crate::{NEVER, keep_alive_get, knock, until};
use rushwire::{App, Options, Refusal};

/// Connections in all are this many more than sockets.
const RESERVE: usize = 256;

fn serve_few(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.ws("/", |socket, _| _ = socket.send("hello"));
        app.get("/", |ctx| ctx.text("a page"));
    })
}

fn join(server: &Server) -> Client {
    let mut client = server.connect("/");
    assert_eq!(client.text(), "hello");
    client
}

#[test]
fn when_all_places_are_taken_an_upgrade_is_503_until_one_is_free() {
    let server = serve_few(|| Options {
        max_connections: 3,
        ..Options::default()
    });
    let mut clients: Vec<Client> = (0..3).map(|_| join(&server)).collect();
    for _ in 0..2 {
        for _ in 0..5 {
            let refused = Client::try_connect(server.addr, "/", "")
                .err()
                .expect("full");
            assert_eq!(
                (refused.status, refused.header("connection")),
                (503, Some("close"))
            );
            assert!(
                refused
                    .header("retry-after")
                    .is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
                "{refused:?}"
            );
        }
        assert_eq!(
            http::get(server.addr, "/").text(),
            "a page",
            "plain HTTP is served all the same"
        );
        drop(clients.pop());
        server.wait_until("one is gone", |hub| hub.len() == 2);
        until("its place is free", || {
            Client::try_connect(server.addr, "/", "").is_ok_and(|client| {
                clients.push(client);
                true
            })
        });
    }
    let stats = server.ask(|hub| hub.stats());
    assert_eq!((stats.total_connections, stats.accepted), (3, 5));
    assert!(stats.refused[&Refusal::Full] >= 10, "{:?}", stats.refused);
}

#[test]
fn from_one_address_there_are_at_most_so_many_and_more_are_429() {
    let options = || Options {
        max_connections_per_ip: Some(2),
        trusted_proxies: vec!["127.0.0.1".into()],
        ..Options::default()
    };
    let server = serve_few(options);
    let from =
        |ip: &str| Client::try_connect(server.addr, "/", &format!("X-Forwarded-For: {ip}\r\n"));
    let first = from("6.6.6.6").expect("a place");
    let _second = from("6.6.6.6").expect("a place");
    let refused = from("6.6.6.6").err().expect("too many");
    assert!(
        refused.status == 429 && refused.header("retry-after").is_some(),
        "{refused:?}"
    );
    // Others are counted apart, and so is the proxy itself.
    let _others = [
        from("7.7.7.7").expect("a place"),
        from("2001:db8::1").expect("a place"),
        from("7.7.7.7").expect("a place"),
    ];
    assert_eq!(
        from("::ffff:6.6.6.6").err().map(|answer| answer.status),
        Some(429),
        "the same address in other clothes"
    );
    let _own = [join(&server), join(&server)];
    assert_eq!(knock(server.addr, "/", ""), 429);
    drop(first);
    until("its place is free", || from("6.6.6.6").is_ok());
}

/// D15: a decision that takes its time let in more than there were places.
#[test]
fn sockets_that_are_about_to_open_have_a_place() {
    let (sender, nexts) = std::sync::mpsc::channel();
    let server = serve_with(
        || Options {
            max_connections: 2,
            ..Options::default()
        },
        move |app| {
            app.ws("/", |socket, _| _ = socket.send("hello"));
            app.ws_use(move |_, _, next| sender.send(next).expect("the test waits"));
        },
    );
    let mut pending = [server.connect("/"), server.connect("/")];
    assert_eq!(server.ask(|hub| hub.len()), 0);
    assert_eq!(knock(server.addr, "/", ""), 503);
    (0..2).for_each(|_| nexts.recv_timeout(PATIENCE).expect("it waits").run());
    assert_eq!(
        (pending[0].text(), pending[1].text()),
        ("hello".to_owned(), "hello".to_owned())
    );
    assert_eq!(knock(server.addr, "/", ""), 503);
}

/// A connection that was accepted answers; one that waits in the kernel's queue does not.
#[test]
fn beyond_the_reserve_nobody_is_accepted_until_a_place_is_free() {
    let server = serve_few(|| Options {
        max_connections: 2,
        keep_alive_timeout: NEVER,
        handshake_timeout: NEVER,
        ..Options::default()
    });
    let mut open: Vec<TcpStream> = (0..2 + RESERVE)
        .map(|_| keep_alive_get(server.addr, "/"))
        .collect();
    let mut waiting = http::connect(server.addr);
    waiting
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("send");
    waiting
        .set_read_timeout(Some(Duration::from_millis(150)))
        .expect("set a timeout");
    assert!(
        waiting.peek(&mut [0]).is_err(),
        "one more than allowed was accepted"
    );
    waiting
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    drop(open.pop());
    assert_eq!(
        http::read_answer(&mut waiting, Vec::new(), false).0.status,
        200
    );
}

#[test]
fn in_the_reserve_an_upgrade_is_refused_and_closed() {
    let server = serve_few(|| Options {
        max_connections: 1,
        ..Options::default()
    });
    let _only = join(&server);
    for _ in 0..RESERVE + 50 {
        let mut stream = http::connect(server.addr);
        stream
            .write_all(upgrade_request("/", "").as_bytes())
            .expect("send");
        assert_eq!(
            http::read_answer(&mut stream, Vec::new(), false).0.status,
            503
        );
        assert_eq!(http::read_to_end(&mut stream), b"");
    }
}

#[test]
fn idle_keep_alive_connections_end() {
    let server = serve_few(|| Options {
        keep_alive_timeout: Duration::from_millis(100),
        handshake_timeout: NEVER,
        ..Options::default()
    });
    let mut idle = keep_alive_get(server.addr, "/");
    assert_eq!(http::read_to_end(&mut idle), b"");
}

/// Counts the turns of a loop that has nothing it could do.
#[test]
fn at_the_limit_the_loop_costs_nothing() {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let (sender, addresses) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut app = App::with(Options {
            max_connections: 1,
            heartbeat: Duration::ZERO,
            keep_alive_timeout: NEVER,
            handshake_timeout: NEVER,
            ..Options::default()
        });
        app.get("/", |ctx| ctx.text("a page"));
        let mut server = app.bind("127.0.0.1:0").expect("bind");
        sender
            .send((server.local_addr().expect("TCP"), server.remote()))
            .expect("the test waits");
        while !server.is_done() {
            server.turn(None).expect("a turn");
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (addr, remote) = addresses.recv_timeout(PATIENCE).expect("it starts");
    let _open: Vec<TcpStream> = (0..1 + RESERVE)
        .map(|_| keep_alive_get(addr, "/"))
        .collect();
    let _waiting: Vec<TcpStream> = (0..20).map(|_| http::connect(addr)).collect();
    let before = turns.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(300));
    let spent = turns.load(Ordering::Relaxed) - before;
    assert!(spent < 30, "{spent} turns for nothing");
    remote.shutdown(Duration::ZERO).expect("it runs");
    thread.join().expect("no panic");
}
