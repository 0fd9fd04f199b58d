//! Every table runs whole, cut in two at every byte, and byte by byte.

use super::super::syntax::tests::SCANNED;
use super::BadRequest::*;
use super::*;
use super::{Method, Version};

const LIMITS: Limits = Limits {
    max_head: 16 * 1024,
    max_fields: 100,
};

/// The bytes that the first head took, and the head; `None` when it is not complete.
type Outcome = Result<Option<(usize, Head)>, BadRequest>;

fn read_pieces<'a>(limits: Limits, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut parser = HeadParser::new(limits);
    let mut used = 0;
    for piece in pieces {
        let progress = parser.push(piece)?;
        used += progress.used;
        if let Some(head) = progress.head {
            assert!(!parser.has_begun());
            return Ok(Some((used, head)));
        }
        assert_eq!(progress.used, piece.len(), "all of it, or a head");
    }
    Ok(None)
}

fn text_of(outcome: &Outcome) -> String {
    match outcome {
        Ok(Some((used, head))) => {
            let fields: Vec<_> = head.fields().collect();
            let framing = head.framing();
            format!(
                "{used} {} {} {framing:?} {fields:?}",
                head.method_token(),
                head.target()
            )
        }
        other => format!("{other:?}"),
    }
}

fn read_within(limits: Limits, input: &[u8]) -> Outcome {
    let whole = read_pieces(limits, std::iter::once(input));
    let expected = text_of(&whole);
    let name = input.escape_ascii();
    let bytewise = read_pieces(limits, input.chunks(1));
    assert_eq!(text_of(&bytewise), expected, "byte by byte: {name}");
    if input.len() <= 512 && !cfg!(miri) {
        for cut in 0..=input.len() {
            let (front, back) = input.split_at(cut);
            let halves = read_pieces(limits, [front, back].into_iter());
            assert_eq!(text_of(&halves), expected, "cut at {cut}: {name}");
        }
    }
    whole
}

fn read(input: &[u8]) -> Outcome {
    read_within(LIMITS, input)
}

fn head(input: &str) -> Head {
    match read(input.as_bytes()) {
        Ok(Some((_, head))) => head,
        other => panic!("{input:?}: {other:?}"),
    }
}

/// A head that is good but for `lines`.
fn error_of_lines(lines: &str) -> Option<BadRequest> {
    read(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes()).err()
}

const HANDSHAKE: &str = "GET /chat/a%20b?token=1 HTTP/1.1\r\n\
    Host: example.org:3000\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0\r\n\
    Connection: keep-alive, Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    Upgrade: websocket\r\n\
    Origin: http://example.org:3000\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

#[test]
fn a_browsers_handshake_is_read_as_it_came() {
    let head = head(HANDSHAKE);
    assert_eq!(head.method(), Method::Get);
    assert_eq!(head.method_token(), "GET");
    assert_eq!(head.target(), "/chat/a%20b?token=1");
    assert_eq!(head.path(), "/chat/a%20b");
    assert_eq!(head.query(), Some("token=1"));
    assert_eq!(head.version(), Version::Http11);
    assert_eq!(head.host(), "example.org:3000");
    assert_eq!(head.header("sec-websocket-VERSION"), Some("13"));
    assert_eq!(head.header("cookie"), None);
    assert_eq!(head.framing(), Framing::None);
    assert_eq!(head.fields().count(), 12);
    assert!(head.keep_alive() && !head.expects_continue());
    assert!(head.has_token("connection", "upgrade") && !head.has_token("connection", "up"));
    let languages: Vec<_> = head.list("accept-language").collect();
    assert_eq!(languages, ["en-GB", "en;q=0.9"]);
}

#[test]
fn a_request_line_that_is_not_one_is_refused() {
    let cases: [(&str, BadRequest); 47] = [
        ("\r\n\r\nGET / HTTP/1.1", Method),
        ("\nGET / HTTP/1.1", BareLf),
        ("\rGET / HTTP/1.1", BareCr),
        (" GET / HTTP/1.1", Method),
        ("\0", Method),
        ("\u{16}\u{3}\u{1}", Method),
        ("G(T / HTTP/1.1", Method),
        ("GÉT / HTTP/1.1", Method),
        ("GET\t/ HTTP/1.1", Method),
        ("GET\r\n", Method),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", MethodTooLong),
        ("GET  / HTTP/1.1", Target),
        ("GET \t/ HTTP/1.1", Target),
        ("GET /\tHTTP/1.1", Target),
        ("GET /a\0b HTTP/1.1", Target),
        ("GET /a\u{7F}b HTTP/1.1", Target),
        ("GET /é HTTP/1.1", Target),
        ("GET /a#b HTTP/1.1", Target),
        ("GET /\r\n", MissingVersion),
        ("GET /\n", MissingVersion),
        ("GET \r\n", MissingVersion),
        ("GET / \r\n", Version),
        ("GET /  HTTP/1.1\r\n", Version),
        ("GET /a b HTTP/1.1\r\n", Version),
        ("GET / http/1.1\r\n", Version),
        ("GET / HTTP/1.1 \r\n", Version),
        ("GET / HTTP/1.1\t\r\n", Version),
        ("GET / HTTP/1.10\r\n", Version),
        ("GET / HTTP/11\r\n", Version),
        ("GET / HTTP/1\r\n", Version),
        ("GET / HTTP/1,1\r\n", Version),
        ("GET / HTTP/+1.1\r\n", Version),
        ("GET / HTTP/1.x\r\n", Version),
        ("GET / HTTPS/1.1\r\n", Version),
        ("GET / ICY/1.1\r\n", Version),
        ("GET / HTTP/1.1\n", BareLf),
        ("GET / HTTP/1.1\rHost: a", BareCr),
        ("GET / HTTP/0.9\r\n", UnsupportedVersion),
        ("GET / HTTP/2.0\r\n", UnsupportedVersion),
        ("GET / HTTP/3\r\n", UnsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", UnsupportedVersion),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Target),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", Target),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Target),
        ("GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", Target),
        ("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Target),
        ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Target),
    ];
    for (input, expected) in cases {
        assert_eq!(read(input.as_bytes()).err(), Some(expected), "{input:?}");
    }
}

#[test]
fn field_lines_that_others_read_differently_are_refused() {
    let cases: [(&str, BadRequest); 27] = [
        (" a: b\r\n", FoldedLine),
        ("\ta: b\r\n", FoldedLine),
        ("a: b\r\n c\r\n", FoldedLine),
        ("a: b\r\n\tc\r\n", FoldedLine),
        ("a: b\r\n \r\n", FoldedLine),
        (": b\r\n", FieldName),
        ("a\r\n", FieldName),
        ("a b: c\r\n", SpaceBeforeColon),
        ("a : b\r\n", SpaceBeforeColon),
        ("a\t: b\r\n", SpaceBeforeColon),
        ("a\0: b\r\n", FieldName),
        ("a\u{b}: b\r\n", FieldName),
        ("é: b\r\n", FieldName),
        ("aé: b\r\n", FieldName),
        ("a[0]: b\r\n", FieldName),
        ("\"a\": b\r\n", FieldName),
        ("a\n", BareLf),
        ("\na: b\r\n", BareLf),
        ("a: b\n", BareLf),
        ("a: b\nc: d\r\n", BareLf),
        ("a: b\r\nc: d\n\n", BareLf),
        ("a: b\rc: d\r\n", BareCr),
        ("a: b\r\r\n", BareCr),
        ("a: b\r\n\ra: b\r\n", BareCr),
        ("a: b\0\r\n", FieldValue),
        ("a: \u{1b}[0m\r\n", FieldValue),
        ("a: b\u{7F}\r\n", FieldValue),
    ];
    for (lines, expected) in cases {
        assert_eq!(error_of_lines(lines), Some(expected), "{lines:?}");
    }
}

#[test]
fn an_error_is_told_when_its_byte_arrives() {
    for (input, expected) in [
        ("GET / HTTP/1.1\n", BareLf),
        ("GET / HTTP/1.1\r\nHost: a\n", BareLf),
        ("GET / HTTP/1.1\r\nHost: a\rb", BareCr),
        ("GET / HTTP/1.1\r\nHost: a\r\n ", FoldedLine),
        ("GET / HTTP/1.1\r\nHost ", SpaceBeforeColon),
        ("GET / HTTP/1.1\r\nHost: \0", FieldValue),
        ("GET /\0", Target),
        ("GET / HTTP/2", UnsupportedVersion),
    ] {
        assert_eq!(read(input.as_bytes()).err(), Some(expected), "{input:?}");
        let before = &input.as_bytes()[..input.len() - 1];
        assert!(matches!(read(before), Ok(None)), "{input:?}");
    }
}

#[test]
fn the_host_is_exactly_one_and_sound() {
    let cases = [
        ("1.1", "", Err(MissingHost)),
        ("1.1", "Host: a\r\nHost: a\r\n", Err(ManyHosts)),
        ("1.1", "Host: a\r\nhOST: b\r\n", Err(ManyHosts)),
        ("1.1", "Host:\r\n", Err(Host)),
        ("1.1", "Host: bad host%%\r\n", Err(Host)),
        ("1.1", "Host: a, b\r\n", Err(Host)),
        ("1.1", "Host: a/b\r\n", Err(Host)),
        ("1.1", "Host: u@a\r\n", Err(Host)),
        ("1.1", "Host: \u{fc}\r\n", Err(Host)),
        ("1.1", "Host: a:99999\r\n", Err(Host)),
        ("1.0", "Host: a b\r\n", Err(Host)),
        ("1.0", "Host: a\r\nHost: a\r\n", Err(ManyHosts)),
        ("1.0", "", Ok("")),
        ("1.1", "Host:a\r\n", Ok("a")),
        ("1.1", "HOST: \t [::1]:80 \t\r\n", Ok("[::1]:80")),
        ("1.9", "Host: a\r\n", Ok("a")),
    ];
    for (version, lines, expected) in cases {
        let outcome = read(format!("GET / HTTP/{version}\r\n{lines}\r\n").as_bytes());
        let found = outcome
            .as_ref()
            .map(|found| found.as_ref().unwrap().1.host());
        assert_eq!(found, expected.as_ref().copied(), "{version} {lines:?}");
    }
}

#[test]
fn an_absolute_target_gives_path_query_and_host() {
    let cases = [
        ("GET http://b:1/c?d", "/c", Some("d"), "b:1"),
        ("GET WS://b", "/", None, "b"),
        ("GET wss://b?", "/", Some(""), "b"),
        ("GET /c", "/c", None, "a"),
        ("OPTIONS *", "*", None, "a"),
        ("CONNECT b:443", "b:443", None, "a"),
    ];
    for (line, path, query, host) in cases {
        let head = head(&format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let found = (head.path(), head.query(), head.host());
        assert_eq!(found, (path, query, host), "{line}");
    }
}

#[test]
fn a_body_has_one_length_or_none() {
    let cases = [
        ("", Ok(Framing::None)),
        ("Content-Length: 0\r\n", Ok(Framing::Length(0))),
        ("Content-Length: 007\r\n", Ok(Framing::Length(7))),
        (
            "Content-Length: 18446744073709551615\r\n",
            Ok(Framing::Length(u64::MAX)),
        ),
        (
            "Content-Length: 18446744073709551616\r\n",
            Err(ContentLength),
        ),
        ("Content-Length: \r\n", Err(ContentLength)),
        ("Content-Length: +5\r\n", Err(ContentLength)),
        ("Content-Length: -5\r\n", Err(ContentLength)),
        ("Content-Length: 5 5\r\n", Err(ContentLength)),
        ("Content-Length: 5, 5\r\n", Err(ContentLength)),
        ("Content-Length: 5,\r\n", Err(ContentLength)),
        ("Content-Length: 0x5\r\n", Err(ContentLength)),
        ("Content-Length: 5.0\r\n", Err(ContentLength)),
        ("Content-Length: 5_0\r\n", Err(ContentLength)),
        ("Content-Length: \u{661}\r\n", Err(ContentLength)),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            Err(ManyContentLengths),
        ),
        (
            "Content-Length: 5\r\ncontent-length: 6\r\n",
            Err(ManyContentLengths),
        ),
        ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
        ("transfer-encoding:\tCHUNKED \r\n", Ok(Framing::Chunked)),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            Err(LengthAndEncoding),
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: x\r\n",
            Err(LengthAndEncoding),
        ),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(UnknownEncoding)),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            Err(UnknownEncoding),
        ),
        ("Transfer-Encoding: gzip\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: identity\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: xchunked\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: chunked;a=b\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: \"chunked\"\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding:\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: ,chunked\r\n", Err(TransferEncoding)),
        ("Transfer-Encoding: chunked,\r\n", Err(TransferEncoding)),
        (
            "Transfer-Encoding: chunked, gzip\r\n",
            Err(TransferEncoding),
        ),
        (
            "Transfer-Encoding: chunked, chunked\r\n",
            Err(TransferEncoding),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(TransferEncoding),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n",
            Err(TransferEncoding),
        ),
    ];
    for (lines, expected) in cases {
        let outcome = read(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
        let found = outcome.map(|found| found.unwrap().1.framing());
        assert_eq!(found, expected, "{lines:?}");
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(old).err(), Some(EncodingInHttp10));
}

#[test]
fn only_100_continue_may_be_expected() {
    let cases = [
        (
            "1.1",
            "Expect: 100-continue\r\nContent-Length: 5\r\n",
            Ok(true),
        ),
        (
            "1.1",
            "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n",
            Ok(true),
        ),
        (
            "1.1",
            "Expect: 100-continue\r\nContent-Length: 0\r\n",
            Ok(false),
        ),
        ("1.1", "Expect: 100-continue\r\n", Ok(false)),
        (
            "1.0",
            "Expect: 100-continue\r\nContent-Length: 5\r\n",
            Ok(false),
        ),
        ("1.1", "Content-Length: 5\r\n", Ok(false)),
        ("1.1", "Expect:\r\n", Ok(false)),
        ("1.1", "Expect: 200-ok\r\n", Err(Expectation)),
        ("1.1", "Expect: 100-continue, a=b\r\n", Err(Expectation)),
        (
            "1.1",
            "Expect: 100-continue\r\nExpect: b\r\n",
            Err(Expectation),
        ),
    ];
    for (version, lines, expected) in cases {
        let outcome = read(format!("POST / HTTP/{version}\r\nHost: a\r\n{lines}\r\n").as_bytes());
        let found = outcome.map(|found| found.unwrap().1.expects_continue());
        assert_eq!(found, expected, "{version} {lines:?}");
    }
}

#[test]
fn the_connection_lives_on_as_version_and_tokens_say() {
    let cases = [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: upgrade, CLOSE\r\n", false),
        (
            "1.1",
            "Connection: keep-alive\r\nConnection: close\r\n",
            false,
        ),
        ("1.1", "Connection: closed\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
        ("1.7", "", true),
    ];
    for (version, lines, expected) in cases {
        let head = head(&format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n"));
        assert_eq!(head.keep_alive(), expected, "{version} {lines:?}");
    }
}

#[test]
fn the_head_may_be_as_large_as_the_limit_and_not_one_byte_more() {
    let short = "GET / HTTP/1.1\r\nHost: a\r\nx: ";
    let limits = Limits {
        max_head: 256,
        ..LIMITS
    };
    let exact = format!("{short}{}\r\n\r\n", "y".repeat(256 - 4 - short.len()));
    assert!(matches!(
        read_within(limits, exact.as_bytes()),
        Ok(Some((256, _)))
    ));
    assert!(matches!(
        read_within(limits, &exact.as_bytes()[..255]),
        Ok(None)
    ));
    let endless = format!("{short}{}", "y".repeat(256 - short.len()));
    assert_eq!(
        read_within(limits, endless.as_bytes()).err(),
        Some(HeadTooLarge)
    );
    assert!(matches!(
        read_within(limits, &endless.as_bytes()[..255]),
        Ok(None)
    ));
    let line = format!("GET /{}", "y".repeat(256));
    assert_eq!(
        read_within(limits, line.as_bytes()).err(),
        Some(HeadTooLarge)
    );
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn a_target_over_8_kib_is_414_at_its_first_byte_too_many() {
    let line = format!("GET /{}", "y".repeat(8192));
    assert_eq!(read(line.as_bytes()).err(), Some(TargetTooLong));
    assert!(matches!(read(&line.as_bytes()[..line.len() - 1]), Ok(None)));
    let fits = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(8191));
    assert_eq!(head(&fits).target().len(), 8192);
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn more_fields_than_allowed_are_431_even_if_they_share_a_name() {
    let with = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "x: y\r\n".repeat(count - 1)
        )
    };
    assert_eq!(head(&with(100)).header_values("x").count(), 99);
    assert_eq!(read(with(101).as_bytes()).err(), Some(TooManyFields));
}

#[test]
fn values_may_hold_any_bytes_above_ascii() {
    let input = b"GET / HTTP/1.1\r\nHost: a\r\nx: \xFF\x80\r\nx: ok\r\nname: J\xC3\xB6rg\r\n\r\n";
    let (_, head) = read(input).unwrap().unwrap();
    assert_eq!(head.header("x"), None);
    assert_eq!(head.header("name"), Some("J\u{f6}rg"));
    let values: Vec<_> = head.header_values("X").collect();
    assert_eq!(values, [b"\xFF\x80".as_slice(), b"ok"]);
    assert_eq!(head.list("x").collect::<Vec<_>>(), ["ok"]);
}

#[test]
fn heads_follow_each_other_in_one_input() {
    let two = format!("\r\n{HANDSHAKE}\r\nHEAD /two HTTP/1.0\r\n\r\nrest");
    let mut parser = HeadParser::new(LIMITS);
    let first = parser.push(two.as_bytes()).unwrap();
    assert_eq!(first.used, HANDSHAKE.len() + 2);
    let second = parser.push(&two.as_bytes()[first.used..]).unwrap();
    assert_eq!(second.head.unwrap().path(), "/two");
    assert_eq!(&two.as_bytes()[first.used + second.used..], b"rest");
}

#[test]
fn a_head_has_begun_with_its_first_byte_not_with_an_empty_line() {
    let mut parser = HeadParser::new(LIMITS);
    for (input, expected) in [("", false), ("\r", false), ("\n", false), ("G", true)] {
        parser.push(input.as_bytes()).unwrap();
        assert_eq!(parser.has_begun(), expected, "{input:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn every_byte_is_scanned_once_however_slowly_it_comes() {
    let lines = "some-name: some value\r\n".repeat(99);
    let input = format!(
        "GET /{} HTTP/1.1\r\nHost: a\r\n{lines}\r\n",
        "y".repeat(8000)
    );
    for size in [1, 2, 7, input.len()] {
        let before = SCANNED.get();
        let outcome = read_pieces(LIMITS, input.as_bytes().chunks(size));
        assert!(matches!(outcome, Ok(Some(_))));
        assert_eq!(SCANNED.get() - before, input.len(), "in pieces of {size}");
    }
}
