//! Connect, upgrade, close, over and over.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::arguments::Arguments;
use crate::histogram::Histogram;
use crate::measure::{Line, Reading};
use crate::opening::{Opening, request};
use crate::reactor::PATIENCE;

/// How many are under way at a time.
const AT_ONCE: usize = 16;

struct Handshakes {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    request: Vec<u8>,
    openings: Vec<Opening>,
    done: u64,
    times: Histogram,
    last: Instant,
}

impl Handshakes {
    fn start(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let request = request(address, "/echo");
        let openings = (0..AT_ONCE)
            .map(|token| Opening::start(address, &request, poll.registry(), Token(token)))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            poll,
            events: Events::with_capacity(AT_ONCE),
            address,
            request,
            openings,
            done: 0,
            times: Histogram::new(),
            last: Instant::now(),
        })
    }

    fn run(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        loop {
            let now = self.turn()?;
            if now >= end {
                return Ok(());
            }
            if now - self.last > PATIENCE {
                return Err(io::Error::other("no 101 for long"));
            }
        }
    }

    fn turn(&mut self) -> io::Result<Instant> {
        self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        let now = Instant::now();
        for event in &self.events {
            let opening = &mut self.openings[event.token().0];
            if !opening.go_on(&self.request)? {
                continue;
            }
            self.times.record(now - opening.began);
            self.done += 1;
            self.last = now;
            opening.close_by_reset()?;
            let registry = self.poll.registry();
            *opening = Opening::start(self.address, &self.request, registry, event.token())?;
        }
        Ok(now)
    }
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Line> {
    let process = arguments.process()?;
    let mut handshakes = Handshakes::start(arguments.address()?)?;
    handshakes.run(arguments.warmup()?)?;
    handshakes.done = 0;
    handshakes.times.clear();
    let start = Reading::take(process.as_ref())?;
    handshakes.run(arguments.seconds()?)?;
    let used = start.until_now(process.as_ref())?;
    Ok(Line::default()
        .with("messages", handshakes.done)
        .with_used(used)
        .with("p50_ns", handshakes.times.quantile(0.5))
        .with("p99_ns", handshakes.times.quantile(0.99)))
}
