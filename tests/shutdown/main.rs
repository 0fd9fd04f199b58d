//! The end of a server that has much to do: what was accepted before it arrives, what is under way is
//! answered, and then it ends, wherever and however often it is asked for.
//! `tests/semantics/shutdown.rs` has the rules one by one.

#[path = "../common/mod.rs"]
mod common;

mod crowd;
mod cycles;
#[cfg(unix)]
mod examples;
mod inside;
mod load;
mod stuck;
mod underway;
