//! An HTTP client for tests: it sends bytes as they are, and reads answers by the rules.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header that comes once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "more than one {name}");
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

pub fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("connect");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("set a timeout");
    stream.set_nodelay(true).expect("set nodelay");
    stream
}

/// Sends bytes on a new connection, and reads one answer.
pub fn request(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Answer {
    let mut stream = connect(addr);
    stream.write_all(bytes.as_ref()).expect("send");
    read_answer(&mut stream, Vec::new(), false).0
}

/// A GET on a connection of its own.
pub fn get(addr: SocketAddr, path: &str) -> Answer {
    request(
        addr,
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
}

/// Sends bytes one at a time, and reads one answer. The server may answer before all is sent.
pub fn request_bytewise(addr: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(addr);
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
    read_answer(&mut stream, Vec::new(), false).0
}

/// Reads one answer. `rest` is what came before; what comes behind is given back. The answer to
/// HEAD (`head`), 101, 204 and 304 have no body.
pub fn read_answer(stream: &mut TcpStream, mut rest: Vec<u8>, head: bool) -> (Answer, Vec<u8>) {
    let end = loop {
        if let Some(at) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        assert!(
            more(stream, &mut rest),
            "closed inside of a head: {:?}",
            String::from_utf8_lossy(&rest)
        );
    };
    let text = String::from_utf8(rest[..end].to_vec()).expect("a head is text");
    rest.drain(..end + 4);
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .expect("a status line");
    let status = status[..3].parse().expect("a status");
    let headers = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    if !head && !matches!(status, 100..200 | 204 | 304) {
        let len: usize = answer
            .header("content-length")
            .expect("a length")
            .parse()
            .expect("a number");
        while rest.len() < len {
            assert!(more(stream, &mut rest), "closed inside of a body");
        }
        answer.body = rest.drain(..len).collect();
    }
    (answer, rest)
}

/// Reads until the server closes the connection.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    while more(stream, &mut rest) {}
    rest
}

fn more(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(n) => {
                into.extend(&chunk[..n]);
                return n > 0;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return false;
            }
            Err(e) => panic!("nothing came in {PATIENCE:?}: {e}"),
        }
    }
}
