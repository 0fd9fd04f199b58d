//! The table for those who come from elsewhere has every line, and each names a test that is there.

use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../src/guide/from_nextrush.md");

/// Headings, what the numbers begin with, and how many there are.
const PARTS: [(&str, &str, usize); 4] = [
    ("# Features", "", 31),
    ("# Examples", "A", 25),
    ("# What was open there", "", 30),
    ("# What was broken there", "D", 23),
];

/// The cells of a line; a bar behind a backslash is text.
fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{1}");
    let inside = line.trim().trim_matches('|');
    let cells = inside.split('|').map(|cell| cell.replace('\u{1}', "|"));
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// The lines below a heading, without the table's own.
fn lines(heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = TABLE.split_once(&format!("\n{heading}\n")).expect(heading);
    let part = rest.split("\n# ").next().unwrap_or_default();
    let rows = part.lines().filter(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

/// Whether a test of that name is in that file: a function of Rust, or a scenario in a browser.
fn exists(test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return false;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap_or_default();
    match file.ends_with(".rs") {
        true => text.contains(&format!("#[test]\nfn {name}() ")),
        false => text.contains(&format!("async '{name}'()")),
    }
}

#[test]
fn every_feature_example_question_and_defect_has_a_line_and_none_is_empty() {
    for (heading, letter, count) in PARTS {
        let lines = lines(heading);
        let numbers: Vec<&str> = lines.iter().map(|line| line[0].as_str()).collect();
        let expected: Vec<String> = (1..=count).map(|n| format!("{letter}{n}")).collect();
        assert_eq!(numbers, expected, "{heading}");
        for line in lines {
            let is_full = line.len() == 4 && line.iter().all(|cell| !cell.is_empty());
            assert!(is_full, "{heading}: {line:?}");
        }
    }
}

#[test]
fn every_line_names_a_test_that_is_there() {
    for (heading, ..) in PARTS {
        for line in lines(heading) {
            let test = line[3].trim_matches('`');
            assert!(exists(test), "{} of {heading}: no test {test}", line[0]);
        }
    }
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    for test in [
        "tests/docs.rs::no_such_test",
        "tests/nowhere.rs::every_line_names_a_test_that_is_there",
        "tests/docs.rs::exists",
        "nothing",
    ] {
        assert!(!exists(test), "{test}");
    }
    assert!(exists(
        "tests/docs.rs::every_line_names_a_test_that_is_there"
    ));
}
