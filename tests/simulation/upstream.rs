//! A connection that the application makes, and the servers at its other end, one after the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Dialed, TestServer};
use rushwire::{ConnectOptions, Connection, Hub, ReadyState, Reconnect, SendStatus};

use super::app::Stage;
use super::book::Page;
use super::dice::Dice;
use super::peer::{self, Peer, first_odd};

/// Its sockets have numbers from here on.
const NUMBERS: usize = 1000;

pub(super) struct Upstream {
    connection: Connection,
    told: Rc<Told>,
    /// Who has been connected to, and has not answered.
    waiting: Vec<Dialed>,
    /// The servers' ends of its sockets.
    pub(super) ends: Vec<Peer>,
    /// What the ends before them have received, in order.
    received: Vec<u32>,
    /// What one of them has not got is lost, and nobody can know of it.
    is_lossy: bool,
}

/// What its listeners write down.
#[derive(Default)]
struct Told {
    /// A page for each socket that there was.
    pages: RefCell<Vec<Rc<Page>>>,
    /// What was kept for lack of a socket.
    kept: Rc<RefCell<Vec<u32>>>,
    /// How many of them were given up.
    unsent: Cell<usize>,
}

impl Upstream {
    /// Begins to connect.
    pub(super) fn new(hub: &Hub, dice: &mut Dice, stage: &Rc<Stage>) -> Self {
        let reconnect = Reconnect {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
            attempts: dice.one_of(&[3, u32::MAX]),
            ..Reconnect::default()
        };
        let options = ConnectOptions {
            reconnect: (!dice.once_in(4)).then_some(reconnect),
            max_unsent: dice.one_of(&[100, 10_000, 1_000_000]),
            ..ConnectOptions::default()
        };
        let told = Rc::<Told>::default();
        let (acting, noting) = (Rc::clone(stage), Rc::clone(&told));
        let connection = hub.connect("ws://upstream/", options, move |socket, _| {
            let page = Rc::new(Page {
                kept: Rc::clone(&noting.kept),
                ..Page::default()
            });
            let number = NUMBERS + noting.pages.borrow().len();
            if noting
                .pages
                .borrow()
                .last()
                .is_some_and(|last| last.was_ended_here())
            {
                acting
                    .faults
                    .note("connected again behind a close of this side");
            }
            acting.log(format!("{number} opens"));
            noting.pages.borrow_mut().push(Rc::clone(&page));
            acting.pages.borrow_mut().push(Rc::clone(&page));
            acting.welcome(socket, &page, number);
        });
        let connection = connection.expect("it is a URL");
        let (acting, noting) = (Rc::clone(stage), Rc::clone(&told));
        connection.on_error(move |failed| {
            acting.log(format!("upstream: {failed:?}"));
            noting.give_up(failed.unsent);
            acting.act_inside(1);
        });
        Self {
            connection,
            told,
            waiting: Vec::new(),
            ends: Vec::new(),
            received: Vec::new(),
            is_lossy: false,
        }
    }

    /// Something happens to it, on either side.
    pub(super) fn play(&mut self, test: &TestServer, dice: &mut Dice, stage: &Stage) {
        self.waiting.extend(test.dialed());
        self.bury();
        match dice.below(12) {
            0..=2 => self.send(stage),
            3..=5 => self.answer(test, dice, stage),
            6 if dice.once_in(20) => {
                stage.log("upstream is closed for good".to_owned());
                self.told.give_up(self.connection.close());
            }
            7 | 8 => {
                stage.log("upstream leaves, to come back".to_owned());
                self.ends.iter_mut().for_each(|end| end.leave(1001));
            }
            _ if self.ends.is_empty() => self.answer(test, dice, stage),
            _ => {
                if let Some(received) = peer::play(&mut self.ends, dice, stage) {
                    self.received.extend(received);
                    self.is_lossy = true;
                }
            }
        }
    }

    /// The page of its socket, if that is open.
    fn open(&self) -> Option<Rc<Page>> {
        let last = self.told.pages.borrow().last().cloned();
        last.filter(|page| {
            let socket = page.socket();
            socket.is_some_and(|socket| socket.ready_state() == ReadyState::Open)
        })
    }

    /// What was kept does not wait where there is a socket.
    pub(super) fn compare(&self) {
        assert!(self.open().is_none() || self.connection.unsent() == 0);
    }

    fn send(&self, stage: &Stage) {
        let (number, text) = stage.next_message();
        let open = self.open();
        let status = self.connection.send(&text);
        stage.log(format!("{number} goes upstream: {status:?}"));
        match open {
            Some(page) => page.note(number, status),
            None if status == SendStatus::Queued => self.told.kept.borrow_mut().push(number),
            None => {}
        }
    }

    /// Somebody who was connected to answers, or leaves.
    fn answer(&mut self, test: &TestServer, dice: &mut Dice, stage: &Stage) {
        if self.waiting.is_empty() {
            return;
        }
        let dialed = self.waiting.swap_remove(dice.below(self.waiting.len()));
        let what = dice.below(8);
        stage.log(format!("upstream answers {what}"));
        match what {
            0 => drop(dialed),
            1 => dialed.refuse(503),
            2 => dialed.connection().reset(),
            3 if dice.once_in(4) => dialed.refuse(404),
            _ => {
                let number = self.told.pages.borrow().len();
                let client = dialed.accept();
                test.turn();
                // It may have been given up meanwhile.
                let page = self.told.pages.borrow().get(number).cloned();
                self.ends
                    .extend(page.map(|page| Peer::new(client, page, NUMBERS + number, true)));
            }
        }
    }

    /// Those that are over make place.
    fn bury(&mut self) {
        for mut end in std::mem::take(&mut self.ends) {
            end.receive();
            if !end.client.is_ended() {
                self.ends.push(end);
                continue;
            }
            end.receive();
            end.check_order();
            self.is_lossy |= end.closed.is_none();
            self.received.extend(end.received);
        }
    }

    /// What was accepted was received once and in order, or is told as undelivered or unsent.
    pub(super) fn check_end(&mut self, test: &TestServer) {
        self.bury();
        assert!(self.ends.is_empty() && self.connection.is_over());
        self.waiting.extend(std::iter::from_fn(|| test.dialed()));
        let mut unanswered = self.waiting.drain(..).map(Dialed::connection);
        assert!(unanswered.all(|connection| connection.is_ended()));
        assert_eq!(self.connection.unsent(), 0);
        let (pages, kept) = (self.told.pages.borrow(), self.told.kept.borrow());
        let late = self.received.iter().filter(|it| kept.contains(it));
        assert_eq!(first_odd(late, &kept), None, "twice, early or lost");
        let direct: usize = pages.iter().map(|page| page.sent.borrow().len()).sum();
        let lost: usize = pages.iter().map(|page| page.undelivered()).sum();
        let accepted = direct + kept.len();
        let accounted = self.received.len() + lost + self.told.unsent.get();
        let what = format!("{accepted} accepted, {accounted} received or told of");
        assert!(accepted >= accounted, "{what}");
        assert!(self.is_lossy || accepted == accounted, "{what}");
    }
}

impl Told {
    fn give_up(&self, messages: usize) {
        self.unsent.set(self.unsent.get() + messages);
    }
}
