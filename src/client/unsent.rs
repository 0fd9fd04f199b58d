//! Messages that were accepted while there is no socket, within a limit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::ws::message::{Message, OwnedMessage};

/// Messages for when there is a socket.
#[derive(Default)]
pub(super) struct Unsent {
    messages: RefCell<VecDeque<OwnedMessage>>,
    bytes: Cell<usize>,
}

impl Unsent {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.messages.borrow().len()
    }

    /// Keeps one more, if all together have at most `max` bytes. Whether it did.
    pub(super) fn keep(&self, message: Message<'_>, max: usize) -> bool {
        let bytes = self.bytes.get().saturating_add(message.len());
        if bytes > max {
            return false;
        }
        self.bytes.set(bytes);
        self.messages.borrow_mut().push_back(message.into());
        true
    }

    /// Hands them to `send`, the oldest first, until it does not accept one: that one is kept.
    pub(super) fn pour(&self, mut send: impl FnMut(&OwnedMessage) -> bool) {
        loop {
            let next = self.messages.borrow_mut().pop_front();
            let Some(message) = next else { return };
            if !send(&message) {
                return self.messages.borrow_mut().push_front(message);
            }
            let left = self.bytes.get();
            let len = Message::from(&message).len();
            self.bytes.set(left.saturating_sub(len));
        }
    }

    /// Gives up all of them; returns how many they were.
    pub(super) fn forget(&self) -> usize {
        self.bytes.set(0);
        self.messages.take().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_kept_up_to_the_limit_and_leave_in_order() {
        let unsent = Unsent::default();
        let kept = ["ab", "cd", "e", "f"].map(|text| unsent.keep(text.into(), 5));
        assert_eq!(kept, [true, true, true, false]);
        let mut sent = Vec::new();
        unsent.pour(|message| {
            sent.push(message.clone());
            sent.len() < 3
        });
        let texts = ["ab", "cd", "e"].map(|text| OwnedMessage::Text(text.into()));
        assert_eq!(sent, texts);
        // The third was not accepted, and is still there.
        assert_eq!((unsent.len(), unsent.bytes.get()), (1, 1));
        assert!(unsent.keep("ghij".into(), 5) && !unsent.keep("k".into(), 5));
        assert_eq!((unsent.forget(), unsent.len()), (2, 0));
        assert!(unsent.keep("abcde".into(), 5));
    }
}
