//! Held against others: the same bytes, whole and maimed, go to this library and to an independent one.
//! Where the two differ there is a reason, and it is written down here.
//!
//! `ROUNDS=1000000 cargo test --release --test differential` tries more of them; each run tries the same.

#[path = "../simulation/dice.rs"]
mod dice;
mod frames;
mod handshakes;
mod heads;
mod maimed;
mod request;
mod stream;

use std::io::{self, Read, Write};

/// How many inputs each test makes up.
fn rounds() -> usize {
    let asked = std::env::var("ROUNDS").ok();
    asked.map_or(20_000, |rounds| rounds.parse().expect("a number"))
}

/// A connection on which all has come, and which keeps what is written.
struct Arrived<'a> {
    bytes: &'a [u8],
    answer: Vec<u8>,
}

impl<'a> Arrived<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let answer = Vec::new();
        Self { bytes, answer }
    }
}

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Arrived<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
