//! Who is in which room, and the message on its way through each: there is at most one, so that
//! everyone must hear every number, once, in order.

use std::time::{Duration, Instant};

use super::tally::{LOST, Tally};

#[derive(Clone, Debug, Default)]
struct Room {
    size: usize,
    /// How many are just coming: nothing is said until they are there.
    coming: usize,
    /// The number of the last message.
    last: u64,
    flying: Option<Flying>,
}

#[derive(Clone, Copy, Debug)]
struct Flying {
    since: Instant,
    /// How many members have not heard it.
    waiting: usize,
}

#[derive(Debug)]
pub(crate) struct Rooms(Vec<Room>);

/// A room's name, by its number.
pub(crate) fn name(room: usize) -> String {
    format!("r{room}")
}

impl Rooms {
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![Room::default(); count])
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The name and size of each room that somebody is in.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (String, usize)> {
        let sizes = self.0.iter().map(|room| room.size).enumerate();
        let sizes = sizes.filter(|&(_, size)| size > 0);
        sizes.map(|(room, size)| (name(room), size))
    }

    /// Whether somebody may come or go: no message is on its way.
    pub(crate) fn is_quiet(&self, room: usize) -> bool {
        self.0[room].flying.is_none()
    }

    pub(crate) fn size(&self, room: usize) -> usize {
        self.0[room].size
    }

    /// Somebody is coming.
    pub(crate) fn expect(&mut self, room: usize) {
        self.0[room].coming += 1;
    }

    /// Who was expected does not come.
    pub(crate) fn give_up(&mut self, room: usize) {
        self.0[room].coming -= 1;
    }

    /// Who was expected is there; gives the last message's number, which they need not hear.
    pub(crate) fn enter(&mut self, room: usize) -> u64 {
        self.give_up(room);
        self.0[room].size += 1;
        self.0[room].last
    }

    pub(crate) fn leave(&mut self, room: usize) {
        self.0[room].size -= 1;
    }

    /// Begins a message, if none is on its way and nobody is coming; gives its number.
    pub(crate) fn fly(&mut self, room: usize, now: Instant) -> Option<u64> {
        let room = &mut self.0[room];
        if room.flying.is_some() || room.coming > 0 {
            return None;
        }
        room.last += 1;
        room.flying = Some(Flying {
            since: now,
            waiting: room.size,
        });
        Some(room.last)
    }

    /// A member has heard that message; gives how long it took when they were the last.
    pub(crate) fn heard(&mut self, room: usize, number: u64, now: Instant) -> Option<Duration> {
        let room = &mut self.0[room];
        let flying = room.flying.as_mut().filter(|_| number == room.last)?;
        flying.waiting -= 1;
        let took = now - flying.since;
        if flying.waiting > 0 {
            return None;
        }
        room.flying = None;
        Some(took)
    }

    /// Gives up messages that have been on their way for too long.
    pub(crate) fn look_for_lost(&mut self, now: Instant, tally: &mut Tally) {
        for (number, room) in self.0.iter_mut().enumerate() {
            let Some(flying) = room.flying.filter(|flying| now - flying.since > LOST) else {
                continue;
            };
            room.flying = None;
            let (last, waiting, size) = (room.last, flying.waiting, room.size);
            tally.fail(format!(
                "lost: message {last} of room {} did not reach {waiting} of {size}",
                name(number)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room_of(members: usize) -> Rooms {
        let mut rooms = Rooms::new(1);
        for _ in 0..members {
            rooms.expect(0);
            rooms.enter(0);
        }
        rooms
    }

    #[test]
    fn a_message_flies_when_nobody_is_coming_and_until_all_have_heard_it() {
        let now = Instant::now();
        let mut rooms = room_of(2);
        rooms.expect(0);
        assert_eq!(rooms.fly(0, now), None);
        assert_eq!(rooms.enter(0), 0);
        assert_eq!(rooms.fly(0, now), Some(1));
        assert_eq!((rooms.fly(0, now), rooms.is_quiet(0)), (None, false));
        let heard = [(); 3].map(|()| rooms.heard(0, 1, now).is_some());
        assert_eq!((heard, rooms.is_quiet(0)), ([false, false, true], true));
        rooms.leave(0);
        assert_eq!(rooms.sizes().collect::<Vec<_>>(), [("r0".to_owned(), 2)]);
        assert_eq!(rooms.fly(0, now), Some(2));
    }

    #[test]
    fn a_message_that_somebody_does_not_hear_is_lost_and_said_to_be() {
        let now = Instant::now();
        let (mut rooms, mut tally) = (room_of(2), Tally::default());
        rooms.fly(0, now);
        rooms.heard(0, 1, now);
        rooms.look_for_lost(now + LOST, &mut tally);
        assert_eq!((tally.failures, rooms.is_quiet(0)), (0, false));
        rooms.look_for_lost(now + LOST + Duration::from_millis(1), &mut tally);
        assert_eq!((tally.failures, rooms.is_quiet(0)), (1, true));
    }
}
