//! Checks what the application wants to write into a head, lest it splits the answer in two
//! (RFC 9110 §5.5). Used for answers, and by the client for its request.

use std::fmt;

use super::syntax::{VALUE, is, is_token};

/// Something that cannot be written into a message: a header or a status.
///
/// Its `Display` is one line that quotes the offender, at most 64 characters of each name and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHeader(Offence);

/// So many characters are quoted: the line goes into logs, and a value may hold what a peer sent.
const QUOTED: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Offence {
    Name(Box<str>),
    Value { name: Box<str>, value: Box<str> },
    Reserved(Box<str>),
    Misplaced { name: Box<str>, why: &'static str },
    Status(u16),
}

impl InvalidHeader {
    /// For a header that only the library itself may write.
    pub(crate) fn reserved(name: &str) -> InvalidHeader {
        InvalidHeader(Offence::Reserved(name.into()))
    }

    /// For a header that cannot be where it was to be written: `why` says so, as a predicate.
    pub(crate) fn misplaced(name: &str, why: &'static str) -> InvalidHeader {
        let name = name.into();
        InvalidHeader(Offence::Misplaced { name, why })
    }

    pub(super) fn status(status: u16) -> InvalidHeader {
        InvalidHeader(Offence::Status(status))
    }
}

/// Whether this header can be written: the name is a token, and the value has no control
/// characters but tabs (RFC 9110 §5.1, §5.5).
///
/// # Errors
///
/// Quotes the name or the value that cannot.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), InvalidHeader> {
    if !is_token(name.as_bytes()) {
        return Err(InvalidHeader(Offence::Name(name.into())));
    }
    if !value.bytes().all(|byte| is(VALUE, byte)) {
        let (name, value) = (name.into(), value.into());
        return Err(InvalidHeader(Offence::Value { name, value }));
    }
    Ok(())
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Offence::Name(name) => write!(f, "header name {:?} is not a token", Cut(name)),
            Offence::Value { name, value } => {
                let (name, value) = (Cut(name), Cut(value));
                write!(
                    f,
                    "header {name} has a control character in its value {value:?}"
                )
            }
            Offence::Reserved(name) => write!(f, "header {} is written by the library", Cut(name)),
            Offence::Misplaced { name, why } => write!(f, "header {} {why}", Cut(name)),
            Offence::Status(status) => write!(f, "status {status} is not in 200..=599"),
        }
    }
}

/// The front of a text, and a sign that there is more.
struct Cut<'a>(&'a str);

impl Cut<'_> {
    fn parts(&self) -> (&str, &'static str) {
        match self.0.char_indices().nth(QUOTED) {
            Some((at, _)) => (self.0.split_at(at).0, "…"),
            None => (self.0, ""),
        }
    }
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (front, more) = self.parts();
        write!(f, "{front}{more}")
    }
}

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (front, more) = self.parts();
        write!(f, "{front:?}{more}")
    }
}

impl std::error::Error for InvalidHeader {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_split_a_message_is_quoted() {
        let cases = [
            ("a", "b", None),
            ("X-Name", "tab\tand é", None),
            ("a", "", None),
            ("", "b", Some("header name \"\" is not a token")),
            ("a b", "c", Some("header name \"a b\" is not a token")),
            ("a:", "c", Some("header name \"a:\" is not a token")),
            ("a\r\n", "c", Some("header name \"a\\r\\n\" is not a token")),
            ("é", "c", Some("header name \"é\" is not a token")),
            (
                "a",
                "b\r\nc: d",
                Some("header a has a control character in its value \"b\\r\\nc: d\""),
            ),
            (
                "a",
                "b\n",
                Some("header a has a control character in its value \"b\\n\""),
            ),
            (
                "a",
                "b\0",
                Some("header a has a control character in its value \"b\\0\""),
            ),
            (
                "a",
                "\u{7F}",
                Some("header a has a control character in its value \"\\u{7f}\""),
            ),
        ];
        for (name, value, expected) in cases {
            let found = check_header(name, value)
                .err()
                .map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected, "{name:?}: {value:?}");
        }
    }

    #[test]
    fn an_offence_of_any_length_is_told_in_a_short_line() {
        let long = "é\n".repeat(10_000);
        let name = "a".repeat(10_000);
        let offences = [
            check_header(&long, "").err(),
            check_header("a", &long).err(),
            check_header(&name, "\0").err(),
            Some(InvalidHeader::reserved(&name)),
            Some(InvalidHeader::misplaced(&name, "is elsewhere")),
        ];
        for offence in offences {
            let line = offence.expect("it cannot be written").to_string();
            assert!(line.len() < 400 && line.contains('…'), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }
}
