//! `name=value&…`: a query string or a form, read as browsers write it.
//!
//! This is WHATWG's application/x-www-form-urlencoded parser: unlike a path, a query is the
//! application's own, so nothing in it is refused.

use super::target::escape;

/// The pairs of a query, decoded, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// All names and values, one behind the other.
    text: String,
    /// Where each name and each value ends in it.
    ends: Vec<(usize, usize)>,
}

impl Query {
    /// Reads all pairs: `+` is a space, a bad escape stays as it is, bad UTF-8 is U+FFFD.
    pub(crate) fn parse(query: &str) -> Query {
        let mut parsed = Query::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name_end = parsed.append(name);
            let value_end = parsed.append(value);
            parsed.ends.push((name_end, value_end));
        }
        parsed
    }

    fn append(&mut self, encoded: &str) -> usize {
        if encoded.contains(['%', '+']) {
            self.text
                .push_str(&String::from_utf8_lossy(&decode(encoded)));
        } else {
            self.text.push_str(encoded);
        }
        self.text.len()
    }

    /// The first value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All values of that name, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter_map(move |(key, value)| (key == name).then_some(value))
    }

    /// Every name and value, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut from = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let name = self.text.get(from..name_end).unwrap_or_default();
            let value = self.text.get(name_end..value_end).unwrap_or_default();
            from = value_end;
            (name, value)
        })
    }
}

fn decode(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [byte, tail @ ..] = rest {
        let (decoded, tail) = match byte {
            b'+' => (b' ', tail),
            b'%' => escape(tail).unwrap_or((b'%', tail)),
            _ => (*byte, tail),
        };
        bytes.push(decoded);
        rest = tail;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("", &[]),
            ("&&", &[]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("=b", &[("", "b")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            ("a+b=%2B+c", &[("a b", "+ c")]),
            ("%61=%C3%A9", &[("a", "é")]),
            (
                "a=%&b=%4&c=%zz&d=%%41",
                &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%A")],
            ),
            ("a=%FF%C3", &[("a", "\u{FFFD}\u{FFFD}")]),
            ("a=%26%3D&b", &[("a", "&="), ("b", "")]),
        ];
        for (query, expected) in cases {
            let parsed = Query::parse(query);
            assert_eq!(parsed.iter().collect::<Vec<_>>(), expected, "{query:?}");
        }
    }

    #[test]
    fn get_is_the_first_and_all_are_all() {
        let query = Query::parse("a=1&b=2&a=3");
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.get("c"), None);
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "3"]);
    }
}
