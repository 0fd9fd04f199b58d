//! Out of descriptors (EMFILE): those who are connected are served, nobody burns the processor, and
//! those who wait are let in as soon as somebody leaves.

#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::client::upgrade_request;
use common::{Client, PATIENCE};

/// How many descriptors the server may have.
const DESCRIPTORS: usize = 40;
const CLIENTS: usize = 80;

#[test]
fn without_descriptors_the_server_waits_without_spinning_and_goes_on_when_one_is_free() {
    let server = Limited::start();
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| ask(server.address)).collect();
    // They are taken in order: the first are in, and the last one certainly waits.
    let mut inside: Vec<Client> = clients.drain(..20).map(answered).collect();
    for client in &mut inside {
        client.send("still served");
        assert_eq!(client.text(), "still served");
    }
    let before = server.processor_time();
    std::thread::sleep(Duration::from_secs(1));
    let spent = server.processor_time() - before;
    assert!(
        spent < Duration::from_millis(300),
        "{spent:?} of one second while nothing could be done"
    );
    // Whoever leaves makes room for somebody who waits, down to the last.
    while let Some(gone) = inside.pop() {
        drop(gone);
        if !clients.is_empty() {
            inside.insert(0, answered(clients.remove(0)));
        }
    }
    assert!(clients.is_empty());
}

/// Asks for a socket, whoever may answer when.
fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = common::http::connect(address);
    stream
        .write_all(upgrade_request("/", "").as_bytes())
        .expect("the kernel takes it");
    stream
}

fn answered(mut stream: TcpStream) -> Client {
    let (answer, rest) = common::http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(answer.status, 101);
    Client {
        stream,
        rest,
        answer,
    }
}

/// The example `echo` in a process of its own, with few descriptors.
struct Limited {
    child: Child,
    address: SocketAddr,
}

impl Limited {
    fn start() -> Self {
        let mut program = std::env::current_exe().expect("this program");
        program.pop();
        program.pop();
        program.push("examples/echo");
        let script = format!(
            "ulimit -n {DESCRIPTORS}; exec '{}' 127.0.0.1:0",
            program.display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its address");
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .and_then(|address| address.parse().ok());
        Self {
            child,
            address: address.unwrap_or_else(|| panic!("no address in {line:?}")),
        }
    }

    /// What the process has used of the processor so far, to the hundredth of a second.
    fn processor_time(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("its status");
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .expect("fields")
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11..13]
            .iter()
            .map(|field| field.parse::<u64>().expect("ticks"))
            .sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let _ = self.child.kill();
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::yield_now();
        }
    }
}
