//! A server and a client that meet in a Unix-domain socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use rushwire::{App, Options};

use super::client::upgrade_request;
use super::{PATIENCE, Server};

/// Starts a server on a path of its own, which is gone when the server is.
pub fn serve_unix(
    options: impl FnOnce() -> Options + Send + 'static,
    setup: impl FnOnce(&mut App) + Send + 'static,
) -> (Server, PathBuf) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("rushwire-test-{}-{count}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let (sender, receiver) = mpsc::channel();
    let at = path.clone();
    let thread = std::thread::spawn(move || {
        let mut app = App::with(options());
        setup(&mut app);
        let mut server = app.bind_unix(&at).expect("bind");
        assert_eq!(server.local_addr(), None);
        sender.send(server.remote()).expect("the test waits");
        server.run().expect("run");
        drop(server);
        std::fs::remove_file(at).expect("remove the socket");
    });
    let remote = receiver.recv_timeout(PATIENCE).expect("the server starts");
    let addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let thread = Some(thread);
    (
        Server {
            addr,
            remote,
            thread,
        },
        path,
    )
}

pub struct UnixClient {
    pub stream: UnixStream,
    rest: Vec<u8>,
}

impl UnixClient {
    pub fn connect(socket: &Path, url: &str) -> Self {
        let mut stream = UnixStream::connect(socket).expect("connect");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("set a timeout");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("set a timeout");
        stream
            .write_all(upgrade_request(url, "").as_bytes())
            .expect("send the request");
        let mut client = Self {
            stream,
            rest: Vec::new(),
        };
        let head = client.take_until(b"\r\n\r\n");
        assert!(
            head.starts_with(b"HTTP/1.1 101 "),
            "{}",
            String::from_utf8_lossy(&head)
        );
        client
    }

    /// The payload of the next frame, which is one whole message; `None` at the end.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let head = self.take(2)?;
        assert_eq!(head[0] & 0xF0, 0x80, "final, without reserved bits");
        let len = match head[1] {
            126 => u16::from_be_bytes(self.take(2)?.try_into().unwrap()).into(),
            127 => u64::from_be_bytes(self.take(8)?.try_into().unwrap()),
            len => u64::from(len),
        };
        self.take(usize::try_from(len).unwrap())
    }

    fn take_until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self
                .rest
                .windows(end.len())
                .position(|window| window == end)
            {
                return self.rest.drain(..at + end.len()).collect();
            }
            assert!(self.more(), "closed inside of the answer");
        }
    }

    fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.rest.len() < n {
            if !self.more() {
                return None;
            }
        }
        Some(self.rest.drain(..n).collect())
    }

    fn more(&mut self) -> bool {
        let mut chunk = vec![0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(n) => {
                self.rest.extend(&chunk[..n]);
                n > 0
            }
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                false
            }
            Err(e) => panic!("nothing came in {PATIENCE:?}: {e}"),
        }
    }
}
