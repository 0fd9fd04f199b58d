//! How a connection is made, and made again.
//!
//! ```text
//!          begin               addresses               101
//! Waiting ──────▶ LookingUp ───────────────▶ Connecting ───▶ Open ── deliberate end ─▶ Over
//!    ▲                │ none, too late            │ failed     │ lost
//!    └─ to be tried again ───────────────────────┴────────────┘      otherwise ─────▶ Over
//! ```

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::error::{Answer, ConnectError, Failed};
use super::keys;
use super::lookup;
use super::opening::Opening;
use super::options::ConnectOptions;
use super::unsent::Unsent;
use super::url::Url;
use crate::net::protocol::Outgoing;
use crate::net::slab::Key;
use crate::net::stream::Stream;
use crate::proto::close::CloseCode;
use crate::ws::dialing::{Dialing, Wanted};
use crate::ws::event::{By, Closed};
use crate::ws::guard::guard;
use crate::ws::hub::Hub;
use crate::ws::message::{Message, OwnedMessage};
use crate::ws::socket::Socket;
use crate::ws::status::{ReadyState, SendStatus};
use crate::ws::timers::Timer;
use crate::ws::watchdog::Call;

pub(super) type Handler = Box<dyn FnMut(&Socket, &Answer)>;
type ErrorListener = Box<dyn FnMut(&Failed)>;

/// A connection, and all attempts to make it.
pub(super) struct Attempts {
    pub(super) hub: Hub,
    /// Names it among those that are wanted.
    pub(super) number: u64,
    pub(super) url: Url,
    pub(super) options: ConnectOptions,
    pub(super) state: RefCell<State>,
    pub(super) unsent: Unsent,
    handler: RefCell<Option<Handler>>,
    on_error: RefCell<Option<ErrorListener>>,
    /// How often in a row it was tried again.
    again: Cell<u32>,
}

pub(super) enum State {
    /// Until that timer begins, the first time or again.
    Waiting(Option<Timer>),
    /// Until there are addresses, or that timer rings.
    LookingUp(Timer),
    /// Over that link, once there is one.
    Connecting(Option<Key>),
    /// Since then.
    Open(Socket, Duration),
    Over,
}

impl Attempts {
    /// Begins in the reactor's next turn, so that whatever comes of it comes when the caller has had
    /// time to listen.
    pub(super) fn begin(hub: Hub, url: Url, options: ConnectOptions, handler: Handler) -> Rc<Self> {
        let attempts = Rc::new(Self {
            number: hub.dials().number(),
            hub,
            url,
            options,
            state: RefCell::new(State::Waiting(None)),
            unsent: Unsent::default(),
            handler: RefCell::new(Some(handler)),
            on_error: RefCell::default(),
            again: Cell::new(0),
        });
        let wanted = Rc::clone(&attempts) as Rc<dyn Wanted>;
        attempts.hub.dials().want(attempts.number, wanted);
        attempts.begin_in(Duration::ZERO);
        attempts
    }

    /// Keeps a listener for as long as there may be something to hear.
    pub(super) fn listen(&self, listener: ErrorListener) {
        let unwanted = match self.is_over() {
            true => Some(listener),
            false => self.on_error.borrow_mut().replace(listener),
        };
        drop(unwanted);
    }

    pub(super) fn socket(&self) -> Option<Socket> {
        match &*self.state.borrow() {
            State::Open(socket, _) => Some(socket.clone()),
            _ => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(*self.state.borrow(), State::Over)
    }

    /// Keeps a message for when there is a socket, if there may be one.
    pub(super) fn keep(&self, message: Message<'_>) -> SendStatus {
        let is_last = self.options.reconnect.is_none() || self.hub.dials().are_stopped();
        if self.is_over() || self.socket().is_some() && is_last {
            return SendStatus::Closed;
        }
        match self.unsent.keep(message, self.options.max_unsent) {
            true => SendStatus::Queued,
            false => SendStatus::Dropped,
        }
    }

    /// From now on nothing is tried any more.
    pub(super) fn give_up(&self) {
        match self.enter(State::Over) {
            State::Over => return,
            State::Waiting(Some(timer)) | State::LookingUp(timer) => drop(timer.cancel()),
            State::Connecting(Some(key)) => self.hub.link(key).kill(),
            _ => {}
        }
        self.hub.dials().give_up(self.number);
        self.let_go(self.handler.take());
    }

    /// Drops what is the application's, which may panic: that ends nothing.
    fn let_go<T>(&self, held: T) {
        if let Err(panic) = guard(|| drop(held)) {
            self.hub.report(None, &panic);
        }
    }

    /// Enters a state; gives the one before, to be dropped where that may call back in.
    fn enter(&self, state: State) -> State {
        self.state.replace(state)
    }

    fn begin_in(self: &Rc<Self>, wait: Duration) {
        let this = Rc::clone(self);
        let timer = self.hub.set_timeout(wait, move |_| this.look_up());
        drop(self.enter(State::Waiting(Some(timer))));
    }

    fn look_up(self: &Rc<Self>) {
        if self.is_over() {
            return;
        }
        let this = Rc::clone(self);
        let too_late = move |_: &Hub| this.found(Err(ErrorKind::TimedOut.into()));
        let timer = self.hub.set_timeout(self.options.connect_timeout, too_late);
        drop(self.enter(State::LookingUp(timer)));
        let this = Rc::clone(self);
        let found = move |found| this.found(found);
        lookup::find(&self.hub, &self.url.host, self.url.port, found);
    }

    /// The host's addresses are known, or not to be had; only the first answer counts.
    fn found(self: &Rc<Self>, found: io::Result<VecDeque<SocketAddr>>) {
        let timer = match &*self.state.borrow() {
            State::LookingUp(timer) => timer.clone(),
            _ => return,
        };
        timer.cancel();
        drop(self.enter(State::Connecting(None)));
        match found {
            Ok(addresses) => {
                let nobody = io::Error::new(ErrorKind::NotFound, "the host has no address");
                self.try_next(addresses, nobody.into());
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                self.failed(ConnectError::TimedOut);
            }
            Err(error) => self.failed(error.into()),
        }
    }

    /// Tries the next address; if there is none, `last` is why there is no connection.
    pub(super) fn try_next(
        self: &Rc<Self>,
        mut addresses: VecDeque<SocketAddr>,
        mut last: ConnectError,
    ) {
        if self.is_over() {
            return;
        }
        while let Some(address) = addresses.pop_front() {
            match self.hub.links().dial(address) {
                Ok(stream) => return self.dial(stream, address, addresses),
                Err(error) => last = error.into(),
            }
        }
        self.failed(last);
    }

    fn dial(self: &Rc<Self>, stream: Stream, address: SocketAddr, others: VecDeque<SocketAddr>) {
        let this = Rc::clone(self);
        let begin = move |key: io::Result<_>| {
            if this.is_over() {
                return None;
            }
            if let Ok(key) = key {
                drop(this.enter(State::Connecting(Some(key))));
            }
            let opening = match key {
                Ok(key) => Opening::new(&this, key, address, others),
                Err(error) => Err(error.into()),
            };
            let opening = opening.map_err(|error| this.failed(error)).ok()?;
            Some(Box::new(opening) as Box<dyn Dialing>)
        };
        self.hub.dials().push(Outgoing {
            stream,
            begin: Box::new(begin),
        });
    }

    /// There is a socket: the handler runs, then what has waited is sent.
    pub(super) fn opened(self: &Rc<Self>, socket: &Socket, answer: &Answer) {
        let since = self.hub.links().uptime();
        if self.is_over() {
            return socket.terminate();
        }
        drop(self.enter(State::Open(socket.clone(), since)));
        let this = Rc::clone(self);
        socket.afterwards(move |socket, closed| this.ended(socket, closed));
        let Some(mut handler) = self.handler.take() else {
            return;
        };
        let call = || Call::for_socket("connect handler", socket);
        let ran = self.hub.run(call, || handler(socket, answer));
        match self.is_over() {
            true => self.let_go(handler),
            false => *self.handler.borrow_mut() = Some(handler),
        }
        match ran {
            Ok(()) => self.unsent.pour(|message| is_accepted(socket, message)),
            Err(panic) => socket.panicked(panic),
        }
    }

    /// The socket is gone, and its listeners have heard of it.
    fn ended(self: &Rc<Self>, socket: &Socket, closed: &Closed<'_>) {
        let since = match *self.state.borrow() {
            State::Open(_, since) => since,
            _ => return,
        };
        let lasted = self.hub.links().uptime().saturating_sub(since);
        let reconnect = self.options.reconnect;
        if reconnect.is_some_and(|reconnect| lasted >= reconnect.stable) {
            self.again.set(0);
        }
        let error = ConnectError::Closed(closed.code, closed.reason.to_owned());
        let wait = match socket.is_ended_on_purpose() || is_deliberate(closed) {
            true => None,
            false => self.next_wait(&error),
        };
        self.go_on(error, wait, wait.is_some());
    }

    /// There is no socket, for that reason.
    pub(super) fn failed(self: &Rc<Self>, error: ConnectError) {
        if !self.is_over() {
            let wait = self.next_wait(&error);
            self.go_on(error, wait, true);
        }
    }

    /// When to try again.
    fn next_wait(&self, error: &ConnectError) -> Option<Duration> {
        let reconnect = self.options.reconnect?;
        let again = self.again.get();
        if !error.is_passing() || again >= reconnect.attempts || self.hub.dials().are_stopped() {
            return None;
        }
        self.again.set(again + 1);
        // Where nobody is spared by chance, there is none: a test goes the same way each time.
        let jitter = match self.hub.links().is_in_memory() {
            true => [0; 4],
            false => keys::take().unwrap_or_default(),
        };
        let wait = reconnect.wait(again, jitter);
        Some(wait.max(error.retry_after().unwrap_or_default()))
    }

    /// Tries again, or is over; tells, if that is worth it or messages are given up.
    fn go_on(self: &Rc<Self>, error: ConnectError, retry_in: Option<Duration>, tell: bool) {
        let unsent = match retry_in {
            Some(wait) => {
                self.begin_in(wait);
                0
            }
            None => {
                self.give_up();
                self.unsent.forget()
            }
        };
        if tell || unsent > 0 {
            self.tell(&Failed {
                error,
                retry_in,
                unsent,
            });
        }
        self.hush();
    }

    /// Tells the listener. If it is over, [`hush`](Self::hush) follows.
    pub(super) fn tell(&self, failed: &Failed) {
        let Some(mut listener) = self.on_error.take() else {
            return;
        };
        let call = || Call::of("connection's error listener");
        if let Err(panic) = self.hub.run(call, || listener(failed)) {
            self.hub.report(None, &panic);
        }
        let is_replaced = self.on_error.borrow().is_some();
        match is_replaced {
            true => self.let_go(listener),
            false => *self.on_error.borrow_mut() = Some(listener),
        }
    }

    /// When it is over, nothing is told any more: so a listener may hold its own connection.
    pub(super) fn hush(&self) {
        if self.is_over() {
            self.let_go(self.on_error.take());
        }
    }

    /// Ends it, and tells nothing any more. Gives how many messages were kept and are lost.
    pub(super) fn close(&self) -> usize {
        let unsent = self.end();
        self.hush();
        unsent
    }

    /// The same, but the listener may still be told; [`hush`](Self::hush) follows.
    pub(super) fn end(&self) -> usize {
        let socket = self.socket();
        self.give_up();
        if let Some(socket) = socket {
            socket.close();
        }
        self.unsent.forget()
    }
}

/// Whether the socket takes the message, or tells of its loss itself.
fn is_accepted(socket: &Socket, message: &OwnedMessage) -> bool {
    socket.ready_state() == ReadyState::Open && socket.send(message) != SendStatus::Closed
}

/// Whether the server wanted it to be over.
fn is_deliberate(closed: &Closed<'_>) -> bool {
    let is_final = matches!(closed.code, CloseCode::NORMAL | CloseCode::POLICY_VIOLATION);
    closed.by == By::Peer && is_final
}

#[cfg(test)]
mod tests;
