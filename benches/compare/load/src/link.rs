//! One connection of the load generator: sends batches, counts their answers.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::time::Instant;

use mio::net::TcpStream;
use socket2::SockRef;

use crate::batch::Batch;
use crate::counter::Counter;
use crate::frame;

/// Answers of this size and more are not read: their headers are, and the rest is read away.
const LARGE: u64 = 4096;
/// What a read of a large answer takes in: its header, and little of what follows.
const FRONT: usize = 64;
/// `recv` throws the bytes of a TCP stream away and touches no buffer (tcp(7)).
const MSG_TRUNC: i32 = 0x20;

/// Where all connections receive.
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// Only ever named, never filled.
    nowhere: Vec<u8>,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; 64 * 1024],
            nowhere: Vec::with_capacity(1024 * 1024),
        }
    }

    fn nowhere(&mut self) -> &mut [MaybeUninit<u8>] {
        self.nowhere.spare_capacity_mut()
    }
}

pub(crate) struct Link {
    stream: TcpStream,
    batch: Rc<Batch>,
    /// How much of the batch is written.
    sent: usize,
    /// When the batch was begun.
    pub(crate) asked: Instant,
    /// How many answers have come in this round, and how many there are to be.
    pub(crate) answers: u64,
    pub(crate) due: u64,
    counter: Counter,
    /// The most bytes that one call moves, and one turn in either direction.
    stride: usize,
}

impl Link {
    pub(crate) fn new(stream: TcpStream, batch: &Rc<Batch>) -> Self {
        Self {
            stream,
            batch: Rc::clone(batch),
            sent: batch.bytes.len(),
            asked: Instant::now(),
            answers: 0,
            due: batch.depth,
            counter: Counter::default(),
            stride: usize::MAX,
        }
    }

    /// From now on moves no more than `stride` bytes at once, so that others are not delayed by the
    /// generator itself: [`Link::step`] it every turn.
    pub(crate) fn go_in_strides(&mut self, stride: usize) {
        self.stride = stride;
    }

    /// Sends the next batch, in one write if the kernel takes it: a new round.
    pub(crate) fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.asked = now;
        self.answers = 0;
        self.sent = 0;
        self.write()
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.sent < self.batch.bytes.len()
    }

    /// Whether all answers of the round are there.
    ///
    /// # Errors
    ///
    /// There are more.
    pub(crate) fn is_answered(&self) -> io::Result<bool> {
        if self.answers > self.due || (self.answers == self.due && self.is_asking()) {
            return Err(io::Error::other("more answers than messages"));
        }
        Ok(self.answers == self.due)
    }

    pub(crate) fn pings(&self) -> u64 {
        self.counter.pings
    }

    /// Writes what it can of the rest of the batch.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let rest = &self.batch.bytes[self.sent..];
        let rest = &rest[..rest.len().min(self.stride)];
        self.sent += taken(self.stream.write(rest))?;
        Ok(())
    }

    /// Reads until nothing is left or the round's answers are there; how many messages that completed.
    pub(crate) fn hear(&mut self, input: &mut Input) -> io::Result<u64> {
        let before = self.answers;
        loop {
            let skippable = self.counter.skippable();
            let (n, size) = if self.is_large() && skippable > 0 {
                self.skip(skippable, input)?
            } else {
                self.read(input)?
            };
            if n < size || self.answers == self.due || self.stride < usize::MAX {
                break;
            }
        }
        if !self.counter.pongs.is_empty() && !self.is_asking() {
            self.pong()?;
        }
        Ok(self.answers - before)
    }

    /// One step in both directions, for a connection that moves in strides.
    pub(crate) fn step(&mut self, input: &mut Input) -> io::Result<u64> {
        if self.is_asking() {
            self.write()?;
        }
        self.hear(input)
    }

    fn is_large(&self) -> bool {
        self.batch.answer.size >= LARGE
    }

    /// How many bytes came, and how many could have.
    fn read(&mut self, input: &mut Input) -> io::Result<(usize, usize)> {
        let size = match self.is_large() {
            true => FRONT,
            false => input.bytes.len(),
        };
        let bytes = &mut input.bytes[..size];
        let n = received(self.stream.read(bytes))?;
        self.answers += self.counter.feed(&bytes[..n], &self.batch.answer)?;
        Ok((n, size))
    }

    /// The same for bytes that nobody looks at.
    fn skip(&mut self, skippable: u64, input: &mut Input) -> io::Result<(usize, usize)> {
        let nowhere = input.nowhere();
        let size = nowhere.len().min(skippable as usize).min(self.stride);
        let socket = SockRef::from(&self.stream);
        let n = received(socket.recv_with_flags(&mut nowhere[..size], MSG_TRUNC))?;
        self.answers += self.counter.skipped(n as u64, &self.batch.answer)?;
        Ok((n, size))
    }

    fn pong(&mut self) -> io::Result<()> {
        let n = taken(self.stream.write(&self.counter.pongs))?;
        self.counter.pongs.drain(..n);
        match self.counter.pongs.is_empty() {
            true => Ok(()),
            false => Err(io::Error::other("a server that pings but does not read")),
        }
    }
}

/// Sends one message and compares what comes of it in full.
impl Link {
    /// Sends the first message of the batch from byte `from` on; how many bytes of it are sent.
    pub(crate) fn say(&mut self, from: usize) -> io::Result<usize> {
        match &self.batch.bytes[from..self.batch.frame] {
            [] => Ok(from),
            rest => Ok(from + taken(self.stream.write(rest))?),
        }
    }

    /// Whether the message that was said is there; `heard` gathers it.
    pub(crate) fn has_heard(&mut self, heard: &mut Vec<u8>, input: &mut Input) -> io::Result<bool> {
        let n = received(self.stream.read(&mut input.bytes))?;
        heard.extend_from_slice(&input.bytes[..n]);
        if n == 0 || (heard.len() as u64) < self.batch.answer.size {
            return Ok(false);
        }
        let Some((opcode, payload, used)) = frame::message(heard) else {
            return Ok(false);
        };
        if opcode != self.batch.answer.opcode || payload != self.batch.payload {
            return Err(io::Error::other(format!(
                "the answer to the first message differs from it: opcode {opcode}, {} bytes",
                payload.len()
            )));
        }
        match self.counter.feed(&heard[used..], &self.batch.answer)? {
            0 => Ok(true),
            _ => Err(io::Error::other("two answers to one message")),
        }
    }
}

/// How many bytes the kernel took.
fn taken(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(io::Error::new(error.kind(), format!("writing: {error}"))),
        other => other,
    }
}

/// How many bytes came. The end of the stream is an error: the server has no reason to end it.
fn received(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Ok(0) => Err(io::Error::other("the server ended a connection")),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(io::Error::new(error.kind(), format!("reading: {error}"))),
        other => other,
    }
}
