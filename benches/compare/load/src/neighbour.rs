//! A noisy neighbour: what the many small ones feel of one connection that sends large messages.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::batch::{Batch, Kind};
use crate::echo::{self, Closed};
use crate::measure::{Line, Reading, Used};
use crate::process::Process;
use crate::reactor::Reactor;

const SMALL: usize = 20;
const CONNECTIONS: usize = 100;
const BIG: usize = 1024 * 1024;
/// Quiet and noisy take turns, so that a drift of the machine meets both.
const SLICES: u32 = 4;
/// What the generator moves of a large message at once: its own work must not be the noise.
const STRIDE: usize = 16 * 1024;

struct Neighbours {
    reactor: Reactor,
    big_is_asking: bool,
    big_messages: u64,
}

/// What was seen with or without noise.
struct Side {
    noisy: bool,
    closed: Closed,
    used: Used,
}

impl Neighbours {
    fn open(address: SocketAddr, raw: bool) -> io::Result<Self> {
        let small = Rc::new(Batch::new(Kind::Binary, SMALL, 1, raw));
        let big = Rc::new(Batch::new(Kind::Binary, BIG, 1, raw));
        let mut reactor = Reactor::new()?;
        reactor.open(address, "/echo", CONNECTIONS, &small)?;
        reactor.open(address, "/echo", 1, &big)?;
        reactor.compare_echoes(0)?;
        reactor.links[CONNECTIONS].go_in_strides(STRIDE);
        Ok(Self {
            reactor,
            big_is_asking: false,
            big_messages: 0,
        })
    }

    fn turn(&mut self, closed: &mut Closed) -> io::Result<()> {
        let mut answered = 0;
        self.reactor.turn(|place, link, messages| {
            if place < CONNECTIONS {
                return closed.heard(link, messages);
            }
            answered += messages;
            Ok(())
        })?;
        if self.big_is_asking {
            let big = &mut self.reactor.links[CONNECTIONS];
            answered += big.step(&mut self.reactor.input)?;
            self.big_is_asking = !big.is_answered()?;
        }
        self.big_messages += answered;
        Ok(())
    }

    /// Runs for `time`, with the large messages or without.
    fn run(&mut self, side: &mut Side, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while self.reactor.now < end {
            if side.noisy && !self.big_is_asking {
                self.reactor.links[CONNECTIONS].ask(Instant::now())?;
                self.big_is_asking = true;
            }
            self.turn(&mut side.closed)?;
        }
        Ok(())
    }

    /// Waits until the last large message is over.
    fn calm(&mut self) -> io::Result<()> {
        let mut unseen = Closed::new();
        while self.big_is_asking {
            self.turn(&mut unseen)?;
        }
        Ok(())
    }

    /// One slice of one side, measured.
    fn slice(
        &mut self,
        side: &mut Side,
        time: Duration,
        process: Option<&Process>,
    ) -> io::Result<()> {
        self.calm()?;
        let start = Reading::take(process)?;
        self.run(side, time)?;
        side.used = side.used + start.until_now(process)?;
        Ok(())
    }
}

impl Side {
    fn new(noisy: bool) -> Self {
        Self {
            noisy,
            closed: Closed::new(),
            used: Used::default(),
        }
    }

    /// The line's pairs of this side.
    fn written(&self, line: Line, name: &str) -> Line {
        let times = &self.closed.times;
        line.with(&format!("{name}_messages"), self.closed.messages)
            .with_cpu(&format!("{name}_cpu_ns"), self.used)
            .with(&format!("{name}_p50_ns"), times.quantile(0.5))
            .with(&format!("{name}_p99_ns"), times.quantile(0.99))
    }
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Line> {
    let process = arguments.process()?;
    let mut neighbours = Neighbours::open(arguments.address()?, arguments.is_raw())?;
    echo::start(&mut neighbours.reactor.links[..CONNECTIONS])?;
    for noisy in [true, false] {
        neighbours.run(&mut Side::new(noisy), arguments.warmup()? / 2)?;
    }
    let (mut quiet, mut noisy) = (Side::new(false), Side::new(true));
    let time = arguments.seconds()? / (2 * SLICES);
    neighbours.calm()?;
    neighbours.big_messages = 0;
    for _ in 0..SLICES {
        neighbours.slice(&mut quiet, time, process.as_ref())?;
        neighbours.slice(&mut noisy, time, process.as_ref())?;
    }
    let bytes = neighbours.big_messages as f64 * BIG as f64;
    let line = Line::default()
        .with("messages", quiet.closed.messages + noisy.closed.messages)
        .with_used(quiet.used + noisy.used);
    let line = noisy.written(quiet.written(line, "quiet"), "noisy");
    let rate = bytes / noisy.used.wall.as_secs_f64();
    Ok(line.with("big_bytes_per_second", rate as u64))
}
