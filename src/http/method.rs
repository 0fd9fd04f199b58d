//! What a request line begins and ends with: the method and the version (RFC 9110 §9, §2.5).

use std::fmt;

/// The method of a request (RFC 9110 §9.3, RFC 5789 for `PATCH`).
///
/// Methods are case-sensitive: `get` is [`Method::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// `CONNECT`
    Connect,
    /// `TRACE`
    Trace,
    /// Any other well-formed method.
    Other,
}

impl Method {
    /// The method as it stands on the wire; `OTHER` for [`Method::Other`].
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
            Method::Options => "OPTIONS",
            Method::Connect => "CONNECT",
            Method::Trace => "TRACE",
            Method::Other => "OTHER",
        }
    }

    pub(super) fn from_token(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"PATCH" => Method::Patch,
            b"OPTIONS" => Method::Options,
            b"CONNECT" => Method::Connect,
            b"TRACE" => Method::Trace,
            _ => Method::Other,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The version of a message. A higher minor of major 1 counts as 1.1 (RFC 9110 §2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    #[default]
    Http11,
}

impl Version {
    pub(super) fn from_minor(digit: u8) -> Version {
        if digit == b'0' {
            Version::Http10
        } else {
            Version::Http11
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn a_method_survives_the_wire_and_case_matters() {
        use Method::*;
        for method in [
            Get, Head, Post, Put, Delete, Patch, Options, Connect, Trace, Other,
        ] {
            assert_eq!(Method::from_token(method.as_str().as_bytes()), method);
        }
        assert_eq!(Method::from_token(b"get"), Other);
        assert_eq!(format!("{:>5}", Get), "  GET");
    }
}
