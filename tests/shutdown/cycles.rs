//! Servers that begin and end, hundreds of times, at one address and in one process: each serves at once,
//! and none leaves a thread or a descriptor.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rushwire::{App, ConnectOptions, Options, event};

use super::common::{Client, PATIENCE, child, http, patient, until};

/// An address that no other test has, so that nobody takes the port in between.
const HOST: [u8; 4] = [127, 0, 73, 1];
const CYCLES: usize = 300;

/// How many entries a directory of this process has.
fn count(what: &str) -> usize {
    let entries = std::fs::read_dir(format!("/proc/self/{what}")).expect("Linux has it");
    entries.count()
}

/// One life: somebody talks and somebody is connected to, and then it ends.
fn live(at: SocketAddr, cycle: usize) -> SocketAddr {
    let mut app = App::with(Options {
        slow_listener: Duration::from_secs(1),
        ..patient()
    });
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    app.get("/", |ctx| ctx.text("a page"));
    let mut server = app.bind(at).expect("the address is free again");
    let at = server.local_addr().expect("TCP");
    let (remote, hub) = (server.remote(), server.hub().clone());
    let connection = hub.connect(&format!("ws://{at}/"), ConnectOptions::default(), |_, _| {});
    let clients = std::thread::spawn(move || {
        let mut client = Client::connect(at, "/");
        client.send("hello");
        assert_eq!(client.text(), "hello");
        assert_eq!(http::get(at, "/").text(), "a page");
        remote.shutdown(PATIENCE).expect("it runs");
        if cycle.is_multiple_of(2) {
            // The server ends the connection first, and its port remembers that for a minute.
            client.expect_close(1001);
        }
    });
    server.run().expect("run");
    clients.join().expect("no panic");
    drop((connection, hub));
    at
}

#[test]
fn a_server_that_begins_where_another_has_ended_serves_at_once_and_nothing_is_left() {
    if child::role().is_none() {
        let name = "cycles::a_server_that_begins_where_another_has_ended_serves_at_once_and_nothing_is_left";
        let output = child::command(name, "servers").output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        return assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
    let began = Instant::now();
    let mut at = live((HOST, 0).into(), 0);
    let before = [count("fd"), count("task")];
    for cycle in 1..CYCLES {
        at = live(at, cycle);
        assert!(began.elapsed() < 3 * PATIENCE, "only {cycle} cycles so far");
    }
    // Threads end by themselves.
    until("nothing is left", || [count("fd"), count("task")] <= before);
}
