//! What a server counts, and how it says so: refusals by cause, ends by code, drops by policy; as a
//! value, as JSON and in the text format of Prometheus.

#[path = "../common/mod.rs"]
mod common;

mod counts;
mod exposition;
mod prometheus;
mod refusals;
