//! What is to be known of a connection in one look: a set of flags in two bytes.

/// A set of flags; each constant is a set of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u16);

impl Flags {
    /// The kernel has refused bytes and not said since that it takes more.
    pub(super) const CONGESTED: Self = Self(1 << 0);
    /// It is in the list of those with something to write.
    pub(super) const QUEUED: Self = Self(1 << 1);
    /// `Backpressure` was answered, so that `Drained` is owed.
    pub(super) const PRESSED: Self = Self(1 << 2);
    /// Reading is on hold until the outbox is written.
    pub(super) const STALLED: Self = Self(1 << 3);
    /// Reading is on hold until it is resumed.
    pub(super) const PAUSED: Self = Self(1 << 4);
    /// There may be more to read, and no edge will say so.
    pub(super) const UNREAD: Self = Self(1 << 5);
    /// FIN or an error is waiting behind what is to be read.
    pub(super) const HUNG_UP: Self = Self(1 << 6);
    /// FIN was read.
    pub(super) const FINISHED: Self = Self(1 << 7);
    /// The peer's FIN is to be waited for at the end.
    pub(super) const LINGER: Self = Self(1 << 8);
    /// Nothing can be written any more; what came earlier is still read.
    pub(super) const BROKEN: Self = Self(1 << 9);
    /// It is not open any more: see [`Stage`](super::link::Stage).
    pub(super) const CLOSED: Self = Self(1 << 10);
    /// It has an alarm.
    pub(super) const ARMED: Self = Self(1 << 11);
    /// Its messages may not travel as they are: see [`Veil`](super::veil::Veil).
    pub(super) const VEILED: Self = Self(1 << 12);
    /// It is in the list of those to be read in the next turn: not before, whatever edge comes.
    pub(super) const EAGER: Self = Self(1 << 13);

    /// All of these.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `flags` is set.
    #[inline]
    pub(super) const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Those of `flags` that are set.
    #[inline]
    pub(super) const fn of(self, flags: Self) -> Self {
        Self(self.0 & flags.0)
    }

    /// Sets `flags`, or clears them.
    #[inline]
    pub(super) fn set(&mut self, flags: Self, on: bool) {
        self.0 = if on {
            self.0 | flags.0
        } else {
            self.0 & !flags.0
        };
    }

    /// Sets `flags`, or clears them; gives whether any was set.
    #[inline]
    pub(super) fn replace(&mut self, flags: Self, on: bool) -> bool {
        let before = self.has(flags);
        self.set(flags, on);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;

    #[test]
    fn each_flag_is_its_own() {
        let mut flags = Flags::UNREAD;
        assert!(!flags.replace(Flags::CLOSED, true) && flags.replace(Flags::CLOSED, true));
        assert_eq!(flags, Flags::UNREAD.and(Flags::CLOSED));
        assert!(!flags.has(Flags::QUEUED.and(Flags::PAUSED)));
        assert!(flags.has(Flags::QUEUED.and(Flags::UNREAD)));
        assert!(flags.replace(Flags::UNREAD, false) && flags.replace(Flags::CLOSED, false));
        assert_eq!(flags, Flags(0));
    }
}
