//! Timers on the hub: when they run, in which order, and how they are kept from running.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use common::{PATIENCE, http, serve};
use rushwire::{App, Hub, Server, Timer};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What ran, in order.
type Log = Rc<RefCell<Vec<&'static str>>>;

/// A server on this thread, with timers that are set before it runs.
fn with_timers(set: impl FnOnce(&Hub, &Log)) -> (Server, Log) {
    let log = Log::default();
    let mut app = App::new();
    set(app.hub(), &log);
    (app.bind("127.0.0.1:0").expect("bind"), log)
}

/// Notes that it ran.
fn noting(log: &Log, name: &'static str) -> impl FnMut(&Hub) + 'static {
    let log = Rc::clone(log);
    move |_| log.borrow_mut().push(name)
}

/// Runs the server until so many lines are in the log.
fn run_until(server: &mut Server, log: &Log, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while log.borrow().len() < count {
        assert!(Instant::now() < deadline, "only {:?} ran", log.borrow());
        server.turn(Some(PATIENCE)).expect("a turn");
    }
}

#[test]
fn timers_run_when_they_are_due_and_in_that_order() {
    let begin = Instant::now();
    let (mut server, log) = with_timers(|hub, log| {
        for (name, delay) in [("30", 30), ("10", 10), ("never", u64::MAX), ("20", 20)] {
            let mut note = noting(log, name);
            hub.set_timeout(ms(delay), move |hub| {
                assert!(begin.elapsed() >= ms(delay), "{name} is early");
                note(hub);
            });
        }
        hub.set_timeout(Duration::MAX, noting(log, "never"));
    });
    run_until(&mut server, &log, 3);
    assert_eq!(*log.borrow(), ["10", "20", "30"]);
    assert!(begin.elapsed() >= ms(30));
}

#[test]
fn timers_that_are_due_together_run_in_the_order_in_which_they_were_set() {
    let names = ["a", "b", "c", "d", "e"];
    let (mut server, log) = with_timers(|hub, log| {
        for name in names {
            hub.set_timeout(Duration::ZERO, noting(log, name));
        }
    });
    run_until(&mut server, &log, names.len());
    assert_eq!(*log.borrow(), names);
}

#[test]
fn a_timeout_runs_once_and_an_interval_until_it_is_cancelled_from_within_if_need_be() {
    let own: Rc<RefCell<Option<Timer>>> = Rc::default();
    let timer = Rc::clone(&own);
    let (mut server, log) = with_timers(|hub, log| {
        hub.set_timeout(Duration::ZERO, noting(log, "once"));
        let (mut note, runs) = (noting(log, "again"), Cell::new(0));
        let end = Rc::clone(log);
        let interval = hub.set_interval(ms(1), move |hub| {
            note(hub);
            runs.set(runs.get() + 1);
            if runs.get() == 3 {
                let timer = own.borrow_mut().take().expect("it is set");
                assert!(timer.cancel(), "it would run again");
                assert!(!timer.cancel(), "once is enough");
                hub.set_timeout(ms(20), noting(&end, "last"));
            }
        });
        *timer.borrow_mut() = Some(interval);
    });
    run_until(&mut server, &log, 5);
    assert_eq!(*log.borrow(), ["once", "again", "again", "again", "last"]);
    // Nothing is left to wait for.
    assert_eq!(server.timeout(), None);
}

#[test]
fn cancelling_tells_whether_there_was_something_to_cancel() {
    let timers: Rc<RefCell<Vec<Timer>>> = Rc::default();
    let kept = Rc::clone(&timers);
    let (mut server, log) = with_timers(|hub, log| {
        let late = hub.set_timeout(ms(20), noting(log, "cancelled"));
        assert!(late.cancel() && !late.cancel() && !late.clone().cancel());
        let over = hub.set_timeout(Duration::ZERO, noting(log, "ran"));
        let never = hub.set_timeout(Duration::MAX, noting(log, "never"));
        assert!(!never.cancel(), "it is over before it began");
        // Dropping one changes nothing.
        drop(hub.set_timeout(ms(30), noting(log, "dropped")));
        kept.borrow_mut().push(over);
    });
    run_until(&mut server, &log, 2);
    assert_eq!(*log.borrow(), ["ran", "dropped"]);
    assert!(!timers.borrow()[0].cancel(), "it has run");
}

#[test]
fn a_timer_can_cancel_another_that_is_due_with_it() {
    let next: Rc<RefCell<Option<Timer>>> = Rc::default();
    let other = Rc::clone(&next);
    let (mut server, log) = with_timers(|hub, log| {
        let mut note = noting(log, "first");
        hub.set_timeout(Duration::ZERO, move |hub| {
            note(hub);
            let timer = other.borrow_mut().take().expect("it is set");
            assert!(timer.cancel());
        });
        *next.borrow_mut() = Some(hub.set_timeout(Duration::ZERO, noting(log, "second")));
        hub.set_timeout(ms(10), noting(log, "third"));
    });
    run_until(&mut server, &log, 2);
    assert_eq!(*log.borrow(), ["first", "third"]);
}

#[test]
fn an_interval_that_is_late_skips_what_it_has_missed() {
    const PERIOD: Duration = Duration::from_millis(10);
    let times: Rc<RefCell<Vec<Instant>>> = Rc::default();
    let seen = Rc::clone(&times);
    let (mut server, log) = with_timers(|hub, log| {
        let mut note = noting(log, "run");
        hub.set_interval(PERIOD, move |hub| {
            if seen.borrow().is_empty() {
                // The loop is late by nine periods.
                std::thread::sleep(9 * PERIOD);
            }
            seen.borrow_mut().push(Instant::now());
            note(hub);
        });
    });
    run_until(&mut server, &log, 5);
    // One run may follow at once; caught up, all four would.
    let took = times.borrow()[4] - times.borrow()[0];
    assert!(took >= 2 * PERIOD, "four runs in {took:?}");
}

/// A timer that sets itself again at once, for ever, and an interval of zero.
#[test]
fn timers_without_a_pause_starve_nobody() {
    fn again(hub: &Hub) {
        hub.set_timeout(Duration::ZERO, again);
    }
    let server = serve(|app| {
        again(app.hub());
        app.hub().set_interval(Duration::ZERO, |_| ());
        app.get("/", |ctx| ctx.text("served"));
    });
    for _ in 0..50 {
        assert_eq!(http::get(server.addr, "/").text(), "served");
    }
    server.stop(Duration::ZERO);
}

#[test]
fn a_timer_that_panics_is_reported_and_cancelled_and_others_run() {
    let (sender, reports) = std::sync::mpsc::channel();
    let server = serve(move |app| {
        app.on_error(move |report| sender.send(report.to_string()).expect("the test waits"));
        app.hub().set_interval(ms(1), |_| panic!("on purpose"));
        let mut runs = 0;
        app.hub().set_interval(ms(1), move |hub| {
            runs += 1;
            if runs == 20 {
                hub.shutdown(Duration::ZERO);
            }
        });
    });
    let mut server = server;
    server.join();
    assert_eq!(reports.iter().collect::<Vec<_>>(), ["on purpose"]);
}
