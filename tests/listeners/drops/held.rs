//! What the application holds, and what becomes of it.

use std::cell::RefCell;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use rushwire::{
    App, Connection, Deferred, Gone, Hub, Join, Next, PendingVerdict, ReadyState, Remote, Response,
    SendStatus, Socket, Timer,
};

use super::orders::Item;

/// Things that must be dropped, by name.
#[derive(Clone, Default)]
pub(super) struct Marks(Arc<Mutex<Vec<&'static str>>>);

/// Held by what must be dropped.
pub(super) struct Mark(Marks, &'static str);

impl Marks {
    pub(super) fn mark(&self, name: &'static str) -> Mark {
        self.0.lock().expect("no panic").push(name);
        Mark(self.clone(), name)
    }

    /// Those that were not dropped.
    pub(super) fn alive(&self) -> Vec<&'static str> {
        self.0.lock().expect("no panic").clone()
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut marks = self.0.0.lock().expect("no panic");
        let place = marks.iter().position(|name| *name == self.1);
        marks.swap_remove(place.expect("it is dropped once"));
    }
}

thread_local! {
    pub(super) static HELD: RefCell<Held> = RefCell::default();
}

/// What the application holds, each thing until it is dropped.
#[derive(Default)]
pub(super) struct Held {
    pub(super) app: Option<App>,
    pub(super) hub: Option<Hub>,
    pub(super) socket: Option<Socket>,
    pub(super) stale: Option<Socket>,
    pub(super) remote: Option<Remote>,
    pub(super) deferred: Option<Deferred>,
    pub(super) verdict: Option<PendingVerdict>,
    pub(super) next: Option<Next>,
    pub(super) timer: Option<Timer>,
    pub(super) connection: Option<Connection>,
    pub(super) peers: Vec<TcpStream>,
    /// Whether what can be used up is used, instead of being dropped.
    pub(super) uses: bool,
}

/// Takes something out of what is held, and then lets go of it: that may call back in.
pub(super) fn let_go(item: Item, elsewhere: bool) {
    fn take<T>(take: impl FnOnce(&mut Held) -> T) -> T {
        HELD.with_borrow_mut(take)
    }
    let uses = take(|held| held.uses);
    match item {
        Item::Server => {}
        Item::App => drop(take(|held| held.app.take())),
        Item::Hub => drop(take(|held| held.hub.take())),
        Item::Socket => drop(take(|held| held.socket.take())),
        Item::Stale => drop(take(|held| held.stale.take())),
        Item::Timer => match take(|held| held.timer.take()) {
            Some(timer) if uses => drop(timer.cancel()),
            timer => drop(timer),
        },
        Item::Connection => match take(|held| held.connection.take()) {
            Some(connection) if uses => drop(connection.close()),
            connection => drop(connection),
        },
        Item::Peers => drop(take(|held| std::mem::take(&mut held.peers))),
        Item::Remote => there(elsewhere, take(|held| held.remote.take()), drop),
        Item::Deferred => there(
            elsewhere,
            take(|held| held.deferred.take()),
            move |it| match it {
                Some(deferred) if uses => deferred.respond(Response::text("at last")),
                deferred => drop(deferred),
            },
        ),
        Item::Verdict => there(
            elsewhere,
            take(|held| held.verdict.take()),
            move |it| match it {
                Some(verdict) if uses => verdict.accept_with(7_u8),
                verdict => drop(verdict),
            },
        ),
        Item::Next => there(
            elsewhere,
            take(|held| held.next.take()),
            move |it| match it {
                Some(next) if uses => next.run_with(7_u8),
                next => drop(next),
            },
        ),
    }
}

/// Lets go of something here, or on another thread.
fn there<T: Send + 'static>(elsewhere: bool, it: T, let_go: impl FnOnce(T) + Send + 'static) {
    if elsewhere {
        let thread = std::thread::spawn(move || let_go(it));
        thread.join().expect("no panic");
    } else {
        let_go(it);
    }
}

impl Held {
    pub(super) fn is_complete(&self) -> bool {
        let connected = self.connection.as_ref().and_then(Connection::socket);
        let requests = (&self.deferred, &self.verdict, &self.next);
        self.socket.is_some()
            && self.stale.is_some()
            && connected.is_some()
            && matches!(requests, (Some(_), Some(_), Some(_)))
    }

    /// What is left can be used, and tells whether it is over.
    pub(super) fn check(&self, is_over: bool) {
        if let Some(hub) = &self.hub {
            assert_eq!(hub.is_empty(), is_over);
            assert_eq!(hub.sockets().len(), hub.len());
            assert_eq!(hub.remote().post(|_| ()) == Err(Gone), is_over);
            if is_over {
                assert_eq!((hub.rooms().len(), hub.room("room").len()), (0, 0));
                assert_eq!(
                    (hub.ws_broadcast("x", None), hub.to("room").send("x")),
                    (0, 0)
                );
                assert_eq!(hub.stats().total_connections, 0);
            }
        }
        if let Some(remote) = &self.remote {
            assert_eq!(remote.post(|_| ()) == Err(Gone), is_over);
        }
        let over = self.socket.iter().filter(|_| is_over);
        over.chain(&self.stale).for_each(check_gone);
        if !is_over {
            return;
        }
        if let Some(connection) = &self.connection {
            assert!(connection.is_over() && connection.socket().is_none());
            assert_eq!(
                (connection.send("x"), connection.unsent()),
                (SendStatus::Closed, 0)
            );
            assert_eq!(connection.remote().close(), Err(Gone));
        }
        if let Some(timer) = &self.timer {
            assert!(!timer.cancel(), "it is over already");
        }
    }
}

/// A socket whose connection is gone is inert, and says so.
fn check_gone(socket: &Socket) {
    assert_eq!(socket.ready_state(), ReadyState::Closed);
    assert_eq!(
        (socket.send("x"), socket.join("room")),
        (SendStatus::Closed, Join::Closed)
    );
    assert!(!socket.ping(b"x") && !socket.leave("room") && !socket.is_in("room"));
    assert!(!socket.is_alive() && socket.data::<Mark>().is_none());
    assert_eq!(*socket.rooms(), ["room".into()], "it tells where it was");
    socket.close();
    socket.terminate();
    assert!(socket.hub().socket(socket.id()).is_none());
}
