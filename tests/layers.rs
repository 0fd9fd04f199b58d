//! Imports run one way. A file imports from its own layer or from one below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first.
const LAYERS: [&str; 6] = ["http", "proto", "net", "ws", "app", "client"];

/// What layers may not know of each other although one is above: readiness knows no protocol.
const STRANGERS: [(&str, &str); 2] = [("net", "proto"), ("net", "http")];

#[test]
fn no_file_imports_from_above() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let own = layer_of(&file);
        for path in paths(&file, &text) {
            let Some(own) = own else { continue };
            let Some(used) = rank(&path) else { continue };
            if used > own || STRANGERS.contains(&(LAYERS[own], LAYERS[used])) {
                broken.push(format!("{} uses {path}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_folder_is_a_layer_or_stands_above_all() {
    let above = ["lib", "bench", "fuzzing", "guide", "testing"];
    for (file, _) in sources() {
        let top = top_of(&file);
        assert!(
            rank(&top).is_some() || above.contains(&top.as_str()),
            "{} belongs to no layer",
            file.display()
        );
    }
}

#[test]
fn an_import_from_above_is_found_however_it_is_written() {
    let file = Path::new("net/reactor.rs");
    for text in [
        "use crate::ws::hub::Hub;",
        "fn f() { crate::ws::x() }",
        "use crate::{net::link, ws::hub};",
        "use super::super::ws::hub;",
        "x: super::super::ws::Hub",
    ] {
        assert!(paths(file, text).iter().any(|path| path == "ws"), "{text}");
    }
    assert!(
        paths(
            file,
            "use super::link; use crate::net::slab; // crate::ws in words"
        )
        .iter()
        .all(|path| path == "net")
    );
}

fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

fn top_of(file: &Path) -> String {
    let first = file.iter().next().expect("a path").to_str().expect("UTF-8");
    first.trim_end_matches(".rs").to_owned()
}

fn layer_of(file: &Path) -> Option<usize> {
    rank(&top_of(file))
}

/// The first names of all paths from the root of the crate that `text` mentions.
fn paths(file: &Path, text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        found.extend(names(&code[at + "crate::".len()..]));
    }
    // From a file at `a/b.rs` the root is two steps up, from `a/mod.rs` one.
    let depth = file.iter().count() - usize::from(file.ends_with("mod.rs"));
    let up = "super::".repeat(depth);
    for (at, _) in code.match_indices(&up) {
        if !code[..at].ends_with("super::") {
            found.extend(names(&code[at + up.len()..]));
        }
    }
    found
}

/// The first name of a path, or the first names of a group of paths.
fn names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut parts, mut part) = (1, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if c == ',' && depth == 1 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts
        .iter()
        .map(|part| name(part.trim_start()))
        .filter(|part| !part.is_empty())
        .collect()
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((
                    path.strip_prefix(&root).expect("below src").to_owned(),
                    text,
                ));
            }
        }
    }
    assert!(found.len() > 30, "the sources are found");
    found
}
