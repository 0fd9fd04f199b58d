//! The opening handshake from end to end: what the server accepts, the client takes.

use super::texts::check_line;
use crate::http::{Head, HeadParser, Limits, ResponseHead, ResponseParser, check_header};
use crate::proto::extension;
use crate::proto::handshake::{
    HandshakeError, Offer, check, check_response, request_key, wants_websocket, write_accept,
    write_request,
};

const LIMITS: Limits = Limits {
    max_head: 4096,
    max_fields: 64,
};

/// Reads `data` as a request, as an answer, and as extensions.
///
/// # Panics
///
/// When a promise of the handshake is broken.
pub fn handshake(data: &[u8]) {
    if let Some(head) = request(data) {
        check_request(&head);
    }
    if let Some(head) = response(data) {
        check_answer(&head);
    }
    check_extensions(data);
    if let Some(random) = data.first_chunk() {
        check_asked(*random);
    }
}

/// What our client takes for the answer is one, and what it does not is told in a line.
fn check_answer(head: &ResponseHead) {
    match check_response(head, KEY, &["chat", "superchat"]) {
        Ok(chosen) => {
            assert_eq!(head.status(), 101);
            assert_eq!(head.header("sec-websocket-protocol"), chosen.as_deref());
        }
        Err(error) => check_line(&error.to_string(), 80),
    }
}

/// A key of any 16 bytes is one that the server takes.
fn check_asked(random: [u8; 16]) {
    let key = request_key(random);
    let mut bytes = Vec::new();
    write_request(&mut bytes, "host", "/", &key, &[""; 0], std::iter::empty());
    let head = request(&bytes).expect("it is a whole request");
    let offer = check(&head);
    assert_eq!(offer.map(|offer| offer.key), Ok(key.as_str()));
}

/// The key of RFC 6455 §1.3: its proof can stand in a seed.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn request(data: &[u8]) -> Option<Head> {
    HeadParser::new(LIMITS).push(data).ok()?.head
}

fn response(data: &[u8]) -> Option<ResponseHead> {
    ResponseParser::new(LIMITS).push(data).ok()?.head
}

fn check_request(head: &Head) {
    match check(head) {
        Ok(offer) => {
            assert!(wants_websocket(head));
            check_answers(&offer);
            check_repeated(&offer);
        }
        Err(error) => check_error(head, error),
    }
}

fn check_error(head: &Head, error: HandshakeError) {
    assert!(matches!(error.status(), 400 | 405 | 426));
    check_line(&error.to_string(), 80);
    assert!(
        error
            .section()
            .split('.')
            .all(|part| part.parse::<u8>().is_ok())
    );
    if error == HandshakeError::Upgrade {
        assert!(!wants_websocket(head));
    }
}

/// The client takes the answer for each subprotocol that it offered, and for none.
fn check_answers(offer: &Offer<'_>) {
    let offered: Vec<&str> = offer.protocols().collect();
    let extra = ("X-Key", offer.key);
    assert_eq!(check_header(extra.0, extra.1), Ok(()));
    let each = offered.iter().copied().map(Some);
    for protocol in each.chain([None]) {
        let mut answer = Vec::new();
        write_accept(&mut answer, offer.key, protocol, [extra].into_iter());
        let head = response(&answer);
        let added = head.as_ref().and_then(|head| head.header(extra.0));
        assert_eq!(added, Some(extra.1));
        let taken = head.map(|head| check_response(&head, offer.key, &offered));
        assert_eq!(taken, Some(Ok(protocol.map(str::to_owned))));
    }
}

/// Our client, asking for the same, is understood to do so.
fn check_repeated(offer: &Offer<'_>) {
    let offered: Vec<&str> = offer.protocols().collect();
    let extensions = listed(offer.extensions());
    let extra = ("Sec-WebSocket-Extensions", extensions.as_str());
    let extra = Some(extra).filter(|_| !extensions.is_empty());
    let mut bytes = Vec::new();
    write_request(
        &mut bytes,
        "host",
        "/",
        offer.key,
        &offered,
        extra.into_iter(),
    );
    let Some(head) = request(&bytes) else {
        // The other spelling may be longer than the limit.
        assert!(bytes.len() > LIMITS.max_head);
        return;
    };
    let again = check(&head).ok();
    let again = again.map(|again| {
        (
            again.key,
            again.protocols().eq(offered),
            listed(again.extensions()),
        )
    });
    assert_eq!(again, Some((offer.key, true, extensions)));
}

fn listed(extensions: &[extension::Extension<'_>]) -> String {
    let texts: Vec<String> = extensions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// What is read from lines of extensions is read again from what is written of it.
fn check_extensions(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n');
    if let Ok(extensions) = extension::parse(lines) {
        let written = listed(&extensions);
        let again = extension::parse([written.as_bytes()].into_iter());
        assert_eq!(again.as_ref(), Ok(&extensions));
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_seeds};
    use super::handshake;

    /// One input of each class; more lie in `fuzz/seeds/handshake`.
    const SEEDS: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, websocket\r\nConnection: a, upgrade\r\n\
            Sec-WebSocket-Protocol: chat, b\r\nSec-WebSocket-Extensions: a; b=\"c\\d\", e\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
            Sec-WebSocket-Protocol: chat\r\n\r\n",
        b"permessage-deflate; client_max_window_bits; a=\"b\", c\nd;e=f",
    ];

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("handshake", handshake);
    }

    #[test]
    fn mutated_handshakes_break_no_promise() {
        let mut random = Random::new();
        for round in 0..if cfg!(miri) { 5 } else { 3_000 } {
            let mut input = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.below(4) {
                let at = random.below(input.len());
                match random.below(4) {
                    0 => input[at] = random.below(256) as u8,
                    1 => drop(input.remove(at)),
                    2 => input[at] = b",;=\" \\"[random.below(6)],
                    _ => input.insert(at, b",;=\" \\"[random.below(6)]),
                }
            }
            handshake(&input);
        }
    }
}
