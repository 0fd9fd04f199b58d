//! What a peer can do wrong once the connection is open (RFC 6455 §5, §7, §8.1, §10.4).
//!
//! The decoder says which rule was broken; the close code is a function of that.

use super::close::CloseCode;
use std::fmt;

/// A rule of RFC 6455, or a limit of this endpoint, that the peer broke.
///
/// The connection must be failed with [`close_code`](Self::close_code) [RFC 6455 §7.1.7].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set, and no extension that was agreed on gives it a meaning
    /// [RFC 6455 §5.2].
    ReservedBits,
    /// The opcode is one of the ten that mean nothing yet [RFC 6455 §5.2].
    ReservedOpcode(u8),
    /// A client sent a frame without a mask [RFC 6455 §5.1].
    NotMasked,
    /// A server sent a frame with a mask [RFC 6455 §5.1].
    Masked,
    /// The length is not written in the fewest bytes that hold it [RFC 6455 §5.2].
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length is set [RFC 6455 §5.2].
    LengthTooLong,
    /// A continuation came, but no message was begun [RFC 6455 §5.4].
    UnexpectedContinuation,
    /// A new message was begun before the last one was finished [RFC 6455 §5.4].
    ExpectedContinuation,
    /// A control frame is not final [RFC 6455 §5.5].
    ControlFragmented,
    /// A control frame announces more than 125 bytes [RFC 6455 §5.5].
    ControlTooLong,
    /// The payload of a close frame is one byte, which is no code [RFC 6455 §5.5.1].
    CloseTooShort,
    /// The code of a close frame is none that may be sent [RFC 6455 §7.4].
    CloseCode(CloseCode),
    /// A text message, or the reason of a close frame, is not UTF-8 [RFC 6455 §8.1].
    NotUtf8,
    /// The message is longer than this endpoint accepts [RFC 6455 §10.4].
    TooBig {
        /// Bytes of the message so far, with those that the last frame announces.
        len: u64,
        /// The most bytes that a message may have.
        max: usize,
    },
    /// A message has more than 1,024 fragments without any payload [RFC 6455 §10.4].
    EmptyFragments,
}

impl Violation {
    /// The code to close the connection with [RFC 6455 §7.4.1].
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::TooBig { .. } => CloseCode::MESSAGE_TOO_BIG,
            Self::EmptyFragments => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// The section of RFC 6455 that holds the rule, as `"5.2"`.
    pub const fn section(self) -> &'static str {
        match self {
            Self::NotMasked | Self::Masked => "5.1",
            Self::ReservedBits | Self::ReservedOpcode(_) => "5.2",
            Self::LengthNotMinimal | Self::LengthTooLong => "5.2",
            Self::UnexpectedContinuation | Self::ExpectedContinuation => "5.4",
            Self::ControlFragmented | Self::ControlTooLong => "5.5",
            Self::CloseTooShort => "5.5.1",
            Self::CloseCode(_) => "7.4",
            Self::NotUtf8 => "8.1",
            Self::TooBig { .. } | Self::EmptyFragments => "10.4",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReservedBits => "reserved bits are set",
            Self::ReservedOpcode(opcode) => return write!(f, "reserved opcode {opcode:#x}"),
            Self::NotMasked => "frame of a client is not masked",
            Self::Masked => "frame of a server is masked",
            Self::LengthNotMinimal => "length is not in its shortest form",
            Self::LengthTooLong => "length has its highest bit set",
            Self::UnexpectedContinuation => "continuation of no message",
            Self::ExpectedContinuation => "new message before the last one was finished",
            Self::ControlFragmented => "fragmented control frame",
            Self::ControlTooLong => "control frame of more than 125 bytes",
            Self::CloseTooShort => "close frame of one byte",
            Self::CloseCode(code) => return write!(f, "close code {code} may not be sent"),
            Self::NotUtf8 => "text is not UTF-8",
            Self::TooBig { len, max } => {
                return write!(f, "message of {len} bytes, at most {max} are accepted");
            }
            Self::EmptyFragments => "too many empty fragments",
        })
    }
}

impl std::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_violation_has_its_close_code_its_section_and_one_line_that_fits_a_close_frame() {
        let longest = Violation::TooBig {
            len: u64::MAX,
            max: usize::MAX,
        };
        #[rustfmt::skip]
        let table = [
            (Violation::ReservedBits,               1002, "5.2",   "reserved bits are set"),
            (Violation::ReservedOpcode(11),         1002, "5.2",   "reserved opcode 0xb"),
            (Violation::NotMasked,                  1002, "5.1",   "frame of a client is not masked"),
            (Violation::Masked,                     1002, "5.1",   "frame of a server is masked"),
            (Violation::LengthNotMinimal,           1002, "5.2",   "length is not in its shortest form"),
            (Violation::LengthTooLong,              1002, "5.2",   "length has its highest bit set"),
            (Violation::UnexpectedContinuation,     1002, "5.4",   "continuation of no message"),
            (Violation::ExpectedContinuation,       1002, "5.4",   "new message before the last one was finished"),
            (Violation::ControlFragmented,          1002, "5.5",   "fragmented control frame"),
            (Violation::ControlTooLong,             1002, "5.5",   "control frame of more than 125 bytes"),
            (Violation::CloseTooShort,              1002, "5.5.1", "close frame of one byte"),
            (Violation::CloseCode(CloseCode(1005)), 1002, "7.4",   "close code 1005 may not be sent"),
            (Violation::NotUtf8,                    1007, "8.1",   "text is not UTF-8"),
            (Violation::TooBig { len: 5, max: 4 },  1009, "10.4",  "message of 5 bytes, at most 4 are accepted"),
            (Violation::EmptyFragments,             1008, "10.4",  "too many empty fragments"),
        ];
        for (violation, code, section, line) in table {
            assert_eq!(violation.close_code(), CloseCode(code), "{violation:?}");
            assert_eq!(violation.section(), section, "{violation:?}");
            assert_eq!(violation.to_string(), line, "{violation:?}");
        }
        assert!(longest.to_string().len() <= 123);
    }
}
