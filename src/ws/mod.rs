//! Sockets as the application sees them: messages, events, listeners, rooms, the hub.
//!
//! The rule that keeps the cells of this layer safe: **no borrow is held while code of the
//! application runs** — not a listener, not a conversion, not a `drop`.

mod allowance;
pub(crate) mod arrivals;
pub(crate) mod audience;
mod bucket;
mod capacities;
#[cfg(feature = "json")]
pub(crate) mod custom;
#[cfg(not(feature = "json"))]
#[path = "custom_off.rs"]
pub(crate) mod custom;
pub(crate) mod data;
pub(crate) mod dialing;
mod ending;
pub mod event;
mod exposition;
#[cfg(feature = "log")]
mod facade;
#[cfg(not(feature = "log"))]
#[path = "facade_off.rs"]
mod facade;
mod few;
mod frames;
pub(crate) mod guard;
mod hearing;
pub(crate) mod hub;
mod inner;
pub(crate) mod into_message;
pub(crate) mod journal;
#[cfg(feature = "json")]
pub(crate) mod json;
pub(crate) mod later;
pub(crate) mod listeners;
mod memberships;
pub(crate) mod message;
#[cfg(feature = "json")]
mod payload;
pub(crate) mod places;
pub(crate) mod remote;
pub(crate) mod report;
pub(crate) mod room_event;
pub(crate) mod rooms;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod socket;
pub(crate) mod stats;
pub(crate) mod status;
mod telling;
pub(crate) mod timers;
pub(crate) mod watchdog;
