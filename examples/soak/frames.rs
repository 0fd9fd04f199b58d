//! Frames as a client writes and reads them (RFC 6455 §5.2). It shares no code with the library.

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;
/// A text message of which more follows, more of it, and the last of it.
pub(crate) const FIRST: u8 = 0x01;
pub(crate) const MORE: u8 = 0x00;
pub(crate) const LAST: u8 = 0x80;

/// Appends a masked frame; `first` is its first byte.
pub(crate) fn write(out: &mut Vec<u8>, first: u8, payload: &[u8], mask: [u8; 4]) {
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    out.extend(masked.map(|(byte, mask)| byte ^ mask));
}

/// A frame of the server's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) first: u8,
    pub(crate) payload: &'a [u8],
    /// How many bytes it takes, its header included.
    pub(crate) length: usize,
}

/// The frame at the front. `None`: more of it has to come first.
///
/// # Errors
///
/// It is masked, which a server's may not be (§5.1).
pub(crate) fn read(input: &[u8]) -> Result<Option<Frame<'_>>, String> {
    let &[first, second, ref rest @ ..] = input else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err("the server has masked a frame".to_owned());
    }
    let extra = match second {
        127 => 8,
        126 => 2,
        _ => 0,
    };
    let Some((length, rest)) = rest.split_at_checked(extra) else {
        return Ok(None);
    };
    let length = match extra {
        0 => usize::from(second),
        _ => length
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
    };
    Ok(rest.get(..length).map(|payload| Frame {
        first,
        payload,
        length: 2 + extra + length,
    }))
}

/// The code of a close frame: 1005 if it has none (§7.1.5).
pub(crate) fn close_code(payload: &[u8]) -> u16 {
    match payload {
        &[high, low, ..] => u16::from_be_bytes([high, low]),
        _ => 1005,
    }
}
