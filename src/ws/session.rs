//! The reading half of a WebSocket connection: from bytes to listeners (RFC 6455 §6.2).

use super::event::{self, By, Cause, Failure, RateLimited};
use super::guard::guard;
use super::listeners::{Listeners, Running};
use super::message::Message;
use super::places::Place;
use super::settings::Rate;
use super::socket::Socket;
use crate::net::clock::Tick;
use crate::net::link::{self, Stage};
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Piece, Role, Step};
use crate::proto::violation::Violation;

/// Of a socket that middleware has not let pass yet, so many bytes are read, and a little more.
const HELD: usize = 16 * 1024;

/// The reading half of a connection, owned by the reactor and out of every listener's reach.
///
/// There is one for each connection, so it is kept small: what few need is in [`Extra`].
pub(crate) struct Session {
    socket: Socket,
    decoder: Decoder,
    extra: Option<Box<Extra>>,
    /// Dropped when the connection is gone: the place that it took.
    _place: Option<Place>,
    pinged: Tick,
}

/// What few sessions need.
struct Extra {
    opened: Tick,
    /// When the last message came, for the idle timeout.
    active: Tick,
    /// What came before middleware let the socket pass.
    held: Vec<u8>,
    bucket: Option<Bucket>,
}

impl Session {
    /// The reading half of a connection whose opening handshake is done.
    pub(crate) fn new(socket: Socket, role: Role, place: Option<Place>) -> Self {
        let now = socket.link().now();
        let settings = socket.hub().settings();
        let needs_extra = !socket.is_admitted()
            || settings.idle_timeout.is_some()
            || settings.max_lifetime.is_some()
            || settings.message_rate.is_some();
        let extra = || Extra {
            opened: now,
            active: now,
            held: Vec::new(),
            bucket: settings.message_rate.map(|rate| Bucket::new(rate, now)),
        };
        let session = Self {
            decoder: Decoder::new(role, settings.max_message_size),
            pinged: now,
            extra: needs_extra.then(|| Box::new(extra())),
            _place: place,
            socket,
        };
        if let Some(first) = session.next_deadline() {
            session.socket.link().wake_at(first);
        }
        session
    }

    /// Decodes what has come and lets the listeners hear it.
    #[inline(always)]
    fn hear_input(&mut self, input: &mut [u8], now: Tick) {
        let decoder = &mut self.decoder;
        let mut hearing = Hearing::new(&self.socket, self.extra.as_deref_mut(), now);
        let heard = guard(|| hearing.hear(decoder, input));
        if let Err(panic) = heard {
            hearing.panicked(panic);
        }
    }

    /// Keeps what comes before middleware has let the socket pass.
    #[inline(never)]
    fn hold(&mut self, input: &[u8]) {
        if let Some(extra) = &mut self.extra {
            extra.held.extend_from_slice(input);
            if extra.held.len() >= HELD {
                self.socket.link().pause();
            }
        }
    }

    /// The earliest moment at which something is to be done if nothing is heard.
    fn next_deadline(&self) -> Option<Tick> {
        let settings = self.socket.hub().settings();
        if let Some(ending) = self.socket.ending() {
            return Some(ending.deadline);
        }
        let extra = self.extra.as_deref();
        if !self.socket.is_admitted() {
            return extra.map(|extra| extra.opened.after(settings.admission_timeout));
        }
        let ping = settings.heartbeat.map(|period| self.pinged.after(period));
        let pong = settings
            .heartbeat
            .and(self.socket.unanswered().zip(settings.pong_timeout))
            .map(|(since, limit)| since.after(limit));
        let idle = extra.zip(settings.idle_timeout);
        let idle = idle.map(|(extra, limit)| extra.active.after(limit));
        let lifetime = extra.zip(settings.max_lifetime);
        let lifetime = lifetime.map(|(extra, limit)| extra.opened.after(limit));
        [ping, pong, idle, lifetime]
            .into_iter()
            .flatten()
            .reduce(Tick::earlier)
    }

    /// Does what is due.
    fn check(&mut self, now: Tick) {
        let settings = self.socket.hub().settings();
        let due = |since: Tick, limit| since.after(limit).has_come(now);
        let opened = self.extra.as_ref().map(|extra| extra.opened);
        let active = self.extra.as_ref().map(|extra| extra.active);
        if let Some(ending) = self.socket.ending() {
            if ending.deadline.has_come(now) {
                self.socket.give_up();
            }
        } else if !self.socket.is_admitted() {
            if opened.is_some_and(|opened| due(opened, settings.admission_timeout)) {
                self.socket.fail(
                    CloseCode::POLICY_VIOLATION,
                    "not admitted in time",
                    Cause::Rejected,
                );
            }
        } else if (opened.zip(settings.max_lifetime))
            .is_some_and(|(opened, limit)| due(opened, limit))
        {
            self.socket
                .begin_close(CloseCode::GOING_AWAY, "lifetime over", Cause::LifetimeOver);
        } else if (active.zip(settings.idle_timeout))
            .is_some_and(|(active, limit)| due(active, limit))
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

impl Session {
    /// Takes all of `input`.
    #[inline(always)]
    pub(crate) fn receive(&mut self, input: &mut [u8], now: Tick) {
        if !input.is_empty() {
            self.socket.hear(now);
        }
        if !self.socket.is_admitted() && self.socket.is_live() {
            return self.hold(input);
        }
        if self.extra.is_some() && !self.hear_held(now) {
            return;
        }
        self.hear_input(input, now);
    }

    /// Hears what was held. `false` if nothing more is to be heard.
    #[inline(never)]
    fn hear_held(&mut self, now: Tick) -> bool {
        let extra = self.extra.as_deref_mut();
        let mut held = extra.map_or(Vec::new(), |extra| std::mem::take(&mut extra.held));
        if held.is_empty() {
            return true;
        }
        self.hear_input(&mut held, now);
        self.socket.link().stage() <= Stage::Closing
    }

    /// Where the rest of a large message belongs, if one is under way.
    #[inline]
    pub(crate) fn window(&mut self) -> Option<&mut [u8]> {
        self.decoder.window()
    }

    /// The first `n` bytes of the [`window`](Self::window) have come.
    #[inline(never)]
    pub(crate) fn filled(&mut self, n: usize, now: Tick) {
        self.socket.hear(now);
        let decoder = &mut self.decoder;
        let mut hearing = Hearing::new(&self.socket, self.extra.as_deref_mut(), now);
        let heard = guard(|| hearing.hear_filled(decoder, n));
        if let Err(panic) = heard {
            hearing.panicked(panic);
        }
    }

    /// FIN without a close frame, unless we had begun: nobody closed, the connection is lost.
    pub(crate) fn finished(&mut self) {
        self.socket
            .record(CloseCode::ABNORMAL, "", By::Nobody, Cause::PeerGone);
        self.socket.leave_link().end(false);
    }

    /// A moment that was asked for has come; gives the next one.
    pub(crate) fn timeout(&mut self, now: Tick) -> Option<Tick> {
        self.check(now);
        self.next_deadline()
    }

    /// All that the kernel had refused is written.
    pub(crate) fn drained(&mut self, undelivered: usize) {
        self.socket.hub().counters().dropped(undelivered);
        self.socket
            .tell_guarded::<event::Drain>(event::Drained { undelivered });
    }

    /// The server shuts down.
    pub(crate) fn shutdown(&mut self) {
        self.socket.begin_close(
            CloseCode::GOING_AWAY,
            "server is shutting down",
            Cause::Shutdown,
        );
    }

    /// The connection is over.
    pub(crate) fn closed(&mut self, cause: link::Cause, undelivered: usize) {
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
    extra: Option<&'a mut Extra>,
    /// The listener for messages, if it is the only one: out of its place for the whole read, unless
    /// one of those that run meanwhile adds or removes a listener.
    listener: Option<Running<event::Message>>,
    /// Additions and removals when it was taken.
    edits: u32,
}

impl<'a> Hearing<'a> {
    #[inline]
    fn new(socket: &'a Socket, extra: Option<&'a mut Extra>, now: Tick) -> Self {
        Self {
            socket,
            now,
            extra,
            listener: None,
            edits: 0,
        }
    }

    /// Hears all of `input`.
    #[inline(always)]
    fn hear(&mut self, decoder: &mut Decoder, input: &mut [u8]) {
        let rest = self.hear_plain(decoder, input);
        if !rest.is_empty() || !decoder.is_idle() {
            self.hear_any(decoder, rest);
        }
        self.put_back();
    }

    /// Hears what was read to the decoder's window.
    fn hear_filled(&mut self, decoder: &mut Decoder, n: usize) {
        match decoder.filled(n) {
            Ok(None) => {}
            Ok(Some(piece)) => {
                self.take(piece);
                // Lets go of the message.
                self.hear_any(decoder, &mut []);
            }
            Err(violation) => violated(self.socket, violation),
        }
        self.put_back();
    }

    /// A listener has panicked: that ends the socket.
    #[cold]
    fn panicked(&mut self, panic: String) {
        // Dropping one that is not wanted any more may panic, too: that changes nothing.
        let _ = guard(|| self.put_back());
        self.socket.panicked(panic);
    }

    /// Hears frames of the most usual kind, in the shortest way, as long as there is nothing to it:
    /// the socket is open, and one listener hears them all. Gives what is left.
    #[inline(always)]
    fn hear_plain<'i>(&mut self, decoder: &mut Decoder, input: &'i mut [u8]) -> &'i mut [u8] {
        let inner = &*self.socket.0;
        let mut rest = input;
        if inner.ended.get() || self.extra.is_some() || !self.has_listener() {
            return rest;
        }
        let (counters, edits) = (inner.hub.counters(), self.edits);
        let Some(running) = &mut self.listener else {
            return rest;
        };
        while let Some(plain) = decoder.plain(rest) {
            let (frame, behind) = rest.split_at_mut(plain.end);
            let message = match decoder.open(plain, frame) {
                Ok(Piece::Text(text)) => Message::Text(text),
                Ok(Piece::Binary(bytes)) => Message::Binary(bytes),
                // The next step gives the violation again.
                Ok(_) | Err(_) => return behind,
            };
            counters.received(message.len());
            (running.callback)(self.socket, message);
            rest = behind;
            if inner.edits.get() != edits {
                self.put_back();
                break;
            }
        }
        rest
    }

    /// Hears whatever may come, until the end of the input or of all hearing.
    #[inline(never)]
    fn hear_any(&mut self, decoder: &mut Decoder, input: &mut [u8]) {
        let mut rest = input;
        while self.still_hears() {
            match decoder.step(rest) {
                Ok(Step { piece: None, .. }) => return,
                Ok(Step {
                    used,
                    piece: Some(piece),
                }) => {
                    if !self.take(piece) {
                        return;
                    }
                    rest = rest.get_mut(used..).unwrap_or_default();
                }
                Err(violation) => return violated(self.socket, violation),
            }
            rest = self.hear_plain_again(decoder, rest);
        }
    }

    #[inline(never)]
    fn hear_plain_again<'i>(
        &mut self,
        decoder: &mut Decoder,
        input: &'i mut [u8],
    ) -> &'i mut [u8] {
        self.hear_plain(decoder, input)
    }

    /// After our own close frame the peer's is still waited for.
    fn still_hears(&self) -> bool {
        !self.socket.0.ended.get() || self.socket.link().stage() <= Stage::Closing
    }

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
        self.still_hears()
    }

    /// Once the end has begun, messages are not heard any more.
    fn message(&mut self, message: Message<'_>) {
        if self.socket.0.ended.get() {
            return;
        }
        self.socket.hub().counters().received(message.len());
        if let Some(extra) = &mut self.extra {
            extra.active = self.now;
            let taken = extra.bucket.as_mut().map(|bucket| bucket.take(self.now));
            if let Some(Err(limited)) = taken {
                return too_many(self.socket, limited);
            }
        }
        self.tell(message);
    }

    fn tell(&mut self, message: Message<'_>) {
        if !self.has_listener() {
            self.socket.tell::<event::Message>(message);
            return;
        }
        if let Some(running) = &mut self.listener {
            (running.callback)(self.socket, message);
        }
        if self.edits != self.socket.0.edits.get() {
            self.put_back();
        }
    }

    /// Whether one listener hears all messages: then it is out of its place from now on.
    #[inline(always)]
    fn has_listener(&mut self) -> bool {
        let edits = self.socket.0.edits.get();
        if self.listener.is_some() && self.edits != edits {
            self.put_back();
        }
        if self.listener.is_none() {
            self.edits = edits;
            self.listener = self.socket.0.listeners(Listeners::take_only);
        }
        self.listener.is_some()
    }

    /// Puts the listener back into its place, if it is out.
    #[inline(always)]
    fn put_back(&mut self) {
        let Some(running) = self.listener.take() else {
            return;
        };
        if self.edits != self.socket.0.edits.get() {
            return self.put_back_somewhere(running);
        }
        let spare = self.socket.0.listeners(|all| all.put_back_only(running));
        debug_assert!(spare.is_none(), "its place was kept");
    }

    /// Puts a listener back although others, or itself, may have been removed meanwhile.
    #[inline(never)]
    fn put_back_somewhere(&self, running: Running<event::Message>) {
        let spare = self.socket.0.listeners(|all| all.put_back(running));
        drop(spare);
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
#[cold]
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
