//! One read of a connection on its way to the listeners (RFC 6455 §6.2). The session makes one for
//! each read.
//!
//! A listener that hears all messages is out of its place for the whole read, so that a message costs
//! one call and little else. Whatever may change that is counted in the socket's `edits`.

use super::event::{self, Cause, Failure, Limit, RateLimited};
use super::guard::guard;
use super::listeners::{Listeners, Running};
use super::message::Message;
use super::session::Extra;
use super::socket::Socket;
use crate::net::clock::Tick;
use crate::net::link::Stage;
use crate::proto::close::CloseCode;
use crate::proto::decoder::{Decoder, Piece, Step};
use crate::proto::violation::Violation;

/// One read, on its way to the listeners.
pub(super) struct Hearing<'a> {
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
    pub(super) fn new(socket: &'a Socket, extra: Option<&'a mut Extra>, now: Tick) -> Self {
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
    pub(super) fn hear(&mut self, decoder: &mut Decoder, input: &mut [u8]) {
        let rest = self.hear_plain(decoder, input);
        if !rest.is_empty() || !decoder.is_idle() {
            self.hear_any(decoder, rest);
        }
        self.put_back();
    }

    /// Hears what was read to the decoder's window.
    pub(super) fn hear_filled(&mut self, decoder: &mut Decoder, n: usize) {
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
    pub(super) fn panicked(&mut self, panic: String) {
        // Dropping one that is not wanted any more may panic, too: that changes nothing.
        let _ = guard(|| self.put_back());
        self.socket.panicked(panic);
    }

    /// Hears frames of the most usual kind, in the shortest way, as long as there is nothing to it:
    /// the socket is open, one listener hears them all, and none is watched. Gives what is left.
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
    fn hear_plain_again<'i>(&mut self, decoder: &mut Decoder, input: &'i mut [u8]) -> &'i mut [u8] {
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
            let allowance = extra.allowance.as_mut();
            let taken = allowance.map(|allowance| allowance.take(message.len(), self.now));
            if let Some(Err(limited)) = taken {
                return too_many(self.socket, limited);
            }
        }
        self.tell(message);
    }

    fn tell(&mut self, message: Message<'_>) {
        if !self.has_listener() {
            self.socket.tell_message(message);
            return;
        }
        if let Some(running) = &mut self.listener {
            let _watched = self.socket.watch::<event::Message>(message);
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
        let reason = match limited.limit {
            Limit::Messages => "too many messages",
            Limit::Bytes => "too many bytes",
        };
        socket.fail(CloseCode::POLICY_VIOLATION, reason, Cause::RateLimit);
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
