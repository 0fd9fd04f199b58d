//! What all peers share: what they know together, the time of this turn, and how messages are written.

use std::time::{Duration, Instant};

use super::frames;
use super::rooms::Rooms;
use super::tally::{Latency, Tally};
use super::wire::Wire;

pub(crate) struct World {
    pub(crate) tally: Tally,
    /// Since the last line of progress.
    pub(crate) latency: Latency,
    pub(crate) rooms: Rooms,
    pub(crate) dice: Dice,
    pub(crate) now: Instant,
    pub(crate) scratch: Vec<u8>,
    /// Members that are there, and those that are just coming, leaving, and moving.
    pub(crate) members: usize,
    pub(crate) opening: usize,
    pub(crate) leaving: usize,
    pub(crate) moving: usize,
    /// The longest that a turn of the clients took, since the last line of progress.
    pub(crate) lag: Duration,
    /// What the server says of itself, as it came.
    pub(crate) answer: Option<Vec<u8>>,
}

impl World {
    pub(crate) fn new(rooms: usize) -> Self {
        Self {
            tally: Tally::default(),
            latency: Latency::default(),
            rooms: Rooms::new(rooms),
            dice: Dice(0x9E37_79B9_7F4A_7C15),
            now: Instant::now(),
            scratch: vec![0; 64 * 1024],
            members: 0,
            opening: 0,
            leaving: 0,
            moving: 0,
            lag: Duration::ZERO,
            answer: None,
        }
    }

    pub(crate) fn say(&mut self, wire: &mut Wire, first: u8, payload: &[u8]) {
        self.count(payload);
        frames::write(wire.queue(), first, payload, self.dice.mask());
    }

    /// A text message in three fragments, with a ping between them (RFC 6455 §5.4).
    pub(crate) fn say_in_parts(&mut self, wire: &mut Wire, payload: &[u8]) {
        self.count(payload);
        let (start, rest) = payload.split_at(payload.len() / 3);
        let (middle, end) = rest.split_at(rest.len() / 2);
        let parts = [
            (frames::FIRST, start),
            (frames::PING, b"?"),
            (frames::MORE, middle),
            (frames::LAST, end),
        ];
        for (first, part) in parts {
            frames::write(wire.queue(), first, part, self.dice.mask());
        }
    }

    /// A text message of which the second half follows later.
    pub(crate) fn say_half(&mut self, wire: &mut Wire, payload: &[u8]) {
        self.count(payload);
        let mut frame = Vec::new();
        frames::write(&mut frame, frames::TEXT, payload, self.dice.mask());
        wire.hold(frame);
    }

    pub(crate) fn close(&mut self, wire: &mut Wire, code: u16) {
        let mask = self.dice.mask();
        frames::write(wire.queue(), frames::CLOSE, &code.to_be_bytes(), mask);
    }

    fn count(&mut self, payload: &[u8]) {
        self.tally.said += 1;
        self.tally.said_bytes += payload.len() as u64;
    }
}

/// Numbers that look random, the same ones in every run (xorshift).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of `0..limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 11) % limit.max(1) as u64) as usize
    }

    pub(crate) fn mask(&mut self) -> [u8; 4] {
        (self.next() as u32).to_ne_bytes()
    }
}
