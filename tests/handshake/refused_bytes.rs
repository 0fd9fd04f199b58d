//! Every kind of byte in every place of a request where it may not stand, and headers that come more often, or say
//! more, than they may: each with its status, however it is cut (RFC 9112 §2–§5, RFC 6455 §4.2.1).

use crate::refused::{Case, judge_all};
use crate::{good, header, swap, with};

const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~";

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || TOKEN.contains(&byte)
}

/// The good request with each byte that `is_bad` in place of the mark in `part`, which replaces `old`.
fn each(place: &str, old: &str, part: &str, status: u16, is_bad: impl Fn(u8) -> bool) -> Vec<Case> {
    let request = swap(old, part);
    let (before, behind) = request.split_once('\u{1}').expect("a mark");
    // Of letters, digits and what is above ASCII some stand for all.
    let ascii = (0..0x80).filter(|byte: &u8| !byte.is_ascii_alphanumeric());
    let bytes = ascii.chain(*b"0129aAfGzZ\x80\x8B\xBF\xC3\xFF");
    let bytes = bytes.filter(|byte| is_bad(*byte));
    let row = |byte| {
        let request = [before.as_bytes(), &[byte], behind.as_bytes()].concat();
        (format!("{byte:#04x} {place}"), request, status)
    };
    bytes.map(row).collect()
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[test]
fn a_byte_that_may_not_stand_in_a_request_line_is_400() {
    let in_line = [
        each("in the method", "GET", "G\u{1}T", 400, |byte| {
            !is_token(byte)
        }),
        each("before the method", "GET", "\u{1}GET", 400, |byte| {
            !is_token(byte) && byte != b'\r'
        }),
        each("in the path", "/echo", "/ec\u{1}ho", 400, |byte| {
            !byte.is_ascii_graphic() || b"#%".contains(&byte)
        }),
        each("in the query", "/echo", "/echo?a=\u{1}", 400, |byte| {
            !byte.is_ascii_graphic() && byte != b' ' || byte == b'#'
        }),
        each(
            "in place of the first space",
            "GET ",
            "GET\u{1}",
            400,
            |byte| byte != b' ',
        ),
        each("before the version", " HTTP/", " \u{1}HTTP/", 400, |_| true),
        each("in place of the slash", "HTTP/", "HTTP\u{1}", 400, |byte| {
            byte != b'/'
        }),
        each("in place of the dot", "1.1", "1\u{1}1", 400, |byte| {
            byte != b'.'
        }),
        each("in place of the minor", "1.1", "1.\u{1}", 400, |byte| {
            !byte.is_ascii_digit()
        }),
        each("in place of the major", "1.1", "\u{1}.1", 400, |byte| {
            !byte.is_ascii_digit()
        }),
        each("as the major", "1.1", "\u{1}.1", 505, |byte| {
            byte.is_ascii_digit() && byte != b'1'
        }),
        each(
            "behind the version",
            "1.1\r\n",
            "1.1\u{1}\r\n",
            400,
            |byte| byte != b'\r',
        ),
        each(
            "in place of the line's LF",
            "1.1\r\n",
            "1.1\r\u{1}",
            400,
            |byte| byte != b'\n',
        ),
    ];
    judge_all(&in_line.concat());
}

#[test]
fn a_byte_that_may_not_stand_in_a_header_line_is_400() {
    let in_header = [
        each("in a name", "Host", "X\u{1}Y: z\r\nHost", 400, |byte| {
            !is_token(byte) && byte != b':'
        }),
        each("as a name", "Host", "\u{1}: z\r\nHost", 400, |byte| {
            !is_token(byte)
        }),
        each(
            "before the colon",
            "Upgrade:",
            "Upgrade\u{1}:",
            400,
            |byte| !is_token(byte) && byte != b':',
        ),
        each("in a value", "Host", "X: a\u{1}b\r\nHost", 400, is_control),
        each(
            "at the end of a value",
            "Host",
            "X: a\u{1}\r\nHost",
            400,
            |byte| is_control(byte) && byte != b'\r',
        ),
        each(
            "in place of a line's LF",
            "\r\nConn",
            "\r\u{1}Conn",
            400,
            |byte| byte != b'\n',
        ),
        each(
            "in place of the last LF",
            "13\r\n\r\n",
            "13\r\n\r\u{1}",
            400,
            |byte| byte != b'\n',
        ),
    ];
    judge_all(&in_header.concat());
}

#[test]
fn a_byte_that_may_not_stand_in_the_value_of_a_header_that_counts_is_refused() {
    let in_host = |byte: u8| {
        let named = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
        !named && byte != b':'
    };
    let space = |byte: u8| byte == b' ' || byte == b'\t';
    let in_key = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'+' && byte != b'/';
    let mut all = [
        each("in Host", ": localhost", ": local\u{1}host", 400, in_host),
        each(
            "in the port",
            ": localhost",
            ": localhost:8\u{1}",
            400,
            |byte| !byte.is_ascii_digit() && !space(byte),
        ),
        each("in the key", "dGhl", "dGh\u{1}", 400, in_key),
        each("behind the key", "Q==", "Q==\u{1}", 400, |byte| {
            !space(byte) && byte != b'\r'
        }),
        each(
            "in a subprotocol",
            "Host",
            "Sec-WebSocket-Protocol: a\u{1}b\r\nHost",
            400,
            |byte| !is_token(byte) && byte != b',',
        ),
        each(
            "in an extension",
            "Host",
            "Sec-WebSocket-Extensions: a\u{1}b\r\nHost",
            400,
            |byte| !is_token(byte) && byte != b',' && byte != b';',
        ),
        each(
            "as a length",
            "Host",
            "Content-Length: \u{1}\r\nHost",
            400,
            |byte| byte != b'0',
        ),
        each(
            "behind a length",
            "Host",
            "Content-Length: 0\u{1}\r\nHost",
            400,
            |byte| byte != b'0' && !space(byte),
        ),
        each("in Connection", ": Upgrade", ": Up\u{1}grade", 400, |_| {
            true
        }),
        each("in the version", "n: 13", "n: 1\u{1}3", 426, |byte| {
            !is_control(byte)
        }),
        each(
            "in the version, a control",
            "n: 13",
            "n: 1\u{1}3",
            400,
            is_control,
        ),
    ]
    .concat();
    // A last CR before CR LF is a bare one.
    all.extend(each(
        "behind Host",
        "localhost",
        "localhost\u{1}",
        400,
        |byte| byte == b'\r' || byte == b'\n',
    ));
    judge_all(&all);
}

#[test]
fn headers_that_come_more_often_than_they_may_are_refused() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    #[rustfmt::skip]
    let rows = [
        ("two versions that agree",                with("Sec-WebSocket-Version: 13\r\n"),                          426),
        ("two versions that differ",               with("Sec-WebSocket-Version: 8\r\n"),                           426),
        ("an empty version beside the right one",  with("Sec-WebSocket-Version:\r\n"),                             426),
        ("two versions in either case",            with("SEC-WEBSOCKET-VERSION: 13\r\n"),                          426),
        ("two keys, in either case",               with(&key.to_ascii_lowercase().replace("dghlihnhbxbszsbub25jzq", "dGhlIHNhbXBsZSBub25jZQ")), 400),
        ("an empty key beside the right one",      with("Sec-WebSocket-Key:\r\n"),                                 400),
        ("a key in a folded line",                 header("Sec-WebSocket-Key", &key.replace(": ", ":\r\n ")),      400),
        ("two Hosts, one of them empty",           with("Host:\r\n"),                                              400),
        ("two Hosts, in either case",              with("HOST: localhost\r\n"),                                    400),
        ("two Hosts that differ",                  with("Host: evil.example\r\n"),                                 400),
        ("two Hosts far apart",                    with(&format!("{}Host: localhost\r\n", "X: y\r\n".repeat(50))), 400),
        ("two lengths of 0",                       with("Content-Length: 0\r\nContent-Length: 0\r\n"),             400),
        ("two lengths, in either case",            with("Content-Length: 0\r\nCONTENT-LENGTH: 0\r\n"),             400),
        ("two encodings",                          with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400),
        ("two expectations, one unknown",          with("Expect: 100-continue\r\nExpect: x\r\n"),                  417),
        ("a list of expectations",                 with("Expect: 100-continue, 100-continue\r\n"),                 417),
        ("subprotocols twice, over two lines",     with("Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c, a\r\n"), 400),
        ("an empty line of subprotocols",          with("Sec-WebSocket-Protocol:\r\n"),                            400),
        ("two empty lines of subprotocols",        with("Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: ,\r\n"), 400),
        ("one good and one bad line of extensions", with("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: ;\r\n"), 400),
        ("an empty line of extensions",            with("Sec-WebSocket-Extensions:\r\n"),                          400),
        ("extensions that are commas",             with("Sec-WebSocket-Extensions: ,,\r\n"),                       400),
        ("a request in a request's head",          good().replacen("\r\n", &format!("\r\n{}", good()), 1),         400),
        ("a body of HTTP's end of line",           with("Content-Length: 2\r\n") + "\r\n",                         400),
        ("a chunked body, in upper case",          with("Transfer-Encoding: CHUNKED\r\n") + "0\r\n\r\n",           400),
        ("a chunk that is malformed",              with("Transfer-Encoding: chunked\r\n") + "x\r\n",               400),
        ("a body that waits for 100",              with("Content-Length: 5\r\nExpect: 100-continue\r\n"),          400),
    ];
    judge_all(&rows.map(|(name, request, status)| (name.to_owned(), request.into(), status)));
}
