//! Opening handshakes against `tungstenite`.
//!
//! Whom this library lets in, the other lets in as well, with the same answer to the key; whom only the
//! other lets in is refused for a reason.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use rushwire::App;
use rushwire::testing::TestServer;
use tungstenite::http::Uri;

use super::dice::Dice;
use super::maimed::maimed;
use super::request::{self, Read, Seen, Theirs, first_that_applies, with_known_version};
use super::{Arrived, rounds};

const WHOLE: [&[u8]; 3] = [
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"GET /chat?x=y HTTP/1.1\r\nHost: a.example:8080\r\nConnection: keep-alive, Upgrade\r\n\
      Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
      Upgrade: websocket\r\nOrigin: http://a.example:8080\r\nSec-WebSocket-Version: 13\r\n\
      Accept-Encoding: gzip, deflate, br\r\nSec-WebSocket-Key: /+8AAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost:a\r\nupgrade:WebSocket\r\nconnection:upgrade\r\nsec-websocket-version:13\r\n\
      sec-websocket-protocol:a, b\r\nsec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
];

/// What the other answers to the key, if it lets in.
fn theirs(bytes: &[u8]) -> Option<String> {
    let socket = tungstenite::accept(Arrived::new(bytes)).ok()?;
    let answer = String::from_utf8(socket.get_ref().answer.clone()).expect("text");
    let mut lines = answer.lines();
    let accept = lines.find_map(|line| line.strip_prefix("sec-websocket-accept: "));
    Some(accept.expect("it answers").to_owned())
}

/// What this library does.
fn ours(server: &TestServer, bytes: &[u8]) -> Option<String> {
    let mut connection = server.open();
    connection.send(bytes);
    let answer = connection.answer()?;
    let accept = answer.header("sec-websocket-accept");
    assert_eq!(accept.is_some(), answer.status == 101);
    accept.map(str::to_owned)
}

/// The other takes one Upgrade with one protocol, one Connection in visible ASCII and spaces, and no
/// character of a target that RFC 3986 has not.
fn is_more_than_others_read(seen: &Seen) -> bool {
    let connections = seen.values("connection");
    let is_plain = |byte| matches!(byte, b' '..=b'~');
    seen.target.parse::<Uri>().is_err()
        || items(&seen.values("upgrade")).len() > 1
        || connections.len() > 1
        || !connections.concat().into_iter().all(is_plain)
}

/// The items of a list, whatever lines it stands in.
fn items<'a>(lines: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let items = lines
        .iter()
        .flat_map(|line| line.split(|&byte| byte == b','));
    items.map(<[u8]>::trim_ascii).collect()
}

fn is_token(name: &[u8]) -> bool {
    let is_sign = |byte| b"!#$%&'*+-.^_`|~".contains(byte);
    let mut bytes = name.iter();
    !name.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
}

/// An escape that is not two hexadecimal digits, or not of ASCII: that may be UTF-8, or not.
fn has_bad_escape(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let is_good = |escape: &str| {
        let digits = escape.as_bytes();
        matches!(digits, [b'0'..=b'7', digit, ..] if digit.is_ascii_hexdigit())
    };
    !path.split('%').skip(1).all(is_good)
}

/// Why somebody is not let in whom the other lets in.
fn reason(read: &Read) -> Option<&'static str> {
    let seen = &read.seen;
    let keys = seen.values("sec-websocket-key");
    let is_key = |key: &&[u8]| STANDARD.decode_slice(key, &mut [0; 99]) == Ok(16);
    let connection = items(&seen.values("connection"));
    let is_upgrade = |item: &&[u8]| item.eq_ignore_ascii_case(b"upgrade");
    let is_quoted = connection.concat().contains(&b'"');
    let protocols = items(&seen.values("sec-websocket-protocol"));
    let unique: BTreeSet<&[u8]> = protocols.iter().copied().collect();
    let are_tokens = protocols.iter().all(|name| is_token(name));
    let reasons = [
        ("a body", read.has_body()),
        (
            "a bad escape in the path (RFC 3986 §2.1)",
            has_bad_escape(&seen.target),
        ),
        (
            "no Upgrade in Connection (§4.2.1)",
            is_quoted || !connection.iter().any(is_upgrade),
        ),
        ("not one key (§4.2.1)", keys.len() != 1),
        (
            "a key that is not 16 bytes (§4.2.1)",
            !keys.iter().all(is_key),
        ),
        ("subprotocols that are no tokens (§4.1)", !are_tokens),
        ("a subprotocol twice (§4.1)", unique.len() < protocols.len()),
    ];
    first_that_applies(&reasons)
}

#[test]
fn whoever_is_let_in_is_let_in_by_others_and_who_is_not_is_refused_for_a_reason() {
    let mut app = App::new();
    app.ws("/*", |_, _| {});
    let server = TestServer::new(app).expect("it is configured well");
    let mut dice = Dice::new(3);
    let (mut same, mut reasons) = (0, BTreeMap::<_, usize>::new());
    for _ in 0..rounds() {
        let bytes = maimed(&mut dice, &WHOLE);
        let Theirs::Read(read) = Theirs::of(&bytes) else {
            assert_eq!(ours(&server, &bytes), None, "{}", bytes.escape_ascii());
            continue;
        };
        let head = &bytes[..read.length];
        let text = head.escape_ascii();
        match (ours(&server, head), theirs(&with_known_version(head))) {
            (None, None) => {}
            (Some(ours), Some(theirs)) => {
                assert_eq!(ours, theirs, "{text}");
                same += 1;
            }
            (Some(_), None) => assert!(is_more_than_others_read(&read.seen), "{text} is let in"),
            (None, Some(_)) => {
                let reason = request::reason(head, &read).or(reason(&read));
                let reason = reason.unwrap_or_else(|| panic!("{text} is not let in"));
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    println!("{same} the same; refused by this library only: {reasons:#?}");
    assert!(
        same > rounds() / 5 && reasons.len() >= 8,
        "too few were good, or bad in too few ways"
    );
}
