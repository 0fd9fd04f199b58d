//! The application in the simulation: whatever chance says, from outside and from inside of listeners.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Hub, Join, Options, Overflow, Socket, event};

use super::book::{Faults, Page};
use super::dice::Dice;
use super::pending::Pending;

pub(super) const ROOMS: [&str; 3] = ["red", "green", "blue"];
/// The length of what is answered at `/large`: more than is answered in one go.
pub(super) const LARGE: usize = 70 * KIB;
const KIB: usize = 1024;
/// How deep listeners bring about what runs listeners.
const DEPTH: usize = 3;
/// Actions of one run at most: some bring about others without end.
const MOST: usize = 400;

/// What the application and the one who plays it share.
pub(super) struct Stage {
    pub(super) dice: RefCell<Dice>,
    pub(super) pages: RefCell<Vec<Rc<Page>>>,
    pub(super) hub: RefCell<Option<Hub>>,
    pub(super) log: RefCell<Vec<String>>,
    pub(super) pending: Pending,
    /// What was wrong inside of listeners, where a panic would only end a socket.
    pub(super) faults: Faults,
    numbers: Cell<u32>,
    depth: Cell<usize>,
    actions: Cell<usize>,
}

pub(super) fn options(dice: &mut Dice) -> Options {
    let seconds = Duration::from_secs;
    Options {
        heartbeat: dice.one_of(&[Duration::ZERO, seconds(10), seconds(30)]),
        pong_timeout: dice.one_of(&[Duration::ZERO, seconds(15), seconds(45)]),
        idle_timeout: dice.one_of(&[Duration::ZERO, Duration::ZERO, seconds(90)]),
        max_lifetime: dice.one_of(&[Duration::ZERO, Duration::ZERO, seconds(300)]),
        max_backpressure: dice.one_of(&[KIB, 4 * KIB, 64 * KIB, 1024 * KIB]),
        max_message_size: 32 * KIB,
        overflow: dice.one_of(&[Overflow::Close, Overflow::DropNewest, Overflow::DropOldest]),
        ..Options::default()
    }
}

/// Sockets at `/:page` are each on the page of that number.
pub(super) fn app(options: Options, stage: &Rc<Stage>) -> App {
    let mut app = App::with(options);
    let stage = Rc::clone(stage);
    app.get("/page", |ctx| ctx.text("a page"));
    app.get("/large", |ctx| ctx.text("x".repeat(LARGE)));
    let asked = Rc::clone(&stage);
    app.get("/later/:number", move |ctx| {
        let body = ctx.param("number").to_owned();
        asked.pending.answer(body, ctx.defer());
    });
    let judging = Rc::clone(&stage);
    app.verify_client_deferred(move |_, verdict| match judging.below(4) {
        0 => judging.pending.verdict(verdict),
        _ => verdict.accept(),
    });
    let deciding = Rc::clone(&stage);
    app.ws_use(move |socket, _, next| match deciding.below(8) {
        0 => deciding.pending.next(next),
        1 => {
            // Longer than that nobody waits: it is rejected.
            let delay = Duration::from_millis(deciding.below(20_000) as u64);
            socket.hub().set_timeout(delay, move |_| next.run());
        }
        _ => next.run(),
    });
    app.ws("/:page", move |socket, request| {
        let number: usize = request.param("page").parse().expect("a number");
        let page = Rc::clone(&stage.pages.borrow()[number]);
        stage.log(format!("{number} opens"));
        stage.welcome(socket, &page, number);
    });
    app
}

impl Stage {
    pub(super) fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            dice: RefCell::new(Dice::new(seed)),
            pages: RefCell::default(),
            hub: RefCell::default(),
            log: RefCell::default(),
            pending: Pending::default(),
            faults: Faults::default(),
            numbers: Cell::default(),
            depth: Cell::default(),
            actions: Cell::default(),
        })
    }

    pub(super) fn log(&self, line: String) {
        self.log.borrow_mut().push(line);
    }

    pub(super) fn below(&self, end: usize) -> usize {
        self.dice.borrow_mut().below(end)
    }

    /// A socket is open: its listeners write down what they hear, and act.
    pub(super) fn welcome(self: &Rc<Self>, socket: &Socket, page: &Rc<Page>, number: usize) {
        page.watch(socket, &self.faults);
        let acting = Rc::clone(self);
        socket.on(event::Message, move |_, _| acting.act_inside(2));
        let acting = Rc::clone(self);
        socket.on(event::Drain, move |_, _| acting.act_inside(1));
        let acting = Rc::clone(self);
        socket.on(event::Close, move |_, _| {
            acting.log(format!("{number} is closed"));
            acting.act_inside(1);
        });
        self.act_inside(2);
    }

    /// Inside of a listener: less than `end` actions.
    pub(super) fn act_inside(self: &Rc<Self>, end: usize) {
        if self.depth.get() >= DEPTH {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        (0..self.below(end + 1)).for_each(|_| self.act());
        self.depth.set(self.depth.get() - 1);
    }

    /// One action of the application.
    pub(super) fn act(self: &Rc<Self>) {
        self.actions.set(self.actions.get() + 1);
        if self.below(3) == 0 {
            self.decide();
        }
        let hub = self.hub.borrow().clone();
        let (Some(hub), true) = (hub, self.actions.get() < MOST) else {
            return;
        };
        let Some((page, socket)) = self.somebody() else {
            return;
        };
        let room = self.dice.borrow_mut().one_of(&ROOMS);
        let what = self.below(20);
        self.log(format!("action {what} on {:?}, {room}", socket.url()));
        match what {
            0..=3 => self.send(&page, &socket),
            4..=6 => (0..self.below(40)).for_each(|_| self.send(&page, &socket)),
            7..=10 => self.send_to_room(&hub, room, socket.id()),
            11..=13 => self.join(&page, &socket, room),
            14 => {
                let was_in = page.rooms.borrow_mut().remove(room);
                let left = socket.leave(room);
                self.check(left == was_in, || format!("{room} was left: {left}"));
            }
            15 if self.below(8) == 0 => self.pour(&page, &socket),
            15 => drop(socket.ping(b"there?")),
            16 => self.act_later(&hub, &socket),
            17 if self.below(3) == 0 => socket.close(),
            18 if self.below(3) == 0 => drop(socket.close_with(4001, "as chance has it")),
            19 if self.below(4) == 0 => socket.terminate(),
            _ => self.send(&page, &socket),
        }
    }

    /// Decides something that is pending.
    pub(super) fn decide(&self) {
        if let Some(how) = self.pending.decide(&self.dice) {
            self.log(format!("decided: {how}"));
        }
    }

    /// One of the sockets, rarely of those that have ended.
    fn somebody(&self) -> Option<(Rc<Page>, Socket)> {
        let pages = self.pages.borrow();
        let ended_too = self.below(20) == 0;
        let meant: Vec<_> = pages
            .iter()
            .filter(|page| ended_too || page.is_known())
            .filter_map(|page| Some((Rc::clone(page), page.socket()?)))
            .collect();
        (!meant.is_empty()).then(|| meant[self.below(meant.len())].clone())
    }

    fn join(&self, page: &Page, socket: &Socket, room: &'static str) {
        let was_in = page.rooms.borrow().contains(room);
        let joined = socket.join(room);
        let is_right = match joined {
            Join::Joined => page.rooms.borrow_mut().insert(room),
            Join::Already => was_in,
            Join::Closed => true,
            _ => false,
        };
        self.check(is_right, || format!("{room}: {joined:?}"));
    }

    fn check(&self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.faults.note(what());
        }
    }

    fn act_later(self: &Rc<Self>, hub: &Hub, socket: &Socket) {
        let stage = Rc::clone(self);
        let delay = Duration::from_millis(self.below(20_000) as u64);
        let once = self.below(2) == 0;
        if once {
            hub.set_timeout(delay, move |_| stage.act_inside(3));
        } else {
            socket.once(event::Message, move |_, _| stage.act_inside(2));
        }
    }

    pub(super) fn next_message(&self) -> (u32, String) {
        let len = match self.below(48) {
            0 => self.below(20 * KIB),
            1..=8 => self.below(2 * KIB),
            _ => self.below(100),
        };
        self.message_of(len)
    }

    fn message_of(&self, len: usize) -> (u32, String) {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        (number, format!("{number}:{}", "x".repeat(len)))
    }

    fn send(&self, page: &Page, socket: &Socket) {
        let (number, text) = self.next_message();
        page.note(number, socket.send(&text));
    }

    /// Much at once: one message that is written from where it lies, or many that fill the turn's log.
    fn pour(&self, page: &Page, socket: &Socket) {
        let (count, len) = self
            .dice
            .borrow_mut()
            .one_of(&[(1, 100 * KIB), (40, 3 * KIB)]);
        for _ in 0..count {
            let (number, text) = self.message_of(len);
            page.note(number, socket.send(&text));
        }
    }

    /// Who is open hears it; one whom it makes overflow is closed, and it is not accepted.
    fn send_to_room(&self, hub: &Hub, room: &str, except: rushwire::SocketId) {
        let (number, text) = self.next_message();
        let pages = self.pages.borrow().clone();
        let mut meant = Vec::new();
        for page in pages
            .iter()
            .filter(|page| page.rooms.borrow().contains(room))
        {
            let socket = page.socket().expect("it is in a room");
            if socket.id() != except && socket.is_open() {
                meant.push((page, socket, page.sent.borrow().len()));
            }
        }
        // What listeners send on this occasion comes behind.
        hub.to(room).except(except).send(&text);
        for (page, socket, place) in meant {
            if socket.is_open() {
                page.sent.borrow_mut().insert(place, number);
            }
        }
    }
}
