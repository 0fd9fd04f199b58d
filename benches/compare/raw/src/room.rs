//! The one room: who is in it, and what was said in this turn.

use crate::connection::Connection;

/// Room for what is said in a turn, and the least that a read must find free.
const LOG: usize = 256 * 1024;
const READ: usize = 64 * 1024;

/// Members' bytes are received straight into the log, and at the end of the turn everyone gets all
/// of it but their own part: one `send` for each member, however many spoke.
pub(crate) struct Room {
    /// Places of the members, packed.
    members: Vec<u32>,
    /// Who has said something since the log was empty.
    speakers: Vec<u32>,
    log: Box<[u8]>,
    end: usize,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            members: Vec::new(),
            speakers: Vec::new(),
            log: vec![0; LOG].into_boxed_slice(),
            end: 0,
        }
    }

    /// The free part of the log. [`Room::deliver`] first when [`Room::is_full`] or when the reader
    /// has its own part already.
    pub(crate) fn free(&mut self) -> &mut [u8] {
        &mut self.log[self.end..]
    }

    pub(crate) fn is_full(&self) -> bool {
        self.log.len() - self.end < READ
    }

    /// The next `n` bytes of the log were said by the connection at `place`.
    pub(crate) fn said(&mut self, place: usize, connection: &mut Connection, n: usize) {
        *connection.own() = (self.end as u32, (self.end + n) as u32);
        self.speakers.push(place as u32);
        self.end += n;
    }

    /// Takes in a connection, which hears what is said from now on: deliver first.
    pub(crate) fn join(&mut self, place: usize, connection: &mut Connection) {
        connection.seat = self.members.len() as u32;
        self.members.push(place as u32);
    }

    /// Lets a connection go; `connections` are all others.
    pub(crate) fn leave(&mut self, seat: u32, connections: &mut [Option<Connection>]) {
        self.members.swap_remove(seat as usize);
        if let Some(&moved) = self.members.get(seat as usize) {
            let moved = connections[moved as usize].as_mut();
            moved.expect("members are there").seat = seat;
        }
    }

    /// Sends the log to all members and empties it. Who is lost comes into `lost`.
    pub(crate) fn deliver(
        &mut self,
        connections: &mut [Option<Connection>],
        lost: &mut Vec<usize>,
    ) {
        if self.end == 0 {
            return;
        }
        let log = &self.log[..self.end];
        for &place in &self.members {
            let Some(member) = &mut connections[place as usize] else {
                continue;
            };
            if member.relay(log).is_err() {
                lost.push(place as usize);
            }
        }
        for place in self.speakers.drain(..) {
            if let Some(speaker) = &mut connections[place as usize] {
                *speaker.own() = (0, 0);
            }
        }
        self.end = 0;
    }
}
