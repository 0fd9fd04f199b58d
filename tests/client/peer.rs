//! A server whose every byte the test decides, written from RFC 6455; only the accept key is computed by
//! another library.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::common::PATIENCE;
use crate::common::client::{self, CLOSE};

/// A frame of a client, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Masked {
    pub(crate) first: u8,
    pub(crate) key: [u8; 4],
    pub(crate) payload: Vec<u8>,
}

/// One connection of a client.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// The head of the request.
    pub(crate) request: String,
    rest: Vec<u8>,
}

/// A server that plays `script` on a thread of its own, and its URL.
pub(crate) struct Stage {
    pub(crate) url: String,
    pub(crate) addr: SocketAddr,
    script: Option<JoinHandle<()>>,
}

/// Plays `script` to whoever connects.
pub(crate) fn play(script: impl FnOnce(&TcpListener) + Send + 'static) -> Stage {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let addr = listener.local_addr().expect("address");
    Stage {
        url: format!("ws://{addr}/path?query"),
        addr,
        script: Some(std::thread::spawn(move || script(&listener))),
    }
}

/// Answers the request of the first client with these bytes, and waits for it to leave.
pub(crate) fn say(answer: impl AsRef<[u8]> + Send + 'static) -> Stage {
    play(move |listener| {
        let mut peer = Peer::accept(listener);
        peer.send(answer.as_ref());
        peer.wait_for_the_end();
    })
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking()
            && let Some(script) = self.script.take()
        {
            script.join().expect("the script has played to its end");
        }
    }
}

impl Peer {
    /// Takes the next connection, and reads the request.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        Self::accept_up_to(listener, "\r\n\r\n")
    }

    /// Takes the next connection, and reads the request up to that text, and not a byte more.
    pub(crate) fn accept_up_to(listener: &TcpListener, end: &str) -> Self {
        let (stream, _) = listener.accept().expect("accept");
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(PATIENCE)).expect("set a timeout");
        }
        stream.set_nodelay(true).expect("set nodelay");
        let (request, rest) = (String::new(), Vec::new());
        let mut peer = Self {
            stream,
            request,
            rest,
        };
        let mut byte = [0];
        while !peer.request.ends_with(end) {
            peer.stream.read_exact(&mut byte).expect("a request");
            peer.request.push(char::from(byte[0]));
        }
        peer
    }

    /// Takes the next connection, and agrees to whatever it asks for.
    pub(crate) fn agree(listener: &TcpListener) -> Self {
        let mut peer = Self::accept(listener);
        let answer = peer.agreement("");
        peer.send(answer);
        peer
    }

    /// The value of a header of the request that comes once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.request.lines().skip(1);
        let mut found = lines.filter_map(|line| {
            let (known, value) = line.split_once(": ")?;
            (known == name).then_some(value)
        });
        let value = found.next();
        assert_eq!(found.next(), None, "more than one {name}");
        value
    }

    /// The right value of `Sec-WebSocket-Accept`.
    pub(crate) fn accept_key(&self) -> String {
        let key = self.header("Sec-WebSocket-Key").expect("a key");
        tungstenite::handshake::derive_accept_key(key.as_bytes())
    }

    /// The right answer, with more headers.
    pub(crate) fn agreement(&self, headers: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{headers}\r\n",
            self.accept_key()
        )
        .into_bytes()
    }

    /// Sends bytes to a client that may have left.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends bytes one at a time, each in a segment of its own, to a client that may have left.
    pub(crate) fn send_bytewise(&mut self, bytes: &[u8]) {
        let _ = bytes
            .iter()
            .try_for_each(|byte| self.stream.write_all(&[*byte]));
    }

    /// The next frame; `None` when the client has closed the connection.
    pub(crate) fn next(&mut self) -> Option<Masked> {
        let [first, second] = self.take(2)?.try_into().expect("two");
        assert_ne!(second & 0x80, 0, "a client always masks");
        let len = match second & 0x7F {
            126 => u16::from_be_bytes(self.take(2)?.try_into().expect("two")).into(),
            127 => u64::from_be_bytes(self.take(8)?.try_into().expect("eight")),
            len => u64::from(len),
        };
        let key: [u8; 4] = self.take(4)?.try_into().expect("four");
        let masked = self.take(usize::try_from(len).expect("a length"))?;
        let pairs = masked.iter().zip(key.iter().cycle());
        Some(Masked {
            first,
            key,
            payload: pairs.map(|(byte, key)| byte ^ key).collect(),
        })
    }

    /// The next frame, which is a whole text.
    pub(crate) fn text(&mut self) -> String {
        let frame = self.next().expect("a text");
        assert_eq!(frame.first, 0x81, "{frame:?}");
        String::from_utf8(frame.payload).expect("UTF-8")
    }

    /// The close frame that comes next: its code, 1005 if it has none.
    pub(crate) fn close_code(&mut self) -> u16 {
        let frame = self.next().expect("a close frame");
        assert_eq!(frame.first, 0x80 | CLOSE, "{frame:?}");
        match frame.payload.as_slice() {
            [] => 1005,
            [a, b, ..] => u16::from_be_bytes([*a, *b]),
            [_] => panic!("a close frame of one byte"),
        }
    }

    /// Closes with that code as a server does: waits for the answer, and leaves first.
    pub(crate) fn close(mut self, code: u16) {
        self.send(unmasked(0x88, &client::close_payload(code, "bye")));
        assert_eq!(self.close_code(), code);
    }

    /// Answers the client's close frame, which has that code, and leaves first.
    pub(crate) fn expect_close(mut self, code: u16) {
        assert_eq!(self.close_code(), code);
        self.send(unmasked(0x88, &code.to_be_bytes()));
    }

    /// Fails if the client leaves or says something in this time.
    pub(crate) fn expect_silence(&mut self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).expect("set");
        let kind = self.stream.read(&mut [0]).map_err(|e| e.kind());
        assert!(
            matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            "{kind:?}"
        );
        self.stream.set_read_timeout(Some(PATIENCE)).expect("set");
    }

    /// Sends FIN.
    pub(crate) fn finish(&mut self) {
        // The client may have left.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads whatever comes until the client leaves.
    pub(crate) fn wait_for_the_end(&mut self) {
        while self.take(1).is_some() {}
    }

    fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.rest.len() < n {
            let mut chunk = vec![0; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => self.rest.extend(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset) => return None,
                Err(e) => panic!("nothing came in {PATIENCE:?}: {e}"),
            }
        }
        Some(self.rest.drain(..n).collect())
    }
}

/// One frame of a server.
pub(crate) fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(len as u8),
        len @ 126..65_536 => {
            bytes.push(126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}
