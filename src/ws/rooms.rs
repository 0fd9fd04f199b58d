//! Who is where: a many-to-many relation between names and members.
//!
//! Knows nothing of sockets: a member is a slab index. Members of a room and rooms of a member are
//! dense lists that point into each other, so joining and leaving take constant time, leaving all
//! rooms takes as long as there are rooms to leave, and a broadcast walks one flat list.
//!
//! ```text
//! rooms[r].members  = [ m, …  ]      joined[m] = [ (room r, place of m in r, when), … ]
//! rooms[r].back     = [ i, …  ]  ◀── i is the index of that entry
//! ```

use std::collections::HashMap;
use std::rc::Rc;

use super::memberships::{Membership, Memberships};

/// Rooms, and who is in them. A room is there as long as it has a member.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    names: HashMap<Rc<str>, u32>,
    rooms: Vec<Room>,
    /// Places in `rooms` that are empty.
    free: Vec<u32>,
    joined: Vec<Memberships>,
    /// Counts joins, so that the most recent one can be told.
    joins: u64,
    /// How many rooms there may be.
    max: Option<usize>,
}

#[derive(Debug, Default)]
struct Room {
    name: Rc<str>,
    members: Vec<u32>,
    /// `back[i]` is where `members[i]` keeps this room in its own list.
    back: Vec<u32>,
}

/// What became of an attempt to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    Now,
    Before,
    /// The member is in as many rooms as it may be, or there are as many as there may be.
    TooMany,
    /// The room has as many members as it may have.
    Full,
}

impl Rooms {
    /// No rooms; there may be at most `max`.
    pub(crate) fn limited(max: Option<usize>) -> Self {
        Self {
            max,
            ..Self::default()
        }
    }

    /// Adds `member` to the room `name`, if then it is in at most `max_rooms` rooms and the room has
    /// at most `capacity` members.
    pub(crate) fn join(
        &mut self,
        name: &str,
        member: u32,
        max_rooms: usize,
        capacity: usize,
    ) -> Joined {
        let index = member as usize;
        if self.joined.len() <= index {
            self.joined.resize_with(index + 1, Memberships::default);
        }
        let found = self.names.get(name).copied();
        if found.is_some_and(|room| self.find(room, member).is_some()) {
            return Joined::Before;
        }
        if self
            .joined
            .get(index)
            .is_some_and(|mine| mine.len() >= max_rooms)
        {
            return Joined::TooMany;
        }
        if found
            .and_then(|room| self.room(room))
            .map_or(0, |room| room.members.len())
            >= capacity
        {
            return Joined::Full;
        }
        if found.is_none() && self.max.is_some_and(|max| self.len() >= max) {
            return Joined::TooMany;
        }
        let room = found.unwrap_or_else(|| self.open(name));
        self.link(room, member);
        Joined::Now
    }

    /// Takes `member` out of the room `name`; `false` if it was not there.
    pub(crate) fn leave(&mut self, name: &str, member: u32) -> bool {
        let entry = self
            .names
            .get(name)
            .and_then(|&room| self.find(room, member));
        entry.is_some_and(|entry| {
            self.unlink(member, entry);
            true
        })
    }

    /// Takes `member` out of every room, and gives their names in the order of joining.
    pub(crate) fn leave_all(&mut self, member: u32) -> Vec<Rc<str>> {
        let names = self.rooms_of(member);
        while let Some(last) = self
            .joined
            .get(member as usize)
            .and_then(|mine| mine.len().checked_sub(1))
        {
            self.unlink(member, last);
        }
        if let Some(mine) = self.joined.get_mut(member as usize) {
            *mine = Memberships::None;
        }
        names
    }

    /// The name of a room, as it is kept.
    pub(crate) fn name(&self, name: &str) -> Option<Rc<str>> {
        let (name, _) = self.names.get_key_value(name)?;
        Some(Rc::clone(name))
    }

    /// The members of a room, in no order.
    pub(crate) fn members(&self, name: &str) -> &[u32] {
        let room = self.names.get(name).and_then(|&room| self.room(room));
        room.map_or(&[], |room| &room.members)
    }

    /// The rooms of a member, in the order of joining.
    pub(crate) fn rooms_of(&self, member: u32) -> Vec<Rc<str>> {
        let mut mine: Vec<Membership> = self.memberships(member).to_vec();
        mine.sort_unstable_by_key(|entry| entry.when);
        mine.iter()
            .filter_map(|entry| self.room(entry.room))
            .map(|room| Rc::clone(&room.name))
            .collect()
    }

    /// The room that a member joined last, of those that it is in.
    pub(crate) fn latest_of(&self, member: u32) -> Option<Rc<str>> {
        let latest = self
            .memberships(member)
            .iter()
            .max_by_key(|entry| entry.when)?;
        self.room(latest.room).map(|room| Rc::clone(&room.name))
    }

    /// Whether `member` is in the room `name`.
    pub(crate) fn contains(&self, name: &str, member: u32) -> bool {
        self.names
            .get(name)
            .is_some_and(|&room| self.find(room, member).is_some())
    }

    /// All rooms with the number of their members, in no order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names
            .iter()
            .filter_map(|(name, &room)| Some((&**name, self.room(room)?.members.len())))
    }

    /// How many rooms there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    fn room(&self, room: u32) -> Option<&Room> {
        self.rooms.get(room as usize)
    }

    fn memberships(&self, member: u32) -> &[Membership] {
        self.joined
            .get(member as usize)
            .map_or(&[], Memberships::as_slice)
    }

    /// Where `member` keeps `room` in its list. Looks through the shorter of the two lists.
    fn find(&self, room: u32, member: u32) -> Option<usize> {
        let (mine, there) = (self.memberships(member), self.room(room)?);
        if mine.len() <= there.members.len() {
            return mine.iter().position(|entry| entry.room == room);
        }
        let place = there.members.iter().position(|&other| other == member)?;
        there.back.get(place).map(|&entry| entry as usize)
    }

    fn open(&mut self, name: &str) -> u32 {
        let name: Rc<str> = name.into();
        let room = self.free.pop().unwrap_or_else(|| {
            self.rooms.push(Room::default());
            narrow(self.rooms.len() - 1)
        });
        if let Some(place) = self.rooms.get_mut(room as usize) {
            place.name = Rc::clone(&name);
        }
        self.names.insert(name, room);
        room
    }

    fn link(&mut self, room: u32, member: u32) {
        self.joins += 1;
        let (Some(there), Some(mine)) = (
            self.rooms.get_mut(room as usize),
            self.joined.get_mut(member as usize),
        ) else {
            return;
        };
        mine.push(Membership {
            room,
            place: narrow(there.members.len()),
            when: self.joins,
        });
        there.members.push(member);
        there.back.push(narrow(mine.len() - 1));
    }

    /// Drops an entry of `member`'s list, and its place in that room; closes the room if it is empty.
    fn unlink(&mut self, member: u32, entry: usize) {
        let Some(mine) = self.joined.get_mut(member as usize) else {
            return;
        };
        let Some(gone) = mine.swap_remove(entry) else {
            return;
        };
        // The last entry has moved here: its room must find it.
        if let Some(moved) = mine.as_slice().get(entry).copied()
            && let Some(back) = self
                .rooms
                .get_mut(moved.room as usize)
                .and_then(|r| r.back.get_mut(moved.place as usize))
        {
            *back = narrow(entry);
        }
        let Some(there) = self.rooms.get_mut(gone.room as usize) else {
            return;
        };
        let place = gone.place as usize;
        there.members.swap_remove(place);
        there.back.swap_remove(place);
        // The last member has moved here: its entry must find it.
        if let (Some(&moved), Some(&back)) = (there.members.get(place), there.back.get(place))
            && let Some(entry) = self
                .joined
                .get_mut(moved as usize)
                .and_then(|list| list.get_mut(back as usize))
        {
            entry.place = gone.place;
        }
        if there.members.is_empty() {
            let room = std::mem::take(there);
            self.names.remove(&room.name);
            self.free.push(gone.room);
        }
    }
}

/// Indices stay below 2³², since each belongs to a connection or to a membership of one.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const NO_LIMIT: usize = usize::MAX;

    /// Random walks against the obvious model: for each member, the list of its rooms.
    #[test]
    fn agrees_with_a_list_of_names_per_member() {
        let mut rooms = Rooms::default();
        let mut model: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        let mut x = 0x2545_F491_4F6C_DD1D_u64;
        for step in 0..if cfg!(miri) { 300 } else { 20_000 } {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let (name, member) = (format!("r{}", x % 7), (x >> 8) as u32 % 11);
            let mine = model.entry(member).or_default();
            let size = rooms.members(&name).len();
            match (x >> 32) % 7 {
                0..=2 => {
                    let expected = match () {
                        () if mine.contains(&name) => Joined::Before,
                        () if mine.len() >= 5 => Joined::TooMany,
                        () if size >= 6 => Joined::Full,
                        () => Joined::Now,
                    };
                    assert_eq!(rooms.join(&name, member, 5, 6), expected, "step {step}");
                    if expected == Joined::Now {
                        mine.push(name);
                    }
                }
                3..=5 => {
                    assert_eq!(
                        rooms.leave(&name, member),
                        mine.contains(&name),
                        "step {step}"
                    );
                    mine.retain(|kept| *kept != name);
                }
                _ => {
                    let left: Vec<String> = rooms
                        .leave_all(member)
                        .iter()
                        .map(|n| n.to_string())
                        .collect();
                    assert_eq!(left, std::mem::take(mine), "step {step}");
                }
            }
            assert_same(&rooms, &model, step);
        }
    }

    fn assert_same(rooms: &Rooms, model: &BTreeMap<u32, Vec<String>>, step: u64) {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for (&member, names) in model {
            let found: Vec<String> = rooms
                .rooms_of(member)
                .iter()
                .map(|n| n.to_string())
                .collect();
            assert_eq!(&found, names, "step {step}");
            assert_eq!(
                rooms.latest_of(member).as_deref(),
                names.last().map(String::as_str),
                "step {step}"
            );
            for name in names {
                assert!(
                    rooms.contains(name, member) && rooms.members(name).contains(&member),
                    "step {step}"
                );
                *sizes.entry(name).or_default() += 1;
            }
        }
        let found: BTreeMap<&str, usize> = rooms.all().collect();
        assert_eq!(found, sizes, "step {step}");
        assert_eq!(rooms.len(), sizes.len());
    }

    #[test]
    fn an_empty_room_is_gone_and_takes_no_memory() {
        let mut rooms = Rooms::default();
        for i in 0..1_000 {
            assert_eq!(
                rooms.join(&format!("room {i}"), 3, NO_LIMIT, NO_LIMIT),
                Joined::Now
            );
            assert!(rooms.leave(&format!("room {i}"), 3));
        }
        assert_eq!((rooms.len(), rooms.rooms.len()), (0, 1));
    }

    /// D21: a predecessor let nobody into any room any more.
    #[test]
    fn where_there_are_as_many_rooms_as_may_be_only_those_can_be_joined() {
        let mut rooms = Rooms::limited(Some(2));
        let mut join = |name, member| rooms.join(name, member, NO_LIMIT, NO_LIMIT);
        assert_eq!([join("a", 1), join("b", 1)], [Joined::Now; 2]);
        assert_eq!([join("c", 1), join("c", 2)], [Joined::TooMany; 2]);
        assert_eq!([join("a", 2), join("b", 2)], [Joined::Now; 2]);
        assert_eq!(join("a", 1), Joined::Before);
        assert!(rooms.leave("b", 1) && rooms.leave("b", 2));
        assert_eq!(rooms.join("c", 2, NO_LIMIT, NO_LIMIT), Joined::Now);
    }

    #[test]
    fn leaving_an_unknown_room_is_no_news() {
        let mut rooms = Rooms::default();
        assert!(!rooms.leave("nowhere", 7));
        assert!(rooms.leave_all(7).is_empty());
        assert!(rooms.members("nowhere").is_empty());
        assert_eq!(rooms.latest_of(7), None);
    }
}
