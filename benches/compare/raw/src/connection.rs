//! One connection of the raw server: its stream, and what the kernel has not taken yet.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::mem;
use std::ops::Range;

use mio::net::TcpStream;

use crate::heart::PING;

/// A connection that has more than this to take is given up.
const BACKLOG: usize = 256 * 1024 * 1024;

/// What becomes of the bytes that a connection sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaks {
    /// Nothing yet: its request head is awaited.
    Opening,
    /// They go back to it.
    Echo,
    /// They go to all the others.
    Room,
}

/// 32 bytes, so that a thousand idle ones fit in a few pages.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// Its place among the members of the room.
    pub(crate) seat: u32,
    /// Where its own bytes stand in the room's log.
    own: (u32, u32),
    kept: Option<Box<Kept>>,
    pub(crate) speaks: Speaks,
    /// FIN or an error is announced: a short read is not the last one.
    pub(crate) ended: bool,
}

/// What the kernel refused: `bytes[from..]`.
struct Kept {
    bytes: Vec<u8>,
    from: usize,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            seat: 0,
            own: (0, 0),
            kept: None,
            speaks: Speaks::Opening,
            ended: false,
        }
    }

    /// Whether the kernel still owes it room: it is not read until then, so memory stays bounded.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.is_some()
    }

    /// Keeps a part of `input` without a copy: the buffer itself stays here, and `spare` gives another
    /// in its place.
    pub(crate) fn keep_back(
        &mut self,
        input: &mut Vec<u8>,
        part: Range<usize>,
        spare: &mut Vec<Vec<u8>>,
    ) {
        let size = input.len();
        let mut bytes = mem::replace(input, spare.pop().unwrap_or_else(|| vec![0; size]));
        bytes.truncate(part.end);
        let from = part.start;
        self.kept = Some(Box::new(Kept { bytes, from }));
    }

    /// Writes what was kept; an emptied buffer is given back whole to `spare`.
    pub(crate) fn flush(&mut self, spare: &mut Vec<Vec<u8>>, size: usize) -> io::Result<()> {
        let Some(kept) = &mut self.kept else {
            return Ok(());
        };
        kept.from += accepted(self.stream.write(&kept.bytes[kept.from..]))?;
        if kept.from == kept.bytes.len() {
            let mut bytes = mem::take(&mut kept.bytes);
            self.kept = None;
            // A member's backlog has a size of its own: it goes back to the allocator.
            if bytes.capacity() == size {
                bytes.resize(size, 0);
                spare.push(bytes);
            }
        }
        Ok(())
    }

    /// Sends a ping, unless it is full: then it is not idle either.
    pub(crate) fn ping(&mut self) -> io::Result<()> {
        if self.is_full() || self.speaks == Speaks::Opening {
            return Ok(());
        }
        match self.stream.write(&PING)? {
            n if n == PING.len() => Ok(()),
            _ => Err(ErrorKind::WriteZero.into()),
        }
    }

    /// Its own part of the room's log.
    pub(crate) fn own(&mut self) -> &mut (u32, u32) {
        &mut self.own
    }

    /// Sends what the others have said, `log` without its own part, in one system call.
    #[inline]
    pub(crate) fn relay(&mut self, log: &[u8]) -> io::Result<()> {
        let (before, after) = around(log, self.own.0 as usize..self.own.1 as usize);
        if before.is_empty() && after.is_empty() {
            return Ok(());
        }
        if self.kept.is_some() {
            return self.keep(before, after);
        }
        let written = accepted(if after.is_empty() {
            self.stream.write(before)
        } else if before.is_empty() {
            self.stream.write(after)
        } else {
            let pieces = [IoSlice::new(before), IoSlice::new(after)];
            self.stream.write_vectored(&pieces)
        })?;
        if written == before.len() + after.len() {
            return Ok(());
        }
        self.keep(
            &before[written.min(before.len())..],
            &after[written.saturating_sub(before.len())..],
        )
    }

    #[cold]
    fn keep(&mut self, before: &[u8], after: &[u8]) -> io::Result<()> {
        let kept = self.kept.get_or_insert_with(|| {
            Box::new(Kept {
                bytes: Vec::new(),
                from: 0,
            })
        });
        kept.bytes.extend_from_slice(before);
        kept.bytes.extend_from_slice(after);
        if kept.bytes.len() - kept.from > BACKLOG {
            return Err(io::Error::other("a member that does not read"));
        }
        Ok(())
    }
}

/// How much the kernel took: nothing at all is no error.
pub(crate) fn accepted(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(0)
        }
        other => other,
    }
}

/// The log before and behind somebody's own part of it.
fn around(log: &[u8], own: Range<usize>) -> (&[u8], &[u8]) {
    if own.is_empty() {
        return (log, &[]);
    }
    (&log[..own.start], &log[own.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes; mio adds 8 to each stream where debug assertions are on.
    #[test]
    fn a_connection_is_small() {
        assert!(mem::size_of::<Option<Connection>>() <= 40);
    }

    #[test]
    fn a_member_gets_the_log_without_its_own_part() {
        let log = b"abcdef";
        let cases: [(_, &[u8], &[u8]); 5] = [
            (0..0, b"abcdef", b""),
            (0..2, b"", b"cdef"),
            (2..4, b"ab", b"ef"),
            (4..6, b"abcd", b""),
            (0..6, b"", b""),
        ];
        for (own, before, after) in cases {
            assert_eq!(around(log, own.clone()), (before, after), "{own:?}");
        }
    }

    #[test]
    fn a_full_kernel_has_taken_nothing() {
        let full = io::Error::from(ErrorKind::WouldBlock);
        assert_eq!(accepted(Err(full)).expect("no error"), 0);
        let reset = io::Error::from(ErrorKind::ConnectionReset);
        assert!(accepted(Err(reset)).is_err());
    }
}
