//! Who is in the room: one unbounded channel for each member, as all of tokio's chat examples do it.

use std::cell::RefCell;
use std::rc::Rc;

use slab::Slab;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The members of `/room`, by the sending ends of their inboxes.
#[derive(Debug)]
pub struct Room<M> {
    members: RefCell<Slab<UnboundedSender<M>>>,
}

impl<M> Default for Room<M> {
    fn default() -> Self {
        Self {
            members: RefCell::default(),
        }
    }
}

impl<M: Clone> Room<M> {
    /// Adds a member, who stays until the seat is dropped and must empty the inbox.
    pub fn join(self: &Rc<Self>) -> (Seat<M>, UnboundedReceiver<M>) {
        let (sender, inbox) = unbounded_channel();
        let key = self.members.borrow_mut().insert(sender);
        let room = Rc::clone(self);
        (Seat { room, key }, inbox)
    }
}

/// One member's place in a [`Room`].
#[derive(Debug)]
pub struct Seat<M> {
    room: Rc<Room<M>>,
    key: usize,
}

impl<M: Clone> Seat<M> {
    /// Puts `message` into the inbox of every other member.
    pub fn tell_others(&self, message: M) {
        for (key, member) in self.room.members.borrow().iter() {
            if key != self.key {
                // Whoever does not listen any more is about to leave.
                _ = member.send(message.clone());
            }
        }
    }

    /// Puts `message` into this member's own inbox.
    pub fn tell_myself(&self, message: M) {
        _ = self.room.members.borrow()[self.key].send(message);
    }
}

impl<M> Drop for Seat<M> {
    fn drop(&mut self) {
        self.room.members.borrow_mut().remove(self.key);
    }
}
