//! `ws://host:port/path?query`: where to connect to (RFC 6455 §3).

use crate::http::is_host;

/// A URL that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as the field `Host` has them (RFC 9110 §7.2).
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("has no scheme")?;
        match scheme.to_ascii_lowercase().as_str() {
            "ws" => {}
            "wss" => return Err("asks for TLS, which is not here"),
            _ => return Err("has another scheme than ws"),
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or("has no host")?;
        if authority.contains('@') {
            return Err("has a user, which belongs into a header");
        }
        if !is_host(authority.as_bytes()) {
            return Err("has no host, or host and port are malformed");
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authority: authority.to_owned(),
            target: parse_target(target)?,
        })
    }
}

fn split_port(authority: &str) -> Result<(&str, u16), &'static str> {
    const DEFAULT: u16 = 80;
    match authority.rsplit_once(':') {
        Some((host, "")) if !host.contains(':') || host.ends_with(']') => Ok((host, DEFAULT)),
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse().ok().filter(|port| *port > 0);
            Ok((host, port.ok_or("has a port that is none")?))
        }
        _ => Ok((authority, DEFAULT)),
    }
}

/// RFC 6455 §3: no fragment; whatever is not a visible character of ASCII must be escaped.
fn parse_target(target: &str) -> Result<String, &'static str> {
    if target.contains('#') {
        return Err("has a fragment");
    }
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters that must be percent-encoded");
    }
    Ok(match target.starts_with('/') {
        true => target.to_owned(),
        false => format!("/{target}"),
    })
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_url_is_taken_apart() {
        let table = [
            ("ws://a", "a", 80, "a", "/"),
            (
                "WS://a.example:8080",
                "a.example",
                8080,
                "a.example:8080",
                "/",
            ),
            ("ws://a/b/c?d=e&f", "a", 80, "a", "/b/c?d=e&f"),
            ("ws://a?d", "a", 80, "a", "/?d"),
            ("ws://a:/b", "a", 80, "a:", "/b"),
            ("ws://127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1", "/"),
            ("ws://[::1]", "::1", 80, "[::1]", "/"),
            ("ws://[::1]:65535/", "::1", 65535, "[::1]:65535", "/"),
        ];
        for (text, host, port, authority, target) in table {
            let url = Url::parse(text).expect(text);
            assert_eq!(
                (&*url.host, url.port, &*url.authority, &*url.target),
                (host, port, authority, target),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_none_is_refused_and_says_why() {
        let table = [
            ("", "no scheme"),
            ("a", "no scheme"),
            ("http://a", "another scheme"),
            ("wss://a", "TLS"),
            ("ws://", "no host"),
            ("ws:///path", "no host"),
            ("ws://:80/", "no host"),
            ("ws://u:p@a/", "user"),
            ("ws://a b/", "malformed"),
            ("ws://[::1/", "malformed"),
            ("ws://::1/", "malformed"),
            ("ws://a:0/", "port"),
            ("ws://a:65536/", "malformed"),
            ("ws://a:x/", "malformed"),
            ("ws://a/#b", "fragment"),
            ("ws://a/b c", "percent"),
            ("ws://a/ü", "percent"),
            ("ws://a/\r\nX: y", "percent"),
        ];
        for (text, why) in table {
            let found = Url::parse(text).expect_err(text);
            assert!(found.contains(why), "{text:?}: {found}");
        }
    }
}
