//! All that a peer can do with a whole connection of a server.
//!
//! The body is in the library, where `cargo test` runs it too.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rushwire::fuzzing::session(data));
