//! Messages as what a link takes: the header of the frame, and the payload behind it.

use super::message::Message;
use crate::net::link::{Link, Sent};
use crate::net::parts::{Head, Parts};
use crate::proto::encoder;
use crate::proto::frame::Opcode;

/// Queues a message in the shortest way, if it is short and its link sent last. `false` if not.
#[inline(always)]
pub(super) fn send_next(link: Link<'_>, message: Message<'_>) -> bool {
    let (opcode, payload) = (message.opcode(), message.as_bytes());
    payload.len() <= encoder::MAX_CONTROL
        && link.send_next(encoder::short_header(opcode, payload.len()), payload)
}

/// Queues a message.
pub(super) fn send(link: Link<'_>, message: Message<'_>) -> Sent {
    let (opcode, payload) = (message.opcode(), message.as_bytes());
    if payload.len() <= encoder::MAX_CONTROL
        && link.send_first(encoder::short_header(opcode, payload.len()), payload)
    {
        return Sent::Queued;
    }
    link.send(frame(message))
}

/// One unmasked frame, as a server sends it (RFC 6455 §5.2).
pub(super) fn frame(message: Message<'_>) -> Parts<'_> {
    control(message.opcode(), message.as_bytes())
}

/// The same for any opcode. A control frame has a payload of 125 bytes at most (RFC 6455 §5.5).
pub(super) fn control(opcode: Opcode, payload: &[u8]) -> Parts<'_> {
    let (header, len) = encoder::header(opcode, payload.len());
    Parts::new(Head::new(header, len), payload)
}
