//! Every limit that keeps a server on its feet, with a page that runs into each of them.
//!
//! ```text
//! cargo run --release --example limits
//! cargo run --release --example limits -- 0.0.0.0:8080 --messages 10/1s --room 4 --deny 10.0.0.0/8
//! ```
//!
//! | limit | option, with its default | who exceeds it gets |
//! | --- | --- | --- |
//! | new sockets from one address | `--connections 60/60s` | 429 with `Retry-After` |
//! | sockets of one address | `--per-ip 25` | 429 |
//! | messages of one socket | `--messages 60/60s` | `{"type":"error","message":"Rate limit exceeded",…}`, and stays |
//! | bytes of one socket | `--bytes 262144/60s` | the same |
//! | members of a room | `--room 10` | `{"error":"Room is full"}`, then close 1013 |
//! | addresses that may come | `--allow` (everyone) | 403 |
//! | addresses that may not | `--deny 203.0.113.0/24` | 403 |
//! | how long a socket of `/robust` lives | `--timeout 60s` | close 1000, `Connection timeout` |
//! | signs of life, seen by the library | `--heartbeat 30s`, `--pong 45s` | close 1001 |
//! | signs of life on `/heartbeat` | `--beat 5s` | after two beats without an answer close 1001, `No heartbeat` |
//!
//! `--allow` and `--deny` take addresses and networks, with commas between them. `--trust
//! 127.0.0.0/8,::1` names the proxies whose word on the client's address is taken (`--trust none`: nobody).
//!
//! | where | what |
//! | --- | --- |
//! | `GET /` | the page |
//! | `/robust/:room` | messages to a room, checked and counted (`robust.rs`) |
//! | `/limited/:room` | a room that is full at some point (`limited.rs`) |
//! | `/heartbeat` | a heartbeat of the application's own (`heartbeat.rs`) |
//! | `/watch`, `GET /api/limits` | what is allowed, and how much of it is used (`gauges.rs`) |

mod gauges;
mod heartbeat;
mod limited;
mod robust;
mod settings;
#[path = "../shared/shutdown.rs"]
mod shutdown;

use std::io::{Error, ErrorKind};
use std::rc::Rc;

use rushwire::{App, Next, Request, Socket, event};
use serde_json::{Value, json};

use gauges::Gauges;
use settings::Settings;

/// The page loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

fn main() -> std::io::Result<()> {
    let settings = Settings::parse(std::env::args().skip(1));
    let settings = settings.map_err(|why| Error::new(ErrorKind::InvalidInput, why))?;
    let settings = Rc::new(settings);
    let mut app = App::with(settings.options());

    app.ws_use(everyone);
    let timeout = settings.timeout;
    app.ws("/robust/:room", move |socket, request| {
        robust::welcome(socket, request.param("room"), timeout);
    });
    let capacity = settings.room;
    app.ws("/limited/:room", move |socket, request| {
        limited::welcome(socket, request.param("room"), capacity);
    });
    let beat = settings.beat;
    app.ws("/heartbeat", move |socket, _| {
        heartbeat::welcome(socket, beat)
    });
    Gauges::serve(&mut app, &settings);
    app.get("/", |ctx| {
        ctx.header("Content-Security-Policy", POLICY)
            .header("Cache-Control", "no-cache")
            .header("X-Content-Type-Options", "nosniff")
            .header("Referrer-Policy", "no-referrer")
            .html(include_str!("page.html"));
    });
    app.on_error(|report| eprintln!("{report}"));

    shutdown::on_signals(app.remote())?;
    app.listen(&settings.address, |address| {
        println!("listening on http://{address}")
    })
}

/// What holds for all sockets: whoever sends too much is told so, and stays.
fn everyone(socket: &Socket, request: &Request, next: Next) {
    if let Some(address) = request.client_ip() {
        socket.set(gauges::Address(address));
    }
    socket.on(event::RateLimit, |socket, limited| {
        let wait = limited.retry_after.as_millis() as u64;
        let error =
            json!({ "type": "error", "message": "Rate limit exceeded", "retryAfter": wait });
        tell(socket, &error);
    });
    next.run();
}

fn tell(socket: &Socket, what: &Value) {
    socket.send(&what.to_string());
}
