//! Requests as `httparse` reads them, and why this library may refuse one that it reads.

use std::net::Ipv6Addr;

use httparse::{Header, Status};
use tungstenite::http::uri::Authority;

/// What both understand of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

impl Seen {
    pub(super) fn values(&self, name: &str) -> Vec<&[u8]> {
        let fields = self.headers.iter();
        let found = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice()).collect()
    }
}

/// What the other makes of bytes.
pub(super) enum Theirs {
    Read(Read),
    WantsMore,
    NoRequest,
}

pub(super) struct Read {
    pub(super) seen: Seen,
    /// Of the head.
    pub(super) length: usize,
    /// It is HTTP/1.0.
    pub(super) is_old: bool,
}

impl Read {
    pub(super) fn has_body(&self) -> bool {
        let length = self.seen.values("content-length");
        let is_some = |digits: &&[u8]| digits.iter().any(|&digit| digit != b'0');
        length.iter().any(is_some) || !self.seen.values("transfer-encoding").is_empty()
    }
}

impl Theirs {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = with_known_version(bytes);
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut fields);
        let length = match request.parse(&bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Self::WantsMore,
            Err(_) => return Self::NoRequest,
        };
        let field = |field: &Header<'_>| (field.name.to_owned(), field.value.to_vec());
        let seen = Seen {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: request.headers.iter().map(field).collect(),
        };
        let is_old = request.version == Some(0);
        Self::Read(Read {
            seen,
            length,
            is_old,
        })
    }
}

/// The other knows no minor version above 1; whoever speaks a later one understands 1.1 (RFC 9110 §2.5).
pub(super) fn with_known_version(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut lines = bytes.split_mut(|&byte| byte == b'\n');
    if let Some(
        [
            ..,
            b' ',
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            minor @ b'2'..=b'9',
            b'\r',
        ],
    ) = lines.find(|line| !matches!(line, [] | [b'\r']))
    {
        *minor = b'1';
    }
    bytes
}

/// As the crate `http` and the standard library understand a host; no user's name stands before it.
fn is_host(text: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(text) else {
        return false;
    };
    let (host, text) = (authority.host(), authority.as_str());
    let is_name = !host.is_empty() && !host.starts_with('[');
    let address = host.trim_matches(['[', ']']);
    let is_port = match text[host.len()..].strip_prefix(':') {
        Some(port) => port.is_empty() || !port.starts_with('+') && port.parse::<u16>().is_ok(),
        None => text.len() == host.len(),
    };
    is_port && !text.contains('@') && (is_name || address.parse::<Ipv6Addr>().is_ok())
}

/// Why a request is refused although the other reads it: the rules that are not a parser's, and those
/// which it is lenient with.
pub(super) fn reason(head: &[u8], read: &Read) -> Option<&'static str> {
    let Read { seen, is_old, .. } = read;
    let target = seen.target.as_str();
    let ends_badly = |line: &[u8]| line.ends_with(b"\n") && !line.ends_with(b"\r\n");
    let mut lines = head.split_inclusive(|&byte| byte == b'\n');

    let (hosts, expectations) = (seen.values("host"), seen.values("expect"));
    let (lengths, codings) = (
        seen.values("content-length"),
        seen.values("transfer-encoding"),
    );
    let is_number = |digits: &&[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let is_met = |value: &&[u8]| value.eq_ignore_ascii_case(b"100-continue");

    let is_star = target == "*";
    let authority = target.strip_prefix("http://");
    let host_of =
        |rest: &str| is_host(rest.split(['/', '?']).next().unwrap_or_default().as_bytes());
    let has_form = target.starts_with('/') || authority.is_some() || is_star;
    let is_visible = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    // Sections of RFC 9112, unless said otherwise.
    let reasons = [
        (
            "a second empty line before it (§2.2)",
            head.starts_with(b"\r\n\r\n"),
        ),
        (
            "a line that ends with LF alone, which a recipient need not take (§2.2)",
            lines.any(ends_badly),
        ),
        ("no Host (§3.2)", hosts.is_empty() && !is_old),
        ("more than one Host (§3.2)", hosts.len() > 1),
        (
            "a Host that is none (§3.2)",
            !hosts.iter().all(|host| is_host(host)),
        ),
        ("more than one Content-Length (§6.3)", lengths.len() > 1),
        (
            "a Content-Length that is no number (§6.3)",
            !lengths.iter().all(is_number),
        ),
        (
            "both lengths (§6.1)",
            !lengths.is_empty() && !codings.is_empty(),
        ),
        ("more than one Transfer-Encoding (§6.1)", codings.len() > 1),
        (
            "a coding other than chunked (§6.1)",
            !codings.iter().all(is_chunked),
        ),
        (
            "a coding in HTTP/1.0 (§6.1)",
            !codings.is_empty() && *is_old,
        ),
        ("a target that has none of the forms (§3.2)", !has_form),
        (
            "a host in the target that is none (§3.2.2)",
            !authority.is_none_or(host_of),
        ),
        (
            "an asterisk without OPTIONS (§3.2.4)",
            is_star && seen.method != "OPTIONS",
        ),
        (
            "a character that no target has (§3.2)",
            !target.bytes().all(is_visible),
        ),
        (
            "an expectation that is not met (RFC 9110 §10.1.1)",
            !expectations.iter().all(is_met),
        ),
    ];
    first_that_applies(&reasons)
}

pub(super) fn first_that_applies(reasons: &[(&'static str, bool)]) -> Option<&'static str> {
    let found = reasons.iter().find(|(_, applies)| *applies);
    found.map(|(reason, _)| *reason)
}
