//! Finds the pattern that a path matches, and the values in it.

use std::borrow::Cow;

use super::pattern::{Pattern, Segment};
use super::target::decode;

/// Patterns as a tree of segments; each has a place, counted from 0 in order of insertion.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
    len: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by their text.
    literals: Vec<(Box<str>, Node)>,
    name: Option<Box<Node>>,
    /// The pattern that has `*` here.
    rest: Option<usize>,
    /// The pattern that ends here.
    end: Option<usize>,
}

/// The pattern that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'p> {
    pub(crate) place: usize,
    /// One for each of [`Pattern::names`], decoded.
    pub(crate) values: Vec<Cow<'p, str>>,
}

/// A path with a malformed percent-escape, or one that is not UTF-8: answer 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape;

impl Router {
    pub(crate) fn new() -> Router {
        Router::default()
    }

    /// Gives the pattern the next place.
    ///
    /// # Errors
    ///
    /// The place of a pattern of the same shape: it matches the same paths, whatever the names.
    pub(crate) fn insert(&mut self, pattern: &Pattern) -> Result<usize, usize> {
        let place = self.root.place_for(pattern.segments());
        if let Some(existing) = *place {
            return Err(existing);
        }
        *place = Some(self.len);
        self.len += 1;
        Ok(self.len - 1)
    }

    /// Finds the pattern of `path`, which is raw: not decoded, and without a query.
    ///
    /// From the front, segment by segment, a literal comes before `:name`, and that before
    /// `*`. Segments are compared decoded, but `%2F` divides nothing; dot segments are
    /// segments like any other. The work is bounded by the size of the tree, for a path
    /// reaches each node once at most.
    ///
    /// # Errors
    ///
    /// An escape anywhere in `path` is bad, whether or not a pattern matches.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Result<Option<Match<'p>>, BadEscape> {
        decode(path).ok_or(BadEscape)?;
        let Some(segments) = path.strip_prefix('/') else {
            return Ok(None);
        };
        let mut values = Vec::new();
        let place = self.root.find(Some(segments), &mut values);
        Ok(place.map(|place| Match { place, values }))
    }
}

impl Node {
    fn place_for(&mut self, segments: &[Segment]) -> &mut Option<usize> {
        match segments {
            [] => &mut self.end,
            [Segment::Rest, ..] => &mut self.rest,
            [Segment::Name, after @ ..] => self.name.get_or_insert_default().place_for(after),
            [Segment::Literal(text), after @ ..] => self.literal_mut(text).place_for(after),
        }
    }

    fn literal_mut(&mut self, text: &str) -> &mut Node {
        let place = self.search(text).unwrap_or_else(|place| {
            self.literals.insert(place, (text.into(), Node::default()));
            place
        });
        &mut self.literals[place].1
    }

    fn search(&self, text: &str) -> Result<usize, usize> {
        self.literals
            .binary_search_by(|(known, _)| (**known).cmp(text))
    }

    fn literal(&self, text: &str) -> Option<&Node> {
        let (_, node) = self.literals.get(self.search(text).ok()?)?;
        Some(node)
    }

    /// The best pattern below here for what is left of a path; `None` is nothing left, which
    /// is less than one empty segment.
    fn find<'p>(&self, left: Option<&'p str>, values: &mut Vec<Cow<'p, str>>) -> Option<usize> {
        let Some(left) = left else {
            return self.end;
        };
        let (segment, after) = match left.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (left, None),
        };
        let text = decode(segment)?;
        let literal = self.literal(&text);
        if let Some(place) = literal.and_then(|node| node.find(after, values)) {
            return Some(place);
        }
        if let Some(node) = self.name.as_deref().filter(|_| !segment.is_empty()) {
            values.push(text);
            if let Some(place) = node.find(after, values) {
                return Some(place);
            }
            values.pop();
        }
        let place = self.rest?;
        // A `/` cannot be part of a character, so the whole decodes as its segments do.
        values.push(decode(left)?);
        Some(place)
    }
}

#[cfg(test)]
mod tests;
