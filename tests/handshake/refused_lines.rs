//! Bytes that are no request, or whose request line or header lines are malformed: 400, or the
//! status that says it better; never a socket (RFC 9112 §2–§6).

use crate::refused::{Case, judge_all};
use crate::{MAX_HEAD, good, header, line, swap, with};

fn case(name: &str, bytes: impl Into<Vec<u8>>, status: u16) -> Case {
    (name.to_owned(), bytes.into(), status)
}

/// A good request whose first line is not text.
fn raw_line(target: &[u8]) -> Vec<u8> {
    let good = good();
    let rest = good.strip_prefix("GET /echo").expect("the good request");
    [b"GET /echo", target, rest.as_bytes()].concat()
}

fn no_request() -> Vec<Case> {
    vec![
        case(
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n",
            400,
        ),
        case(
            "HTTP/2 with prior knowledge",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            505,
        ),
        case(
            "a proxy's greeting",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n\r\n",
            400,
        ),
        case(
            "a frame",
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\r\n\r\n",
            400,
        ),
        case("only spaces", "     \r\n\r\n", 400),
        case("NULs", b"\0\0\0\0\r\n\r\n", 400),
        case("an empty line that is no line", "\n", 400),
        case("two empty lines first", format!("\r\n\r\n{}", good()), 400),
        case("a CR first", format!("\r{}", good()), 400),
        case("a space first", format!(" {}", good()), 400),
        case("a response", "HTTP/1.1 200 OK\r\n\r\n", 400),
    ]
}

fn request_lines() -> Vec<Case> {
    vec![
        case("no method", line(" /echo HTTP/1.1"), 400),
        case("a method that is no token", line("G(T /echo HTTP/1.1"), 400),
        case(
            "a method longer than any",
            line(&format!("{} /echo HTTP/1.1", "A".repeat(33))),
            501,
        ),
        case("a tab behind the method", line("GET\t/echo HTTP/1.1"), 400),
        case(
            "two spaces behind the method",
            line("GET  /echo HTTP/1.1"),
            400,
        ),
        case(
            "two spaces behind the target",
            line("GET /echo  HTTP/1.1"),
            400,
        ),
        case("a space at the end", line("GET /echo HTTP/1.1 "), 400),
        case("no target", line("GET HTTP/1.1"), 400),
        case("no version", line("GET /echo"), 400),
        case("no version but a space", line("GET /echo "), 400),
        case("HTTP/0.9", line("GET /echo HTTP/0.9"), 505),
        case("HTTP/2.0", line("GET /echo HTTP/2.0"), 505),
        case("HTTP/3.0", line("GET /echo HTTP/3.0"), 505),
        case("a version in lower case", line("GET /echo http/1.1"), 400),
        case("a version without a dot", line("GET /echo HTTP/11"), 400),
        case("a version without a minor", line("GET /echo HTTP/1."), 400),
        case(
            "a version of three digits",
            line("GET /echo HTTP/1.10"),
            400,
        ),
        case("a version with a comma", line("GET /echo HTTP/1,1"), 400),
        case("another protocol", line("GET /echo RTSP/1.1"), 400),
        case("a relative target", line("GET echo HTTP/1.1"), 400),
        case("an asterisk", line("GET * HTTP/1.1"), 400),
        case("an authority", line("GET localhost:80 HTTP/1.1"), 400),
        case(
            "a foreign scheme",
            line("GET ftp://localhost/echo HTTP/1.1"),
            400,
        ),
        case(
            "a scheme without a host",
            line("GET http:///echo HTTP/1.1"),
            400,
        ),
        case(
            "a user in the target",
            line("GET http://me@localhost/echo HTTP/1.1"),
            400,
        ),
        case(
            "CONNECT without a port",
            line("CONNECT localhost HTTP/1.1"),
            400,
        ),
        case("a fragment", line("GET /echo#top HTTP/1.1"), 400),
        case("a space in the target", line("GET /ec ho HTTP/1.1"), 400),
        case("a control character in the target", raw_line(b"\x01"), 400),
        case("a NUL in the target", raw_line(b"\0"), 400),
        case("DEL in the target", raw_line(b"\x7F"), 400),
        case("UTF-8 in the target", raw_line("é".as_bytes()), 400),
        case("a byte above ASCII in the target", raw_line(b"\xFF"), 400),
        case("a CR in the target", raw_line(b"\r"), 400),
        case(
            "a bare LF behind the line",
            swap("HTTP/1.1\r\n", "HTTP/1.1\n"),
            400,
        ),
        case(
            "a bare CR behind the line",
            swap("HTTP/1.1\r\n", "HTTP/1.1\r"),
            400,
        ),
        case("an escape of one digit", line("GET /room/%4 HTTP/1.1"), 400),
        case(
            "an escape that is not hexadecimal",
            line("GET /room/%zz HTTP/1.1"),
            400,
        ),
        case(
            "an escape without digits",
            line("GET /room/a% HTTP/1.1"),
            400,
        ),
        case(
            "escapes that are not UTF-8",
            line("GET /room/%C3%28 HTTP/1.1"),
            400,
        ),
        case(
            "a bad escape on an unknown path",
            line("GET /nowhere/%ff HTTP/1.1"),
            400,
        ),
    ]
}

fn header_lines() -> Vec<Case> {
    let many = "a: b\r\n".repeat(101);
    let long = format!("Cookie: {}\r\n", "x".repeat(MAX_HEAD));
    let endless = format!("GET /echo HTTP/1.1\r\nCookie: {}", "x".repeat(MAX_HEAD));
    vec![
        case(
            "a space before the colon",
            header("Upgrade", "Upgrade : websocket\r\n"),
            400,
        ),
        case(
            "a tab before the colon",
            header("Upgrade", "Upgrade\t: websocket\r\n"),
            400,
        ),
        case(
            "a folded line",
            header("Upgrade", "Upgrade:\r\n websocket\r\n"),
            400,
        ),
        case("a line folded with a tab", with("X: a\r\n\tb\r\n"), 400),
        case(
            "a first header that begins with a space",
            swap("\r\nHost", "\r\n Host"),
            400,
        ),
        case("a line without a colon", with("Cookie\r\n"), 400),
        case("an empty name", with(": x\r\n"), 400),
        case("a space in a name", with("X Y: z\r\n"), 400),
        case("a bracket in a name", with("X(Y): z\r\n"), 400),
        case("a name above ASCII", with("Ä: z\r\n"), 400),
        case("a control character in a value", with("X: a\x01b\r\n"), 400),
        case("a NUL in a value", with("X: a\0b\r\n"), 400),
        case("DEL in a value", with("X: a\x7Fb\r\n"), 400),
        case("a bare CR in a value", with("X: a\rb\r\n"), 400),
        case("a bare LF behind a value", with("X: a\nY: b\r\n"), 400),
        case("bare LFs everywhere", good().replace("\r\n", "\n"), 400),
        case("a bare LF at the end", with("X: a\r\n\n"), 400),
        case("a CR without its LF at the end", with("\rX"), 400),
        case("101 header lines", with(&many), 431),
        case("a head beyond the limit", with(&long), 431),
        case("a head beyond the limit that does not end", endless, 431),
        case("no Host", header("Host", ""), 400),
        case(
            "two Hosts",
            header("Host", "Host: localhost\r\nHost: localhost\r\n"),
            400,
        ),
        case("an empty Host", header("Host", "Host:\r\n"), 400),
        case("a Host with a space", header("Host", "Host: a b\r\n"), 400),
        case("a Host with a slash", header("Host", "Host: a/b\r\n"), 400),
        case(
            "a Host with a user",
            header("Host", "Host: me@localhost\r\n"),
            400,
        ),
        case(
            "a Host with a port of letters",
            header("Host", "Host: localhost:http\r\n"),
            400,
        ),
        case(
            "a Host with a port too large",
            header("Host", "Host: localhost:65536\r\n"),
            400,
        ),
        case(
            "a Host with half a bracket",
            header("Host", "Host: [::1\r\n"),
            400,
        ),
        case(
            "a Host that is no IPv6 address",
            header("Host", "Host: [::g]\r\n"),
            400,
        ),
        case(
            "an expectation that is not known",
            with("Expect: the-unexpected\r\n"),
            417,
        ),
    ]
}

/// RFC 6455 §4.1 has no body; what stands behind the head would be taken for frames.
fn bodies() -> Vec<Case> {
    vec![
        case(
            "a body of 5 bytes",
            with("Content-Length: 5\r\n") + "hello",
            400,
        ),
        case(
            "a body that has not come",
            with("Content-Length: 1\r\n"),
            400,
        ),
        case(
            "a chunked body",
            with("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
            400,
        ),
        case("a negative length", with("Content-Length: -1\r\n"), 400),
        case("a length with a sign", with("Content-Length: +0\r\n"), 400),
        case(
            "a length in hexadecimal",
            with("Content-Length: 0x0\r\n"),
            400,
        ),
        case("an empty length", with("Content-Length:\r\n"), 400),
        case(
            "a length beyond 64 bits",
            with("Content-Length: 18446744073709551616\r\n"),
            400,
        ),
        case("a list of lengths", with("Content-Length: 0, 0\r\n"), 400),
        case(
            "two lengths that agree",
            with("Content-Length: 0\r\nContent-Length: 0\r\n"),
            400,
        ),
        case(
            "a length beside an encoding",
            with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            400,
        ),
        case(
            "an encoding that is not chunked",
            with("Transfer-Encoding: gzip\r\n"),
            400,
        ),
        case(
            "an encoding that is not known",
            with("Transfer-Encoding: gzip, chunked\r\n"),
            501,
        ),
        case(
            "an encoding that does nothing",
            with("Transfer-Encoding: identity\r\n"),
            400,
        ),
        case(
            "chunked twice",
            with("Transfer-Encoding: chunked, chunked\r\n"),
            400,
        ),
        case(
            "an encoding in HTTP/1.0",
            with("Transfer-Encoding: chunked\r\n").replacen("1.1", "1.0", 1),
            400,
        ),
    ]
}

#[test]
fn what_is_no_request_is_refused() {
    judge_all(&no_request());
}

#[test]
fn malformed_request_lines_are_refused() {
    judge_all(&request_lines());
}

#[test]
fn malformed_header_lines_are_refused() {
    judge_all(&header_lines());
}

#[test]
fn upgrades_with_a_body_are_refused() {
    judge_all(&bodies());
}
