//! An answer to an HTTP request, and how it is written (RFC 9110 §15, RFC 9112 §4).

use super::invalid_header::{InvalidHeader, check_header};
use super::refusal::Refusal;
use super::status::reason;

/// An answer to an HTTP request: a status, headers and a body.
///
/// What frames the answer (`Content-Length`, `Transfer-Encoding`, `Connection`, `Date`,
/// `Upgrade`) is written by the library. A header that cannot be written, or a status that
/// does not exist, spoils the answer: [`Response::offence`] tells, and the client gets 500.
///
/// ```
/// # use rushwire::Response;
/// let response = Response::json(r#"{"error":"no such room"}"#)
///     .with_status(404)
///     .header("Cache-Control", "no-store");
/// assert_eq!(response.status(), 404);
/// assert!(response.offence().is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(Box<str>, Box<str>)>,
    body: Vec<u8>,
    upgrade: Option<&'static str>,
    offence: Option<InvalidHeader>,
    /// Why it refuses, if the library does.
    refusal: Option<Refusal>,
}

/// The headers that are written by the library.
const RESERVED: [&str; 5] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "date",
    "upgrade",
];

impl Response {
    /// An answer with a status from 200 to 599 and no body.
    pub fn new(status: u16) -> Response {
        let response = Response {
            status: 500,
            headers: Vec::new(),
            body: Vec::new(),
            upgrade: None,
            offence: None,
            refusal: None,
        };
        response.with_status(status)
    }

    /// 200 with a body of `text/plain` in UTF-8.
    pub fn text(body: impl Into<String>) -> Response {
        Response::bytes("text/plain; charset=utf-8", body.into().into_bytes())
    }

    /// 200 with a body of `text/html` in UTF-8.
    pub fn html(body: impl Into<String>) -> Response {
        Response::bytes("text/html; charset=utf-8", body.into().into_bytes())
    }

    /// 200 with a body of `application/json`, which must be JSON already.
    pub fn json(body: impl Into<String>) -> Response {
        Response::bytes("application/json", body.into().into_bytes())
    }

    /// 200 with a body of any type.
    pub fn bytes(content_type: &str, body: Vec<u8>) -> Response {
        let mut response = Response::new(200).header("Content-Type", content_type);
        response.body = body;
        response
    }

    /// The same with another status, from 200 to 599.
    pub fn with_status(mut self, status: u16) -> Response {
        match status {
            200..=599 => self.status = status,
            _ => self.remember(InvalidHeader::status(status)),
        }
        self
    }

    /// The same with one more header; a second `Content-Type` replaces the first.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Response {
        let (name, value) = (name.into(), value.into());
        if RESERVED
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
        {
            self.remember(InvalidHeader::reserved(&name));
        } else if let Err(offence) = check_header(&name, &value) {
            self.remember(offence);
        } else {
            if name.eq_ignore_ascii_case("content-type") {
                self.headers
                    .retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            }
            self.headers.push((name.into(), value.into()));
        }
        self
    }

    /// The same, offering to go on with another protocol, as 426 must (RFC 9110 §15.5.22).
    pub(crate) fn with_upgrade(mut self, protocol: &'static str) -> Response {
        self.upgrade = Some(protocol);
        self
    }

    /// The protocol that it offers to go on with.
    pub(crate) fn upgrade(&self) -> Option<&'static str> {
        self.upgrade
    }

    /// The same, to be counted as a refusal of that kind.
    pub(crate) fn because(mut self, refusal: Refusal) -> Response {
        self.refusal = Some(refusal);
        self
    }

    /// The same, to be counted as a refusal of that kind if it is of none yet.
    pub(crate) fn or_because(mut self, refusal: Refusal) -> Response {
        self.refusal.get_or_insert(refusal);
        self
    }

    /// Why it refuses, if the library knows.
    pub(crate) fn cause(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Why it refuses, if it does. What has no cause of the library's is the application's answer.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let cause = self.refusal.unwrap_or(Refusal::Application);
        (self.status >= 400).then_some(cause)
    }

    fn remember(&mut self, offence: InvalidHeader) {
        self.offence.get_or_insert(offence);
    }

    /// The status, from 200 to 599.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Name and value of each header that was added, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The first header or status that was refused: this answer will not be sent, but 500.
    pub fn offence(&self) -> Option<&InvalidHeader> {
        self.offence.as_ref()
    }

    /// Appends the answer to `out`. It is sound even if there was an offence.
    pub(crate) fn write(&self, out: &mut Vec<u8>, how: Write<'_>) {
        out.reserve(256 + self.body.len());
        let line = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        out.extend_from_slice(line.as_bytes());
        write_header(out, "Date", how.date);
        for (name, value) in self.headers() {
            write_header(out, name, value);
        }
        self.write_connection(out, how);
        if let Some(length) = self.content_length() {
            write_header(out, "Content-Length", &length.to_string());
        }
        out.extend_from_slice(b"\r\n");
        if !how.head_only && self.content_length().is_some_and(|length| length > 0) {
            out.extend_from_slice(&self.body);
        }
    }

    /// What Content-Length says, and `None` where it must not stand (RFC 9110 §8.6, §15.3.6,
    /// §15.4.5).
    fn content_length(&self) -> Option<usize> {
        match self.status {
            204 | 304 => None,
            205 => Some(0),
            _ => Some(self.body.len()),
        }
    }

    /// Connection and Upgrade (RFC 9112 §9.3, RFC 9110 §7.8).
    fn write_connection(&self, out: &mut Vec<u8>, how: Write<'_>) {
        let persistence = match (how.keep_alive, how.http10) {
            (false, _) => "close",
            (true, true) => "keep-alive",
            (true, false) => "",
        };
        match (self.upgrade, persistence) {
            (None, "") => {}
            (None, option) => write_header(out, "Connection", option),
            (Some(protocol), option) => {
                let separator = if option.is_empty() { "" } else { ", " };
                write_header(out, "Upgrade", protocol);
                write_header(out, "Connection", &format!("upgrade{separator}{option}"));
            }
        }
    }
}

/// How an answer is to be written, which the request decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    /// The request was HEAD: Content-Length as for GET, but no body (RFC 9110 §9.3.2).
    pub(crate) head_only: bool,
    /// The connection stays open behind the answer.
    pub(crate) keep_alive: bool,
    /// The request was HTTP/1.0, which has to be told that the connection stays open.
    pub(crate) http10: bool,
    /// The time, as [`super::imf_fixdate`] makes it.
    pub(crate) date: &'a str,
}

fn write_header(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests;
