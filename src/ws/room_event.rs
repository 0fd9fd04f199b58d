//! Who comes into rooms and leaves them, for listeners of the whole server.
//!
//! Rooms change inside of calls that the application makes, and no listener runs there. So a change is
//! staged, and told by the reactor when nothing else runs, in the same turn.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::hub::Hub;
use super::journal::{Entry, Level};
use super::status::SocketId;
use super::watchdog::Call;

/// A change of who is in a room. See [`Hub::on_room`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomEvent<'a> {
    /// What has happened.
    pub change: RoomChange,
    /// The name of the room.
    pub room: &'a str,
    /// Who came or left; for a room that was created the first to come, for one that was destroyed the
    /// last to leave. When it is told, the socket may be gone.
    pub socket: SocketId,
    /// How many were in the room then, with whom had come and without whom had left.
    pub members: usize,
}

/// What can happen to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomChange {
    /// The first member came. [`Joined`](Self::Joined) follows.
    Created,
    /// A socket came in.
    Joined,
    /// A socket left, by itself or with its end.
    Left,
    /// The last member has left: [`Left`](Self::Left) was told before.
    Destroyed,
}

type Listener = Box<dyn FnMut(&Hub, RoomEvent<'_>)>;

/// The listeners of a hub, and what they have not heard yet.
#[derive(Default)]
pub(super) struct RoomEvents {
    /// One that runs is out of its place.
    listeners: RefCell<Vec<Option<Listener>>>,
    has_listeners: Cell<bool>,
    staged: RefCell<Vec<Staged>>,
}

struct Staged {
    change: RoomChange,
    room: Rc<str>,
    socket: SocketId,
    members: usize,
}

impl RoomEvents {
    /// Takes all listeners out, to be dropped outside any borrow.
    pub(super) fn take(&self) -> impl Sized + use<> {
        self.has_listeners.set(false);
        self.listeners.take()
    }

    fn stage(&self, change: RoomChange, room: &Rc<str>, socket: SocketId, members: usize) {
        self.staged.borrow_mut().push(Staged {
            change,
            room: Rc::clone(room),
            socket,
            members,
        });
    }

    fn taken(&self, place: usize) -> Option<Listener> {
        self.listeners.borrow_mut().get_mut(place)?.take()
    }

    fn tell(&self, hub: &Hub, staged: &Staged) {
        let event = RoomEvent {
            change: staged.change,
            room: &staged.room,
            socket: staged.socket,
            members: staged.members,
        };
        // Those that are added meanwhile hear the next one.
        let count = self.listeners.borrow().len();
        for place in 0..count {
            let taken = self.taken(place);
            let Some(mut listener) = taken else { continue };
            let call = || Call::of("room listener");
            if let Err(panic) = hub.run(call, || listener(hub, event)) {
                hub.report(None, &panic);
            }
            let spare = match self.listeners.borrow_mut().get_mut(place) {
                Some(place) => place.replace(listener),
                None => Some(listener),
            };
            drop(spare);
        }
    }
}

impl Hub {
    /// Hears of every change of who is in which room. Listeners run in the order in which they were
    /// added, and hear the changes in the order in which they happened.
    ///
    /// They run later in the same turn, never inside of the call that brings a change about: so anything
    /// may be done there, and what `event` tells may be over. A socket that ends leaves its rooms, which
    /// is told after its own [`Close`](crate::event::Close). A panic is reported to
    /// [`App::on_error`](crate::App::on_error), and ends nothing.
    ///
    /// ```
    /// use rushwire::{App, RoomChange};
    ///
    /// let mut app = App::new();
    /// app.on_room(|hub, event| {
    ///     if event.change == RoomChange::Joined {
    ///         hub.to(event.room).except(event.socket).send(&format!("we are {}", event.members));
    ///     }
    /// });
    /// ```
    pub fn on_room(&self, listener: impl FnMut(&Self, RoomEvent<'_>) + 'static) {
        // It would never run.
        if self.is_released() {
            return;
        }
        let events = self.room_events();
        events.listeners.borrow_mut().push(Some(Box::new(listener)));
        events.has_listeners.set(true);
    }

    /// A socket has come into `room`.
    #[inline]
    pub(super) fn joined(&self, room: &str, socket: SocketId) {
        self.note(Entry::Joined { socket, room });
        if self.room_events().has_listeners.get() {
            self.stage_joined(room, socket);
        }
    }

    fn stage_joined(&self, room: &str, socket: SocketId) {
        let (name, members) = {
            let rooms = self.rooms_mut();
            (rooms.name(room), rooms.members(room).len())
        };
        let Some(name) = name else { return };
        let events = self.room_events();
        if members == 1 {
            events.stage(RoomChange::Created, &name, socket, members);
        }
        events.stage(RoomChange::Joined, &name, socket, members);
    }

    /// Takes a socket out of `room`; `false` if it was not there.
    pub(super) fn leave(&self, room: &str, socket: SocketId) -> bool {
        let mut rooms = self.rooms_mut();
        let name = self.tells_of_leaving().then(|| rooms.name(room)).flatten();
        let left = rooms.leave(room, socket.0.index);
        drop(rooms);
        if left && let Some(name) = name {
            self.left(&[name], socket);
        }
        left
    }

    fn tells_of_leaving(&self) -> bool {
        self.room_events().has_listeners.get() || self.is_noted(Level::Trace)
    }

    /// A socket has left `rooms`.
    pub(super) fn left(&self, rooms: &[Rc<str>], socket: SocketId) {
        let events = self.room_events();
        for room in rooms {
            self.note(Entry::Left { socket, room });
            if !events.has_listeners.get() {
                continue;
            }
            let members = self.rooms_mut().members(room).len();
            events.stage(RoomChange::Left, room, socket, members);
            if members == 0 {
                events.stage(RoomChange::Destroyed, room, socket, members);
            }
        }
    }

    /// Whether a change is to be told.
    pub(crate) fn has_room_events(&self) -> bool {
        !self.room_events().staged.borrow().is_empty()
    }

    /// Tells what was staged so far. What the listeners bring about is staged for the next time.
    pub(crate) fn tell_room_events(&self) {
        let events = self.room_events();
        for staged in events.staged.take() {
            events.tell(self, &staged);
        }
    }
}

impl fmt::Debug for RoomEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomEvents({})", self.listeners.borrow().len())
    }
}
