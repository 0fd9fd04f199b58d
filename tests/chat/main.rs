//! The chat example, as its page and other clients talk to it: a whole program, in a process of its
//! own. Numbers such as A6 are those of the predecessors' example applications.
//!
//! `cargo test` builds the examples before it runs the tests.
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;

mod coming;
mod ending;
mod program;
mod saying;
mod tokens;
mod web;
mod wrong;
