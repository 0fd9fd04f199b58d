//! Requests that are HTTP and ask for a socket, but not as RFC 6455 §4.2.1 wants it: the exact
//! status, however the request is cut; then the connection ends, and no handler has run.

use std::io::Write;

use crate::common::http::{self, Answer};
use crate::common::{Client, Server, serve_with};
use crate::{good, header, last_answer, line, server, swap, with};

use rushwire::Options;

/// A name, a request, and the status that answers it.
pub(crate) type Case = (String, Vec<u8>, u16);

/// Sends each request whole and byte by byte, on connections of their own.
pub(crate) fn judge_all(cases: &[Case]) {
    let server = server();
    for (name, request, status) in cases {
        let mut whole = http::connect(server.addr);
        whole.write_all(request).expect("send");
        judge(&format!("{name}, whole"), &last_answer(&mut whole), *status);
        let mut cut = http::connect(server.addr);
        server.feed(&mut cut, request);
        judge(
            &format!("{name}, byte by byte"),
            &last_answer(&mut cut),
            *status,
        );
    }
    assert_eq!(
        server.ask(|hub| hub.stats().accepted),
        0,
        "nobody became a socket"
    );
    let mut client = server.connect("/echo");
    client.send("the server is well");
    assert_eq!(client.text(), "the server is well");
}

fn judge(name: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{name}: {answer:?}");
    let connection = answer
        .header("Connection")
        .unwrap_or_default()
        .to_ascii_lowercase();
    assert!(
        connection.split(", ").any(|token| token == "close"),
        "{name}: {answer:?}"
    );
    assert!(!answer.body.is_empty(), "{name}: the answer says why");
    match status {
        405 => assert_eq!(answer.header("Allow"), Some("GET"), "{name}"),
        426 => {
            assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"), "{name}");
            assert_eq!(answer.header("Upgrade"), Some("websocket"), "{name}");
            assert!(
                connection.split(", ").any(|token| token == "upgrade"),
                "{name}: {answer:?}"
            );
        }
        _ => {}
    }
}

fn case(name: &str, request: String, status: u16) -> Case {
    (name.to_owned(), request.into(), status)
}

fn key(value: &str) -> String {
    header(
        "Sec-WebSocket-Key",
        &format!("Sec-WebSocket-Key: {value}\r\n"),
    )
}

fn version(value: &str) -> String {
    header(
        "Sec-WebSocket-Version",
        &format!("Sec-WebSocket-Version: {value}\r\n"),
    )
}

#[test]
fn paths_where_no_socket_is_are_404() {
    let paths = [
        "/",
        "/nowhere",
        "/echo/",
        "//echo",
        "/echo//",
        "/ECHO",
        "/echo/more",
        "/echo%2F",
        "/page",
        "/room",
        "/room/",
        "/room/a/b",
        "/room/a/",
        "/./echo",
        "/x/../echo",
        "/echo;x",
        "/ws",
    ];
    judge_all(&paths.map(|path| case(path, line(&format!("GET {path} HTTP/1.1")), 404)));
}

#[test]
fn methods_other_than_get_are_405() {
    let methods = [
        "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "Get", "BREW",
    ];
    judge_all(&methods.map(|method| case(method, line(&format!("{method} /echo HTTP/1.1")), 405)));
}

#[test]
fn an_upgrade_by_head_is_405_without_a_body() {
    let server = server();
    let mut stream = http::connect(server.addr);
    stream
        .write_all(line("HEAD /echo HTTP/1.1").as_bytes())
        .expect("send");
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), true);
    assert_eq!((answer.status, answer.header("Allow")), (405, Some("GET")));
    assert_eq!(
        (rest, http::read_to_end(&mut stream)),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn upgrades_in_http_1_0_are_400() {
    judge_all(&[
        case("HTTP/1.0", line("GET /echo HTTP/1.0"), 400),
        case(
            "HTTP/1.0 that keeps alive",
            line("GET /echo HTTP/1.0").replace("n: U", "n: keep-alive, U"),
            400,
        ),
    ]);
}

#[test]
fn connection_headers_without_upgrade_are_400() {
    let lines = [
        "",
        "Connection:\r\n",
        "Connection: keep-alive\r\n",
        "Connection: close\r\n",
        "Connection: Upgrad\r\n",
        "Connection: Upgrade-Insecure\r\n",
        "Connection: \"Upgrade\"\r\n",
        "Connection: keep-alive Upgrade\r\n",
        "Connection: Upgrade;q=1\r\n",
        "X-Connection: Upgrade\r\n",
    ];
    judge_all(&lines.map(|lines| case(lines, header("Connection", lines), 400)));
}

#[test]
fn keys_that_are_not_16_bytes_in_base64_are_400() {
    let good = "dGhlIHNhbXBsZSBub25jZQ==";
    judge_all(&[
        case("no key", header("Sec-WebSocket-Key", ""), 400),
        case("an empty key", key(""), 400),
        case("15 bytes", key("dGhlIHNhbXBsZSBub25j"), 400),
        case("17 bytes", key("dGhlIHNhbXBsZSBub25jZWE="), 400),
        case("no padding", key("dGhlIHNhbXBsZSBub25jZQ"), 400),
        case("half of the padding", key("dGhlIHNhbXBsZSBub25jZQ="), 400),
        case("too much padding", key("dGhlIHNhbXBsZSBub25jZQ==="), 400),
        case(
            "bits behind the 16 bytes",
            key("dGhlIHNhbXBsZSBub25jZR=="),
            400,
        ),
        case("no base64", key("!!!!!!!!!!!!!!!!!!!!!!=="), 400),
        case("base64 for URLs", key("__________________-_-w=="), 400),
        case("a space inside", key("dGhlIHNhbXBs ZSBub25jZQ=="), 400),
        case("16 bytes as they are", key("the sample nonce"), 400),
        case("a key in quotes", key(&format!("\"{good}\"")), 400),
        case("a list of keys", key(&format!("{good}, {good}")), 400),
        case(
            "two keys that agree",
            with(&format!("Sec-WebSocket-Key: {good}\r\n")),
            400,
        ),
        case(
            "two keys that differ",
            with("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
            400,
        ),
        case("a key of 600 letters", key(&"A".repeat(600)), 400),
    ]);
}

#[test]
fn versions_other_than_13_are_426() {
    let versions = [
        "", "0", "7", "8", "12", "14", "25", "113", "1", "3", "013", "+13", "13.0", "0x0D",
        "thirteen", "13, 8", "8, 13", "13;", "\"13\"",
    ];
    let mut cases = versions
        .map(|value| case(&format!("version {value:?}"), version(value), 426))
        .to_vec();
    cases.push(case("no version", header("Sec-WebSocket-Version", ""), 426));
    cases.push(case(
        "the version of another draft",
        header("Sec-WebSocket-Version", "Sec-WebSocket-Draft: 2\r\n"),
        426,
    ));
    judge_all(&cases);
}

#[test]
fn malformed_lists_of_subprotocols_are_400() {
    let lists = [
        "",
        ",",
        "a b",
        "a;b",
        "a/b",
        "\"a\"",
        "a, b c",
        "a, a",
        "a, b, a",
        "a=b",
        "chat\u{e9}",
        "a\tb",
        "@",
        "(a)",
    ];
    let cases = lists.map(|list| {
        case(
            &format!("subprotocols {list:?}"),
            with(&format!("Sec-WebSocket-Protocol: {list}\r\n")),
            400,
        )
    });
    judge_all(&cases);
    judge_all(&[case(
        "a subprotocol in two lines",
        with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"),
        400,
    )]);
}

#[test]
fn malformed_lists_of_extensions_are_400() {
    let lists = [
        ";",
        "a;",
        "a; ;b",
        "a;=1",
        "a;b=",
        "a;b=\"",
        "a;b=\"\"",
        "a;b=\"x y\"",
        "a b",
        "=",
        "a=b",
        "a;b c",
        "a;b=c d",
        "a;b=\"c\"d",
        "a;b==c",
        "(a)",
        "\"a\"",
        "a;\u{e9}",
    ];
    let cases = lists.map(|list| {
        case(
            &format!("extensions {list:?}"),
            with(&format!("Sec-WebSocket-Extensions: {list}\r\n")),
            400,
        )
    });
    judge_all(&cases);
}

/// Path, method, headers, version: what is wrong first decides.
#[test]
fn of_several_faults_the_first_in_order_is_told() {
    let bad_key = |request: String| request.replace("dGhlIHNhbXBsZSBub25jZQ==", "short");
    let bad_version = |request: String| request.replace("Version: 13", "Version: 8");
    judge_all(&[
        case(
            "malformed and unknown",
            line("GET /nowhere HTTP/1.1").replace("Host", "X"),
            400,
        ),
        case(
            "unknown and a wrong method",
            line("POST /nowhere HTTP/1.1"),
            404,
        ),
        case(
            "unknown and a bad key",
            bad_key(line("GET /nowhere HTTP/1.1")),
            404,
        ),
        case(
            "a wrong method and a bad key",
            bad_key(line("POST /echo HTTP/1.1")),
            405,
        ),
        case(
            "a wrong method and a wrong version",
            bad_version(line("POST /echo HTTP/1.1")),
            405,
        ),
        case(
            "a bad key and a wrong version",
            bad_version(bad_key(good())),
            400,
        ),
        case(
            "no Connection and a wrong version",
            bad_version(swap("Connection", "X-Connection")),
            400,
        ),
        case(
            "a body and a wrong version",
            bad_version(with("Content-Length: 1\r\n")),
            400,
        ),
    ]);
}

#[test]
fn frames_behind_a_refused_request_are_not_read() {
    let server = server();
    let mut stream = http::connect(server.addr);
    let frames = crate::common::client::frame(true, 0, 1, b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    let page = b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all(&[version("8").as_bytes(), &frames, page].concat())
        .expect("send");
    assert_eq!(last_answer(&mut stream).status, 426);
}

#[test]
fn a_target_beyond_8_kib_is_414_and_a_head_beyond_its_limit_431() {
    let server = serve_with(Options::default, |app| {
        app.ws("/echo", |_, _| {});
    });
    let table = [
        (
            "a target of 8,192 bytes",
            line(&format!("GET /echo?{} HTTP/1.1", "q".repeat(8192 - 6))),
            101,
        ),
        (
            "a target of 8,193 bytes",
            line(&format!("GET /echo?{} HTTP/1.1", "q".repeat(8193 - 6))),
            414,
        ),
        (
            "a target that does not end",
            format!("GET /{}", "q".repeat(9000)),
            414,
        ),
        ("a head of 16 KiB", pad(16 * 1024), 101),
        ("a head of 16 KiB and a byte", pad(16 * 1024 + 1), 431),
        ("100 header lines", with(&"a: b\r\n".repeat(95)), 101),
        ("101 header lines", with(&"a: b\r\n".repeat(96)), 431),
    ];
    for (name, request, status) in table {
        // In segments of a prime length, so that the limit is met inside of one.
        let mut stream = http::connect(server.addr);
        for segment in request.as_bytes().chunks(997) {
            stream.write_all(segment).expect("send");
            server.ask(|_| ());
        }
        let (answer, _) = http::read_answer(&mut stream, Vec::new(), false);
        assert_eq!(answer.status, status, "{name}");
    }
}

/// A good request whose head has so many bytes.
fn pad(len: usize) -> String {
    let more = len - with("X: \r\n").len();
    with(&format!("X: {}\r\n", "x".repeat(more)))
}

/// A plain request at a socket's path, and a socket at a page's.
#[test]
fn a_request_that_asks_for_no_socket_is_426_and_the_connection_goes_on() {
    let server: Server = server();
    for upgrade in [
        "",
        "Upgrade: h2c\r\n",
        "Upgrade: websockets\r\n",
        "Upgrade: web socket\r\n",
        "Upgrade:\r\n",
    ] {
        let request = header("Upgrade", upgrade);
        let mut stream = http::connect(server.addr);
        stream
            .write_all(request.repeat(2).as_bytes())
            .expect("send");
        let (first, rest) = http::read_answer(&mut stream, Vec::new(), false);
        assert_eq!(first.status, 426, "{upgrade:?}");
        assert_eq!(first.header("Upgrade"), Some("websocket"), "{upgrade:?}");
        let (second, _) = http::read_answer(&mut stream, rest, false);
        assert_eq!(second.status, 426, "{upgrade:?}");
    }
    assert_eq!(
        Client::try_connect(server.addr, "/page", "")
            .err()
            .map(|answer| answer.status),
        Some(404)
    );
}
