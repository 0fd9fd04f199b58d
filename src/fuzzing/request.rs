//! The request reader against itself: whatever the cuts, the outcome is one.

use super::choices::{expand, pieces, unit};
use super::texts::check_line;
use crate::http::{
    BadRequest, BodyReader, Framing, Head, HeadParser, Limits, Method, Pattern, Query, Refusal,
    ResponseParser, Router, Write, reason,
};

/// How much may come.
#[derive(Clone, Copy)]
struct Scale {
    limits: Limits,
    max_body: usize,
}

/// Small, so that inputs reach it.
const SMALL: Scale = Scale {
    limits: Limits {
        max_head: 1024,
        max_fields: 16,
    },
    max_body: 512,
};
/// As a server has it, but for the body.
const LARGE: Scale = Scale {
    limits: Limits {
        max_head: 16 * 1024,
        max_fields: 100,
    },
    max_body: 64 * 1024,
};
/// For a head and a body that are too large.
const MAX_INPUT: usize = 100 * 1024;
/// The longest target that is read, whatever a head may have (RFC 9110 §4.1).
const MAX_TARGET: usize = 8 * 1024;
/// Longer input is not read byte by byte.
const BYTE_BY_BYTE: usize = 20 * 1024;
/// What an answer to a bad request may be long.
const ANSWER: Limits = Limits {
    max_head: 512,
    max_fields: 8,
};
const PATTERNS: [&str; 6] = ["/", "/*", "/chat/:room", "/chat/lobby", "/a/*", "/:a/:b/c"];

impl Scale {
    /// What an unfinished head may cost: its bytes, and a place for each line; both grow by doubling.
    fn held(self) -> usize {
        2 * self.limits.max_head + 32 * self.limits.max_fields
    }
}

/// All that a connection's bytes mean.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    requests: Vec<(String, Vec<u8>)>,
    error: Option<BadRequest>,
    /// Whether the bytes end inside a head.
    has_begun: bool,
}

/// What comes next on the connection.
enum Reading {
    Head(HeadParser),
    Body(String, BodyReader, Vec<u8>),
}

/// Reads requests from `data`: the first two bytes choose how the rest is cut. If the first is 255, the
/// rest is a seed of something large.
///
/// # Panics
///
/// When a promise of the reader is broken.
pub fn request(data: &[u8]) {
    let [first, second, input @ ..] = data else {
        return;
    };
    let (scale, input) = match *first {
        u8::MAX => (LARGE, expand(input, MAX_INPUT)),
        _ => (SMALL, input.to_vec()),
    };
    let whole = read(scale, std::iter::once(input.as_slice()));
    let pieces = pieces(&input, *first, *second, unit(input.len()));
    // What is large would fill the screen.
    assert!(read(scale, pieces) == whole, "in pieces");
    if input.len() <= BYTE_BY_BYTE {
        assert!(read(scale, input.chunks(1)) == whole, "byte by byte");
    }
    whole.requests.iter().for_each(check_request);
    whole.error.into_iter().for_each(check_refusal);
}

/// What is refused is the client's fault or not supported; the client reads of that, and why in a line.
fn check_refusal(error: BadRequest) {
    assert!(matches!(error.status(), 400..=499 | 501 | 505), "{error}");
    let line = error.to_string();
    check_line(&line, 60);
    let answer = error.answer();
    let cause = match error.status() {
        413 | 414 | 431 => Refusal::TooLarge,
        _ => Refusal::BadRequest,
    };
    assert_eq!(answer.refusal(), Some(cause), "{line}");
    let how = Write {
        head_only: false,
        keep_alive: false,
        http10: false,
        date: "Sun, 06 Nov 1994 08:49:37 GMT",
    };
    let mut bytes = Vec::new();
    answer.write(&mut bytes, how);
    let progress = ResponseParser::new(ANSWER).push(&bytes);
    let progress = progress.expect("it is an answer");
    let head = progress.head.expect("it is whole");
    assert_eq!(head.status(), error.status());
    assert_eq!(head.reason(), reason(error.status()));
    assert!(!head.reason().is_empty(), "{error}: {}", head.status());
    assert!(head.has_token("connection", "close"));
    assert_eq!(&bytes[progress.used..], format!("{line}\n").as_bytes());
}

fn read<'a>(scale: Scale, pieces: impl Iterator<Item = &'a [u8]>) -> Transcript {
    let mut transcript = Transcript::default();
    let mut reading = Reading::Head(HeadParser::new(scale.limits));
    for mut piece in pieces {
        while !piece.is_empty() {
            match step(scale, reading, piece, &mut transcript) {
                Ok((next, used)) => (reading, piece) = (next, &piece[used..]),
                Err(error) => {
                    transcript.error = Some(error);
                    return transcript;
                }
            }
        }
    }
    transcript.has_begun = matches!(reading, Reading::Head(head) if head.has_begun());
    transcript
}

/// Reads on until a head or a body is complete, or `piece` is used up.
fn step(
    scale: Scale,
    reading: Reading,
    piece: &[u8],
    transcript: &mut Transcript,
) -> Result<(Reading, usize), BadRequest> {
    match reading {
        Reading::Head(mut parser) => {
            let progress = parser.push(piece)?;
            assert!(parser.held() <= scale.held(), "{} bytes", parser.held());
            let Some(head) = progress.head else {
                assert_eq!(progress.used, piece.len(), "a part of a head is kept");
                return Ok((Reading::Head(parser), progress.used));
            };
            assert!(progress.used > 0 && !parser.has_begun());
            let body = BodyReader::new(head.framing(), scale.max_body);
            let head = describe(scale, &head);
            let next = read_body(scale, head, body, Vec::new(), &[], transcript)?.0;
            Ok((next, progress.used))
        }
        Reading::Body(head, reader, body) => {
            read_body(scale, head, reader, body, piece, transcript)
        }
    }
}

fn read_body(
    scale: Scale,
    head: String,
    mut reader: BodyReader,
    mut body: Vec<u8>,
    piece: &[u8],
    transcript: &mut Transcript,
) -> Result<(Reading, usize), BadRequest> {
    let progress = reader.push(piece, &mut body)?;
    assert!(body.len() <= scale.max_body);
    if progress.done {
        transcript.requests.push((head, body));
        let parser = HeadParser::new(scale.limits);
        return Ok((Reading::Head(parser), progress.used));
    }
    assert_eq!(progress.used, piece.len(), "a part of a body is kept");
    Ok((Reading::Body(head, reader, body), progress.used))
}

/// Calls everything a head can be asked; the target stands in the first line.
fn describe(Scale { limits, .. }: Scale, head: &Head) -> String {
    let size: usize = head
        .fields()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(size + head.target().len() <= limits.max_head);
    assert!(head.target().len() <= MAX_TARGET);
    assert!(head.fields().count() <= limits.max_fields);
    assert!(head.fields().all(|(name, _)| !name.is_empty()));
    assert!(head.target().contains(head.path()) || head.path() == "/");
    let method = head.method();
    assert!(method.to_string() == head.method_token() || method == Method::Other);
    if let Framing::Length(length) = head.framing() {
        assert_eq!(
            head.header("content-length").map(str::parse),
            Some(Ok(length))
        );
    }
    let lists = ["connection", "upgrade", "accept"].map(|name| head.list(name).collect::<Vec<_>>());
    let flags = (head.keep_alive(), head.expects_continue(), head.version());
    let fields: Vec<_> = head.fields().collect();
    format!(
        "{}\n{} {} {:?} {} {flags:?} {:?} {lists:?} {fields:?}",
        head.target(),
        head.method_token(),
        head.path(),
        head.query(),
        head.host(),
        head.framing(),
    )
}

/// A target is a path and a query, or anything else: neither may upset what reads them.
fn check_request((head, _): &(String, Vec<u8>)) {
    let target = head.lines().next().unwrap_or_default();
    let query = Query::parse(target);
    let pairs = target.split('&').filter(|pair| !pair.is_empty()).count();
    assert_eq!(query.iter().count(), pairs);
    for (name, _) in query.iter() {
        assert!(query.get(name).is_some() && query.all(name).count() > 0);
    }
    let mut router = Router::new();
    let patterns = PATTERNS.map(Pattern::parse);
    let patterns: Vec<Pattern> = patterns.into_iter().flatten().collect();
    for pattern in &patterns {
        assert!(router.insert(pattern).is_ok() && router.insert(pattern).is_err());
    }
    match router.find(target) {
        Err(_) => assert!(target.contains('%')),
        Ok(None) => assert!(!target.starts_with('/')),
        Ok(Some(found)) => {
            let names = patterns
                .get(found.place)
                .map(|pattern| pattern.names().len());
            assert_eq!(names, Some(found.values.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Random, run_seeds};
    use super::request;

    /// One input of each class; more lie in `fuzz/seeds/request`.
    const SEEDS: [&[u8]; 5] = [
        b"\x05\x07GET /chat/lobby?a=%41&b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n",
        b"\x01\x03\r\nPOST /a/%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET",
        b"\x09\x02POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
            5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        b"\x00\x00OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nAccept: a;q=\"1,2\", b\r\n\r\n",
        b"\x20\x11GET http://b/c?d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    ];

    /// What stands between two good requests, one step away from a bad one.
    const SPLICES: [&[u8]; 12] = [
        b"\r", b"\n", b"\r\n", b" ", b"\0", b":", b",", b"%", b"\xFF", b"0", b"chunked", b"Host: a",
    ];

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("request", request);
    }

    #[test]
    fn mutated_requests_break_no_promise() {
        let mut random = Random::new();
        for round in 0..if cfg!(miri) { 5 } else { 2_000 } {
            let mut input = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.below(4) {
                let at = random.below(input.len());
                match random.below(4) {
                    0 => input[at] = random.below(256) as u8,
                    1 => drop(input.remove(at)),
                    2 => input.truncate(at.max(2)),
                    _ => drop(input.splice(at..at, SPLICES[random.below(12)].iter().copied())),
                }
            }
            request(&input);
        }
    }
}
