//! The loop that all cells but the handshake run on. It spins: it never sleeps, so nothing of a
//! server's time is spent on waking it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::batch::Batch;
use crate::link::{Input, Link};
use crate::opening;

/// How long a server may leave all questions unanswered, and after how many idle turns to look.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: u32 = 1 << 14;

pub(crate) struct Reactor {
    poll: Poll,
    events: Events,
    pub(crate) links: Vec<Link>,
    pub(crate) input: Input,
    /// When something was heard last, and how often nothing was since.
    heard: Instant,
    idle: u32,
    /// How long it may be silent.
    pub(crate) patience: Duration,
    /// When the last turn ended.
    pub(crate) now: Instant,
    /// Time spent on anything but waiting.
    pub(crate) busy: Duration,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            links: Vec::new(),
            input: Input::new(),
            heard: now,
            idle: 0,
            patience: PATIENCE,
            now,
            busy: Duration::ZERO,
        })
    }

    /// Opens `count` more connections, each to send `batch`.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        path: &str,
        count: usize,
        batch: &Rc<Batch>,
    ) -> io::Result<()> {
        let first = self.links.len();
        let streams = opening::open(&mut self.poll, address, path, first, count)?;
        let links = streams.into_iter().map(|stream| Link::new(stream, batch));
        self.links.extend(links);
        self.heard = Instant::now();
        Ok(())
    }

    /// Tells `heard` the place and the count of each connection that got whole messages.
    ///
    /// # Errors
    ///
    /// A connection is lost, an answer is wrong, or nothing came for too long.
    #[inline]
    pub(crate) fn turn(
        &mut self,
        mut heard: impl FnMut(usize, &mut Link, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        for event in &self.events {
            let place = event.token().0;
            let link = &mut self.links[place];
            if link.is_asking() && event.is_writable() {
                link.write()?;
            }
            if event.is_readable() {
                let messages = link.hear(&mut self.input)?;
                if messages > 0 {
                    heard(place, link, messages)?;
                }
            }
        }
        let before = std::mem::replace(&mut self.now, Instant::now());
        if self.events.is_empty() {
            return self.was_idle();
        }
        self.heard = self.now;
        self.busy += self.now - before;
        Ok(())
    }

    fn was_idle(&mut self) -> io::Result<()> {
        self.idle = self.idle.wrapping_add(1);
        if !self.idle.is_multiple_of(LOOK) || self.now - self.heard < self.patience {
            return Ok(());
        }
        let text = format!("no answer for {} seconds", self.patience.as_secs());
        Err(io::Error::other(text))
    }

    /// Lets `speaker` say one message and compares in full what each of `listeners` hears.
    pub(crate) fn compare(&mut self, speaker: usize, listeners: &[usize]) -> io::Result<()> {
        let start = Instant::now();
        let mut heard: Vec<Vec<u8>> = vec![Vec::new(); listeners.len()];
        let mut waiting: Vec<usize> = (0..listeners.len()).collect();
        let mut said = self.links[speaker].say(0)?;
        while !waiting.is_empty() {
            said = self.links[speaker].say(said)?;
            let mut still = Vec::with_capacity(waiting.len());
            for index in waiting {
                let link = &mut self.links[listeners[index]];
                if !link.has_heard(&mut heard[index], &mut self.input)? {
                    still.push(index);
                }
            }
            waiting = still;
            if start.elapsed() > PATIENCE {
                let missing = waiting.len();
                let text = format!("{missing} connections never heard the first message");
                return Err(io::Error::other(text));
            }
        }
        self.heard = Instant::now();
        Ok(())
    }

    /// Has each of the connections from `first` on hear its own message.
    pub(crate) fn compare_echoes(&mut self, first: usize) -> io::Result<()> {
        (first..self.links.len()).try_for_each(|place| self.compare(place, &[place]))
    }
}
