//! Those who only speak HTTP: they ask one thing after the other, and may leave in the middle of it.

use rushwire::testing::{Connection, TestServer};

use super::app::LARGE;
use super::dice::Dice;

/// What it may ask for. `/large` is more than is answered in one go; `/later/:number` is answered by
/// whoever decides what is pending.
enum Asked {
    Page,
    Large,
    Later(usize),
}

pub(super) struct Stranger {
    connection: Connection,
    asked: Vec<Asked>,
    answered: usize,
    /// Behind that it has begun to ask for something.
    begins: bool,
}

impl Stranger {
    /// Comes, asks for a few things at once, and begins to ask for one more.
    pub(super) fn come(test: &TestServer, dice: &mut Dice, number: usize) -> Self {
        let mut connection = test.open();
        let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let asked: Vec<_> = (0..dice.below(4))
            .map(|place| match dice.below(8) {
                0..=3 => Asked::Later(number * 10 + place),
                4 => Asked::Large,
                _ => Asked::Page,
            })
            .collect();
        for what in &asked {
            connection.send(match what {
                Asked::Page => request("/page"),
                Asked::Large => request("/large"),
                Asked::Later(number) => request(&format!("/later/{number}")),
            });
        }
        let more = request("/page");
        let part = dice.below(2) * dice.below(more.len());
        connection.send(&more[..part]);
        Self {
            connection,
            asked,
            answered: 0,
            begins: part > 0,
        }
    }

    /// Goes in one way or another, or has only said all that it has to say.
    pub(super) fn go(mut self, dice: &mut Dice) -> Option<Self> {
        match dice.below(4) {
            0 => self.connection.reset(),
            1 => self.connection.vanish(),
            2 => drop(self),
            _ => {
                self.connection.finish();
                return Some(self);
            }
        }
        None
    }

    /// What has come are the answers to what it has asked, in order.
    pub(super) fn receive(&mut self) {
        while let Some(answer) = self.connection.answer() {
            let (status, text) = (answer.status, answer.text());
            let is_right = match self.asked.get(self.answered) {
                Some(Asked::Page) => (status, &*text) == (200, "a page"),
                Some(Asked::Large) => (status, text.len()) == (200, LARGE),
                Some(Asked::Later(number)) => {
                    status == 500 || (status, text) == (200, number.to_string())
                }
                None => self.begins && status == 408,
            };
            assert!(is_right, "answer {} is {status}", self.answered);
            self.answered += 1;
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered >= self.asked.len()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.connection.is_ended()
    }
}
