//! Time that does not pass as it should: a machine that was asleep, years, and durations without end.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Client, Clock, Received, TestServer};
use rushwire::{App, Options, event};

use super::common::log::log;
use super::common::{http, serve_with};
use super::{SECOND, TICK, in_memory, still};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// As a machine does that was suspended, or a listener that blocks: nothing runs for an hour, and then
/// all deadlines have passed.
#[test]
fn after_an_hour_in_which_nothing_ran_everybody_is_pinged_before_anybody_is_missed() {
    let mut app = App::new();
    let clock = Rc::new(OnceCell::<Clock>::new());
    let sleeps = Rc::clone(&clock);
    app.ws("/", move |socket, _| {
        let clock = Rc::clone(&sleeps);
        socket.on(event::Message, move |_, _| {
            clock.get().expect("it is set").advance(HOUR);
        });
    });
    let test = TestServer::new(app).expect("nothing is wrong with it");
    clock.set(test.clock()).expect("the first");
    let mut all: Vec<Client> = (0..100).map(|_| test.connect("/")).collect();
    let (dead, living) = all.split_at_mut(10);
    dead.iter_mut().for_each(Client::ignore_pings);
    // Nobody has been pinged yet.
    test.clock().advance(29 * SECOND);
    living[0].send("fall asleep");
    test.turn();
    assert_eq!(test.clock().elapsed(), HOUR + 29 * SECOND);
    assert_eq!(test.hub().len(), 100, "nobody is missed for the hour");
    for client in dead.iter_mut() {
        assert_eq!(client.recv_all(), [Received::Ping(Vec::new())]);
    }
    test.clock().advance(45 * SECOND - TICK);
    assert_eq!(test.hub().len(), 100);
    test.clock().advance(TICK + 5 * SECOND);
    assert_eq!(
        test.hub().len(),
        90,
        "those who do not answer are missed now"
    );
    assert!(living.iter().all(|client| !client.is_ended()));
}

/// Deadlines are counted in 32 bits of hundredths of a second: they go round in 497 days.
#[test]
fn after_years_a_deadline_is_still_where_it_belongs() {
    let (pen, _log) = log();
    let options = Options {
        idle_timeout: 2 * DAY,
        ..still()
    };
    let test = in_memory(options, pen);
    let mut client = test.connect("/old");
    for day in 0..1_000 {
        test.clock().advance(DAY);
        client.send("still here");
        assert_eq!(client.text(), "still here", "day {day}");
    }
    test.clock().advance(2 * DAY - TICK);
    assert_eq!(client.recv(), None);
    test.clock().advance(TICK);
    assert_eq!(client.closed(), (1001, "idle timeout".into()));
}

#[test]
fn durations_without_end_never_end() {
    let options = || Options {
        heartbeat: Duration::MAX,
        pong_timeout: Duration::MAX,
        handshake_timeout: Duration::MAX,
        keep_alive_timeout: Duration::MAX,
        close_timeout: Duration::MAX,
        idle_timeout: Duration::MAX,
        max_lifetime: Duration::MAX,
        ..Options::default()
    };
    let (pen, _log) = log();
    let test = in_memory(options(), pen.clone());
    let (mut client, mut half) = (test.connect("/a"), test.open());
    half.send("GET /page HTT");
    test.clock().advance(90 * DAY);
    client.send("still here");
    half.send("P/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.text(), "still here");
    assert_eq!(half.answer().map(|it| it.status), Some(200));

    let server = serve_with(options, move |app| {
        app.get("/page", |ctx| ctx.text("a page"));
        app.ws("/", move |socket, _| pen.watch("real", socket));
    });
    let mut client = server.connect("/");
    assert_eq!(http::get(server.addr, "/page").text(), "a page");
    client.send_close(1000, "");
    assert_eq!(client.closed().0, 1000);
    client.expect_end();
}
