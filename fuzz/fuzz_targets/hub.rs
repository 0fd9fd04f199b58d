//! Steps of sockets and rooms, against a model made of sets.
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::hub(data));
