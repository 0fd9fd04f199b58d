//! What rooms cost against their number: joining them, a message to one of them, leaving them all.
//!
//! Measured over real sockets, as the CPU time that the server has used between two moments at which
//! it had nothing to do. The other side is `scale-server`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::process;
use crate::server::Server;
use crate::stats;

/// Joins in all, however many there are to a connection.
const JOINS: u64 = 100_000;
/// Messages to rooms, each to the next room.
const MESSAGES: u32 = 20_000;
/// Messages on the way at a time.
const BATCH: u32 = 50;

/// CPU nanoseconds of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// To open a connection that joins all rooms.
    pub(crate) join: f64,
    /// To relay one message to one room.
    pub(crate) relay: f64,
    /// To close a connection that is in all rooms.
    pub(crate) leave: f64,
}

/// Measures with so many rooms.
///
/// # Errors
///
/// A lost connection or a wrong answer.
pub(crate) fn measure(server: &Server, rooms: u64) -> Result<Costs, String> {
    let failed = |error: io::Error| format!("with {rooms} rooms: {error}");
    let mut clock = Clock {
        pid: server.pid(),
        control: Client::connect(&server.address, "/echo").map_err(failed)?,
    };
    // The one that stays: it keeps the rooms alive, and hears what is said in them.
    let mut member = Client::connect(&server.address, &path(rooms)).map_err(failed)?;
    let (join, leave) = come_and_go(server, rooms, &mut clock).map_err(failed)?;
    let mut sender = Client::connect(&server.address, &path(rooms)).map_err(failed)?;
    let start = clock.read().map_err(failed)?;
    relay(&mut sender, &mut member).map_err(failed)?;
    let spent = clock.read().map_err(failed)? - start;
    Ok(Costs {
        join,
        leave,
        relay: spent / f64::from(MESSAGES),
    })
}

fn path(rooms: u64) -> String {
    format!("/rooms/0/{rooms}")
}

/// The medians of opening and of closing a connection that is in all rooms.
fn come_and_go(server: &Server, rooms: u64, clock: &mut Clock) -> io::Result<(f64, f64)> {
    let times = (JOINS / rooms).clamp(3, 100);
    let (mut joins, mut leaves) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let start = clock.read()?;
        let client = Client::connect(&server.address, &path(rooms))?;
        let joined = clock.read()?;
        client.close()?;
        let left = clock.read()?;
        joins.push(joined - start);
        leaves.push(left - joined);
    }
    let of = |values: &[f64]| stats::median(values).expect("three values at least");
    Ok((of(&joins), of(&leaves)))
}

/// Sends every message through the server, in batches, and checks each that arrives.
fn relay(sender: &mut Client, member: &mut Client) -> io::Result<()> {
    for batch in 0..MESSAGES / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        sender.send(numbers.clone())?;
        for number in numbers {
            member.expect(number)?;
        }
    }
    Ok(())
}

/// The CPU time of the server, read when it has nothing to do.
struct Clock {
    pid: u32,
    control: Client,
}

impl Clock {
    fn read(&mut self) -> io::Result<f64> {
        // Whatever came before this message is done when its answer is there, but for the end of the turn.
        self.control.send(0..1)?;
        self.control.expect(0)?;
        sleep(Duration::from_millis(1));
        let time = process::cpu_ns(self.pid).map_err(io::Error::other)?;
        Ok(time as f64)
    }
}

/// A WebSocket client that knows messages of four bytes and the close frame.
struct Client {
    stream: TcpStream,
}

const KEY: [u8; 4] = [0x9c, 0x31, 0x5f, 0xe2];
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

impl Client {
    fn connect(address: &str, path: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )?;
        let head = read_head(&mut stream)?;
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other(format!(
                "refused: {}",
                String::from_utf8_lossy(&head)
            )));
        }
        Ok(Self { stream })
    }

    /// Sends each number as a message of its own, all in one write.
    fn send(&mut self, numbers: std::ops::Range<u32>) -> io::Result<()> {
        let frames: Vec<u8> = numbers
            .flat_map(|number| frame(BINARY, &number.to_be_bytes()))
            .collect();
        self.stream.write_all(&frames)
    }

    /// Waits for the next message, which has to be this number.
    fn expect(&mut self, number: u32) -> io::Result<()> {
        let mut frame = [0; 6];
        self.stream.read_exact(&mut frame)?;
        let [a, b, c, d] = number.to_be_bytes();
        if frame != [BINARY, 4, a, b, c, d] {
            return Err(io::Error::other(format!(
                "{frame:?} came instead of message {number}"
            )));
        }
        Ok(())
    }

    /// The closing handshake (RFC 6455 §7.1.2), to the end of the connection.
    fn close(mut self) -> io::Result<()> {
        self.stream
            .write_all(&frame(CLOSE, &1000u16.to_be_bytes()))?;
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        if rest.first() != Some(&CLOSE) {
            return Err(io::Error::other(format!(
                "{rest:?} came instead of a close frame"
            )));
        }
        Ok(())
    }
}

/// A short masked frame (RFC 6455 §5.2).
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head, 0x80 | payload.len() as u8];
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// Reads to the empty line and not a byte further.
fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_masked() {
        let frame = frame(BINARY, &[0, 0, 1, 2]);
        assert_eq!(
            frame,
            [0x82, 0x84, 0x9c, 0x31, 0x5f, 0xe2, 0x9c, 0x31, 0x5e, 0xe0]
        );
    }

    #[test]
    fn a_head_ends_at_the_empty_line() {
        let mut bytes: &[u8] = b"HTTP/1.1 101 x\r\na: b\r\n\r\n\x82\x00";
        let head = read_head(&mut bytes).expect("a head");
        assert!(head.ends_with(b"b\r\n\r\n") && bytes == b"\x82\x00");
        assert!(read_head(&mut &b"HTTP/1.1 101\r\n"[..]).is_err());
    }
}
