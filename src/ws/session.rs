//! The reading half of a WebSocket connection: from bytes to listeners (RFC 6455 §6.2).

use super::event::{self, By, Cause, Failure, RateLimited};
use super::guard::guard;
use super::message::Message;
use super::places::Place;
use super::settings::Rate;
use super::socket::Socket;
use crate::net::clock::Tick;
use crate::net::link::{self, Stage};
use crate::net::protocol::{Next, Protocol};
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Piece, Role, Step};
use crate::proto::violation::Violation;

/// Of a socket that middleware has not let pass yet, so many bytes are read, and a little more.
const HELD: usize = 16 * 1024;

/// The reading half of a connection, owned by the reactor and out of every listener's reach.
pub(crate) struct Session {
    socket: Socket,
    decoder: Decoder,
    opened: Tick,
    pinged: Tick,
    /// When the last message came, for the idle timeout.
    active: Tick,
    /// What came before middleware let the socket pass.
    #[expect(
        clippy::box_collection,
        reason = "few sockets hold anything, and there are many"
    )]
    held: Option<Box<Vec<u8>>>,
    bucket: Option<Box<Bucket>>,
    /// Dropped when the connection is gone: the place that it took.
    _place: Option<Place>,
}

impl Session {
    /// The reading half of a connection whose opening handshake is done.
    pub(crate) fn new(socket: Socket, role: Role, place: Option<Place>) -> Self {
        let now = socket.link().now();
        let settings = socket.hub().settings();
        let session = Self {
            decoder: Decoder::new(role, settings.max_message_size),
            opened: now,
            pinged: now,
            active: now,
            held: None,
            bucket: settings
                .message_rate
                .map(|rate| Box::new(Bucket::new(rate, now))),
            _place: place,
            socket,
        };
        if let Some(first) = session.next_deadline() {
            session.socket.link().wake_at(first);
        }
        session
    }

    /// Decodes all of `input` and lets the listeners hear it.
    fn hear(&mut self, input: &mut [u8], now: Tick) {
        let mut hearing = Hearing {
            socket: &self.socket,
            now,
            active: &mut self.active,
            bucket: self.bucket.as_deref_mut(),
            stage: self.socket.link().stage(),
        };
        let mut rest = input;
        loop {
            match self.decoder.step(rest) {
                Ok(Step { piece: None, .. }) => return,
                Ok(Step {
                    used,
                    piece: Some(piece),
                }) => {
                    if !hearing.take(piece) {
                        return;
                    }
                    rest = rest.get_mut(used..).unwrap_or_default();
                }
                Err(violation) => return violated(&self.socket, violation),
            }
        }
    }

    /// The earliest moment at which something is to be done if nothing is heard.
    fn next_deadline(&self) -> Option<Tick> {
        let settings = self.socket.hub().settings();
        if let Some(ending) = self.socket.ending() {
            return Some(ending.deadline);
        }
        if !self.socket.is_admitted() {
            return Some(self.opened.after(settings.admission_timeout));
        }
        let ping = settings.heartbeat.map(|period| self.pinged.after(period));
        let pong = settings
            .heartbeat
            .and(self.socket.unanswered().zip(settings.pong_timeout))
            .map(|(since, limit)| since.after(limit));
        let idle = settings.idle_timeout.map(|limit| self.active.after(limit));
        let lifetime = settings.max_lifetime.map(|limit| self.opened.after(limit));
        [ping, pong, idle, lifetime]
            .into_iter()
            .flatten()
            .reduce(Tick::earlier)
    }

    /// Does what is due.
    fn check(&mut self, now: Tick) {
        let settings = self.socket.hub().settings();
        let due = |since: Tick, limit| since.after(limit).has_come(now);
        if let Some(ending) = self.socket.ending() {
            if ending.deadline.has_come(now) {
                self.socket.give_up();
            }
        } else if !self.socket.is_admitted() {
            if due(self.opened, settings.admission_timeout) {
                self.socket.fail(
                    CloseCode::POLICY_VIOLATION,
                    "not admitted in time",
                    Cause::Rejected,
                );
            }
        } else if settings
            .max_lifetime
            .is_some_and(|limit| due(self.opened, limit))
        {
            self.socket
                .begin_close(CloseCode::GOING_AWAY, "lifetime over", Cause::LifetimeOver);
        } else if settings
            .idle_timeout
            .is_some_and(|limit| due(self.active, limit))
        {
            self.socket
                .begin_close(CloseCode::GOING_AWAY, "idle timeout", Cause::IdleTimeout);
        } else if let Some(period) = settings.heartbeat {
            if self.socket.link().is_stalled() {
                // It is not read, because it does not read: so it cannot be heard either.
                self.socket.excuse();
            }
            if self
                .socket
                .unanswered()
                .zip(settings.pong_timeout)
                .is_some_and(|(since, limit)| due(since, limit))
            {
                self.socket
                    .cut(CloseCode::GOING_AWAY, "ping timeout", Cause::PingTimeout);
            } else if due(self.pinged, period) {
                self.pinged = now;
                self.socket.heartbeat(now);
            }
        }
    }
}

impl Protocol for Session {
    fn receive(&mut self, input: &mut [u8], now: Tick) -> Next {
        if !input.is_empty() {
            self.socket.hear(now);
        }
        if !self.socket.is_admitted() && self.socket.is_live() {
            let held = self.held.get_or_insert_default();
            held.extend_from_slice(input);
            if held.len() >= HELD {
                self.socket.link().pause();
            }
            return Next::Stay;
        }
        let held = self.held.take();
        let heard = guard(|| {
            held.into_iter()
                .for_each(|mut held| self.hear(&mut held, now));
            if self.socket.link().stage() <= Stage::Closing {
                self.hear(input, now);
            }
        });
        if let Err(panic) = heard {
            self.socket.panicked(panic);
        }
        Next::Stay
    }

    /// FIN without a close frame, unless we had begun: nobody closed, the connection is lost.
    fn finished(&mut self) {
        self.socket
            .record(CloseCode::ABNORMAL, "", By::Nobody, Cause::PeerGone);
        self.socket.link().end(false);
    }

    fn timeout(&mut self, now: Tick) -> Option<Tick> {
        self.check(now);
        self.next_deadline()
    }

    fn drained(&mut self, undelivered: usize) {
        self.socket.hub().counters().dropped(undelivered);
        self.socket
            .tell_guarded::<event::Drain>(event::Drained { undelivered });
    }

    fn shutdown(&mut self) {
        self.socket.begin_close(
            CloseCode::GOING_AWAY,
            "server is shutting down",
            Cause::Shutdown,
        );
    }

    fn closed(&mut self, cause: link::Cause, undelivered: usize) {
        if let link::Cause::Io(kind) = cause
            && self.socket.ending().is_none()
        {
            self.socket.lost(kind);
        }
        self.socket.closed(undelivered);
    }
}

/// One read, on its way to the listeners.
struct Hearing<'a> {
    socket: &'a Socket,
    now: Tick,
    active: &'a mut Tick,
    bucket: Option<&'a mut Bucket>,
    stage: Stage,
}

impl Hearing<'_> {
    /// Acts on what the decoder found. `false` when nothing more is to be heard.
    fn take(&mut self, piece: Piece<'_>) -> bool {
        match piece {
            Piece::Text(text) => self.message(Message::Text(text)),
            Piece::Binary(bytes) => self.message(Message::Binary(bytes)),
            Piece::Ping(payload) => {
                self.socket.pong(payload);
                self.socket.tell::<event::Ping>(payload);
            }
            Piece::Pong(payload) => {
                self.socket.tell::<event::Pong>(payload);
            }
            Piece::Close(code, reason) => {
                self.socket.answer_close(code, reason);
                return false;
            }
        }
        self.stage = self.socket.link().stage();
        // After our own close frame the peer's is still waited for.
        self.stage <= Stage::Closing
    }

    /// Once the end has begun, messages are not heard any more.
    fn message(&mut self, message: Message<'_>) {
        if self.stage != Stage::Open {
            return;
        }
        *self.active = self.now;
        self.socket.hub().counters().received(message.len());
        let taken = self.bucket.as_mut().map(|bucket| bucket.take(self.now));
        match taken {
            Some(Err(limited)) => too_many(self.socket, limited),
            _ => {
                self.socket.tell::<event::Message>(message);
            }
        }
    }
}

fn too_many(socket: &Socket, limited: RateLimited) {
    if !socket.tell::<event::RateLimit>(limited) {
        socket.fail(
            CloseCode::POLICY_VIOLATION,
            "too many messages",
            Cause::RateLimit,
        );
    }
}

/// The peer broke a rule: the connection is failed (RFC 6455 §7.1.7).
fn violated(socket: &Socket, violation: Violation) {
    socket.tell::<event::Error>(&Failure::Violation(violation));
    socket.fail(
        violation.close_code(),
        &violation.to_string(),
        Cause::Violation(violation),
    );
}

/// A bucket of tokens: each message takes one, and they come back evenly.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    tokens: f64,
    filled: Tick,
}

impl Bucket {
    fn new(rate: Rate, now: Tick) -> Self {
        Self {
            rate,
            tokens: f64::from(rate.messages),
            filled: now,
        }
    }

    fn take(&mut self, now: Tick) -> Result<(), RateLimited> {
        let per_token = self.rate.per.div_f64(f64::from(self.rate.messages.max(1)));
        let refill =
            self.filled.elapsed(now).as_secs_f64() / per_token.as_secs_f64().max(f64::MIN_POSITIVE);
        self.tokens = (self.tokens + refill).min(f64::from(self.rate.messages));
        self.filled = now;
        if self.tokens < 1.0 {
            return Err(RateLimited {
                retry_after: per_token.mul_f64(1.0 - self.tokens),
            });
        }
        self.tokens -= 1.0;
        Ok(())
    }
}
