//! Connections in memory, in a table of this thread, as descriptors are in one of the process.
//!
//! An [`End`] is four bytes, as a descriptor is, so that a connection costs a server in a test what
//! it costs any other. What happens to one side is told to the [network](super::Network) of the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use super::Notes;
use crate::net::poller::Edge;
use crate::net::slab::Slab;

/// One side of a wire, as an index.
pub(super) type Side = usize;
pub(super) const SERVER: Side = 0;
pub(super) const CLIENT: Side = 1;

thread_local! {
    static WIRES: RefCell<Slab<Wire>> = RefCell::default();
}

/// One end of a connection in memory. Dropping it closes that side.
#[derive(Debug)]
pub(crate) struct End {
    /// The wire's place in the table, and in the lowest bit the side.
    descriptor: u32,
}

#[derive(Debug)]
struct Wire {
    ends: [State; 2],
    /// The most bytes that wait in each direction.
    window: usize,
    network: Notes,
    /// Its own place in the table.
    index: u32,
}

/// One side of a wire, and what is on its way to it.
#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// FIN is behind the bytes.
    finished: bool,
    /// RST is behind the bytes.
    reset: bool,
    /// Nobody is there any more.
    closed: bool,
    /// The cable is cut: it hears nothing, and nothing is heard of it.
    vanished: bool,
    /// This side was refused when it wrote, and is to be told when it may again.
    refused: bool,
    /// It is to be told of changes, under this token.
    token: Option<usize>,
    /// It is among those to be told.
    noted: bool,
}

/// A new connection: the server's end, and the client's.
pub(super) fn open(network: Notes, window: usize) -> io::Result<(End, End)> {
    let client = State {
        token: Some(0),
        ..State::default()
    };
    let wire = Wire {
        ends: [State::default(), client],
        window: window.max(1),
        network,
        index: 0,
    };
    let key = WIRES.with_borrow_mut(|wires| wires.insert(wire));
    let index = key.ok_or(ErrorKind::OutOfMemory)?.index;
    with(index, |wire| wire.index = index);
    let descriptor = index.checked_mul(2).ok_or(ErrorKind::OutOfMemory)?;
    let end = |side| End {
        descriptor: descriptor | side,
    };
    Ok((end(0), end(1)))
}

/// What is to be told of a wire to the server, which is told by that.
pub(super) fn edge(wire: u32) -> Option<Edge> {
    with(wire, |wire| {
        let free = wire.room(SERVER) > 0;
        let state = wire.end(SERVER);
        state.noted = false;
        let ends = state.finished || state.reset;
        Some(Edge {
            token: state.token?,
            readable: !state.bytes.is_empty() || ends,
            writable: free || state.reset,
            ends,
            reset: state.reset,
        })
    })?
}

/// A side is told of what has changed.
pub(super) fn is_told(wire: u32, side: Side) {
    with(wire, |wire| wire.end(side).noted = false);
}

fn with<R>(index: u32, then: impl FnOnce(&mut Wire) -> R) -> Option<R> {
    in_table(|wires| wires.at(index).map(|(_, wire)| then(wire))).flatten()
}

/// When the thread ends, its table may be gone before the last end is.
fn in_table<R>(then: impl FnOnce(&mut Slab<Wire>) -> R) -> Option<R> {
    let run = |wires: &RefCell<Slab<Wire>>| then(&mut wires.borrow_mut());
    WIRES.try_with(run).ok()
}

impl End {
    /// The wire that this is an end of.
    pub(crate) fn wire(&self) -> u32 {
        self.descriptor / 2
    }

    fn side(&self) -> Side {
        (self.descriptor % 2) as Side
    }

    fn with<R>(&self, then: impl FnOnce(&mut Wire, Side) -> R) -> io::Result<R> {
        let found = with(self.wire(), |wire| then(wire, self.side()));
        found.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.with(|wire, side| wire.read(side, into))?
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|wire, side| wire.write(side, bytes))?
    }

    pub(crate) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut written = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match self.write(slice) {
                Ok(n) if n < slice.len() => return Ok(written + n),
                Ok(n) => written += n,
                Err(_) if written > 0 => return Ok(written),
                Err(e) => return Err(e),
            }
        }
        Ok(written)
    }

    /// Sends FIN; what the peer sends can still be read.
    pub(crate) fn finish(&self) -> io::Result<()> {
        self.with(Wire::finish)
    }

    /// Is told of changes from now on, and of how things are.
    pub(crate) fn register(&self, token: usize) -> io::Result<()> {
        self.with(|wire, side| {
            wire.end(side).token = Some(token);
            wire.note(side);
        })
    }

    /// Sends RST: what is under way to this side is thrown away.
    pub(crate) fn reset(&self) {
        let _ = self.with(Wire::reset);
    }

    /// Cuts the cable: nobody hears of this side any more, and it is not heard of either.
    pub(crate) fn vanish(&self) {
        let _ = self.with(|wire, side| wire.end(side).vanished = true);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.with(Wire::close).unwrap_or(false) {
            let index = self.wire();
            let gone = in_table(|wires| {
                let key = wires.at(index).map(|(key, _)| key);
                key.and_then(|key| wires.remove(key))
            });
            drop(gone);
        }
    }
}

impl Wire {
    fn end(&mut self, side: Side) -> &mut State {
        let [server, client] = &mut self.ends;
        if side == SERVER { server } else { client }
    }

    /// How many bytes that side may write.
    fn room(&mut self, side: Side) -> usize {
        let waiting = self.end(other(side)).bytes.len();
        self.window.saturating_sub(waiting)
    }

    /// Sees to it that a side is told of what has changed, once.
    fn note(&mut self, side: Side) {
        let index = self.index;
        let state = self.end(side);
        if state.token.is_some()
            && !std::mem::replace(&mut state.noted, true)
            && let Some(network) = self.network.upgrade()
        {
            network.note(side, index);
        }
    }

    fn read(&mut self, side: Side, into: &mut [u8]) -> io::Result<usize> {
        let state = self.end(side);
        if state.bytes.is_empty() && !into.is_empty() {
            return match state {
                State { reset: true, .. } => Err(ErrorKind::ConnectionReset.into()),
                State { finished: true, .. } => Ok(0),
                _ => Err(ErrorKind::WouldBlock.into()),
            };
        }
        let most = into.len().min(state.bytes.len());
        let n = self.take_some(side, most);
        if n == 0 && most > 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let into = into.get_mut(..n).unwrap_or_default();
        io::Read::read_exact(&mut self.end(side).bytes, into)?;
        self.make_room(side);
        Ok(n)
    }

    /// How many of `len` bytes go at once. If not all do, that side is told at once that it may go on.
    fn take_some(&mut self, side: Side, len: usize) -> usize {
        let network = self.network.upgrade();
        let some = network.map_or(len, |network| network.take_some(len));
        if some < len {
            self.note(side);
        }
        some
    }

    /// Tells the writer that it may go on, as a kernel does when a third of the buffer is free.
    fn make_room(&mut self, reader: Side) {
        let writer = other(reader);
        if self.room(writer) >= self.window.div_ceil(3)
            && std::mem::take(&mut self.end(writer).refused)
        {
            self.note(writer);
        }
    }

    fn write(&mut self, side: Side, bytes: &[u8]) -> io::Result<usize> {
        if self.end(side).reset || self.end(other(side)).finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if self.end(other(side)).closed && !self.end(other(side)).vanished {
            // The answer to bytes for nobody.
            self.end(side).reset = true;
            self.note(side);
            return Ok(bytes.len());
        }
        let free = bytes.len().min(self.room(side));
        self.end(side).refused |= free < bytes.len();
        let n = self.take_some(side, free);
        if n == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.end(other(side)).bytes.extend(bytes.iter().take(n));
        self.note(other(side));
        Ok(n)
    }

    fn finish(&mut self, side: Side) {
        self.end(other(side)).finished = true;
        self.note(other(side));
    }

    fn reset(&mut self, side: Side) {
        self.end(side).bytes.clear();
        self.end(side).reset = true;
        self.end(other(side)).reset = true;
        self.note(other(side));
    }

    /// One side is gone. `true` if both are.
    fn close(&mut self, side: Side) -> bool {
        self.end(side).closed = true;
        if !self.end(side).vanished {
            match self.end(side).bytes.is_empty() {
                true => self.finish(side),
                false => self.reset(side),
            }
        }
        self.end(other(side)).closed
    }
}

fn other(side: Side) -> Side {
    1 - side
}

#[cfg(test)]
mod tests;
