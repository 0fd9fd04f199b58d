//! One run: a server and its peers, what happens to them, and what must hold.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Client, TestServer};

use super::app::{ROOMS, Stage, app, options};
use super::book::Page;
use super::dice::Dice;
use super::peer::{Peer, play};
use super::stranger::Stranger;
use super::upstream::Upstream;

const STEPS: usize = 100;
const PEERS: usize = 5;
const KIB: usize = 1024;
/// All that may take its time has taken it.
const END: Duration = Duration::from_secs(2000);

pub(super) struct World {
    test: TestServer,
    stage: Rc<Stage>,
    dice: Dice,
    /// Those who have asked for a socket, and have no answer yet.
    callers: Vec<Peer>,
    peers: Vec<Peer>,
    upstream: Upstream,
    strangers: Vec<Stranger>,
    /// How many of those have come.
    knocks: usize,
    is_shut: bool,
}

/// Says which seed failed, and what went before.
struct Witness(u64, Rc<Stage>);

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.1.log.borrow();
            let last = log.len().saturating_sub(40);
            eprintln!("{:#?}", &log[last..]);
            eprintln!("seed {0}: SEEDS={0}..{1} repeats it", self.0, self.0 + 1);
        }
    }
}

/// Plays a run, and gives what happened.
pub(super) fn run(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let stage = Stage::new(!seed);
    let _witness = Witness(seed, Rc::clone(&stage));
    let options = options(&mut dice);
    stage.log(format!(
        "{:?} at {}",
        options.overflow, options.max_backpressure
    ));
    let test = TestServer::new(app(options, &stage)).expect("nothing is wrong with it");
    *stage.hub.borrow_mut() = Some(test.hub().clone());
    if !dice.once_in(4) {
        test.set_unsteady(dice.next());
    }
    let upstream = Upstream::new(test.hub(), &mut dice, &stage);
    let mut world = World {
        test,
        upstream,
        stage,
        dice,
        callers: Vec::new(),
        peers: Vec::new(),
        strangers: Vec::new(),
        knocks: 0,
        is_shut: false,
    };
    let shuts_down = world.dice.once_in(6).then(|| world.dice.below(STEPS));
    for step in 0..STEPS {
        world.step();
        if shuts_down == Some(step) {
            world.stage.log("shutdown".to_owned());
            world.test.hub().shutdown(Duration::from_secs(5));
            world.is_shut = true;
        }
        world.compare();
    }
    world.end()
}

impl World {
    fn step(&mut self) {
        match self.dice.below(18) {
            0 | 1 if self.peers.len() + self.callers.len() < PEERS => self.connect(),
            0..=5 => self.stage.act(),
            6 => {
                let most = self.dice.one_of(&[1, 100, 3000, 3000, 20_000, 100_000]);
                let passes = Duration::from_millis(self.dice.below(most) as u64);
                self.stage.log(format!("{passes:?} pass"));
                self.test.clock().advance(passes);
            }
            7 if self.dice.once_in(2) => self.calm(),
            7 => self.knock(),
            8 if self.dice.once_in(2) => self.hang_up(),
            9..=11 => self.upstream.play(&self.test, &mut self.dice, &self.stage),
            _ if self.peers.is_empty() => self.connect(),
            _ => drop(play(&mut self.peers, &mut self.dice, &self.stage)),
        }
    }

    fn connect(&mut self) {
        let window = self.dice.one_of(&[50, KIB, 4 * KIB, 64 * KIB, 1024 * KIB]);
        self.test.set_window(window);
        let page = Rc::<Page>::default();
        let number = self.stage.pages.borrow().len();
        self.stage.pages.borrow_mut().push(Rc::clone(&page));
        let target = format!("/{number}");
        let client = self.test.request("GET", &target).knock();
        self.stage.log(format!("{number} knocks, through {window}"));
        self.callers.push(Peer::new(client, page, number, false));
    }

    /// Whoever was let in is a peer from now on.
    fn let_in(&mut self) {
        for mut caller in std::mem::take(&mut self.callers) {
            match caller.client.answer().map(|answer| answer.status) {
                Some(101) => self.peers.push(caller),
                Some(status) => assert!([403, 500, 503].contains(&status), "{status}"),
                // Who is cut at once may hear nothing.
                None if caller.client.is_ended() => {}
                None => self.callers.push(caller),
            }
        }
    }

    /// Somebody who says something of HTTP, or only begins to.
    fn knock(&mut self) {
        self.knocks += 1;
        let stranger = Stranger::come(&self.test, &mut self.dice, self.knocks);
        self.strangers.push(stranger);
    }

    /// Somebody who may wait for something goes.
    fn hang_up(&mut self) {
        if !self.strangers.is_empty() {
            let which = self.dice.below(self.strangers.len());
            let stays = self.strangers.swap_remove(which).go(&mut self.dice);
            self.strangers.extend(stays);
        }
        if !self.callers.is_empty() {
            let which = self.dice.below(self.callers.len());
            let how = [Client::reset as fn(Client), Client::vanish, drop];
            let how = self.dice.one_of(&how);
            how(self.callers.swap_remove(which).client);
        }
    }

    /// All read what there is. Then everything that was said on either side has come, of those who stay.
    fn calm(&mut self) {
        self.stage.log("all read".to_owned());
        // What comes may bring about more.
        let mut before = 0;
        while before < self.stage.log.borrow().len() {
            before = self.stage.log.borrow().len();
            self.everybody().for_each(Peer::read_on);
            self.test.turn();
            self.everybody().for_each(Peer::receive);
        }
        for peer in self.everybody() {
            peer.check_calm();
        }
    }

    /// All peers that are there, on both sides.
    fn everybody(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.iter_mut().chain(&mut self.upstream.ends)
    }

    /// What the application can see is as it was written down.
    fn compare(&mut self) {
        self.let_in();
        self.strangers.iter_mut().for_each(Stranger::receive);
        self.everybody().for_each(Peer::receive);
        self.upstream.compare();
        assert_eq!(self.stage.faults.all(), Vec::<String>::new());
        let hub = self.test.hub();
        let pages = self.stage.pages.borrow();
        let known = pages.iter().filter(|page| page.is_known());
        assert_eq!(hub.len(), known.count(), "who is there");
        for room in ROOMS {
            let is_in = |page: &&Rc<Page>| page.rooms.borrow().contains(room);
            let id = |page: &Rc<Page>| page.socket().map(|socket| socket.id());
            let expected: BTreeSet<_> = pages.iter().filter(is_in).filter_map(id).collect();
            let members = hub.room(room).members();
            let members: BTreeSet<_> = members.iter().map(|socket| socket.id()).collect();
            assert_eq!(members, expected, "who is in {room}");
        }
        for peer in &self.peers {
            let heard = peer.page.heard.borrow();
            assert!(peer.said.starts_with(&heard), "{} was heard", peer.number);
        }
    }

    /// What is decided may leave more open: the next request, or middleware behind a verdict.
    fn decide_all(&mut self) {
        while !self.stage.pending.is_empty() {
            self.stage.decide();
            self.test.turn();
        }
    }

    /// All read what there is; some leave, and all must go. Then nothing is left.
    fn end(mut self) -> Vec<String> {
        self.stage.log("the end".to_owned());
        self.decide_all();
        self.calm();
        self.compare();
        for stranger in &self.strangers {
            assert!(
                self.is_shut || stranger.is_answered(),
                "nothing is left open"
            );
        }
        for peer in self.peers.iter_mut().filter(|_| self.dice.once_in(2)) {
            peer.has_closed |= peer.closed.is_none();
            peer.client.close();
        }
        self.test.hub().shutdown(Duration::from_secs(5));
        self.test.clock().advance(END);
        self.peers.iter_mut().for_each(Peer::receive);
        self.test.turn();
        self.compare();
        assert!(self.callers.is_empty(), "all were told");
        assert!(self.strangers.iter().all(Stranger::is_ended), "all must go");
        self.strangers.clear();
        self.test.turn();
        self.peers.iter().for_each(Peer::check_end);
        self.upstream.check_end(&self.test);
        let stats = self.test.hub().stats();
        assert_eq!((stats.total_connections, stats.waiting_bytes), (0, 0));
        assert_eq!(self.test.hub().rooms(), Vec::<String>::new());
        assert!(self.test.is_done());
        for page in self.stage.pages.borrow().iter() {
            let was_let_in = page.socket().is_some();
            assert_eq!(page.end.borrow().is_some(), was_let_in, "Close is told");
            page.socket.take();
        }
        self.stage.hub.take();
        drop((self.test, self.peers, self.upstream));
        // The other is the witness.
        assert_eq!(Rc::strong_count(&self.stage), 2, "listeners are kept");
        self.stage.log.take()
    }
}
