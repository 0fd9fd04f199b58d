//! The guide: how to get something working. It holds nothing but words and code that compiles.
//!
//! * [`start`]: a server, rooms, broadcasts, HTTP beside them
//! * [`doors`]: who may connect, and how often: authentication, origins, limits, proxies
//! * [`threads`]: work that takes long, other threads, time, shutting down
//! * [`care`]: tests, statistics, logs
//! * [`from_nextrush`]: coming from NextRush or OpenSpeed, line by line
//! * [`from_ws_and_socketio`]: coming from `ws`, Socket.IO, uWebSockets or a tokio stack

#[doc = include_str!("start.md")]
pub mod start {}

#[doc = include_str!("doors.md")]
pub mod doors {}

#[doc = include_str!("threads.md")]
pub mod threads {}

#[doc = include_str!("care.md")]
pub mod care {}

#[doc = include_str!("from_nextrush.md")]
pub mod from_nextrush {}

#[doc = include_str!("from_ws_and_socketio.md")]
pub mod from_ws_and_socketio {}
