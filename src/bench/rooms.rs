//! Who is in which room, by itself: a member is a number.

use crate::ws::rooms::{self, Joined};

/// Rooms, and who is in them.
#[derive(Debug, Default)]
pub struct Rooms(rooms::Rooms);

impl Rooms {
    /// Adds `member` to the room `name`; `false` if it was there.
    pub fn join(&mut self, name: &str, member: u32) -> bool {
        self.0.join(name, member, usize::MAX, usize::MAX) == Joined::Now
    }

    /// Takes `member` out of the room `name`; `false` if it was not there.
    pub fn leave(&mut self, name: &str, member: u32) -> bool {
        self.0.leave(name, member)
    }

    /// Takes `member` out of every room; how many they were.
    pub fn leave_all(&mut self, member: u32) -> usize {
        self.0.leave_all(member).len()
    }

    /// Who is in the room `name`.
    pub fn members(&self, name: &str) -> &[u32] {
        self.0.members(name)
    }
}
