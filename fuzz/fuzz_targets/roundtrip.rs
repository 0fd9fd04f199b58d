//! What either side encodes, the other decodes (RFC 6455 §5).
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::roundtrip(data));
