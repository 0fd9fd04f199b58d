//! What all connections of a server share: routes, rules and the hub.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Instant;

use super::address::Proxies;
use super::chain::HttpStep;
use super::conversation::Conversation;
use super::gate::{self, Gate};
use super::http_error::ErrorHandler;
use super::middleware::SocketStep;
use super::opening::Opening;
use super::options::Options;
use super::origin::Origins;
use super::routes::Routes;
use super::subprotocol::Choose;
use super::upgrade;
use super::verdict::Verify;
use crate::http::imf_fixdate;
use crate::net::links::Links;
use crate::net::protocol::{Outgoing, Service};
use crate::net::slab::Key;
use crate::net::stream::Peer;
use crate::ws::guard::guard;
use crate::ws::hub::Hub;
use crate::ws::journal::Entry;
use crate::ws::places::Places;
use crate::ws::remote::Job;
use crate::ws::watchdog::Call;

/// What all connections of a server share.
pub(super) struct Core {
    pub(super) options: Options,
    pub(super) hub: Hub,
    pub(super) routes: Routes,
    pub(super) http_middleware: Vec<HttpStep>,
    pub(super) error_handler: Option<RefCell<ErrorHandler>>,
    pub(super) middleware: Vec<SocketStep>,
    pub(super) verify: Option<Verify>,
    pub(super) choose: Option<Choose>,
    pub(super) origins: Origins,
    pub(super) proxies: Proxies,
    pub(super) gate: Gate,
    pub(super) places: Rc<Places>,
    /// The server is shutting down: what is under way is finished, and nothing new is begun.
    pub(super) closing: Cell<bool>,
    pub(super) clock: HttpDate,
}

/// The time as HTTP writes it, made once a second.
#[derive(Debug)]
pub(super) struct HttpDate {
    links: Rc<Links>,
    second: Cell<u64>,
    text: RefCell<String>,
}

impl HttpDate {
    /// As the clock of these links tells it.
    pub(super) fn new(links: &Rc<Links>) -> Self {
        Self {
            links: Rc::clone(links),
            second: Cell::default(),
            text: RefCell::default(),
        }
    }

    /// Runs `with` with the present time (RFC 9110 §6.6.1).
    pub(super) fn with<R>(&self, with: impl FnOnce(&str) -> R) -> R {
        let now = self.links.time.unix();
        if self.second.replace(now) != now || self.text.borrow().is_empty() {
            *self.text.borrow_mut() = imf_fixdate(now);
        }
        with(&self.text.borrow())
    }
}

/// The reactor's view of a server.
pub(super) struct Acceptor(pub(super) Rc<Core>);

impl Drop for Acceptor {
    /// The reactor is gone, and every socket has heard its end.
    fn drop(&mut self) {
        self.0.hub.release();
    }
}

impl Service for Acceptor {
    type Job = Job;
    type Protocol = Conversation;

    fn accepted(&mut self, key: Key, peer: Peer) -> Conversation {
        self.0.hub.note(Entry::Accepted(peer.tcp()));
        let mut opening = Opening::new(Rc::clone(&self.0), key, peer.tcp());
        if !self.0.gate.may_speak(peer.tcp(), &self.0.proxies) {
            opening.turn_away(&gate::forbidden());
        } else if self.0.hub.links().is_over_budget() {
            opening.turn_away(&upgrade::no_memory());
        }
        Conversation::Opening(Box::new(opening))
    }

    #[inline]
    fn outgoing(&mut self) -> Option<Outgoing<Conversation>> {
        let Outgoing { stream, begin } = self.0.hub.dials().pop()?;
        let begin = Box::new(|key| begin(key).map(Conversation::Dialing));
        Some(Outgoing { stream, begin })
    }

    fn job(&mut self, job: Job) {
        let hub = &self.0.hub;
        if let Err(panic) = hub.run(|| Call::of("remote job"), || job(hub)) {
            hub.report(None, &panic);
        }
    }

    fn timers(&mut self, now: Instant) {
        self.0.hub.timers().run(&self.0.hub, now);
    }

    fn tell_staged(&mut self) {
        if self.has_staged() {
            self.0.hub.tell_room_events();
        }
    }

    fn has_staged(&self) -> bool {
        self.0.hub.has_room_events()
    }

    fn next_timer(&mut self) -> Option<Instant> {
        let hub = &self.0.hub;
        // What is to be connected to does not wait.
        let dial = (!hub.dials().is_empty()).then(|| hub.links().time.now());
        dial.or_else(|| hub.timers().next())
    }

    fn accept_failed(&mut self, error: io::Error) {
        self.0
            .hub
            .report(None, &format!("accepting a connection failed: {error}"));
    }

    fn bury(&mut self, protocol: Conversation) {
        if let Err(panic) = guard(|| drop(protocol)) {
            self.0.hub.report(None, &panic);
        }
    }
}
