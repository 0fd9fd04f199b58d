//! The client's side of an opening handshake, from the first SYN to the session (RFC 6455 §4.1).
//!
//! ```text
//!            written            101
//! connecting ───────▶ asking ─────────▶ becomes a Session
//!     │ error, too late  │ another status
//!     ▼                  ▼
//! next address        the refusal's body ─▶ Refused
//! ```

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;

use super::attempts::Attempts;
use super::error::{Answer, ConnectError};
use super::keys;
use super::refusal::Refusal;
use crate::http::{Limits, ResponseHead, ResponseParser};
use crate::net::clock::Tick;
use crate::net::link::{Cause, Link};
use crate::net::slab::Key;
use crate::proto::decoder::Role;
use crate::proto::handshake;
use crate::ws::data::TypeMap;
use crate::ws::dialing::Dialing;
use crate::ws::session::Session;
use crate::ws::socket::Origin;

/// What an answer's head may have: as much as a request's by default.
const LIMITS: Limits = Limits {
    max_head: 16 * 1024,
    max_fields: 100,
};

/// A connection on its way to a session.
pub(super) struct Opening {
    attempts: Rc<Attempts>,
    key: Key,
    address: SocketAddr,
    /// Where else to try if nobody answers here.
    others: VecDeque<SocketAddr>,
    /// The request's `Sec-WebSocket-Key`.
    nonce: String,
    deadline: Tick,
    is_connected: bool,
    parser: ResponseParser,
    refusal: Option<Refusal>,
    /// Why it is given up.
    failure: Option<ConnectError>,
}

impl Opening {
    /// Sends the request as soon as the stream is connected.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub(super) fn new(
        attempts: &Rc<Attempts>,
        key: Key,
        address: SocketAddr,
        others: VecDeque<SocketAddr>,
    ) -> Result<Self, ConnectError> {
        let nonce = handshake::request_key(keys::take()?);
        let mut request = Vec::new();
        let (url, options) = (&attempts.url, &attempts.options);
        let headers = options.headers.iter();
        let headers = headers.map(|(name, value)| (&**name, &**value));
        let protocols = &options.subprotocols;
        handshake::write_request(
            &mut request,
            &url.authority,
            &url.target,
            &nonce,
            protocols,
            headers,
        );
        let link = attempts.hub.link(key);
        let deadline = link.now().after(options.connect_timeout);
        link.send_raw(request);
        link.tell_when_written();
        link.wake_at(deadline);
        Ok(Self {
            attempts: Rc::clone(attempts),
            key,
            address,
            others,
            nonce,
            deadline,
            is_connected: false,
            parser: ResponseParser::new(LIMITS),
            refusal: None,
            failure: None,
        })
    }

    fn link(&self) -> Link<'_> {
        self.attempts.hub.link(self.key)
    }

    /// Gives up. It is told when the connection is over, which is next.
    fn fail(&mut self, error: ConnectError) {
        self.failure.get_or_insert(error);
        self.link().kill();
    }

    /// Takes the head of the answer, or more of a refusal's body. `None` when all of `input` is used.
    fn step(&mut self, input: &[u8]) -> Option<(usize, ResponseHead)> {
        let mut at = 0;
        loop {
            let rest = input.get(at..)?;
            if let Some(refusal) = &mut self.refusal {
                if refusal.take(rest) {
                    self.refused();
                }
                return None;
            }
            let progress = match self.parser.push(rest) {
                Ok(progress) => progress,
                Err(bad) => {
                    self.fail(ConnectError::Violation(format!("no HTTP: {bad}")));
                    return None;
                }
            };
            let head = progress.head?;
            at += progress.used;
            match head.status() {
                101 => return Some((at, head)),
                // Something interim; the answer follows (RFC 9110 §15.2).
                100..=199 => self.parser = ResponseParser::new(LIMITS),
                _ => self.refusal = Some(Refusal::new(&head)),
            }
        }
    }

    fn refused(&mut self) {
        if let Some(refusal) = self.refusal.take() {
            self.fail(ConnectError::Refused(refusal.answer()));
        }
    }

    /// The server has agreed: here is the socket, and the application's handler runs.
    fn open(&mut self, head: &ResponseHead) -> Option<Session> {
        let offered = &self.attempts.options.subprotocols;
        let protocol = match handshake::check_response(head, &self.nonce, offered) {
            Ok(protocol) => protocol,
            Err(error) => {
                self.fail(ConnectError::Violation(error.to_string()));
                return None;
            }
        };
        let hub = &self.attempts.hub;
        let origin = Origin {
            url: self.attempts.url.target.as_str().into(),
            peer: Some(self.address),
            protocol: protocol.map(Into::into),
            data: TypeMap::default(),
        };
        self.link().veil();
        let socket = hub.open(self.key, origin);
        socket.admit();
        self.attempts.opened(&socket, &Answer::of(head));
        Some(Session::new(socket, Role::Client, None))
    }
}

impl Dialing for Opening {
    fn receive(&mut self, input: &mut [u8], _now: Tick) -> Option<(Session, usize)> {
        if self.failure.is_some() {
            return None;
        }
        let (used, head) = self.step(input)?;
        self.open(&head).map(|session| (session, used))
    }

    fn connected(&mut self) {
        if !std::mem::replace(&mut self.is_connected, true) {
            let limit = self.attempts.options.handshake_timeout;
            self.deadline = self.link().now().after(limit);
            self.link().wake_at(self.deadline);
        }
    }

    fn finished(&mut self) {
        // A body may end with the connection.
        self.refused();
        let broken = self.link().broken();
        self.fail(broken.unwrap_or(ErrorKind::UnexpectedEof).into());
    }

    fn timeout(&mut self, now: Tick) -> Option<Tick> {
        if !self.deadline.has_come(now) {
            return Some(self.deadline);
        }
        self.refused();
        self.fail(ConnectError::TimedOut);
        None
    }

    fn closed(&mut self, cause: Cause) {
        let error = self.failure.take().unwrap_or_else(|| match cause {
            Cause::Io(kind) => kind.into(),
            Cause::Ended | Cause::Cut => ErrorKind::ConnectionAborted.into(),
        });
        let others = std::mem::take(&mut self.others);
        if self.is_connected {
            self.attempts.failed(error);
        } else {
            self.attempts.try_next(others, error);
        }
    }
}
