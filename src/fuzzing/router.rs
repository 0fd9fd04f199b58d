//! The router against one that tries all patterns in turn.

use super::texts::check_line;
use crate::http::{BadEscape, Pattern, Router};

/// More patterns than this find nothing more.
const MOST: usize = 24;

/// A line for each pattern, an empty one, and a line for each path.
///
/// # Panics
///
/// When the router finds another pattern, or other values, than one that tries all of them.
pub fn router(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut router = Router::new();
    let mut known: Vec<Vec<Shape>> = Vec::new();
    let patterns = lines.by_ref().take_while(|line| !line.is_empty());
    for pattern in patterns.take(MOST).filter_map(parse) {
        let shape = shape(pattern.as_str());
        let place = known.iter().position(|known| *known == shape);
        let expected = place.map_or(Ok(known.len()), Err);
        assert_eq!(router.insert(&pattern), expected, "{}", pattern.as_str());
        if place.is_none() {
            known.push(shape);
        }
    }
    for path in lines.filter(|path| path.starts_with('/')) {
        let found = router.find(path);
        let found = found.map(|found| found.map(|it| (it.place, it.values)));
        match (found, naive(&known, path)) {
            (Err(BadEscape), None) => {}
            (Ok(None), Some(None)) => {}
            (Ok(Some((place, values))), Some(Some(naive))) => {
                let values: Vec<String> = values.into_iter().map(Into::into).collect();
                assert_eq!((place, values), naive, "{path}");
            }
            (found, naive) => panic!("{path}: {found:?} is no {naive:?}"),
        }
    }
}

/// A pattern that is none is told with what is wrong in it.
fn parse(line: &str) -> Option<Pattern> {
    let parsed = Pattern::parse(line);
    if let Err(error) = &parsed {
        let (told, quoted) = (error.to_string(), format!("pattern {line:?}: "));
        check_line(&told, 100 + 2 * quoted.len());
        assert!(
            told.len() > quoted.len() && told.starts_with(&quoted),
            "{told}"
        );
    }
    parsed.ok()
}

/// What a segment of a pattern asks for. Of two patterns that match one path, the lesser is meant: the one
/// that says more at the first segment in which they differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Literal(String),
    Name,
    Rest,
}

/// The segments of a pattern that is well-formed.
fn shape(pattern: &str) -> Vec<Shape> {
    let segment = |segment: &str| match segment {
        "*" => Shape::Rest,
        name if name.starts_with(':') => Shape::Name,
        literal => Shape::Literal(decoded(literal).expect("it was checked")),
    };
    pattern.split('/').skip(1).map(segment).collect()
}

/// The pattern of a path and the values in it; `None` if that is not to be decoded.
#[expect(clippy::option_option, reason = "the outer one is an error")]
fn naive(known: &[Vec<Shape>], path: &str) -> Option<Option<(usize, Vec<String>)>> {
    decoded(path)?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let all = known.iter().enumerate();
    let all = all.filter_map(|(place, shape)| Some((shape, (place, values(shape, &segments)?))));
    let best = all.min_by(|(one, _), (other, _)| one.cmp(other));
    Some(best.map(|(_, found)| found))
}

/// What the names stand for, if all of the segments match.
fn values(shape: &[Shape], segments: &[&str]) -> Option<Vec<String>> {
    match (shape, segments) {
        ([], []) => Some(Vec::new()),
        ([Shape::Rest], [_, ..]) => Some(vec![decoded(&segments.join("/"))?]),
        ([Shape::Name, shape @ ..], [segment, segments @ ..]) if !segment.is_empty() => {
            let mut all = vec![decoded(segment)?];
            all.extend(values(shape, segments)?);
            Some(all)
        }
        ([Shape::Literal(text), shape @ ..], [segment, segments @ ..]) => {
            (decoded(segment)? == *text).then(|| values(shape, segments))?
        }
        _ => None,
    }
}

/// Percent-decoded, if that is possible and gives text (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_seeds};
    use super::router;

    const PARTS: [&str; 16] = [
        "", "a", "b", "%61", ":x", ":y", "*", "é", "%C3%A9", "%C3", "%", "%2F", "..", "ab", "a*",
        ":",
    ];

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("router", router);
    }

    #[test]
    fn all_that_is_made_of_few_parts_breaks_no_promise() {
        let mut random = Random::new();
        for _ in 0..if cfg!(miri) { 3 } else { 3_000 } {
            let mut lines = String::new();
            for (count, most) in [(10, 4), (0, 0), (20, 5)] {
                for _ in 0..count {
                    for _ in 0..=random.below(most) {
                        lines.push('/');
                        lines.push_str(PARTS[random.below(PARTS.len())]);
                    }
                    lines.push('\n');
                }
                if count == 0 {
                    lines.push('\n');
                }
            }
            router(lines.as_bytes());
        }
    }
}
