//! `example.org:8080`: the host and port of a Host field or a target (RFC 9110 §7.2).

use std::net::Ipv6Addr;

/// Whether `text` is `uri-host [":" port]` with a host that is not empty (RFC 3986 §3.2.2).
///
/// An empty host is grammar, but no http URI has one (RFC 9110 §4.2.1); an IPvFuture address
/// is grammar as well, but none exists.
pub(crate) fn is_host(text: &[u8]) -> bool {
    split_port(text).is_some_and(|(host, port)| is_uri_host(host) && port.is_none_or(is_port))
}

/// The same with a port that is there and not empty, as CONNECT needs it (RFC 9112 §3.2.3).
pub(super) fn is_authority(text: &[u8]) -> bool {
    split_port(text).is_some_and(|(host, port)| {
        is_uri_host(host) && port.is_some_and(|port| !port.is_empty() && is_port(port))
    })
}

fn split_port(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let bracket = text.iter().position(|&byte| byte == b']');
    let host_end = match bracket {
        Some(end) => end + 1,
        None => text
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(text.len()),
    };
    match text.split_at_checked(host_end)? {
        (host, []) => Some((host, None)),
        (host, [b':', port @ ..]) => Some((host, Some(port))),
        _ => None,
    }
}

fn is_uri_host(host: &[u8]) -> bool {
    match host {
        [] => false,
        [b'[', address @ .., b']'] => {
            std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
        }
        _ => is_reg_name(host),
    }
}

/// unreserved, sub-delims and percent-escapes (RFC 3986 §3.2.2).
fn is_reg_name(mut name: &[u8]) -> bool {
    loop {
        name = match name {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [byte, rest @ ..]
                if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) =>
            {
                rest
            }
            _ => return false,
        }
    }
}

/// Digits up to 65535; none at all is the scheme's default port.
fn is_port(port: &[u8]) -> bool {
    let value = port.iter().try_fold(0u16, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    });
    port.len() <= 5 && value.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_the_rfc_says() {
        let good = [
            "a",
            "example.org",
            "example.org:80",
            "example.org:",
            "127.0.0.1:65535",
            "[::1]",
            "[::1]:3000",
            "[::ffff:1.2.3.4]",
            "a_b-c~",
            "%41b",
            "xn--bcher-kva.example",
        ];
        for host in good {
            assert!(is_host(host.as_bytes()), "{host:?}");
        }
        let bad = [
            "",
            ":",
            ":80",
            "a:b",
            "a:65536",
            "a:000080",
            "a:8o",
            "a:-1",
            "a:80:80",
            "a b",
            "a\tb",
            "bad host%%",
            "%4",
            "%zz",
            "user@a",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "<a>",
            "\"a\"",
            "[]",
            "[::1",
            "::1",
            "[::1]80",
            "[::1]:x",
            "[::1%25lo]",
            "[v1.a]",
            "[1.2.3.4]",
            "a]",
            "é",
            "a|b",
            "a^b",
            "{a}",
            "a\0",
            "]",
            "[",
        ];
        for host in bad {
            assert!(!is_host(host.as_bytes()), "{host:?}");
        }
    }

    #[test]
    fn an_authority_has_a_port() {
        assert!(is_authority(b"a:443"));
        assert!(is_authority(b"[::1]:443"));
        for bad in ["a", "a:", ":443", "[::1]", ""] {
            assert!(!is_authority(bad.as_bytes()), "{bad:?}");
        }
    }
}
