//! Timers with 10,000 pending: adding a thousand, cancelling a thousand, and a thousand coming due.

use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use rushwire::bench::{Timer, Timers};

use crate::THOUSAND;

const PENDING: u64 = 10_000;

/// When number `i` comes due, after the first: all at different moments, in no order.
fn due(first: Instant, i: u64) -> Instant {
    // A prime that does not divide them, so that every one has a moment of its own.
    first + Duration::from_millis(i * 7_919 % PENDING)
}

fn pending(first: Instant) -> (Timers, Vec<Timer>) {
    let mut timers = Timers::default();
    let keys = (0..PENDING).map(|i| timers.add(due(first, i), i).expect("a place"));
    let keys = keys.collect();
    (timers, keys)
}

fn add_thousand(timers: &mut Timers, first: Instant) -> usize {
    let numbers = PENDING..PENDING + THOUSAND as u64;
    numbers
        .filter(|i| timers.add(due(first, *i), *i).is_some())
        .count()
}

/// Every tenth, so that they lie anywhere.
fn cancel_thousand(timers: &mut Timers, keys: &[Timer]) -> usize {
    let tenths = keys.iter().step_by(keys.len() / THOUSAND);
    tenths.filter(|key| timers.cancel(**key).is_some()).count()
}

fn pop_thousand(timers: &mut Timers, first: Instant) -> usize {
    let now = first + Duration::from_millis(THOUSAND as u64 - 1);
    std::iter::from_fn(|| timers.pop(now)).count()
}

#[divan::bench]
fn add(bencher: Bencher<'_, '_>) {
    let first = Instant::now();
    assert_eq!(add_thousand(&mut pending(first).0, first), THOUSAND);
    bencher
        .counter(ItemsCount::new(THOUSAND))
        .with_inputs(|| pending(first).0)
        .bench_local_refs(|timers| add_thousand(timers, first));
}

#[divan::bench]
fn cancel(bencher: Bencher<'_, '_>) {
    let first = Instant::now();
    let (mut timers, keys) = pending(first);
    assert_eq!(cancel_thousand(&mut timers, &keys), THOUSAND);
    assert_eq!(timers.cancel(keys[0]), None);
    bencher
        .counter(ItemsCount::new(THOUSAND))
        .with_inputs(|| pending(first))
        .bench_local_refs(|(timers, keys)| cancel_thousand(timers, keys));
}

#[divan::bench]
fn pop(bencher: Bencher<'_, '_>) {
    let first = Instant::now();
    let mut timers = pending(first).0;
    assert_eq!(timers.pop(first).map(|i| due(first, i)), Some(first));
    assert_eq!(pop_thousand(&mut timers, first), THOUSAND - 1);
    bencher
        .counter(ItemsCount::new(THOUSAND))
        .with_inputs(|| pending(first).0)
        .bench_local_refs(|timers| pop_thousand(timers, first));
}
