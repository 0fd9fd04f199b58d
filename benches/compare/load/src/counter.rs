//! Counts whole messages by the headers of their frames: nothing is unmasked or copied.

use std::io;

use crate::batch::Answer;
use crate::frame::{self, CONTINUATION, Header, LONGEST, PING, PONG};

/// Where a connection stands in what it receives.
#[derive(Default)]
pub(crate) struct Counter {
    /// A header that is not there in whole.
    head: [u8; LONGEST],
    head_length: usize,
    /// The frame whose payload is being received, and how much of it is to come.
    frame: Option<Header>,
    left: u64,
    /// Bytes that the message announced so far, from its first frame to its last.
    message: Option<u64>,
    /// Payload of a ping.
    ping: Vec<u8>,
    /// Answers to pings, ready to be sent.
    pub(crate) pongs: Vec<u8>,
    pub(crate) pings: u64,
}

impl Counter {
    /// How many bytes may be read away unseen: what is left of a message's frame.
    pub(crate) fn skippable(&self) -> u64 {
        match self.frame {
            Some(header) if header.opcode < frame::CLOSE => self.left,
            _ => 0,
        }
    }

    /// `n` of these were read away; how many messages that has completed.
    pub(crate) fn skipped(&mut self, n: u64, answer: &Answer) -> io::Result<u64> {
        self.left -= n;
        match self.left {
            0 => self.frame_is_over(answer),
            _ => Ok(0),
        }
    }

    /// How many messages `bytes` complete.
    ///
    /// # Errors
    ///
    /// Something came that is no right answer.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], answer: &Answer) -> io::Result<u64> {
        let mut messages = 0;
        while !bytes.is_empty() {
            if self.frame.is_some() {
                let (now, rest) = bytes.split_at(bytes.len().min(self.left as usize));
                messages += self.payload(now, answer)?;
                bytes = rest;
                continue;
            }
            if self.head_length == 0 && self.message.is_none() {
                while let Some(rest) = answer.cut(bytes) {
                    bytes = rest;
                    messages += 1;
                }
                if bytes.is_empty() {
                    break;
                }
            }
            bytes = self.header(bytes, answer)?;
            if self.frame.is_some() && self.left == 0 {
                messages += self.frame_is_over(answer)?;
            }
        }
        Ok(messages)
    }

    fn payload(&mut self, bytes: &[u8], answer: &Answer) -> io::Result<u64> {
        if self.skippable() == 0 {
            self.ping.extend_from_slice(bytes);
        }
        self.skipped(bytes.len() as u64, answer)
    }

    /// Takes what belongs to a header, and gives back the rest.
    fn header<'a>(&mut self, bytes: &'a [u8], answer: &Answer) -> io::Result<&'a [u8]> {
        let before = self.head_length;
        let n = bytes.len().min(LONGEST - before);
        self.head[before..before + n].copy_from_slice(&bytes[..n]);
        let Some(header) = frame::parse(&self.head[..before + n]) else {
            self.head_length += n;
            return Ok(&bytes[n..]);
        };
        self.check(header, answer)?;
        self.head_length = 0;
        self.left = header.length;
        self.frame = Some(header);
        Ok(&bytes[header.size - before..])
    }

    fn check(&mut self, header: Header, answer: &Answer) -> io::Result<()> {
        let fits = match header.opcode {
            PING | PONG => header.fin && header.length <= 125,
            opcode => {
                let first = self.message.is_none();
                let expected = if first { answer.opcode } else { CONTINUATION };
                let announced = self.message.unwrap_or(0).saturating_add(header.length);
                self.message = Some(announced);
                opcode == expected
                    && header.key.is_some() == answer.masked
                    && announced <= answer.size
                    && (announced == answer.size || !header.fin)
            }
        };
        if fits && header.reserved == 0 {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "a wrong answer: {header:?} where opcode {} and {} bytes are due",
            answer.opcode, answer.size
        )))
    }

    fn frame_is_over(&mut self, answer: &Answer) -> io::Result<u64> {
        let Some(header) = self.frame.take() else {
            return Err(io::Error::other("an answer without a header"));
        };
        match header.opcode {
            PING => {
                let mut payload = std::mem::take(&mut self.ping);
                frame::mask(&mut payload, header.key.unwrap_or_default());
                self.pongs.extend(frame::masked(PONG, &payload));
                self.pings += 1;
            }
            PONG => self.ping.clear(),
            _ if header.fin => {
                debug_assert_eq!(self.message, Some(answer.size));
                self.message = None;
                return Ok(1);
            }
            _ => {}
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{BINARY, KEY, TEXT, header};

    fn frame(opcode: u8, length: usize, key: Option<[u8; 4]>) -> Vec<u8> {
        let mut frame = header(opcode, length, key);
        frame.resize(frame.len() + length, 0);
        frame
    }

    #[test]
    fn any_cut_gives_the_same_count() {
        for (size, key) in [
            (0, None),
            (5, None),
            (20, None),
            (20, Some(KEY)),
            (300, None),
        ] {
            let answer = Answer::new(BINARY, size, key.is_some());
            let mut bytes = frame(BINARY, size, key).repeat(3);
            bytes.extend(b"\x89\x02hi");
            bytes.extend(frame(BINARY, size, key));
            for cut in 0..=bytes.len() {
                let mut counter = Counter::default();
                let count = counter.feed(&bytes[..cut], &answer).expect("right")
                    + counter.feed(&bytes[cut..], &answer).expect("right");
                assert_eq!((count, counter.pings), (4, 1), "{size} cut at {cut}");
                assert_eq!(counter.pongs, frame::masked(PONG, b"hi"));
            }
        }
    }

    #[test]
    fn fragments_are_one_message() {
        let answer = Answer::new(TEXT, 5, false);
        let bytes = b"\x01\x03Hel\x89\x00\x00\x00\x80\x02lo\x81\x05Hello";
        for cut in 0..=bytes.len() {
            let mut counter = Counter::default();
            let count = counter.feed(&bytes[..cut], &answer).expect("right")
                + counter.feed(&bytes[cut..], &answer).expect("right");
            assert_eq!(count, 2, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_read_away_counts() {
        let answer = Answer::new(BINARY, 1000, false);
        let bytes = frame(BINARY, 1000, None);
        let mut counter = Counter::default();
        assert_eq!(counter.feed(&bytes[..64], &answer).expect("right"), 0);
        assert_eq!(counter.skippable(), 940);
        assert_eq!(counter.skipped(900, &answer).expect("right"), 0);
        assert_eq!(counter.skipped(40, &answer).expect("right"), 1);
        assert_eq!(counter.skippable(), 0);
    }

    #[test]
    fn wrong_answers_are_errors() {
        let cases: [(&str, Vec<u8>); 8] = [
            ("text for binary", frame(TEXT, 20, None)),
            ("shorter", frame(BINARY, 19, None)),
            ("longer", frame(BINARY, 21, None)),
            ("masked", frame(BINARY, 20, Some(KEY))),
            ("a close", frame(frame::CLOSE, 2, None)),
            ("compressed", b"\xC2\x14".to_vec()),
            ("a continuation of nothing", b"\x80\x14".to_vec()),
            ("too short in fragments", b"\x02\x01.\x80\x12".to_vec()),
        ];
        let answer = Answer::new(BINARY, 20, false);
        for (name, bytes) in cases {
            let mut counter = Counter::default();
            assert!(counter.feed(&bytes, &answer).is_err(), "{name}");
        }
    }
}
