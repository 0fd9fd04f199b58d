//! `/chat/:room/*`: the pattern of a route, parsed and checked when it is registered.

use std::fmt;

use super::target::decode;

/// What one segment of a path must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text, decoded.
    Literal(Box<str>),
    /// `:name`: any one segment that is not empty.
    Name,
    /// `*`: all the rest, which may be empty.
    Rest,
}

/// A pattern that is well-formed.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    segments: Vec<Segment>,
    names: Vec<Box<str>>,
}

impl Pattern {
    /// Checks a pattern: `/`, then segments that are literal text, `:name`, or a last `*`.
    ///
    /// # Errors
    ///
    /// The first thing wrong with it, quoted.
    pub(crate) fn parse(text: &str) -> Result<Pattern, PatternError> {
        let error = |fault| PatternError {
            pattern: text.into(),
            fault,
        };
        let segments = text.strip_prefix('/').ok_or(error(Fault::NoSlash))?;
        let mut pattern = Pattern {
            text: text.into(),
            segments: Vec::new(),
            names: Vec::new(),
        };
        for segment in segments.split('/') {
            pattern.add(segment).map_err(error)?;
        }
        Ok(pattern)
    }

    fn add(&mut self, segment: &str) -> Result<(), Fault> {
        if self.segments.last() == Some(&Segment::Rest) {
            return Err(Fault::RestNotLast);
        }
        let kind = if segment == "*" {
            self.names.push("*".into());
            Segment::Rest
        } else if let Some(name) = segment.strip_prefix(':') {
            self.add_name(name)?;
            Segment::Name
        } else {
            literal(segment)?
        };
        self.segments.push(kind);
        Ok(())
    }

    fn add_name(&mut self, name: &str) -> Result<(), Fault> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() {
            return Err(Fault::EmptyName);
        }
        if !name.bytes().all(is_letter) {
            return Err(Fault::BadName(name.into()));
        }
        if self.names.iter().any(|known| **known == *name) {
            return Err(Fault::Duplicate(name.into()));
        }
        self.names.push(name.into());
        Ok(())
    }

    /// The names of the values that a match gives, in order; `*` for the rest.
    pub(crate) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The pattern as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

fn literal(segment: &str) -> Result<Segment, Fault> {
    let is_bad = |letter: &char| !letter.is_ascii_graphic() || matches!(letter, '?' | '#');
    if let Some(letter) = segment.chars().find(is_bad) {
        return Err(Fault::BadCharacter(letter));
    }
    if segment.contains('*') {
        return Err(Fault::PartialRest(segment.into()));
    }
    let decoded = decode(segment).ok_or_else(|| Fault::BadEscape(segment.into()))?;
    Ok(Segment::Literal(decoded.into()))
}

/// Why a route's pattern is refused.
///
/// Its `Display` quotes the pattern and what is wrong in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    pattern: Box<str>,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    NoSlash,
    RestNotLast,
    PartialRest(Box<str>),
    EmptyName,
    BadName(Box<str>),
    Duplicate(Box<str>),
    BadCharacter(char),
    BadEscape(Box<str>),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {:?}: ", self.pattern)?;
        match &self.fault {
            Fault::NoSlash => write!(f, "it must begin with '/'"),
            Fault::RestNotLast => write!(f, "'*' must be its last segment"),
            Fault::PartialRest(segment) => {
                write!(f, "'*' must be a whole segment, not part of {segment:?}")
            }
            Fault::EmptyName => write!(f, "a name must follow ':'"),
            Fault::BadName(name) => {
                write!(
                    f,
                    "the name {name:?} may have letters, digits, '_' and '-' only"
                )
            }
            Fault::Duplicate(name) => write!(f, "the name {name:?} is used twice"),
            Fault::BadCharacter(letter) => write!(f, "{letter:?} cannot stand in a path"),
            Fault::BadEscape(segment) => write!(f, "bad percent-escape in {segment:?}"),
        }
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_pattern_has_segments_and_names() {
        use Segment::*;
        let text = |text: &str| Literal(text.into());
        let cases: [(&str, &[Segment], &[&str]); 10] = [
            ("/", &[text("")], &[]),
            ("/a", &[text("a")], &[]),
            ("/a/", &[text("a"), text("")], &[]),
            ("/a//b", &[text("a"), text(""), text("b")], &[]),
            ("/:a/b/:c-d", &[Name, text("b"), Name], &["a", "c-d"]),
            ("/*", &[Rest], &["*"]),
            ("/a/:b_1/*", &[text("a"), Name, Rest], &["b_1", "*"]),
            ("/%C3%A9/a%2fb", &[text("é"), text("a/b")], &[]),
            ("/a:b/..", &[text("a:b"), text("..")], &[]),
            ("/~a!$&'()+,;=@|", &[text("~a!$&'()+,;=@|")], &[]),
        ];
        for (written, segments, names) in cases {
            let pattern = Pattern::parse(written).unwrap();
            assert_eq!(pattern.segments(), segments, "{written}");
            assert_eq!(pattern.as_str(), written);
            let found: Vec<&str> = pattern.names().iter().map(|name| &**name).collect();
            assert_eq!(found, names, "{written}");
        }
    }

    #[test]
    fn a_bad_pattern_is_quoted_with_what_is_wrong() {
        let cases = [
            ("", "pattern \"\": it must begin with '/'"),
            ("chat", "pattern \"chat\": it must begin with '/'"),
            ("*", "pattern \"*\": it must begin with '/'"),
            ("/*/a", "pattern \"/*/a\": '*' must be its last segment"),
            ("/*/", "pattern \"/*/\": '*' must be its last segment"),
            (
                "/a*",
                "pattern \"/a*\": '*' must be a whole segment, not part of \"a*\"",
            ),
            (
                "/**",
                "pattern \"/**\": '*' must be a whole segment, not part of \"**\"",
            ),
            ("/:", "pattern \"/:\": a name must follow ':'"),
            ("/:/a", "pattern \"/:/a\": a name must follow ':'"),
            (
                "/:a.b",
                "pattern \"/:a.b\": the name \"a.b\" may have letters, digits, '_' and '-' only",
            ),
            (
                "/:é",
                "pattern \"/:é\": the name \"é\" may have letters, digits, '_' and '-' only",
            ),
            ("/:a/:a", "pattern \"/:a/:a\": the name \"a\" is used twice"),
            ("/a?b", "pattern \"/a?b\": '?' cannot stand in a path"),
            ("/a#b", "pattern \"/a#b\": '#' cannot stand in a path"),
            ("/a b", "pattern \"/a b\": ' ' cannot stand in a path"),
            ("/é", "pattern \"/é\": 'é' cannot stand in a path"),
            (
                "/a\r\nb",
                "pattern \"/a\\r\\nb\": '\\r' cannot stand in a path",
            ),
            ("/%4", "pattern \"/%4\": bad percent-escape in \"%4\""),
            (
                "/a/%ff",
                "pattern \"/a/%ff\": bad percent-escape in \"%ff\"",
            ),
        ];
        for (written, expected) in cases {
            let error = Pattern::parse(written).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert_eq!(&*error.pattern, written);
        }
    }
}
