//! The one buffer that connections are read into.

/// What is read of a connection in one turn while others wait, unless it is amid a large message.
pub(super) const INPUT: usize = 128 * 1024;

/// Where in its memory the buffer begins.
///
/// Large memory begins at the start of a page, that of the log too, and an answer is often about as
/// long as what it answers. So, without this, an echo would be copied between places that are equal but
/// for a few bytes, modulo the size of a page: many processors copy at half their speed then, as each
/// read seems to wait for a write to the same place.
const OFFSET: usize = 2048;

#[derive(Debug)]
pub(super) struct Input(Box<[u8]>);

impl Input {
    pub(super) fn new() -> Self {
        Self(vec![0; OFFSET + INPUT].into())
    }

    /// All of it.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.0.get_mut(OFFSET..).unwrap_or_default()
    }

    /// The first `n` bytes.
    #[inline]
    pub(super) fn filled(&mut self, n: usize) -> &mut [u8] {
        self.room().get_mut(..n).unwrap_or_default()
    }
}
