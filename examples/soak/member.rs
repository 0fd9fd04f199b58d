//! A member: in one room at a time, hears all that is said there, speaks, moves and leaves.

use std::time::Instant;

use super::frames;
use super::rooms;
use super::tally::LOST;
use super::wire::Wire;
use super::world::World;

const SHORT: usize = 16 * 1024;
const LONGEST: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) room: usize,
    /// The last message of the room that was heard.
    heard: u64,
    echo: Option<Echo>,
    moving: Option<usize>,
    pub(crate) leaving: Option<Leaving>,
}

/// What is to come back.
#[derive(Debug)]
struct Echo {
    sent: Vec<u8>,
    since: Instant,
    /// Whether it is sent at once and is short: what is long takes as long as its bytes do.
    is_timed: bool,
}

/// How a member leaves, and what the server must take it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// A close frame, and all that belongs to it.
    Closes,
    /// It asks the server to close.
    IsClosed,
    /// It finishes sending without a word.
    Finishes,
    /// It is gone with something unread, which resets the connection.
    Resets,
}

impl Leaving {
    pub(crate) const ALL: [Self; 4] = [Self::Closes, Self::IsClosed, Self::Finishes, Self::Resets];

    fn code(self) -> u16 {
        match self {
            Self::Closes | Self::IsClosed => 1000,
            Self::Finishes | Self::Resets => 1006,
        }
    }
}

/// How a message is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Saying {
    /// At most 200 bytes of text.
    Short,
    /// Up to the longest that is allowed.
    Long,
    /// In three fragments with a ping between them.
    Fragmented,
    /// Half of it now, half of it later.
    Cut,
}

impl Member {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            room,
            heard: 0,
            echo: None,
            moving: None,
            leaving: None,
        }
    }

    pub(crate) fn opened(&mut self, world: &mut World) {
        self.heard = world.rooms.enter(self.room);
        world.opening -= 1;
        world.members += 1;
    }

    /// Whether nothing is under way: it may do something that is to be seen apart.
    pub(crate) fn is_idle(&self) -> bool {
        self.echo.is_none() && self.moving.is_none() && self.leaving.is_none()
    }

    /// Sends what is to come back.
    pub(crate) fn say(&mut self, wire: &mut Wire, world: &mut World, saying: Saying) {
        let length = match saying {
            Saying::Short => 10 + world.dice.below(190),
            Saying::Long => SHORT + world.dice.below(LONGEST - SHORT + 1),
            Saying::Fragmented | Saying::Cut => 10 + world.dice.below(SHORT - 10),
        };
        let letter = b'a' + world.dice.below(26) as u8;
        let mut sent = format!("e{} ", world.tally.said).into_bytes();
        sent.resize(length.max(sent.len()), letter);
        match saying {
            Saying::Short => world.say(wire, frames::TEXT, &sent),
            Saying::Long => world.say(wire, frames::BINARY, &sent),
            Saying::Fragmented => world.say_in_parts(wire, &sent),
            Saying::Cut => world.say_half(wire, &sent),
        }
        self.echo = Some(Echo {
            sent,
            since: world.now,
            is_timed: matches!(saying, Saying::Short | Saying::Fragmented),
        });
    }

    /// Says something to its room, if that is quiet.
    pub(crate) fn tell(&self, wire: &mut Wire, world: &mut World) {
        if let Some(number) = world.rooms.fly(self.room, world.now) {
            let length = 10 + world.dice.below(500);
            let text = format!("r{number} {:length$}", "");
            world.say(wire, frames::TEXT, text.as_bytes());
        }
    }

    /// Begins to move to another room; both must be quiet.
    pub(crate) fn start_to_move(&mut self, wire: &mut Wire, world: &mut World, room: usize) {
        world.rooms.expect(self.room);
        world.rooms.expect(room);
        world.moving += 1;
        self.moving = Some(room);
        let text = format!("m{}", rooms::name(room));
        world.say(wire, frames::TEXT, text.as_bytes());
    }

    /// Begins to leave; the room must be quiet.
    pub(crate) fn leave(&mut self, wire: &mut Wire, world: &mut World, how: Leaving) {
        world.rooms.leave(self.room);
        world.members -= 1;
        world.leaving += 1;
        world.tally.close(how.code());
        self.leaving = Some(how);
        match how {
            Leaving::Closes => world.close(wire, 1000),
            Leaving::IsClosed => world.say(wire, frames::TEXT, b"c"),
            Leaving::Finishes => wire.finish(),
            Leaving::Resets => world.say(wire, frames::TEXT, b"e and gone"),
        }
    }

    /// # Errors
    ///
    /// It is not what it should be.
    pub(crate) fn hear(&mut self, payload: &[u8], world: &mut World) -> Result<(), String> {
        match payload {
            [b'r', ..] => self.hear_room(payload, world),
            [b'm', ..] => self.hear_move(payload, world),
            _ => self.hear_echo(payload, world),
        }
    }

    fn hear_room(&mut self, payload: &[u8], world: &mut World) -> Result<(), String> {
        if self.leaving.is_some() {
            return Ok(());
        }
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let number = text[1..]
            .split(' ')
            .next()
            .and_then(|word| word.parse().ok());
        if number != Some(self.heard + 1) {
            let (room, heard) = (rooms::name(self.room), self.heard);
            return Err(format!("{room}: message {number:?} came after {heard}"));
        }
        self.heard += 1;
        world.tally.deliveries += 1;
        let took = world.rooms.heard(self.room, self.heard, world.now);
        took.into_iter()
            .for_each(|took| world.latency.room.add(took));
        Ok(())
    }

    fn hear_move(&mut self, payload: &[u8], world: &mut World) -> Result<(), String> {
        let name = self.moving.map(|room| format!("m{}", rooms::name(room)));
        let Some(room) = self
            .moving
            .take()
            .filter(|_| name.as_deref().map(str::as_bytes) == Some(payload))
        else {
            return Err(format!("moved, but wanted is {name:?}: {}", quote(payload)));
        };
        world.rooms.give_up(self.room);
        world.rooms.leave(self.room);
        self.heard = world.rooms.enter(room);
        self.room = room;
        world.moving -= 1;
        world.tally.moved += 1;
        Ok(())
    }

    fn hear_echo(&mut self, payload: &[u8], world: &mut World) -> Result<(), String> {
        let Some(echo) = self.echo.take().filter(|echo| echo.sent == payload) else {
            return Err(format!(
                "an echo of nothing that was said: {}",
                quote(payload)
            ));
        };
        world.tally.echoes += 1;
        if echo.is_timed {
            world.latency.echo.add(world.now - echo.since);
        }
        Ok(())
    }

    /// The server has closed, or answered our close.
    ///
    /// # Errors
    ///
    /// It should not have.
    pub(crate) fn closed(
        &mut self,
        code: u16,
        wire: &mut Wire,
        world: &mut World,
    ) -> Result<(), String> {
        match self.leaving {
            Some(Leaving::Closes) if code == 1000 => Ok(()),
            Some(Leaving::IsClosed) if code == 1000 => {
                world.close(wire, 1000);
                Ok(())
            }
            how => Err(format!("closed with {code}, though it is leaving: {how:?}")),
        }
    }

    /// The connection is over; it is not if the server is to end a connection that it has not.
    ///
    /// # Errors
    ///
    /// It should not be.
    pub(crate) fn ended(&mut self, was_open: bool, world: &mut World) -> Result<(), String> {
        if !was_open {
            world.opening -= 1;
            world.rooms.give_up(self.room);
            return Err("ended before it was open".to_owned());
        }
        if self.leaving.is_some() {
            world.leaving -= 1;
            world.tally.left += 1;
            return Ok(());
        }
        world.members -= 1;
        world.rooms.leave(self.room);
        if let Some(room) = self.moving {
            world.moving -= 1;
            world.rooms.give_up(self.room);
            world.rooms.give_up(room);
        }
        Err(format!("{}: ended", rooms::name(self.room)))
    }

    /// Whether what it waits for never comes.
    pub(crate) fn is_lost(&self, now: Instant) -> bool {
        let echo = self.echo.as_ref();
        echo.is_some_and(|echo| now - echo.since > LOST)
    }
}

/// The beginning of what came.
pub(crate) fn quote(payload: &[u8]) -> String {
    let start = payload.get(..40).unwrap_or(payload);
    let text = String::from_utf8_lossy(start);
    format!("{text:?} of {} bytes", payload.len())
}
