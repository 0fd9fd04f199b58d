//! A WebSocket server and client in one small library: RFC 6455 by hand on a single-threaded reactor,
//! with rooms, HTTP routes on the same port, and listeners in the style of Node. The client is
//! [`Hub::connect`], or [`Client`] where there is no server.
//!
//! ```no_run
//! use rushwire::{App, event};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut app = App::new();
//!     app.ws("/chat/:room", |socket, request| {
//!         let room = request.param("room").to_owned();
//!         socket.join(&room);
//!         socket.on(event::Message, move |socket, message| {
//!             socket.broadcast(&room, message); // everyone there but me; encoded once
//!         });
//!         socket.on(event::Close, |socket, close| {
//!             println!("{} left: {} {}", socket.id(), close.code, close.reason);
//!         });
//!     });
//!     app.get("/rooms/:room/info", |ctx| {
//!         let count = ctx.hub().room(ctx.param("room")).len();
//!         ctx.json(format!(r#"{{"connections":{count}}}"#));
//!     });
//!     app.listen("127.0.0.1:3000", |address| println!("listening on {address}"))
//! }
//! ```
//!
//! The [`guide`] tells how to get something working, and what is what for those who come
//! [from NextRush or OpenSpeed](guide::from_nextrush) or [from elsewhere](guide::from_ws_and_socketio).
//!
//! # How it runs
//!
//! One thread runs everything: it waits for readiness, reads, runs the listeners of whoever has sent
//! something, and then writes what they have queued, with one system call for each receiver. So code
//! of the application needs no locks, and should not block. Other threads reach the server through a
//! [`Remote`].
//!
//! # What listeners may do
//!
//! Anything, to any socket. They run one after the other and never inside of each other, nor inside
//! of a call into the library: what a call brings about is heard later in the same turn. A [`Socket`]
//! may be kept for as long as one likes; when its connection is gone, it does nothing. A panic in a
//! listener ends its socket with close code 1011, and nothing else (with `panic = "abort"` it ends the
//! process).
//!
//! # What comes from the network
//!
//! Whatever a peer sends gets a clear answer: an HTTP status, or a close code. The limits are in
//! [`Options`], and each has a default.
//!
//! # Tests of an application
//!
//! With the feature `testing`, the module `testing` serves an [`App`] in memory, to clients on the same
//! thread and in a time that only the test moves: no sockets, no waiting.

// Nothing that a peer sends may reach a panic; tests may panic as they like.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

/// The README's program is a test, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod app;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod client;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod http;
mod net;
mod proto;
#[cfg(feature = "testing")]
pub mod testing;
mod ws;

pub use app::{
    App, ConfigError, Context, Deferred, HttpError, HttpNext, IntoJson, Next, Options,
    PendingVerdict, Request, Route, Server, Verdict,
};
pub use client::{
    Answer, Client, ConnectError, ConnectOptions, Connection, Failed, Reconnect, RemoteConnection,
};
pub use http::{InvalidHeader, Method, Refusal, Response};
pub use net::link::Overflow;
pub use proto::close::CloseCode;
pub use proto::violation::Violation;
pub use ws::audience::Audience;
pub use ws::event;
pub use ws::hub::{Hub, Room};
pub use ws::into_message::IntoMessage;
#[cfg(feature = "json")]
pub use ws::json::Json;
pub use ws::listeners::ListenerId;
pub use ws::message::{Message, OwnedMessage, Prepared};
pub use ws::remote::{Gone, Remote};
pub use ws::report::Report;
pub use ws::room_event::{RoomChange, RoomEvent};
pub use ws::settings::{ByteRate, ConnectionRate, Rate};
pub use ws::socket::Socket;
pub use ws::stats::Stats;
pub use ws::status::{InvalidCloseCode, InvalidSocketId, Join, ReadyState, SendStatus, SocketId};
pub use ws::timers::Timer;
