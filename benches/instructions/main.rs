//! What is counted instruction by instruction, so that a loss shows without noise.
//!
//! ```text
//! instructions CASE N    runs that case N times, a multiple of a thousand
//! instructions           runs each a thousand times, and says what there is
//! ```
//!
//! [`run`](./run) runs it under callgrind with two values of N: what the difference costs is the
//! operation, with its share of what is done once a read, a turn or a broadcast, and nothing else.
//! Every case looks at its answers.

mod cases;
#[path = "../micro/frames.rs"]
mod frames;
#[path = "../micro/requests.rs"]
mod requests;

use cases::CASES;

/// How much is done in one go at most.
const THOUSAND: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [case, n] = &arguments[..] {
        let n: usize = n.parse().expect("a number");
        assert!(n.is_multiple_of(THOUSAND), "a multiple of a thousand");
        let (_, run) = CASES
            .into_iter()
            .find(|(name, _)| name == case)
            .expect("a case");
        return run(n);
    }
    for (name, run) in CASES {
        run(THOUSAND);
        println!("{name}");
    }
}
