//! A server that listens: run it, or drive it a turn at a time.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::core::{Acceptor, Core};
use crate::net::listener::Listener;
use crate::net::poller::Poller;
use crate::net::reactor::Reactor;
use crate::ws::hub::Hub;
use crate::ws::journal::Entry;
use crate::ws::remote::Remote;
use crate::ws::watchdog::{Patrol, Watchdog};

/// TCP connections beyond the places for sockets: to refuse upgrades politely, and for plain HTTP.
const RESERVE: usize = 256;

/// A server that listens, on the thread that bound it.
///
/// ```
/// use rushwire::App;
/// use std::time::Duration;
///
/// let mut server = App::new().bind("127.0.0.1:0")?;
/// println!("listening on {:?}", server.local_addr());
/// let remote = server.remote();
/// std::thread::spawn(move || remote.shutdown(Duration::from_secs(1)));
/// server.run()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server {
    pub(super) reactor: Reactor<Acceptor>,
    pub(super) core: Rc<Core>,
    /// When what is left of a shutdown is cut.
    pub(super) deadline: Option<Instant>,
    /// Dropped last: what runs when everything ends is watched, too.
    _patrol: Option<Patrol>,
}

impl Server {
    pub(super) fn new(core: Rc<Core>, listener: Option<Listener>) -> io::Result<Self> {
        let max = core.options.max_connections.saturating_add(RESERVE);
        let links = Rc::clone(core.hub.links());
        let patrol = core.hub.watchdog().map(Watchdog::start).transpose()?;
        let poller = listener.as_ref().map_or_else(Poller::system, Poller::of)?;
        let acceptor = Acceptor(Rc::clone(&core));
        let mut reactor = Reactor::new(links, poller, max, core.hub.mailbox(), acceptor)?;
        if let Some(listener) = listener {
            reactor.listen(listener)?;
            core.hub.note(Entry::Listening(reactor.local_addr()));
        }
        Ok(Self {
            reactor,
            core,
            deadline: None,
            _patrol: patrol,
        })
    }

    /// The TCP address that is listened on. `None` for a Unix-domain socket, or after a shutdown.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.reactor.local_addr()
    }

    /// All sockets of the server.
    pub fn hub(&self) -> &Hub {
        &self.core.hub
    }

    /// Reaches the server from any thread.
    pub fn remote(&self) -> Remote {
        self.core.hub.remote()
    }

    /// Runs until the server is shut down and everyone has gone.
    ///
    /// # Errors
    ///
    /// Only if waiting for readiness itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_done() {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Waits for something to do, `timeout` at most (`None`: as long as it takes), and does it. What
    /// one turn leaves to the next, for fairness, makes [`timeout`](Self::timeout) zero.
    ///
    /// For driving the server from another loop: that waits for the descriptor of [`AsRawFd`] to be
    /// readable (level-triggered), for [`timeout`](Self::timeout) at most, and then calls this with
    /// [`Duration::ZERO`].
    ///
    /// [`AsRawFd`]: std::os::fd::AsRawFd
    ///
    /// # Errors
    ///
    /// Only if waiting for readiness itself fails.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let left = self.time_left();
        self.reactor
            .turn([timeout, left].into_iter().flatten().min())?;
        // First the cut, then the beginning: even without grace, one turn writes the close frames.
        if self.deadline.is_some_and(|deadline| deadline <= self.now()) {
            self.reactor.cut();
        }
        if let Some(grace) = self.core.hub.take_shutdown() {
            self.begin_shutdown(grace);
        }
        Ok(())
    }

    /// How long the next [`turn`](Self::turn) would wait if nothing happened. `None`: for ever.
    pub fn timeout(&mut self) -> Option<Duration> {
        let left = self.time_left();
        [self.reactor.patience(), left].into_iter().flatten().min()
    }

    /// Whether the server was shut down and everyone has gone.
    pub fn is_done(&self) -> bool {
        self.deadline.is_some() && self.reactor.connections() == 0
    }

    /// Whether nobody is connected, however it came to be.
    pub(crate) fn is_idle(&self) -> bool {
        self.reactor.connections() == 0
    }

    /// How long a turn may wait because of a shutdown: not at all if one was just asked for.
    fn time_left(&self) -> Option<Duration> {
        if self.core.hub.is_shutdown_asked() {
            return Some(Duration::ZERO);
        }
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> Instant {
        self.core.hub.links().time.now()
    }

    fn begin_shutdown(&mut self, grace: Duration) {
        let now = self.now();
        let deadline = now.checked_add(grace);
        // A moment beyond what the clock can tell is as good as a year.
        let deadline = deadline.unwrap_or_else(|| now + Duration::from_secs(31_536_000));
        self.deadline = Some(
            self.deadline
                .map_or(deadline, |earlier| earlier.min(deadline)),
        );
        // From now on whoever comes is told, those who wait at the door among them.
        if !self.core.closing.replace(true) {
            self.reactor.stop_listening();
            self.core.hub.dials().stop();
            self.reactor.shutdown();
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Server {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.reactor.as_raw_fd()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.local_addr())
            .field("connections", &self.reactor.connections())
            .finish_non_exhaustive()
    }
}
