//! The run: everyone comes, ten seconds after ten seconds pass and are looked at, everyone leaves.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::counts;
use super::crowd::Crowd;
use super::gauges::slope;
use super::process::Server;
use super::settings::Settings;
use super::tally::Latency;

const PERIOD: Duration = Duration::from_secs(10);
/// How long the server may take to count what the clients count.
const AGREEMENT: Duration = Duration::from_secs(10);
/// What the server's memory may grow by, and how long that has to be watched to be worth something.
const SLOPE: f64 = 1.0; // MiB a minute
const WORTH: Duration = Duration::from_secs(300);
/// After so many failures nothing more is learnt.
const TOO_MANY: u64 = 1000;

pub(crate) struct Soak {
    crowd: Crowd,
    server: Server,
    settings: Settings,
    stop: Arc<AtomicBool>,
    begun: Instant,
    /// Minutes since everyone was there, and MiB.
    memory: Vec<(f64, f64)>,
    latency: Latency,
    /// How late the server's loop was at worst since the last line, in milliseconds.
    lag: u64,
}

impl Soak {
    /// # Errors
    ///
    /// The server does not start, or the system has no descriptor left.
    pub(crate) fn new(settings: Settings, stop: Arc<AtomicBool>) -> io::Result<Self> {
        let server = Server::start(&settings)?;
        Ok(Self {
            crowd: Crowd::new(server.address, settings.connections)?,
            server,
            settings,
            stop,
            begun: Instant::now(),
            memory: Vec::new(),
            latency: Latency::default(),
            lag: 0,
        })
    }

    /// Runs to the end. Whether all was as it must be.
    ///
    /// # Errors
    ///
    /// Only if waiting itself fails.
    pub(crate) fn run(&mut self) -> io::Result<bool> {
        let Settings {
            connections,
            minutes,
            ..
        } = self.settings;
        println!(
            "{connections} connections for {minutes} minutes; the server is process {} at {}",
            self.server.id(),
            self.server.address
        );
        let is_whole = self.come()? && self.stay()? && self.leave()?;
        if is_whole {
            let ended_well = self.server.end();
            self.check(ended_well, || "the server has not ended well".to_owned());
        }
        self.summary();
        Ok(is_whole && self.crowd.world.tally.failures == 0)
    }

    /// One turn. `false`: the server has gone, or too much has failed.
    fn turn(&mut self) -> io::Result<bool> {
        self.crowd.turn()?;
        let ended = self.server.ended();
        let goes_on = ended.is_none() && self.crowd.world.tally.failures < TOO_MANY;
        if let Some(ended) = ended {
            self.crowd.world.tally.end(ended);
        }
        Ok(goes_on)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn check(&mut self, holds: bool, failure: impl FnOnce() -> String) {
        if !holds {
            self.crowd.world.tally.fail(failure());
        }
    }

    /// Everyone comes. `false`: as for [`turn`](Self::turn).
    fn come(&mut self) -> io::Result<bool> {
        let patience =
            Duration::from_secs(30) + Duration::from_millis(10) * self.settings.connections as u32;
        while !self.crowd.is_settled() && !self.is_stopped() {
            if !self.turn()? {
                return Ok(false);
            }
            if self.begun.elapsed() > patience {
                let members = self.crowd.world.members;
                self.check(false, || {
                    format!("only {members} have come in {patience:?}")
                });
                return Ok(false);
            }
        }
        println!(
            "all have come in {:.1} s",
            self.begun.elapsed().as_secs_f64()
        );
        self.begun = Instant::now();
        Ok(true)
    }

    /// Period after period. `false`: as for [`turn`](Self::turn).
    fn stay(&mut self) -> io::Result<bool> {
        self.crowd.is_busy = true;
        let (mut next, mut weighed) = (PERIOD, Duration::ZERO);
        while self.begun.elapsed() < self.settings.span() && !self.is_stopped() {
            if !self.turn()? {
                return Ok(false);
            }
            if self.begun.elapsed() > weighed {
                weighed = self.begun.elapsed() + Duration::from_secs(1);
                let minutes = self.begun.elapsed().as_secs_f64() / 60.0;
                self.memory
                    .extend(self.server.memory().map(|memory| (minutes, memory)));
            }
            if self.begun.elapsed() >= next {
                next += PERIOD;
                if !self.compare()? {
                    return Ok(false);
                }
                self.progress();
            }
        }
        Ok(true)
    }

    /// Everyone leaves, and nothing is left. `false`: as for [`turn`](Self::turn).
    fn leave(&mut self) -> io::Result<bool> {
        self.crowd.is_busy = false;
        while self.crowd.len() > 0 {
            self.crowd.send_home();
            if !self.turn()? {
                return Ok(false);
            }
        }
        if !self.compare()? {
            return Ok(false);
        }
        let answer = self.crowd.world.answer.take().unwrap_or_default();
        for (name, counted, known) in counts::sums(&answer, &self.crowd.world.tally) {
            self.check(counted == known, || {
                format!("{name}: the server counts {counted}, and the clients {known}")
            });
        }
        Ok(true)
    }

    /// Sees whether server and clients count the same, as soon as nobody comes, moves or leaves.
    /// `false`: as for [`turn`](Self::turn).
    fn compare(&mut self) -> io::Result<bool> {
        self.crowd.is_churning = false;
        let since = Instant::now();
        let mut difference = "nobody has answered".to_owned();
        let mut asked = None;
        while since.elapsed() < 2 * AGREEMENT && !difference.is_empty() {
            if !self.turn()? {
                return Ok(false);
            }
            if let Some(answer) = &self.crowd.world.answer
                && asked.is_some()
            {
                self.lag = self.lag.max(counts::lag(answer));
                difference = match self.crowd.target == 0 || self.crowd.is_settled() {
                    true => counts::difference(answer, &self.crowd.world),
                    false => "members come, move or leave, and do not get ready".to_owned(),
                };
            }
            let is_time =
                asked.is_none_or(|asked: Instant| asked.elapsed() > Duration::from_millis(200));
            let is_answered = asked.is_none() || self.crowd.world.answer.is_some();
            if !difference.is_empty() && is_time && is_answered {
                self.crowd.ask();
                asked = Some(Instant::now());
            }
        }
        self.check(difference.is_empty(), || difference);
        self.crowd.is_churning = true;
        Ok(true)
    }

    /// One line, and the times of the next period begin.
    fn progress(&mut self) {
        let latency = std::mem::take(&mut self.crowd.world.latency);
        let world = &self.crowd.world;
        let tally = &world.tally;
        println!(
            "{:4} s: {} members of {} rooms, {} peers; echo p50 {:.1} p99 {:.1} ms, room p50 {:.1} p99 {:.1} ms; \
             lag {} and {} ms; {} echoes, {} deliveries, {} left, {} moved, {} rude, {} slept, {} stuck; server {}; {} failures",
            self.begun.elapsed().as_secs(),
            world.members,
            world.rooms.count(),
            self.crowd.len(),
            latency.echo.quantile(0.5),
            latency.echo.quantile(0.99),
            latency.room.quantile(0.5),
            latency.room.quantile(0.99),
            self.lag,
            world.lag.as_millis(),
            tally.echoes,
            tally.deliveries,
            tally.left,
            tally.moved,
            tally.rude,
            tally.slept,
            tally.stuck,
            in_mib(self.server.memory()),
            tally.failures,
        );
        (self.lag, self.crowd.world.lag) = (0, Duration::ZERO);
        self.latency.echo.add_all(&latency.echo);
        self.latency.room.add_all(&latency.room);
    }

    /// What came of it all; what is not as it must be is told before.
    fn summary(&mut self) {
        let half = self.memory.len() / 2;
        let slope = slope(self.memory.get(half..).unwrap_or_default());
        let span = self.memory.last().map_or(0.0, |&(minutes, _)| minutes);
        let is_worth = span * 60.0 >= WORTH.as_secs_f64();
        if let Some(slope) = slope.filter(|_| is_worth) {
            self.check(slope < SLOPE, || {
                format!("the server's memory grows by {slope:.2} MiB a minute")
            });
        }
        let (echo, room) = (&self.latency.echo, &self.latency.room);
        let p99 = echo.quantile(0.99);
        println!(
            "echo p50 {:.1} p99 {p99:.1} p99.9 {:.1} ms of {}; room p50 {:.1} p99 {:.1} p99.9 {:.1} ms of {}",
            echo.quantile(0.5),
            echo.quantile(0.999),
            echo.count(),
            room.quantile(0.5),
            room.quantile(0.99),
            room.quantile(0.999),
            room.count(),
        );
        let allowed = self.settings.p99;
        self.check(p99 <= allowed, || {
            format!("one of 100 echoes takes {p99:.1} ms or more; allowed are {allowed}")
        });
        let judged = if is_worth {
            ""
        } else {
            ", too short to be judged"
        };
        println!(
            "server's memory: {} at first, {} at last; slope of the second half {} a minute{judged}",
            in_mib(self.memory.first().map(|first| first.1)),
            in_mib(self.memory.last().map(|last| last.1)),
            in_mib(slope),
        );
        match self.crowd.world.tally.failures {
            0 => println!("passed after {span:.1} minutes"),
            failures => println!("FAILED after {span:.1} minutes: {failures} failures"),
        }
    }
}

fn in_mib(memory: Option<f64>) -> String {
    memory.map_or("unknown".to_owned(), |memory| format!("{memory:.2} MiB"))
}
