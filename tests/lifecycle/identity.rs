//! Ids and handles outlive connections, and never mean somebody else.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use rushwire::{Join, SendStatus, SocketId, event};

use super::common::client::{TEXT, frame, upgrade_request};
use super::common::log::log;
use super::common::{Client, http, serve_with};
use super::{STALE, gone, member, no_heartbeat};

#[test]
fn whatever_is_done_to_a_stale_handle_its_successor_is_untouched() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join("room");
            STALE.with_borrow_mut(|stale| stale.get_or_insert_with(|| socket.clone()).clone());
        });
    });
    let mut first = server.connect("/first");
    first.send_close(1000, "");
    first.closed();
    first.expect_end();
    gone(&server);
    let mut heir = server.connect("/heir");
    let stale = server.ask(|hub| {
        let stale = STALE.take().expect("the first is kept");
        let heir = member(hub, "room");
        assert_eq!(
            slot(stale.id()),
            slot(heir.id()),
            "the place is taken again, or this test shows nothing"
        );
        assert_ne!(stale.id(), heir.id());
        assert_eq!(stale.send("x"), SendStatus::Closed);
        assert_eq!(stale.join("other"), Join::Closed);
        assert!(
            !stale.leave("room")
                && !stale.ping(b"x")
                && !stale.is_in("room")
                && !stale.is_open()
                && !stale.is_alive()
        );
        assert_eq!(
            stale.rooms().iter().map(|room| &**room).collect::<Vec<_>>(),
            ["room"]
        );
        assert_eq!(stale.buffered_amount(), 0);
        assert!(hub.socket(stale.id()).is_none());
        stale.mark_alive();
        stale.close();
        stale.close_with(4000, "").expect("a good code");
        stale.terminate();
        assert_eq!(hub.to("room").except(stale.id()).send("to the heir"), 1);
        assert_eq!(stale.broadcast("room", "from the stale one"), 1);
        assert_eq!(
            (heir.is_open(), heir.is_in("room"), heir.rooms().len()),
            (true, true, 1)
        );
        stale.id()
    });
    server
        .remote
        .send(stale, "for nobody")
        .expect("the server is there");
    assert_eq!(
        (heir.text(), heir.text()),
        ("to the heir".to_owned(), "from the stale one".to_owned())
    );
    heir.send_close(1000, "");
    heir.expect_close(1000);
    server.stop(Duration::ZERO);
    let close = r#"close 1000 "" Peer Requested 0"#;
    assert_eq!(
        log.rest(),
        [
            "first open",
            &format!("first {close}"),
            "heir open",
            &format!("heir {close}")
        ]
    );
}

/// Which place of the table an id names: what stands before the generation.
fn slot(id: SocketId) -> String {
    let id = id.to_string();
    id.split_once('-')
        .expect("place and generation")
        .0
        .to_owned()
}

#[test]
fn ids_are_never_given_out_again_though_places_are() {
    let server = serve_with(no_heartbeat, |app| {
        app.ws("/", |socket, _| _ = socket.send(&socket.id().to_string()));
    });
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        let mut clients = [server.connect("/"), server.connect("/")];
        for id in clients.each_mut().map(Client::text) {
            places.insert(
                id.split_once('-')
                    .expect("place and generation")
                    .0
                    .to_owned(),
            );
            assert!(ids.insert(id.clone()), "{id} a second time");
        }
        clients
            .each_mut()
            .iter_mut()
            .for_each(|client| client.send_close(1000, ""));
        clients
            .each_mut()
            .iter_mut()
            .for_each(|client| _ = client.closed());
    }
    assert!(
        places.len() < 100,
        "places are not used again: this test shows nothing"
    );
}

/// Three things are ready in one turn: a message that ends B, a message of B, and a newcomer.
#[test]
fn a_newcomer_hears_nothing_of_the_one_that_was_cut_in_the_same_turn() {
    let (pen, log) = log();
    let server = serve_with(no_heartbeat, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join(request.param("name"));
            socket.on(event::Message, |socket, message| {
                if message.as_text() == Some("cut b") {
                    member(socket.hub(), "b").terminate();
                }
            });
        });
    });
    let (mut a, mut b) = (server.connect("/a"), server.connect("/b"));
    let hold = server.hold();
    a.send("cut b");
    b.send("from b");
    let mut newcomer = http::connect(server.addr);
    let hello = [
        upgrade_request("/c", "").as_bytes(),
        &frame(true, 0, TEXT, b"from c"),
    ]
    .concat();
    newcomer.write_all(&hello).expect("send");
    drop(hold);
    b.expect_end();
    server.wait_until("the newcomer is open", |hub| !hub.room("c").is_empty());
    assert_eq!(log.find("c message"), "c message from c");
    let ids = server.ask(|hub| hub.sockets().len());
    assert_eq!(ids, 2);
    server.stop(Duration::ZERO);
    let rest = log.rest();
    assert!(!rest.iter().any(|line| line.contains("from b")), "{rest:?}");
}
