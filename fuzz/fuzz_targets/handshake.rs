//! The opening handshake, from the request to the client's check (RFC 6455 §4).
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::handshake(data));
