//! 4. Origins, by regular expressions (feature `regex`).

use rushwire::{App, ConfigError, Options};

use crate::common::{serve, serve_with};
use crate::knock;

fn ask(server: &crate::common::Server, origin: &str) -> u16 {
    knock(server.addr, "/", &format!("Origin: {origin}\r\n"))
}

/// A predecessor's `/t\.com/` admitted `https://t.com.evil.org`.
#[test]
fn a_regular_expression_matches_whole_origins_in_any_case_and_the_same_every_time() {
    #[rustfmt::skip]
    let table: [(&str, &[&str], &[&str]); 5] = [
        (r"t\.com",
            &[],
            &["https://t.com", "https://t.com.evil.org", "https://evil.org/t.com"]),
        (r"https://t\.com",
            &["https://t.com", "HTTPS://T.COM"],
            &["https://t.com.evil.org", "https://txcom", "xhttps://t.com", "https://t.com:8443", "https://t.com/", "null", ""]),
        (r"https://a\.example|https://b\.example",
            &["https://a.example", "https://b.example"],
            &["https://a.example.evil.org", "https://evil.org/https://b.example", "https://c.example"]),
        (r"https://(\w+\.)?example\.com(:\d{4})?",
            &["https://example.com", "https://www.example.com", "https://www.example.com:8443"],
            &["https://a.b.example.com", "https://example.com:80", "https://example.com:84433"]),
        (r"^http://localhost:\d+$",
            &["http://localhost:3000"],
            &["http://localhost", "http://localhost:3000.evil.org"]),
    ];
    for (pattern, allowed, refused) in table {
        let server = serve(move |app| {
            app.allow_origin_regex(pattern).ws("/", |_, _| {});
        });
        for _ in 0..3 {
            for origin in allowed {
                assert_eq!(ask(&server, origin), 101, "{origin} and {pattern}");
            }
            for origin in refused {
                assert_eq!(ask(&server, origin), 403, "{origin} and {pattern}");
            }
        }
        assert_eq!(knock(server.addr, "/", ""), 403, "no origin and {pattern}");
    }
}

#[test]
fn it_is_a_rule_beside_the_others() {
    let options = || Options {
        allow_origins: vec!["https://a.example".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.allow_origin_if(|origin, _| origin == "null");
        app.allow_origin_regex(r"https://b\d\.example");
        app.allow_origin_regex(r"https://c\d\.example");
        app.ws("/", |_, _| {});
    });
    for (origin, status) in [
        ("https://a.example", 101),
        ("null", 101),
        ("https://b1.example", 101),
        ("https://c2.example", 101),
        ("https://d3.example", 403),
    ] {
        assert_eq!(ask(&server, origin), status, "{origin}");
    }
}

#[test]
fn what_is_no_regular_expression_is_told_at_bind_and_quoted() {
    let bad = [
        "(",
        "a)|(b",
        "[z-a]",
        "*",
        r"\q",
        "(?x)a # comment",
        "x{99999999}",
    ];
    let mut app = App::new();
    for pattern in bad {
        app.allow_origin_regex(pattern);
    }
    app.allow_origin_regex("https://fine");
    let error = app.bind("127.0.0.1:0").map(|_| ()).expect_err("refused");
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let problems = inner.map(ConfigError::problems).expect("a ConfigError");
    assert_eq!(problems.len(), bad.len(), "{problems:#?}");
    for (pattern, problem) in bad.iter().zip(problems) {
        assert!(problem.contains(&format!("{pattern:?}")), "{problem}");
    }
}

#[test]
fn a_hostile_origin_costs_no_more_than_its_length_allows() {
    let server = serve(|app| {
        app.allow_origin_regex(r"https://(a+)+(a|aa)+(\.a+)*b");
        app.ws("/", |_, _| {});
    });
    assert_eq!(ask(&server, &format!("https://{}", "a".repeat(8_000))), 403);
}
