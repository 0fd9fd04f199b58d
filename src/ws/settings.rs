//! The numbers that every socket of a hub obeys.

use std::time::Duration;

/// So many messages in so long a time, as a bucket: it holds `messages` and refills evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many messages may come at once.
    pub messages: u32,
    /// The time in which an empty bucket is full again.
    pub per: Duration,
}

/// So many bytes in so long a time, as a bucket: it holds `bytes` and refills evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRate {
    /// How many bytes may come at once. A message of more passes when the bucket is full, and is paid
    /// for by the time until the next.
    pub bytes: u64,
    /// The time in which an empty bucket is full again.
    pub per: Duration,
}

/// So many connections in so long a time, as a bucket: it holds `connections` and refills evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRate {
    /// How many connections may come at once.
    pub connections: u32,
    /// The time in which an empty bucket is full again.
    pub per: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Time between two pings; `None`: no heartbeat.
    pub(crate) heartbeat: Option<Duration>,
    /// How long a ping may be unanswered; `None`: for ever.
    pub(crate) pong_timeout: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_lifetime: Option<Duration>,
    /// How long a middleware may take to decide.
    pub(crate) admission_timeout: Duration,
    pub(crate) max_message_size: usize,
    pub(crate) max_rooms_per_socket: usize,
    pub(crate) max_room_name: usize,
    pub(crate) max_rooms: Option<usize>,
    pub(crate) max_room_size: Option<usize>,
    pub(crate) message_rate: Option<Rate>,
    pub(crate) byte_rate: Option<ByteRate>,
    /// A call of the application's code that takes as long is told of; `None`: none is.
    pub(crate) slow_listener: Option<Duration>,
    /// Whether each event in the life of the server is written to stderr.
    pub(crate) debug: bool,
}
