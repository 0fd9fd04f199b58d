//! The bodies of the fuzz targets, here so that `cargo test` runs them too, over the committed seeds.
//!
//! Each takes any bytes at all and panics when a promise is broken. A target is one line.

mod choices;
mod decoder;
mod handshake;
#[cfg(feature = "testing")]
mod hub;
#[cfg(test)]
mod noise;
mod request;
mod roundtrip;
mod router;
#[cfg(feature = "testing")]
mod session;
mod utf8;

pub use decoder::decoder;
pub use handshake::handshake;
#[cfg(feature = "testing")]
pub use hub::hub;
pub use request::request;
pub use roundtrip::roundtrip;
pub use router::router;
#[cfg(feature = "testing")]
pub use session::session;
pub use utf8::utf8;
