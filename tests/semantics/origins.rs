//! 4. Origins: which pages may connect.

use crate::common::{Server, serve, serve_with};
use crate::{Journal, knock};
use rushwire::Options;

fn serve_origins(origins: &'static [&'static str]) -> Server {
    let options = move || Options {
        allow_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        ..Options::default()
    };
    serve_with(options, |app| _ = app.ws("/", |_, _| {}))
}

fn ask(server: &Server, origin: Option<&str>) -> u16 {
    let header = origin
        .map(|origin| format!("Origin: {origin}\r\n"))
        .unwrap_or_default();
    knock(server.addr, "/", &header)
}

#[test]
fn without_a_list_every_origin_may_connect() {
    let server = serve_origins(&[]);
    for origin in [
        None,
        Some("https://anywhere.example"),
        Some("null"),
        Some(""),
        Some("no origin at all"),
    ] {
        assert_eq!(ask(&server, origin), 101, "{origin:?}");
    }
}

#[test]
fn a_pattern_matches_whole_origins_in_any_case() {
    #[rustfmt::skip]
    let table: [(&str, &[&str], &[&str]); 6] = [
        ("https://example.com",
            &["https://example.com", "HTTPS://Example.COM"],
            &["http://example.com", "https://example.com.evil.org", "https://evil-example.com", "https://example.com:8443",
              "https://www.example.com", "https://example.com/", "xhttps://example.com", "null", "", "*"]),
        ("HTTPS://EXAMPLE.COM",
            &["https://example.com"],
            &["https://example.org"]),
        ("http://localhost:*",
            &["http://localhost:3000", "http://LOCALHOST:1"],
            &["http://localhost", "http://localhost:", "http://localhost:30x0", "http://localhost:80@evil.org", "http://localhost.evil.org:80"]),
        ("https://*.example.com",
            &["https://a.example.com", "https://a.b-c.example.com"],
            &["https://example.com", "https://.example.com", "https://evil.org/.example.com", "https://a_b.example.com", "https://a.example.com.evil.org"]),
        ("http://localhost:8*",
            &["http://localhost:80", "http://localhost:8080"],
            &["http://localhost:9080"]),
        ("http://t.com",
            &["http://t.com"],
            &["http://txcom", "https://t.com.evil.org"]),
    ];
    for (pattern, allowed, refused) in table {
        let server = serve_origins(Box::leak(Box::new([pattern])));
        for origin in allowed {
            assert_eq!(
                ask(&server, Some(origin)),
                101,
                "{origin} against {pattern}"
            );
        }
        for origin in refused {
            assert_eq!(
                ask(&server, Some(origin)),
                403,
                "{origin} against {pattern}"
            );
        }
        assert_eq!(ask(&server, None), 403, "no origin against {pattern}");
    }
}

#[test]
fn one_of_several_rules_is_enough_and_each_answers_the_same_every_time() {
    let server = serve_origins(&["https://a.example", "http://localhost:*"]);
    for _ in 0..3 {
        assert_eq!(ask(&server, Some("https://a.example")), 101);
        assert_eq!(ask(&server, Some("http://localhost:5173")), 101);
        assert_eq!(ask(&server, Some("https://b.example")), 403);
    }
}

#[test]
fn two_origins_are_none() {
    let server = serve_origins(&["https://a.example"]);
    assert_eq!(
        knock(
            server.addr,
            "/",
            "Origin: https://a.example\r\nOrigin: https://a.example\r\n"
        ),
        403
    );
    assert_eq!(
        knock(
            server.addr,
            "/",
            "Origin: https://a.example\r\nOrigin: https://evil.example\r\n"
        ),
        403
    );
    assert_eq!(
        ask(&server, Some("https://a.example, https://evil.example")),
        403
    );
}

#[test]
fn a_predicate_is_a_rule_beside_the_patterns() {
    let options = || Options {
        allow_origins: vec!["https://a.example".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.allow_origin_if(|origin, request| {
            origin == "null" && request.query("embedded").is_some()
        });
        app.ws("/", |_, _| {});
    });
    let null = "Origin: null\r\n";
    assert_eq!(knock(server.addr, "/?embedded", null), 101);
    assert_eq!(knock(server.addr, "/", null), 403);
    assert_eq!(
        knock(server.addr, "/", "Origin: https://a.example\r\n"),
        101
    );
    assert_eq!(
        knock(server.addr, "/?embedded", "Origin: https://b.example\r\n"),
        403
    );
    assert_eq!(knock(server.addr, "/?embedded", ""), 403);
}

#[test]
fn a_predicate_alone_turns_the_rules_on() {
    let server = serve(|app| {
        app.allow_origin_if(|origin, _| origin.ends_with(".example"));
        app.ws("/", |_, _| {});
    });
    assert_eq!(ask(&server, Some("https://a.example")), 101);
    assert_eq!(ask(&server, Some("https://a.example.org")), 403);
    assert_eq!(ask(&server, None), 403);
}

#[test]
fn a_predicate_that_panics_refuses_one_request_and_not_the_server() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| {
        app.on_error(move |report| noted.note(report));
        app.allow_origin_if(|origin, _| {
            if origin == "null" {
                panic!("predicate")
            } else {
                true
            }
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    assert_eq!(ask(&server, Some("null")), 500);
    assert!(journal.wait_for(1)[0].contains("predicate"));
    assert_eq!(ask(&server, Some("https://a.example")), 101);
}

#[test]
fn plain_http_has_no_origin_to_fear() {
    let server = serve_with(
        || Options {
            allow_origins: vec!["https://a.example".into()],
            ..Options::default()
        },
        |app| _ = app.get("/", |ctx| ctx.text("hello")),
    );
    assert_eq!(crate::http::get(server.addr, "/").status, 200);
}
