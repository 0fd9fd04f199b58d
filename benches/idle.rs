//! What an idle connection costs, in bytes of the server's own memory (the kernel's are not counted).
//!
//! ```text
//! cargo bench --bench idle
//! ```
//!
//! The server is this program once more, in a process of its own, so that nothing of the clients is
//! measured with it. Fails when a connection costs more than [`CASES`] says.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Options, Socket, event};

const CONNECTIONS: usize = 10_000;

/// What is measured, at which path, and the most bytes that it may cost.
const CASES: [(&str, &str, usize); 3] = [
    ("like the example echo", "/echo", 256),
    ("the same with a heartbeat", "/heartbeat", 288),
    (
        "with a room, data and two capturing listeners",
        "/full",
        600,
    ),
];

fn main() {
    if let Some(path) = std::env::args().skip(1).find(|arg| arg.starts_with('/')) {
        return serve(&path);
    }
    if !cfg!(target_os = "linux") {
        return println!("memory is read from /proc: Linux only");
    }
    let mut is_over = false;
    for (name, path, limit) in CASES {
        let each = measure(path);
        println!("{each} bytes for each of {CONNECTIONS} idle connections {name}, at most {limit}");
        is_over |= each > limit;
    }
    assert!(!is_over, "an idle connection costs too much");
}

fn measure(path: &str) -> usize {
    let mut server = Server::start(path);
    // What is allocated once, whoever comes.
    let _first: Vec<TcpStream> = (0..100).map(|_| connect(&server.address, path)).collect();
    let before = server.resident();
    let clients: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| connect(&server.address, path))
        .collect();
    let each = (server.resident() - before) / clients.len();
    drop(clients);
    server.stop();
    each
}

fn serve(path: &str) {
    let mut app = App::with(Options {
        heartbeat: match path {
            "/heartbeat" => Duration::from_secs(30),
            _ => Duration::ZERO,
        },
        max_connections: 2 * CONNECTIONS,
        ..Options::default()
    });
    app.ws("/echo", |socket, _| echo(socket));
    app.ws("/heartbeat", |socket, _| echo(socket));
    let count = Rc::new(Cell::new(0));
    app.ws("/full", move |socket, _| {
        socket.join("room");
        socket.set(7_u64);
        let (heard, left) = (Rc::clone(&count), Rc::clone(&count));
        socket.on(event::Message, move |socket, message| {
            heard.set(heard.get() + 1);
            socket.send(message);
        });
        socket.on(event::Close, move |_, _| left.set(left.get() + 1));
    });
    app.listen("127.0.0.1:0", |address| println!("{address}"))
        .expect("serve");
}

fn echo(socket: &Socket) {
    socket.on(event::Message, |socket, message| {
        socket.send(message);
    });
}

/// Opens a socket, and sees one message come back.
fn connect(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connect");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("send");
    stream
        .write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .expect("send");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x81\x02hi") {
        let mut chunk = [0; 256];
        let n = stream.read(&mut chunk).expect("read");
        assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend(&chunk[..n]);
    }
    stream
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(path: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the server");
        let mut address = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("its address");
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    /// Bytes of memory that the process holds.
    fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("its status");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("its memory");
        line.trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .expect("a number")
            * 1024
    }

    fn stop(&mut self) {
        self.child.kill().expect("stop the server");
        self.child.wait().expect("the server ends");
    }
}
