//! What the benches measure: thin views of private parts, which stay when those change.
//!
//! `benches/micro` and `benches/instructions` call them, and nobody else should: they promise
//! nothing. They check nothing either; the benches look whether the answers are right.

mod frames;
mod opening;
mod rooms;
mod server;
mod timers;

pub use frames::{Decoder, encode, mask, parse_header};
pub use opening::{Request, accept_key, answer, open};
pub use rooms::Rooms;
pub use server::{Connection, Server};
pub use timers::{Timer, Timers};
