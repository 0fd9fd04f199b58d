//! Close codes and reasons: why a connection ended (RFC 6455 §7.4).

use std::fmt;

/// A close status code, exactly as it travels: two bytes, big-endian [RFC 6455 §7.4].
///
/// A newtype, not an enum: any `u16` can arrive, and none of them may be lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint is going away: a server stops, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: data came of a type that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the close frame had no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: the payload did not match its type, as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: the peer broke a rule of the endpoint's own.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: the message is larger than the endpoint accepts.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree to an extension that the client must have.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met something unforeseen.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts; connecting again is welcome.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; connecting again later is welcome.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got a bad answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// Whether the code may stand in a close frame: 1000–1003, 1007–1014, 3000–4999
    /// [RFC 6455 §7.4.1, §7.4.2, and the registry that §11.7 opens].
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// The code to answer a close frame with: the same, or 1000 if it had none
    /// [RFC 6455 §5.5.1].
    pub const fn echo(self) -> Self {
        match self {
            Self::NO_STATUS => Self::NORMAL,
            code => code,
        }
    }

    /// The name of the constant, if there is one.
    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL => "NORMAL",
            Self::GOING_AWAY => "GOING_AWAY",
            Self::PROTOCOL_ERROR => "PROTOCOL_ERROR",
            Self::UNSUPPORTED_DATA => "UNSUPPORTED_DATA",
            Self::NO_STATUS => "NO_STATUS",
            Self::ABNORMAL => "ABNORMAL",
            Self::INVALID_PAYLOAD => "INVALID_PAYLOAD",
            Self::POLICY_VIOLATION => "POLICY_VIOLATION",
            Self::MESSAGE_TOO_BIG => "MESSAGE_TOO_BIG",
            Self::MANDATORY_EXTENSION => "MANDATORY_EXTENSION",
            Self::INTERNAL_ERROR => "INTERNAL_ERROR",
            Self::SERVICE_RESTART => "SERVICE_RESTART",
            Self::TRY_AGAIN_LATER => "TRY_AGAIN_LATER",
            Self::BAD_GATEWAY => "BAD_GATEWAY",
            Self::TLS_HANDSHAKE => "TLS_HANDSHAKE",
            _ => return None,
        })
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "CloseCode({} {name})", self.0),
            None => write!(f, "CloseCode({})", self.0),
        }
    }
}

/// The longest reason in bytes: what a control frame holds, less the code
/// (RFC 6455 §5.5, §5.5.1).
const MAX_REASON: usize = 123;

/// `reason`, cut on a character boundary so that it fits a close frame.
pub(crate) fn cut_reason(reason: &str) -> &str {
    if reason.len() <= MAX_REASON {
        return reason;
    }
    let mut ends = (0..=MAX_REASON).rev();
    ends.find_map(|end| reason.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sendable_codes_are_those_of_section_7_4() {
        let table = [
            (0..=999, false),
            (1000..=1003, true),
            (1004..=1006, false),
            (1007..=1014, true),
            (1015..=2999, false),
            (3000..=4999, true),
            (5000..=u16::MAX, false),
        ];
        for (codes, sendable) in table {
            for code in codes {
                assert_eq!(CloseCode(code).is_sendable(), sendable, "code {code}");
            }
        }
    }

    #[test]
    fn a_close_without_a_code_is_answered_with_1000_and_any_other_with_itself() {
        assert_eq!(CloseCode::NO_STATUS.echo(), CloseCode::NORMAL);
        for code in [1000, 1001, 1011, 3000, 4999] {
            assert_eq!(CloseCode(code).echo(), CloseCode(code));
        }
    }

    #[test]
    fn a_code_prints_as_its_number_and_debugs_with_its_name() {
        assert_eq!(CloseCode::from(1001).to_string(), "1001");
        assert_eq!(format!("{:>6}", CloseCode(4000)), "  4000");
        assert_eq!(
            format!("{:?}", CloseCode::GOING_AWAY),
            "CloseCode(1001 GOING_AWAY)"
        );
        assert_eq!(format!("{:?}", CloseCode(4000)), "CloseCode(4000)");
    }

    #[test]
    fn every_registered_code_has_its_name() {
        for code in (1000..=1015).filter(|&code| code != 1004) {
            assert!(CloseCode(code).name().is_some(), "{code}");
        }
        for code in [0, 999, 1004, 1016, 3000, 4000, u16::MAX] {
            assert_eq!(CloseCode(code).name(), None, "{code}");
        }
    }

    #[test]
    fn a_reason_is_cut_to_123_bytes_on_a_character_boundary() {
        let table = [
            ("empty", String::new(), 0),
            ("fits", "x".repeat(123), 123),
            ("one over", "x".repeat(124), 123),
            ("two-byte characters", "é".repeat(62), 122),
            ("three-byte characters", "€".repeat(50), 123),
            ("four-byte characters", "😀".repeat(31), 120),
            ("one byte, then four", format!("x{}", "😀".repeat(31)), 121),
        ];
        for (name, reason, expected) in table {
            let cut = cut_reason(&reason);
            assert_eq!(cut.len(), expected, "{name}");
            assert!(reason.starts_with(cut), "{name}");
        }
    }
}
