//! A member in 1, 100 and 10,000 rooms: joining all of them, leaving one after the other, leaving all.
//!
//! Somebody else is in each room, so rooms are there before and after.

use divan::Bencher;
use divan::counter::ItemsCount;
use rushwire::bench::Rooms;

const COUNTS: [usize; 3] = [1, 100, 10_000];
const MEMBER: u32 = 0;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("room-{i}")).collect()
}

/// Rooms with one member each, who is in no other.
fn before(names: &[String]) -> Rooms {
    let mut rooms = Rooms::default();
    for (name, other) in names.iter().zip(MEMBER + 1..) {
        assert!(rooms.join(name, other));
    }
    rooms
}

fn joined(names: &[String]) -> Rooms {
    let mut rooms = before(names);
    join_all(&mut rooms, names);
    rooms
}

fn join_all(rooms: &mut Rooms, names: &[String]) -> usize {
    names.iter().filter(|name| rooms.join(name, MEMBER)).count()
}

fn leave_each(rooms: &mut Rooms, names: &[String]) -> usize {
    names
        .iter()
        .filter(|name| rooms.leave(name, MEMBER))
        .count()
}

/// How many members there are in all rooms.
fn members(rooms: &Rooms, names: &[String]) -> usize {
    names.iter().map(|name| rooms.members(name).len()).sum()
}

#[divan::bench(args = COUNTS)]
fn join(bencher: Bencher<'_, '_>, count: usize) {
    let names = names(count);
    let mut rooms = before(&names);
    assert_eq!(join_all(&mut rooms, &names), count);
    assert_eq!(members(&rooms, &names), 2 * count);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| before(&names))
        .bench_local_refs(|rooms| join_all(rooms, &names));
}

#[divan::bench(args = COUNTS)]
fn leave(bencher: Bencher<'_, '_>, count: usize) {
    let names = names(count);
    let mut rooms = joined(&names);
    assert_eq!(leave_each(&mut rooms, &names), count);
    assert_eq!(members(&rooms, &names), count);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| joined(&names))
        .bench_local_refs(|rooms| leave_each(rooms, &names));
}

#[divan::bench(args = COUNTS)]
fn leave_all(bencher: Bencher<'_, '_>, count: usize) {
    let names = names(count);
    let mut rooms = joined(&names);
    assert_eq!(rooms.leave_all(MEMBER), count);
    assert_eq!(members(&rooms, &names), count);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| joined(&names))
        .bench_local_refs(|rooms| rooms.leave_all(MEMBER));
}
