//! The bytes of a binary message that comes in portions, in memory that can be read into.
//!
//! Memory that may be read into must have been written once, and fresh pages are slow to write to:
//! so the buffers of large messages are kept for the next ones, a bounded amount for each thread.

use std::cell::RefCell;

use super::mask::{mask, mask_copy};

/// A buffer of so many bytes or more is worth keeping.
pub(super) const WORTH_KEEPING: usize = 64 * 1024;

/// So many bytes of buffers are kept at most.
const KEPT: usize = 8 * 1024 * 1024;

/// Where in its memory a large message begins, if its length is known.
///
/// Large memory begins at the start of a page, and often so does what a sender hands to the kernel. When
/// both places are equal but for a few bytes, modulo the size of a page, many processors copy at half
/// their speed, as each read seems to wait for a write to the same place.
const OFFSET: usize = 2048;

/// Less than this is not worth a system call of its own.
const LEAST_WINDOW: usize = 32 * 1024;

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

/// Buffers that wait for the next large message.
#[derive(Default)]
struct Spare {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// A message so far, and room for more of it.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// The message in `start..end`; what follows may be anything.
    bytes: Vec<u8>,
    /// 0 or [`OFFSET`].
    start: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Bytes of heap memory held.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Appends `payload`, unmasked on the way.
    ///
    /// `to_come` is how much the rest of the message has, `payload` included, if that is known.
    pub(super) fn push(&mut self, payload: &[u8], key: Option<[u8; 4]>, to_come: Option<usize>) {
        self.provide(payload.len(), to_come);
        let end = self.end + payload.len();
        if let Some(room) = self.bytes.get_mut(self.end..end) {
            match key {
                Some(key) => mask_copy(room, payload, key),
                None => room.copy_from_slice(payload),
            }
        }
        self.end = end;
    }

    /// Where the next bytes can be read to, of `left` that the frame still has. There is no more memory
    /// for that than for what has come.
    pub(super) fn window(&mut self, left: usize, is_last: bool) -> Option<&mut [u8]> {
        if left < LEAST_WINDOW {
            return None;
        }
        if self.bytes.len() - self.end < LEAST_WINDOW {
            // Whoever has sent little yet may never send more.
            if self.len() < LEAST_WINDOW {
                return None;
            }
            self.provide(LEAST_WINDOW, is_last.then_some(left));
        }
        let end = self.bytes.len().min(self.end.saturating_add(left));
        self.bytes.get_mut(self.end..end)
    }

    /// Takes `n` bytes that were read to the [`window`](Self::window), masked as they are.
    pub(super) fn filled(&mut self, n: usize) {
        self.end = (self.end + n).min(self.bytes.len());
    }

    /// Unmasks the last `n` bytes.
    pub(super) fn unmask_last(&mut self, n: usize, key: [u8; 4]) {
        let from = self.end.saturating_sub(n);
        mask(self.bytes.get_mut(from..self.end).unwrap_or_default(), key);
    }

    /// Makes room for `more` bytes: at most doubled, and never beyond what is to come, so that an
    /// announced length alone costs nothing.
    fn provide(&mut self, more: usize, to_come: Option<usize>) {
        if self.end + more <= self.bytes.len() {
            return;
        }
        if let Some(whole) = to_come.filter(|len| self.end == 0 && *len >= WORTH_KEEPING) {
            let spare =
                SPARE.try_with(|spare| spare.borrow_mut().take(whole.saturating_add(OFFSET)));
            self.bytes = spare.unwrap_or_default();
            // A first byte alone does not buy two thousand.
            if more >= OFFSET {
                (self.start, self.end) = (OFFSET, OFFSET);
            }
        }
        let wanted = self.end + more.max(self.len().min(to_come.unwrap_or(usize::MAX)));
        if self.bytes.is_empty() {
            self.bytes = vec![0; wanted];
        } else if let Some(missing) = wanted.checked_sub(self.bytes.len()) {
            self.bytes.reserve_exact(missing);
            self.bytes.resize(wanted, 0);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() >= WORTH_KEEPING {
            let _ = SPARE.try_with(|spare| spare.borrow_mut().keep(bytes));
        }
    }
}

impl Spare {
    /// The smallest buffer that `len` bytes fit in, or an empty one. Of several the one that was used
    /// last: it may still be in a cache.
    fn take(&mut self, len: usize) -> Vec<u8> {
        let fits = |buffer: &(usize, &Vec<u8>)| buffer.1.len() >= len;
        let found = self.buffers.iter().enumerate().rev().filter(fits);
        let Some((index, _)) = found.min_by_key(|(_, buffer)| buffer.len()) else {
            return Vec::new();
        };
        let buffer = self.buffers.swap_remove(index);
        self.bytes -= buffer.capacity();
        buffer
    }

    fn keep(&mut self, buffer: Vec<u8>) {
        if self.bytes + buffer.capacity() <= KEPT {
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask::rotated;
    use super::*;

    const KEY: [u8; 4] = [1, 2, 3, 4];

    #[test]
    fn what_is_pushed_and_what_is_read_make_one_message() {
        let len = if cfg!(miri) { 70_000 } else { 200_000 };
        let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let mut masked = plain.clone();
        mask(&mut masked, KEY);
        let mut buffer = Buffer::default();
        buffer.push(&masked[..1_000], Some(KEY), Some(plain.len()));
        while buffer.len() < plain.len() {
            let at = buffer.len();
            let left = plain.len() - at;
            match buffer.window(left, true) {
                Some(window) => {
                    let n = window.len().min(40_000);
                    window[..n].copy_from_slice(&masked[at..at + n]);
                    buffer.filled(n);
                    buffer.unmask_last(n, rotated(KEY, at));
                }
                None => buffer.push(&plain[at..], None, Some(left)),
            }
        }
        assert_eq!(buffer.as_slice(), plain);
    }

    #[test]
    fn a_large_buffer_is_used_again_and_what_is_kept_is_bounded() {
        let mut spare = Spare::default();
        for size in [100_000, 200_000, KEPT, 300_000] {
            spare.keep(vec![7; size]);
        }
        assert_eq!(spare.buffers.len(), 3, "one was too much");
        assert_eq!(spare.take(150_000).len(), 200_000);
        assert_eq!(spare.take(150_000).len(), 300_000);
        assert_eq!(spare.take(150_000).len(), 0);
        assert_eq!(spare.bytes, 100_000);
    }

    #[test]
    fn an_announced_length_alone_costs_nothing() {
        let mut buffer = Buffer::default();
        buffer.push(&[1; 100], None, Some(usize::MAX - 1));
        assert!(buffer.capacity() <= 100);
        assert_eq!(buffer.window(usize::MAX - 101, true), None);
        buffer.push(&[1; LEAST_WINDOW], None, None);
        let window = buffer.window(1 << 40, true).map(|window| window.len());
        assert_eq!(window, Some(100 + LEAST_WINDOW));
        assert!(buffer.capacity() <= 2 * buffer.len());
    }
}
