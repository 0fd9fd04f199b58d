//! Notifications and live updates: who is offline finds theirs on return, channels to subscribe to
//! are fed by HTTP routes, and there is a page to use it all from.
//!
//! ```text
//! cargo run --release --example notifications
//! cargo run --release --example notifications -- 0.0.0.0:8080
//! ```
//!
//! | where | what |
//! | --- | --- |
//! | `GET /` | the page |
//! | `POST /api/login` | `{"name":"Ada","role":"admin"}` gives `{"token":…,"user":…}` |
//! | `/live` | the sockets (`live.rs` says what is spoken there) |
//! | `POST /api/notify` | an admin's `{"user":"ada","text":…}` or `{"role":"editor","text":…}` |
//! | `GET /api/posts` | the posts, the newest first |
//! | `POST /api/posts` | `{"title":…,"text":…}`: a post, told on the channel `posts` |
//! | `PUT /api/posts/:id` | the same, for its author or an admin: told on `posts` and `post-ID` |
//! | `GET /api/me`, `GET /api/users`, `GET /api/channels` | who I am, who is known, who listens to what |
//!
//! Everything but the page and the login wants a token (a JWT): as `?token=…`, as
//! `Authorization: Bearer …`, or among the subprotocols, `live, bearer.…`, of which the server answers
//! `live`. `NOTIFICATIONS_SECRET`, of 32 bytes or more, signs the tokens, so that they outlive the
//! server; without it the secret is new at each start.
//!
//! **There are no passwords: whoever asks is an admin.** A real application checks one in `login`.

mod auth;
mod http;
mod inbox;
mod live;
mod posts;
#[path = "../shared/shutdown.rs"]
mod shutdown;
#[path = "../shared/tokens.rs"]
mod tokens;

use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Options, Rate};

use auth::Auth;
use live::Live;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let mut app = App::with(options());
    let auth = Rc::new(Auth::from_env()?);
    let live = Rc::new(Live::default());

    let guard = Rc::clone(&auth);
    app.verify_client(move |request| guard.verify(request));
    let sockets = Rc::clone(&live);
    app.ws("/live", move |socket, _request| sockets.welcome(socket));
    http::serve(&mut app, &auth, &live);
    app.on_error(|report| eprintln!("{report}"));

    shutdown::on_signals(app.remote())?;
    app.listen(&address, |address| {
        println!("listening on http://{address}")
    })
}

/// A connection ends with the longest life of its token, so that whoever is not let in any more does
/// not stay for ever.
fn options() -> Options {
    Options {
        max_connections: 1_000,
        max_message_size: 4 * 1024,
        max_body_size: 32 * 1024,
        max_lifetime: tokens::LIFE,
        message_rate: Some(Rate {
            messages: 120,
            per: Duration::from_secs(20),
        }),
        subprotocols: vec![auth::PROTOCOL.to_owned()],
        ..Options::default()
    }
}
