//! What becomes of messages that may not travel as they are: a client's, which it masks (RFC 6455
//! §5.3). The layers above know how; here is where it happens, at the last moment, so that one
//! message for many is still encoded once.

use std::fmt;

/// Rewrites one message as it is to travel. `None` if that cannot be done.
pub(crate) type Cover = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>>>;

/// How the messages of veiled links are rewritten.
#[derive(Default)]
pub(super) struct Veil(Option<Cover>);

impl Veil {
    pub(super) fn set(&mut self, cover: Cover) {
        self.0 = Some(cover);
    }

    /// The message as it is to travel.
    pub(super) fn cover(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.0.as_mut()?(message)
    }
}

impl fmt::Debug for Veil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Veil").field(&self.0.is_some()).finish()
    }
}
