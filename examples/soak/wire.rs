//! A connection's bytes: a stream that does not block, what has come of a frame, and what is to be sent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::TcpStream;

/// More is not kept for the next message.
const KEPT: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// The rest of a frame that is cut, and what follows it.
    held: Option<Vec<u8>>,
    is_connected: bool,
    /// What comes is left to the system's buffers.
    pub(crate) is_asleep: bool,
}

impl Wire {
    /// # Errors
    ///
    /// The system has no descriptor or no port left.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            held: None,
            is_connected: false,
            is_asleep: false,
        })
    }

    /// Whether the connection is made, now that it is writable.
    ///
    /// # Errors
    ///
    /// It could not be made.
    pub(crate) fn is_connected(&mut self) -> io::Result<bool> {
        if !self.is_connected {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            self.is_connected = self.stream.peer_addr().is_ok();
        }
        Ok(self.is_connected)
    }

    /// Where frames are to be appended.
    pub(crate) fn queue(&mut self) -> &mut Vec<u8> {
        self.held.as_mut().unwrap_or(&mut self.output)
    }

    /// Queues one half of a frame, and holds the other until it is [released](Self::release).
    pub(crate) fn hold(&mut self, mut frame: Vec<u8>) {
        let rest = frame.split_off(frame.len() / 2);
        self.queue().append(&mut frame);
        self.held = Some(rest);
    }

    pub(crate) fn release(&mut self) {
        let mut rest = self.held.take().unwrap_or_default();
        self.output.append(&mut rest);
    }

    /// Writes as much of the queue as the system takes.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.is_connected && self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.written == self.output.len() {
            self.written = 0;
            self.output.clear();
            self.output.shrink_to(KEPT);
        }
        Ok(())
    }

    /// Reads what is there. `None`: nothing now; `Some(0)`: the server has finished sending.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.stream.read(scratch) {
                Ok(count) => {
                    self.input.extend_from_slice(&scratch[..count]);
                    return Ok(Some(count));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether something has come that was not read.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) fn has_more(&self) -> io::Result<bool> {
        match self.stream.peek(&mut [0]) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes what has come, to be [given back](Self::keep) from where it was not understood.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input)
    }

    pub(crate) fn keep(&mut self, mut input: Vec<u8>, used: usize) {
        input.drain(..used);
        if input.is_empty() {
            input.shrink_to(0);
        }
        self.input = input;
    }

    /// Finishes sending. Should it be too late, reading shows it.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
