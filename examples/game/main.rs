//! Connect four for two, and any number who watch: turns, wins, draws, rematches, a chat, and a page
//! to play it on.
//!
//! ```text
//! cargo run --release --example game
//! cargo run --release --example game -- 0.0.0.0:8080 60    # a seat is kept for 60 seconds
//! ```
//!
//! The page is at `/`, the sockets are at `/game/:id?playerId=NAME&key=SECRET`, and the same again at
//! `/games/:gameId/players/:playerId`. The key is the player's own choice: only with it can somebody
//! else come in under that name.
//!
//! `board.rs` has the rules, `game.rs` one game, `table.rs` what is said over the sockets.

mod board;
mod game;
#[path = "../shared/shutdown.rs"]
mod shutdown;
mod table;

use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Options, Rate};
use serde_json::json;
use table::Tables;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next();
    let address = address.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let patience = arguments.next().map_or(Ok(60), |seconds| seconds.parse());
    let patience = patience.expect("a seat is kept for a number of seconds");

    let mut app = App::with(Options {
        max_connections: 5_000,
        max_message_size: 8 * 1024,
        message_rate: Some(Rate {
            messages: 60,
            per: Duration::from_secs(10),
        }),
        ..Options::default()
    });
    app.get("/", |ctx| ctx.html(include_str!("page.html")));

    let tables = Tables::new(Duration::from_secs(patience));
    let same = Rc::clone(&tables);
    app.ws("/game/:id", move |socket, request| {
        let player = request.query("playerId").unwrap_or_default();
        let key = request.query("key").unwrap_or_default();
        tables.welcome(socket, request.param("id"), player, key);
    });
    app.ws(
        "/games/:gameId/players/:playerId",
        move |socket, request| {
            let (game, player) = (request.param("gameId"), request.param("playerId"));
            let connected = json!({ "type": "connected", "gameId": game, "playerId": player });
            socket.send(&connected.to_string());
            let key = request.query("key").unwrap_or_default();
            same.welcome(socket, game, player, key);
        },
    );

    shutdown::on_signals(app.remote())?;
    app.listen(&address, |address| {
        println!("listening on http://{address}")
    })
}
