//! From payloads to frames (RFC 6455 §5.2, §6.1), and back from an outbox's bytes to where its
//! frames end. The socket and the hub write with it.
//!
//! Every frame is final: nothing is fragmented.

use super::close::{CloseCode, cut_reason};
pub(crate) use super::frame::MAX_CONTROL;
pub(crate) use super::frame::MAX_HEADER;
use super::frame::{Header, Opcode};
use super::mask::mask_into;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The header of an unmasked frame of `len` bytes, at most [`MAX_CONTROL`], as a server sends it.
#[inline(always)]
pub(crate) fn short_header(opcode: Opcode, len: usize) -> [u8; 2] {
    debug_assert!(len <= MAX_CONTROL);
    [FIN | opcode as u8, len as u8]
}

/// The header of an unmasked frame of any length, as a server sends it: the bytes as one number, the
/// first lowest, and how many of them count.
pub(crate) fn header(opcode: Opcode, len: usize) -> (u128, usize) {
    let first = u128::from(FIN | opcode as u8);
    match len {
        0..=125 => (first | (len as u128) << 8, 2),
        126..=0xFFFF => {
            let len = u128::from((len as u16).swap_bytes());
            (first | 126 << 8 | len << 16, 4)
        }
        _ => {
            let len = u128::from((len as u64).swap_bytes());
            (first | 127 << 8 | len << 16, 10)
        }
    }
}

/// Appends one unmasked frame to `out`, as a server sends it.
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

/// Appends one frame to `out` as a client sends it, masked with `key`, or as a server.
#[cfg(any(test, fuzzing, feature = "testing"))]
pub(crate) fn encode_as(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) {
    match key {
        Some(key) => encode_masked(out, opcode, payload, key),
        None => encode(out, opcode, payload),
    }
}

/// The same for a close frame, with the payload of [`close_payload`].
#[cfg(any(test, fuzzing, feature = "testing"))]
pub(crate) fn encode_close_as(
    out: &mut Vec<u8>,
    code: CloseCode,
    reason: &str,
    key: Option<[u8; 4]>,
) {
    let (payload, len) = close_payload(code, reason);
    let payload = payload.get(..len).unwrap_or_default();
    encode_as(out, Opcode::Close, payload, key);
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

fn write_header(out: &mut Vec<u8>, opcode: Opcode, len: usize, masked: u8) {
    let (header, size) = header(opcode, len);
    let header = (header | u128::from(masked) << 8).to_le_bytes();
    out.extend_from_slice(header.get(..size).unwrap_or_default());
}

/// The payload of a close frame, so many of these bytes: none for [`CloseCode::NO_STATUS`], else the
/// code and as much of the reason as fits (RFC 6455 §5.5.1).
pub(crate) fn close_payload(code: CloseCode, reason: &str) -> ([u8; MAX_CONTROL], usize) {
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

#[cfg(test)]
mod tests {
    use super::super::decoder::Role;
    use super::super::naive::{Owned, decode};
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// Lengths at both ends of each form of the length.
    fn lengths() -> impl Iterator<Item = usize> {
        let long = [65_535, 65_536, 70_000].into_iter();
        [0, 1, 7, 124, 125, 126, 127, 255, 256, 1000]
            .into_iter()
            .chain(long.filter(|_| !cfg!(miri)))
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 3) as u8).collect()
    }

    #[test]
    fn the_examples_of_section_5_7_are_written() {
        let mut out = Vec::new();
        encode(&mut out, Opcode::Text, b"Hello");
        encode_masked(&mut out, Opcode::Text, b"Hello", KEY);
        encode(&mut out, Opcode::Ping, b"Hello");
        encode_masked(&mut out, Opcode::Pong, b"Hello", KEY);
        let expected = [
            &b"\x81\x05Hello"[..],
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            b"\x89\x05Hello",
            b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        for len in lengths() {
            let payload = payload(len);
            let expected = (vec![Owned::Binary(payload.clone())], Ok(()));
            let frame = prepare(Opcode::Binary, &payload);
            assert_eq!(decode(Role::Client, len, &frame), expected, "{len}");
            let mut frame = Vec::new();
            encode_masked(&mut frame, Opcode::Binary, &payload, KEY);
            assert_eq!(decode(Role::Server, len, &frame), expected, "{len}");
        }
    }

    #[test]
    fn a_frame_goes_behind_what_is_there() {
        let mut out = b"before".to_vec();
        encode(&mut out, Opcode::Pong, b"");
        encode_masked(&mut out, Opcode::Ping, b"", [1, 2, 3, 4]);
        assert_eq!(out, b"before\x8A\x00\x89\x80\x01\x02\x03\x04");
    }

    #[test]
    fn a_close_frame_carries_the_code_and_as_much_of_the_reason_as_fits() {
        let long = "é".repeat(100);
        let cut = "é".repeat(61);
        let table = [
            (1000, "", 1000, ""),
            (1001, "going", 1001, "going"),
            (4999, &long, 4999, &cut),
            (1005, "never", 1005, ""),
        ];
        for (code, reason, code_read, reason_read) in table {
            let expected = vec![Owned::Close(CloseCode(code_read), reason_read.into())];
            let mut plain = Vec::new();
            let (payload, len) = close_payload(CloseCode(code), reason);
            encode(&mut plain, Opcode::Close, &payload[..len]);
            assert_eq!(decode(Role::Client, 0, &plain).0, expected, "{code}");
            let mut masked = Vec::new();
            encode_close_as(&mut masked, CloseCode(code), reason, Some(KEY));
            assert_eq!(decode(Role::Server, 0, &masked).0, expected, "{code}");
            assert_eq!(masked.len(), plain.len() + 4, "{code}");
        }
        assert_eq!(close_payload(CloseCode::NO_STATUS, "never").1, 0);
    }

    #[test]
    fn the_first_frame_of_an_outbox_is_measured() {
        for len in lengths() {
            for opcode in [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Close] {
                let control = opcode.is_control();
                if control && len > MAX_CONTROL {
                    continue;
                }
                let plain = prepare(opcode, &payload(len));
                let mut masked = Vec::new();
                encode_masked(&mut masked, opcode, &payload(len), KEY);
                for frame in [plain, masked] {
                    let unit = Unit {
                        len: frame.len(),
                        control,
                    };
                    assert_eq!(measure(&frame), unit, "{len}");
                    let behind = [&frame[..], b"\x89\x00more"].concat();
                    assert_eq!(measure(&behind), unit, "{len}, with more behind");
                }
            }
        }
    }

    #[test]
    fn what_is_no_whole_frame_is_measured_as_one_unit() {
        let table: [&[u8]; 7] = [
            b"",
            b"\x81",
            b"\x89\x05Hell",
            b"\xFF\xFF\xFF",
            b"\x82\x7E\x01",
            b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFabc",
            b"\x83\x00garbage",
        ];
        for frames in table {
            let unit = Unit {
                len: frames.len(),
                control: false,
            };
            assert_eq!(measure(frames), unit, "{}", frames.escape_ascii());
        }
    }
}
