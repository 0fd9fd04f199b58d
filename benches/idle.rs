//! What an idle connection costs, in bytes of the server's own memory (the kernel's are not counted).
//!
//! ```text
//! cargo bench --bench idle
//! ```
//!
//! The server is this program once more, in a process of its own, so that nothing of the clients is
//! measured with it. Fails when a connection costs 512 bytes or more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rushwire::{App, Options, event};

const CONNECTIONS: usize = 10_000;
const LIMIT: usize = 512;

fn main() {
    if std::env::args().any(|arg| arg == "serve") {
        return serve();
    }
    if !cfg!(target_os = "linux") {
        return println!("memory is read from /proc: Linux only");
    }
    let mut server = Server::start();
    // What is allocated once, whoever comes.
    let _first: Vec<TcpStream> = (0..100).map(|_| connect(&server.address)).collect();
    let before = server.resident();
    let clients: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&server.address)).collect();
    let each = (server.resident() - before) / clients.len();
    println!(
        "{each} bytes for each of {} idle connections, at most {LIMIT}",
        clients.len()
    );
    drop(clients);
    server.stop();
    assert!(each < LIMIT, "an idle connection costs too much");
}

fn serve() {
    let mut app = App::with(Options {
        max_connections: 2 * CONNECTIONS,
        ..Options::default()
    });
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
    app.listen("127.0.0.1:0", |address| println!("{address}"))
        .expect("serve");
}

/// Opens a socket, and sees one message come back.
fn connect(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connect");
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
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
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .arg("serve")
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
