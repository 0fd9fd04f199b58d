//! The field lines of a head, kept as the bytes that came and where each line lies in them
//! (RFC 9110 §5). Both kinds of head are read through this.

use super::syntax::{Span, trim};

/// Where one field line lies: its name, its colon, and its end before the CR.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    pub(super) from: u32,
    pub(super) colon: u32,
    pub(super) to: u32,
}

impl Field {
    fn name(self, bytes: &[u8]) -> &[u8] {
        let (from, to) = (self.from, self.colon);
        Span { from, to }.of(bytes)
    }

    fn value(self, bytes: &[u8]) -> &[u8] {
        let (from, to) = (self.colon + 1, self.to);
        trim(Span { from, to }.of(bytes))
    }
}

/// The bytes of a whole head and its field lines, in order.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    lines: Vec<Field>,
}

impl Fields {
    pub(super) fn new(bytes: Vec<u8>, lines: Vec<Field>) -> Fields {
        Fields { bytes, lines }
    }

    /// The whole head, start line and all.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Name and trimmed value of every line.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|line| {
            let name = std::str::from_utf8(line.name(&self.bytes)).unwrap_or_default();
            (name, line.value(&self.bytes))
        })
    }

    /// The trimmed values of all lines of that name.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines
            .iter()
            .filter(|line| line.name(&self.bytes).eq_ignore_ascii_case(name.as_bytes()))
            .map(|line| line.value(&self.bytes))
    }

    /// The first value of that name, if it is text.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let value = self.values(name).next()?;
        std::str::from_utf8(value).ok()
    }

    /// The elements of all lines of that name as one list (RFC 9110 §5.6.1).
    pub(super) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name)
            .flat_map(|value| Elements { rest: value })
            .filter_map(|element| std::str::from_utf8(element).ok())
    }

    /// Whether the list of that name has this element, whatever the case.
    pub(super) fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name)
            .any(|element| element.eq_ignore_ascii_case(token))
    }
}

/// The elements between the commas of a value, but for empty ones.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (element, rest) = self.rest.split_at(comma(self.rest));
            self.rest = rest.get(1..).unwrap_or_default();
            let element = trim(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Where the first comma outside a quoted string is, or the end (RFC 9110 §5.6.4).
fn comma(value: &[u8]) -> usize {
    // Most lists have one element.
    if !value.contains(&b',') {
        return value.len();
    }
    let (mut quoted, mut escaped) = (false, false);
    let is_comma = |&byte: &u8| {
        let plain = !escaped;
        escaped = quoted && plain && byte == b'\\';
        quoted ^= plain && byte == b'"';
        !quoted && byte == b','
    };
    value.iter().position(is_comma).unwrap_or(value.len())
}

#[cfg(test)]
mod tests {
    use super::Elements;

    #[test]
    fn a_list_is_split_at_commas_outside_quotes_and_empty_elements_are_skipped() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            (" , ,\t,", &[]),
            ("a", &["a"]),
            (" a ,b\t, c", &["a", "b", "c"]),
            (r#"a="x,y", b"#, &[r#"a="x,y""#, "b"]),
            (r#"a="x\",y", b"#, &[r#"a="x\",y""#, "b"]),
            (r#"a="x\\", b"#, &[r#"a="x\\""#, "b"]),
            (r#"a\,b"#, &[r#"a\"#, "b"]),
            (r#"a="open, b"#, &[r#"a="open, b"#]),
        ];
        for (value, expected) in cases {
            let rest = value.as_bytes();
            let elements: Vec<_> = Elements { rest }.collect();
            let expected: Vec<_> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(elements, expected, "{value:?}");
        }
    }
}
