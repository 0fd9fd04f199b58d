//! A WebSocket client written from RFC 6455, for tests: it can say anything, right or wrong.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::PATIENCE;
use super::http::{self, Answer};

/// A frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    pub rsv: u8,
    pub opcode: u8,
    pub payload: Vec<u8>,
}

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// The key of RFC 6455 §1.3, and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub struct Client {
    pub stream: TcpStream,
    /// What came behind the answer to the handshake.
    pub rest: Vec<u8>,
    pub answer: Answer,
}

/// A request that opens a socket, with more headers.
pub fn upgrade_request(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    )
}

/// One masked frame.
pub fn frame(fin: bool, rsv: u8, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xFA, 0x21, 0x3D];
    let mut bytes = vec![u8::from(fin) << 7 | rsv << 4 | opcode];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(key);
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

/// The header of a frame of `len` bytes, and no more.
pub fn announcement(fin: bool, opcode: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![u8::from(fin) << 7 | opcode, 0xFF];
    bytes.extend(len.to_be_bytes());
    bytes.extend([1, 2, 3, 4]);
    bytes
}

/// The payload of a close frame.
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

impl Client {
    pub fn connect(addr: SocketAddr, path: &str) -> Self {
        Self::connect_with(addr, path, "")
    }

    pub fn connect_with(addr: SocketAddr, path: &str, headers: &str) -> Self {
        Self::try_connect(addr, path, headers).unwrap_or_else(|answer| panic!("{path}: {answer:?}"))
    }

    /// Opens a socket, or gives the answer that refused it.
    pub fn try_connect(addr: SocketAddr, path: &str, headers: &str) -> Result<Self, Answer> {
        let mut stream = http::connect(addr);
        stream
            .write_all(upgrade_request(path, headers).as_bytes())
            .expect("send the request");
        Self::answered(stream)
    }

    /// A connection on which the request is sent already, and must be accepted.
    pub fn take_over(stream: TcpStream) -> Self {
        Self::answered(stream).unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    fn answered(mut stream: TcpStream) -> Result<Self, Answer> {
        let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
        if answer.status != 101 {
            return Err(answer);
        }
        assert_eq!(answer.header("sec-websocket-accept"), Some(ACCEPT));
        assert!(
            answer
                .header("upgrade")
                .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        );
        assert!(
            answer
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("upgrade"))
        );
        Ok(Self {
            stream,
            rest,
            answer,
        })
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("send");
    }

    pub fn send_frame(&mut self, fin: bool, rsv: u8, opcode: u8, payload: &[u8]) {
        self.send_raw(&frame(fin, rsv, opcode, payload));
    }

    pub fn send(&mut self, text: &str) {
        self.send_frame(true, 0, TEXT, text.as_bytes());
    }

    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.send_frame(true, 0, BINARY, bytes);
    }

    pub fn send_close(&mut self, code: u16, reason: &str) {
        self.send_frame(true, 0, CLOSE, &close_payload(code, reason));
    }

    /// Sends FIN.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("send FIN");
    }

    /// The next frame; `None` when the server has closed the connection.
    pub fn next(&mut self) -> Option<Frame> {
        let head = self.take(2)?;
        let len = match head[1] {
            126 => u16::from_be_bytes(self.take(2)?.try_into().unwrap()).into(),
            127 => u64::from_be_bytes(self.take(8)?.try_into().unwrap()),
            len => u64::from(len),
        };
        assert_eq!(head[1] & 0x80, 0, "a server never masks");
        let payload = self.take(usize::try_from(len).unwrap())?;
        Some(Frame {
            fin: head[0] & 0x80 != 0,
            rsv: head[0] >> 4 & 7,
            opcode: head[0] & 0xF,
            payload,
        })
    }

    /// The next frame that is neither ping nor pong; pings are answered.
    pub fn recv(&mut self) -> Frame {
        loop {
            let frame = self.next().expect("a frame, but the connection is closed");
            match frame.opcode {
                PING => self.send_frame(true, 0, PONG, &frame.payload),
                PONG => {}
                _ => return frame,
            }
        }
    }

    /// The next message, which is text.
    pub fn text(&mut self) -> String {
        let frame = self.recv();
        assert_eq!(
            (frame.fin, frame.rsv, frame.opcode),
            (true, 0, TEXT),
            "{frame:?}"
        );
        String::from_utf8(frame.payload).expect("text is UTF-8")
    }

    /// The next message, which is binary.
    pub fn binary(&mut self) -> Vec<u8> {
        let frame = self.recv();
        assert_eq!(
            (frame.fin, frame.rsv, frame.opcode),
            (true, 0, BINARY),
            "{frame:?}"
        );
        frame.payload
    }

    /// The close frame that comes next: code (1005 if it has none) and reason.
    pub fn closed(&mut self) -> (u16, String) {
        let frame = self.recv();
        assert_eq!(
            (frame.fin, frame.rsv, frame.opcode),
            (true, 0, CLOSE),
            "{frame:?}"
        );
        match frame.payload.as_slice() {
            [] => (1005, String::new()),
            [a, b, reason @ ..] => (
                u16::from_be_bytes([*a, *b]),
                String::from_utf8(reason.to_vec()).expect("UTF-8"),
            ),
            [_] => panic!("a close frame of one byte"),
        }
    }

    /// Fails unless the server closes the connection without another frame.
    pub fn expect_end(&mut self) {
        let more = self.next();
        assert_eq!(more, None, "nothing more was expected");
    }

    /// Takes part in a closing handshake that the server has begun.
    pub fn expect_close(&mut self, code: u16) {
        assert_eq!(self.closed().0, code);
        self.try_send_close(code);
        self.expect_end();
    }

    /// Sends a close frame to a peer that may have gone.
    pub fn try_send_close(&mut self, code: u16) {
        let _ = self
            .stream
            .write_all(&frame(true, 0, CLOSE, &close_payload(code, "")));
    }

    fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.rest.len() < n {
            let mut chunk = vec![0; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => self.rest.extend(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e)
                    if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) =>
                {
                    return None;
                }
                Err(e) => panic!("nothing came in {PATIENCE:?}: {e}"),
            }
        }
        Some(self.rest.drain(..n).collect())
    }
}
