//! One WebSocket connection, as the application holds, clones and stores it.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::audience::Audience;
use super::event::{self, By, Cause, Closed, Event, Failure};
use super::frames::{control, send_next};
use super::hub::Hub;
pub(crate) use super::inner::Origin;
use super::inner::{Inner, Rare};
use super::into_message::IntoMessage;
use super::listeners::ListenerId;
use super::message::{Message, Prepared};
use super::rooms::Joined;
use super::status::{InvalidCloseCode, Join, ReadyState, SendStatus, SocketId};
use crate::net::link::Stage;
use crate::net::slab::Key;
use crate::proto::close::CloseCode;
use crate::proto::frame::Opcode;

/// One WebSocket connection. Cloning copies a pointer; a clone may outlive the connection, and then
/// does nothing.
#[derive(Clone)]
pub struct Socket(pub(super) Rc<Inner>);

impl Socket {
    pub(super) fn new(hub: Hub, key: Key, origin: Origin) -> Self {
        Self(Rc::new(Inner::new(hub, key, origin)))
    }

    /// Adds a listener for an event of the module [`event`], or of a name (feature `json`). Listeners
    /// for one event run in the order in which they were added.
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
        let removed = self.0.listeners(|listeners| listeners.remove(listener));
        self.edited();
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

    /// Queues a message. It is written when the running listeners have returned; one of 64 KiB or more
    /// at once, behind what was queued before it.
    #[inline]
    pub fn send(&self, message: impl IntoMessage) -> SendStatus {
        let sent = message.with_message(|message| {
            if send_next(self.link(), message) {
                self.0.hub.counters().delivered(1, message.len());
                return SendStatus::Queued;
            }
            self.send_any(message)
        });
        sent.unwrap_or_else(|why| self.not_sent(why))
    }

    /// Queues a message that is encoded already.
    pub fn send_prepared(&self, message: &Prepared) -> SendStatus {
        let sent = self.link().send_encoded(&message.frame);
        self.sent(sent, message.payload)
    }

    /// Sends a message to everyone in `room` but this socket, which need not be in it; returns how
    /// many were reached. An unknown room reaches 0.
    pub fn broadcast(&self, room: &str, message: impl IntoMessage) -> usize {
        self.0.hub.to(room).except(self.id()).send(message)
    }

    /// Sends a message to everyone in `room`; returns how many were reached.
    pub fn broadcast_all(&self, room: &str, message: impl IntoMessage) -> usize {
        self.0.hub.to(room).send(message)
    }

    /// Everyone in `room` but this socket.
    pub fn to<'a>(&'a self, room: &'a str) -> Audience<'a> {
        self.0.hub.to(room).except(self.id())
    }

    /// Joins a room. Joining twice is joining once. A room may have as many members as
    /// [`Hub::room_capacity`] says.
    pub fn join(&self, room: &str) -> Join {
        self.join_up_to(room, usize::MAX)
    }

    /// Joins a room unless it has `capacity` members already, or as many as
    /// [`Hub::room_capacity`] allows. Checking and joining are one step.
    pub fn join_up_to(&self, room: &str, capacity: usize) -> Join {
        let settings = self.0.hub.settings();
        if !self.is_open() {
            return Join::Closed;
        }
        if room.is_empty() || room.len() > settings.max_room_name {
            return Join::BadName;
        }
        let allowed = self.0.hub.room_capacity(room);
        let capacity = allowed.map_or(capacity, |allowed| allowed.min(capacity));
        let joined = self.0.hub.rooms_mut().join(
            room,
            self.key().index,
            settings.max_rooms_per_socket,
            capacity,
        );
        match joined {
            Joined::Now => {
                self.0.hub.joined(room, self.id());
                Join::Joined
            }
            Joined::Before => Join::Already,
            Joined::TooMany => Join::Limit,
            Joined::Full => Join::Full,
        }
    }

    /// Leaves a room. `false` if the socket was not in it.
    pub fn leave(&self, room: &str) -> bool {
        self.is_known() && self.0.hub.leave(room, self.id())
    }

    /// The room that was joined last, of those that the socket is in.
    pub fn room(&self) -> Option<Rc<str>> {
        if self.is_known() {
            return self.0.hub.rooms_mut().latest_of(self.key().index);
        }
        let last = |rare: &mut Rare| rare.more.as_ref()?.left.last().cloned();
        self.0.look(last).flatten()
    }

    /// The rooms that the socket is in, in the order of joining; after the end, those that it was in.
    pub fn rooms(&self) -> Vec<Rc<str>> {
        if self.is_known() {
            return self.0.hub.rooms_mut().rooms_of(self.key().index);
        }
        let left = |rare: &mut Rare| Some(rare.more.as_ref()?.left.clone());
        self.0.look(left).flatten().unwrap_or_default()
    }

    /// Whether the socket is in `room`.
    pub fn is_in(&self, room: &str) -> bool {
        self.is_known() && self.0.hub.rooms_mut().contains(room, self.key().index)
    }

    /// Starts the closing handshake with code 1000 and no reason (RFC 6455 §7.1.2).
    ///
    /// What was sent before is delivered first; what is sent later is not sent, and no more messages
    /// are heard. [`event::Close`] follows when the peer has answered, or when it neither answers nor reads
    /// what is left for [`close_timeout`](crate::Options::close_timeout).
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
        self.leave_link().kill();
    }

    /// Sends a ping (RFC 6455 §5.5.2), of 125 bytes at most: what is longer is cut.
    ///
    /// The heartbeat pings by itself; this one is only answered by [`event::Pong`].
    pub fn ping(&self, payload: &[u8]) -> bool {
        let payload = payload.get(..125).unwrap_or(payload);
        self.link()
            .send_control(true, control(Opcode::Ping, payload))
    }

    /// Counts as a sign of life of the peer, like anything that it sends.
    pub fn mark_alive(&self) {
        self.hear(self.link().now());
    }

    /// Whether no ping of the heartbeat is unanswered.
    pub fn is_alive(&self) -> bool {
        !self.0.pinged.get() && self.ready_state() < ReadyState::Closed
    }

    /// How long ago the peer last gave a sign of life, to the hundredth of a second.
    pub fn last_pong(&self) -> Duration {
        self.0.heard.get().elapsed(self.link().now())
    }

    /// Names this connection.
    pub fn id(&self) -> SocketId {
        SocketId(self.key())
    }

    /// Path and query of the request, as it was sent.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Path of the request, without the query: that may hold secrets.
    pub(super) fn path(&self) -> &str {
        self.url().split('?').next().unwrap_or_default()
    }

    /// The address of the client: of the TCP peer, or what a trusted proxy said. `None` over a
    /// Unix-domain socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        match self.0.peer {
            Some(peer) => Some(peer.into()),
            None => self.0.look(|rare| rare.more.as_ref()?.peer).flatten(),
        }
    }

    /// The subprotocol that was agreed on (RFC 6455 §1.9).
    pub fn protocol(&self) -> Option<String> {
        let protocol = |rare: &mut Rare| rare.more.as_ref()?.protocol.clone();
        self.0.look(protocol).flatten().map(Into::into)
    }

    /// All sockets of the server.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// How far the connection has come.
    pub fn ready_state(&self) -> ReadyState {
        match self.link().stage() {
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
        self.link().backlog()
    }

    /// Keeps a value with the socket, instead of an earlier one of its type.
    pub fn set<T: 'static>(&self, value: T) {
        self.set_any(Rc::new(value));
    }

    /// The value of type `T` that was [`set`](Self::set) on the socket or on its request.
    pub fn data<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.look(|rare| rare.data.get()).flatten()
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
