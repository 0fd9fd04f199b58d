//! Everything that can be set, with its default.

use std::time::Duration;

use super::error::Problems;
use crate::net::link::{Limits, Overflow, Unit};
use crate::proto::encoder;
use crate::ws::settings::{ByteRate, ConnectionRate, Rate, Settings};

/// What a server allows, and how long it waits.
///
/// ```
/// use rushwire::{App, Options};
/// use std::time::Duration;
///
/// let app = App::with(Options {
///     heartbeat: Duration::from_secs(15),
///     max_message_size: 64 * 1024,
///     allow_origins: vec!["https://example.com".into(), "http://localhost:*".into()],
///     ..Options::default()
/// });
/// ```
///
/// Zero turns off `heartbeat`, `pong_timeout`, `idle_timeout`, `max_lifetime` and `slow_listener`; the
/// other durations, and all limits, must not be zero: that is refused when the server is bound.
#[derive(Clone, Debug)]
pub struct Options {
    /// Endpoints beside those of [`App::ws`](super::App::ws). One that has no handler is for pushing
    /// only: middleware runs, and broadcasts reach it. Default: none, and `/ws` if there is no route.
    pub paths: Vec<String>,
    /// Time between two pings to a peer. Default: 30 s. Zero: no heartbeat.
    pub heartbeat: Duration,
    /// How long a peer may leave a ping of the heartbeat without any sign of life. Default: 45 s.
    /// Zero: for ever.
    pub pong_timeout: Duration,
    /// How many sockets there may be, those that are about to open included. More are refused with
    /// 503. Default: 10,000.
    pub max_connections: usize,
    /// How many sockets there may be from one client address, where all of an IPv6 network of 64 bits
    /// count as one. More are refused with 429. Default: no limit.
    pub max_connections_per_ip: Option<usize>,
    /// How often sockets may be opened from one client address, where all of an IPv6 network of 64
    /// bits count as one. More are refused with 429, and `Retry-After` says exactly when the next may
    /// come. Default: no limit.
    ///
    /// Requests count that are refused later, for want of a place say, and not those that are refused
    /// before: for their origin. Up to 65,536 addresses are remembered.
    pub connection_rate: Option<ConnectionRate>,
    /// Clients that may connect at all, for sockets and for plain HTTP: addresses or networks such as
    /// `10.0.0.0/8`, compared with [`Request::client_ip`](super::Request::client_ip). Others are
    /// refused with 403, and so is a peer over a Unix-domain socket, which has no address.
    /// Default: everyone.
    pub allow_addresses: Vec<String>,
    /// Clients that may not, even if they are allowed by the list before: they are refused with 403.
    /// Default: nobody.
    pub deny_addresses: Vec<String>,
    /// The longest message accepted, in bytes; one byte more is answered by close 1009.
    /// Default: 1 MiB.
    pub max_message_size: usize,
    /// Bytes that may wait for a peer after the kernel has refused them. A message onto an empty outbox
    /// is always taken, whatever its length. Default: 1 MiB.
    pub max_backpressure: usize,
    /// What happens to a message that would exceed it. Default: the connection is closed with 1013.
    pub overflow: Overflow,
    /// Bytes that all connections of the server together may keep in memory: what waits for peers that do
    /// not read, and messages and requests that have come in part. Default: 1 GiB.
    ///
    /// When it is exceeded, the largest backlogs are dealt with first, one after the other, as
    /// [`overflow`](Self::overflow) says; a peer that is closed and does not read is cut. As long as it is
    /// still too much, new connections are refused with 503. [`Stats::shed`](crate::Stats::shed) and
    /// [`Refusal::Memory`](crate::Refusal::Memory) count that. What is counted is memory that grows with
    /// what peers do: not the 250 bytes of an idle connection, nor what the application keeps. A request
    /// that waits for another thread's answer is the application's.
    pub memory_budget: usize,
    /// How many rooms a socket may be in at a time. Default: 100.
    pub max_rooms_per_socket: usize,
    /// The longest name of a room, in bytes. Default: 256.
    pub max_room_name: usize,
    /// How many members a room may have that
    /// [`Hub::set_room_capacity`](crate::Hub::set_room_capacity) says nothing else of; more are
    /// answered by [`Join::Full`](crate::Join::Full). Default: no limit.
    pub max_room_size: Option<usize>,
    /// How many rooms there may be. Then those that are there can still be joined, and any other is
    /// answered by [`Join::Limit`](crate::Join::Limit). Default: no limit.
    pub max_rooms: Option<usize>,
    /// The longest head of a request, in bytes; more is answered by 431. Default: 16 KiB.
    pub max_head_size: usize,
    /// The longest body of a request, in bytes; more is answered by 413. Default: 1 MiB.
    pub max_body_size: usize,
    /// From accepting a connection to its answer 101 or to the end of its first request; for later
    /// requests of a connection, from the first byte. Also how long middleware may take to let a
    /// socket pass. Default: 10 s.
    pub handshake_timeout: Duration,
    /// How long a connection may be idle between requests. Default: 5 s.
    pub keep_alive_timeout: Duration,
    /// How long the peer may take to answer our close frame, and to read what is left: that it may go on
    /// with as long as it reads 16 KiB in this time. Default: 5 s.
    pub close_timeout: Duration,
    /// Closes a socket that has sent no message for so long, with 1001. Default: off.
    pub idle_timeout: Duration,
    /// Closes a socket that has been open for so long, with 1001. Default: off.
    pub max_lifetime: Duration,
    /// How many messages a peer may send. See [`event::RateLimit`](crate::event::RateLimit).
    /// Default: no limit.
    pub message_rate: Option<Rate>,
    /// How many bytes of messages a peer may send. See [`event::RateLimit`](crate::event::RateLimit).
    /// A message longer than all that may come at once passes when nothing came for so long that as
    /// much may come again, and what follows waits the longer. Default: no limit.
    pub byte_rate: Option<ByteRate>,
    /// Origins that browsers may connect from (RFC 6455 §10.2). Empty: all, which is right only when
    /// cookies mean nothing. Otherwise a request without `Origin` is refused, too.
    ///
    /// A whole origin such as `https://example.com`. `*` stands for digits in the port, and for
    /// letters, digits, dots and hyphens in the host. Case does not matter. Default: all.
    pub allow_origins: Vec<String>,
    /// Subprotocols spoken here, the preferred one first (RFC 6455 §1.9). Default: none.
    pub subprotocols: Vec<String>,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed: addresses or networks such as
    /// `10.0.0.0/8`. Default: none.
    pub trusted_proxies: Vec<String>,
    /// Reports code of the application that holds the server's thread for so long, in which nobody else is
    /// served: a listener, a handler, middleware, a verdict, a timer, a job of a
    /// [`Remote`](crate::Remote). Default: off, since how long is too long is the application's to say; in
    /// production a tenth of a second is a good beginning.
    ///
    /// One line says so while it still runs, so that what never returns is named, too, and one when it is
    /// over. They go to stderr or, if it is on for warnings, to the crate `log` (feature `log`):
    ///
    /// ```text
    /// rushwire: slow what="Message" socket=3-1 path="/chat" so_far=104ms
    /// rushwire: slow what="Message" socket=3-1 path="/chat" took=2130ms
    /// ```
    ///
    /// [`Stats::slow_listeners`](crate::Stats::slow_listeners) counts them all; at most ten in ten seconds
    /// are reported, and `untold` in the next line says how many were not. Time of the clock counts, also
    /// if the machine was busy with something else. It takes a thread, until the server is dropped, about
    /// a hundred bytes for each connection, and two looks at the clock for each call.
    pub slow_listener: Duration,
    /// Whether one line is written to stderr for each event in the life of the server: listening,
    /// connections, refusals, sockets that open and close, rooms, errors, shutdown. Default: no.
    ///
    /// ```text
    /// rushwire: refused peer=10.0.0.7:50312 status=403 cause=origin path="/chat"
    /// rushwire: opened socket=3-1 peer=10.0.0.8:41070 path="/chat"
    /// rushwire: closed socket=3-1 code=1000 by=peer cause=Requested undelivered=0 reason="bye"
    /// ```
    ///
    /// What peers have a hand in is escaped and cut; queries of URLs, where tokens are, are never
    /// written. Writing waits for whoever reads stderr: this is for finding out, not for production.
    ///
    /// With the feature `log` the same lines go to the crate `log` with the target `rushwire`, whatever
    /// this says: errors as `error`, sockets closed because of what the peer did as `warn`, refusals as
    /// `info`, rooms as `trace`, and the rest as `debug`.
    pub debug: bool,
}

/// How many fields the head of a request may have; more are answered by 431.
pub(super) const MAX_HEAD_FIELDS: usize = 100;

impl Default for Options {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            heartbeat: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(45),
            max_connections: 10_000,
            max_connections_per_ip: None,
            connection_rate: None,
            allow_addresses: Vec::new(),
            deny_addresses: Vec::new(),
            max_message_size: 1024 * 1024,
            max_backpressure: 1024 * 1024,
            overflow: Overflow::Close,
            memory_budget: 1024 * 1024 * 1024,
            max_rooms_per_socket: 100,
            max_room_name: 256,
            max_room_size: None,
            max_rooms: None,
            max_head_size: 16 * 1024,
            max_body_size: 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(5),
            close_timeout: Duration::from_secs(5),
            idle_timeout: Duration::ZERO,
            max_lifetime: Duration::ZERO,
            message_rate: None,
            byte_rate: None,
            allow_origins: Vec::new(),
            subprotocols: Vec::new(),
            trusted_proxies: Vec::new(),
            slow_listener: Duration::ZERO,
            debug: false,
        }
    }
}

impl Options {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_backpressure: self.max_backpressure,
            overflow: self.overflow,
            linger: self.close_timeout,
            memory_budget: self.memory_budget,
            measure,
        }
    }

    pub(super) fn settings(&self) -> Settings {
        let on = |span: Duration| (!span.is_zero()).then_some(span);
        Settings {
            heartbeat: on(self.heartbeat),
            pong_timeout: on(self.pong_timeout),
            close_timeout: self.close_timeout,
            idle_timeout: on(self.idle_timeout),
            max_lifetime: on(self.max_lifetime),
            admission_timeout: self.handshake_timeout,
            max_message_size: self.max_message_size,
            max_rooms_per_socket: self.max_rooms_per_socket,
            max_room_name: self.max_room_name,
            max_rooms: self.max_rooms,
            max_room_size: self.max_room_size,
            message_rate: self.message_rate,
            byte_rate: self.byte_rate,
            slow_listener: on(self.slow_listener),
            debug: self.debug,
        }
    }

    /// Collects rates that give nothing, or anything.
    fn check_rates(&self, problems: &mut Problems) {
        let messages = self
            .message_rate
            .map(|rate| (u64::from(rate.messages), rate.per));
        let bytes = self.byte_rate.map(|rate| (rate.bytes, rate.per));
        let connections = self
            .connection_rate
            .map(|rate| (u64::from(rate.connections), rate.per));
        let rates = [
            ("message_rate", "messages", messages),
            ("byte_rate", "bytes", bytes),
            ("connection_rate", "connections", connections),
        ];
        for (name, unit, rate) in rates {
            let Some((size, per)) = rate else { continue };
            if size == 0 {
                problems.add(format!(
                    "option {name}.{unit} is 0, which would refuse everything"
                ));
            }
            if per.is_zero() {
                problems.add(format!(
                    "option {name}.per is zero, which would allow anything: {name} is off if it is None"
                ));
            }
        }
    }

    /// Collects what cannot be meant.
    pub(super) fn check(&self, problems: &mut Problems) {
        let limits = [
            ("max_connections", self.max_connections),
            (
                "max_connections_per_ip",
                self.max_connections_per_ip.unwrap_or(1),
            ),
            ("max_message_size", self.max_message_size),
            ("max_backpressure", self.max_backpressure),
            ("memory_budget", self.memory_budget),
            ("max_rooms_per_socket", self.max_rooms_per_socket),
            ("max_room_name", self.max_room_name),
            ("max_room_size", self.max_room_size.unwrap_or(1)),
            ("max_rooms", self.max_rooms.unwrap_or(1)),
            ("max_head_size", self.max_head_size),
            ("max_body_size", self.max_body_size),
        ];
        for (name, _) in limits.into_iter().filter(|(_, limit)| *limit == 0) {
            problems.add(format!("option {name} is 0, which would refuse everything"));
        }
        let spans = [
            ("handshake_timeout", self.handshake_timeout),
            ("keep_alive_timeout", self.keep_alive_timeout),
            ("close_timeout", self.close_timeout),
        ];
        for (name, _) in spans.into_iter().filter(|(_, span)| span.is_zero()) {
            problems.add(format!(
                "option {name} is zero, but the network cannot be waited for without end"
            ));
        }
        self.check_rates(problems);
        for protocol in self
            .subprotocols
            .iter()
            .filter(|protocol| !crate::http::is_token(protocol.as_bytes()))
        {
            problems.add(format!(
                "subprotocol {protocol:?} is not a token (RFC 9110 §5.6.2)"
            ));
        }
    }
}
/// Measures a frame that waits to be written.
fn measure(frames: &[u8]) -> Unit {
    let unit = encoder::measure(frames);
    Unit {
        len: unit.len,
        control: unit.control,
    }
}
