//! Connections and readiness. Knows mio; knows of WebSocket nothing at all.
//!
//! The reading half of a connection ([`reactor`]) is owned; the writing half ([`link`]) is shared.

mod alarms;
mod budget;
pub(crate) mod clock;
mod fan_out;
mod flags;
mod half;
mod input;
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod listener;
pub(crate) mod mailbox;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(not(feature = "testing"))]
#[path = "memory_off.rs"]
pub(crate) mod memory;
mod outbox;
mod outgoing;
pub(crate) mod parts;
pub(crate) mod poller;
pub(crate) mod protocol;
pub(crate) mod reactor;
mod segment;
pub(crate) mod slab;
pub(crate) mod stream;
pub(crate) mod timer;
pub(crate) mod veil;
mod writing;
