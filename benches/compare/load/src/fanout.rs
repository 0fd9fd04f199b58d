//! Fan-out: some members of one room speak, and all others hear it.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::batch::{Batch, Kind};
use crate::histogram::Histogram;
use crate::measure::{Line, Reading};
use crate::reactor::Reactor;

/// A server that joins a connection to the room after its 101 has this long for it.
const JOINING: Duration = Duration::from_millis(200);

/// Rounds: all senders send a batch, and the next when every member has heard all of the others'.
struct Rounds {
    senders: usize,
    depth: u64,
    begun: u64,
    /// What each member has heard, in all rounds.
    heard: Vec<u64>,
    /// How many deliveries are still out in this round.
    left: u64,
    deliveries: u64,
    asked: Instant,
    times: Histogram,
}

impl Rounds {
    fn new(members: usize, senders: usize, depth: usize) -> Self {
        Self {
            senders,
            depth: depth as u64,
            begun: 0,
            heard: vec![0; members],
            left: 0,
            deliveries: 0,
            asked: Instant::now(),
            times: Histogram::new(),
        }
    }

    /// What a member hears in one round: everyone but itself.
    fn due(&self, place: usize) -> u64 {
        let others = self.senders - usize::from(place < self.senders);
        others as u64 * self.depth
    }

    fn begin(&mut self, reactor: &mut Reactor) -> io::Result<()> {
        self.begun += 1;
        self.left = (self.heard.len() as u64 - 1) * self.senders as u64 * self.depth;
        self.asked = Instant::now();
        for sender in &mut reactor.links[..self.senders] {
            sender.ask(self.asked)?;
        }
        Ok(())
    }

    /// Counts what a member has heard. None hears too much and all together the right number: so each
    /// hears exactly what it should.
    #[inline]
    fn heard(&mut self, place: usize, messages: u64) -> io::Result<()> {
        self.heard[place] += messages;
        if self.heard[place] > self.begun * self.due(place) {
            return Err(io::Error::other("a member heard more than was said to it"));
        }
        self.left -= messages;
        self.deliveries += messages;
        Ok(())
    }

    fn run(&mut self, reactor: &mut Reactor, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while reactor.now < end {
            if self.left == 0 {
                self.begin(reactor)?;
            }
            reactor.turn(|place, link, messages| {
                self.heard(place, messages)?;
                link.answers %= link.due;
                Ok(())
            })?;
            if self.left == 0 {
                self.times.record(reactor.now - self.asked);
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.deliveries = 0;
        self.times.clear();
    }
}

/// Opens the room's members, of whom the first are the senders.
fn open(arguments: &Arguments, rounds: &Rounds) -> io::Result<Reactor> {
    let (size, depth) = (arguments.size()?, rounds.depth as usize);
    let batch = Rc::new(Batch::new(Kind::Binary, size, depth, arguments.is_raw()));
    let members = rounds.heard.len();
    let mut reactor = Reactor::new()?;
    reactor.open(arguments.address()?, "/room", members, &batch)?;
    for (place, link) in reactor.links.iter_mut().enumerate() {
        link.due = rounds.due(place);
    }
    std::thread::sleep(JOINING);
    for sender in 0..rounds.senders {
        let others: Vec<usize> = (0..members).filter(|&place| place != sender).collect();
        reactor.compare(sender, &others)?;
    }
    Ok(reactor)
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Line> {
    let process = arguments.process()?;
    let (members, senders) = (arguments.count("members")?, arguments.count("senders")?);
    if senders > members || members < 2 {
        let text = "a room has two members at least, and no more senders than members";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut rounds = Rounds::new(members, senders, arguments.count("depth")?);
    let mut reactor = open(arguments, &rounds)?;
    rounds.run(&mut reactor, arguments.warmup()?)?;
    rounds.clear();
    reactor.busy = Duration::ZERO;
    let start = Reading::take(process.as_ref())?;
    rounds.run(&mut reactor, arguments.seconds()?)?;
    let used = start.until_now(process.as_ref())?;
    Ok(Line::default()
        .with("messages", rounds.deliveries)
        .with_used(used)
        .with("p50_ns", rounds.times.quantile(0.5))
        .with("p99_ns", rounds.times.quantile(0.99))
        .with("own_ns", reactor.busy.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_due_what_the_others_say() {
        let rounds = Rounds::new(5, 2, 8);
        let due: Vec<u64> = (0..5).map(|place| rounds.due(place)).collect();
        assert_eq!(due, [8, 8, 16, 16, 16]);
        assert_eq!(due.iter().sum::<u64>(), (5 - 1) * 2 * 8);
    }

    #[test]
    fn a_member_that_hears_too_much_is_an_error() {
        let mut rounds = Rounds::new(3, 1, 1);
        rounds.begun = 1;
        rounds.left = 2;
        assert!(rounds.heard(1, 1).is_ok());
        assert!(rounds.heard(1, 1).is_err());
        assert!(rounds.heard(0, 1).is_err());
    }
}
