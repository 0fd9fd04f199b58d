//! A server on a thread of its own, and a blocking client that shares no code with the library.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file uses a part of this"
)]

pub mod child;
pub mod client;
#[cfg(unix)]
pub mod example;
pub mod http;
pub mod journal;
pub mod log;
#[cfg(unix)]
pub mod unix;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rushwire::{App, Hub, Options, Remote};

pub use client::{Client, Frame};

/// Long enough for a loaded machine; a test that waits for it has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than any test lives: what it times never comes.
pub const NEVER: Duration = Duration::from_secs(3_600);

/// Options of a server that ends when it is told to, whatever its peers leave undone.
pub fn patient() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        close_timeout: NEVER,
        keep_alive_timeout: NEVER,
        handshake_timeout: NEVER,
        max_backpressure: 64 << 20,
        ..Options::default()
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    pub addr: SocketAddr,
    pub remote: Remote,
    thread: Option<JoinHandle<()>>,
}

/// Starts a server with default options.
pub fn serve(setup: impl FnOnce(&mut App) + Send + 'static) -> Server {
    serve_with(Options::default, setup)
}

/// Starts a server. Options and application are made on its thread, since they stay there.
pub fn serve_with(
    options: impl FnOnce() -> Options + Send + 'static,
    setup: impl FnOnce(&mut App) + Send + 'static,
) -> Server {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut app = App::with(options());
        setup(&mut app);
        let mut server = app.bind("127.0.0.1:0").expect("bind");
        sender
            .send((server.local_addr().expect("address"), server.remote()))
            .expect("the test waits");
        server.run().expect("run");
    });
    let (addr, remote) = receiver.recv_timeout(PATIENCE).expect("the server starts");
    Server {
        addr,
        remote,
        thread: Some(thread),
    }
}

impl Server {
    /// Opens a socket.
    pub fn connect(&self, path: &str) -> Client {
        Client::connect(self.addr, path)
    }

    /// Runs `job` on the server's thread, and gives what it gives.
    pub fn ask<R: Send + 'static>(&self, job: impl FnOnce(&Hub) -> R + Send + 'static) -> R {
        let (sender, receiver) = mpsc::channel();
        self.remote
            .post(move |hub| drop(sender.send(job(hub))))
            .expect("the server is there");
        receiver.recv_timeout(PATIENCE).expect("the server answers")
    }

    /// Waits until `condition` holds on the server's thread.
    pub fn wait_until(
        &self,
        what: &str,
        condition: impl Fn(&Hub) -> bool + Send + Sync + Clone + 'static,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let condition = condition.clone();
            if self.ask(move |hub| condition(hub)) {
                return;
            }
            assert!(Instant::now() < deadline, "never: {what}");
            std::thread::yield_now();
        }
    }

    /// Keeps the server's thread busy until what this gives is dropped: what is sent to it meanwhile
    /// it finds all at once.
    pub fn hold(&self) -> mpsc::Sender<()> {
        let (holding, held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let wait = move |_: &Hub| {
            holding.send(()).expect("the test waits");
            let _ = released.recv();
        };
        self.remote.post(wait).expect("the server is there");
        held.recv_timeout(PATIENCE)
            .expect("the server runs the job");
        release
    }

    /// Sends bytes one at a time: the server has read each of them before the next is sent. It may
    /// have refused them meanwhile.
    pub fn feed(&self, stream: &mut TcpStream, bytes: &[u8]) {
        for byte in bytes {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            self.ask(|_| ());
        }
    }

    /// Shuts the server down and waits for its end.
    pub fn stop(mut self, grace: Duration) {
        self.remote.shutdown(grace).expect("the server is there");
        self.join();
    }

    /// Waits for the end of a server that was told to end.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.remote.shutdown(Duration::ZERO);
        if std::thread::panicking() {
            return;
        }
        self.join();
    }
}

/// The status that an opening handshake is answered with.
pub fn knock(addr: SocketAddr, path: &str, headers: &str) -> u16 {
    Client::try_connect(addr, path, headers)
        .map_or_else(|answer| answer.status, |client| client.answer.status)
}

/// Polls until `condition` holds.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until nobody is let in at `addr` any more.
pub fn wait_for_closed_doors(addr: SocketAddr) {
    until("connecting is refused", || {
        TcpStream::connect(addr).is_err()
    });
}

/// Waits until the server behind `remote` has ended.
pub fn wait_for_the_end_of(remote: &Remote) {
    until("the server ends", || remote.post(|_| ()).is_err());
}

/// Cuts the connection with RST: what the server has said is thrown away unread.
pub fn reset(client: Client) {
    until("something waits to be read", || {
        client.stream.peek(&mut [0]).is_ok_and(|n| n > 0)
    });
    drop(client);
}
