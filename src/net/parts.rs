//! What is queued at once: a few bytes of head, and the body behind them, which nobody has had to
//! put together.

/// The bytes in front of a body: none, or a few.
///
/// They are kept as one number, so that they are built and stored whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// The first byte is the lowest.
    bytes: u128,
    len: usize,
}

impl Head {
    /// The most bytes that a head may have.
    pub(crate) const MAX: usize = 16;

    /// No head: the body is all there is.
    pub(crate) const NONE: Self = Self::new(0, 0);

    /// The `len` lowest of `bytes`, the lowest first.
    #[inline(always)]
    pub(crate) const fn new(bytes: u128, len: usize) -> Self {
        Self { bytes, len }
    }

    /// Its bytes, and what is behind them.
    #[inline(always)]
    pub(super) const fn bytes(self) -> [u8; Self::MAX] {
        self.bytes.to_le_bytes()
    }

    /// Its own of those [`bytes`](Self::bytes).
    pub(super) fn of(self, bytes: &[u8; Self::MAX]) -> &[u8] {
        bytes.get(..self.len).unwrap_or(bytes)
    }
}

/// A head, and the body behind it: one message, as the peer will read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(super) head: Head,
    pub(super) body: &'a [u8],
}

impl<'a> Parts<'a> {
    #[inline]
    pub(crate) fn new(head: Head, body: &'a [u8]) -> Self {
        Self { head, body }
    }

    /// Bytes without a head.
    pub(crate) fn whole(body: &'a [u8]) -> Self {
        Self::new(Head::NONE, body)
    }

    /// Length in bytes.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.head.len + self.body.len()
    }

    /// Appends all of it to `out`.
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        out.extend_from_slice(self.head.of(&self.head.bytes()));
        out.extend_from_slice(self.body);
    }

    /// All of it in a buffer of its own.
    pub(super) fn to_vec(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes);
        bytes
    }

    /// Writes all of it to the front of `room`. `false`, and nothing written that counts, if `room`
    /// is shorter than that and the longest head.
    #[inline(always)]
    pub(super) fn write(self, room: &mut [u8]) -> bool {
        // The whole head, whatever its length: one store. The body goes over its unused end.
        let Some(place) = room.first_chunk_mut() else {
            return false;
        };
        *place = self.head.bytes();
        let end = self.head.len + self.body.len();
        match room.get_mut(self.head.len..end) {
            Some(room) => copy(room, self.body),
            None => return false,
        }
        true
    }
}

/// Copies `from` to `to`, which are equally long. Short ones, which most messages are, without a
/// call: the first `N` bytes and the last `N`, which may overlap.
#[inline(always)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    let len = from.len();
    if len >= 32 {
        match len {
            129.. => to.copy_from_slice(from),
            64.. => ends::<64>(to, from),
            _ => ends::<32>(to, from),
        }
    } else {
        match len {
            16.. => ends::<16>(to, from),
            8.. => ends::<8>(to, from),
            4.. => ends::<4>(to, from),
            _ => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        }
    }
}

#[inline(always)]
fn ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_written_whole_and_touches_nothing_behind_but_for_the_longest_head() {
        let step = if cfg!(miri) { 7 } else { 1 };
        for len in (0..300).step_by(step) {
            for head in [0, 2, 4, 10, 16] {
                let body: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5A).collect();
                let parts = Parts::new(
                    Head::new(0x0707_0707_0707_0707_0707_0707_0707_0707, head),
                    &body,
                );
                let mut room = vec![0xEE; 400];
                assert!(parts.write(&mut room));
                assert_eq!(room[..parts.len()], parts.to_vec(), "{head} + {len}");
                let behind = parts.len().max(Head::MAX);
                assert!(room[behind..].iter().all(|byte| *byte == 0xEE), "{len}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let parts = Parts::new(Head::new(0x0707, 2), &[1; 30]);
        assert!(!parts.write(&mut [0; 31]) && parts.write(&mut [0; 32]));
        assert!(!Parts::whole(&[]).write(&mut [0; 15]));
    }
}
