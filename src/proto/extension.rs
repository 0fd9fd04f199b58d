//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1): read by both sides of the
//! handshake, written by whoever offers or accepts an extension.
//!
//! One pass, no recursion, and nothing is copied but a quoted value with escapes in it.

use crate::http::is_token;
use std::borrow::Cow;
use std::fmt;

/// One extension that is offered or accepted, with its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension<'a> {
    pub(crate) name: &'a str,
    /// Names, and unquoted values.
    pub(crate) params: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// A header that does not follow the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The extensions of all `lines` of the header, which are one list however it was divided.
///
/// # Errors
///
/// [`Malformed`] also if there are lines but no extension in them: the list has at least one.
pub(crate) fn parse<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Extension<'a>>, Malformed> {
    let mut extensions = Vec::new();
    let mut lines = lines.peekable();
    let is_present = lines.peek().is_some();
    for line in lines {
        let line = str::from_utf8(line).map_err(|_| Malformed)?;
        Cursor { rest: line }.list(&mut extensions)?;
    }
    match is_present && extensions.is_empty() {
        true => Err(Malformed),
        false => Ok(extensions),
    }
}

/// What is left of a line.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// Extensions between commas; empty elements are let pass, as in any list of HTTP.
    fn list(mut self, extensions: &mut Vec<Extension<'a>>) -> Result<(), Malformed> {
        loop {
            while self.eat(',') {}
            if self.rest.is_empty() {
                return Ok(());
            }
            extensions.push(self.extension()?);
            if !self.rest.is_empty() && !self.eat(',') {
                return Err(Malformed);
            }
        }
    }

    fn extension(&mut self) -> Result<Extension<'a>, Malformed> {
        let name = self.token()?;
        let mut params = Vec::new();
        while self.eat(';') {
            let name = self.token()?;
            let value = if self.eat('=') {
                Some(self.value()?)
            } else {
                None
            };
            params.push((name, value));
        }
        Ok(Extension { name, params })
    }

    fn value(&mut self) -> Result<Cow<'a, str>, Malformed> {
        match self.rest.strip_prefix('"') {
            Some(rest) => self.quoted(rest),
            None => Ok(self.token()?.into()),
        }
    }

    /// A quoted string, which must be a token when it is unquoted.
    fn quoted(&mut self, rest: &'a str) -> Result<Cow<'a, str>, Malformed> {
        let mut escaped = false;
        let is_end = |byte: u8| {
            let plain = !escaped;
            escaped = plain && byte == b'\\';
            plain && byte == b'"'
        };
        let end = rest.bytes().position(is_end).ok_or(Malformed)?;
        let (inside, behind) = rest.split_at_checked(end).ok_or(Malformed)?;
        self.rest = behind.strip_prefix('"').ok_or(Malformed)?;
        self.skip_space();
        let value = unescaped(inside);
        match is_token(value.as_bytes()) {
            true => Ok(value),
            false => Err(Malformed),
        }
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let is_end = |byte: u8| !is_token(&[byte]);
        let end = self.rest.bytes().position(is_end);
        let end = end.unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end).ok_or(Malformed)?;
        if token.is_empty() {
            return Err(Malformed);
        }
        self.rest = rest;
        self.skip_space();
        Ok(token)
    }

    /// Takes `sign` if it is next, with the space around it.
    fn eat(&mut self, sign: char) -> bool {
        self.skip_space();
        let Some(rest) = self.rest.strip_prefix(sign) else {
            return false;
        };
        self.rest = rest;
        self.skip_space();
        true
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

/// `inside` of the quotes without its escapes (RFC 9110 §5.6.4).
fn unescaped(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return inside.into();
    }
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            character => plain.push(character),
        }
    }
    plain.into()
}

/// As it stands in the header; every value is a token, so none needs quotes.
impl fmt::Display for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (name, value) in &self.params {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Vec<String>, Malformed> {
        let extensions = parse(lines.iter().map(|line| line.as_bytes()))?;
        Ok(extensions.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lists_that_follow_the_grammar_are_read() {
        let table: [(&[&str], &[&str]); 16] = [
            (&[], &[]),
            (&["foo"], &["foo"]),
            (&["foo, bar"], &["foo", "bar"]),
            (&["foo", "bar;a"], &["foo", "bar; a"]),
            (&["foo; bar=baz; qux"], &["foo; bar=baz; qux"]),
            (&["foo;bar=baz;qux,foo"], &["foo; bar=baz; qux", "foo"]),
            (&["\t foo \t;\tbar = baz "], &["foo; bar=baz"]),
            (&[r#"foo; bar="baz""#], &["foo; bar=baz"]),
            (&[r#"foo; bar = "b\az" ; c"#], &["foo; bar=baz; c"]),
            (&[r#"foo; bar="\b\a\z", d"#], &["foo; bar=baz", "d"]),
            (&[", foo,,bar,"], &["foo", "bar"]),
            (&["foo", ""], &["foo"]),
            (&["foo; a; a=1; a=2"], &["foo; a; a=1; a=2"]),
            (&["__proto__; constructor"], &["__proto__; constructor"]),
            (&["!#$%&'*+-.^_`|~09Az"], &["!#$%&'*+-.^_`|~09Az"]),
            (
                &["permessage-deflate; client_max_window_bits"],
                &["permessage-deflate; client_max_window_bits"],
            ),
        ];
        for (lines, expected) in table {
            let expected = expected.iter().map(ToString::to_string).collect();
            assert_eq!(read(lines), Ok(expected), "{lines:?}");
        }
    }

    #[test]
    fn lists_that_break_the_grammar_are_refused() {
        let table = [
            "",
            " ",
            ",",
            ", \t,",
            ";",
            ";a",
            "foo;",
            "foo; ;a",
            "foo;;a",
            "foo; a=",
            "foo; a=;b",
            "foo; a=,b",
            "foo; =b",
            "foo=b",
            "foo bar",
            "foo; a b",
            "foo; a=b c",
            "foo; a=b=c",
            r#""foo""#,
            r#"foo; "a"=b"#,
            r#"foo; a="""#,
            r#"foo; a="b"#,
            r#"foo; a=""#,
            r#"foo; a="b\"#,
            r#"foo; a="b\""#,
            r#"foo; a="b c""#,
            r#"foo; a="b\"c""#,
            r#"foo; a="b,c""#,
            r#"foo; a="b"c"#,
            r#"foo; a="b""c""#,
            "foo; a=é",
            "fóo",
            "foo/bar",
            "foo; a=(b)",
            "foo\u{7f}",
        ];
        for line in table {
            assert_eq!(read(&[line]), Err(Malformed), "{line:?}");
            assert_eq!(
                read(&["good", line]).is_ok(),
                line.trim_matches([' ', '\t', ',']).is_empty(),
                "{line:?}"
            );
        }
        assert_eq!(parse([&b"foo\xFF"[..]].into_iter()), Err(Malformed));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let line = r#"a; b="c\d"; e, f;g=h"#;
        let written = read(&[line]).unwrap();
        let lines: Vec<&str> = written.iter().map(String::as_str).collect();
        assert_eq!(read(&lines), Ok(written.clone()));
        assert_eq!(read(&[&lines.join(", ")]), Ok(written.clone()));
    }

    #[test]
    fn a_long_header_takes_time_in_proportion_to_its_length() {
        let times = if cfg!(miri) { 20 } else { 200_000 };
        for part in [",", "a,", "a;", "a;b=\"", "\\", "\"", " ", "a;b=\"\\"] {
            let _ = read(&[&part.repeat(times)]);
            let _ = read(&[&format!("a; b=\"{}", part.repeat(times))]);
        }
    }
}
