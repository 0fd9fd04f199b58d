//! What an application answers, and what a client reads of it: the same, or nothing.

use super::choices::{Choices, pieces};
use super::texts::check_line;
use crate::http::{
    BadRequest, Limits, Refusal, Response, ResponseHead, ResponseParser, Write, is_token, reason,
};

/// Small, so that inputs reach them.
const LIMITS: Limits = Limits {
    max_head: 1024,
    max_fields: 16,
};
/// More answers than this find nothing more.
const MOST: usize = 80;
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const RESERVED: [&str; 5] = [
    "Content-Length",
    "transfer-encoding",
    "CONNECTION",
    "Date",
    "upgrade",
];
const NAMES: [&str; 5] = ["Set-Cookie", "X-A", "content-TYPE", "Location", "ETag"];

/// Reads `data` as an answer in any chunking, and as a list of answers that an application makes.
///
/// # Panics
///
/// When a promise of an answer is broken.
pub fn response(data: &[u8]) {
    let [first, second, input @ ..] = data else {
        return;
    };
    let whole = read(std::iter::once(input));
    assert_eq!(read(input.chunks(1)), whole, "byte by byte");
    assert_eq!(read(pieces(input, *first, *second, 1)), whole, "in pieces");
    if let Err(error) = whole {
        // A server answered wrongly (RFC 9110 §15.6.3), or said too much.
        assert!(matches!(error.status(), 400 | 431 | 502 | 505), "{error}");
        check_line(&error.to_string(), 60);
    }
    let mut choices = Choices::new(data);
    for _ in 0..MOST {
        if choices.is_empty() {
            break;
        }
        check_answer(&mut choices);
    }
}

/// All that a head says, and how long it is; `None` if it is not whole.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Option<String>, BadRequest> {
    let mut parser = ResponseParser::new(LIMITS);
    let mut len = 0;
    for piece in pieces {
        let progress = parser.push(piece)?;
        len += progress.used;
        if let Some(head) = progress.head {
            assert!(len <= LIMITS.max_head && head.fields().count() <= LIMITS.max_fields);
            let fields: Vec<_> = head.fields().collect();
            let said = (head.status(), head.reason(), fields);
            return Ok(Some(format!("{len} {said:?}")));
        }
    }
    Ok(None)
}

/// An answer in the making, and what is expected of it.
struct Answer {
    response: Response,
    status: u16,
    headers: Vec<(String, String)>,
    is_spoilt: bool,
}

fn check_answer(choices: &mut Choices<'_>) {
    let how = choices.byte();
    let status = u16::from(choices.byte()) * 4 + u16::from(choices.byte() % 4);
    let mut answer = begin(choices, status);
    for _ in 0..choices.below(6) {
        answer = with_header(answer, choices);
    }
    check_offence(&answer);
    let mut response = answer.response.clone();
    let cause = Refusal::ALL[usize::from(how >> 3) % Refusal::ALL.len()];
    let is_known = how & 4 == 4;
    response = match is_known {
        true => response.because(cause).or_because(Refusal::Failed),
        false => response.or_because(cause),
    };
    let expected = (answer.status >= 400).then_some(cause);
    assert_eq!(response.refusal(), expected);
    assert!(is_token(cause.to_string().as_bytes()), "{cause}");
    let upgrade = (answer.status == 426).then_some("websocket");
    if let Some(protocol) = upgrade {
        response = response.with_upgrade(protocol);
    }
    let how = Write {
        head_only: how & 1 == 1,
        keep_alive: how & 2 == 2,
        http10: how >= 128,
        date: DATE,
    };
    check_written(&answer, &response, how, upgrade);
}

fn begin(choices: &mut Choices<'_>, status: u16) -> Answer {
    let kind = choices.below(5);
    let text = text(choices);
    let (response, content_type) = match kind {
        0 => (Response::new(status), None),
        1 => (Response::text(text), Some("text/plain; charset=utf-8")),
        2 => (Response::html(text), Some("text/html; charset=utf-8")),
        3 => (Response::json(text), Some("application/json")),
        _ => (Response::bytes("a/b", text.into_bytes()), Some("a/b")),
    };
    let is_status = (200..=599).contains(&status);
    let default = if kind == 0 { 500 } else { 200 };
    let content_type = content_type.map(|kind| ("Content-Type".to_owned(), kind.to_owned()));
    Answer {
        response: response.with_status(status),
        status: if is_status { status } else { default },
        headers: content_type.into_iter().collect(),
        is_spoilt: !is_status,
    }
}

fn with_header(answer: Answer, choices: &mut Choices<'_>) -> Answer {
    let name = match choices.below(4) {
        0 => choices.one_of(&RESERVED).to_owned(),
        1 => text(choices),
        _ => choices.one_of(&NAMES).to_owned(),
    };
    let value = text(choices);
    let is_own = |known: &str| name.eq_ignore_ascii_case(known);
    let is_control = |char: char| char.is_ascii_control() && char != '\t';
    let is_bad = RESERVED.into_iter().any(is_own)
        || !is_token(name.as_bytes())
        || value.contains(is_control);
    let response = answer.response.header(name.as_str(), value.as_str());
    let mut headers = answer.headers;
    if !is_bad {
        // There is one type.
        if is_own("content-type") {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case("content-type"));
        }
        headers.push((name, value));
    }
    Answer {
        response,
        headers,
        is_spoilt: answer.is_spoilt || is_bad,
        ..answer
    }
}

/// Up to 14 bytes, as text; or 15, over and over.
fn text(choices: &mut Choices<'_>) -> String {
    let len = choices.below(16);
    let bytes: Vec<u8> = (0..len).map(|_| choices.byte()).collect();
    let text = String::from_utf8_lossy(&bytes);
    text.repeat(if len == 15 { 40 } else { 1 })
}

/// What cannot be written is told.
fn check_offence(answer: &Answer) {
    let offence = answer.response.offence();
    assert_eq!(offence.is_some(), answer.is_spoilt);
    if let Some(offence) = offence {
        check_line(&offence.to_string(), 1000);
    }
}

/// A client reads the status, the headers in their order and the body, and where it ends.
fn check_written(answer: &Answer, response: &Response, how: Write<'_>, upgrade: Option<&str>) {
    let mut bytes = Vec::new();
    response.write(&mut bytes, how);
    let limits = Limits {
        max_head: 64 * 1024,
        ..LIMITS
    };
    let progress = ResponseParser::new(limits).push(&bytes);
    let progress = progress.expect("it is an answer");
    let (head, body) = (progress.head.expect("it is whole"), &bytes[progress.used..]);
    assert_eq!(head.status(), answer.status);
    assert_eq!(head.reason(), reason(answer.status));
    let mut headers: Vec<_> = head.fields().collect();
    assert_eq!(headers.remove(0), ("Date", DATE.as_bytes()));
    let own = headers.drain(..answer.headers.len());
    let said = answer.headers.iter();
    // White space around a value is not part of it (RFC 9110 §5.5).
    let blank = |char| matches!(char, ' ' | '\t');
    let said = said.map(|(name, value)| (name.as_str(), value.trim_matches(blank).as_bytes()));
    assert!(own.eq(said), "{headers:?}");
    check_framing(answer.status, &head, response.body(), body, how);
    assert_eq!(head.header("upgrade"), upgrade);
    assert_eq!(head.has_token("connection", "upgrade"), upgrade.is_some());
    assert_eq!(head.has_token("connection", "close"), !how.keep_alive);
}

/// The length is that of the body, unless none may come (RFC 9112 §6.3).
fn check_framing(status: u16, head: &ResponseHead, said: &[u8], body: &[u8], how: Write<'_>) {
    let said = if status == 205 { &[] } else { said };
    let length = head.header("content-length").map(str::parse);
    if matches!(status, 204 | 304) {
        assert_eq!((length, body.len()), (None, 0));
    } else {
        assert_eq!(length, Some(Ok(said.len())));
        assert_eq!(body, if how.head_only { &[] } else { said });
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_noise, run_seeds};
    use super::response;

    /// One head of each class; more lie in `fuzz/seeds/response`.
    const SEEDS: [&[u8]; 4] = [
        b"\x05\x07HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        b"\x01\x03HTTP/1.0 404\r\nA:\r\nB: c, d\r\n\r\n",
        b"\x09\x02HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n\x81\x00",
        b"\x00\x00HTTP/1.7 999 \xC3\xA9\xFF\r\n\r\n",
    ];

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("response", response);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(2_000, 200, response);
    }

    #[test]
    fn mutated_heads_break_no_promise() {
        let mut random = Random::new();
        for round in 0..if cfg!(miri) { 5 } else { 2_000 } {
            let mut input = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.below(4) {
                let at = random.below(input.len());
                match random.below(3) {
                    0 => input[at] = random.below(256) as u8,
                    1 => drop(input.remove(at)),
                    _ => input.insert(at, b"\r\n :\0,"[random.below(6)]),
                }
            }
            response(&input);
        }
    }
}
