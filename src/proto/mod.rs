//! RFC 6455 as values: no I/O, no clock, no callbacks, no randomness.
//!
//! Bytes go in, and pieces of messages, frames or a [`violation::Violation`] come out. The
//! session reads with [`decoder::Decoder`] and writes with [`encoder`]; the opening of either
//! side goes through [`handshake`], which alone knows the HTTP layer below.

mod assembly;
mod buffer;
pub(crate) mod close;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod extension;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod mask;
#[cfg(any(test, fuzzing))]
pub(crate) mod naive;
mod partial;
mod rules;
mod text;
mod utf8;
pub(crate) mod violation;
