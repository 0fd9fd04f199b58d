//! Everything that an application holds is let go of in every order, wherever that may be: nothing
//! panics, nothing leaks, every socket hears its end once, and what is left says that it is over.
//!
//! There are too many orders of twelve things, so those that are tried have every order of every four
//! among them: four things that are fatal in one order only are found.

mod held;
mod orders;
mod world;

use std::net::TcpListener;
use std::time::Duration;

use rushwire::{
    App, Client as Connector, ConnectError, ConnectOptions, Connection, Gone, Hub, Reconnect, event,
};

use self::held::Marks;
use self::orders::{ITEMS, Item, orders, permutations};
use self::world::{Place, World, panics};
use crate::hush;

/// Drops everything in that order. The server cannot be dropped in its own turn: when it is its turn to
/// go, it goes between two turns, and what follows goes in the last listener that it calls, or later.
fn drop_all(order: &[Item], place: Place, uses: bool) {
    let marks = Marks::default();
    let mut world = World::new(&marks, uses);
    for (index, item) in order.iter().enumerate() {
        match item {
            Item::Server => world.drop_server(&order[index + 1..], place),
            item => world.drop_in(*item, place),
        }
        world.check();
    }
    let closes = world.end();
    assert_eq!(marks.alive(), [""; 0], "leaked");
    assert_eq!(closes, ["open", "ours", "stale", "theirs", "trigger"]);
}

/// Goes through all orders, and says which one it was that failed.
fn drop_in_every_order(place: Place) {
    hush();
    for (n, order) in orders().iter().enumerate() {
        // What may be used up, is, every second time.
        let run = || drop_all(order, place, n % 2 == 1);
        let before = panics();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(
            result.is_ok() && panics() == before,
            "{place:?}, {n}: {order:?}"
        );
    }
}

#[test]
fn between_two_turns() {
    drop_in_every_order(Place::Outside);
}

#[test]
fn in_a_listener_for_messages() {
    drop_in_every_order(Place::Message);
}

#[test]
fn in_a_timer() {
    drop_in_every_order(Place::Timer);
}

#[test]
fn in_a_job_of_a_remote() {
    drop_in_every_order(Place::Job);
}

#[test]
fn in_a_handler_of_a_route() {
    drop_in_every_order(Place::Handler);
}

#[test]
fn in_the_last_listener_of_a_socket() {
    drop_in_every_order(Place::Close);
}

#[test]
fn on_another_thread_what_may_go_there() {
    drop_in_every_order(Place::Thread);
}

#[test]
fn the_orders_have_every_order_of_every_four_among_them() {
    let orders = orders();
    for four in permutations(ITEMS.len(), 4) {
        let four: Vec<Item> = four.iter().map(|&index| ITEMS[index]).collect();
        let has = |order: &Vec<Item>| {
            let mut rest = order.iter();
            four.iter().all(|item| rest.any(|other| other == item))
        };
        assert!(orders.iter().any(has), "{four:?}");
    }
}

/// Leaves something with a hub.
type Leave = fn(&mut App, &Hub, &Marks);

/// What an application leaves with a hub, each thing with the hub in it.
const LEFT: [(&str, Leave); 6] = [
    ("an interval", |_, hub, marks| {
        let held = (hub.clone(), marks.mark("interval"));
        let timer = hub.set_interval(Duration::from_secs(1), move |_| _ = &held);
        drop(timer);
    }),
    ("a timeout", |_, hub, marks| {
        let held = (hub.clone(), marks.mark("timeout"));
        drop(hub.set_timeout(Duration::from_secs(1), move |_| drop(held)));
    }),
    ("a listener for rooms", |_, hub, marks| {
        let held = (hub.clone(), marks.mark("rooms"));
        hub.on_room(move |_, _| _ = &held);
    }),
    ("a listener for errors", |app, hub, marks| {
        let held = (hub.clone(), marks.mark("errors"));
        app.on_error(move |_| _ = &held);
    }),
    ("a job", |_, hub, marks| {
        let held = marks.mark("job");
        let _ = hub.remote().post(move |_| drop(held));
    }),
    ("a connection", |_, hub, marks| {
        let held = (hub.clone(), marks.mark("connection"));
        let connection = hub.connect(
            "ws://127.0.0.1:9",
            ConnectOptions::default(),
            move |_, _| {
                _ = &held;
            },
        );
        if let Ok(connection) = connection {
            let held = (connection.clone(), marks.mark("its errors"));
            connection.on_error(move |_| _ = &held);
        }
    }),
];

#[test]
fn what_is_left_with_an_application_that_never_listens_goes_with_it() {
    for order in permutations(3, 3) {
        for (name, leave) in LEFT {
            let marks = Marks::default();
            let mut app = App::new();
            let hub = app.hub().clone();
            leave(&mut app, &hub, &marks);
            assert_ne!(marks.alive(), [""; 0], "{name}");
            let (mut app, mut hub, mut remote) = (Some(app), Some(hub), None);
            for item in &order {
                match item {
                    0 => app = None,
                    1 => hub = None,
                    _ => remote = hub.as_ref().map(Hub::remote),
                }
                if app.is_none() {
                    assert_eq!(marks.alive(), [""; 0], "{name}, {order:?}");
                    let gone = remote.as_ref().map(|remote| remote.post(|_| ()));
                    assert_ne!(gone, Some(Ok(())));
                }
            }
        }
    }
}

/// A hub whose server is gone keeps nothing: nobody would ever run it.
#[test]
fn what_is_left_with_a_hub_whose_server_is_gone_is_not_kept() {
    for (name, leave) in LEFT {
        let marks = Marks::default();
        let mut app = App::new();
        let server = app.bind("127.0.0.1:0").expect("bind");
        let hub = server.hub().clone();
        drop(server);
        leave(&mut app, &hub, &marks);
        assert_eq!(marks.alive(), [""; 0], "{name}");
    }
}

#[test]
fn nothing_is_begun_on_a_hub_whose_server_is_gone() {
    let mut app = App::new();
    let hub = app.hub().clone();
    let waits = hub.set_interval(Duration::from_secs(1), |_| ());
    drop(app.bind("127.0.0.1:0").expect("bind"));
    assert!(!waits.cancel(), "it is over");
    assert!(!hub.set_timeout(Duration::ZERO, |_| ()).cancel());
    let refused = hub.connect("ws://127.0.0.1:9", ConnectOptions::default(), |_, _| ());
    assert_eq!(refused.map(|_| ()), Err(ConnectError::Shutdown));
    assert_eq!(hub.remote().post(|_| ()), Err(Gone));
    assert_eq!((hub.len(), hub.ws_broadcast("x", None)), (0, 0));
}

/// What is done with a connection whose listener holds it.
type End = fn(&Connection, &Marks);

/// How a connection may come to be over, while its listener for failures holds it.
const ENDS: [(&str, End); 4] = [
    ("it is closed", |connection, marks| {
        listen(connection, marks, |_| {});
        connection.close();
    }),
    (
        "it is closed before somebody listens",
        |connection, marks| {
            connection.close();
            listen(connection, marks, |_| {});
        },
    ),
    ("it is closed by its own listener", |connection, marks| {
        listen(connection, marks, |connection| _ = connection.close());
    }),
    (
        "its own listener sets another, and closes it",
        |connection, marks| {
            let inner = marks.clone();
            listen(connection, marks, move |connection| {
                listen(connection, &inner, |_| {});
                connection.close();
            });
        },
    ),
];

fn listen(connection: &Connection, marks: &Marks, run: impl Fn(&Connection) + 'static) {
    let held = (connection.clone(), marks.mark("listener"));
    connection.on_error(move |_| run(&held.0));
}

#[test]
fn a_connection_that_is_over_lets_go_of_its_listener_which_may_hold_it() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").expect("bind");
    let url = format!("ws://{}", gone.local_addr().expect("address"));
    drop(gone);
    for (name, end) in ENDS {
        let marks = Marks::default();
        let mut client = Connector::new().expect("a client");
        let options = ConnectOptions {
            reconnect: Some(Reconnect::default()),
            ..ConnectOptions::default()
        };
        let connection = client.connect(&url, options, |_, _| {}).expect("a URL");
        end(&connection, &marks);
        client.run().expect("it ends");
        assert!(connection.is_over(), "{name}");
        assert_eq!(marks.alive(), [""; 0], "{name}");
    }
}

/// The client that runs its own reactor, and all that can be held of it.
#[test]
fn a_client_and_what_it_holds_are_let_go_of_in_every_order() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let url = format!("ws://{}", listener.local_addr().expect("address"));
    for order in permutations(5, 5) {
        let marks = Marks::default();
        let client = Connector::new().expect("a client");
        let hub = client.hub().clone();
        let held = (hub.clone(), marks.mark("handler"));
        let connection = client.connect(&url, ConnectOptions::default(), move |socket, _| {
            socket.on(event::Close, |_, _| ());
            _ = &held;
        });
        let connection = connection.expect("a URL");
        let held = (connection.clone(), marks.mark("errors"));
        connection.on_error(move |_| _ = &held);
        let (mut client, mut hub, mut connection) = (Some(client), Some(hub), Some(connection));
        let mut remotes = (
            hub.as_ref().map(Hub::remote),
            connection.as_ref().map(|connection| connection.remote()),
        );
        if let Some(client) = &mut client {
            // It has begun to connect.
            client.turn(Some(Duration::ZERO)).expect("a turn");
        }
        for item in &order {
            match item {
                0 => client = None,
                1 => hub = None,
                2 => connection = None,
                3 => remotes.0 = None,
                _ => remotes.1 = None,
            }
            if client.is_none() {
                assert!(
                    connection.as_ref().is_none_or(|it| it.is_over()),
                    "{order:?}"
                );
                let gone = remotes.0.as_ref().map(|remote| remote.post(|_| ()));
                assert!(matches!(gone, None | Some(Err(Gone))), "{order:?}");
                let gone = remotes.1.as_ref().map(|remote| remote.close());
                assert!(matches!(gone, None | Some(Err(Gone))), "{order:?}");
                assert_eq!(marks.alive(), [""; 0], "{order:?}");
            }
        }
        drop(hub);
    }
}
