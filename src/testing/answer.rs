//! The answer to an HTTP request, as the kit's client reads it.

use crate::http::{Limits, ResponseHead, ResponseParser};

/// No answer of a test is too large.
const LIMITS: Limits = Limits {
    max_head: 1 << 24,
    max_fields: 1 << 16,
};

/// The answer to an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn of(head: &ResponseHead, body: Vec<u8>) -> Self {
        let text = |value| String::from_utf8_lossy(value).into_owned();
        let fields = head.fields();
        Self {
            status: head.status(),
            headers: fields
                .map(|(name, value)| (name.to_owned(), text(value)))
                .collect(),
            body,
        }
    }
}

/// Reads the head of an answer at the front of `bytes`: it, and where it ends. Interim answers, such
/// as 100, are passed over, but for 101. `None` if it is not there whole, or is no answer.
fn head(bytes: &[u8]) -> Option<(ResponseHead, usize)> {
    let mut at = 0;
    loop {
        let progress = ResponseParser::new(LIMITS).push(bytes.get(at..)?).ok()?;
        let head = progress.head?;
        at += progress.used;
        if head.status() >= 101 {
            return Some((head, at));
        }
    }
}

/// Takes one answer off the front of `bytes`, and gives its head as well, for who wants to look
/// closer. `None` if it is not there whole, or is no answer.
///
/// `is_end` says that nothing more will come, and `to_head` that it answers HEAD.
pub(super) fn take(
    bytes: &mut Vec<u8>,
    is_end: bool,
    to_head: bool,
) -> Option<(ResponseHead, Answer)> {
    let (head, at) = head(bytes)?;
    let rest = bytes.len() - at;
    let length = match head.status() {
        101 | 204 | 304 => 0,
        _ if to_head => 0,
        _ => match head.header("content-length") {
            Some(length) => length.parse().ok()?,
            None if is_end => rest,
            None => return None,
        },
    };
    if length > rest {
        return None;
    }
    let body = bytes.drain(..at + length).skip(at).collect();
    let answer = Answer::of(&head, body);
    Some((head, answer))
}
