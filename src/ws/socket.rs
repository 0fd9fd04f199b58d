//! One WebSocket connection, as the application holds, clones and stores it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::audience::Audience;
use super::data::TypeMap;
use super::ending::Ending;
use super::event::{self, By, Cause, Closed, Event, Failure};
use super::hub::Hub;
use super::listeners::{ListenerId, Listeners};
use super::message::{Message, Prepared};
use super::rooms::Joined;
use super::status::{InvalidCloseCode, Join, ReadyState, SendStatus, SocketId};
use crate::net::clock::Tick;
use crate::net::link::{Link, Stage};
use crate::proto::close::CloseCode;
use crate::proto::encoder;
use crate::proto::frame::Opcode;

/// One WebSocket connection. Cloning copies a pointer; a clone may outlive the connection, and then
/// does nothing.
#[derive(Clone)]
pub struct Socket(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) hub: Hub,
    pub(super) link: Link,
    pub(super) listeners: RefCell<Listeners>,
    pub(super) admitted: Cell<bool>,
    /// When the peer last gave a sign of life.
    pub(super) heard: Cell<Tick>,
    /// The first ping since then, if any.
    pub(super) unanswered: Cell<Option<Tick>>,
    pub(super) ending: RefCell<Option<Box<Ending>>>,
    pub(super) url: Box<str>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) rare: RefCell<Option<Box<Rare>>>,
}

/// What few sockets have, made when it is first needed.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) protocol: Option<Box<str>>,
    pub(super) data: TypeMap,
    /// The rooms that were held when the connection ended.
    pub(super) left: Vec<Rc<str>>,
}

/// How a socket came to be: what its request said of it.
pub(crate) struct Origin {
    pub(crate) url: Box<str>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) data: TypeMap,
}

impl Socket {
    pub(super) fn new(hub: Hub, link: Link, origin: Origin) -> Self {
        let Origin {
            url,
            peer,
            protocol,
            data,
        } = origin;
        let rare = (protocol.is_some() || !data.is_empty()).then(|| {
            Box::new(Rare {
                protocol,
                data,
                left: Vec::new(),
            })
        });
        Self(Rc::new(Inner {
            hub,
            listeners: RefCell::default(),
            admitted: Cell::new(false),
            heard: Cell::new(link.now()),
            unanswered: Cell::new(None),
            ending: RefCell::new(None),
            url,
            peer,
            rare: RefCell::new(rare),
            link,
        }))
    }

    /// Adds a listener for an event of the module [`event`]. Listeners for one event run in the
    /// order in which they were added.
    ///
    /// ```
    /// # use rushwire::{App, event};
    /// # App::new().ws("/", |socket, _| {
    /// socket.on(event::Message, |socket, message| {
    ///     socket.send(message);
    /// });
    /// # });
    /// ```
    pub fn on<E: Event>(
        &self,
        event: E,
        listener: impl for<'a> FnMut(&Self, E::Payload<'a>) + 'static,
    ) -> ListenerId {
        self.listen(event, Box::new(listener), false)
    }

    /// Adds a listener that is removed when it is about to run for the first time.
    pub fn once<E: Event>(
        &self,
        event: E,
        listener: impl for<'a> FnMut(&Self, E::Payload<'a>) + 'static,
    ) -> ListenerId {
        self.listen(event, Box::new(listener), true)
    }

    /// Removes a listener, also one that is running. `false` if it is not there.
    pub fn off(&self, listener: ListenerId) -> bool {
        let removed = self.0.listeners.borrow_mut().remove(listener);
        removed.is_some()
    }

    /// [`on`](Self::on) for [`event::Message`].
    pub fn on_message(&self, listener: impl FnMut(&Self, Message<'_>) + 'static) -> ListenerId {
        self.on(event::Message, listener)
    }

    /// [`on`](Self::on) for [`event::Close`].
    pub fn on_close(&self, listener: impl FnMut(&Self, Closed<'_>) + 'static) -> ListenerId {
        self.on(event::Close, listener)
    }

    /// [`on`](Self::on) for [`event::Error`].
    pub fn on_error(&self, listener: impl FnMut(&Self, &Failure) + 'static) -> ListenerId {
        self.on(event::Error, listener)
    }

    /// [`on`](Self::on) for [`event::Ping`].
    pub fn on_ping(&self, listener: impl FnMut(&Self, &[u8]) + 'static) -> ListenerId {
        self.on(event::Ping, listener)
    }

    /// [`on`](Self::on) for [`event::Pong`].
    pub fn on_pong(&self, listener: impl FnMut(&Self, &[u8]) + 'static) -> ListenerId {
        self.on(event::Pong, listener)
    }

    /// [`on`](Self::on) for [`event::Drain`].
    pub fn on_drain(&self, listener: impl FnMut(&Self, event::Drained) + 'static) -> ListenerId {
        self.on(event::Drain, listener)
    }

    /// Queues a message. It is written when the running listeners have returned.
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) -> SendStatus {
        let message = message.into();
        let (opcode, payload) = (message.opcode(), message.as_bytes());
        let sent = self
            .0
            .link
            .send(payload.len() + encoder::MAX_HEADER, |out| {
                encoder::encode(out, opcode, payload)
            });
        self.sent(sent, payload.len())
    }

    /// Queues a message that is encoded already.
    pub fn send_prepared(&self, message: &Prepared) -> SendStatus {
        let sent = self.0.link.send_encoded(&message.frame);
        self.sent(sent, message.payload)
    }

    /// Sends a message to everyone in `room` but this socket, which need not be in it; returns how
    /// many were reached. An unknown room reaches 0.
    pub fn broadcast<'m>(&self, room: &str, message: impl Into<Message<'m>>) -> usize {
        self.0.hub.to(room).except(self.id()).send(message)
    }

    /// Sends a message to everyone in `room`; returns how many were reached.
    pub fn broadcast_all<'m>(&self, room: &str, message: impl Into<Message<'m>>) -> usize {
        self.0.hub.to(room).send(message)
    }

    /// Everyone in `room` but this socket.
    pub fn to<'a>(&'a self, room: &'a str) -> Audience<'a> {
        self.0.hub.to(room).except(self.id())
    }

    /// Joins a room. Joining twice is joining once.
    pub fn join(&self, room: &str) -> Join {
        self.join_up_to(room, usize::MAX)
    }

    /// Joins a room unless it has `capacity` members already. Checking and joining are one step.
    pub fn join_up_to(&self, room: &str, capacity: usize) -> Join {
        let settings = self.0.hub.settings();
        if !self.is_open() {
            return Join::Closed;
        }
        if room.is_empty() || room.len() > settings.max_room_name {
            return Join::BadName;
        }
        match self.0.hub.rooms_mut().join(
            room,
            self.key().index,
            settings.max_rooms_per_socket,
            capacity,
        ) {
            Joined::Now => Join::Joined,
            Joined::Before => Join::Already,
            Joined::TooMany => Join::Limit,
            Joined::Full => Join::Full,
        }
    }

    /// Leaves a room. `false` if the socket was not in it.
    pub fn leave(&self, room: &str) -> bool {
        self.is_known() && self.0.hub.rooms_mut().leave(room, self.key().index)
    }

    /// The room that was joined last, of those that the socket is in.
    pub fn room(&self) -> Option<Rc<str>> {
        if self.is_known() {
            return self.0.hub.rooms_mut().latest_of(self.key().index);
        }
        self.0.rare.borrow().as_ref()?.left.last().cloned()
    }

    /// The rooms that the socket is in, in the order of joining; after the end, those that it was in.
    pub fn rooms(&self) -> Vec<Rc<str>> {
        if self.is_known() {
            return self.0.hub.rooms_mut().rooms_of(self.key().index);
        }
        self.0
            .rare
            .borrow()
            .as_ref()
            .map_or(Vec::new(), |rare| rare.left.clone())
    }

    /// Whether the socket is in `room`.
    pub fn is_in(&self, room: &str) -> bool {
        self.is_known() && self.0.hub.rooms_mut().contains(room, self.key().index)
    }

    /// Starts the closing handshake with code 1000 and no reason (RFC 6455 §7.1.2).
    ///
    /// What was sent before is delivered first; what is sent later is not sent, and no more messages
    /// are heard. [`event::Close`] follows when the peer has answered, or after
    /// [`close_timeout`](crate::Options::close_timeout).
    pub fn close(&self) {
        self.begin_close(CloseCode::NORMAL, "", Cause::Requested);
    }

    /// Starts the closing handshake. The reason is cut to 123 bytes, on a character boundary.
    ///
    /// # Errors
    ///
    /// Nothing happens when the code may not be sent: only 1000–1003, 1007–1014 and 3000–4999 may
    /// (RFC 6455 §7.4).
    pub fn close_with(
        &self,
        code: impl Into<CloseCode>,
        reason: &str,
    ) -> Result<(), InvalidCloseCode> {
        let code = code.into();
        if !code.is_sendable() {
            return Err(InvalidCloseCode(code));
        }
        self.begin_close(code, reason, Cause::Requested);
        Ok(())
    }

    /// Cuts the connection at the end of the turn, with no word to the peer. What waits is dropped.
    pub fn terminate(&self) {
        self.record(CloseCode::ABNORMAL, "", By::Us, Cause::Terminated);
        self.0.link.kill();
    }

    /// Sends a ping (RFC 6455 §5.5.2), of 125 bytes at most: what is longer is cut.
    ///
    /// The heartbeat pings by itself; this one is only answered by [`event::Pong`].
    pub fn ping(&self, payload: &[u8]) -> bool {
        let payload = payload.get(..125).unwrap_or(payload);
        self.0
            .link
            .send_control(true, |out| encoder::encode(out, Opcode::Ping, payload))
    }

    /// Counts as a sign of life of the peer, like anything that it sends.
    pub fn mark_alive(&self) {
        self.hear(self.0.link.now());
    }

    /// Whether no ping of the heartbeat is unanswered.
    pub fn is_alive(&self) -> bool {
        self.0.unanswered.get().is_none() && self.ready_state() < ReadyState::Closed
    }

    /// How long ago the peer last gave a sign of life, to the hundredth of a second.
    pub fn last_pong(&self) -> Duration {
        self.0.heard.get().elapsed(self.0.link.now())
    }

    /// Names this connection.
    pub fn id(&self) -> SocketId {
        SocketId(self.key())
    }

    /// Path and query of the request, as it was sent.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The address of the client: of the TCP peer, or what a trusted proxy said. `None` over a
    /// Unix-domain socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.peer
    }

    /// The subprotocol that was agreed on (RFC 6455 §1.9).
    pub fn protocol(&self) -> Option<String> {
        self.0
            .rare
            .borrow()
            .as_ref()?
            .protocol
            .clone()
            .map(Into::into)
    }

    /// All sockets of the server.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// How far the connection has come.
    pub fn ready_state(&self) -> ReadyState {
        match self.0.link.stage() {
            Stage::Open if !self.0.admitted.get() => ReadyState::Connecting,
            Stage::Open => ReadyState::Open,
            Stage::Closing | Stage::Ending | Stage::Lingering => ReadyState::Closing,
            Stage::Dead => ReadyState::Closed,
        }
    }

    /// Whether messages can be sent and rooms be joined.
    pub fn is_open(&self) -> bool {
        self.ready_state() == ReadyState::Open
    }

    /// Bytes that the kernel has refused to take, because the peer does not read them.
    pub fn buffered_amount(&self) -> usize {
        self.0.link.backlog()
    }

    /// Keeps a value with the socket, instead of an earlier one of its type.
    pub fn set<T: 'static>(&self, value: T) {
        let old = self
            .0
            .rare
            .borrow_mut()
            .get_or_insert_default()
            .data
            .insert(Rc::new(value));
        drop(old);
    }

    /// The value of type `T` that was [`set`](Self::set) on the socket or on its request.
    pub fn data<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.rare.borrow().as_ref()?.data.get()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.id())
            .field("state", &self.ready_state())
            .finish_non_exhaustive()
    }
}
