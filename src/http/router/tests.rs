use super::*;

fn router(patterns: &[&str]) -> Router {
    let mut router = Router::new();
    for (place, pattern) in patterns.iter().enumerate() {
        let pattern = Pattern::parse(pattern).unwrap();
        assert_eq!(router.insert(&pattern), Ok(place));
    }
    router
}

/// The pattern found and its values, as `/a/:b 1`.
fn found(patterns: &[&str], path: &str) -> String {
    match router(patterns).find(path) {
        Err(BadEscape) => "bad".to_owned(),
        Ok(None) => "none".to_owned(),
        Ok(Some(Match { place, values })) => {
            let mut words = vec![patterns[place]];
            words.extend(values.iter().map(|value| &**value));
            words.join(" ")
        }
    }
}

#[test]
fn a_literal_comes_before_a_name_and_that_before_the_rest() {
    let patterns = [
        "/*",
        "/:a",
        "/a",
        "/a/*",
        "/a/:b",
        "/a/b",
        "/:a/b/c",
        "/a/:b/d",
        "/x/",
        "/x",
        "/%C3%A9",
        "/games/:game/players/:player",
    ];
    let cases = [
        ("/", "/* "),
        ("/a", "/a"),
        ("/b", "/:a b"),
        ("/a/", "/a/* "),
        ("/a/b", "/a/b"),
        ("/a/c", "/a/:b c"),
        ("/a/b/c", "/a/* b/c"),
        ("/a/b/d", "/a/:b/d b"),
        ("/a/b/e", "/a/* b/e"),
        ("/b/b/c", "/:a/b/c b"),
        ("/b/b/d", "/* b/b/d"),
        ("/x", "/x"),
        ("/x/", "/x/"),
        ("/x//", "/* x//"),
        ("//", "/* /"),
        ("/A", "/:a A"),
        ("/%61", "/a"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%2Fb", "/:a a/b"),
        ("/a/x%2Fy/z%20", "/a/* x/y/z "),
        ("/../a", "/* ../a"),
        ("/a/..", "/a/:b .."),
        ("/games/7/players/ann", "/games/:game/players/:player 7 ann"),
        ("/games//players/ann", "/* games//players/ann"),
    ];
    for (path, expected) in cases {
        assert_eq!(found(&patterns, path), expected, "{path}");
    }
}

#[test]
fn the_rest_may_be_empty_behind_its_slash_but_needs_the_slash() {
    for (path, expected) in [
        ("/chat/", "/chat/* "),
        ("/chat/a/b", "/chat/* a/b"),
        ("/chat//", "/chat/* /"),
        ("/chat", "none"),
        ("/chatter", "none"),
    ] {
        assert_eq!(found(&["/chat/*"], path), expected, "{path}");
    }
}

#[test]
fn a_name_takes_one_segment_that_is_not_empty() {
    for (path, expected) in [
        ("/a", "/:x a"),
        ("/", "none"),
        ("/a/", "none"),
        ("/%20", "/:x  "),
    ] {
        assert_eq!(found(&["/:x"], path), expected, "{path}");
    }
}

#[test]
fn a_bad_escape_is_bad_whether_or_not_it_matches() {
    for path in ["/%", "/%4", "/%zz/a", "/a/%ff", "/a?%", "/nowhere/%C3", "%"] {
        assert_eq!(found(&["/a", "/:x/a"], path), "bad", "{path}");
    }
    for path in ["*", "", "a", "host:80"] {
        assert_eq!(found(&["/*"], path), "none", "{path}");
    }
}

#[test]
fn a_pattern_of_the_same_shape_is_refused_with_the_first_ones_place() {
    let mut router = router(&["/a/:b", "/a/*", "/é".replace('é', "%c3%a9").as_str()]);
    for (pattern, expected) in [
        ("/a/:other", Err(0)),
        ("/a/*", Err(1)),
        ("/%C3%A9", Err(2)),
        ("/%61/:b", Err(0)),
        ("/a/b", Ok(3)),
        ("/a/:b/", Ok(4)),
    ] {
        let pattern = Pattern::parse(pattern).unwrap();
        assert_eq!(router.insert(&pattern), expected, "{pattern:?}");
    }
}

#[test]
fn values_are_borrowed_unless_they_were_escaped() {
    let router = router(&["/:a/:b/*"]);
    let values = router.find("/x/%79/z/z").unwrap().unwrap().values;
    let borrowed = values.iter().map(|value| matches!(value, Cow::Borrowed(_)));
    assert_eq!(borrowed.collect::<Vec<_>>(), [true, false, true]);
}

/// Compares segment kinds from the front; tries every pattern.
fn naive<'a>(patterns: &[&'a str], path: &str) -> Option<&'a str> {
    let parts: Vec<&str> = path[1..].split('/').collect();
    let rank = |pattern: &str| {
        let kinds = pattern[1..]
            .split('/')
            .map(|segment| match segment.chars().next() {
                Some('*') => 2,
                Some(':') => 1,
                _ => 0,
            });
        kinds.collect::<Vec<_>>()
    };
    let matches = |pattern: &&&str| {
        let segments: Vec<&str> = pattern[1..].split('/').collect();
        let fits = |(index, segment): (usize, &&str)| match parts.get(index) {
            None => false,
            Some(_) if *segment == "*" => true,
            Some(part) if segment.starts_with(':') => !part.is_empty(),
            Some(part) => part == segment,
        };
        let is_open = segments.last() == Some(&"*");
        segments.iter().enumerate().all(fits) && (is_open || segments.len() == parts.len())
    };
    patterns
        .iter()
        .filter(matches)
        .min_by_key(|pattern| rank(pattern))
        .copied()
}

#[test]
fn the_tree_finds_what_trying_every_pattern_finds() {
    let words = ["a", "b", ":x", "*", ""];
    let mut patterns = vec![];
    for (i, j, k) in (0..125).map(|n| (n / 25, n / 5 % 5, n % 5)) {
        let text = match (words[i], words[j], words[k].replace('x', "y")) {
            ("*", ..) => "/*".to_owned(),
            (first, "*", _) => format!("/{first}/*"),
            (first, second, third) => format!("/{first}/{}/{third}", second.replace('x', "z")),
        };
        patterns.push(text);
    }
    patterns.dedup();
    // Every third, so that there is something to backtrack from.
    let mut chosen: Vec<&str> = patterns.iter().step_by(3).map(String::as_str).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let tree = router(&chosen);
    for n in (0..256).step_by(if cfg!(miri) { 31 } else { 1 }) {
        let part = |shift: u32| ["a", "b", "c", ""][n >> shift & 3];
        let path = format!("/{}/{}/{}/{}", part(0), part(2), part(4), part(6));
        for path in [
            &path,
            path.trim_end_matches('/'),
            &path[..path.len() / 2 + 1],
        ] {
            let path = if path.is_empty() { "/" } else { path };
            let found = tree.find(path).unwrap().map(|found| chosen[found.place]);
            assert_eq!(found, naive(&chosen, path), "{path}");
        }
    }
}

#[test]
fn no_path_makes_the_search_blow_up() {
    let deep = |depth: usize| format!("{}/:x/b", "/a".repeat(depth));
    let patterns: Vec<String> = (0..30).map(deep).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let router = router(&patterns);
    assert_eq!(router.find(&"/a".repeat(4000)), Ok(None));
    assert_eq!(router.find(&"/".repeat(8000)), Ok(None));
}
