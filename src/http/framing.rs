//! How long a request's body is (RFC 9112 §6.3): the rules that smuggling lives on.

use super::error::BadRequest;
use super::fields::Fields;
use super::method::Version;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// By Content-Length, in bytes.
    Length(u64),
    /// By chunks.
    Chunked,
}

impl Framing {
    pub(super) fn of(version: Version, fields: &Fields) -> Result<Framing, BadRequest> {
        let length = content_length(fields)?;
        if fields.values("transfer-encoding").next().is_none() {
            return Ok(length.map_or(Framing::None, Framing::Length));
        }
        if version == Version::Http10 {
            return Err(BadRequest::EncodingInHttp10);
        }
        if length.is_some() {
            return Err(BadRequest::LengthAndEncoding);
        }
        transfer_encoding(fields)
    }
}

fn content_length(fields: &Fields) -> Result<Option<u64>, BadRequest> {
    let mut values = fields.values("content-length");
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BadRequest::ManyContentLengths);
    }
    decimal(value).map(Some).ok_or(BadRequest::ContentLength)
}

/// Digits and nothing else: no sign, no list, no white space, no overflow.
fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// One line that says `chunked`, and nothing else.
///
/// A final coding other than `chunked` leaves the end of the body open, hence 400; a known
/// end under an unknown coding is 501 (RFC 9112 §6.1, §6.3).
fn transfer_encoding(fields: &Fields) -> Result<Framing, BadRequest> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let mut lines = fields.values("transfer-encoding");
    if lines.next().is_some_and(is_chunked) && lines.next().is_none() {
        return Ok(Framing::Chunked);
    }
    let codings: Vec<&str> = fields.list("transfer-encoding").collect();
    match codings.split_last() {
        Some((last, others)) if is_chunked(last.as_bytes()) && !others.is_empty() => {
            let repeated = others.iter().any(|coding| is_chunked(coding.as_bytes()));
            Err(match repeated {
                true => BadRequest::TransferEncoding,
                false => BadRequest::UnknownEncoding,
            })
        }
        _ => Err(BadRequest::TransferEncoding),
    }
}
