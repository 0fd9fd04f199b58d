//! Many clients on one thread, who all say as much as they can and count what they hear.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::common::client::{BINARY, CLOSE, TEXT, close_payload, frame};
use super::common::{Client, PATIENCE};

/// Frames that a client sends at once.
const BATCH: usize = 16;
/// Answers that a client leaves out before it says more.
const AHEAD: u64 = 256;
/// Messages that a client has heard when it counts as busy.
const BUSY: u64 = 32;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    One = 1,
    All = 2,
}

/// A message of at least `len` bytes that says whom it is for, and which of those it is.
pub(super) fn numbered(whom: For, number: u64, len: usize) -> Vec<u8> {
    let mut message = vec![whom as u8];
    message.extend(number.to_be_bytes());
    message.resize(message.len().max(len), b'.');
    message
}

/// What a client has heard until its connection was closed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) number: usize,
    /// Messages for it alone.
    pub(super) own: u64,
    /// The numbers of the first message for everyone, and of the one behind the last.
    pub(super) common: Option<(u64, u64)>,
    /// The code of the close frame, if one came.
    pub(super) code: Option<u16>,
}

impl Heard {
    /// How many messages for everyone that is.
    pub(super) fn common(&self) -> u64 {
        self.common.map_or(0, |(first, end)| end - first)
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        assert_eq!(self.code, None, "nothing comes behind the close frame");
        if opcode == CLOSE {
            self.code = Some(u16::from_be_bytes([payload[0], payload[1]]));
            return;
        }
        assert_eq!(opcode, BINARY);
        let number = u64::from_be_bytes(payload[1..9].try_into().expect("a number"));
        if payload[0] == For::One as u8 {
            assert_eq!(number, self.own, "in order, and none is lost");
            self.own += 1;
        } else {
            let (first, end) = self.common.unwrap_or((number, number));
            assert_eq!(number, end, "in order, and none is lost");
            self.common = Some((first, end + 1));
        }
    }
}

/// One of them.
struct Talker {
    client: Client,
    heard: Heard,
    /// What is to be sent.
    out: Vec<u8>,
    /// Messages so far, those in `out` among them.
    sent: u64,
    has_ended: bool,
}

impl Talker {
    fn new(addr: SocketAddr, number: usize) -> Self {
        let client = Client::connect(addr, &format!("/?{number}"));
        client.stream.set_nonblocking(true).expect("it can be");
        Self {
            client,
            heard: Heard {
                number,
                ..Heard::default()
            },
            out: Vec::new(),
            sent: 0,
            has_ended: false,
        }
    }

    /// Says and hears what can be said and heard now. `true` if that was anything.
    fn go_on(&mut self, chunk: &mut [u8]) -> bool {
        let said = self.say();
        self.hear(chunk) || said
    }

    fn say(&mut self) -> bool {
        let is_ahead = self.sent > self.heard.own + AHEAD;
        if self.out.is_empty() && self.heard.code.is_none() && !is_ahead {
            self.sent += BATCH as u64;
            self.out = frame(true, 0, TEXT, &[b'x'; 32]).repeat(BATCH);
        }
        match self.client.stream.write(&self.out) {
            Ok(n) => {
                self.out.drain(..n);
                n > 0
            }
            // Whoever has gone is not asked to listen.
            Err(_) => false,
        }
    }

    fn hear(&mut self, chunk: &mut [u8]) -> bool {
        match self.client.stream.read(chunk) {
            Ok(0) => self.has_ended = true,
            Ok(n) => {
                self.client.rest.extend(&chunk[..n]);
                self.frames();
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
            Err(e) if e.kind() == ErrorKind::ConnectionReset => self.has_ended = true,
            Err(e) => panic!("{e}"),
        }
        true
    }

    /// Takes whole frames out of what has come.
    fn frames(&mut self) {
        let mut at = 0;
        let bytes = std::mem::take(&mut self.client.rest);
        while let Some(frame) = whole(&bytes[at..]) {
            let (header, end) = frame;
            self.heard
                .frame(bytes[at] & 0xF, &bytes[at + header..at + end]);
            at += end;
        }
        self.client.rest = bytes[at..].to_vec();
        if let Some(code) = self.heard.code.filter(|_| at > 0) {
            // Behind what is half sent.
            let close = frame(true, 0, CLOSE, &close_payload(code, ""));
            self.out.extend(close);
        }
    }
}

/// Where a whole frame has its payload, and where it ends.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let (header, len) = match *bytes.get(1)? {
        126 => (
            4,
            u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(),
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        ),
        len => (2, len.into()),
    };
    bytes.get(..header + len).map(|_| (header, header + len))
}

/// What the threads of a crowd share.
pub(super) struct Crowd {
    /// Nobody talks before all are connected.
    pub(super) start: Barrier,
    /// Clients that have heard much.
    pub(super) busy: AtomicUsize,
}

/// Connects clients with those numbers, who talk until they are closed, and tells what they have heard.
pub(super) fn talk(addr: SocketAddr, numbers: Range<usize>, crowd: &Crowd) -> Vec<Heard> {
    let mut talkers: Vec<_> = numbers.map(|number| Talker::new(addr, number)).collect();
    crowd.start.wait();
    let (mut last, mut chunk) = (Instant::now(), vec![0; 64 * 1024]);
    while talkers.iter().any(|talker| !talker.has_ended) {
        let mut any = false;
        for talker in talkers.iter_mut().filter(|talker| !talker.has_ended) {
            let before = talker.heard.own;
            any |= talker.go_on(&mut chunk);
            if before < BUSY && talker.heard.own >= BUSY {
                crowd.busy.fetch_add(1, SeqCst);
            }
        }
        if any {
            last = Instant::now();
        } else {
            assert!(
                last.elapsed() < PATIENCE,
                "nothing is said or heard any more"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    talkers.into_iter().map(|talker| talker.heard).collect()
}
