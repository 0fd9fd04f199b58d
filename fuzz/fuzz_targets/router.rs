//! Patterns and paths, against a router that tries all patterns in turn.
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::router(data));
