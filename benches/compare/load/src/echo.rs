//! Echo: each connection keeps a batch in flight and sends the next when all its answers are there.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::batch::Batch;
use crate::histogram::Histogram;
use crate::link::Link;
use crate::measure::{Line, Reading};
use crate::reactor::Reactor;

/// The closed loop, and what it has seen.
pub(crate) struct Closed {
    pub(crate) messages: u64,
    /// Round trips of whole batches.
    pub(crate) times: Histogram,
}

impl Closed {
    pub(crate) fn new() -> Self {
        Self {
            messages: 0,
            times: Histogram::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.messages = 0;
        self.times.clear();
    }

    /// Counts answers, and sends the next batch when they are all there.
    #[inline]
    pub(crate) fn heard(&mut self, link: &mut Link, messages: u64) -> io::Result<()> {
        self.messages += messages;
        if link.is_answered()? {
            let now = Instant::now();
            self.times.record(now - link.asked);
            link.ask(now)?;
        }
        Ok(())
    }

    /// Runs until `time` has passed.
    fn run(&mut self, reactor: &mut Reactor, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while reactor.now < end {
            reactor.turn(|_, link, messages| self.heard(link, messages))?;
        }
        Ok(())
    }
}

/// Sends the first batch of each.
pub(crate) fn start(links: &mut [Link]) -> io::Result<()> {
    links
        .iter_mut()
        .try_for_each(|link| link.ask(Instant::now()))
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Line> {
    let process = arguments.process()?;
    let depth = arguments.count("depth")?;
    let (kind, size) = (arguments.kind()?, arguments.size()?);
    let batch = Rc::new(Batch::new(kind, size, depth, arguments.is_raw()));
    let connections = arguments.count("connections")?;
    let mut reactor = Reactor::new()?;
    reactor.open(arguments.address()?, "/echo", connections, &batch)?;
    reactor.compare_echoes(0)?;

    let mut closed = Closed::new();
    start(&mut reactor.links)?;
    closed.run(&mut reactor, arguments.warmup()?)?;
    closed.clear();
    reactor.busy = Duration::ZERO;
    let start = Reading::take(process.as_ref())?;
    closed.run(&mut reactor, arguments.seconds()?)?;
    let used = start.until_now(process.as_ref())?;
    Ok(Line::default()
        .with("messages", closed.messages)
        .with_used(used)
        .with("p50_ns", closed.times.quantile(0.5))
        .with("p99_ns", closed.times.quantile(0.99))
        .with("own_ns", reactor.busy.as_nanos()))
}
