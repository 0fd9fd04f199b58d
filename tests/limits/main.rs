//! Every option has the default that is written down, does what it says when it is reached, and is
//! refused when it cannot be meant.
#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod arrivals;
mod capacity;
mod counts;
mod defaults;
mod memory;
mod rates;
mod refused;
mod rules;
mod sizes;
mod times;

use std::time::Duration;

use common::log::{Log, log};
use common::{Server, serve_with};
use rushwire::Options;

const SHORT: Duration = Duration::from_millis(100);

/// A server with a socket route `/`, whose sockets write down what they hear, and an echo of bodies.
fn limited(options: impl FnOnce() -> Options + Send + 'static) -> (Server, Log) {
    let (pen, log) = log();
    let server = serve_with(options, move |app| {
        app.post("/body", |ctx| ctx.text(ctx.body().len().to_string()));
        app.get("/page", |ctx| ctx.text("a page"));
        app.ws("/", move |socket, request| {
            pen.note(format!("from {:?}", request.client_ip()));
            pen.watch("a", socket);
        });
    });
    (server, log)
}

fn quiet() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        ..Options::default()
    }
}
