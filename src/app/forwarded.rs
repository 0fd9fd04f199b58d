//! For whom a proxy speaks: the elements of `Forwarded` (RFC 7239 §4) and of `X-Forwarded-For`, from the
//! right. The rules on addresses walk along them.
//!
//! What a proxy has written at the right end is whole. What stands to its left is whatever the client liked
//! to send, a quotation mark that nobody closes included: read from the left, that would swallow the rest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whom each element of a field `Forwarded` speaks for, the last first; `None` where that is no address.
pub(super) fn forwarded(value: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    elements(Pieces::of(value, b',')).map(forwarded_for)
}

/// The same of a field `X-Forwarded-For`, which knows no quotation marks.
pub(super) fn x_forwarded_for(value: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    elements(value.rsplit(|&byte| byte == b',')).map(address)
}

/// Empty elements are none (RFC 9110 §5.6.1).
fn elements<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    pieces
        .map(<[u8]>::trim_ascii)
        .filter(|piece| !piece.is_empty())
}

/// The `for` of an element, which it has once.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut all = Pieces::of(element, b';').filter_map(for_value);
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    match value.strip_prefix(b"\"") {
        Some(quoted) => address(quoted.strip_suffix(b"\"")?),
        None => address(value),
    }
}

/// The value of a pair, if its name is `for`.
fn for_value(pair: &[u8]) -> Option<&[u8]> {
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    let (name, value) = pair.split_at(equals);
    let is_for = name.trim_ascii().eq_ignore_ascii_case(b"for");
    is_for.then(|| value.get(1..).unwrap_or_default().trim_ascii())
}

/// An address, perhaps with a port, and then one of IPv6 in brackets (RFC 7239 §6).
fn address(node: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(node).ok()?;
    let plain = text.parse::<IpAddr>().ok();
    Some(plain.or_else(|| with_port(text))?.to_canonical())
}

fn with_port(text: &str) -> Option<IpAddr> {
    let name = match text.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => text,
    };
    Some(match name.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into(),
        None => name.parse::<Ipv4Addr>().ok()?.into(),
    })
}

/// A number, or a name that stands for one.
fn is_port(port: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match port.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(in_name),
        None => port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    }
}

/// Pieces of a list, the last first; a separator inside of a quoted string separates nothing.
struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Pieces<'a> {
    fn of(list: &'a [u8], separator: u8) -> Self {
        Self {
            rest: Some(list),
            separator,
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let mut is_quoted = false;
        let ends = |&(at, &byte): &(usize, &u8)| {
            is_quoted ^= byte == b'"' && !is_escaped(rest, at);
            !is_quoted && byte == self.separator
        };
        let Some((at, _)) = rest.iter().enumerate().rev().find(ends) else {
            return Some(rest);
        };
        self.rest = rest.get(..at);
        rest.get(at + 1..)
    }
}

/// Whether a backslash takes its meaning from the byte at `at` (RFC 9110 §5.6.4): one that has not lost
/// its own to another.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default().iter().rev();
    before.take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_formed_is_split_from_the_right_as_from_the_left() {
        let table: [(&str, &[&str]); 10] = [
            ("", &[""]),
            (",", &["", ""]),
            ("a", &["a"]),
            ("a,b,", &["a", "b", ""]),
            (r#"a="x,y",b"#, &[r#"a="x,y""#, "b"]),
            (r#"a="x\",y",b"#, &[r#"a="x\",y""#, "b"]),
            (r#"a="x\\",b"#, &[r#"a="x\\""#, "b"]),
            (r#"a="",b="","#, &[r#"a="""#, r#"b="""#, ""]),
            (r#"a="\"",b"#, &[r#"a="\"""#, "b"]),
            (r#""a,b";"c,d""#, &[r#""a,b";"c,d""#]),
        ];
        for (list, expected) in table {
            let mut pieces: Vec<_> = Pieces::of(list.as_bytes(), b',').collect();
            pieces.reverse();
            let expected: Vec<_> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(pieces, expected, "{list:?}");
        }
    }

    /// Whatever comes before it: so many bytes of all kinds, each followed by what the proxy adds.
    #[test]
    fn no_beginning_changes_the_end() {
        const KINDS: &[u8] = b"\",;=\\ f1\xFF";
        let proxy = "6.6.6.6".parse().ok();
        for mut n in 0..if cfg!(miri) { 100_usize } else { 60_000 } {
            let mut value = Vec::new();
            while n > 0 {
                value.push(KINDS[n % KINDS.len()]);
                n /= KINDS.len();
            }
            let name = String::from_utf8_lossy(&value).into_owned();
            let old = [&value[..], b", 6.6.6.6"].concat();
            assert_eq!(x_forwarded_for(&old).next(), Some(proxy), "{name:?}");
            for own in ["for=6.6.6.6", "host=\"a,;\\\"\";for=\"6.6.6.6:80\""] {
                let new = [&value[..], b", ", own.as_bytes()].concat();
                assert_eq!(forwarded(&new).next(), Some(proxy), "{name:?}, {own}");
            }
        }
    }

    #[test]
    fn a_long_list_is_read_in_the_time_that_its_length_allows() {
        for byte in [b'"', b'\\', b',', b';', b'='] {
            let list = [vec![byte; 1 << 20], b",for=6.6.6.6".to_vec()].concat();
            assert_eq!(forwarded(&list).next(), Some("6.6.6.6".parse().ok()));
            forwarded(&list).for_each(drop);
        }
    }
}
