//! Custom events without the feature `json`: there are none, and every message is a message.

use super::event;
use super::message::Message;
use super::socket::Socket;

/// A listener for a custom event: there is none.
#[allow(
    missing_debug_implementations,
    missing_docs,
    reason = "only the sealed trait names it"
)]
pub enum Custom {}

impl Custom {
    pub(super) fn marks(&self) -> (u32, bool) {
        match *self {}
    }
}

impl Socket {
    /// Runs the listeners for a message.
    #[inline(always)]
    pub(super) fn tell_message(&self, message: Message<'_>) {
        self.tell::<event::Message>(message);
    }
}
