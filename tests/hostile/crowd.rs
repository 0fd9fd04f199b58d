//! Many: 10,000 sockets in one room, and one socket that wants 10,000 rooms.
//!
//! A process may have 20,000 descriptors on some machines, and far less on others; a socket and its
//! client take two. So the server has a process of its own, and the clients have another.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rushwire::{Join, Options, Overflow};

use super::alone::{alone, growth};
use super::common::{Client, PATIENCE, Server, serve_with};
use super::still;

/// As many as there should be, where a process may have as many descriptors.
const CLIENTS: usize = 10_000;
/// Of those, so many never read.
const STUCK: usize = 10;
/// Messages for all, and their size.
const MESSAGES: u32 = 5;
const KIB: usize = 1024;
const SIZE: usize = 4 * KIB;
/// What may wait for one.
const MAX: usize = 256 * KIB;

const TEST: &str = "crowd::of_10_000_in_a_room_those_who_read_get_all_whoever_is_stuck";
/// Says which part of that test a process plays: the server, or the clients of the address.
const PART: &str = "RUSHWIRE_TEST_CROWD";

/// This test again, in a process that may have as many descriptors as this machine allows.
fn process(part: &str) -> Command {
    let mut process = Command::new("sh");
    process
        .args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#])
        .arg(std::env::current_exe().expect("the test is a program"))
        .args([TEST, "--exact", "--nocapture"])
        .env(PART, part);
    process
}

/// As many as there can be.
fn clients() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux tells");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    let clients = CLIENTS.min(soft.expect("a number") - 50);
    assert!(
        clients >= 1000,
        "too few descriptors for a crowd: {clients}"
    );
    clients
}

#[test]
fn of_10_000_in_a_room_those_who_read_get_all_whoever_is_stuck() {
    match std::env::var(PART).as_deref() {
        Err(_) => {
            let output = process("server").output().expect("run it");
            let said = String::from_utf8_lossy(&output.stdout);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}{told}");
            assert!(said.contains("played to the end"), "{said}{told}");
        }
        Ok("server") => {
            serve_the_crowd();
            println!("played to the end");
        }
        Ok(addr) => be_the_crowd(addr),
    }
}

/// The clients, as the server's process sees them.
struct Crowd {
    process: Child,
    orders: ChildStdin,
    reports: Receiver<String>,
}

impl Crowd {
    fn gather(server: &Server) -> Self {
        let mut process = process(&server.addr.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run it");
        let orders = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let (report, reports) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = report.send(line);
            }
        });
        Self {
            process,
            orders,
            reports,
        }
    }

    /// Waits until it reports that.
    fn expect(&self, what: &str) {
        loop {
            let line = self.reports.recv_timeout(PATIENCE).expect(what);
            assert!(
                !line.contains("panicked") && !line.contains("FAILED"),
                "{line}"
            );
            if line == what {
                return;
            }
        }
    }

    /// Has those who read read the next message.
    fn read(&mut self, number: u32) {
        writeln!(self.orders, "{number}").expect("it listens");
        self.expect(&format!("all have {number}"));
    }
}

fn serve_the_crowd() {
    let options = || Options {
        max_backpressure: MAX,
        overflow: Overflow::DropOldest,
        ..still()
    };
    let server = serve_with(options, |app| {
        app.ws("/:kind", |socket, request| {
            socket.join("all");
            socket.join(request.param("kind"));
        });
    });
    let clients = clients();
    let mut crowd = Crowd::gather(&server);
    crowd.expect("all are there");
    server.wait_until("all are in", move |hub| hub.room("all").len() == clients);
    // Far more than the kernel keeps for those who do not read.
    for _ in 0..100 {
        let reached = server.ask(|hub| hub.to("stuck").send(&vec![0; 100 * KIB]));
        assert_eq!(reached, STUCK, "the oldest are dropped");
    }
    let waiting = |server: &Server| server.ask(|hub| hub.stats().waiting_bytes);
    assert!(waiting(&server) > MAX / 2, "nobody is stuck");
    let grown = growth(|| {
        for number in 0..MESSAGES {
            let mut message = vec![7; SIZE];
            message[..4].copy_from_slice(&number.to_be_bytes());
            let reached = server.ask(move |hub| hub.to("all").send(&message));
            assert_eq!(reached, clients, "message {number}");
            crowd.read(number);
        }
    });
    let kept = waiting(&server);
    assert!(kept <= STUCK * 4 * MAX, "{kept} bytes are kept for {STUCK}");
    // Each of the others had a range of one buffer, and a place in the queue.
    assert!(grown.resident < 4 * KIB * KIB, "{grown:?}");
    let stats = server.ask(|hub| hub.stats());
    assert_eq!(stats.total_connections, clients);
    assert_eq!(
        stats.closed.values().sum::<u64>(),
        0,
        "nobody was sent away"
    );
    crowd.process.kill().expect("it runs");
    crowd.process.wait().expect("it is killed");
    server.wait_until("all are gone", |hub| {
        hub.is_empty() && hub.rooms().is_empty()
    });
    assert_eq!(waiting(&server), 0);
}

fn be_the_crowd(addr: &str) {
    let addr = addr.parse().expect("an address");
    let _stuck: Vec<Client> = (0..STUCK)
        .map(|_| Client::connect(addr, "/stuck"))
        .collect();
    let reading = (STUCK..clients()).map(|_| Client::connect(addr, "/reading"));
    let mut reading: Vec<Client> = reading.collect();
    println!("\nall are there");
    for order in std::io::stdin().lines().map_while(Result::ok) {
        let number: u32 = order.parse().expect("a number");
        for client in &mut reading {
            let message = client.binary();
            assert_eq!(message.len(), SIZE);
            assert_eq!(message[..4], number.to_be_bytes(), "it has lost some");
        }
        println!("all have {number}");
    }
}

#[test]
fn a_socket_that_wants_10_000_rooms_gets_100_and_what_it_was_refused_costs_nothing() {
    alone(
        "crowd::a_socket_that_wants_10_000_rooms_gets_100_and_what_it_was_refused_costs_nothing",
        || {
            let server = serve_with(still, |app| {
                app.ws("/", |_, _| {});
            });
            let _client = server.connect("/");
            server.wait_until("it is in", |hub| hub.len() == 1);
            let join = |from: usize, to: usize, padding: usize| {
                server.ask(move |hub| {
                    let socket = hub.sockets().remove(0);
                    let names = (from..to).map(|n| format!("{n}{}", "x".repeat(padding)));
                    names.map(|name| socket.join(&name)).collect::<Vec<_>>()
                })
            };
            let count = |all: &[Join], which| all.iter().filter(|it| **it == which).count();
            let grown = growth(|| {
                let joins = join(0, 10_000, 0);
                assert_eq!(count(&joins, Join::Joined), 100);
                assert_eq!(count(&joins, Join::Limit), 9_900);
                let joins = join(0, 100, 64 * KIB);
                assert_eq!(count(&joins, Join::BadName), 100);
                for round in 1..20 {
                    let joins = join(round * 10_000, (round + 1) * 10_000, 200);
                    assert_eq!(count(&joins, Join::Limit), 10_000);
                }
            });
            assert!(grown.resident < 2 * KIB * KIB, "{grown:?}");
            let known = |server: &Server| server.ask(|hub| hub.rooms().len());
            assert_eq!(known(&server), 100);
            // Rooms that nobody is in any more are forgotten.
            let grown = growth(|| {
                server.ask(|hub| {
                    let socket = hub.sockets().remove(0);
                    socket
                        .rooms()
                        .iter()
                        .for_each(|room| _ = socket.leave(room));
                    for n in 0..100_000 {
                        assert_eq!(socket.join(&format!("room {n}")), Join::Joined);
                        socket.leave(&format!("room {n}"));
                    }
                });
            });
            assert!(grown.resident < 2 * KIB * KIB, "{grown:?}");
            assert_eq!(known(&server), 0);
        },
    );
}
