//! A connection before it speaks WebSocket: HTTP requests, one after the other (RFC 9112).
//!
//! ```text
//!         head              body                 answered
//! Head ─────────▶ Body ─────────────▶ answer ──────────────▶ Head  (keep-alive)
//!   │    upgrade       │ another thread │ close, or a bad request
//!   │                  │ answers        └──────────────────▶ Done
//!   │                  └──▶ Waiting ──▶ answer
//!   └────────────▶ becomes a Session, after Waiting if another thread decides
//! ```

use std::net::SocketAddr;
use std::rc::Rc;

use super::core::Core;
use super::exchange::{self, Answer, Reply};
use super::gate;
use super::options::MAX_HEAD_FIELDS;
use super::upgrade::{self, Upgrade};
use super::waiting::{Awaited, Come};
use crate::http::{BadRequest, BodyReader, Framing, Head, HeadParser, Limits, Refusal, Response};
use crate::net::clock::Tick;
use crate::net::link::Link;
use crate::net::slab::Key;
use crate::proto::handshake;
use crate::ws::journal::Level;
use crate::ws::session::Session;

/// Answers of this many bytes in one go are enough: what was pipelined behind them waits until they
/// are written, so that a peer that asks and does not read costs no memory.
const BURST: usize = 64 * 1024;

/// A connection before it speaks WebSocket.
pub(super) struct Opening {
    core: Rc<Core>,
    key: Key,
    peer: Option<SocketAddr>,
    state: State,
    /// When this request began: accepting the connection, or its first byte.
    began: Tick,
    /// When the last request was answered.
    answered: Option<Tick>,
    /// Bytes of answers since all was last known to be written.
    burst: usize,
    /// What was pipelined behind a burst.
    held: Vec<u8>,
    /// What the peer had not read when this was last looked at.
    backlog: usize,
    /// The path of the request under way, if refusals are noted.
    path: Option<Box<str>>,
}

enum State {
    Head(HeadParser),
    Body {
        head: Head,
        reader: BodyReader,
        body: Vec<u8>,
    },
    Waiting(Awaited, Answer),
    Done,
}

/// What comes after a step.
enum Flow {
    /// The input is used up to there.
    Used(usize),
    /// All of it is, and more is needed.
    More,
    Become(Session, usize),
}

impl Opening {
    pub(super) fn new(core: Rc<Core>, key: Key, peer: Option<SocketAddr>) -> Self {
        let link = core.hub.link(key);
        let began = link.now();
        link.wake_at(began.after(core.options.handshake_timeout));
        let state = State::Head(HeadParser::new(limits(&core)));
        Self {
            core,
            key,
            peer,
            state,
            began,
            answered: None,
            burst: 0,
            held: Vec::new(),
            backlog: 0,
            path: None,
        }
    }

    fn link(&self) -> Link<'_> {
        self.core.hub.link(self.key)
    }

    /// Takes one step: a head, or a body.
    fn step(&mut self, input: &[u8], now: Tick) -> Flow {
        let step = match &mut self.state {
            State::Head(parser) => {
                if !parser.has_begun() && self.answered.is_some() {
                    self.began = now;
                    self.core
                        .hub
                        .link(self.key)
                        .wake_at(now.after(self.core.options.handshake_timeout));
                }
                let pushed = parser.push(input);
                pushed.map(|progress| match progress.head {
                    Some(head) => self.head(head, progress.used),
                    None => Flow::More,
                })
            }
            State::Body { reader, body, .. } => {
                let pushed = reader.push(input, body);
                pushed.map(|progress| {
                    if progress.done {
                        self.body(progress.used)
                    } else {
                        Flow::More
                    }
                })
            }
            State::Waiting(..) | State::Done => return Flow::More,
        };
        step.unwrap_or_else(|bad| self.refuse(bad))
    }

    /// Answers whoever is not admitted before it has said a word: then nothing is waited for.
    pub(super) fn turn_away(&mut self, response: &Response) {
        self.answer(response, Answer::last());
    }

    /// Memory that is kept for what has come in part, in bytes.
    pub(super) fn memory(&self) -> usize {
        let of_state = match &self.state {
            State::Head(parser) => parser.held(),
            State::Body { body, .. } => body.capacity(),
            State::Waiting(..) | State::Done => 0,
        };
        of_state + self.held.capacity()
    }

    /// Too much waits for the peer: an answer cannot be given in part.
    pub(super) fn overflowed(&self) {
        self.link().kill();
    }

    /// A whole head has come.
    fn head(&mut self, head: Head, used: usize) -> Flow {
        let is_noted = self.core.hub.is_noted(Level::Info);
        self.path = is_noted.then(|| head.path().into());
        let Core { gate, proxies, .. } = &*self.core;
        if !gate.admits_client(&head, self.peer, proxies) {
            self.answer(&gate::forbidden(), Answer::last().to(&head));
            return Flow::More;
        }
        if handshake::wants_websocket(&head) {
            let how = Answer::last().to(&head);
            let awaited = match upgrade::upgrade(&self.core, self.key, self.peer, head) {
                Ok(Upgrade::Open(session)) => return Flow::Become(session, used),
                Ok(Upgrade::Undecided(candidate, later)) => Awaited::Verdict(candidate, later),
                Ok(Upgrade::Unanswered(pending)) => Awaited::Answer(pending),
                Err(response) => {
                    self.answer(&response, how);
                    return Flow::More;
                }
            };
            self.state = State::Waiting(awaited, how);
            return Flow::Used(used);
        }
        let has_body = !matches!(head.framing(), Framing::None | Framing::Length(0));
        // A body that nobody wants is not waited for: the answer is the last.
        if has_body && !exchange::has_handler(&self.core, &head) {
            self.respond(head, Vec::new(), false);
            return Flow::Used(used);
        }
        let mut reader = BodyReader::new(head.framing(), self.core.options.max_body_size);
        let mut body = Vec::new();
        let begun = reader.push(&[], &mut body);
        let is_waited_for = head.expects_continue();
        self.state = State::Body { head, reader, body };
        match begun {
            Err(bad) => return self.refuse(bad),
            Ok(progress) if progress.done => return self.body(used),
            Ok(_) if is_waited_for => {
                self.link()
                    .send_raw(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
            }
            Ok(_) => {}
        }
        Flow::Used(used)
    }

    /// A whole request has come, with its body.
    fn body(&mut self, used: usize) -> Flow {
        let next = State::Head(HeadParser::new(limits(&self.core)));
        let State::Body { head, body, .. } = std::mem::replace(&mut self.state, next) else {
            return Flow::More;
        };
        let keep_alive = head.keep_alive();
        self.respond(head, body, keep_alive);
        Flow::Used(used)
    }

    /// Has the application answer, now or later.
    fn respond(&mut self, head: Head, body: Vec<u8>, keep_alive: bool) {
        let how = Answer::keep(keep_alive).to(&head);
        match exchange::respond(&self.core, self.key, self.peer, head, body) {
            Reply::Now(response) => self.answer(&response, how),
            Reply::Later(pending) => self.state = State::Waiting(Awaited::Answer(pending), how),
        }
    }

    /// Looks whether another thread has answered, and goes on if so: with a session if that was the
    /// verdict.
    fn look(&mut self) -> Option<Session> {
        let (awaited, how) = match std::mem::replace(&mut self.state, State::Done) {
            State::Waiting(awaited, how) => (awaited, how),
            other => {
                self.state = other;
                return None;
            }
        };
        match awaited.look(&self.core, self.key) {
            Come::Session(session) => return Some(session),
            Come::Nothing(awaited) => self.state = State::Waiting(awaited, how),
            Come::Answer(response) => {
                self.state = State::Head(HeadParser::new(limits(&self.core)));
                self.answer(&response, how);
            }
        }
        None
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(..))
    }

    /// The request cannot be understood: says why, and hears nothing more.
    fn refuse(&mut self, bad: BadRequest) -> Flow {
        self.answer(&bad.answer(), self.last_answer());
        Flow::More
    }

    /// How to answer the request under way for the last time, as far as its head is known.
    fn last_answer(&self) -> Answer {
        match &self.state {
            State::Body { head, .. } => Answer::last().to(head),
            State::Waiting(_, how) => how.and_last(),
            State::Head(_) | State::Done => Answer::last(),
        }
    }

    fn answer(&mut self, response: &Response, mut how: Answer) {
        how.keep_alive &= !self.core.closing.get();
        let path = self.path.take();
        let bytes = exchange::write(&self.core, response, how, self.peer, path.as_deref());
        self.burst += bytes.len();
        self.link().send_raw(bytes);
        let now = self.link().now();
        self.answered = Some(now);
        if how.keep_alive {
            self.link()
                .wake_at(now.after(self.core.options.keep_alive_timeout));
        } else {
            self.state = State::Done;
            self.link().end(true);
        }
    }

    /// Keeps what was pipelined until the answers so far are written, or the answer has come that
    /// another thread gives.
    fn hold(&mut self, input: &[u8]) {
        self.held = input.to_vec();
        self.link().pause();
        if !self.is_waiting() {
            self.link().tell_when_written();
        }
    }

    /// Whether no request is under way.
    fn is_idle(&self) -> bool {
        matches!(&self.state, State::Head(parser) if !parser.has_begun()) && self.held.is_empty()
    }

    fn deadline(&self) -> Tick {
        let options = &self.core.options;
        match self.answered {
            Some(answered) if self.is_idle() => answered.after(options.keep_alive_timeout),
            _ => self.began.after(options.handshake_timeout),
        }
    }

    /// Whether the peer is still reading answers, if slowly.
    fn is_reading(&mut self) -> bool {
        let unwritten = self.link().unwritten();
        let before = std::mem::replace(&mut self.backlog, unwritten);
        self.backlog > 0 && self.backlog != before
    }
}

fn limits(core: &Core) -> Limits {
    Limits {
        max_head: core.options.max_head_size,
        max_fields: MAX_HEAD_FIELDS,
    }
}

impl Opening {
    /// Takes all of `input`; or it ends in an upgrade: then the session, and how much was used.
    pub(super) fn receive(&mut self, input: &mut [u8], now: Tick) -> Option<(Session, usize)> {
        let opened = self.look();
        let mut held = std::mem::take(&mut self.held);
        let came = input.len();
        let was_held = !held.is_empty() || opened.is_some();
        if was_held {
            held.extend_from_slice(input);
        }
        // What was held may become frames, which are decoded in place: so it is input, too.
        let input = if was_held { &mut held } else { input };
        if let Some(mut session) = opened {
            session.receive(input, now);
            return Some((session, came));
        }
        let mut at = 0;
        while let Some(rest) = input.get(at..) {
            if self.is_waiting() || self.burst > BURST && !rest.is_empty() {
                self.hold(rest);
                break;
            }
            if rest.is_empty() {
                break;
            }
            match self.step(rest, now) {
                Flow::Used(used) => at += used,
                Flow::More => break,
                Flow::Become(session, used) if !was_held => return Some((session, at + used)),
                Flow::Become(mut session, used) => {
                    session.receive(input.get_mut(at + used..).unwrap_or_default(), now);
                    return Some((session, came));
                }
            }
        }
        None
    }

    /// The peer may still read the answer to what it has asked, but it asks nothing more.
    pub(super) fn finished(&mut self) {
        self.link().end(false);
    }

    /// A moment that was asked for has come; gives the next one.
    pub(super) fn timeout(&mut self, now: Tick) -> Option<Tick> {
        if !self.deadline().has_come(now) {
            return Some(self.deadline());
        }
        if self.is_reading() {
            return Some(now.after(self.core.options.keep_alive_timeout));
        }
        let late = match &self.state {
            State::Waiting(awaited, _) => awaited.too_late(),
            _ if self.is_idle() => {
                self.link().end(false);
                None
            }
            _ => Some(
                Response::text("the request took too long\n")
                    .with_status(408)
                    .because(Refusal::TimeOut),
            ),
        };
        if let Some(response) = late {
            self.answer(&response, self.last_answer());
        }
        None
    }

    /// All answers so far are written.
    pub(super) fn drained(&mut self) {
        self.burst = 0;
        self.link().resume();
    }

    /// The server shuts down.
    pub(super) fn shutdown(&mut self) {
        if self.is_idle() {
            self.link().end(false);
        }
    }
}
