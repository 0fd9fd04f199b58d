//! A request head and the reader that makes it (RFC 9112 §3, §5). Called by whatever serves
//! HTTP, once per request of a connection.

use super::error::BadRequest;
use super::fields::Fields;
use super::framing::Framing;
use super::host::is_host;
use super::method::{Method, Version};
use super::request_line::RequestLine;
use super::section::{HeadReader, Limits, Progress};
use super::syntax::Span;
use super::target::Target;

/// Reads request heads off a connection, one after the other.
///
/// Owns no heap memory between two heads. After an error it must not be used again.
#[derive(Debug)]
pub(crate) struct HeadParser {
    empty_line: EmptyLine,
    reader: HeadReader<RequestLine>,
}

/// The one empty line that may stand before a request (RFC 9112 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EmptyLine {
    Allowed,
    Begun,
    Over,
}

impl HeadParser {
    pub(crate) fn new(limits: Limits) -> HeadParser {
        HeadParser {
            empty_line: EmptyLine::Allowed,
            reader: HeadReader::new(limits),
        }
    }

    /// Bytes of heap memory held.
    pub(crate) fn held(&self) -> usize {
        self.reader.held()
    }

    /// Takes bytes off the front of `input`: up to the end of a head, or all of them.
    ///
    /// When a head is complete, what follows it in `input` is its body or the next request.
    ///
    /// # Errors
    ///
    /// Answer with [`BadRequest::status`] and close the connection. Which error it is does
    /// not depend on how the input is cut, and it is told when its byte arrives; only what
    /// needs the whole head (target form, Host, framing, Expect) is told at its end.
    pub(crate) fn push(&mut self, input: &[u8]) -> Result<Progress<Head>, BadRequest> {
        let skipped = self.skip_empty_line(input)?;
        let progress = self.reader.push(input.get(skipped..).unwrap_or_default())?;
        if progress.head.is_some() {
            self.empty_line = EmptyLine::Allowed;
        }
        Ok(Progress {
            used: skipped + progress.used,
            head: progress.head.map(Head::new).transpose()?,
        })
    }

    /// Whether a part of a head, but not all of it, has arrived.
    pub(crate) fn has_begun(&self) -> bool {
        self.reader.has_begun()
    }

    fn skip_empty_line(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        let mut used = 0;
        while self.empty_line != EmptyLine::Over
            && let Some(&byte) = input.get(used)
        {
            self.empty_line = match (self.empty_line, byte) {
                (EmptyLine::Allowed, b'\r') => EmptyLine::Begun,
                (EmptyLine::Allowed, b'\n') => return Err(BadRequest::BareLf),
                (EmptyLine::Begun, b'\n') => EmptyLine::Over,
                (EmptyLine::Begun, _) => return Err(BadRequest::BareCr),
                _ => {
                    self.empty_line = EmptyLine::Over;
                    break;
                }
            };
            used += 1;
        }
        Ok(used)
    }
}

/// A request head: the bytes that came, checked, and where its parts lie in them.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    fields: Fields,
    method: Method,
    version: Version,
    framing: Framing,
    method_token: Span,
    target: Span,
    path: Span,
    query: Option<Span>,
    /// The host of an absolute target.
    target_host: Option<Span>,
}

impl Head {
    fn new((line, fields): (RequestLine, Fields)) -> Result<Head, BadRequest> {
        let bytes = fields.bytes();
        let method = Method::from_token(line.method.of(bytes));
        let target = Target::parse(method, line.target.text(bytes)).ok_or(BadRequest::Target)?;
        check_host(line.version, &fields)?;
        check_expectations(&fields)?;
        let from = line.target.from as usize;
        let span = |part: std::ops::Range<usize>| Span::new(from + part.start, from + part.end);
        Ok(Head {
            method,
            version: line.version,
            framing: Framing::of(line.version, &fields)?,
            method_token: line.method,
            target: line.target,
            path: span(target.path),
            query: target.query.map(span),
            target_host: target.host.map(span),
            fields,
        })
    }

    pub(crate) fn method(&self) -> Method {
        self.method
    }

    /// The method as it came.
    pub(crate) fn method_token(&self) -> &str {
        self.method_token.text(self.fields.bytes())
    }

    /// The whole target as it came.
    pub(crate) fn target(&self) -> &str {
        self.target.text(self.fields.bytes())
    }

    /// The path, not decoded. It begins with `/`, except for `OPTIONS *` and CONNECT.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() {
            return "/";
        }
        self.path.text(self.fields.bytes())
    }

    /// What follows the first `?`, not decoded.
    pub(crate) fn query(&self) -> Option<&str> {
        self.query.map(|query| query.text(self.fields.bytes()))
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The first value of that name, trimmed; `None` also if it is not UTF-8.
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.fields.first(name)
    }

    /// The values of all lines of that name, trimmed; bytes above 0x7F may be anything.
    pub(crate) fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.values(name)
    }

    /// Name and trimmed value of every line, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter()
    }

    /// The elements of all lines of that name as one list, trimmed, without empty ones
    /// (RFC 9110 §5.6.1). A comma in a quoted string divides nothing; an element that is not
    /// UTF-8 is left out.
    pub(crate) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.list(name)
    }

    /// Whether the list of that name has this element, whatever the case.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.fields.has_token(name, token)
    }

    /// How the body behind this head is delimited.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client lets the connection live after the answer (RFC 9112 §9.3).
    pub(crate) fn keep_alive(&self) -> bool {
        !self.has_token("connection", "close")
            && (self.version == Version::Http11 || self.has_token("connection", "keep-alive"))
    }

    /// Whether the client waits for `100 Continue` before it sends the body
    /// (RFC 9110 §10.1.1); never in HTTP/1.0, and never when there is no body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && !matches!(self.framing, Framing::None | Framing::Length(0))
            && self.has_token("expect", "100-continue")
    }

    /// The host and port that the request is for: of the target if that is absolute, else of
    /// the Host field (RFC 9112 §3.2.2). Empty only in HTTP/1.0.
    pub(crate) fn host(&self) -> &str {
        match self.target_host {
            Some(host) => host.text(self.fields.bytes()),
            None => self.header("host").unwrap_or_default(),
        }
    }
}

/// Exactly one Host, and a sound one; HTTP/1.0 may lack it (RFC 9112 §3.2).
fn check_host(version: Version, fields: &Fields) -> Result<(), BadRequest> {
    let mut hosts = fields.values("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http10 => Ok(()),
        (None, _) => Err(BadRequest::MissingHost),
        (Some(_), Some(_)) => Err(BadRequest::ManyHosts),
        (Some(host), None) if is_host(host) => Ok(()),
        (Some(_), None) => Err(BadRequest::Host),
    }
}

fn check_expectations(fields: &Fields) -> Result<(), BadRequest> {
    let known = |value: &[u8]| value.is_empty() || value.eq_ignore_ascii_case(b"100-continue");
    match fields.values("expect").all(known) {
        true => Ok(()),
        false => Err(BadRequest::Expectation),
    }
}

#[cfg(test)]
mod tests;
