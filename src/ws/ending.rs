//! A socket from the library's side: how it comes to its end.
//!
//! ```text
//! close()            ─▶ our close frame, then wait for the peer's  ─┐
//! the peer's frame   ─▶ answer it                                  ─┼▶ disconnect ─▶ closed()
//! violation, panic … ─▶ our close frame, hear nothing more         ─┤
//! terminate, FIN, error of the stream                              ─┘
//! ```
//!
//! Whoever begins is recorded first, and only the first counts: that is what listeners are told.

use std::any::Any;
use std::rc::Rc;

use super::event::{self, By, Cause, Closed, Failure};
use super::frames::{control, send};
use super::guard::guard;
use super::journal::Entry;
use super::message::Message;
use super::socket::Socket;
use super::status::SendStatus;
use super::watchdog::Call;
use crate::net::clock::Tick;
use crate::net::link::{Link, Sent, Stage};
use crate::net::slab::Key;
use crate::proto::close::CloseCode;
use crate::proto::encoder;
use crate::proto::frame::Opcode;

/// Who began the end, and how.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) code: CloseCode,
    pub(super) reason: Box<str>,
    pub(super) by: By,
    pub(super) cause: Cause,
    /// When the peer's answer is no longer waited for.
    pub(super) deadline: Tick,
    /// It was not waited for any longer.
    pub(super) is_overdue: bool,
}

impl Ending {
    /// The cause as listeners are told of it.
    fn told(&self) -> Cause {
        match self.is_overdue {
            true => Cause::CloseTimeout,
            false => self.cause,
        }
    }
}

impl Socket {
    pub(super) fn key(&self) -> Key {
        self.0.key
    }

    #[inline]
    pub(crate) fn link(&self) -> Link<'_> {
        self.0.hub.link(self.0.key)
    }

    /// The link, to shut, end or kill it: from now on no messages are heard.
    pub(super) fn leave_link(&self) -> Link<'_> {
        self.0.ended.set(true);
        self.edited();
        self.link()
    }

    /// Whether the hub has it: from the end of all middleware to the end of the connection.
    pub(super) fn is_known(&self) -> bool {
        self.0.hub.socket(self.id()).is_some()
    }

    #[inline(never)]
    pub(super) fn send_any(&self, message: Message<'_>) -> SendStatus {
        self.sent(send(self.link(), message), message.len())
    }

    pub(super) fn sent(&self, sent: Sent, bytes: usize) -> SendStatus {
        let status = match sent {
            Sent::Queued => SendStatus::Queued,
            Sent::Backpressure => SendStatus::Backpressure,
            Sent::Dropped => SendStatus::Dropped,
            Sent::Closed => SendStatus::Closed,
            Sent::Overflow => {
                self.overflow();
                SendStatus::Closed
            }
        };
        self.0.hub.counters().sent(status, bytes);
        status
    }

    /// Too much waits for the peer, and the policy is to close: with 1013, ahead of what waits.
    pub(super) fn overflow(&self) {
        self.link().drop_waiting();
        self.fail(
            CloseCode::TRY_AGAIN_LATER,
            "slow consumer",
            Cause::SlowConsumer,
        );
    }

    /// The peer gave a sign of life.
    pub(super) fn hear(&self, now: Tick) {
        self.0.heard.set(now);
        self.0.pinged.set(false);
    }

    /// No sign of life is expected of a peer that is not listened to.
    pub(super) fn excuse(&self) {
        self.0.pinged.set(false);
    }

    /// Sends a ping of the heartbeat. One that is not written yet is enough: for who does not read they
    /// would pile up.
    pub(super) fn heartbeat(&self, now: Tick) {
        let link = self.link();
        // Before any is unanswered what waits is a pong, unless it was excused.
        if (self.0.pinged.get() || link.is_stalled()) && link.has_control_waiting() {
            return;
        }
        let is_sent = link.send_control(true, control(Opcode::Ping, &[]));
        if is_sent && !self.0.pinged.replace(true) {
            self.0.unanswered.set(now);
        }
    }

    /// When the first ping was sent that the peer has not answered.
    pub(super) fn unanswered(&self) -> Option<Tick> {
        self.0.pinged.get().then(|| self.0.unanswered.get())
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.0
            .look(|rare| rare.ending.as_deref().cloned())
            .flatten()
    }

    /// Whether the application of this side has ended it, and whatever became of that.
    pub(crate) fn is_ended_on_purpose(&self) -> bool {
        self.ending().is_some_and(|ending| {
            let on_purpose = matches!(
                ending.cause,
                Cause::Requested | Cause::Terminated | Cause::Shutdown
            );
            ending.by == By::Us && on_purpose
        })
    }

    /// Remembers who began the end, and how. Only the first counts.
    pub(super) fn record(&self, code: CloseCode, reason: &str, by: By, cause: Cause) {
        let deadline = self.link().now().after(self.0.hub.settings().close_timeout);
        if self.link().stage() == Stage::Dead {
            return;
        }
        let ending = || Ending {
            code,
            reason: reason.into(),
            by,
            cause,
            deadline,
            is_overdue: false,
        };
        self.0.change(|rare| {
            rare.ending.get_or_insert_with(|| Box::new(ending()));
        });
    }

    /// The peer has not answered our close frame in time. It may still be busy with what is before that.
    pub(super) fn give_up_or_wait(&self, now: Tick) {
        let still_reads = self.link().still_reads();
        let deadline = now.after(self.0.hub.settings().close_timeout);
        self.0.look(|rare| match &mut rare.ending {
            Some(ending) if still_reads => ending.deadline = deadline,
            Some(ending) => ending.is_overdue = true,
            None => {}
        });
        if !still_reads {
            self.leave_link().kill();
        }
    }

    /// Sends our close frame and waits for the peer's (RFC 6455 §7.1.2).
    pub(super) fn begin_close(&self, code: CloseCode, reason: &str, cause: Cause) {
        if self.send_close(code, reason, By::Us, cause) {
            self.leave_link().shut();
            // The answer is to be heard, even if middleware has not let the socket pass yet.
            if !self.is_admitted() {
                self.link().resume();
            }
            let deadline = self.ending().map(|ending| ending.deadline);
            deadline
                .into_iter()
                .for_each(|deadline| self.link().wake_at(deadline));
        }
    }

    /// Fails the connection (RFC 6455 §7.1.7): sends a close frame and hears nothing more.
    pub(super) fn fail(&self, code: CloseCode, reason: &str, cause: Cause) {
        self.send_close(code, reason, By::Us, cause);
        self.leave_link().end(true);
    }

    /// Sends our close frame to a peer that seems dead, and disconnects without waiting for it.
    pub(super) fn cut(&self, code: CloseCode, reason: &str, cause: Cause) {
        self.send_close(code, reason, By::Us, cause);
        if self.link().backlog() > 0 {
            self.leave_link().kill();
        } else {
            self.leave_link().end(false);
        }
    }

    /// The stream failed.
    pub(super) fn lost(&self, kind: std::io::ErrorKind) {
        self.tell_guarded::<event::Error>(&Failure::Io(kind));
        let deadline = self.link().now();
        let ending = Ending {
            code: CloseCode::ABNORMAL,
            reason: "".into(),
            by: By::Nobody,
            cause: Cause::Io(kind),
            deadline,
            is_overdue: false,
        };
        self.0.change(|rare| {
            rare.ending.get_or_insert(Box::new(ending));
        });
    }

    /// Answers a ping (RFC 6455 §5.5.3).
    pub(super) fn pong(&self, payload: &[u8]) {
        self.link()
            .send_control(true, control(Opcode::Pong, payload));
    }

    /// Answers the peer's close frame (RFC 6455 §5.5.1), if it began, and disconnects.
    pub(super) fn answer_close(&self, code: CloseCode, reason: &str) {
        if self.link().is_open() {
            self.record(code, reason, By::Peer, Cause::Requested);
            self.send_close_frame(code.echo(), "");
        }
        let waits_for_fin = self.link().is_veiled();
        self.leave_link().end(waits_for_fin);
    }

    /// A listener of this socket panicked.
    pub(crate) fn panicked(&self, message: String) {
        self.0.hub.report(Some(self.id()), &message);
        let failure = Failure::Panic(message);
        // A second panic is reported, and changes nothing more.
        if let Err(again) = guard(|| self.tell::<event::Error>(&failure)) {
            self.0.hub.report(Some(self.id()), &again);
        }
        self.fail(CloseCode::INTERNAL_ERROR, "", Cause::Panic);
    }

    fn send_close(&self, code: CloseCode, reason: &str, by: By, cause: Cause) -> bool {
        if !self.link().is_open() {
            return false;
        }
        self.record(code, reason, by, cause);
        self.send_close_frame(code, reason)
    }

    fn send_close_frame(&self, code: CloseCode, reason: &str) -> bool {
        let (payload, len) = encoder::close_payload(code, reason);
        let payload = payload.get(..len).unwrap_or_default();
        self.link()
            .send_control(false, control(Opcode::Close, payload))
    }

    /// Whether it may still become open, or is.
    pub(crate) fn is_live(&self) -> bool {
        self.link().is_open()
    }

    /// Keeps a value that came from elsewhere.
    pub(crate) fn set_boxed(&self, value: Box<dyn Any>) {
        self.set_any(value.into());
    }

    pub(super) fn set_any(&self, value: Rc<dyn Any>) {
        let old = self.0.change(|rare| rare.data.insert(value));
        drop(old);
    }

    /// A middleware does not let it pass. A code that may not be sent counts as 1008.
    pub(crate) fn reject(&self, code: CloseCode, reason: &str) {
        let code = if code.is_sendable() {
            code
        } else {
            CloseCode::POLICY_VIOLATION
        };
        self.begin_close(code, reason, Cause::Rejected);
    }

    /// All middleware has let it pass.
    pub(crate) fn admit(&self) {
        if !self.0.admitted.replace(true) {
            self.0.hub.admit(self);
            self.0.hub.note(Entry::Opened(self));
        }
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.0.admitted.get()
    }

    /// Runs `then` when the connection is gone and all listeners have heard of it.
    pub(crate) fn afterwards(&self, then: impl FnOnce(&Socket, &Closed<'_>) + 'static) {
        self.0.change(|rare| {
            rare.more.get_or_insert_default().afterwards = Some(Box::new(then));
        });
    }

    /// The connection is gone: leaves everything, tells the listeners, and lets go of them and of the
    /// data, and so of any cycle through this socket.
    pub(super) fn closed(&self, undelivered: usize) {
        let left = self.0.hub.forget(self);
        if !left.is_empty() {
            self.0
                .change(|rare| rare.more.get_or_insert_default().left = left);
        }
        let ending = self.ending();
        let (code, reason, by, cause) = match &ending {
            Some(ending) => (ending.code, &*ending.reason, ending.by, ending.told()),
            // Neither side ended it: the server is dropped.
            None => (CloseCode::ABNORMAL, "", By::Us, Cause::Shutdown),
        };
        let closed = Closed {
            code,
            reason,
            by,
            cause,
            undelivered,
        };
        self.count_end(closed);
        self.tell_end(closed);
        self.0.deaf.set(true);
        let listeners = self.0.listeners(std::mem::take);
        let data = self.0.look(|rare| std::mem::take(&mut rare.data));
        let call = || Call::for_socket("what a socket held", self);
        let dropped = self.0.hub.run(call, || drop((listeners, data)));
        dropped
            .err()
            .iter()
            .for_each(|panic| self.0.hub.report(Some(self.id()), panic));
        let afterwards = self.0.look(|rare| rare.more.as_mut()?.afterwards.take());
        if let Some(then) = afterwards.flatten() {
            then(self, &closed);
        }
    }
}
