//! Handshakes that are unusual, and good: each becomes a socket that works. And what the answer says
//! byte for byte, with subprotocols and extensions (RFC 6455 §4.2.2).

use std::io::{Read, Write};

use crate::common::client::{frame, upgrade_request};
use crate::common::{Client, Server, http, serve_with};
use crate::{good, header, line, server, swap, with};

use rushwire::{Options, event};

/// The whole answer to the key of RFC 6455 §1.3.
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Reads as much as is expected; another byte more or less would show.
fn expect(stream: &mut std::net::TcpStream, expected: &[u8], name: &str) {
    let mut bytes = vec![0; expected.len()];
    stream
        .read_exact(&mut bytes)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        String::from_utf8_lossy(expected),
        "{name}"
    );
}

/// The answer, and the echo of one message behind it.
fn expect_socket(stream: &mut std::net::TcpStream, name: &str) {
    stream
        .write_all(&frame(true, 0, 1, b"hello"))
        .expect("send");
    expect(stream, ANSWER.as_bytes(), name);
    expect(stream, b"\x81\x05hello", name);
}

fn unusual() -> Vec<(&'static str, Vec<u8>)> {
    let connection = |value: &str| header("Connection", &format!("Connection: {value}\r\n"));
    let upgrade = |value: &str| header("Upgrade", &format!("Upgrade: {value}\r\n"));
    let target = |target: &str| line(&format!("GET {target} HTTP/1.1"));
    let table = vec![
        ("as in the RFC", good()),
        (
            "names in lower case",
            good()
                .replace("Upgrade:", "upgrade:")
                .replace("Connection:", "connection:")
                .replace("Sec-WebSocket", "sec-websocket"),
        ),
        (
            "names in upper case",
            good()
                .replace("Upgrade:", "UPGRADE:")
                .replace("Sec-WebSocket-Key", "SEC-WEBSOCKET-KEY")
                .replace("Host", "HOST"),
        ),
        (
            "values in mixed case",
            good()
                .replace(" websocket", " WebSocket")
                .replace(" Upgrade", " uPGRADE"),
        ),
        (
            "Connection: keep-alive, Upgrade",
            connection("keep-alive, Upgrade"),
        ),
        (
            "Connection: Upgrade, keep-alive",
            connection("Upgrade, keep-alive"),
        ),
        ("Connection: upgrade,close", connection("upgrade,close")),
        ("Connection with empty elements", connection(", ,Upgrade ,")),
        (
            "Connection in two lines",
            header(
                "Connection",
                "Connection: keep-alive\r\nConnection: Upgrade\r\n",
            ),
        ),
        (
            "Connection with several more options",
            connection("keep-alive, Upgrade, X-One, X-Two"),
        ),
        ("Upgrade to one of several", upgrade("h2c, websocket")),
        (
            "Upgrade in two lines",
            header("Upgrade", "Upgrade: h2c\r\nUpgrade: websocket\r\n"),
        ),
        ("no space behind the colons", good().replace(": ", ":")),
        (
            "much space around the values",
            good()
                .replace(": ", ": \t  ")
                .replace("\r\nConn", " \t \r\nConn"),
        ),
        ("a length of 0", with("Content-Length: 0\r\n")),
        ("100-continue for nothing", with("Expect: 100-continue\r\n")),
        ("an origin that is null", with("Origin: null\r\n")),
        (
            "a cookie and more",
            with(
                "Cookie: a=b; c=d\r\nUser-Agent: x (y; z) w/1.0\r\nPragma: no-cache\r\nAccept-Language: de\r\nDNT: 1\r\n",
            ),
        ),
        ("an empty value", with("X-Empty:\r\n")),
        ("a name of odd characters", with("!#$%&'*+-.^_`|~: x\r\n")),
        ("91 header lines", with(&"a: b\r\n".repeat(86))),
        ("a host with a port", swap("localhost", "localhost:3000")),
        (
            "a host that is an address",
            swap("localhost", "127.0.0.1:80"),
        ),
        ("a host of IPv6", swap("localhost", "[::1]:3000")),
        (
            "a host of international letters",
            swap("localhost", "xn--bcher-kva.example"),
        ),
        ("a query", target("/echo?room=a&b=%zz")),
        ("an empty query", target("/echo?")),
        ("an escaped letter", target("/%65cho")),
        ("a parameter", target("/room/lobby")),
        ("an escaped parameter", target("/room/a%2Fb%20%C3%A9")),
        ("an absolute target", target("http://localhost/echo")),
        (
            "an absolute target of WebSocket",
            target("ws://elsewhere:99/echo?x"),
        ),
        ("an empty line first", format!("\r\n{}", good())),
        ("HTTP/1.2", line("GET /echo HTTP/1.2")),
        (
            "subprotocols with empty elements",
            with("Sec-WebSocket-Protocol: , a,,b ,\r\n"),
        ),
        (
            "subprotocols that nobody speaks",
            with("Sec-WebSocket-Protocol: chat, superchat\r\n"),
        ),
        (
            "subprotocols in two lines",
            with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, c\r\n"),
        ),
        (
            "extensions",
            with(
                "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n",
            ),
        ),
        (
            "an extension with all kinds of parameters",
            with("Sec-WebSocket-Extensions: a; b; c=d; e=\"f\" , g;h=1\r\n"),
        ),
        (
            "extensions in two lines",
            with("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b; c\r\n"),
        ),
        (
            "an extension twice",
            with("Sec-WebSocket-Extensions: permessage-deflate; x=1, permessage-deflate\r\n"),
        ),
        (
            "an extension by the name of a method",
            with("Sec-WebSocket-Extensions: constructor, __proto__, toString\r\n"),
        ),
    ];
    let mut table: Vec<_> = table
        .into_iter()
        .map(|(name, request)| (name, request.into_bytes()))
        .collect();
    let latin = [
        with("").trim_end_matches("\r\n").as_bytes(),
        b"\r\nX-Name: J\xFCrgen \x80\xFF\r\n\r\n",
    ]
    .concat();
    table.push(("a value above ASCII", latin));
    table
}

#[test]
fn unusual_but_good_requests_become_sockets() {
    let server = server();
    for (name, request) in unusual() {
        let mut stream = http::connect(server.addr);
        stream.write_all(&request).expect("send");
        expect_socket(&mut stream, name);
    }
}

#[test]
fn unusual_but_good_requests_become_sockets_byte_by_byte() {
    let server = server();
    for (name, request) in unusual() {
        let mut stream = http::connect(server.addr);
        server.feed(&mut stream, &request);
        expect_socket(&mut stream, name);
    }
}

/// §1.3, §4.2.2: SHA-1 of the key and the GUID, reckoned with another program.
#[test]
fn the_answer_accepts_the_key_that_was_sent() {
    let server = server();
    let table = [
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
    ];
    for (key, accept) in table {
        let answer = http::request(server.addr, good().replace("dGhlIHNhbXBsZSBub25jZQ==", key));
        assert_eq!(
            (answer.status, answer.header("Sec-WebSocket-Accept")),
            (101, Some(accept)),
            "{key}"
        );
    }
}

fn speaking(protocols: &[&str]) -> Server {
    let subprotocols = protocols
        .iter()
        .map(|protocol| (*protocol).to_owned())
        .collect();
    let options = || Options {
        subprotocols,
        ..Options::default()
    };
    serve_with(options, |app| {
        app.ws("/", |socket, request| {
            let offered: Vec<&str> = request.protocols().collect();
            socket.send(&format!("{:?} of {offered:?}", socket.protocol()));
            socket.on(event::Message, |socket, message| {
                socket.send(message);
            });
        });
    })
}

#[test]
fn the_subprotocol_is_the_first_of_the_server_that_the_client_offers() {
    let table: [(&[&str], &str, Option<&str>); 12] = [
        (&["b", "a"], "Sec-WebSocket-Protocol: a, b\r\n", Some("b")),
        (&["a", "b"], "Sec-WebSocket-Protocol: b, a\r\n", Some("a")),
        (&["b", "a"], "Sec-WebSocket-Protocol: a\r\n", Some("a")),
        (
            &["b", "a"],
            "Sec-WebSocket-Protocol: c, a ,d\r\n",
            Some("a"),
        ),
        (
            &["b", "a"],
            "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
            Some("b"),
        ),
        (&["b", "a"], "sec-websocket-protocol:a,b\r\n", Some("b")),
        (&["b", "a"], "Sec-WebSocket-Protocol: c, d\r\n", None),
        (&["b", "a"], "Sec-WebSocket-Protocol: A, B\r\n", None),
        (&["b", "a"], "Sec-WebSocket-Protocol: ab\r\n", None),
        (&["b", "a"], "", None),
        (&[], "Sec-WebSocket-Protocol: a, b\r\n", None),
        (
            &["v1.json+chat"],
            "Sec-WebSocket-Protocol: v1.json+chat\r\n",
            Some("v1.json+chat"),
        ),
    ];
    for (ours, offer, expected) in table {
        let server = speaking(ours);
        let mut client = Client::try_connect(server.addr, "/", offer).expect("a socket");
        assert_eq!(
            client.answer.header("Sec-WebSocket-Protocol"),
            expected,
            "{ours:?}, {offer}"
        );
        assert!(
            client
                .text()
                .starts_with(&format!("{:?} of", expected.map(str::to_owned))),
            "{ours:?}, {offer}"
        );
    }
}

#[test]
fn the_offered_subprotocols_are_told_in_the_order_of_the_client() {
    let server = speaking(&["b"]);
    let offer = "Sec-WebSocket-Protocol: z, b\r\nSec-WebSocket-Protocol: a\r\n";
    let mut client = Client::try_connect(server.addr, "/", offer).expect("a socket");
    assert_eq!(client.text(), r#"Some("b") of ["z", "b", "a"]"#);
}

#[test]
fn an_offered_extension_is_not_agreed_to_and_its_bit_stays_forbidden() {
    let server = speaking(&[]);
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let mut client = Client::try_connect(server.addr, "/", offer).expect("a socket");
    assert_eq!(client.answer.header("Sec-WebSocket-Extensions"), None);
    client.text();
    client.send_frame(true, 0b100, 1, b"compressed");
    assert_eq!(client.closed().0, 1002);
}

#[test]
fn the_answer_has_nothing_but_what_it_must_have() {
    let server = speaking(&["chat"]);
    let client = Client::try_connect(server.addr, "/", "Sec-WebSocket-Protocol: chat\r\n")
        .expect("a socket");
    let mut names: Vec<String> = client
        .answer
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "connection",
            "sec-websocket-accept",
            "sec-websocket-protocol",
            "upgrade"
        ]
    );
}

#[test]
fn a_socket_may_be_opened_behind_other_requests_on_the_same_connection() {
    let server = server();
    let mut stream = http::connect(server.addr);
    let page = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let all = [page, page, &upgrade_request("/echo", "")].concat();
    stream.write_all(all.as_bytes()).expect("send");
    stream
        .write_all(&frame(true, 0, 1, b"hello"))
        .expect("send");
    let (first, rest) = http::read_answer(&mut stream, Vec::new(), false);
    let (second, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!((first.text(), second.text()), ("a page", "a page"));
    let (third, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!(third.status, 101);
    let mut client = Client {
        stream,
        rest,
        answer: third,
    };
    assert_eq!(client.text(), "hello");
}

#[test]
fn frames_in_the_segment_of_the_request_are_delivered() {
    let server = server();
    let mut stream = http::connect(server.addr);
    let frames = [
        frame(true, 0, 1, b"one"),
        frame(false, 0, 1, b"t"),
        frame(true, 0, 0, b"wo"),
    ]
    .concat();
    stream
        .write_all(&[good().as_bytes(), &frames].concat())
        .expect("send");
    expect(
        &mut stream,
        &[ANSWER.as_bytes(), b"\x81\x03one\x81\x03two"].concat(),
        "in one segment",
    );
}
