//! Who holds the server's thread for too long, for
//! [`Options::slow_listener`](crate::Options::slow_listener).
//!
//! Whatever calls code of the application says so first, by [`Hub::watch`] or [`Hub::run`]. A thread
//! of its own looks now and then at what runs, and so names what never returns, too. Without the option
//! there is neither a thread nor a [`Watchdog`], and messages take the way on which nobody asks for one
//! (`Session` sees to that).

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::guard::guard;
use super::hub::Hub;
use super::journal::{self, Entry};
use super::socket::Socket;
use super::status::SocketId;

/// Calls that are told of in [`WINDOW`]; the others are only counted.
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

/// A call of the application's code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call<'a> {
    /// The name of an event, or what else it is: "timer".
    pub(crate) what: &'a str,
    pub(crate) socket: Option<SocketId>,
    /// The path of the request that it belongs to, if to one.
    pub(crate) path: &'a str,
}

impl<'a> Call<'a> {
    /// One that belongs to no connection.
    pub(crate) fn of(what: &'a str) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    /// One for a request for `path`.
    pub(crate) fn for_path(what: &'a str, path: &'a str) -> Self {
        Self {
            what,
            path,
            ..Self::default()
        }
    }

    /// One for a socket.
    pub(crate) fn for_socket(what: &'a str, socket: &'a Socket) -> Self {
        Self {
            what,
            socket: Some(socket.id()),
            path: socket.path(),
        }
    }
}

/// What runs on the server's thread, for the thread that watches it.
#[derive(Debug)]
pub(crate) struct Watchdog {
    limit: Duration,
    debug: bool,
    calls: Mutex<Calls>,
}

/// Keeps the watching thread alive.
pub(crate) struct Patrol(
    #[allow(dead_code, reason = "dropping it is the message")] Sender<Infallible>,
);

/// Says at its end that a call has returned, or panicked.
pub(crate) struct Watched<'a>(Option<&'a Watchdog>);

/// Calls that have not returned.
#[derive(Debug, Default)]
struct Calls {
    /// The innermost is the last of `depth`. Those behind lend their memory to the next, so that a call
    /// allocates nothing.
    running: Vec<Running>,
    depth: usize,
    slow: u64,
    quota: Quota,
}

#[derive(Debug)]
struct Running {
    what: String,
    socket: Option<SocketId>,
    path: String,
    began: Instant,
    /// What calls inside of it took: they are told of themselves.
    inside: Duration,
    /// Whether it is told of, once it is slow.
    told: Option<bool>,
}

/// What is to be told of a call.
struct Slow {
    what: String,
    socket: Option<SocketId>,
    path: String,
    ran: Duration,
    is_over: bool,
    untold: u64,
}

/// How many calls were told of lately.
#[derive(Debug, Default)]
struct Quota {
    since: Option<Instant>,
    told: u32,
    /// Calls that were not, since the last that was.
    untold: u64,
}

impl Watchdog {
    /// Tells of calls that take as long as `limit`. With `debug` it writes to stderr in any case.
    pub(super) fn new(limit: Duration, debug: bool) -> Self {
        Self {
            limit,
            debug,
            calls: Mutex::default(),
        }
    }

    /// Begins to watch, for as long as what it gives is kept.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<Patrol> {
        let (patrol, over) = mpsc::channel();
        let watchdog = Arc::clone(self);
        let pause = (self.limit / 4).clamp(Duration::from_millis(1), Duration::from_secs(1));
        let watch = move || {
            while over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                watchdog.look();
            }
        };
        let builder = thread::Builder::new().name("rushwire-watch".to_owned());
        builder.spawn(watch).map(|_| Patrol(patrol))
    }

    /// Looks whether what runs is slow already.
    fn look(&self) {
        let slow = self.calls().look(Instant::now(), self.limit);
        self.tell(slow);
    }

    fn enter(&self, call: Call<'_>) {
        self.calls().enter(call, Instant::now());
    }

    fn leave(&self) {
        let slow = self.calls().leave(Instant::now(), self.limit);
        self.tell(slow);
    }

    /// How many calls were slow.
    pub(super) fn slow(&self) -> u64 {
        self.calls().slow
    }

    fn tell(&self, slow: Option<Slow>) {
        if let Some(slow) = slow {
            journal::write_always(&slow.entry(), self.debug);
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn enter(&mut self, call: Call<'_>, now: Instant) {
        if self.running.len() == self.depth {
            self.running.push(Running::new(now));
        }
        if let Some(running) = self.running.get_mut(self.depth) {
            running.begin(call, now);
        }
        self.depth += 1;
    }

    /// The innermost call has returned.
    fn leave(&mut self, now: Instant, limit: Duration) -> Option<Slow> {
        self.depth = self.depth.checked_sub(1)?;
        let (outer, inner) = self.running.split_at_mut_checked(self.depth)?;
        let running = inner.first_mut()?;
        let ran = running.ran(now);
        if let Some(outer) = outer.last_mut() {
            outer.inside += now.saturating_duration_since(running.began);
        }
        if ran < limit {
            return None;
        }
        self.slow += 1;
        let quota = &mut self.quota;
        let is_told = *running.told.get_or_insert_with(|| quota.take(now));
        is_told.then(|| running.slow(ran, true, quota))
    }

    /// What is to be told of the innermost call, if it is slow and this is news.
    fn look(&mut self, now: Instant, limit: Duration) -> Option<Slow> {
        let running = self.running.get_mut(self.depth.checked_sub(1)?)?;
        let ran = running.ran(now);
        if ran < limit || running.told.is_some() {
            return None;
        }
        let is_told = self.quota.take(now);
        running.told = Some(is_told);
        is_told.then(|| running.slow(ran, false, &mut self.quota))
    }
}

impl Running {
    fn new(began: Instant) -> Self {
        Self {
            what: String::new(),
            socket: None,
            path: String::new(),
            began,
            inside: Duration::ZERO,
            told: None,
        }
    }

    fn begin(&mut self, call: Call<'_>, now: Instant) {
        self.what.clear();
        self.what.push_str(call.what);
        self.socket = call.socket;
        self.path.clear();
        self.path.push_str(call.path);
        self.began = now;
        self.inside = Duration::ZERO;
        self.told = None;
    }

    /// How long it has held the thread by itself.
    fn ran(&self, now: Instant) -> Duration {
        let all = now.saturating_duration_since(self.began);
        all.saturating_sub(self.inside)
    }

    fn slow(&self, ran: Duration, is_over: bool, quota: &mut Quota) -> Slow {
        Slow {
            what: self.what.clone(),
            socket: self.socket,
            path: self.path.clone(),
            ran,
            is_over,
            untold: std::mem::take(&mut quota.untold),
        }
    }
}

impl Slow {
    fn entry(&self) -> Entry<'_> {
        Entry::Slow {
            call: Call {
                what: &self.what,
                socket: self.socket,
                path: &self.path,
            },
            ran: self.ran,
            is_over: self.is_over,
            untold: self.untold,
        }
    }
}

impl Quota {
    /// Whether one more call may be told of.
    fn take(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        if self.since.is_none_or(is_over) {
            self.since = Some(now);
            self.told = 0;
        }
        let is_told = self.told < MOST;
        self.told += u32::from(is_told);
        self.untold += u64::from(!is_told);
        is_told
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(watchdog) = self.0 {
            watchdog.leave();
        }
    }
}

impl Hub {
    /// Says that code of the application is about to run, for as long as what it gives is kept.
    #[inline]
    pub(crate) fn watch<'a>(&self, call: impl FnOnce() -> Call<'a>) -> Watched<'_> {
        let watchdog = self.watchdog();
        if let Some(watchdog) = watchdog {
            watchdog.enter(call());
        }
        Watched(watchdog.map(|watchdog| &**watchdog))
    }

    /// Runs code of the application, watched and [guarded](guard).
    pub(crate) fn run<'a, R>(
        &self,
        call: impl FnOnce() -> Call<'a>,
        run: impl FnOnce() -> R,
    ) -> Result<R, String> {
        let _watched = self.watch(call);
        guard(run)
    }
}

#[cfg(test)]
mod tests;
