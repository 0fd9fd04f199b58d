//! Peers that do not read: some only for a while, and miss nothing; others until the server ends it.

use super::member::quote;
use super::server::{LARGE, PADDING};
use super::wire::Wire;
use super::world::World;

static DOTS: [u8; PADDING] = [b'.'; PADDING];
static XS: [u8; LARGE] = [b'x'; LARGE];

/// Is sent as much as the server may send, sleeps, and then hears all of it.
#[derive(Debug, Default)]
pub(crate) struct Sleeper {
    pub(crate) heard: usize,
    is_done: bool,
}

impl Sleeper {
    /// # Errors
    ///
    /// It is not the next message.
    pub(crate) fn hear(
        &mut self,
        payload: &[u8],
        wire: &mut Wire,
        world: &mut World,
    ) -> Result<(), String> {
        if payload == format!("end {} 0", self.heard).as_bytes() {
            self.is_done = true;
            world.tally.close(1000);
            world.close(wire, 1000);
            return Ok(());
        }
        self.heard += 1;
        let number = format!("{:08}", self.heard);
        match payload.strip_prefix(number.as_bytes()) == Some(&DOTS[..]) {
            true => Ok(()),
            false => Err(format!(
                "instead of message {}: {}",
                self.heard,
                quote(payload)
            )),
        }
    }

    /// # Errors
    ///
    /// It should not have ended.
    pub(crate) fn ended(&self, world: &mut World) -> Result<(), String> {
        world.tally.slept += 1;
        match self.is_done {
            true => Ok(()),
            false => Err(format!("ended after {} messages", self.heard)),
        }
    }
}

/// Is sent more than the server may keep for it.
#[derive(Debug, Default)]
pub(crate) struct Stuck {
    /// Whether it reads at last; otherwise it goes with all unread.
    pub(crate) reads: bool,
    told: Option<u16>,
}

impl Stuck {
    pub(crate) fn new(reads: bool) -> Self {
        Self { reads, told: None }
    }

    /// # Errors
    ///
    /// It is not what was sent.
    pub(crate) fn hear(&self, payload: &[u8]) -> Result<(), String> {
        match payload == XS {
            true => Ok(()),
            false => Err(format!("not what was sent: {}", quote(payload))),
        }
    }

    pub(crate) fn closed(&mut self, code: u16, wire: &mut Wire, world: &mut World) {
        self.told = Some(code);
        world.close(wire, code);
    }

    /// # Errors
    ///
    /// It was not told why, though it has read all.
    pub(crate) fn ended(&self, world: &mut World) -> Result<(), String> {
        world.tally.stuck += 1;
        match (self.reads, self.told) {
            (false, _) | (true, Some(1013)) => Ok(()),
            (true, told) => Err(format!("was not told 1013, but {told:?}")),
        }
    }
}
