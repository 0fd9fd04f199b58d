//! One peer, on either side of the handshake: what it says, what it receives, and what must be true of that.

use std::rc::Rc;

use rushwire::event::By;
use rushwire::testing::{Client, Received};

use super::app::Stage;
use super::book::Page;
use super::dice::Dice;

/// A peer, as long as it is there: a client, or the server that the application has connected to.
pub(super) struct Peer {
    pub(super) client: Client,
    pub(super) page: Rc<Page>,
    pub(super) number: usize,
    /// The texts that it has sent.
    pub(super) said: Vec<String>,
    /// The numbers of the messages that it has received.
    pub(super) received: Vec<u32>,
    /// The code of the close frame that it has received.
    pub(super) closed: Option<u16>,
    /// It has sent a close frame before it received one; and then nothing.
    pub(super) has_closed: bool,
    is_server: bool,
}

/// One of them does something. Who goes without a word is taken out, and what it has received is given.
pub(super) fn play(peers: &mut Vec<Peer>, dice: &mut Dice, stage: &Stage) -> Option<Vec<u32>> {
    let which = dice.below(peers.len());
    let peer = &mut peers[which];
    let what = dice.below(20);
    stage.log(format!("{} plays {what}", peer.number));
    match what {
        0..=6 => peer.say(dice),
        7 => peer.say_in_fragments(dice),
        15 if dice.once_in(8) => peer.pour(),
        8 => peer.client.ping(b"you?"),
        9..=12 => peer.client.stop_reading(),
        13 | 14 => peer.read_on(),
        15 => peer.client.ignore_pings(),
        16 if dice.once_in(3) => peer.leave(dice.one_of(&[1000, 1001, 4000])),
        17 if dice.once_in(3) => {
            peer.client.finish();
            peer.has_closed = true;
        }
        18 if dice.once_in(3) => return Some(peers.swap_remove(which).go(Client::reset)),
        19 if dice.once_in(3) => {
            let how = dice.one_of(&[Client::vanish as fn(Client), drop]);
            return Some(peers.swap_remove(which).go(how));
        }
        _ => {}
    }
    None
}

impl Peer {
    pub(super) fn new(client: Client, page: Rc<Page>, number: usize, is_server: bool) -> Self {
        Self {
            client,
            page,
            number,
            said: Vec::new(),
            received: Vec::new(),
            closed: None,
            has_closed: false,
            is_server,
        }
    }

    /// Goes without a word. What it received is what was sent, as far as it goes.
    fn go(mut self, how: fn(Client)) -> Vec<u32> {
        self.receive();
        self.check_order();
        how(self.client);
        self.received
    }

    /// Says goodbye with that code, unless it has.
    pub(super) fn leave(&mut self, code: u16) {
        if !self.has_closed {
            self.read_on();
            self.has_closed = self.closed.is_none();
            self.client.close_with(code, "");
        }
    }

    fn say(&mut self, dice: &mut Dice) {
        let len = dice.one_of(&[1, 10, 200, 200, 3000]);
        let text = format!("{}:{}", self.said.len(), "y".repeat(dice.below(len)));
        if !self.has_closed {
            self.client.send(text.as_str());
            self.said.push(text);
        }
    }

    /// More at once than a connection's share of a turn.
    fn pour(&mut self) {
        for _ in 0..if self.has_closed { 0 } else { 8 } {
            let text = format!("{}:{}", self.said.len(), "z".repeat(30_000));
            self.client.send(text.as_str());
            self.said.push(text);
        }
    }

    /// A message in two frames, and a ping between them; a client's are masked with zeros.
    fn say_in_fragments(&mut self, dice: &mut Dice) {
        if self.has_closed {
            return;
        }
        let text = format!("{}:{}", self.said.len(), "é".repeat(dice.below(50)));
        let (first, second) = text.as_bytes().split_at(dice.below(text.len()));
        let frame = |head: u8, payload: &[u8]| match self.is_server {
            true => [&[head, payload.len() as u8], payload].concat(),
            false => [&[head, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat(),
        };
        let frames = [frame(0x01, first), frame(0x89, b"?"), frame(0x80, second)];
        self.client.send_raw(frames.concat());
        self.said.push(text);
    }

    pub(super) fn read_on(&mut self) {
        self.client.read_on();
        self.receive();
    }

    pub(super) fn receive(&mut self) {
        for received in self.client.recv_all() {
            assert_eq!(self.closed, None, "something behind the close frame");
            match received {
                Received::Text(text) => {
                    let number = text.split(':').next().and_then(|it| it.parse().ok());
                    self.received.push(number.expect("a number"));
                }
                Received::Close { code, .. } => self.closed = Some(code),
                Received::Ping(_) | Received::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// All is read: everything that was said on either side has come, of those who stay.
    pub(super) fn check_calm(&self) {
        let is_open = self.page.socket().is_some_and(|socket| socket.is_open());
        if !is_open || self.has_closed {
            return;
        }
        assert_eq!(*self.page.heard.borrow(), self.said, "{}", self.number);
        // What was kept is counted over all ends.
        if self.page.kept.borrow().is_empty() {
            let sent = self.page.sent.borrow().len();
            let told = self.received.len() + self.page.dropped.get();
            assert_eq!(sent, told, "{}: received or told of", self.number);
        }
    }

    /// What it received was sent, in that order. What was kept for it is looked at by who kept it.
    pub(super) fn check_order(&self) {
        let (sent, kept) = (self.page.sent.borrow(), self.page.kept.borrow());
        let direct = self.received.iter().filter(|it| !kept.contains(it));
        assert_eq!(
            first_odd(direct, &sent),
            None,
            "{}: twice, early or lost",
            self.number
        );
    }

    /// Each message that was accepted was received, or told as undelivered. Of those who were cut what
    /// was on its way is lost.
    pub(super) fn check_end(&self) {
        self.check_order();
        let (sent, received) = (self.page.sent.borrow().len(), self.received.len());
        let undelivered = self.page.undelivered();
        let end = self.page.end.borrow();
        let Some(end) = end.as_ref() else {
            // Who was not let in by the middleware.
            return assert_eq!((sent, received), (0, 0));
        };
        let what = format!(
            "{}: {sent} sent, {received} received, {undelivered} told; {:?} {} {}",
            self.number, end.by, end.code, end.cause
        );
        if self.closed.is_some() {
            assert_eq!(sent, received + undelivered, "{what}");
        } else {
            assert!(sent >= received + undelivered, "{what}");
        }
        if end.by == By::Peer && self.has_closed {
            assert_eq!(*self.page.heard.borrow(), self.said, "{what}");
        }
    }
}

/// The first of `received` that is not behind the one before it in `sent`.
pub(super) fn first_odd<'a>(
    mut received: impl Iterator<Item = &'a u32>,
    sent: &[u32],
) -> Option<u32> {
    let mut sent = sent.iter();
    received
        .find(|number| !sent.any(|it| it == *number))
        .copied()
}
