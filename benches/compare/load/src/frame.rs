//! Frames of RFC 6455 §5.2, as far as a load generator needs them: masked ones to send, headers to
//! read, and a whole message out of collected bytes for the one answer that is compared in full.

/// The masking key of every frame that is sent: one for all, so that frames are built once.
pub(crate) const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The longest header: 2 bytes, 8 of length, 4 of key.
pub(crate) const LONGEST: usize = 14;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) key: Option<[u8; 4]>,
    /// Bytes of payload.
    pub(crate) length: u64,
    /// Bytes of the header itself.
    pub(crate) size: usize,
}

/// Reads the header at the front of `bytes`; `None` when there must be more of it.
pub(crate) fn parse(bytes: &[u8]) -> Option<Header> {
    let [first, second, rest @ ..] = bytes else {
        return None;
    };
    let (length, wide) = match second & 0x7F {
        126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
        short => (u64::from(short), 0),
    };
    let key = match second & 0x80 {
        0 => None,
        _ => Some(*rest[wide..].first_chunk()?),
    };
    Some(Header {
        fin: first & 0x80 != 0,
        reserved: first >> 4 & 0x7,
        opcode: first & 0x0F,
        key,
        length,
        size: 2 + wide + if key.is_some() { 4 } else { 0 },
    })
}

/// The header of an unfragmented frame.
pub(crate) fn header(opcode: u8, length: usize, key: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut header = vec![0x80 | opcode];
    match length {
        0..=125 => header.push(masked | length as u8),
        126..=0xFFFF => {
            header.push(masked | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(masked | 127);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header.extend(key.unwrap_or_default().iter().take(4 * key.iter().len()));
    header
}

/// A whole frame as a client sends it.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(opcode, payload.len(), Some(KEY));
    let start = frame.len();
    frame.extend(payload);
    mask(&mut frame[start..], KEY);
    frame
}

/// Masks or unmasks (§5.3).
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// The first message in `bytes`, its opcode and how many bytes it took, fragments and control frames
/// between them included; `None` when it is not there in whole.
pub(crate) fn message(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let mut frames = Vec::new();
    let mut end = 0;
    loop {
        let header = parse(&bytes[end..])?;
        let start = end + header.size;
        end = start.checked_add(usize::try_from(header.length).ok()?)?;
        if end > bytes.len() {
            return None;
        }
        if header.opcode >= CLOSE {
            continue;
        }
        frames.push((header, start..end));
        if header.fin {
            break;
        }
    }
    let mut payload = Vec::new();
    for (header, range) in &frames {
        let from = payload.len();
        payload.extend_from_slice(&bytes[range.clone()]);
        mask(&mut payload[from..], header.key.unwrap_or_default());
    }
    Some((frames[0].0.opcode, payload, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_built_and_never_from_a_part_of_it() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 24] {
            for key in [None, Some(KEY)] {
                let bytes = header(BINARY, length, key);
                let expected = Header {
                    fin: true,
                    reserved: 0,
                    opcode: BINARY,
                    key,
                    length: length as u64,
                    size: bytes.len(),
                };
                assert_eq!(parse(&bytes), Some(expected), "{length} {key:?}");
                for cut in 0..bytes.len() {
                    assert_eq!(parse(&bytes[..cut]), None, "{length} {key:?} cut at {cut}");
                }
            }
        }
    }

    /// The example of RFC 6455 §5.7.
    #[test]
    fn a_masked_hello_is_that_of_the_rfc() {
        let hello = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(masked(TEXT, b"Hello"), hello);
        assert_eq!(
            message(&hello),
            Some((TEXT, b"Hello".to_vec(), hello.len()))
        );
    }

    #[test]
    fn a_message_may_come_in_fragments_with_a_ping_between_them() {
        let bytes = b"\x01\x03Hel\x89\x01!\x80\x02lo\x81\x01?";
        assert_eq!(message(bytes), Some((TEXT, b"Hello".to_vec(), 12)));
        for cut in 0..12 {
            assert_eq!(message(&bytes[..cut]), None, "cut at {cut}");
        }
    }
}
