//! All that happens because time passes, and not before.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Clock, Received};
use rushwire::{App, Options, Rate, event};

use super::{Journal, SECOND, TICK, close, echo, serve, still, text};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn heartbeat() -> Options {
    Options {
        heartbeat: 30 * SECOND,
        pong_timeout: 45 * SECOND,
        ..Options::default()
    }
}

#[test]
fn a_peer_that_leaves_pings_unanswered_is_closed_with_1001_to_the_tick() {
    let (test, journal) = echo(heartbeat());
    let clock = test.clock();
    let mut silent = test.connect("/");
    silent.ignore_pings();
    let steps = [
        (30 * SECOND - TICK, 0),
        (TICK, 1),
        (30 * SECOND - TICK, 0),
        (TICK, 1),
        (15 * SECOND - TICK, 0),
    ];
    for (step, pings) in steps {
        clock.advance(step);
        let heard = silent.recv_all();
        let is_ping = |heard: &Received| matches!(heard, Received::Ping(_));
        assert!(
            heard.iter().all(is_ping),
            "{:?}: {heard:?}",
            clock.elapsed()
        );
        assert_eq!(heard.len(), pings, "{:?}", clock.elapsed());
    }
    assert_eq!(journal.take(), [""; 0]);
    clock.advance(TICK);
    assert_eq!(silent.recv(), close(1001, "ping timeout"));
    assert!(silent.is_ended());
    assert_eq!(journal.take(), ["close 1001 Us PingTimeout 0"]);
    assert_eq!(clock.elapsed(), 75 * SECOND);
}

#[test]
fn a_peer_that_answers_pings_as_browsers_do_lives_for_ever() {
    let (test, journal) = echo(heartbeat());
    let mut client = test.connect("/");
    test.clock().advance(24 * 3600 * SECOND);
    assert_eq!(client.recv(), None, "pings are answered unheard");
    client.send("still here");
    assert_eq!(client.text(), "still here");
    assert!(journal.take().is_empty());
    test.turn();
    let heard: usize = test.hub().sockets().len();
    assert_eq!(heard, 1);
}

/// What a connection does, until when it is let live, and what it hears at its end.
#[test]
fn an_opening_handshake_has_its_time_and_no_more() {
    let table = [
        ("nothing is said", "", 0),
        ("half a head", "GET / HTTP/1.1\r\n", 408),
        (
            "half a body",
            "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
            408,
        ),
    ];
    for (name, said, status) in table {
        let mut app = App::with(still());
        app.post("/x", |ctx| ctx.text("x"));
        let test = serve(app);
        let mut connection = test.open();
        connection.send(said);
        test.clock().advance(10 * SECOND - TICK);
        assert!(
            !connection.is_ended() && connection.answer().is_none(),
            "{name}"
        );
        test.clock().advance(TICK);
        let answer = connection.answer().map_or(0, |answer| answer.status);
        assert_eq!(answer, status, "{name}");
        assert!(connection.is_ended(), "{name}");
    }
}

#[test]
fn a_connection_that_is_kept_ends_after_its_time() {
    let mut app = App::with(still());
    app.get("/", |ctx| ctx.text("a page"));
    let test = serve(app);
    let mut kept = test.request("GET", "/").begin();
    assert_eq!(kept.answer().expect("an answer").text(), "a page");
    test.clock().advance(5 * SECOND - TICK);
    assert!(!kept.is_ended());
    test.clock().advance(TICK);
    assert!(kept.is_ended() && kept.recv().is_empty());
}

#[test]
fn who_says_nothing_idles_and_who_speaks_does_not_but_both_grow_old() {
    let (test, journal) = echo(Options {
        idle_timeout: 60 * SECOND,
        max_lifetime: 200 * SECOND,
        ..still()
    });
    let (mut idle, mut busy) = (test.connect("/"), test.connect("/"));
    for _ in 0..4 {
        test.clock().advance(59 * SECOND);
        busy.send("busy");
        assert_eq!(busy.text(), "busy");
        if idle.is_ended() {
            break;
        }
    }
    assert_eq!(idle.recv(), close(1001, "idle timeout"));
    assert_eq!(test.clock().elapsed(), 118 * SECOND);
    assert_eq!(journal.take(), ["close 1001 Us IdleTimeout 0"]);
    test.clock().advance(59 * SECOND);
    busy.send("busy");
    assert_eq!(busy.recv_all(), ["busy".into()]);
    test.clock().advance(23 * SECOND);
    assert_eq!(busy.recv(), close(1001, "lifetime over"));
}

#[test]
fn a_rate_is_refilled_as_time_passes() {
    let mut app = App::with(Options {
        message_rate: Some(Rate {
            messages: 2,
            per: 10 * SECOND,
        }),
        ..still()
    });
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| _ = socket.send(message));
        socket.on(event::RateLimit, |socket, limited| {
            socket.send(&format!("wait {:?}", limited.retry_after));
        });
    });
    let test = serve(app);
    let mut client = test.connect("/");
    let mut say = |expected: &[&str]| {
        ["a", "b", "c"].iter().for_each(|word| client.send(*word));
        let heard = client.recv_all();
        let expected: Vec<Received> = expected.iter().map(|text| (*text).into()).collect();
        assert_eq!(heard, expected);
    };
    say(&["a", "b", "wait 5s"]);
    test.clock().advance(5 * SECOND - TICK);
    say(&["wait 10ms", "wait 10ms", "wait 10ms"]);
    test.clock().advance(TICK);
    say(&["a", "wait 5s", "wait 5s"]);
    test.clock().advance(100 * SECOND);
    say(&["a", "b", "wait 5s"]);
}

#[test]
fn timers_run_in_order_each_at_its_own_moment_and_may_set_and_cancel_others() {
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(still());
    app.ws("/", |_, _| {});
    // Set before there is a server: it begins with it.
    let told = Rc::new(OnceCell::<Clock>::new());
    let clock = Rc::clone(&told);
    app.hub().set_interval(ms(400), move |hub| {
        hub.ws_broadcast("tick", None);
        let clock = clock.get().expect("it is set");
        noted.note(format!("tick at {:?}", clock.elapsed()));
    });
    // The system's time passes meanwhile, and counts for nothing.
    std::thread::sleep(ms(5));
    let test = serve(app);
    let clock = test.clock();
    told.set(test.clock()).expect("the first");
    let mut client = test.connect("/");
    let (noted, at) = (journal.clone(), clock.clone());
    let never = test
        .hub()
        .set_timeout(ms(900), |_| panic!("it was cancelled"));
    test.hub().set_timeout(ms(700), move |hub| {
        assert!(never.cancel());
        noted.note(format!("once at {:?}", at.elapsed()));
        let (noted, at) = (noted.clone(), at.clone());
        hub.set_timeout(Duration::ZERO, move |_| {
            noted.note(format!("at once at {:?}", at.elapsed()))
        });
    });
    clock.advance(ms(399));
    assert!(journal.take().is_empty());
    clock.advance(ms(1));
    assert_eq!(
        (journal.take(), client.recv()),
        (vec!["tick at 400ms".to_owned()], text("tick"))
    );
    clock.advance(ms(800));
    assert_eq!(
        journal.take(),
        [
            "once at 700ms",
            "at once at 700ms",
            "tick at 800ms",
            "tick at 1.2s"
        ]
    );
    assert_eq!((client.recv_all().len(), clock.elapsed()), (2, ms(1200)));
}

#[test]
fn a_timer_that_is_always_due_keeps_neither_the_clock_nor_a_turn() {
    fn again(hub: &rushwire::Hub) {
        hub.set_timeout(Duration::ZERO, again);
    }
    let (test, _) = echo(still());
    again(test.hub());
    test.turn();
    let mut client = test.connect("/");
    client.send("hello");
    assert_eq!(client.text(), "hello");
    test.clock().advance(ms(20));
    assert_eq!(test.clock().elapsed(), ms(20));
}

#[test]
fn a_close_that_is_not_answered_is_waited_for_and_then_cut() {
    let (test, journal) = echo(still());
    let mut client = test.connect("/");
    client.ignore_close();
    test.hub()
        .sockets()
        .iter()
        .for_each(rushwire::Socket::close);
    assert_eq!(client.recv(), close(1000, ""));
    test.clock().advance(5 * SECOND - TICK);
    assert!(!client.is_ended() && journal.take().is_empty());
    test.clock().advance(TICK);
    assert_eq!(journal.take(), ["close 1000 Us CloseTimeout 0"]);
    assert!(client.is_ended());
}

#[test]
fn the_date_moves_with_the_clock() {
    let mut app = App::with(still());
    app.get("/", |ctx| ctx.text("now"));
    let test = serve(app);
    let date = || test.get("/").header("date").map(str::to_owned);
    assert_eq!(date().as_deref(), Some("Sat, 01 Jan 2000 00:00:00 GMT"));
    test.clock().advance(Duration::from_secs(86_400 + 61));
    assert_eq!(date().as_deref(), Some("Sun, 02 Jan 2000 00:01:01 GMT"));
}

#[test]
fn the_clock_may_be_moved_from_inside_of_a_listener_as_if_it_took_that_long() {
    let mut app = App::with(Options {
        idle_timeout: 10 * SECOND,
        ..still()
    });
    let slow = Rc::new(OnceCell::<Clock>::new());
    let clock = Rc::clone(&slow);
    app.ws("/", move |socket, _| {
        let clock = Rc::clone(&clock);
        socket.on(event::Message, move |socket, message| {
            clock.get().expect("it is set").advance(20 * SECOND);
            socket.send(message);
        });
    });
    let test = serve(app);
    slow.set(test.clock()).expect("the first");
    let (mut client, mut other) = (test.connect("/"), test.connect("/"));
    client.send("slow");
    assert_eq!(client.text(), "slow");
    assert_eq!(other.recv(), close(1001, "idle timeout"));
    assert_eq!(test.clock().elapsed(), 20 * SECOND);
}
