//! A whole server and its peers in one thread, over a network that moves bytes by fits and starts, in a
//! time that jumps: whatever chance does to them, no promise is broken.
//!
//! A seed decides everything: how much the network holds and how unsteady it is, the options, what the
//! peers do (send whole and in fragments, stop reading, close, end with FIN or RST, vanish), what the
//! application does from outside and from inside of listeners and when it decides what it has left open
//! (answers, verdicts, middleware), how much time passes, and when the server is shut down. What must
//! hold, at each step or at the end:
//!
//! - what was accepted is received once, in order, or counted in the `undelivered` of `Drain` or `Close`;
//! - what is heard is what was said, in order; all of it, from who says goodbye;
//! - `Close` is told once, and last;
//! - the same for what the application's own connection has accepted, over all of its reconnections;
//! - a request has one answer, in order, and it is the right one;
//! - rooms and counts are those of a model;
//! - when all have gone, no socket, room, byte or listener is left.
//!
//! ```text
//! cargo test --test simulation                                      300 seeds
//! SEEDS=0..10000 cargo test --release --test simulation             as many as one likes
//! SEEDS=17..18 cargo test --test simulation -- --nocapture          one of them, which has failed
//! ```

mod app;
mod book;
mod dice;
mod peer;
mod pending;
mod stranger;
mod upstream;
mod world;

use std::ops::Range;

fn seeds() -> Range<u64> {
    let Ok(seeds) = std::env::var("SEEDS") else {
        return 0..300;
    };
    let ends = seeds.split_once("..");
    let ends = ends.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.expect("SEEDS is FROM..TO")
}

#[test]
fn whatever_chance_does_no_promise_is_broken() {
    for seed in seeds() {
        world::run(seed);
    }
}

#[test]
fn a_seed_repeats_its_run() {
    for seed in [1, 2, 3, 4, 5] {
        let (one, other) = (world::run(seed), world::run(seed));
        assert!(one.len() > 30, "little happens: {one:#?}");
        assert_eq!(one, other);
    }
}
