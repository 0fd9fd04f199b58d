//! An application's tests without sockets and without waiting (feature `testing`).
//!
//! ```toml
//! [dev-dependencies]
//! rushwire = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A [`TestServer`] serves an [`App`](crate::App) to [`Client`]s on the same thread, in memory, and in a time that
//! stands still until its [`Clock`] is moved. So a test takes microseconds, waits for nothing, and goes
//! the same way each time, socket ids included:
//!
//! ```
//! use rushwire::testing::TestServer;
//! use rushwire::{App, event};
//!
//! fn app() -> App {
//!     let mut app = App::new();
//!     app.ws("/test", |socket, _request| {
//!         socket.send("welcome");
//!         socket.on(event::Message, |socket, message| {
//!             let text = message.as_text().unwrap_or_default();
//!             socket.send(&format!("echo: {text}"));
//!         });
//!     });
//!     app
//! }
//!
//! let test = TestServer::new(app())?;
//! let mut client = test.connect("/test");
//! assert_eq!(client.text(), "welcome");
//! client.send("hello");
//! assert_eq!(client.text(), "echo: hello");
//! assert_eq!(client.recv(), None);
//! # Ok::<(), rushwire::ConfigError>(())
//! ```
//!
//! The same over a real socket, on any free port, with any client there is:
//!
//! ```
//! # use rushwire::{App, event};
//! # fn app() -> App {
//! #     let mut app = App::new();
//! #     app.ws("/test", |socket, _request| {
//! #         socket.send("welcome");
//! #         socket.on(event::Message, |socket, message| {
//! #             socket.send(&format!("echo: {}", message.as_text().unwrap_or_default()));
//! #         });
//! #     });
//! #     app
//! # }
//! let (sender, receiver) = std::sync::mpsc::channel();
//! let server = std::thread::spawn(move || -> std::io::Result<()> {
//!     let mut server = app().bind("127.0.0.1:0")?;
//!     sender.send((server.local_addr().unwrap(), server.remote())).unwrap();
//!     server.run()
//! });
//! let (address, remote) = receiver.recv().unwrap();
//!
//! let (mut client, _) = tungstenite::connect(format!("ws://{address}/test")).unwrap();
//! assert_eq!(client.read().unwrap(), "welcome".into());
//! client.send("hello".into()).unwrap();
//! assert_eq!(client.read().unwrap(), "echo: hello".into());
//!
//! drop(client);
//! remote.shutdown(std::time::Duration::from_secs(1)).unwrap();
//! server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Time
//!
//! Nothing that waits for time happens unless the clock is moved; then everything happens, each thing at
//! its own moment:
//!
//! ```
//! # use rushwire::testing::TestServer;
//! # use rushwire::{App, Options};
//! # use std::time::Duration;
//! let app = App::with(Options {
//!     heartbeat: Duration::from_secs(30),
//!     pong_timeout: Duration::from_secs(45),
//!     ..Options::default()
//! });
//! let test = TestServer::new(app)?;
//! let clock = test.clock();
//! let mut lively = test.connect("/ws"); // answers pings, as browsers do
//! let mut silent = test.connect("/ws");
//! silent.ignore_pings();
//! clock.advance(Duration::from_secs(75));
//! assert_eq!(silent.recv_all().len(), 3); // two pings, and then:
//! assert!(silent.is_ended());
//! assert!(!lively.is_ended());
//! # let _ = lively.recv();
//! # Ok::<(), rushwire::ConfigError>(())
//! ```
//!
//! The wall clock that the header `Date` is made of begins at 2000-01-01 and moves along. What an
//! application reads from the system's clocks itself is not moved.
//!
//! # Who may come
//!
//! ```
//! # use rushwire::testing::TestServer;
//! # use rushwire::{App, Options};
//! # let mut app = App::with(Options { subprotocols: vec!["v1".into()], ..Options::default() });
//! # app.verify_client(|request| request.header("Authorization").is_some());
//! # app.post("/orders", |ctx| ctx.text(ctx.body_text().unwrap_or_default()));
//! # let test = TestServer::new(app)?;
//! let refused = test.request("GET", "/ws").connect().unwrap_err();
//! assert_eq!(refused.status, 401);
//!
//! let request = test.request("GET", "/ws").from([203, 0, 113, 7]);
//! let request = request.header("Authorization", "Bearer x").subprotocol("v1");
//! assert_eq!(request.connect().unwrap().protocol(), Some("v1".into()));
//!
//! let answer = test.request("POST", "/orders").body("{}").send();
//! assert_eq!((answer.status, answer.text()), (200, "{}".into()));
//! # Ok::<(), rushwire::ConfigError>(())
//! ```
//!
//! # Connections that it makes
//!
//! What the application connects to with [`Hub::connect`](crate::Hub::connect) is played by the test,
//! whatever the URL: no name is looked up, nothing leaves the process, and waits of a
//! [reconnection](crate::Reconnect) have no random part.
//!
//! ```
//! # use rushwire::testing::TestServer;
//! # use rushwire::{App, ConnectOptions, event};
//! let mut app = App::new();
//! app.hub().connect("ws://prices.example/feed", ConnectOptions::default(), |socket, _| {
//!     socket.send("subscribe");
//!     socket.on(event::Message, |socket, message| {
//!         socket.hub().ws_broadcast(message, None);
//!     });
//! })?;
//! let test = TestServer::new(app)?;
//! let mut client = test.connect("/ws");
//!
//! let mut dialed = test.dialed().unwrap();
//! assert_eq!(dialed.target(), "/feed");
//! let mut feed = dialed.accept();
//! assert_eq!(feed.text(), "subscribe");
//! feed.send("42.10");
//! assert_eq!(client.text(), "42.10");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is real, and what is not
//!
//! The server is: its loop, timers, limits, buffers, HTTP and WebSocket are those that run over TCP. Only
//! where bytes come from and what time it is differ. The network behaves as a kernel does: it holds a
//! [bounded](TestServer::set_window) number of bytes in each direction, so that a client which
//! [does not read](Client::stop_reading) brings about backpressure.
//!
//! The server runs only when something is to be received, the clock moves, or a
//! [turn](TestServer::turn) is asked for. With other threads in it, a test waits for those itself and
//! then takes a turn.
//!
//! The client reads and writes with the library's own code. So a test in which it understands the server
//! says what an application does, and nothing about whether the library follows RFC 6455; for that there
//! are the library's own tests, whose client shares no code with it, and the Autobahn suite.

mod answer;
mod client;
mod connection;
mod dialed;
mod line;
mod received;
mod request;
mod server;

pub use answer::Answer;
pub use client::Client;
pub use connection::Connection;
pub use dialed::Dialed;
pub use received::Received;
pub use request::Request;
pub use server::{Clock, TestServer};

/// A key of 16 bytes in base64 (RFC 6455 §1.3): in a test, it may be foreseen.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What frames of a client are masked with (RFC 6455 §5.7): in a test, it may be foreseen.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
