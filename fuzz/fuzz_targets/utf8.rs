//! Text, however it is cut, against the standard library (RFC 6455 §8.1).
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::utf8(data));
