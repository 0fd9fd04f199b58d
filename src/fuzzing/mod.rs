//! The bodies of the fuzz targets, here so that `cargo test` runs them too, over the committed seeds.
//!
//! Each takes any bytes at all and panics when a promise is broken. A target is one line.

mod decoder;
mod handshake;
#[cfg(test)]
mod noise;
mod request;

pub use decoder::decoder;
pub use handshake::handshake;
pub use request::request;
