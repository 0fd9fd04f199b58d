//! What a frame must obey in its place: after other frames, from that side, within the limit
//! (RFC 6455 §5.1, §5.4, §10.4). What a header must obey by itself is in `frame`.

use super::frame::{Header, Opcode};
use super::violation::Violation;

/// Who we are. A server expects masked frames, a client unmasked ones (RFC 6455 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

/// The rules of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) role: Role,
    /// The most bytes that a message may have, in all its fragments.
    pub(super) max_message: usize,
}

impl Rules {
    /// Judges a header before any byte of its payload is looked at.
    ///
    /// `under_way` is how many bytes the message has that was begun and not finished.
    pub(super) fn judge(self, header: &Header, under_way: Option<usize>) -> Result<(), Violation> {
        if header.rsv1 {
            return Err(Violation::ReservedBits);
        }
        match (self.role, header.mask) {
            (Role::Server, None) => return Err(Violation::NotMasked),
            (Role::Client, Some(_)) => return Err(Violation::Masked),
            _ => {}
        }
        match (header.opcode, under_way) {
            (Opcode::Continuation, None) => Err(Violation::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Violation::ExpectedContinuation),
            (Opcode::Continuation | Opcode::Text | Opcode::Binary, so_far) => {
                self.judge_len(header.len, so_far.unwrap_or(0))
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => Ok(()),
        }
    }

    fn judge_len(self, announced: u64, so_far: usize) -> Result<(), Violation> {
        let max = self.max_message;
        match announced.saturating_add(so_far as u64) {
            len if len > max as u64 => Err(Violation::TooBig { len, max }),
            _ => Ok(()),
        }
    }
}
