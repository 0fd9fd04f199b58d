//! Messages of one kind and size: what several benches are measured with.

use std::fmt;

use crate::frames::{ASCII, Kind, bytes, text};

#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) len: usize,
}

impl Sample {
    /// Of 20 and 125 bytes, binary and ASCII.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let kinds = [Kind::Binary, Kind::Text].into_iter();
        kinds.flat_map(|kind| [20, 125].map(|len| Self { kind, len }))
    }

    pub(crate) fn payload(self) -> Vec<u8> {
        match self.kind {
            Kind::Text => text(ASCII, self.len).into_bytes(),
            Kind::Binary => bytes(self.len),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {} B", self.kind, self.len)
    }
}
