use super::*;

const LIMIT: Duration = Duration::from_millis(100);

/// Milliseconds later.
fn at(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

fn told(slow: Option<Slow>) -> Option<String> {
    slow.map(|slow| slow.entry().to_string())
}

#[test]
fn a_slow_call_is_told_of_while_it_runs_and_when_it_is_over_and_counts_once() {
    let (mut calls, start) = (Calls::default(), Instant::now());
    calls.enter(Call::of("timer"), start);
    assert_eq!(told(calls.look(at(start, 99), LIMIT)), None);
    let line = "slow what=\"timer\" so_far=100ms";
    assert_eq!(
        told(calls.look(at(start, 100), LIMIT)).as_deref(),
        Some(line)
    );
    assert_eq!(told(calls.look(at(start, 200), LIMIT)), None, "once");
    let line = "slow what=\"timer\" took=300ms";
    assert_eq!(
        told(calls.leave(at(start, 300), LIMIT)).as_deref(),
        Some(line)
    );
    assert_eq!(told(calls.look(at(start, 900), LIMIT)), None, "it is over");
    assert_eq!((calls.slow, calls.depth), (1, 0));
}

#[test]
fn a_call_is_not_blamed_for_those_inside_of_it() {
    let (mut calls, start) = (Calls::default(), Instant::now());
    calls.enter(Call::of("outer"), start);
    calls.enter(Call::of("inner"), at(start, 50));
    let line = "slow what=\"inner\" so_far=200ms";
    assert_eq!(
        told(calls.look(at(start, 250), LIMIT)).as_deref(),
        Some(line)
    );
    let line = "slow what=\"inner\" took=350ms";
    assert_eq!(
        told(calls.leave(at(start, 400), LIMIT)).as_deref(),
        Some(line)
    );
    assert_eq!(told(calls.look(at(start, 449), LIMIT)), None);
    assert_eq!(
        told(calls.leave(at(start, 449), LIMIT)),
        None,
        "99 ms are its own"
    );
    assert_eq!(calls.slow, 1);
}

#[test]
fn a_call_is_not_blamed_for_those_inside_of_those_inside_of_it() {
    let (mut calls, start) = (Calls::default(), Instant::now());
    for (depth, what) in ["outer", "middle", "inner"].into_iter().enumerate() {
        calls.enter(Call::of(what), at(start, depth as u64));
    }
    let line = "slow what=\"inner\" took=498ms";
    assert_eq!(
        told(calls.leave(at(start, 500), LIMIT)).as_deref(),
        Some(line)
    );
    for millis in [501, 502] {
        assert_eq!(told(calls.leave(at(start, millis), LIMIT)), None);
    }
    assert_eq!((calls.slow, calls.depth), (1, 0));
}

#[test]
fn a_call_allocates_nothing_once_there_was_one_like_it() {
    let (mut calls, now) = (Calls::default(), Instant::now());
    let call = Call {
        what: "Message",
        socket: None,
        path: "/chat/lobby",
    };
    let mut memory = Vec::new();
    for _ in 0..100 {
        calls.enter(call, now);
        let running = &calls.running[0];
        memory.push((running.what.as_ptr(), running.path.as_ptr()));
        assert_eq!(told(calls.leave(now, LIMIT)), None);
    }
    memory.dedup();
    assert_eq!((memory.len(), calls.running.len()), (1, 1));
}

#[test]
fn who_is_slow_all_the_time_is_counted_and_told_of_now_and_then() {
    let (mut calls, mut now) = (Calls::default(), Instant::now());
    let mut lines = Vec::new();
    for _ in 0..1_000 {
        calls.enter(Call::of("timer"), now);
        now += LIMIT;
        lines.extend(told(calls.leave(now, LIMIT)));
    }
    // A hundred seconds: ten windows.
    assert_eq!((calls.slow, lines.len()), (1_000, 100));
    assert_eq!(lines[0], "slow what=\"timer\" took=100ms");
    let first_of_second = "slow what=\"timer\" took=100ms untold=90";
    assert_eq!(lines[10], first_of_second);
    assert_eq!(lines[11], "slow what=\"timer\" took=100ms");
}
