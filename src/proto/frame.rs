//! Frame headers (RFC 6455 §5.2): what the decoder reads and the encoder writes. No state.

use super::violation::Violation;

/// What a frame carries (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

impl Opcode {
    /// The opcode in the lower half of a frame's first byte.
    ///
    /// # Errors
    ///
    /// [`Violation::ReservedOpcode`] for the ten that mean nothing yet.
    pub(crate) const fn of(first: u8) -> Result<Self, Violation> {
        Ok(match first & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            reserved => return Err(Violation::ReservedOpcode(reserved)),
        })
    }

    pub(crate) const fn is_control(self) -> bool {
        self as u8 >= 0x8
    }
}

/// The longest header in bytes: 2, then 8 of length, then 4 of masking key.
pub(crate) const MAX_HEADER: usize = 14;

/// The most bytes that a control frame may carry (RFC 6455 §5.5).
pub(crate) const MAX_CONTROL: usize = 125;

/// What stands before a payload (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// The one reserved bit that a registered extension uses: RFC 7692.
    pub(crate) rsv1: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: Option<[u8; 4]>,
    /// Length of the payload in bytes, at most 2⁶³ − 1.
    pub(crate) len: u64,
}

impl Header {
    /// Reads a header from the front of `bytes`: it, and its length in bytes.
    ///
    /// `None` when `bytes` ends before the header does: call again with more.
    ///
    /// # Errors
    ///
    /// What no continuation of `bytes` could mend. What depends on the frames before this
    /// one, on the side that sent it, or on a limit, is not looked at.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let [first, rest @ ..] = bytes else {
            return Ok(None);
        };
        let opcode = check_first(*first)?;
        let [second, rest @ ..] = rest else {
            return Ok(None);
        };
        if opcode.is_control() && second & 0x7F > 125 {
            return Err(Violation::ControlTooLong);
        }
        let Some((len, rest)) = parse_len(second & 0x7F, rest)? else {
            return Ok(None);
        };
        let (mask, rest) = match (second & 0x80, rest) {
            (0, rest) => (None, rest),
            (_, &[a, b, c, d, ref rest @ ..]) => (Some([a, b, c, d]), rest),
            _ => return Ok(None),
        };
        let header = Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            opcode,
            mask,
            len,
        };
        Ok(Some((header, bytes.len() - rest.len())))
    }
}

fn check_first(first: u8) -> Result<Opcode, Violation> {
    if first & 0x30 != 0 {
        return Err(Violation::ReservedBits);
    }
    let opcode = Opcode::of(first)?;
    if opcode.is_control() && first & 0x80 == 0 {
        return Err(Violation::ControlFragmented);
    }
    Ok(opcode)
}

/// The length of a payload, and what follows it, after the seven bits `short`.
fn parse_len(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (len, least, rest) = match (short, rest) {
        (0..=125, rest) => (u64::from(short), 0, rest),
        (126, &[a, b, ref rest @ ..]) => (u64::from(u16::from_be_bytes([a, b])), 126, rest),
        (127, &[a, b, c, d, e, f, g, h, ref rest @ ..]) => {
            let len = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            (len, 0x1_0000, rest)
        }
        _ => return Ok(None),
    };
    if len >> 63 != 0 {
        return Err(Violation::LengthTooLong);
    }
    if len < least {
        return Err(Violation::LengthNotMinimal);
    }
    Ok(Some((len, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// fin, rsv1, opcode, mask, len and the header's length.
    type Parsed = (bool, bool, Opcode, Option<[u8; 4]>, u64, usize);

    fn parse(bytes: &[u8]) -> Result<Option<Parsed>, Violation> {
        let parsed = Header::parse(bytes)?;
        Ok(parsed.map(|(h, size)| (h.fin, h.rsv1, h.opcode, h.mask, h.len, size)))
    }

    #[test]
    fn headers_of_every_form_are_read() {
        use Opcode::*;
        #[rustfmt::skip]
        let table: &[(&str, &[u8], Parsed)] = &[
            ("text, no payload",     &[0x81, 0x00],                       (true, false, Text, None, 0, 2)),
            ("first fragment",       &[0x01, 0x05],                       (false, false, Text, None, 5, 2)),
            ("continuation",         &[0x80, 0x05, 9],                    (true, false, Continuation, None, 5, 2)),
            ("rsv1",                 &[0xC2, 0x05],                       (true, true, Binary, None, 5, 2)),
            ("masked",               &[0x82, 0x83, 1, 2, 3, 4, 5],        (true, false, Binary, Some([1, 2, 3, 4]), 3, 6)),
            ("longest 7 bits",       &[0x8A, 0x7D],                       (true, false, Pong, None, 125, 2)),
            ("16 bits, least",       &[0x82, 126, 0, 126],                (true, false, Binary, None, 126, 4)),
            ("16 bits, most",        &[0x82, 126, 0xFF, 0xFF],            (true, false, Binary, None, 65_535, 4)),
            ("16 bits, masked",      &[0x82, 254, 1, 0, 1, 2, 3, 4],      (true, false, Binary, Some([1, 2, 3, 4]), 256, 8)),
            ("64 bits, least",       &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], (true, false, Binary, None, 65_536, 10)),
            ("64 bits, most",        &[0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255], (true, false, Binary, None, u64::MAX >> 1, 10)),
            ("64 bits, masked",      &[0x82, 255, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5], (true, false, Binary, Some([1, 2, 3, 4]), 1 << 24, 14)),
        ];
        for (name, bytes, expected) in table {
            assert_eq!(parse(bytes), Ok(Some(*expected)), "{name}");
            for cut in 0..expected.5 {
                assert_eq!(parse(&bytes[..cut]), Ok(None), "{name}, cut at {cut}");
            }
        }
    }

    #[test]
    fn a_broken_header_is_refused_at_the_byte_that_breaks_it() {
        use Violation::*;
        let table: &[(&str, &[u8], Violation)] = &[
            ("rsv2", &[0xA1], ReservedBits),
            ("rsv3", &[0x91], ReservedBits),
            ("opcode 3", &[0x83], ReservedOpcode(3)),
            ("opcode 15", &[0x8F], ReservedOpcode(15)),
            ("fragmented ping", &[0x09], ControlFragmented),
            ("ping of 126 bytes", &[0x89, 0x7E], ControlTooLong),
            ("close of 127 bytes", &[0x88, 0xFF], ControlTooLong),
            ("125 in 16 bits", &[0x82, 126, 0, 125], LengthNotMinimal),
            (
                "65,535 in 64 bits",
                &[0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255],
                LengthNotMinimal,
            ),
            (
                "length of 2⁶³",
                &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
                LengthTooLong,
            ),
        ];
        for (name, bytes, expected) in table {
            assert_eq!(parse(bytes), Err(*expected), "{name}");
            let (_, before) = bytes.split_last().unwrap();
            assert_eq!(parse(before), Ok(None), "{name}, one byte short");
        }
    }
}
