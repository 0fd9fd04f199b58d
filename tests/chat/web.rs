//! What is plain HTTP.

use serde_json::json;

use crate::program::{Chat, bearer, chat, hear, hears_nothing, is_timestamp, json_of};

const ADMIN: &str = "a word that only the admin knows";
const PATH: &str = "/api/admin/broadcast";

#[test]
fn the_page_and_its_parts_are_there_and_nothing_else() {
    let program = Chat::start();
    let page = program.get("/", "");
    assert!(page.text().starts_with("<!doctype html>"));
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/link.js", "text/javascript"),
        ("/elements.js", "text/javascript"),
    ] {
        let answer = program.get(path, "");
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer
                .header("content-type")
                .is_some_and(|found| found.starts_with(kind)),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "//cdn",
            "https://",
        ] {
            assert!(!answer.text().contains(forbidden), "{path} has {forbidden}");
        }
    }
    assert_eq!(program.get("/other", "").status, 404);
    assert_eq!(program.get("/chat/lobby", "").status, 426);
}

/// A15
#[test]
fn room_info_tells_how_many_are_there_and_what_was_said() {
    let program = Chat::start();
    let token = program.login("Ada");
    let info = |room: &str| json_of(&program.get(&format!("/rooms/{room}/info"), &bearer(&token)));
    assert_eq!(
        info("lobby"),
        json!({ "room": "lobby", "connections": 0, "messages": [] })
    );
    let (mut ada, _) = program.enter("lobby", &token);
    let (_brook, _) = program.join("lobby", "Brook");
    let (_cleo, _) = program.join("caf%C3%A9", "Cleo");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let said = chat(&mut ada, "hello");
    assert_eq!(
        info("lobby"),
        json!({ "room": "lobby", "connections": 2, "messages": [said] })
    );
    assert_eq!(
        info("caf%C3%A9"),
        json!({ "room": "café", "connections": 1, "messages": [] })
    );
}

/// A7
#[test]
fn the_admin_speaks_to_a_room_or_to_everyone() {
    let program = Chat::with(&[], &[("CHAT_ADMIN_TOKEN", ADMIN)]);
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut cleo, _) = program.join("garden", "Cleo");
    let tell = |body: &str| program.post(PATH, &bearer(ADMIN), body);
    let answer = tell(r#"{"message":"Maintenance","room":"lobby"}"#);
    assert_eq!(
        (answer.status, json_of(&answer)),
        (200, json!({ "success": true, "reached": 1 }))
    );
    let heard = hear(&mut ada);
    assert!(is_timestamp(&heard["timestamp"]));
    let timestamp = &heard["timestamp"];
    let expected =
        json!({ "type": "system_message", "message": "Maintenance", "timestamp": timestamp });
    assert_eq!(heard, expected);
    hears_nothing(&mut cleo);
    for body in [r#"{"message":"Now"}"#, r#"{"message":"Now","room":null}"#] {
        assert_eq!(
            json_of(&tell(body)),
            json!({ "success": true, "reached": 2 })
        );
        assert_eq!(
            (
                hear(&mut ada)["message"].clone(),
                hear(&mut cleo)["message"].clone()
            ),
            ("Now".into(), "Now".into())
        );
    }
    assert_eq!(
        json_of(&tell(r#"{"message":"Hello?","room":"attic"}"#))["reached"],
        0
    );
    for body in [
        "",
        "{}",
        r#"{"message":7}"#,
        r#"{"message":"x","room":7}"#,
        "[1",
    ] {
        assert_eq!(tell(body).status, 400, "{body}");
    }
    assert_eq!(program.get(PATH, &bearer(ADMIN)).status, 405);
    hears_nothing(&mut ada);
}

/// A7: the predecessors let anyone speak.
#[test]
fn nobody_else_speaks_as_the_admin() {
    let program = Chat::with(&[], &[("CHAT_ADMIN_TOKEN", ADMIN)]);
    let token = program.login("Ada");
    let (mut ada, _) = program.enter("lobby", &token);
    let body = r#"{"message":"x"}"#;
    let cases = [
        ("nobody", String::new()),
        ("a user", bearer(&token)),
        ("a part of the word", bearer(&ADMIN[..ADMIN.len() - 1])),
        ("more than the word", bearer(&format!("{ADMIN}x"))),
        ("a word of its length", bearer(&"x".repeat(ADMIN.len()))),
        ("an empty word", bearer("")),
        (
            "another scheme",
            format!("Authorization: Basic {ADMIN}\r\n"),
        ),
    ];
    for (name, headers) in &cases {
        let answer = program.post(PATH, headers, body);
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name}");
    }
    for settings in [&[][..], &[("CHAT_ADMIN_TOKEN", "")]] {
        let program = Chat::with(&[], settings);
        for (name, headers) in &cases {
            assert_eq!(
                program.post(PATH, headers, body).status,
                403,
                "no admin is set: {name}"
            );
        }
    }
    hears_nothing(&mut ada);
}
