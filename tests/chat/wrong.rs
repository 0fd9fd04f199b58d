//! What makes no sense, is too much, or breaks the rules.

use serde_json::json;

use crate::common::client::{TEXT, frame};
use crate::common::until;
use crate::program::{Chat, chat, hear, say};

const FORMAT: &str = "Invalid message format";

/// A4, A6, A11, A20, A21: an error, and the connection stays.
#[test]
fn nonsense_is_answered_with_an_error_and_survived() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut brook, _) = program.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let unknown = "Unknown message type";
    let cases = [
        ("not JSON", "hello", FORMAT),
        ("nothing", "", FORMAT),
        ("half a JSON", r#"{"type":"chat","text":"#, FORMAT),
        ("nested deeply", &"[".repeat(30_000), FORMAT),
        ("a number", "7", FORMAT),
        ("an array", r#"["chat"]"#, FORMAT),
        ("no type", r#"{"text":"x"}"#, FORMAT),
        (
            "a type that is no string",
            r#"{"type":7,"text":"x"}"#,
            FORMAT,
        ),
        ("an unknown type", r#"{"type":"dance"}"#, unknown),
        (
            "what only the server says",
            r#"{"type":"room-history"}"#,
            unknown,
        ),
        (
            "what only the admin says",
            r#"{"type":"system_message","message":"x"}"#,
            unknown,
        ),
        ("no text", r#"{"type":"chat"}"#, FORMAT),
        (
            "a text that is no string",
            r#"{"type":"chat","text":{"a":1}}"#,
            FORMAT,
        ),
        (
            "a blank text",
            r#"{"type":"chat","text":" \n"}"#,
            "The message is empty",
        ),
        (
            "an announcement without text",
            r#"{"type":"announce"}"#,
            FORMAT,
        ),
        (
            "typing what",
            r#"{"type":"typing","isTyping":"yes"}"#,
            FORMAT,
        ),
        ("going nowhere", r#"{"type":"switch-room"}"#, FORMAT),
        (
            "going to a number",
            r#"{"type":"switch-room","room":7}"#,
            FORMAT,
        ),
        (
            "a private one without text",
            r#"{"type":"private","targetUserId":"0-0"}"#,
            FORMAT,
        ),
        (
            "a private one to nobody",
            r#"{"type":"private","text":"x"}"#,
            FORMAT,
        ),
        (
            "a private one to a number",
            r#"{"type":"private","text":"x","targetUserId":7}"#,
            FORMAT,
        ),
    ];
    for (name, text, message) in cases {
        ada.send(text);
        assert_eq!(
            hear(&mut ada),
            json!({ "type": "error", "message": message }),
            "{name}"
        );
    }
    ada.send_binary(br#"{"type":"chat","text":"binary"}"#);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "error", "message": FORMAT }),
        "binary"
    );
    // A wrong clientId is not given back.
    ada.send(r#"{"type":"dance","clientId":7}"#);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "error", "message": unknown })
    );
    // A text may have 4,000 characters, whatever their bytes.
    let long = "é".repeat(4_000);
    assert_eq!(
        chat(&mut ada, &long),
        hear(&mut brook),
        "and nobody else heard of the rest"
    );
    say(&mut ada, &json!({ "type": "chat", "text": long + "é" }));
    assert_eq!(hear(&mut ada)["message"], "The message is too long");
}

/// A11: 60 messages in 60 seconds; what is more is answered, and the connection stays.
#[test]
fn who_says_too_much_is_told_and_may_go_on_later() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut brook, _) = program.join("garden", "Brook");
    for number in 0..80 {
        say(
            &mut ada,
            &json!({ "type": "chat", "text": number.to_string() }),
        );
    }
    let answers: Vec<_> = (0..80).map(|_| hear(&mut ada)).collect();
    for (number, answer) in answers.iter().enumerate().take(60) {
        assert_eq!(
            (&answer["type"], &answer["text"]),
            (&json!("chat-message"), &json!(number.to_string()))
        );
    }
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer["type"] == "error")
        .collect();
    assert!(!refused.is_empty());
    for answer in refused {
        assert_eq!(answer["message"], "Rate limit exceeded");
        let wait = answer["retryAfter"].as_u64().expect("milliseconds");
        assert!((1..=1_000).contains(&wait), "{answer}");
    }
    chat(&mut brook, "others are not slowed down");
    until("Ada may speak again", || {
        say(&mut ada, &json!({ "type": "chat", "text": "later" }));
        hear(&mut ada)["text"] == "later"
    });
}

/// A11: `Connection error occurred`, with the code, before the connection ends.
#[test]
fn who_breaks_the_rules_is_told_before_the_end() {
    let program = Chat::start();
    let long = "x".repeat(32 * 1024 + 1);
    let cases = [
        ("no UTF-8", frame(true, 0, TEXT, &[0xC3, 0x28]), 1007),
        ("too long", frame(true, 0, TEXT, long.as_bytes()), 1009),
        ("a reserved bit", frame(true, 1, TEXT, b"x"), 1002),
    ];
    let (mut brook, _) = program.join("garden", "Brook");
    for (name, bytes, code) in cases {
        let (mut ada, _) = program.join(&code.to_string(), "Ada");
        ada.send_raw(&bytes);
        let expected =
            json!({ "type": "error", "message": "Connection error occurred", "code": code });
        assert_eq!(hear(&mut ada), expected, "{name}");
        assert_eq!(ada.closed().0, code, "{name}");
    }
    chat(&mut brook, "the others go on");
}
