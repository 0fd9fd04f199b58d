//! The application: routes, options, requests, and how a request becomes a socket.

mod address;
#[allow(clippy::module_inception)]
mod app;
mod context;
mod conversation;
mod core;
mod error;
mod exchange;
mod gate;
mod middleware;
mod opening;
mod options;
mod origin;
#[cfg(feature = "regex")]
mod origin_regex;
mod request;
mod routes;
mod server;
mod subprotocol;
mod upgrade;
mod upgrade_headers;
mod verdict;

pub use app::App;
pub use context::Context;
pub use error::ConfigError;
pub use middleware::Next;
pub use options::Options;
pub use request::Request;
pub use server::Server;
pub use verdict::Verdict;
