//! Both sides of the opening handshake, each held against a table of one change at a time.

use super::*;
use crate::http::{Head, HeadParser, Limits, ResponseHead, ResponseParser};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const LIMITS: Limits = Limits {
    max_head: 16 * 1024,
    max_fields: 100,
};

fn request(text: &str) -> Head {
    let progress = HeadParser::new(LIMITS).push(text.as_bytes());
    progress
        .ok()
        .and_then(|progress| progress.head)
        .expect(text)
}

fn response(text: &str) -> ResponseHead {
    let progress = ResponseParser::new(LIMITS).push(text.as_bytes());
    progress
        .ok()
        .and_then(|progress| progress.head)
        .expect(text)
}

const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// `text` with one line changed, which must be there.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}

#[test]
fn the_key_of_section_1_3_gives_its_proof() {
    assert_eq!(&accept_key(KEY), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn the_handshake_of_section_1_2_is_accepted() {
    let head = request(REQUEST);
    let offer = check(&head).unwrap();
    assert_eq!(offer.key, KEY);
    assert_eq!(offer.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    assert!(offer.extensions().is_empty());
    let mut answer = Vec::new();
    write_accept(&mut answer, offer.key, Some("chat"), [].into_iter());
    assert_eq!(str::from_utf8(&answer), Ok(RESPONSE));
}

#[test]
fn a_handshake_may_be_worded_differently() {
    #[rustfmt::skip]
    let table = [
        ("names in lower case", "Upgrade: websocket", "upgrade: websocket"),
        ("Upgrade in capitals", "Upgrade: websocket", "Upgrade: WebSocket"),
        ("several upgrades", "Upgrade: websocket", "Upgrade: h2c, websocket"),
        ("upgrades on two lines", "Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"),
        ("Connection in lower case", "Connection: Upgrade", "Connection: upgrade"),
        ("Connection of Firefox", "Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        ("Connection on two lines", "Connection: Upgrade", "Connection: x\r\nConnection: UPGRADE"),
        ("space around values", "Version: 13", "Version: \t13 \t"),
        ("no Origin", "Origin: http://example.com\r\n", ""),
        ("no protocol", "Sec-WebSocket-Protocol: chat, superchat\r\n", ""),
        ("protocols on two lines", "chat, superchat", "chat\r\nSec-WebSocket-Protocol: superchat"),
        ("empty elements", "chat, superchat", ",chat,, superchat,"),
        ("cases differ", "chat, superchat", "chat, Chat"),
        ("bytes beyond ASCII elsewhere", "Origin: http", "X: ÿé\r\nOrigin: http"),
        ("empty body", "Origin: http", "Content-Length: 0\r\nOrigin: http"),
        ("an extension", "Origin: http", "Sec-WebSocket-Extensions: a; b=\"c\"\r\nOrigin: http"),
        ("another key", KEY, "AQIDBAUGBwgJCgsMDQ4PEA=="),
        ("key of zeros", KEY, "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("key of ones", KEY, "/////////////////////w=="),
    ];
    for (name, from, to) in table {
        let head = request(&changed(REQUEST, from, to));
        assert_eq!(check(&head).map(drop), Ok(()), "{name}");
    }
}

#[test]
fn a_handshake_that_breaks_a_rule_is_refused_with_its_status() {
    use HandshakeError::*;
    #[rustfmt::skip]
    let table = [
        ("POST", "GET", "POST", Method, 405),
        ("HEAD", "GET", "HEAD", Method, 405),
        ("get", "GET", "get", Method, 405),
        ("HTTP/1.0", "HTTP/1.1", "HTTP/1.0", HttpVersion, 400),
        ("no Upgrade", "Upgrade: websocket\r\n", "", Upgrade, 400),
        ("Upgrade of h2c", "Upgrade: websocket", "Upgrade: h2c", Upgrade, 400),
        ("Upgrade with a version", "Upgrade: websocket", "Upgrade: websocket/13", Upgrade, 400),
        ("Upgrade of several words", "Upgrade: websocket", "Upgrade: websocket x", Upgrade, 400),
        ("no Connection", "Connection: Upgrade\r\n", "", Connection, 400),
        ("Connection of close", "Connection: Upgrade", "Connection: close", Connection, 400),
        ("Connection of Upgraded", "Connection: Upgrade", "Connection: Upgraded", Connection, 400),
        ("no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", Key, 400),
        ("empty key", KEY, "", Key, 400),
        ("two keys", "Origin:", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nOrigin:", Key, 400),
        ("the same key twice", "Origin:", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin:", Key, 400),
        ("key of 15 bytes", KEY, "AQIDBAUGBwgJCgsMDQ4P", Key, 400),
        ("key of 17 bytes", KEY, "AQIDBAUGBwgJCgsMDQ4PEBE=", Key, 400),
        ("key of 18 bytes", KEY, "AQIDBAUGBwgJCgsMDQ4PEBES", Key, 400),
        ("key without padding", KEY, "dGhlIHNhbXBsZSBub25jZQ", Key, 400),
        ("key with half the padding", KEY, "dGhlIHNhbXBsZSBub25jZQ=", Key, 400),
        ("key with more padding", KEY, "dGhlIHNhbXBsZSBub25jZQ====", Key, 400),
        ("key with bits to spare", KEY, "dGhlIHNhbXBsZSBub25jZR==", Key, 400),
        ("key in the URL alphabet", KEY, "_____________________w==", Key, 400),
        ("key with a space", KEY, "dGhlIHNhbXBsZSBub 5jZQ==", Key, 400),
        ("key beyond ASCII", KEY, "dGhlIHNhbXBsZSBub25jéQ==", Key, 400),
        ("two keys in one line", KEY, "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==", Key, 400),
        ("body", "Origin:", "Content-Length: 5\r\nOrigin:", Body, 400),
        ("chunked body", "Origin:", "Transfer-Encoding: chunked\r\nOrigin:", Body, 400),
        ("empty list of protocols", "chat, superchat", "", Protocol, 400),
        ("list of no protocols", "chat, superchat", " , ,", Protocol, 400),
        ("protocol twice", "chat, superchat", "chat, chat", Protocol, 400),
        ("protocol twice on two lines", "chat, superchat", "chat\r\nSec-WebSocket-Protocol: chat", Protocol, 400),
        ("protocol with a space", "chat, superchat", "super chat", Protocol, 400),
        ("protocol with a slash", "chat, superchat", "chat/1", Protocol, 400),
        ("quoted protocol", "chat, superchat", "\"chat\"", Protocol, 400),
        ("protocol beyond ASCII", "chat, superchat", "chät", Protocol, 400),
        ("empty extensions", "Origin:", "Sec-WebSocket-Extensions:\r\nOrigin:", Extensions, 400),
        ("malformed extensions", "Origin:", "Sec-WebSocket-Extensions: a;\r\nOrigin:", Extensions, 400),
        ("no version", "Sec-WebSocket-Version: 13\r\n", "", Version, 426),
        ("empty version", "Version: 13", "Version:", Version, 426),
        ("version 8", "Version: 13", "Version: 8", Version, 426),
        ("version 14", "Version: 13", "Version: 14", Version, 426),
        ("version 013", "Version: 13", "Version: 013", Version, 426),
        ("version +13", "Version: 13", "Version: +13", Version, 426),
        ("version 13.0", "Version: 13", "Version: 13.0", Version, 426),
        ("versions in a list", "Version: 13", "Version: 13, 8", Version, 426),
        ("version twice", "Origin:", "Sec-WebSocket-Version: 13\r\nOrigin:", Version, 426),
    ];
    for (name, from, to, error, status) in table {
        let head = request(&changed(REQUEST, from, to));
        assert_eq!(check(&head).map(drop), Err(error), "{name}");
        assert_eq!(error.status(), status, "{name}");
    }
}

#[test]
fn the_method_is_told_before_the_headers_and_the_version_after_them() {
    let old = changed(REQUEST, "Version: 13", "Version: 8");
    let keyless = changed(&old, KEY, "");
    let posted = changed(&keyless, "GET", "POST");
    for (text, status) in [(old, 426), (keyless, 400), (posted, 405)] {
        let error = check(&request(&text)).map(drop).unwrap_err();
        assert_eq!(error.status(), status, "{text}");
    }
}

#[test]
fn only_an_upgrade_to_websocket_is_wanted() {
    let plain = changed(REQUEST, "Upgrade: websocket\r\n", "");
    let foreign = changed(REQUEST, "Upgrade: websocket", "Upgrade: h2c");
    let capital = changed(REQUEST, "Upgrade: websocket", "Upgrade: WEBSOCKET");
    for (text, wanted) in [(plain, false), (foreign, false), (capital, true)] {
        assert_eq!(wants_websocket(&request(&text)), wanted, "{text}");
    }
}

#[test]
fn a_long_list_of_protocols_takes_time_in_proportion_to_its_length() {
    let most = if cfg!(miri) { 50 } else { 3000 };
    let names: Vec<String> = (0..most).map(|n| format!("{n}")).collect();
    let text = changed(REQUEST, "chat, superchat", &names.join(","));
    let head = request(&text);
    assert_eq!(check(&head).unwrap().protocols().count(), most);
}

#[test]
fn extra_headers_stand_in_the_answer() {
    let mut answer = Vec::new();
    let extra = [("Set-Cookie", "a=b"), ("X-Id", "7")];
    write_accept(&mut answer, KEY, None, extra.into_iter());
    let head = response(str::from_utf8(&answer).unwrap());
    assert_eq!(head.header("set-cookie"), Some("a=b"));
    assert_eq!(head.header("x-id"), Some("7"));
    assert_eq!(head.header("sec-websocket-protocol"), None);
}

#[test]
fn an_answer_that_keeps_every_rule_is_taken() {
    let offered = ["superchat", "chat"];
    #[rustfmt::skip]
    let table = [
        ("as in section 1.2", "101", "101", Some("chat")),
        ("without a subprotocol", "Sec-WebSocket-Protocol: chat\r\n", "", None),
        ("Upgrade in capitals", "Upgrade: websocket", "Upgrade: WebSocket", Some("chat")),
        ("Connection as a list", "Connection: Upgrade", "Connection: keep-alive, upgrade", Some("chat")),
        ("space around the proof", "+xOo=", "+xOo= \t", Some("chat")),
        ("another reason", "Switching Protocols", "Yes", Some("chat")),
    ];
    for (name, from, to, protocol) in table {
        let head = response(&changed(RESPONSE, from, to));
        let expected = Ok(protocol.map(str::to_owned));
        assert_eq!(check_response(&head, KEY, &offered), expected, "{name}");
    }
}

#[test]
fn an_answer_that_breaks_a_rule_is_refused() {
    use HandshakeError::*;
    #[rustfmt::skip]
    let table = [
        ("200", "101", "200", Status(200)),
        ("100", "101", "100", Status(100)),
        ("301", "101", "301", Status(301)),
        ("426", "101", "426", Status(426)),
        ("no Upgrade", "Upgrade: websocket\r\n", "", Upgrade),
        ("Upgrade to h2c", "Upgrade: websocket", "Upgrade: h2c", Upgrade),
        ("two upgrades", "Upgrade: websocket", "Upgrade: websocket, h2c", Upgrade),
        ("Upgrade twice", "Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket", Upgrade),
        ("no Connection", "Connection: Upgrade\r\n", "", Connection),
        ("Connection of close", "Connection: Upgrade", "Connection: close", Connection),
        ("no proof", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", Accept),
        ("empty proof", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "", Accept),
        ("another proof", "s3pP", "s3pQ", Accept),
        ("proof in another case", "s3pP", "S3pP", Accept),
        ("the key as proof", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", KEY, Accept),
        ("proof twice", "+xOo=", "+xOo=\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Accept),
        ("an extension", "Upgrade: w", "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: w", ExtensionNotOffered),
        ("a malformed extension", "Upgrade: w", "Sec-WebSocket-Extensions: ;\r\nUpgrade: w", ExtensionNotOffered),
        ("another subprotocol", "Protocol: chat", "Protocol: other", ProtocolNotOffered),
        ("subprotocol in another case", "Protocol: chat", "Protocol: Chat", ProtocolNotOffered),
        ("empty subprotocol", "Protocol: chat", "Protocol:", ProtocolNotOffered),
        ("two subprotocols", "Protocol: chat", "Protocol: chat, superchat", ProtocolNotOffered),
        ("subprotocol twice", "Protocol: chat", "Protocol: chat\r\nSec-WebSocket-Protocol: chat", ProtocolNotOffered),
    ];
    for (name, from, to, error) in table {
        let head = response(&changed(RESPONSE, from, to));
        let outcome = check_response(&head, KEY, &["chat", "superchat"]);
        assert_eq!(outcome, Err(error), "{name}");
    }
    let head = response(RESPONSE);
    let outcome = check_response(&head, KEY, &[] as &[&str]);
    assert_eq!(outcome, Err(ProtocolNotOffered), "none was offered");
}

#[test]
fn what_the_client_writes_the_server_accepts_and_the_other_way_round() {
    let mut bytes = Vec::new();
    let extra = [("Origin", "http://a.example")];
    let protocols = ["a", "b"];
    write_request(
        &mut bytes,
        "a.example:1",
        "/x?y",
        KEY,
        &protocols,
        extra.into_iter(),
    );
    let head = request(str::from_utf8(&bytes).unwrap());
    assert_eq!((head.host(), head.target()), ("a.example:1", "/x?y"));
    assert_eq!(head.header("origin"), Some("http://a.example"));
    let offer = check(&head).unwrap();
    assert_eq!(offer.protocols().collect::<Vec<_>>(), protocols);
    let mut answer = Vec::new();
    write_accept(&mut answer, offer.key, Some("b"), [].into_iter());
    let head = response(str::from_utf8(&answer).unwrap());
    let chosen = check_response(&head, KEY, &protocols);
    assert_eq!(chosen, Ok(Some("b".to_owned())));
}

#[test]
fn every_error_says_in_one_line_what_is_wrong_and_where_the_rule_stands() {
    use HandshakeError::*;
    let errors = [
        (Method, "4.1"),
        (HttpVersion, "4.1"),
        (Upgrade, "4.2.1"),
        (Connection, "4.2.1"),
        (Key, "4.2.1"),
        (Version, "4.2.1"),
        (Body, "4.1"),
        (Protocol, "4.1"),
        (Extensions, "9.1"),
        (Status(404), "4.1"),
        (Accept, "4.1"),
        (ProtocolNotOffered, "4.1"),
        (ExtensionNotOffered, "4.1"),
    ];
    for (error, section) in errors {
        let line = error.to_string();
        assert!(!line.is_empty() && !line.contains('\n'), "{error:?}");
        assert_eq!(error.section(), section, "{error:?}");
    }
    let key = "Sec-WebSocket-Key must be 16 bytes in base64";
    assert_eq!(Key.to_string(), key);
}
