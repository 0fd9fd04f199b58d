//! The application: routes, options, requests, and how a request becomes a socket.

mod address;
#[allow(clippy::module_inception)]
mod app;
mod candidate;
mod chain;
mod context;
mod conversation;
mod core;
mod deferred;
mod error;
mod exchange;
mod forwarded;
mod gate;
mod http_error;
#[cfg(feature = "testing")]
mod in_memory;
mod into_json;
#[cfg(feature = "json")]
mod json;
mod middleware;
mod opening;
mod options;
mod origin;
#[cfg(feature = "regex")]
mod origin_regex;
mod request;
mod route;
mod routes;
mod server;
mod start;
mod subprotocol;
mod upgrade;
mod upgrade_headers;
mod verdict;
mod waiting;

pub use app::App;
pub use chain::HttpNext;
pub use context::Context;
pub use deferred::Deferred;
pub use error::ConfigError;
pub use http_error::HttpError;
pub use into_json::IntoJson;
pub use middleware::Next;
pub use options::Options;
pub use request::Request;
pub use route::Route;
pub use server::Server;
pub use verdict::{PendingVerdict, Verdict};
