//! Why a message is refused: one small value per reason, with the status to answer it.

use std::fmt;

use super::refusal::Refusal;
use super::response::Response;

/// Why a message was refused. The connection cannot be trusted further: answer with
/// [`BadRequest::answer`], then close it (RFC 9112 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// The method is no token (RFC 9110 §9.1).
    Method,
    /// The method is longer than any that exists (RFC 9112 §3).
    MethodTooLong,
    /// The target has a forbidden byte, or a form that its method has not (RFC 9112 §3.2).
    Target,
    /// The target is longer than 8 KiB (RFC 9110 §4.1, §15.5.15).
    TargetTooLong,
    /// The request line ends after the target, as in HTTP/0.9 (RFC 9112 §3).
    MissingVersion,
    /// What follows the target is no `HTTP/x.y` (RFC 9112 §2.3).
    Version,
    /// A version whose major is not 1 (RFC 9110 §15.6.6).
    UnsupportedVersion,
    /// The answer does not begin with `HTTP/1.x NNN` (RFC 9112 §4).
    StatusLine,
    /// CR without LF (RFC 9112 §2.2).
    BareCr,
    /// LF without CR. We end lines with CRLF only (RFC 9112 §2.2).
    BareLf,
    /// A line that begins with white space: obs-fold (RFC 9112 §5.2, §2.2).
    FoldedLine,
    /// A field name that is empty or no token, or a line without a colon (RFC 9110 §5.1).
    FieldName,
    /// White space between field name and colon (RFC 9112 §5.1).
    SpaceBeforeColon,
    /// A control character in a field value (RFC 9110 §5.5).
    FieldValue,
    /// The head, or the trailers, have more bytes than allowed (RFC 6585 §5).
    HeadTooLarge,
    /// The head, or the trailers, have more lines than allowed (RFC 6585 §5).
    TooManyFields,
    /// HTTP/1.1 without Host (RFC 9112 §3.2).
    MissingHost,
    /// More than one Host (RFC 9112 §3.2).
    ManyHosts,
    /// Host is no `host[:port]` (RFC 9112 §3.2, RFC 9110 §7.2).
    Host,
    /// Content-Length is no plain decimal number of 64 bits (RFC 9112 §6.3).
    ContentLength,
    /// More than one Content-Length, even if they agree (RFC 9112 §6.3).
    ManyContentLengths,
    /// Content-Length beside Transfer-Encoding (RFC 9112 §6.3).
    LengthAndEncoding,
    /// Transfer-Encoding in an HTTP/1.0 message (RFC 9112 §6.1).
    EncodingInHttp10,
    /// `chunked` is repeated or not the final encoding (RFC 9112 §6.3).
    TransferEncoding,
    /// A transfer coding besides `chunked` (RFC 9112 §6.1).
    UnknownEncoding,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// The body is larger than allowed (RFC 9110 §15.5.14).
    BodyTooLarge,
    /// A chunk size that is no hexadecimal number of at most 16 digits (RFC 9112 §7.1).
    ChunkSize,
    /// More chunk extensions than anyone needs (RFC 9112 §7.1.1).
    ChunkExtension,
    /// A chunk that does not end where its size says (RFC 9112 §7.1).
    ChunkEnd,
}

impl BadRequest {
    /// The answer that says so, in a line of text.
    pub(crate) fn answer(self) -> Response {
        Response::text(format!("{self}\n"))
            .with_status(self.status())
            .because(self.refusal())
    }

    /// The status to answer with (RFC 9110 §15).
    pub(crate) fn status(self) -> u16 {
        match self {
            BadRequest::BodyTooLarge => 413,
            BadRequest::TargetTooLong => 414,
            BadRequest::Expectation => 417,
            BadRequest::HeadTooLarge | BadRequest::TooManyFields => 431,
            BadRequest::MethodTooLong | BadRequest::UnknownEncoding => 501,
            BadRequest::StatusLine => 502,
            BadRequest::UnsupportedVersion => 505,
            _ => 400,
        }
    }

    /// What it counts as.
    fn refusal(self) -> Refusal {
        match self {
            BadRequest::BodyTooLarge
            | BadRequest::TargetTooLong
            | BadRequest::HeadTooLarge
            | BadRequest::TooManyFields => Refusal::TooLarge,
            _ => Refusal::BadRequest,
        }
    }

    fn text(self) -> &'static str {
        match self {
            BadRequest::Method => "the method is not a token",
            BadRequest::MethodTooLong => "the method is too long",
            BadRequest::Target => "the request target is malformed",
            BadRequest::TargetTooLong => "the request target is too long",
            BadRequest::MissingVersion => "the request line has no version",
            BadRequest::Version => "the version is malformed",
            BadRequest::UnsupportedVersion => "the version is not HTTP/1.0 or HTTP/1.1",
            BadRequest::StatusLine => "the status line is malformed",
            BadRequest::BareCr => "a carriage return stands alone",
            BadRequest::BareLf => "a line feed stands alone",
            BadRequest::FoldedLine => "a header line begins with white space",
            BadRequest::FieldName => "a header name is not a token",
            BadRequest::SpaceBeforeColon => "white space stands before a header's colon",
            BadRequest::FieldValue => "a header value has a control character",
            BadRequest::HeadTooLarge => "the header fields are too large",
            BadRequest::TooManyFields => "there are too many header fields",
            BadRequest::MissingHost => "the host header is missing",
            BadRequest::ManyHosts => "there is more than one host header",
            BadRequest::Host => "the host header is malformed",
            BadRequest::ContentLength => "the content-length is not a number",
            BadRequest::ManyContentLengths => "there is more than one content-length",
            BadRequest::LengthAndEncoding => "content-length stands beside transfer-encoding",
            BadRequest::EncodingInHttp10 => "transfer-encoding is not part of HTTP/1.0",
            BadRequest::TransferEncoding => "chunked is not the final transfer-encoding",
            BadRequest::UnknownEncoding => "the transfer-encoding is not known",
            BadRequest::Expectation => "the expectation is not 100-continue",
            BadRequest::BodyTooLarge => "the body is too large",
            BadRequest::ChunkSize => "a chunk size is malformed",
            BadRequest::ChunkExtension => "a chunk extension is malformed or too long",
            BadRequest::ChunkEnd => "a chunk does not end with its size",
        }
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for BadRequest {}

#[cfg(test)]
mod tests {
    use super::BadRequest::{self, *};

    #[test]
    fn each_reason_has_its_status_and_a_lower_case_line() {
        let cases: [(u16, &[BadRequest]); 9] = [
            (
                400,
                &[Method, Target, MissingVersion, Version, BareCr, BareLf],
            ),
            (400, &[FoldedLine, FieldName, SpaceBeforeColon, FieldValue]),
            (
                400,
                &[
                    MissingHost,
                    ManyHosts,
                    Host,
                    ContentLength,
                    ManyContentLengths,
                ],
            ),
            (
                400,
                &[LengthAndEncoding, EncodingInHttp10, TransferEncoding],
            ),
            (400, &[ChunkSize, ChunkExtension, ChunkEnd]),
            (413, &[BodyTooLarge]),
            (431, &[HeadTooLarge, TooManyFields]),
            (501, &[MethodTooLong, UnknownEncoding]),
            (502, &[StatusLine]),
        ];
        let single = [
            (414, TargetTooLong),
            (417, Expectation),
            (505, UnsupportedVersion),
        ];
        let listed = cases
            .iter()
            .flat_map(|(status, reasons)| reasons.iter().map(|&reason| (*status, reason)));
        let mut lines = Vec::new();
        for (status, reason) in listed.chain(single) {
            assert_eq!(reason.status(), status, "{reason:?}");
            let line = reason.to_string();
            assert!(
                line.starts_with(|letter: char| letter.is_ascii_lowercase()),
                "{line}"
            );
            assert!(!line.contains('\n') && !lines.contains(&line), "{line}");
            lines.push(line);
        }
        assert_eq!(lines.len(), 30);
    }
}
