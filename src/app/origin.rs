//! Which pages may connect (RFC 6455 §10.2, RFC 6454 §6.2).

use std::net::Ipv6Addr;

use super::request::Request;

type Predicate = Box<dyn Fn(&str, &Request) -> bool>;

/// The rules on origins. Without any, everyone may connect.
#[derive(Default)]
pub(super) struct Origins {
    patterns: Vec<Pattern>,
    predicates: Vec<Predicate>,
}

impl Origins {
    pub(super) fn allow(&mut self, pattern: Pattern) {
        self.patterns.push(pattern);
    }

    pub(super) fn allow_if(&mut self, predicate: Predicate) {
        self.predicates.push(predicate);
    }

    /// Whether a request may become a socket. With rules, one that names no origin, or several, may not.
    pub(super) fn admit(&self, request: &Request) -> bool {
        if self.patterns.is_empty() && self.predicates.is_empty() {
            return true;
        }
        let mut values = request.head().header_values("Origin");
        let (Some(origin), None) = (values.next(), values.next()) else {
            return false;
        };
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        self.patterns.iter().any(|pattern| pattern.matches(origin))
            || self.predicates.iter().any(|allows| allows(origin, request))
    }
}

/// An origin in which `*` stands for a part of the host, or for the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    scheme: String,
    host: String,
    port: Option<String>,
}

impl Pattern {
    /// Reads `scheme://host` or `scheme://host:port`, or gives what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let problem = |why: &str| format!("origin {text:?} {why}");
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| problem("has no scheme: write https://host"))?;
        let (host, port) = split_port(rest);
        if scheme.is_empty()
            || !scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            return Err(problem("has a malformed scheme"));
        }
        if host.is_empty() || !(is_ipv6(host) || host.bytes().all(|b| in_host(b) || b == b'*')) {
            return Err(problem(
                "has a malformed host: only a host and a port may follow the scheme",
            ));
        }
        if port.is_some_and(|port| {
            port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit() || b == b'*')
        }) {
            return Err(problem("has a malformed port"));
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            port: port.map(str::to_owned),
        })
    }

    /// Whether the whole of `origin` matches.
    pub(super) fn matches(&self, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else {
            return false;
        };
        let (host, port) = split_port(rest);
        let ports = match (&self.port, port) {
            (None, None) => true,
            (Some(pattern), Some(port)) => {
                glob(pattern.as_bytes(), port.as_bytes(), |b| b.is_ascii_digit())
            }
            _ => false,
        };
        ports
            && scheme.eq_ignore_ascii_case(&self.scheme)
            && glob(
                self.host.as_bytes(),
                host.to_ascii_lowercase().as_bytes(),
                in_host,
            )
    }
}

/// Whether it is an IPv6 address in brackets (RFC 3986 §3.2.2). No `*` stands for a part of one.
fn is_ipv6(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

fn in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'
}

/// Host and port. The colons inside of an IPv6 address separate nothing.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Whether all of `text` matches `pattern`, in which each `*` stands for one or more bytes that
/// `stands_for` allows. Takes time proportional to the product of the lengths at most.
fn glob(pattern: &[u8], text: &[u8], stands_for: impl Fn(u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // The last star, and how far the text is taken by it.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), Some(&byte)) if stands_for(byte) => {
                star = Some((p, t + 1));
                (p, t) = (p + 1, t + 1);
            }
            (Some(expected), Some(byte)) if expected == byte && *expected != b'*' => {
                (p, t) = (p + 1, t + 1)
            }
            (_, _) => match star {
                Some((at, taken)) if text.get(taken).is_some_and(|&byte| stands_for(byte)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    p == pattern.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_origins() {
        let table = [
            ("https://example.com", "https://example.com", true),
            ("https://example.com", "HTTPS://Example.COM", true),
            ("https://EXAMPLE.com", "https://example.com", true),
            ("https://example.com", "https://example.com.evil.org", false),
            ("https://example.com", "https://evil-example.com", false),
            ("https://example.com", "http://example.com", false),
            ("https://example.com", "https://example.com:8443", false),
            ("https://example.com", "null", false),
            ("https://example.com", "", false),
            ("http://localhost:*", "http://localhost:3000", true),
            ("http://localhost:*", "http://localhost", false),
            ("http://localhost:*", "http://localhost:", false),
            ("http://localhost:*", "http://localhost:3000x", false),
            ("http://localhost:*", "http://localhost:80@evil.org", false),
            ("http://localhost:3*", "http://localhost:3000", true),
            ("http://localhost:3*", "http://localhost:4000", false),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            (
                "https://*.example.com",
                "https://evil.org/.example.com",
                false,
            ),
            (
                "https://*.example.com",
                "https://evil.org#.example.com",
                false,
            ),
            (
                "https://*.example.com",
                "https://a.example.com.evil.org",
                false,
            ),
            ("https://*", "https://anything.org", true),
            ("https://a*b*c", "https://axbxbxc", true),
            ("https://a*b*c", "https://axbxb", false),
            ("http://[::1]:*", "http://[::1]:80", true),
            ("http://[::1]", "http://[::1]", true),
        ];
        for (pattern, origin, expected) in table {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(origin),
                expected,
                "{pattern} against {origin}"
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_and_quoted() {
        for bad in [
            "",
            "example.com",
            "https://",
            "://x",
            "https://example.com/",
            "https://a b",
            "https://x:",
            "https://x:port",
            "https://x?y",
            "https://[::1/]",
            "https://[*]",
            "*",
        ] {
            let problem = Pattern::parse(bad).unwrap_err();
            assert!(problem.contains(&format!("{bad:?}")), "{problem}");
        }
    }

    #[test]
    fn a_hostile_origin_costs_no_more_than_its_length_allows() {
        let pattern = Pattern::parse("https://*a*a*a*a*a*a*b").unwrap();
        assert!(!pattern.matches(&format!("https://{}", "a".repeat(10_000))));
    }
}
