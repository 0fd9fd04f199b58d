//! The reading half of a WebSocket connection: from bytes to listeners (RFC 6455 §6.2).

use super::allowance::Allowance;
use super::event::{self, By, Cause};
use super::guard::guard;
use super::hearing::Hearing;
use super::places::Place;
use super::settings::Settings;
use super::socket::Socket;
use crate::net::clock::Tick;
use crate::net::link::{self, Stage};
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Role};

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
pub(super) struct Extra {
    opened: Tick,
    /// When the last message came, for the idle timeout.
    pub(super) active: Tick,
    /// What came before middleware let the socket pass.
    held: Vec<u8>,
    pub(super) allowance: Option<Allowance>,
}

impl Extra {
    /// Whether a session needs it when middleware has let the socket pass. One that is watched does, so
    /// that its messages do not take the shortest way, on which nobody asks.
    fn is_needed(settings: &Settings) -> bool {
        settings.idle_timeout.is_some()
            || settings.slow_listener.is_some()
            || settings.max_lifetime.is_some()
            || Allowance::is_limited(settings)
    }
}

impl Session {
    /// The reading half of a connection whose opening handshake is done.
    pub(crate) fn new(socket: Socket, role: Role, place: Option<Place>) -> Self {
        let now = socket.link().now();
        let settings = socket.hub().settings();
        let needs_extra = !socket.is_admitted() || Extra::is_needed(settings);
        let extra = || Extra {
            opened: now,
            active: now,
            held: Vec::new(),
            allowance: Allowance::is_limited(settings).then(|| Allowance::new(settings, now)),
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
                self.socket.give_up_or_wait(now);
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
        if !Extra::is_needed(self.socket.hub().settings()) {
            self.extra = None;
        }
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

    /// Memory that is kept for what has come in part, in bytes.
    pub(crate) fn held(&self) -> usize {
        let held = self.extra.as_ref().map_or(0, |extra| extra.held.capacity());
        held + self.decoder.buffered()
    }

    /// Too much waits for the peer, or for all together.
    pub(crate) fn overflowed(&mut self) {
        self.socket.overflow();
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
