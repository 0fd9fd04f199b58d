//! A reader of the text format of Prometheus, version 0.0.4, written from its description: it takes
//! nothing that the description does not allow.

use std::collections::BTreeMap;

/// A line with a value: its labels, in order, and the value.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

/// All families by name. Each has one HELP, then one TYPE, then its samples, and no two are the same.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    let body = text.strip_suffix('\n').ok_or("the last line has no end")?;
    for line in body.split('\n') {
        let wrong = |why: &str| format!("{why}: {line:?}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or_else(|| wrong("no help"))?;
            current = metric_name(name).ok_or_else(|| wrong("no name"))?;
            let family = Family {
                help: unescape(help, false).ok_or_else(|| wrong("a bad escape"))?,
                kind: String::new(),
                samples: Vec::new(),
            };
            if families.insert(current.clone(), family).is_some() {
                return Err(wrong("a second HELP"));
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("no type"))?;
            let family = families.get_mut(name).filter(|_| name == current);
            let family = family.ok_or_else(|| wrong("a TYPE without HELP"))?;
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind)
                || !family.kind.is_empty()
            {
                return Err(wrong("a bad TYPE"));
            }
            family.kind = kind.to_owned();
        } else {
            let (name, sample) = sample(line).ok_or_else(|| wrong("no sample"))?;
            let family = families.get_mut(&name).filter(|_| name == current);
            let family = family.ok_or_else(|| wrong("a sample of another family"))?;
            if family.kind.is_empty() {
                return Err(wrong("a sample before its TYPE"));
            }
            if family
                .samples
                .iter()
                .any(|known| known.labels == sample.labels)
            {
                return Err(wrong("the same sample twice"));
            }
            family.samples.push(sample);
        }
    }
    Ok(families)
}

/// `name{label="value",…} number`
fn sample(line: &str) -> Option<(String, Sample)> {
    let end = line.find(|c: char| !is_name(c, true))?;
    let (name, mut rest) = line.split_at(end);
    let mut labels: Vec<(String, String)> = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            if let Some(behind) = rest.strip_prefix('}') {
                rest = behind;
                break;
            }
            let (label, behind) = rest.split_once("=\"")?;
            let first = label.chars().next()?;
            if !label.chars().all(|c| is_name(c, false)) || first.is_ascii_digit() {
                return None;
            }
            let end = closing_quote(behind)?;
            labels.push((label.to_owned(), unescape(&behind[..end], true)?));
            rest = &behind[end + 1..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None if rest.starts_with('}') => {}
                None => return None,
            }
        }
    }
    let number = rest.strip_prefix(' ')?;
    let value: f64 = number.parse().ok().filter(|_| !number.contains(' '))?;
    Some((metric_name(name)?, Sample { labels, value }))
}

fn is_name(c: char, colon: bool) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || colon && c == ':'
}

fn metric_name(name: &str) -> Option<String> {
    let good = name.chars().all(|c| is_name(c, true));
    (good && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty())
        .then(|| name.to_owned())
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// Backslash and line feed are escaped, and in labels the quote; nothing else may be.
fn unescape(text: &str, quote: bool) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                '"' if quote => '"',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

#[test]
fn the_reader_takes_what_is_right_and_nothing_else() {
    let good = "# HELP a_total Some.\n# TYPE a_total counter\na_total{x=\"1\\\"\\\\\\n\",y=\"\"} 3\na_total 4\n";
    let families = parse(good).expect("it is right");
    let labels = [
        ("x".to_owned(), "1\"\\\n".to_owned()),
        ("y".to_owned(), String::new()),
    ];
    assert_eq!(families["a_total"].samples[0].labels, labels);
    let cuts = [
        ("\n", " "),
        ("# HELP a_total Some.\n", ""),
        ("# TYPE a_total counter\n", ""),
        ("counter", "count"),
        ("\\\"", "\""),
        ("\\n", "\n"),
        ("\\n", "\\r"),
        (" 4", " four"),
        ("a_total 4", "b_total 4"),
        ("a_total 4", "a_total{x=\"1\\\"\\\\\\n\",y=\"\"} 5"),
        ("x=", "1x="),
        ("\"\"} 3", "\"\" 3"),
        ("\",y", "\" y"),
    ];
    for (from, to) in cuts {
        let bad = good.replacen(from, to, 1);
        assert!(parse(&bad).is_err(), "{bad}");
    }
    assert!(parse(good.trim_end()).is_err(), "the last line has no end");
}
