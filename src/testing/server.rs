//! A server in a test, and the clock that only the test moves.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::client::Client;
use super::connection::Connection;
use super::dialed::Dialed;
use super::line::Line;
use super::request::Request;
use crate::app::{App, ConfigError, Server};
use crate::net::memory::{End, Network, Time};
use crate::ws::hub::Hub;
use crate::ws::remote::Remote;

/// What a connection holds in each direction, in bytes, as a kernel does for a fast peer.
const WINDOW: usize = 1024 * 1024;
/// Turns at one moment; one that only did what was due counts for [`COST_OF_DUE`]. Whoever brings about
/// something new each time, without end, leaves the rest to the next moment.
const TURNS: usize = 1_000_000;
const COST_OF_DUE: usize = 1000;
/// By so much time moves on when there is still something due.
const STEP: Duration = Duration::from_millis(1);
/// The first of the ports that clients come from.
const PORTS: u16 = 49_152;

/// An application that is served in memory, in a time that stands still. See the
/// [module](crate::testing).
///
/// Dropping it is the server's end: every socket hears it.
pub struct TestServer {
    shared: Rc<Shared>,
}

/// The time of a [`TestServer`], which stands still until it is moved. Cloning copies a pointer.
#[derive(Clone)]
pub struct Clock {
    shared: Rc<Shared>,
}

/// What a server in a test and its clients share.
pub(super) struct Shared {
    /// `None` when it has ended.
    server: RefCell<Option<Server>>,
    network: Network,
    hub: Hub,
    lines: RefCell<HashMap<u32, Weak<RefCell<Line>>>>,
    /// How many have connected.
    count: Cell<u16>,
}

impl TestServer {
    /// Serves `app` in memory. It takes over all that was registered; timers that were set begin now.
    ///
    /// # Errors
    ///
    /// What is wrong with routes or options, as [`App::bind`] tells it.
    pub fn new(mut app: App) -> Result<Self, ConfigError> {
        let network = Network::new(WINDOW);
        let server = app.serve_in_memory(&network)?;
        let shared = Shared {
            server: RefCell::new(Some(server)),
            network,
            hub: app.hub().clone(),
            lines: RefCell::default(),
            count: Cell::new(0),
        };
        Ok(Self {
            shared: Rc::new(shared),
        })
    }

    /// Opens a socket at `target`, a path with or without a query.
    ///
    /// # Panics
    ///
    /// If it is refused, with the answer; [`Request::connect`] gives the refusal instead.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that did not expect this has failed")]
    pub fn connect(&self, target: &str) -> Client {
        match self.request("GET", target).connect() {
            Ok(client) => client,
            Err(answer) => panic!("{target:?} was refused: {answer:?}"),
        }
    }

    /// A request in the making, by a client that is not connected yet: for HTTP, or for a socket.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(&self.shared, method, target)
    }

    /// Asks for `target` with `GET`, and gives the answer.
    ///
    /// # Panics
    ///
    /// If there is none before time has passed.
    #[track_caller]
    pub fn get(&self, target: &str) -> Answer {
        self.request("GET", target).send()
    }

    /// A connection on which nothing has been said yet.
    pub fn open(&self) -> Connection {
        Connection::new(&self.shared, None)
    }

    /// The next connection that the application has made with [`Hub::connect`](crate::Hub::connect), in
    /// order: in memory, the test is at the other end of each, whatever its URL. What nobody takes gets no
    /// answer.
    pub fn dialed(&self) -> Option<Dialed> {
        self.shared.turn();
        Dialed::next(&self.shared)
    }

    /// The time.
    pub fn clock(&self) -> Clock {
        Clock {
            shared: Rc::clone(&self.shared),
        }
    }

    /// Lets the server do all that there is to do now: what clients have sent, timers that are due,
    /// jobs of a [`Remote`], and what comes of them.
    ///
    /// Whatever waits for something to be received does this first, if nothing was.
    pub fn turn(&self) {
        self.shared.turn();
    }

    /// All sockets of the server.
    pub fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// Reaches the server from any thread; what is asked runs in the next [`turn`](Self::turn).
    pub fn remote(&self) -> Remote {
        self.shared.hub.remote()
    }

    /// Whether the server was shut down and everyone has gone.
    pub fn is_done(&self) -> bool {
        self.shared.turn();
        let server = self.shared.server.borrow();
        server.as_ref().is_none_or(Server::is_done)
    }

    /// How many bytes wait in each direction of a connection that is opened from now on, before the
    /// network takes no more. Default: 1 MiB. A small one makes small pieces of everything.
    pub fn set_window(&self, bytes: usize) {
        self.shared.network.set_window(bytes);
    }

    /// From now on the network is unsteady: by dice that fall as `seed` says, every read and write of
    /// either side may fall short, down to one byte, or be refused for a moment, and a connection may wait
    /// a moment until it is accepted. What is received in the end is the same; how often and where it is cut
    /// is not. A zero makes it steady again.
    pub fn set_unsteady(&self, seed: u64) {
        self.shared.network.set_dice(seed);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let server = self.shared.server.take();
        drop(server);
        self.shared.pump();
    }
}

impl Clock {
    /// Moves the time on, and runs whatever comes due meanwhile, each at its own moment and in order.
    ///
    /// The server counts deadlines of connections in hundredths of a second: none is early, and one
    /// may be late by less than that. Called from inside of a listener it only moves the time, as if
    /// the listener took that long.
    pub fn advance(&self, by: Duration) {
        let (shared, time) = (&self.shared, self.shared.time());
        let Some(end) = time.now().checked_add(by) else {
            return;
        };
        shared.turn();
        while let Some(due) = shared.due() {
            let now = time.now();
            let next = if due > now { due } else { now + STEP };
            if next > end {
                break;
            }
            time.set(next);
            shared.turn();
        }
        time.set(end);
        shared.turn();
    }

    /// How far the time has been moved since the server was made.
    pub fn elapsed(&self) -> Duration {
        self.shared.time().elapsed()
    }
}

impl Shared {
    pub(super) fn time(&self) -> &Time {
        &self.hub.links().time
    }

    /// A new connection from `ip`. If nobody listens any more, it has ended already.
    pub(super) fn connect(&self, ip: Option<IpAddr>) -> (Option<u32>, Rc<RefCell<Line>>) {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let ip = ip.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let address = SocketAddr::new(ip, PORTS + count % (u16::MAX - PORTS));
        self.hold(self.network.connect(address).ok())
    }

    /// The test's end of a connection, which is told of changes from now on.
    fn hold(&self, end: Option<End>) -> (Option<u32>, Rc<RefCell<Line>>) {
        let wire = end.as_ref().map(End::wire);
        let line = Rc::new(RefCell::new(Line::new(end)));
        if let Some(wire) = wire {
            let known = Rc::downgrade(&line);
            self.lines.borrow_mut().insert(wire, known);
        }
        (wire, line)
    }

    /// The test's end of the next connection that the application has made, and where to.
    pub(super) fn dialed(&self) -> Option<(SocketAddr, Option<u32>, Rc<RefCell<Line>>)> {
        let (end, address) = self.network.dialed()?;
        let (wire, line) = self.hold(Some(end));
        // What it was told before it was held, nobody has heard.
        line.borrow_mut().pump();
        Some((address, wire, line))
    }

    /// A connection's client is gone.
    pub(super) fn forget(&self, wire: u32) {
        self.lines.borrow_mut().remove(&wire);
    }

    /// Lets the server do all that there is to do now.
    pub(super) fn turn(&self) {
        let mut turns = 0;
        while turns < TURNS {
            // From inside of a listener there is no turn: that one has not ended.
            let Ok(mut server) = self.server.try_borrow_mut() else {
                return;
            };
            let Some(server) = server.as_mut() else {
                break;
            };
            // In memory, nothing is waited for, so nothing can fail.
            let _ = server.turn(Some(Duration::ZERO));
            self.pump();
            turns += if self.network.is_busy() {
                1
            } else if server.due().is_some_and(|due| due <= self.time().now()) {
                COST_OF_DUE
            } else {
                return;
            };
        }
        self.pump();
    }

    /// Lets the clients read and answer, until nothing is new for them.
    fn pump(&self) {
        loop {
            let heard = self.network.heard();
            if heard.is_empty() {
                return;
            }
            for wire in heard {
                let line = self.lines.borrow().get(&wire).and_then(Weak::upgrade);
                if let Some(line) = line {
                    line.borrow_mut().pump();
                }
            }
        }
    }

    /// When there is something to do, if nothing happens before.
    fn due(&self) -> Option<Instant> {
        let mut server = self.server.try_borrow_mut().ok()?;
        server.as_mut()?.due()
    }
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer")
            .field("hub", &self.shared.hub)
            .field("elapsed", &self.shared.time().elapsed())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.elapsed()).finish()
    }
}
