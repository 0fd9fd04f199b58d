//! From payloads to frames (RFC 6455 §5.2, §6.1), and back from an outbox's bytes to where its
//! frames end. The socket and the hub write with it.
//!
//! Every frame is final: nothing is fragmented.

use super::close::{CloseCode, cut_reason};
pub(crate) use super::frame::MAX_HEADER;
use super::frame::{Header, MAX_CONTROL, Opcode};
use super::mask::mask_into;

/// The longest header of a frame without a masking key, in bytes.
pub(crate) const MAX_UNMASKED_HEADER: usize = 10;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The header of an unmasked frame with a payload of `len` bytes, and its own length.
pub(crate) fn header(opcode: Opcode, len: usize) -> ([u8; MAX_UNMASKED_HEADER], usize) {
    let first = FIN | opcode as u8;
    let [.., g, h] = (len as u64).to_be_bytes();
    let mut header = [first, len as u8, g, h, 0, 0, 0, 0, 0, 0];
    match len {
        0..=125 => (header, 2),
        126..=0xFFFF => {
            header[1] = 126;
            (header, 4)
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (len as u64).to_be_bytes();
            ([first, 127, a, b, c, d, e, f, g, h], 10)
        }
    }
}

/// Appends one unmasked frame to `out`, as a server sends it.
#[inline]
pub(crate) fn encode(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    write_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends one frame masked with `key` to `out`, as a client sends it.
///
/// `key` must be new for each frame and not to be foreseen (RFC 6455 §5.3).
pub(crate) fn encode_masked(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: [u8; 4]) {
    out.reserve(MAX_HEADER + payload.len());
    write_header(out, opcode, payload.len(), MASKED);
    out.extend_from_slice(&key);
    mask_into(out, payload, key);
}

/// Appends an unmasked close frame to `out`: without payload for [`CloseCode::NO_STATUS`], else
/// with the code and as much of the reason as fits (RFC 6455 §5.5.1).
pub(crate) fn encode_close(out: &mut Vec<u8>, code: CloseCode, reason: &str) {
    let (payload, len) = close_payload(code, reason);
    encode(out, Opcode::Close, payload.get(..len).unwrap_or_default());
}

/// The same as [`encode_close`], masked with `key`.
pub(crate) fn encode_close_masked(out: &mut Vec<u8>, code: CloseCode, reason: &str, key: [u8; 4]) {
    let (payload, len) = close_payload(code, reason);
    let payload = payload.get(..len).unwrap_or_default();
    encode_masked(out, Opcode::Close, payload, key);
}

/// One whole unmasked frame, to be sent to many.
pub(crate) fn prepare(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame, opcode, payload);
    frame
}

/// The first frame of an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Length of the frame in bytes, its header included.
    pub(crate) len: usize,
    /// Whether it is a control frame.
    pub(crate) control: bool,
}

/// Measures the first of the `frames` that this module has written, masked or not.
///
/// All of `frames` is one unit when no whole frame is at its front.
pub(crate) fn measure(frames: &[u8]) -> Unit {
    let (len, control) = match Header::parse(frames) {
        Ok(Some((header, size))) => {
            let len = usize::try_from(header.len).unwrap_or(usize::MAX);
            (size.saturating_add(len), header.opcode.is_control())
        }
        _ => (usize::MAX, false),
    };
    Unit {
        len: len.min(frames.len()),
        control: control && len <= frames.len(),
    }
}

#[inline]
fn write_header(out: &mut Vec<u8>, opcode: Opcode, len: usize, masked: u8) {
    let first = FIN | opcode as u8;
    match len {
        0..=125 => out.extend_from_slice(&[first, masked | len as u8]),
        126..=0xFFFF => {
            let [a, b] = (len as u16).to_be_bytes();
            out.extend_from_slice(&[first, masked | 126, a, b]);
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (len as u64).to_be_bytes();
            out.extend_from_slice(&[first, masked | 127, a, b, c, d, e, f, g, h]);
        }
    }
}

fn close_payload(code: CloseCode, reason: &str) -> ([u8; MAX_CONTROL], usize) {
    let mut payload = [0; MAX_CONTROL];
    if code == CloseCode::NO_STATUS {
        return (payload, 0);
    }
    let reason = cut_reason(reason);
    let bytes = code.0.to_be_bytes().into_iter().chain(reason.bytes());
    for (place, byte) in payload.iter_mut().zip(bytes) {
        *place = byte;
    }
    (payload, 2 + reason.len())
}
