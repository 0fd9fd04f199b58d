//! A hub with its rooms against a model made of sets: who is there, who is in which room, who hears
//! what, in order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::choices::Choices;
use crate::testing::{Client, Received, TestServer};
use crate::{App, Join, Options, Socket, SocketId, event};

/// How many peers there are at most, and in how many rooms each of them may be.
const PEERS: usize = 6;
const ROOMS_OF_ONE: usize = 3;
const ROOMS: [&str; 5] = ["a", "b", "c", "the longest room", ""];
/// Longer scripts find nothing more.
const STEPS: usize = 200;

/// Does what the bytes say, step by step.
///
/// # Panics
///
/// When the hub differs from the model in anything that an application can see.
pub fn hub(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut world = World::new();
    for step in 0..STEPS {
        if choices.is_empty() {
            break;
        }
        world.act(step, &mut choices);
        world.compare();
    }
    while !world.peers.is_empty() {
        world.end(0, End::Close);
    }
    world.compare();
}

struct World {
    test: TestServer,
    /// The last one who came.
    came: Rc<RefCell<Option<Socket>>>,
    closed: Rc<RefCell<Vec<SocketId>>>,
    peers: Vec<Peer>,
    /// Who has gone, in order.
    gone: Vec<SocketId>,
}

struct Peer {
    client: Client,
    socket: Socket,
    /// In the order of joining.
    rooms: Vec<&'static str>,
    /// What it is to hear next.
    expected: Vec<Received>,
}

#[derive(Clone, Copy)]
enum End {
    Close,
    Reset,
    Terminate,
    CloseByServer,
}

impl World {
    fn new() -> Self {
        let (came, closed) = <(Rc<RefCell<Option<Socket>>>, Rc<RefCell<Vec<_>>>)>::default();
        let mut app = App::with(Options {
            max_rooms_per_socket: ROOMS_OF_ONE,
            ..Options::default()
        });
        let (last, ended) = (Rc::clone(&came), Rc::clone(&closed));
        app.ws("/", move |socket, _| {
            let ended = Rc::clone(&ended);
            socket.on(event::Close, move |socket, _| {
                ended.borrow_mut().push(socket.id());
            });
            *last.borrow_mut() = Some(socket.clone());
        });
        Self {
            test: TestServer::new(app).expect("nothing is wrong with it"),
            came,
            closed,
            peers: Vec::new(),
            gone: Vec::new(),
        }
    }

    fn act(&mut self, step: usize, choices: &mut Choices<'_>) {
        let what = choices.below(16);
        if what == 0 || self.peers.is_empty() {
            self.connect();
            return;
        }
        let who = choices.below(self.peers.len());
        let room = choices.one_of(&ROOMS);
        match what {
            1..=4 => self.join(who, room, usize::MAX),
            5 => self.join(who, room, choices.below(4)),
            6 | 7 => self.leave(who, room),
            8..=12 => self.send(what, who, room, choices.one_of(&ROOMS), &step.to_string()),
            13 => self.end(who, choices.one_of(&[End::Close, End::CloseByServer])),
            14 => self.end(who, choices.one_of(&[End::Reset, End::Terminate])),
            _ => self.send_to_one(who, &step.to_string()),
        }
    }

    fn connect(&mut self) {
        if self.peers.len() < PEERS {
            let client = self.test.connect("/");
            self.test.turn();
            let socket = self.came.take().expect("it was let in");
            self.peers.push(Peer {
                client,
                socket,
                rooms: Vec::new(),
                expected: Vec::new(),
            });
        }
    }

    fn join(&mut self, who: usize, room: &'static str, capacity: usize) {
        let members = self.members(room).len();
        let peer = &mut self.peers[who];
        let expected = if room.is_empty() {
            Join::BadName
        } else if peer.rooms.contains(&room) {
            Join::Already
        } else if peer.rooms.len() == ROOMS_OF_ONE {
            Join::Limit
        } else if members >= capacity {
            Join::Full
        } else {
            peer.rooms.push(room);
            Join::Joined
        };
        let joined = peer.socket.join_up_to(room, capacity);
        assert_eq!(joined, expected, "{room:?}, up to {capacity}");
    }

    fn leave(&mut self, who: usize, room: &str) {
        let peer = &mut self.peers[who];
        let was_in = peer.rooms.contains(&room);
        peer.rooms.retain(|it| *it != room);
        assert_eq!(peer.socket.leave(room), was_in);
    }

    /// Sends to one room or two, in each way that there is.
    fn send(&mut self, way: usize, who: usize, room: &str, other: &str, text: &str) {
        let hub = self.test.hub();
        let socket = &self.peers[who].socket;
        let mut meant = self.members(room);
        let reached = match way {
            8 => hub.to(room).send(text),
            9 => {
                meant.extend(self.members(other));
                hub.to(room).to(other).send(text)
            }
            10 => {
                meant.extend(self.members(other));
                meant.remove(&who);
                hub.to(room).except(socket.id()).to(other).send(text)
            }
            11 => {
                meant.remove(&who);
                socket.broadcast(room, text)
            }
            _ => {
                meant = (0..self.peers.len()).collect();
                hub.ws_broadcast(text, None)
            }
        };
        assert_eq!(reached, meant.len(), "{way}: {room:?}, {other:?}");
        for member in meant {
            self.peers[member].expected.push(text.into());
        }
    }

    fn send_to_one(&mut self, who: usize, text: &str) {
        let peer = &mut self.peers[who];
        peer.socket.send(text);
        peer.expected.push(text.into());
    }

    fn end(&mut self, who: usize, end: End) {
        let mut peer = self.peers.remove(who);
        self.test.turn();
        assert_eq!(peer.client.recv_all(), peer.expected);
        match end {
            End::Close => peer.client.close(),
            End::Reset => peer.client.reset(),
            End::Terminate => peer.socket.terminate(),
            End::CloseByServer => peer.socket.close(),
        }
        self.test.turn();
        self.gone.push(peer.socket.id());
        let was_in: Vec<_> = peer.socket.rooms();
        let was_in: Vec<&str> = was_in.iter().map(|room| &**room).collect();
        assert_eq!(was_in, peer.rooms, "it is still known where it was");
        assert!(!peer.socket.is_open() && peer.socket.join("a") == Join::Closed);
    }

    /// Who is in a room, by place.
    fn members(&self, room: &str) -> BTreeSet<usize> {
        let all = self.peers.iter().enumerate();
        let all = all.filter(|(_, peer)| peer.rooms.contains(&room));
        all.map(|(place, _)| place).collect()
    }

    fn compare(&mut self) {
        self.test.turn();
        let hub = self.test.hub();
        let mut rooms: BTreeMap<&str, BTreeSet<SocketId>> = BTreeMap::new();
        for peer in &mut self.peers {
            assert_eq!(peer.client.recv_all(), std::mem::take(&mut peer.expected));
            let is_in = peer.socket.rooms();
            assert!(is_in.iter().map(|it| &**it).eq(peer.rooms.iter().copied()));
            let last = peer.socket.room();
            assert_eq!(last.as_deref(), peer.rooms.last().copied());
            for room in &peer.rooms {
                rooms.entry(room).or_default().insert(peer.socket.id());
            }
        }
        let ids =
            |sockets: Vec<Socket>| -> BTreeSet<_> { sockets.iter().map(Socket::id).collect() };
        let here = self.peers.iter().map(|peer| peer.socket.id()).collect();
        assert_eq!((hub.len(), ids(hub.sockets())), (self.peers.len(), here));
        let mut names = hub.rooms();
        names.sort_unstable();
        assert!(names.iter().eq(rooms.keys()), "{names:?}");
        for room in ROOMS {
            let members = rooms.remove(room).unwrap_or_default();
            assert_eq!(hub.room(room).len(), members.len());
            assert_eq!(ids(hub.room(room).members()), members, "{room:?}");
        }
        assert_eq!(*self.closed.borrow(), self.gone);
        assert!(self.gone.iter().all(|id| hub.socket(*id).is_none()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::{run_noise, run_seeds};
    use super::hub;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("hub", hub);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(200, 300, hub);
    }
}
