//! What waits to be read: everyone who is known, and their notifications. It knows no socket;
//! `live.rs` tells it who comes and goes.
//!
//! A notification is kept until its reader says that it is read, so none is lost with a connection.
//! What is kept is bounded: so many for each, and so many people.

use std::collections::{HashMap, VecDeque};

use crate::auth::User;
use serde_json::{Value, json};

/// Notifications that are kept for one person; the oldest give way.
pub(crate) const KEPT: usize = 50;
/// People who are known; who was away for longest gives way.
pub(crate) const PEOPLE: usize = 2_000;

/// Everyone's notifications.
#[derive(Default)]
pub(crate) struct Inbox {
    people: HashMap<String, Person>,
    sent: u64,
    seen: u64,
}

struct Person {
    user: User,
    waiting: VecDeque<Value>,
    /// How many had to give way, and nobody was told.
    missed: u64,
    /// When they were last here, as a count of arrivals and departures.
    seen: u64,
    /// How many connections they have.
    here: usize,
}

impl Inbox {
    /// Somebody has shown who they are. They are known by that, and may be written to.
    pub(crate) fn know(&mut self, user: &User) {
        self.seen += 1;
        if !self.people.contains_key(&user.id) && self.people.len() >= PEOPLE {
            self.forget_one();
        }
        let seen = self.seen;
        let person = self.people.entry(user.id.clone());
        let person = person.or_insert_with(|| Person {
            user: user.clone(),
            waiting: VecDeque::new(),
            missed: 0,
            seen,
            here: 0,
        });
        person.user = user.clone();
        person.seen = seen;
    }

    /// Somebody has connected: what waits for them, and how many had to give way before.
    pub(crate) fn arrive(&mut self, user: &User) -> (Vec<Value>, u64) {
        self.know(user);
        let Some(person) = self.people.get_mut(&user.id) else {
            return (Vec::new(), 0);
        };
        person.here += 1;
        let missed = std::mem::take(&mut person.missed);
        (person.waiting.iter().cloned().collect(), missed)
    }

    /// One of somebody's connections is gone.
    pub(crate) fn depart(&mut self, user: &User) {
        self.seen += 1;
        if let Some(person) = self.people.get_mut(&user.id) {
            person.here = person.here.saturating_sub(1);
            person.seen = self.seen;
        }
    }

    /// Keeps a notification for all whom `is_meant` picks; gives it, with the ids of those. Nobody
    /// picked: it is not made.
    pub(crate) fn post(
        &mut self,
        is_meant: impl Fn(&User) -> bool,
        notification: &Value,
    ) -> Option<(Value, Vec<String>)> {
        let mut notification = notification.clone();
        notification["id"] = (self.sent + 1).into();
        let mut ids = Vec::new();
        for person in self.people.values_mut() {
            if is_meant(&person.user) {
                person.keep(notification.clone());
                ids.push(person.user.id.clone());
            }
        }
        self.sent += u64::from(!ids.is_empty());
        (!ids.is_empty()).then_some((notification, ids))
    }

    /// Somebody has read those of their notifications that `is_read` picks; gives their ids.
    pub(crate) fn read(&mut self, user: &User, is_read: impl Fn(u64) -> bool) -> Vec<u64> {
        let Some(person) = self.people.get_mut(&user.id) else {
            return Vec::new();
        };
        let mut read = Vec::new();
        person.waiting.retain(|notification| {
            let id = notification["id"].as_u64().filter(|&id| is_read(id));
            read.extend(id);
            id.is_none()
        });
        read
    }

    /// How many of `ids` have no connection now.
    pub(crate) fn away(&self, ids: &[String]) -> usize {
        let is_away = |id: &&String| self.people.get(*id).is_none_or(|person| person.here == 0);
        ids.iter().filter(is_away).count()
    }

    /// Everyone who is known, by name.
    pub(crate) fn everyone(&self) -> Vec<Value> {
        let mut people: Vec<&Person> = self.people.values().collect();
        people.sort_by(|one, other| one.user.id.cmp(&other.user.id));
        let json = |person: &&Person| {
            let mut json = person.user.json();
            json["online"] = (person.here > 0).into();
            json["unread"] = person.waiting.len().into();
            json
        };
        people.iter().map(json).collect()
    }

    /// Forgets who was away for longest: first of those for whom nothing waits. Who is here stays;
    /// there are fewer connections than places.
    fn forget_one(&mut self) {
        let away = self.people.values().filter(|person| person.here == 0);
        let oldest = away.min_by_key(|person| (!person.waiting.is_empty(), person.seen));
        if let Some(id) = oldest.map(|person| person.user.id.clone()) {
            self.people.remove(&id);
        }
    }
}

impl Person {
    fn keep(&mut self, notification: Value) {
        if self.waiting.len() == KEPT {
            self.waiting.pop_front();
            self.missed += 1;
        }
        self.waiting.push_back(notification);
    }
}

/// What somebody is told of what waits for them.
pub(crate) fn pending(waiting: &[Value], missed: u64) -> Value {
    json!({ "type": "pending", "notifications": waiting, "missed": missed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    fn user(name: &str) -> User {
        User {
            id: name.to_owned(),
            name: name.to_owned(),
            role: Role::Reader,
        }
    }

    fn post(inbox: &mut Inbox, to: &str, text: &str) {
        let posted = inbox.post(|user| user.id == to, &json!({ "text": text }));
        assert!(posted.is_some(), "{to} is known");
    }

    #[test]
    fn the_oldest_notifications_give_way_and_are_counted() {
        let mut inbox = Inbox::default();
        inbox.know(&user("ada"));
        for number in 0..KEPT + 3 {
            post(&mut inbox, "ada", &number.to_string());
        }
        let (waiting, missed) = inbox.arrive(&user("ada"));
        assert_eq!((waiting.len(), missed), (KEPT, 3));
        assert_eq!(waiting[0]["text"], "3");
        assert_eq!(inbox.arrive(&user("ada")).1, 0, "it is told once");
    }

    #[test]
    fn who_was_away_for_longest_is_forgotten_and_first_who_has_nothing_waiting() {
        let mut inbox = Inbox::default();
        inbox.know(&user("reads"));
        post(&mut inbox, "reads", "later");
        inbox.arrive(&user("here"));
        for number in 0..PEOPLE + 10 {
            inbox.know(&user(&number.to_string()));
        }
        assert_eq!(inbox.people.len(), PEOPLE);
        let known = |name: &str| inbox.people.contains_key(name);
        let newest = (PEOPLE + 9).to_string();
        assert!(known("reads") && known("here") && known(&newest));
        assert!(!known("0"), "it was the oldest without notifications");
    }

    #[test]
    fn all_who_have_something_waiting_give_way_too_when_there_is_nobody_else() {
        let mut inbox = Inbox::default();
        for number in 0..PEOPLE + 10 {
            let name = number.to_string();
            inbox.know(&user(&name));
            post(&mut inbox, &name, "for you");
        }
        assert_eq!(inbox.people.len(), PEOPLE);
        assert!(!inbox.people.contains_key("0"));
    }

    #[test]
    fn only_what_is_read_is_gone() {
        let mut inbox = Inbox::default();
        inbox.know(&user("ada"));
        for text in ["one", "two", "three"] {
            post(&mut inbox, "ada", text);
        }
        assert_eq!(inbox.read(&user("ada"), |id| id == 2), [2]);
        assert_eq!(inbox.read(&user("ada"), |id| id == 2), [0; 0]);
        let (waiting, _) = inbox.arrive(&user("ada"));
        let texts: Vec<_> = waiting.iter().map(|one| one["text"].as_str()).collect();
        assert_eq!(texts, [Some("one"), Some("three")]);
        assert_eq!(inbox.read(&user("nobody"), |_| true), [0; 0]);
    }
}
