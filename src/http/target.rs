//! The request target: its four forms (RFC 9112 §3.2), and percent-decoding (RFC 3986 §2.1).

use std::borrow::Cow;
use std::ops::Range;

use super::host::{is_authority, is_host};
use super::method::Method;

/// Where the parts of a target lie in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Empty if the absolute form has none, which means `/`.
    pub(super) path: Range<usize>,
    /// Without the `?`.
    pub(super) query: Option<Range<usize>>,
    /// The host of the absolute form: it replaces the Host field (RFC 9112 §3.2.2).
    pub(super) host: Option<Range<usize>>,
}

impl Target {
    /// Tells the form of `target`; `None` if it has none, or one that its method may not have.
    pub(super) fn parse(method: Method, target: &str) -> Option<Target> {
        let whole = || Target {
            path: 0..target.len(),
            query: None,
            host: None,
        };
        match method {
            Method::Connect => is_authority(target.as_bytes()).then(whole),
            Method::Options if target == "*" => Some(whole()),
            _ if target.starts_with('/') => Some(Target::from_path(target, 0)),
            _ => Target::absolute(target),
        }
    }

    fn absolute(target: &str) -> Option<Target> {
        let (scheme, after) = target.split_once("://")?;
        let known = ["http", "https", "ws", "wss"];
        let is_known = known.iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let from = scheme.len() + "://".len();
        let end = from + after.find(['/', '?']).unwrap_or(after.len());
        let host = target.get(from..end).filter(|_| is_known)?;
        is_host(host.as_bytes()).then(|| Target {
            host: Some(from..end),
            ..Target::from_path(target, end)
        })
    }

    /// Path and query, when the path begins at `from`.
    fn from_path(target: &str, from: usize) -> Target {
        let tail = target.get(from..).unwrap_or_default();
        let mark = tail.find('?').map(|offset| from + offset);
        Target {
            path: from..mark.unwrap_or(target.len()),
            query: mark.map(|mark| mark + 1..target.len()),
            host: None,
        }
    }
}

/// Percent-decodes one segment of a path, strictly (RFC 3986 §2.1).
///
/// `None` if an escape is malformed or the result is not UTF-8: answer 400.
pub(crate) fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match byte {
            b'%' => {
                let (decoded, tail) = escape(tail)?;
                bytes.push(decoded);
                tail
            }
            _ => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The byte that two hexadecimal digits behind a `%` stand for, and what follows them.
pub(super) fn escape(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else {
        return None;
    };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    Some(((high << 4 | low) as u8, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = Option<(&'static str, Option<&'static str>, Option<&'static str>)>;

    #[test]
    fn a_target_has_the_form_its_method_allows() {
        use Method::{Connect, Get, Options};
        let cases: [(Method, &str, Parts); 30] = [
            (Get, "/", Some(("/", None, None))),
            (Get, "/a/b?c=d?e", Some(("/a/b", Some("c=d?e"), None))),
            (Get, "/?", Some(("/", Some(""), None))),
            (Get, "//evil/x", Some(("//evil/x", None, None))),
            (Get, "/http://a/", Some(("/http://a/", None, None))),
            (Get, "http://a/b?c", Some(("/b", Some("c"), Some("a")))),
            (Get, "HTTPS://a:1", Some(("", None, Some("a:1")))),
            (
                Get,
                "ws://[::1]:9?q",
                Some(("", Some("q"), Some("[::1]:9"))),
            ),
            (
                Get,
                "wss://a/?http://b/",
                Some(("/", Some("http://b/"), Some("a"))),
            ),
            (Get, "ftp://a/", None),
            (Get, "http:///a", None),
            (Get, "http://", None),
            (Get, "http:/a", None),
            (Get, "http://user@a/", None),
            (Get, "http://a:x/", None),
            (Get, "http://a\\b/", None),
            (Get, "http", None),
            (Get, "a/b", None),
            (Get, "?a", None),
            (Get, "*", None),
            (Get, "a:80", None),
            (Get, "ws://a?b/c", Some(("", Some("b/c"), Some("a")))),
            (Options, "*", Some(("*", None, None))),
            (Options, "/a", Some(("/a", None, None))),
            (Options, "*/", None),
            (Connect, "a:80", Some(("a:80", None, None))),
            (Connect, "a", None),
            (Connect, "/", None),
            (Connect, "http://a:80/", None),
            (Connect, "*", None),
        ];
        for (method, target, expected) in cases {
            let found = Target::parse(method, target);
            let found = found.as_ref().map(|found| {
                let slice = |range: &Option<Range<usize>>| range.clone().map(|at| &target[at]);
                let path = &target[found.path.clone()];
                (path, slice(&found.query), slice(&found.host))
            });
            assert_eq!(found, expected, "{method} {target}");
        }
    }

    #[test]
    fn decoding_is_strict() {
        let cases = [
            ("", Some("")),
            ("plain+text", Some("plain+text")),
            ("%41%62", Some("Ab")),
            ("a%2Fb", Some("a/b")),
            ("%C3%a9", Some("é")),
            ("%00", Some("\0")),
            ("%2541", Some("%41")),
            ("%", None),
            ("%4", None),
            ("%4g", None),
            ("%+4", None),
            ("%%41", None),
            ("%C3", None),
            ("%ff", None),
            ("%ED%A0%80", None),
            ("%C0%AF", None),
        ];
        for (segment, expected) in cases {
            assert_eq!(decode(segment).as_deref(), expected, "{segment:?}");
        }
        assert!(matches!(decode("plain"), Some(Cow::Borrowed(_))));
    }
}
