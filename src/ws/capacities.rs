//! How many members rooms may have: what the application has said of some, and an option for the
//! rest. A socket asks here when it joins.

use std::cell::RefCell;
use std::collections::HashMap;

use super::hub::Hub;

/// What the application has said of single rooms, by name.
#[derive(Debug, Default)]
pub(super) struct Capacities(RefCell<HashMap<Box<str>, usize>>);

impl Hub {
    /// Sets how many members `room` may have, instead of
    /// [`max_room_size`](crate::Options::max_room_size); `None`: that again.
    ///
    /// It holds for the name, whether or not anybody is in the room, until it is set anew. Those who
    /// are in a room that is made smaller stay. `Some(0)` lets nobody in any more. `false`, and
    /// nothing is kept, if no room can have that name.
    ///
    /// For a room that is gone with its last member, [`join_up_to`](crate::Socket::join_up_to) sets
    /// a limit without leaving anything behind.
    pub fn set_room_capacity(&self, room: &str, capacity: Option<usize>) -> bool {
        if room.is_empty() || room.len() > self.settings().max_room_name {
            return false;
        }
        let mut capacities = self.capacities().0.borrow_mut();
        match capacity {
            Some(capacity) => capacities.insert(room.into(), capacity),
            None => capacities.remove(room),
        };
        true
    }

    /// How many members `room` may have; `None`: any number.
    pub fn room_capacity(&self, room: &str) -> Option<usize> {
        let set = self.capacities().0.borrow().get(room).copied();
        set.or(self.settings().max_room_size)
    }
}
