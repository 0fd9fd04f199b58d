//! What all connections together keep: `memory_budget`.

use std::time::Duration;

use rushwire::testing::{Client, Received, TestServer};
use rushwire::{App, Options, Overflow, Refusal, event};

use super::common::journal::Journal;
use super::quiet;

const KIB: usize = 1024;
const BUDGET: usize = 256 * KIB;

/// A server whose peers have 16 KiB of network, and all together so much memory.
fn server(overflow: Overflow) -> (TestServer, Journal) {
    let journal = Journal::default();
    let pen = journal.clone();
    let mut app = App::with(Options {
        memory_budget: BUDGET,
        max_backpressure: 1024 * KIB,
        overflow,
        ..quiet()
    });
    app.get("/page", |ctx| ctx.text("a page"));
    app.ws("/:name", move |socket, request| {
        let name = request.param("name").to_owned();
        socket.join("all");
        socket.join(&name);
        let pen = pen.clone();
        let noted = name.clone();
        socket.on(event::Drain, {
            let pen = pen.clone();
            move |_, drained| pen.note(format!("{noted} drained {}", drained.undelivered))
        });
        socket.on(event::Close, move |_, close| {
            pen.note(format!(
                "{name} closed {} {:?} {}",
                close.code, close.cause, close.undelivered
            ));
        });
    });
    let test = TestServer::new(app).expect("an app");
    test.set_window(16 * KIB);
    (test, journal)
}

/// Somebody who does not read, for whom so many messages of a kibibyte are sent.
fn deaf(test: &TestServer, name: &str, messages: usize) -> Client {
    let mut client = test.connect(&format!("/{name}"));
    client.stop_reading();
    test.turn();
    for _ in 0..messages {
        test.hub().to(name).send(&vec![7; KIB]);
    }
    test.turn();
    client
}

#[test]
fn the_largest_backlog_goes_first_and_others_lose_nothing() {
    let (test, log) = server(Overflow::Close);
    let mut small = deaf(&test, "small", 60);
    let mut large = deaf(&test, "large", 120);
    assert_eq!(log.lines(), Vec::<String>::new(), "it fits");
    let mut middle = deaf(&test, "middle", 100);
    small.read_on();
    middle.read_on();
    assert_eq!((small.recv_all().len(), middle.recv_all().len()), (60, 100));
    // A large one is written on as far as there is room: what is left is dropped.
    large.read_on();
    let heard = large.recv_all();
    let last = Received::Close {
        code: 1013,
        reason: "slow consumer".into(),
    };
    assert_eq!(heard.last(), Some(&last), "{}", heard.len());
    test.clock().advance(Duration::from_secs(10));
    let lost = 120 - (heard.len() - 1);
    assert_eq!(
        log.lines(),
        [format!("large closed 1013 SlowConsumer {lost}")]
    );
    let stats = test.hub().stats();
    assert_eq!((stats.shed, stats.waiting_bytes), (1, 0));
    assert_eq!(stats.refused.get(&Refusal::Memory), None);
}

/// What is partly written cannot be taken back, and would stay for as long as the peer does not read.
#[test]
fn a_peer_that_has_read_but_half_of_a_large_message_is_cut() {
    let (test, log) = server(Overflow::Close);
    let _large = deaf(&test, "large", 0);
    test.hub().to("large").send(&vec![7; 300 * KIB]);
    test.turn();
    assert_eq!(log.lines(), ["large closed 1013 SlowConsumer 1"]);
    let stats = test.hub().stats();
    assert_eq!((stats.total_connections, stats.waiting_bytes), (0, 0));
}

#[test]
fn a_policy_that_drops_drops_what_waits_and_keeps_the_connection() {
    for policy in [Overflow::DropNewest, Overflow::DropOldest] {
        let (test, log) = server(policy);
        let mut small = deaf(&test, "small", 60);
        let mut large = deaf(&test, "large", 250);
        small.read_on();
        large.read_on();
        assert_eq!(small.recv_all().len(), 60, "{policy:?}");
        let heard = large.recv_all().len();
        assert!((15..30).contains(&heard), "{policy:?}: {heard}");
        let drained = format!("large drained {}", 250 - heard);
        assert_eq!(log.lines().last(), Some(&drained), "{policy:?}");
        assert_eq!(test.hub().len(), 2, "{policy:?}");
        test.hub().to("large").send("more");
        assert_eq!(large.text(), "more", "{policy:?}");
    }
}

/// One message that is partly written cannot be dropped: so it is not counted as given up.
#[test]
fn where_the_largest_has_nothing_to_drop_the_next_ones_do() {
    let (test, log) = server(Overflow::DropNewest);
    let mut large = deaf(&test, "large", 0);
    test.hub().to("large").send(&vec![7; 200 * KIB]);
    test.turn();
    let mut small = deaf(&test, "small", 100);
    assert_eq!(test.hub().stats().shed, 1);
    assert!(test.hub().stats().waiting_bytes <= BUDGET);
    large.read_on();
    assert_eq!(large.binary().len(), 200 * KIB);
    small.read_on();
    let lost = 100 - small.recv_all().len();
    assert_eq!(
        log.lines(),
        [
            "large drained 0".to_owned(),
            format!("small drained {lost}")
        ]
    );
}

#[test]
fn what_many_wait_for_counts_once() {
    let (test, log) = server(Overflow::Close);
    let mut all: Vec<Client> = (0..100).map(|n| deaf(&test, &format!("n{n}"), 0)).collect();
    assert_eq!(test.hub().to("all").send(&vec![7; 100 * KIB]), 100);
    test.turn();
    let waiting = test.hub().stats().waiting_bytes;
    assert!((84 * KIB..=102 * KIB).contains(&waiting), "{waiting}");
    for client in &mut all {
        client.read_on();
        assert_eq!(client.binary().len(), 100 * KIB);
    }
    assert_eq!(log.lines(), Vec::<String>::new());
    // But several of them are too much, and then it is given up to the last.
    all.iter_mut().for_each(Client::stop_reading);
    for _ in 0..3 {
        test.hub().to("all").send(&vec![7; 100 * KIB]);
        test.turn();
    }
    assert!(test.hub().stats().waiting_bytes <= BUDGET);
    assert!(test.hub().stats().shed > 0);
}

/// The beginning of a message of a mebibyte, and so much of it.
fn beginning(bytes: usize) -> Vec<u8> {
    let mut begun = vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];
    begun.resize(begun.len() + bytes, 7);
    begun
}

#[test]
fn while_nothing_can_be_given_up_nobody_new_is_taken() {
    let (test, log) = server(Overflow::Close);
    let mut kept = test.open();
    let mut early = test.connect("/early");
    let mut senders: Vec<Client> = (0..3).map(|_| test.connect("/sender")).collect();
    for sender in &mut senders {
        sender.send_raw(beginning(100 * KIB));
        test.turn();
    }
    let refused = test
        .request("GET", "/new")
        .knock()
        .answer()
        .expect("an answer");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("5"))
    );
    let page = test.get("/page");
    assert_eq!(
        (page.status, page.text().as_str()),
        (503, "no memory for another connection\n")
    );
    // Whoever was there is served, but opens no socket either.
    kept.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(kept.answer().map(|answer| answer.status), Some(200));
    kept.send(
        "GET /new HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(kept.answer().map(|answer| answer.status), Some(503));
    test.hub().to("early").send("still here");
    assert_eq!(early.text(), "still here");
    let stats = test.hub().stats();
    assert_eq!(
        (stats.refused.get(&Refusal::Memory), stats.shed),
        (Some(&3), 0)
    );
    // Two of them leave: there is room again.
    senders.drain(1..).for_each(Client::reset);
    test.clock().advance(Duration::from_millis(200));
    assert_eq!(test.get("/page").status, 200);
    let mut new = test.connect("/new");
    test.hub().to("new").send("welcome");
    assert_eq!(new.text(), "welcome");
    assert!(
        log.lines()
            .iter()
            .all(|line| line.starts_with("sender closed 1006"))
    );
}

#[test]
fn requests_that_come_in_part_count_too() {
    let (test, _log) = server(Overflow::Close);
    let mut waiting = Vec::new();
    while test.get("/page").status == 200 {
        let mut slow = test.open();
        slow.send(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}",
            "x".repeat(15 * KIB)
        ));
        waiting.push(slow);
        assert!(waiting.len() < 100, "they do not count");
    }
    assert!((8..=18).contains(&waiting.len()), "{}", waiting.len());
    test.clock().advance(Duration::from_secs(60));
    assert_eq!(test.get("/page").status, 200);
}

#[test]
fn a_budget_of_nothing_cannot_be_meant() {
    let options = Options {
        memory_budget: 0,
        ..Options::default()
    };
    let error = TestServer::new(App::with(options))
        .expect_err("refused")
        .to_string();
    assert!(error.contains("memory_budget is 0"), "{error}");
}
