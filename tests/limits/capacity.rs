//! How many in a room, and how many rooms.

use rushwire::{Hub, Join, Options, Socket};

use super::common::{Client, Server, serve, serve_with};
use super::{limited, quiet};

/// Runs `check` with so many sockets, in the order of their connecting.
fn with_sockets(
    count: usize,
    options: fn() -> Options,
    check: impl FnOnce(&Hub, &[Socket]) + Send + 'static,
) {
    let (server, _log) = limited(options);
    let _clients: Vec<Client> = (0..count).map(|_| server.connect("/")).collect();
    server.wait_until("all are open", move |hub| hub.len() == count);
    server.ask(move |hub| check(hub, &hub.sockets()));
}

#[test]
fn a_room_has_as_many_members_as_was_set_for_it() {
    with_sockets(4, quiet, |hub, sockets| {
        let [a, b, c, d] = sockets else {
            panic!("four sockets")
        };
        assert_eq!(hub.room_capacity("game"), None);
        assert!(hub.set_room_capacity("game", Some(2)), "before it is there");
        assert_eq!(hub.room_capacity("game"), Some(2));
        assert_eq!(
            [a, b, c, a].map(|s| s.join("game")),
            [Join::Joined, Join::Joined, Join::Full, Join::Already]
        );
        assert_eq!(c.join("other"), Join::Joined, "another room");
        assert_eq!(c.join_up_to("game", 3), Join::Full, "the lower one counts");
        assert!(hub.set_room_capacity("game", Some(3)));
        assert_eq!(c.join_up_to("game", 2), Join::Full, "the lower one counts");
        assert_eq!([c, d].map(|s| s.join("game")), [Join::Joined, Join::Full]);
        assert!(hub.set_room_capacity("game", Some(1)));
        assert_eq!(hub.room("game").len(), 3, "who is in stays in");
        assert!(a.leave("game") && b.leave("game") && c.leave("game"));
        assert_eq!(
            [a, b].map(|s| s.join("game")),
            [Join::Joined, Join::Full],
            "it holds for the name, whoever has been there"
        );
        assert!(hub.set_room_capacity("game", Some(0)));
        assert!(a.leave("game"));
        assert_eq!(a.join("game"), Join::Full, "closed");
        assert!(hub.set_room_capacity("game", None));
        assert_eq!(
            [a, b, c, d].map(|s| s.join("game")),
            [Join::Joined; 4],
            "no limit any more"
        );
    });
}

#[test]
fn what_is_set_for_a_room_goes_before_max_room_size() {
    let options = || Options {
        max_room_size: Some(2),
        max_room_name: 8,
        ..quiet()
    };
    with_sockets(4, options, |hub, sockets| {
        let join = |room: &str| -> Vec<Join> { sockets.iter().map(|s| s.join(room)).collect() };
        let (joined, full) = (Join::Joined, Join::Full);
        assert!(hub.set_room_capacity("large", Some(3)) && hub.set_room_capacity("small", Some(1)));
        let capacities = ["any", "large", "small"].map(|room| hub.room_capacity(room));
        assert_eq!(capacities, [Some(2), Some(3), Some(1)]);
        assert_eq!(join("any"), [joined, joined, full, full]);
        assert_eq!(join("large"), [joined, joined, joined, full]);
        assert_eq!(join("small"), [joined, full, full, full]);
        assert!(hub.set_room_capacity("small", None));
        assert_eq!(hub.room_capacity("small"), Some(2));
        for name in ["", "123456789"] {
            assert!(!hub.set_room_capacity(name, Some(9)), "{name:?}");
            assert_eq!(hub.room_capacity(name), Some(2), "nothing is kept");
        }
    });
}

/// D21: predecessors refused those, too, that wanted to join a room which is there.
#[test]
fn at_max_rooms_the_rooms_that_are_there_can_still_be_joined() {
    let options = || Options {
        max_rooms: Some(2),
        ..quiet()
    };
    with_sockets(2, options, |hub, sockets| {
        let [a, b] = sockets else {
            panic!("two sockets")
        };
        assert_eq!(
            ["a", "b", "c"].map(|room| a.join(room)),
            [Join::Joined, Join::Joined, Join::Limit]
        );
        assert_eq!(
            ["a", "b", "c"].map(|room| b.join(room)),
            [Join::Joined, Join::Joined, Join::Limit]
        );
        assert_eq!(a.join("a"), Join::Already);
        assert_eq!(hub.rooms(), ["a", "b"]);
        assert!(a.leave("b"));
        assert_eq!(a.join("c"), Join::Limit, "somebody is still there");
        assert!(b.leave("b"));
        assert_eq!(a.join("c"), Join::Joined, "a room is gone");
        assert_eq!(hub.rooms(), ["a", "c"]);
    });
}

/// Twenty at once: nobody comes between looking and joining.
#[test]
fn of_many_that_want_the_last_places_exactly_so_many_get_them() {
    let answer = |server: &Server| {
        let clients: Vec<_> = (0..20)
            .map(|_| {
                let addr = server.addr;
                std::thread::spawn(move || {
                    let mut client = Client::connect(addr, "/");
                    (client.text(), client)
                })
            })
            .collect();
        let ends: Vec<_> = clients
            .into_iter()
            .map(|client| client.join().expect("no panic"))
            .collect();
        ends.iter().filter(|(text, _)| text == "Joined").count()
    };
    let options = || Options {
        max_room_size: Some(7),
        ..quiet()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| {
            _ = socket.send(&format!("{:?}", socket.join("room")));
        });
    });
    assert_eq!(answer(&server), 7);
    let server = serve(|app| {
        app.hub().set_room_capacity("room", Some(9));
        app.ws("/", |socket, _| {
            _ = socket.send(&format!("{:?}", socket.join("room")));
        });
    });
    assert_eq!(answer(&server), 9);
}
