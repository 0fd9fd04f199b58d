//! What a socket is behind its pointer, and how it comes to be.

use std::cell::Cell;
use std::net::{SocketAddr, SocketAddrV4};
use std::rc::Rc;

use super::data::TypeMap;
use super::ending::Ending;
use super::event::Closed;
use super::hub::Hub;
use super::listeners::Listeners;
use super::socket::Socket;
use crate::net::clock::Tick;
use crate::net::slab::Key;

/// Every socket has one, so it is kept small: what few have is in [`Rare`].
pub(super) struct Inner {
    pub(super) hub: Hub,
    pub(super) key: Key,
    listeners: Cell<Listeners>,
    /// How often anything has changed that who delivers messages must know: listeners were added or
    /// removed, or the end has begun. The number of the next listener.
    pub(super) edits: Cell<u32>,
    /// The end has begun.
    pub(super) ended: Cell<bool>,
    /// The connection is gone: nothing is heard any more, so no listener is kept.
    pub(super) deaf: Cell<bool>,
    pub(super) admitted: Cell<bool>,
    /// Whether a ping was sent since the peer last gave a sign of life,
    pub(super) pinged: Cell<bool>,
    /// and when the first one was.
    pub(super) unanswered: Cell<Tick>,
    /// When the peer last gave a sign of life.
    pub(super) heard: Cell<Tick>,
    pub(super) url: Rc<str>,
    /// One of IPv6 is in [`Rare`].
    pub(super) peer: Option<SocketAddrV4>,
    rare: Cell<Option<Box<Rare>>>,
}

/// What few sockets have, made when it is first needed.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) data: TypeMap,
    pub(super) ending: Option<Box<Ending>>,
    pub(super) more: Option<Box<More>>,
}

/// What fewer have.
#[derive(Default)]
pub(super) struct More {
    pub(super) protocol: Option<Box<str>>,
    pub(super) peer: Option<SocketAddr>,
    /// The rooms that were held when the connection ended.
    pub(super) left: Vec<Rc<str>>,
    /// For whoever made the connection, when all listeners have heard of its end.
    pub(super) afterwards: Option<Afterwards>,
}

/// What comes of the end of a socket, for whoever made its connection.
pub(super) type Afterwards = Box<dyn FnOnce(&Socket, &Closed<'_>)>;

/// How a socket came to be: what its request said of it.
pub(crate) struct Origin {
    pub(crate) url: Rc<str>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) data: TypeMap,
}

impl Origin {
    fn split(self) -> (Rc<str>, Option<SocketAddrV4>, Option<Box<Rare>>) {
        let (v4, peer) = match self.peer {
            Some(SocketAddr::V4(peer)) => (Some(peer), None),
            peer => (None, peer),
        };
        let protocol = self.protocol;
        let more = (protocol.is_some() || peer.is_some()).then_some(More {
            protocol,
            peer,
            ..More::default()
        });
        let rare = (more.is_some() || !self.data.is_empty()).then(|| Rare {
            data: self.data,
            more: more.map(Box::new),
            ..Rare::default()
        });
        (self.url, v4, rare.map(Box::new))
    }
}

impl Inner {
    pub(super) fn new(hub: Hub, key: Key, origin: Origin) -> Self {
        let (url, peer, rare) = origin.split();
        let now = hub.link(key).now();
        Self {
            hub,
            key,
            listeners: Cell::default(),
            edits: Cell::new(0),
            ended: Cell::new(false),
            deaf: Cell::new(false),
            admitted: Cell::new(false),
            pinged: Cell::new(false),
            unanswered: Cell::new(now),
            heard: Cell::new(now),
            url,
            peer,
            rare: Cell::new(rare),
        }
    }

    /// Lets `change` change the listeners. It must not call the application, nor drop what is its.
    #[inline(always)]
    pub(super) fn listeners<R>(&self, change: impl FnOnce(&mut Listeners) -> R) -> R {
        let mut listeners = self.listeners.take();
        let result = change(&mut listeners);
        // What lies there meanwhile is an empty list, of which nothing has to be dropped.
        std::mem::forget(self.listeners.replace(listeners));
        result
    }

    /// Lets `look` see what few sockets have, if this one does. It must not call the application.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut Rare) -> R) -> Option<R> {
        let mut rare = self.rare.take()?;
        let result = look(&mut rare);
        self.rare.set(Some(rare));
        Some(result)
    }

    /// The same, and makes it if need be.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Rare) -> R) -> R {
        let mut rare = self.rare.take().unwrap_or_default();
        let result = change(&mut rare);
        self.rare.set(Some(rare));
        result
    }
}
