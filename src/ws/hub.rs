//! All the sockets of a server, and who is in which room.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::audience::Audience;
use super::capacities::Capacities;
use super::dialing::Dials;
use super::frames::frame;
use super::into_message::IntoMessage;
use super::journal::Entry;
use super::message::{Message, OwnedMessage};
use super::remote::{Job, Remote};
use super::report::ErrorListener;
use super::room_event::RoomEvents;
use super::rooms::Rooms;
use super::settings::Settings;
use super::socket::{Origin, Socket};
use super::stats::Counters;
use super::status::SocketId;
use super::timers::HubTimers;
use super::watchdog::Watchdog;
use crate::net::link::Link;
use crate::net::links::Links;
use crate::net::mailbox::Mailbox;
use crate::net::slab::Key;

/// All the sockets of a server, and their rooms. Cloning copies a pointer; it stays on the server's
/// thread. Other threads have [`Remote`].
#[derive(Clone)]
pub struct Hub(Rc<Inner>);

struct Inner {
    settings: Settings,
    /// Admitted sockets, by the index of their key.
    sockets: RefCell<Vec<Option<Socket>>>,
    rooms: RefCell<Rooms>,
    room_events: RoomEvents,
    capacities: Capacities,
    links: Rc<Links>,
    timers: HubTimers,
    counters: Counters,
    mailbox: Mailbox<Job>,
    on_error: RefCell<Option<ErrorListener>>,
    shutdown: Cell<Option<Duration>>,
    /// What goes on when middleware has decided, by socket.
    suspended: RefCell<HashMap<SocketId, Box<dyn FnOnce()>>>,
    dials: Dials,
    watchdog: Option<Arc<Watchdog>>,
    /// There is no server any more that would run anything.
    released: Cell<bool>,
}

impl Drop for Inner {
    /// Without a hub there will be no server: nothing can be asked of it any more.
    fn drop(&mut self) {
        drop(self.mailbox.close());
    }
}

impl Hub {
    pub(crate) fn new(settings: Settings, links: Rc<Links>) -> Self {
        let limit = settings.slow_listener;
        let watchdog = limit.map(|limit| Watchdog::new(limit, settings.debug));
        Self(Rc::new(Inner {
            settings,
            sockets: RefCell::default(),
            rooms: RefCell::new(Rooms::limited(settings.max_rooms)),
            room_events: RoomEvents::default(),
            capacities: Capacities::default(),
            links,
            timers: HubTimers::default(),
            counters: Counters::default(),
            mailbox: Mailbox::default(),
            on_error: RefCell::default(),
            shutdown: Cell::new(None),
            suspended: RefCell::default(),
            dials: Dials::default(),
            watchdog: watchdog.map(Arc::new),
            released: Cell::new(false),
        }))
    }

    /// The socket of that id, from when all middleware has let it pass until its connection is gone.
    pub fn socket(&self, id: SocketId) -> Option<Socket> {
        self.at(id.0.index).filter(|socket| socket.id() == id)
    }

    /// All sockets that middleware has let pass, as they are now.
    pub fn sockets(&self) -> Vec<Socket> {
        self.0.sockets.borrow().iter().flatten().cloned().collect()
    }

    /// How many sockets are connected.
    pub fn len(&self) -> usize {
        self.0.counters.open()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everyone in `room`.
    pub fn to<'a>(&'a self, room: &'a str) -> Audience<'a> {
        Audience::new(self, room)
    }

    /// Sends a message to everyone in `room`, or, if it is `None`, to every socket that was not made by
    /// [`connect`](Self::connect); returns how many were reached.
    pub fn ws_broadcast(&self, message: impl IntoMessage, room: Option<&str>) -> usize {
        if let Some(room) = room {
            return self.to(room).send(message);
        }
        let reached = message.with_message(|message| self.send_to_every(message));
        reached.unwrap_or_else(|why| self.not_sent(why))
    }

    fn send_to_every(&self, message: Message<'_>) -> usize {
        let members: Vec<u32> = self
            .0
            .sockets
            .borrow()
            .iter()
            .zip(0..)
            .filter(|(socket, _)| socket.as_ref().is_some_and(|socket| !self.has_made(socket)))
            .map(|(_, index)| index)
            .collect();
        self.send_to_members(members.into_iter(), message)
    }

    /// Whether this side has made the connection.
    fn has_made(&self, socket: &Socket) -> bool {
        self.0.dials.has_any() && socket.link().is_veiled()
    }

    /// A room, by name: one that nobody is in is empty.
    pub fn room<'a>(&'a self, name: &'a str) -> Room<'a> {
        Room { hub: self, name }
    }

    /// The names of all rooms that somebody is in, sorted.
    pub fn rooms(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .rooms_mut()
            .all()
            .map(|(name, _)| name.to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    /// Reaches this hub from any thread.
    pub fn remote(&self) -> Remote {
        Remote::new(self.0.mailbox.clone())
    }

    /// Begins to shut down: no more connections are accepted, every socket is closed with 1001, and
    /// what was sent before is delivered; after `grace` the rest is cut.
    pub fn shutdown(&self, grace: Duration) {
        self.note(Entry::Shutdown(grace));
        let sooner = self
            .0
            .shutdown
            .get()
            .map_or(grace, |earlier| earlier.min(grace));
        self.0.shutdown.set(Some(sooner));
    }
}

/// A room, by name.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    hub: &'a Hub,
    name: &'a str,
}

impl<'a> Room<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        self.name
    }

    /// How many are in it.
    pub fn len(self) -> usize {
        self.hub.rooms_mut().members(self.name).len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Who is in it, as it is now.
    pub fn members(self) -> Vec<Socket> {
        let rooms = self.hub.rooms_mut();
        rooms
            .members(self.name)
            .iter()
            .filter_map(|&index| self.hub.at(index))
            .collect()
    }

    /// Sends a message to everyone in it; returns how many were reached.
    pub fn send(self, message: impl IntoMessage) -> usize {
        self.hub.to(self.name).send(message)
    }
}

impl Hub {
    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn links(&self) -> &Rc<Links> {
        &self.0.links
    }

    #[inline]
    pub(crate) fn link(&self, key: Key) -> Link<'_> {
        self.0.links.link(key)
    }

    pub(crate) fn mailbox(&self) -> Mailbox<Job> {
        self.0.mailbox.clone()
    }

    pub(crate) fn timers(&self) -> &HubTimers {
        &self.0.timers
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(super) fn capacities(&self) -> &Capacities {
        &self.0.capacities
    }

    pub(super) fn on_error(&self) -> &RefCell<Option<ErrorListener>> {
        &self.0.on_error
    }

    /// Who watches for slow listeners, if anybody does.
    #[inline]
    pub(crate) fn watchdog(&self) -> Option<&Arc<Watchdog>> {
        self.0.watchdog.as_ref()
    }

    pub(super) fn room_events(&self) -> &RoomEvents {
        &self.0.room_events
    }

    pub(super) fn rooms_mut(&self) -> RefMut<'_, Rooms> {
        self.0.rooms.borrow_mut()
    }

    /// A new socket, which nobody sees before it is admitted.
    pub(crate) fn open(&self, key: Key, origin: Origin) -> Socket {
        Socket::new(self.clone(), key, origin)
    }

    pub(super) fn admit(&self, socket: &Socket) {
        let index = socket.key().index as usize;
        let mut sockets = self.0.sockets.borrow_mut();
        if sockets.len() <= index {
            sockets.resize_with(index + 1, || None);
        }
        if let Some(place) = sockets.get_mut(index) {
            *place = Some(socket.clone());
            self.0.counters.opened();
        }
    }

    /// Takes a socket out of everything; gives the rooms that it was in.
    pub(super) fn forget(&self, socket: &Socket) -> Vec<Rc<str>> {
        let suspended = self.0.suspended.borrow_mut().remove(&socket.id());
        if let Err(panic) = super::guard::guard(|| drop(suspended)) {
            self.report(Some(socket.id()), &panic);
        }
        if self.socket(socket.id()).is_none() {
            return Vec::new();
        }
        let place = self
            .0
            .sockets
            .borrow_mut()
            .get_mut(socket.key().index as usize)
            .and_then(Option::take);
        drop(place);
        let left = self.rooms_mut().leave_all(socket.key().index);
        self.left(&left, socket.id());
        left
    }

    fn at(&self, index: u32) -> Option<Socket> {
        self.0.sockets.borrow().get(index as usize)?.clone()
    }

    /// Queues a message to each of `members`, encoded once; returns how many were reached.
    pub(super) fn send_to_members(
        &self,
        members: impl Iterator<Item = u32>,
        message: Message<'_>,
    ) -> usize {
        let mut over: Vec<Key> = Vec::new();
        let reached = self.0.links.send_to_all(members, frame(message), &mut over);
        for key in over {
            self.at(key.index)
                .filter(|socket| socket.key() == key)
                .iter()
                .for_each(Socket::overflow);
        }
        self.0.counters.delivered(reached, message.len());
        reached
    }

    /// Lets go of what would have run later, and of any cycle through this hub; from now on nothing is
    /// kept that will never run.
    pub(crate) fn release(&self) {
        self.0.released.set(true);
        self.0.dials.stop();
        let on_error = self.0.on_error.borrow_mut().take();
        let suspended = self.0.suspended.take();
        let room_listeners = self.0.room_events.take();
        let never = (self.0.timers.take(), self.0.mailbox.close());
        let later = (on_error, suspended, room_listeners, never);
        let _ = super::guard::guard(|| drop(later));
    }

    pub(super) fn is_released(&self) -> bool {
        self.0.released.get()
    }

    pub(crate) fn is_shutdown_asked(&self) -> bool {
        self.0.shutdown.get().is_some()
    }

    /// The grace of a shutdown that was asked for.
    pub(crate) fn take_shutdown(&self) -> Option<Duration> {
        self.0.shutdown.take()
    }

    /// Keeps what is to be done when a socket's middleware has decided.
    pub(crate) fn suspend(&self, id: SocketId, then: impl FnOnce() + 'static) {
        self.0.suspended.borrow_mut().insert(id, Box::new(then));
    }

    /// A socket's middleware has decided. Nothing happens if the socket is gone meanwhile.
    pub(crate) fn conclude(&self, id: SocketId) {
        let then = self.0.suspended.borrow_mut().remove(&id);
        if let Some(then) = then {
            then();
        }
    }

    pub(crate) fn dials(&self) -> &Dials {
        &self.0.dials
    }

    pub(super) fn send_to(&self, id: SocketId, message: &OwnedMessage) {
        if let Some(socket) = self.socket(id) {
            socket.send(message);
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("sockets", &self.len())
            .field("rooms", &self.rooms_mut().len())
            .finish_non_exhaustive()
    }
}
