//! A dashboard: what this server costs, second by second, and the orders that come in over HTTP, with
//! a page that draws it.
//!
//! ```text
//! cargo run --release --example dashboard
//! cargo run --release --example dashboard -- 0.0.0.0:8080
//! curl -d '{"item":"Tea","quantity":2,"price":3.5}' http://127.0.0.1:3000/api/orders
//! ```
//!
//! The page is at `/`, the sockets are at `/dashboard`: everyone there hears the metrics once a second,
//! and who subscribes to one of them hears that one four times a second.
//!
//! `process.rs` measures, `orders.rs` keeps the orders, `feed.rs` is what is said over the sockets.

mod feed;
mod orders;
mod process;
#[path = "../shared/shutdown.rs"]
mod shutdown;

use std::rc::Rc;
use std::time::Duration;

use feed::Feed;
use rushwire::{App, Context, Options};
use serde_json::json;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let mut app = App::with(Options {
        heartbeat: Duration::from_secs(10),
        max_message_size: 64 * 1024,
        max_body_size: 8 * 1024,
        ..Options::default()
    });
    app.get("/", |ctx| ctx.html(include_str!("page.html")));

    let feed = Feed::start(app.hub());
    let same = Rc::clone(&feed);
    app.ws("/dashboard", move |socket, _| feed.welcome(socket));
    app.post("/api/orders", move |ctx| take_order(&same, ctx));

    shutdown::on_signals(app.remote())?;
    app.listen(&address, |address| {
        println!("listening on http://{address}")
    })
}

/// Answers with the order, which everyone at the dashboard has heard of by then.
fn take_order(feed: &Feed, ctx: &Context) {
    let wanted = serde_json::from_slice(ctx.body());
    let wanted = wanted.map_err(|e| format!("the body must be JSON: {e}"));
    match wanted.and_then(|wanted| feed.take_order(ctx.hub(), &wanted)) {
        Ok(order) => ctx.status(201).json(order.to_string()),
        Err(why) => ctx.status(400).json(json!({ "error": why }).to_string()),
    }
}
