//! Who is in each room, and what was said there. No sockets: `chat.rs` tells it who comes and goes.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use crate::auth::User;

/// How many messages of a room are kept, and how many of them a newcomer is shown.
const KEPT: usize = 100;
const SHOWN: usize = 50;

/// The rooms that somebody is in. The last one to leave takes the history along.
#[derive(Default)]
pub(crate) struct Rooms(HashMap<String, Room>);

#[derive(Default)]
struct Room {
    people: HashMap<String, Present>,
    history: VecDeque<Value>,
}

/// Somebody who is here, perhaps from several windows.
struct Present {
    user: Value,
    windows: usize,
}

impl Rooms {
    /// Somebody comes in. `true` if they were not here before.
    pub(crate) fn enter(&mut self, name: &str, user: &User) -> bool {
        let room = self.0.entry(name.to_owned()).or_default();
        let present = room.people.entry(user.id.clone());
        let present = present.or_insert_with(|| Present {
            user: user.json(),
            windows: 0,
        });
        present.windows += 1;
        present.windows == 1
    }

    /// Somebody closes a window. `true` if it was their last one here.
    pub(crate) fn leave(&mut self, name: &str, user: &User) -> bool {
        let Some(room) = self.0.get_mut(name) else {
            return false;
        };
        let Some(present) = room.people.get_mut(&user.id) else {
            return false;
        };
        present.windows -= 1;
        if present.windows > 0 {
            return false;
        }
        room.people.remove(&user.id);
        if room.people.is_empty() {
            self.0.remove(name);
        }
        true
    }

    /// How many people are in a room, each counted once.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |room| room.people.len())
    }

    /// Everybody in a room.
    pub(crate) fn people(&self, name: &str) -> Vec<&Value> {
        let people = self.0.get(name).map(|room| room.people.values());
        people.into_iter().flatten().map(|one| &one.user).collect()
    }

    /// Keeps what was said in a room that somebody is in.
    pub(crate) fn keep(&mut self, name: &str, message: Value) {
        let Some(room) = self.0.get_mut(name) else {
            return;
        };
        room.history.push_back(message);
        if room.history.len() > KEPT {
            room.history.pop_front();
        }
    }

    /// What was said, the oldest first, as far as it is kept.
    pub(crate) fn history(&self, name: &str) -> Vec<&Value> {
        let history = self.0.get(name).map(|room| &room.history);
        history.into_iter().flatten().collect()
    }

    /// What a newcomer is shown of it.
    pub(crate) fn recent(&self, name: &str) -> Vec<&Value> {
        let mut history = self.history(name);
        history.drain(..history.len().saturating_sub(SHOWN));
        history
    }

    /// How many people are in each room: `{"lobby":2}`.
    pub(crate) fn all(&self) -> Value {
        let rooms = self.0.iter();
        rooms
            .map(|(name, room)| (name.clone(), json!(room.people.len())))
            .collect()
    }
}
