//! A server with many clients who all talk at full rate is shut down: whatever `send` and broadcasts had
//! accepted arrives, in order, before the close frame.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use rushwire::event::{By, Cause};
use rushwire::{App, Hub, SendStatus, Socket, event};

use super::common::{NEVER, patient, wait_for_the_end_of};
use super::common::{Server, serve_with, until};
use super::crowd::{Crowd, For, Heard, numbered, talk};

const CLIENTS: usize = 240;
const THREADS: usize = 3;
/// Each message of this kind is long enough to be written on its own, in more than one part.
const LONG: u64 = 50;

/// What the server has promised to one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Promised {
    own: u64,
    common: u64,
    undelivered: usize,
    code: u16,
}

/// What was promised to whom, by number; written when its end is heard.
type Ledger = Arc<Mutex<BTreeMap<usize, Promised>>>;

/// What is done once.
type Deed = Box<dyn FnOnce(&Hub)>;

/// The server's side: counts what is accepted.
#[derive(Default)]
struct Teller {
    /// Messages for everyone so far.
    common: Cell<u64>,
    /// The next message that is heard is the signal for this.
    due: RefCell<Option<Deed>>,
}

impl Teller {
    /// Says something to everyone, if there still is anyone.
    fn tell_all(&self, hub: &Hub) {
        let number = self.common.get();
        let reached = hub.to("all").send(&numbered(For::All, number, 40));
        if reached > 0 {
            assert_eq!(reached, hub.room("all").len(), "nobody is left out");
            self.common.set(number + 1);
        }
    }

    fn welcome(self: &Rc<Self>, socket: &Socket, ledger: &Ledger) {
        socket.join("all");
        let (teller, own, from) = (Rc::clone(self), Rc::new(Cell::new(0)), self.common.get());
        let count = Rc::clone(&own);
        socket.on(event::Message, move |socket, _| {
            let due = teller.due.take();
            due.into_iter().for_each(|due| due(socket.hub()));
            let number = own.get();
            let len = if number % LONG == 0 { 10_000 } else { 40 };
            match socket.send(&numbered(For::One, number, len)) {
                SendStatus::Queued | SendStatus::Backpressure => own.set(number + 1),
                status => panic!("{status:?}"),
            }
        });
        let (teller, ledger) = (Rc::clone(self), Arc::clone(ledger));
        let number = socket.url()[2..].parse().expect("a number");
        socket.on(event::Close, move |_, close| {
            assert_eq!((close.by, close.cause), (By::Us, Cause::Shutdown));
            let promised = Promised {
                own: count.get(),
                common: teller.common.get() - from,
                undelivered: close.undelivered,
                code: close.code.0,
            };
            let before = ledger.lock().expect("no panic").insert(number, promised);
            assert_eq!(before, None, "the end is told once");
        });
    }
}

/// Serves a crowd until `shut` has shut it down; tells what was promised to whom, and what they heard.
fn serve_until(shut: impl FnOnce(&Server)) -> (BTreeMap<usize, Promised>, Vec<Heard>) {
    let ledger = Ledger::default();
    let kept = Arc::clone(&ledger);
    let mut server = serve_with(patient, move |app: &mut App| {
        let teller = Rc::new(Teller::default());
        app.hub().set_interval(Duration::from_millis(5), {
            let teller = Rc::clone(&teller);
            move |hub| teller.tell_all(hub)
        });
        TELLER.set(Some(Rc::clone(&teller)));
        app.ws("/", move |socket, _| teller.welcome(socket, &kept));
    });
    let addr = server.addr;
    let crowd = Arc::new(Crowd {
        start: Barrier::new(THREADS),
        busy: AtomicUsize::new(0),
    });
    let each = CLIENTS / THREADS;
    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let crowd = Arc::clone(&crowd);
            std::thread::spawn(move || talk(addr, n * each..(n + 1) * each, &crowd))
        })
        .collect();
    until("all are busy", || crowd.busy.load(SeqCst) == CLIENTS);
    shut(&server);
    wait_for_the_end_of(&server.remote);
    server.join();
    let heard = threads
        .into_iter()
        .flat_map(|thread| thread.join().expect("no panic"));
    let heard = heard.collect();
    let promised = std::mem::take(&mut *ledger.lock().expect("no panic"));
    (promised, heard)
}

thread_local! {
    /// Of the server of this thread.
    static TELLER: RefCell<Option<Rc<Teller>>> = const { RefCell::new(None) };
}

type Shut = fn(&Server);

/// Ways to ask for it, with all the time that is needed.
const WAYS: [(&str, Shut); 4] = [
    ("another thread", |server| {
        server.remote.shutdown(NEVER).expect("it runs");
    }),
    ("a listener, and messages behind it", |server| {
        server.ask(|_| {
            let shut = |hub: &Hub| {
                hub.shutdown(Duration::MAX);
                let teller = TELLER.with_borrow(Clone::clone).expect("it is here");
                (0..20).for_each(|_| teller.tell_all(hub));
            };
            let teller = TELLER.with_borrow(Clone::clone).expect("it is here");
            *teller.due.borrow_mut() = Some(Box::new(shut));
        });
    }),
    ("a timer", |server| {
        server.ask(|hub| _ = hub.set_timeout(Duration::ZERO, |hub| hub.shutdown(NEVER)));
    }),
    ("three times", |server| {
        for _ in 0..3 {
            server.remote.shutdown(NEVER).expect("it runs");
        }
    }),
];

#[test]
fn whatever_was_accepted_before_arrives_at_everyone_who_reads() {
    for (way, shut) in WAYS {
        println!("{way}");
        let (promised, heard) = serve_until(shut);
        assert_eq!((promised.len(), heard.len()), (CLIENTS, CLIENTS), "{way}");
        for heard in heard {
            let arrived = Promised {
                own: heard.own,
                common: heard.common(),
                undelivered: 0,
                code: heard.code.unwrap_or_default(),
            };
            assert_eq!(arrived, promised[&heard.number], "{way}: {heard:?}");
            assert_eq!(arrived.code, 1001, "{way}");
        }
    }
}

/// Then nobody waits: what could not be written at once is counted.
#[test]
fn without_any_grace_what_does_not_arrive_is_counted_and_nothing_overtakes() {
    let (promised, heard) = serve_until(|server| {
        server.remote.shutdown(Duration::ZERO).expect("it runs");
    });
    assert_eq!((promised.len(), heard.len()), (CLIENTS, CLIENTS));
    for heard in heard {
        let promised = promised[&heard.number];
        let (accepted, arrived) = (promised.own + promised.common, heard.own + heard.common());
        // What the system had taken may be lost with the connection, and is in no count.
        assert!(
            arrived + promised.undelivered as u64 <= accepted,
            "{promised:?} {heard:?}"
        );
        assert_eq!(promised.code, 1001);
        assert!(matches!(heard.code, None | Some(1001)), "{heard:?}");
        if heard.code.is_some() {
            assert_eq!((arrived, promised.undelivered), (accepted, 0), "{heard:?}");
        }
    }
}
