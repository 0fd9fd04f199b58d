//! A WebSocket server in one small library.

mod app;
mod http;
mod net;
mod proto;
mod ws;

pub use app::{App, ConfigError, Context, Next, Options, Request, Server, Verdict};
pub use http::{InvalidHeader, Method, PatternError, Response};
pub use net::link::Overflow;
pub use proto::close::CloseCode;
pub use proto::violation::Violation;
pub use ws::audience::Audience;
pub use ws::event;
pub use ws::hub::{Hub, Report, Room, Timer};
pub use ws::listeners::ListenerId;
pub use ws::message::{Message, OwnedMessage};
pub use ws::remote::{Gone, Remote};
pub use ws::settings::Rate;
pub use ws::socket::Socket;
pub use ws::stats::Stats;
pub use ws::status::{InvalidCloseCode, Join, ReadyState, SendStatus, SocketId};
