//! All the peers in one loop: whatever is ready goes on, and by and by each of the things that peers do
//! is begun.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::member::{Leaving, Member, Saying};
use super::peer::{Peer, Role};
use super::rude::{CASES, Rude};
use super::slow::{Sleeper, Stuck};
use super::world::World;

/// So many members are in a room, on average.
const MEMBERS: usize = 50;
/// So many may be on their way in at a time: fewer than wait in the system's queue.
const OPENING: usize = 64;
/// How long the rest of a message that is cut is held.
const CUT: Duration = Duration::from_millis(50);

/// Something that is begun so many times a second.
#[derive(Clone, Copy, Debug)]
enum Action {
    Say(Saying),
    Tell,
    Move,
    Leave,
    BeRude,
    Sleep,
    BeStuck,
}

/// How often each is done: once a second for so many members, but at least so often.
const ACTIONS: [(Action, f64, f64); 10] = [
    (Action::Say(Saying::Short), 5.0, 20.0),
    (Action::Say(Saying::Long), 1500.0, 2.0),
    (Action::Say(Saying::Fragmented), 500.0, 2.0),
    (Action::Say(Saying::Cut), 500.0, 2.0),
    (Action::Tell, 250.0, 4.0),
    (Action::Move, 500.0, 2.0),
    (Action::Leave, 300.0, 4.0),
    (Action::BeRude, 600.0, 4.0),
    (Action::Sleep, 30_000.0, 0.5),
    (Action::BeStuck, 75_000.0, 0.2),
];

/// What changes how many there are, and in which rooms: not while they are counted.
const fn is_churn(action: Action) -> bool {
    matches!(action, Action::Move | Action::Leave)
}

pub(crate) struct Crowd {
    pub(crate) world: World,
    address: SocketAddr,
    /// How many members there are to be.
    pub(crate) target: usize,
    /// Whether the peers do things; otherwise they only come, and answer.
    pub(crate) is_busy: bool,
    /// Whether members move and leave; those that have left are replaced all the same.
    pub(crate) is_churning: bool,
    poll: Poll,
    events: Events,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    wakes: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    /// What is left to be done of each action: less than one, but for those that found nobody.
    owed: [f64; ACTIONS.len()],
    number: u64,
    searched: Instant,
}

impl Crowd {
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub(crate) fn new(address: SocketAddr, target: usize) -> io::Result<Self> {
        Ok(Self {
            world: World::new(target.div_ceil(MEMBERS)),
            address,
            target,
            is_busy: false,
            is_churning: true,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            peers: Vec::new(),
            free: Vec::new(),
            wakes: BinaryHeap::new(),
            owed: [0.0; ACTIONS.len()],
            number: 0,
            searched: Instant::now(),
        })
    }

    /// Waits for something to do, ten milliseconds at most, and does it.
    ///
    /// # Errors
    ///
    /// Only if waiting itself fails.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let timeout = Some(Duration::from_millis(10));
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let before = std::mem::replace(&mut self.world.now, Instant::now());
        self.world.lag = self.world.lag.max(self.world.now - before);
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for place in ready {
            self.with(place, Peer::ready);
        }
        self.wake();
        self.fill_up();
        if self.is_busy {
            self.act(self.world.now - before);
        }
        self.look_for_lost();
        Ok(())
    }

    /// How many peers there are, of all kinds.
    pub(crate) fn len(&self) -> usize {
        self.peers.len() - self.free.len()
    }

    /// Whether nobody is coming, moving or leaving.
    pub(crate) fn is_settled(&self) -> bool {
        let world = &self.world;
        world.opening + world.moving + world.leaving == 0 && world.members == self.target
    }

    /// Asks the server for what it counts; [`World::answer`] has it later.
    pub(crate) fn ask(&mut self) {
        self.world.answer = None;
        self.connect(Role::Asker);
    }

    /// Lets all members leave that can; whoever is busy is left for the next time.
    pub(crate) fn send_home(&mut self) {
        self.target = 0;
        for place in 0..self.peers.len() {
            self.leave(place, Leaving::Closes);
        }
    }

    /// Lets a peer go on, and drops it if it does not.
    fn with(&mut self, place: usize, what: fn(&mut Peer, &mut World) -> Result<bool, String>) {
        let Some(peer) = self.peers.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        match what(peer, &mut self.world) {
            Ok(true) => {
                let wake = peer.wake_at.take();
                let wake = wake.map(|moment| Reverse((moment, place, peer.number)));
                self.wakes.extend(wake);
            }
            Ok(false) => self.drop(place),
            Err(why) => {
                let failure = format!("{}: {why}", peer.what());
                self.world.tally.fail(failure);
                self.drop(place);
            }
        }
    }

    fn drop(&mut self, place: usize) {
        if let Some(mut peer) = self.peers[place].take() {
            peer.forget(&mut self.world);
            self.free.push(place);
        }
    }

    fn connect(&mut self, role: Role) -> bool {
        self.number += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        let peer =
            Peer::connect(self.address, role, self.number, self.world.now).and_then(|mut peer| {
                let registry = self.poll.registry();
                registry.register(&mut peer.wire.stream, Token(place), interest)?;
                Ok(peer)
            });
        match peer {
            Ok(peer) => {
                self.peers[place] = Some(peer);
                true
            }
            Err(error) => {
                self.world.tally.fail(format!("cannot connect: {error}"));
                self.free.push(place);
                false
            }
        }
    }

    /// Wakes those whose time has come.
    fn wake(&mut self) {
        while let Some(&Reverse((moment, place, number))) = self.wakes.peek() {
            if moment > self.world.now {
                return;
            }
            self.wakes.pop();
            let peer = self.peers.get(place).and_then(Option::as_ref);
            if peer.is_some_and(|peer| peer.number == number) {
                self.with(place, Peer::wake);
            }
        }
    }

    /// Lets new members come instead of those that have left, each into a room that is quiet.
    fn fill_up(&mut self) {
        while self.world.opening < OPENING && self.world.members + self.world.opening < self.target
        {
            let Some(room) = self.roomy() else { return };
            self.world.rooms.expect(room);
            self.world.opening += 1;
            if !self.connect(Role::Member(Member::new(room))) {
                self.world.rooms.give_up(room);
                self.world.opening -= 1;
                return;
            }
        }
    }

    /// The smallest of some rooms that are quiet.
    fn roomy(&mut self) -> Option<usize> {
        let rooms = &self.world.rooms;
        let some: Vec<usize> = (0..8)
            .map(|_| self.world.dice.below(rooms.count()))
            .collect();
        let quiet = some.into_iter().filter(|&room| rooms.is_quiet(room));
        quiet.min_by_key(|&room| rooms.size(room))
    }

    fn act(&mut self, span: Duration) {
        for (number, (action, members, least)) in ACTIONS.into_iter().enumerate() {
            if is_churn(action) && !self.is_churning {
                continue;
            }
            let rate = (self.target as f64 / members).max(least);
            // After a pause no more is caught up on than a second's worth.
            self.owed[number] = (self.owed[number] + rate * span.as_secs_f64()).min(rate.max(1.0));
            while self.owed[number] >= 1.0 {
                self.owed[number] -= 1.0;
                self.begin(action);
            }
        }
    }

    fn begin(&mut self, action: Action) {
        match action {
            Action::Say(saying) => self.say(saying),
            Action::Tell => self.tell(),
            Action::Move => self.start_to_move(),
            Action::Leave => {
                let how = Leaving::ALL[self.world.dice.below(Leaving::ALL.len())];
                let place = self.someone();
                place.into_iter().for_each(|place| self.leave(place, how));
            }
            Action::BeRude => {
                // One after the other, so that each has its turn.
                let case = &CASES[(self.number % CASES.len() as u64) as usize];
                self.connect(Role::Rude(Rude::new(case)));
            }
            Action::Sleep => _ = self.connect(Role::Sleeper(Sleeper::default())),
            Action::BeStuck => {
                let reads = self.world.dice.below(2) == 0;
                self.connect(Role::Stuck(Stuck::new(reads)));
            }
        }
    }

    /// The place of a member that has nothing under way, if one is found.
    fn someone(&mut self) -> Option<usize> {
        (0..16).find_map(|_| {
            let place = self.world.dice.below(self.peers.len());
            let (member, _) = self.peers[place].as_mut()?.member()?;
            member.is_idle().then_some(place)
        })
    }

    /// Sends what was queued for a peer.
    fn flush(&mut self, place: usize) {
        self.with(place, |peer, _| {
            // That a connection is lost is seen by reading.
            let _ = peer.wire.flush();
            Ok(true)
        });
    }

    fn say(&mut self, saying: Saying) {
        let Some(place) = self.someone() else { return };
        let Some(peer) = &mut self.peers[place] else {
            return;
        };
        if let Some((member, wire)) = peer.member() {
            member.say(wire, &mut self.world, saying);
        }
        if matches!(saying, Saying::Cut) {
            peer.wake_at = Some(self.world.now + CUT);
        }
        self.flush(place);
    }

    fn tell(&mut self) {
        let Some(place) = self.someone() else { return };
        if let Some((member, wire)) = self.peers[place].as_mut().and_then(Peer::member) {
            member.tell(wire, &mut self.world);
        }
        self.flush(place);
    }

    fn start_to_move(&mut self) {
        let (Some(place), Some(room)) = (self.someone(), self.roomy()) else {
            return;
        };
        if let Some((member, wire)) = self.peers[place].as_mut().and_then(Peer::member)
            && member.room != room
            && self.world.rooms.is_quiet(member.room)
        {
            member.start_to_move(wire, &mut self.world, room);
        }
        self.flush(place);
    }

    fn leave(&mut self, place: usize, how: Leaving) {
        let Some(peer) = &mut self.peers[place] else {
            return;
        };
        let Some((member, wire)) = peer.member() else {
            return;
        };
        if !member.is_idle() || !self.world.rooms.is_quiet(member.room) {
            return;
        }
        member.leave(wire, &mut self.world, how);
        peer.hurry(self.world.now);
        self.flush(place);
    }

    /// Once a second: whoever waits for something that does not come is a failure.
    fn look_for_lost(&mut self) {
        let now = self.world.now;
        if now - self.searched < Duration::from_secs(1) {
            return;
        }
        self.searched = now;
        self.world.rooms.look_for_lost(now, &mut self.world.tally);
        for place in 0..self.peers.len() {
            let late = self.peers[place].as_ref().and_then(|peer| peer.late(now));
            if let (Some(late), Some(peer)) = (late, &self.peers[place]) {
                let failure = format!("{}: {late}", peer.what());
                self.world.tally.fail(failure);
                self.drop(place);
            }
        }
    }
}
