//! A chat to start from: rooms, history, typing, private messages, announcements, sign-in, and a page.
//!
//! ```text
//! cargo run --release --example chat
//! cargo run --release --example chat -- 0.0.0.0:8080 --guests
//! ```
//!
//! | where | what |
//! | --- | --- |
//! | `GET /` | the page |
//! | `POST /api/login` | `{"name":"Ada"}` gives `{"token":…,"user":…}`; who sends a token along keeps the id |
//! | `/chat/:room` | the sockets; `/chat` is the room `general` (`chat.rs` says what is spoken there) |
//! | `GET /rooms`, `GET /rooms/:room/info` | how many are in each room; what was said last in one |
//! | `POST /api/admin/broadcast` | `{"message":…,"room":…}` to a room, or to everyone without one |
//! | `/echo` | a socket that sends everything back, for trying a connection |
//!
//! Sockets and rooms want a token (a JWT): as `?token=…`, as `Authorization: Bearer …`, or among the
//! subprotocols, `chat, bearer.…`, of which the server answers `chat`.
//!
//! * `--guests` lets people in who have none, as `?user=NAME`.
//! * `CHAT_SECRET`, of 32 bytes or more, signs the tokens, so that they outlive the server; without it
//!   the secret is new at each start.
//! * `CHAT_ADMIN_TOKEN` is what the admin's `Authorization: Bearer …` has to be; without it nobody is one.
//!
//! SIGTERM and Ctrl-C shut the server down: everyone hears 1001, and what was said before is delivered.

mod auth;
mod chat;
mod http;
mod rooms;
mod said;
#[path = "../shared/shutdown.rs"]
mod shutdown;
#[path = "../shared/tokens.rs"]
mod tokens;

use std::io::{Error, ErrorKind};
use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Options, Rate, Request, Socket, event};

use auth::Auth;
use chat::Chat;

/// The longest message in bytes: a newcomer is shown many of them at once.
const LONGEST: usize = 32 * 1024;
/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// What one person may send, typing included: a burst, and then one message a second.
const PACE: Rate = Rate {
    messages: 60,
    per: Duration::from_secs(60),
};
/// The room of those who ask for none.
const GENERAL: &str = "general";

/// What stands on the command line.
struct Arguments {
    address: String,
    guests: bool,
}

fn main() -> std::io::Result<()> {
    let arguments = arguments(std::env::args().skip(1))?;
    let auth = Rc::new(Auth::from_env(arguments.guests)?);
    let chat = Rc::new(Chat::default());
    let mut app = App::with(options());

    let guard = Rc::clone(&auth);
    app.verify_client(move |request| match request.path() {
        "/echo" => true.into(),
        _ => guard.verify(request),
    });
    app.ws("/echo", echo);
    for path in ["/chat", "/chat/:room"] {
        let chat = Rc::clone(&chat);
        app.ws(path, move |socket, request| {
            let room = Some(request.param("room")).filter(|room| !room.is_empty());
            chat.welcome(socket, room.unwrap_or(GENERAL));
        });
    }
    http::serve(&mut app, &auth, &chat);
    app.on_error(|report| eprintln!("{report}"));

    shutdown::on_signals(app.remote())?;
    app.listen(&arguments.address, |address| {
        println!("listening on http://{address}")
    })
}

/// Nobody who is silent is closed: people read. But a connection ends with the longest life of its
/// token, so that whoever is not let in any more does not stay for ever.
fn options() -> Options {
    Options {
        max_connections: 1_000,
        max_message_size: LONGEST,
        max_body_size: LONGEST_BODY,
        max_room_name: chat::longest_room_name(),
        max_lifetime: tokens::LIFE,
        message_rate: Some(PACE),
        subprotocols: vec![auth::PROTOCOL.to_owned()],
        ..Options::default()
    }
}

fn arguments(words: impl Iterator<Item = String>) -> std::io::Result<Arguments> {
    let mut arguments = Arguments {
        address: "127.0.0.1:3000".to_owned(),
        guests: false,
    };
    for word in words {
        match word.as_str() {
            "--guests" => arguments.guests = true,
            option if option.starts_with('-') => {
                let why = format!("{option:?} is no option; there is --guests");
                return Err(Error::new(ErrorKind::InvalidInput, why));
            }
            _ => arguments.address = word,
        }
    }
    Ok(arguments)
}

/// Says hello, and sends back what it hears.
fn echo(socket: &Socket, _request: &Request) {
    socket.send("Welcome!");
    socket.on(event::Message, |socket, message| {
        match message.as_text() {
            Some(text) => socket.send(&format!("Echo: {text}")),
            None => socket.send(message),
        };
    });
}
