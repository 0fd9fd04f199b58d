//! Answers that a client must not take: the exact error of each, whole and byte by byte (RFC 6455 §4.1,
//! RFC 9112 §4, §5).

use rushwire::{ConnectError, ConnectOptions};

use crate::peer::{Peer, play, say};
use crate::{Dialer, never};

const UPGRADE: &str = "Upgrade must be websocket";
const CONNECTION: &str = "Connection must list Upgrade";
const ACCEPT: &str = "Sec-WebSocket-Accept does not prove that the key was read";
const PROTOCOL: &str = "the server chose a subprotocol that was not offered";
const EXTENSION: &str = "the server chose an extension that was not offered";
const STATUS_LINE: &str = "no HTTP: the status line is malformed";
const VERSION: &str = "no HTTP: the version is not HTTP/1.0 or HTTP/1.1";
const BARE_LF: &str = "no HTTP: a line feed stands alone";
const BARE_CR: &str = "no HTTP: a carriage return stands alone";
const NAME: &str = "no HTTP: a header name is not a token";
const VALUE: &str = "no HTTP: a header value has a control character";
const FOLDED: &str = "no HTTP: a header line begins with white space";
const SPACE: &str = "no HTTP: white space stands before a header's colon";
const TOO_LARGE: &str = "no HTTP: the header fields are too large";
const TOO_MANY: &str = "no HTTP: there are too many header fields";

/// The right answer; the mark stands for the proof.
const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: <proof>\r\n\r\n";

const PROOF: &str = "Sec-WebSocket-Accept: <proof>\r\n";

/// The proof of the key of RFC 6455 §1.3, which nobody sends here.
const FOREIGN: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// The right answer with another part in place of one.
fn swap(part: &str, other: &str) -> Vec<u8> {
    assert!(GOOD.contains(part), "{part:?} is no part of it");
    GOOD.replacen(part, other, 1).into()
}

/// The right answer with more headers.
fn with(headers: &str) -> Vec<u8> {
    swap("\r\n\r\n", &format!("\r\n{headers}\r\n"))
}

fn start(line: &str) -> Vec<u8> {
    swap("HTTP/1.1 101 Switching Protocols", line)
}

fn upgrade(lines: &str) -> Vec<u8> {
    swap("Upgrade: websocket\r\n", lines)
}

fn connection(lines: &str) -> Vec<u8> {
    swap("Connection: Upgrade\r\n", lines)
}

fn proof(lines: &str) -> Vec<u8> {
    swap(PROOF, lines)
}

type Case = (&'static str, Vec<u8>, &'static str);

#[rustfmt::skip]
fn no_agreement() -> Vec<Case> {
    vec![
        ("no Upgrade",                         upgrade(""),                                                     UPGRADE),
        ("an empty Upgrade",                   upgrade("Upgrade:\r\n"),                                         UPGRADE),
        ("another protocol",                   upgrade("Upgrade: h2c\r\n"),                                     UPGRADE),
        ("two protocols",                      upgrade("Upgrade: websocket, h2c\r\n"),                          UPGRADE),
        ("two lines of Upgrade",               upgrade("Upgrade: websocket\r\nUpgrade: websocket\r\n"),         UPGRADE),
        ("a version of the protocol",          upgrade("Upgrade: websocket/13\r\n"),                            UPGRADE),
        ("quotation marks",                    upgrade("Upgrade: \"websocket\"\r\n"),                           UPGRADE),
        ("no Connection",                      connection(""),                                                  CONNECTION),
        ("an empty Connection",                connection("Connection:\r\n"),                                   CONNECTION),
        ("Connection: close",                  connection("Connection: close\r\n"),                             CONNECTION),
        ("Connection: keep-alive",             connection("Connection: keep-alive\r\n"),                        CONNECTION),
        ("Connection: Upgrades",               connection("Connection: Upgrades\r\n"),                          CONNECTION),
        ("no proof",                           proof(""),                                                       ACCEPT),
        ("an empty proof",                     proof("Sec-WebSocket-Accept:\r\n"),                              ACCEPT),
        ("the proof of another key",           proof(FOREIGN),                                                  ACCEPT),
        ("the key in place of its proof",      proof("Sec-WebSocket-Accept: <key>\r\n"),                        ACCEPT),
        ("the proof in upper case",            proof("Sec-WebSocket-Accept: <PROOF>\r\n"),                      ACCEPT),
        ("the proof without its padding",      proof("Sec-WebSocket-Accept: <unpadded>\r\n"),                   ACCEPT),
        ("the proof in quotation marks",       proof("Sec-WebSocket-Accept: \"<proof>\"\r\n"),                  ACCEPT),
        ("the proof and more",                 proof("Sec-WebSocket-Accept: <proof>, x\r\n"),                   ACCEPT),
        ("the proof twice",                    with(PROOF),                                                     ACCEPT),
        ("the proof, and that of another",     with(FOREIGN),                                                   ACCEPT),
        ("a subprotocol that nobody offered",  with("Sec-WebSocket-Protocol: c\r\n"),                           PROTOCOL),
        ("one in another case",                with("Sec-WebSocket-Protocol: A\r\n"),                           PROTOCOL),
        ("two in a line",                      with("Sec-WebSocket-Protocol: a, b\r\n"),                        PROTOCOL),
        ("two in two lines",                   with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"), PROTOCOL),
        ("the same in two lines",              with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"), PROTOCOL),
        ("an empty subprotocol",               with("Sec-WebSocket-Protocol:\r\n"),                             PROTOCOL),
        ("a subprotocol above ASCII",          with("Sec-WebSocket-Protocol: \u{e4}\r\n"),                      PROTOCOL),
        ("an extension",                       with("Sec-WebSocket-Extensions: permessage-deflate\r\n"),        EXTENSION),
        ("an unknown extension",               with("Sec-WebSocket-Extensions: x; y=1\r\n"),                    EXTENSION),
        ("an empty extension",                 with("Sec-WebSocket-Extensions:\r\n"),                           EXTENSION),
        ("a malformed extension",              with("Sec-WebSocket-Extensions: ;\"\r\n"),                       EXTENSION),
    ]
}

#[rustfmt::skip]
fn no_http() -> Vec<Case> {
    let ended = |line: &str| format!("{line}\r\n\r\n").into_bytes();
    vec![
        ("SSH",                                ended("SSH-2.0-OpenSSH_9.6"),                                    STATUS_LINE),
        ("TLS",                                b"\x16\x03\x01\x02\0".to_vec(),                                  STATUS_LINE),
        ("a frame",                            b"\x81\x05hello".to_vec(),                                       STATUS_LINE),
        ("an empty line",                      [b"\r\n", GOOD.as_bytes()].concat(),                             STATUS_LINE),
        ("a space first",                      [b" ", GOOD.as_bytes()].concat(),                                STATUS_LINE),
        ("a request",                          ended("GET / HTTP/1.1"),                                         STATUS_LINE),
        ("bytes above ASCII",                  "\u{80}".repeat(100).into(),                                     STATUS_LINE),
        ("HTTP/2",                             ended("HTTP/2 101"),                                             VERSION),
        ("HTTP/2.0",                           start("HTTP/2.0 101 x"),                                         VERSION),
        ("HTTP/0.9",                           start("HTTP/0.9 101 x"),                                         VERSION),
        ("http/1.1",                           start("http/1.1 101 x"),                                         STATUS_LINE),
        ("HTTP/1.10",                          start("HTTP/1.10 101 x"),                                        STATUS_LINE),
        ("HTTP/1",                             start("HTTP/1 101 x"),                                           STATUS_LINE),
        ("a tab before the status",            start("HTTP/1.1\t101 x"),                                        STATUS_LINE),
        ("two spaces before the status",       start("HTTP/1.1  101 x"),                                        STATUS_LINE),
        ("no status",                          start("HTTP/1.1"),                                               STATUS_LINE),
        ("no status but a space",              start("HTTP/1.1 "),                                              STATUS_LINE),
        ("a status of two digits",             start("HTTP/1.1 10 x"),                                          STATUS_LINE),
        ("a status of four digits",            start("HTTP/1.1 1010 x"),                                        STATUS_LINE),
        ("a status that begins with 0",        start("HTTP/1.1 010 x"),                                         STATUS_LINE),
        ("a status with a sign",               start("HTTP/1.1 +10 x"),                                         STATUS_LINE),
        ("a status in letters",                start("HTTP/1.1 abc x"),                                         STATUS_LINE),
        ("a tab behind the status",            start("HTTP/1.1 101\tx"),                                        STATUS_LINE),
        ("a NUL in the reason",                start("HTTP/1.1 101 \0"),                                        STATUS_LINE),
        ("DEL in the reason",                  start("HTTP/1.1 101 \x7F"),                                      STATUS_LINE),
        ("a bare LF behind the status line",   swap("Protocols\r\n", "Protocols\n"),                            BARE_LF),
        ("a bare CR behind the status line",   swap("Protocols\r\n", "Protocols\r"),                            BARE_CR),
        ("bare LFs everywhere",                GOOD.replace("\r\n", "\n").into(),                               BARE_LF),
        ("a bare LF behind a value",           swap("websocket\r\n", "websocket\n"),                            BARE_LF),
        ("a bare CR behind a value",           swap("websocket\r\n", "websocket\r"),                            BARE_CR),
        ("a bare LF at the end",               swap("\r\n\r\n", "\r\n\n"),                                      BARE_LF),
        ("a bare CR at the end",               swap("\r\n\r\n", "\r\n\rx"),                                     BARE_CR),
        ("a space before the colon",           with("X : y\r\n"),                                               SPACE),
        ("a tab before the colon",             with("X\t: y\r\n"),                                              SPACE),
        ("a folded line",                      with("X: y\r\n folded\r\n"),                                     FOLDED),
        ("a line folded with a tab",           with("X: y\r\n\tfolded\r\n"),                                    FOLDED),
        ("a first line that begins so",        swap("\r\nUpgrade", "\r\n Upgrade"),                             FOLDED),
        ("a folded Upgrade",                   swap("Upgrade: w", "Upgrade:\r\n w"),                            FOLDED),
        ("no colon",                           with("X\r\n"),                                                   NAME),
        ("an empty name",                      with(": y\r\n"),                                                 NAME),
        ("a name with brackets",               with("X(Y): z\r\n"),                                             NAME),
        ("a name above ASCII",                 with("\u{e4}: z\r\n"),                                           NAME),
        ("a NUL in a name",                    with("X\0: y\r\n"),                                              NAME),
        ("a NUL in a value",                   with("X: \0\r\n"),                                               VALUE),
        ("a control character in a value",     with("X: a\x01b\r\n"),                                           VALUE),
        ("DEL in a value",                     with("X: \x7F\r\n"),                                             VALUE),
        ("101 lines",                          with(&"a: b\r\n".repeat(98)),                                    TOO_MANY),
        ("101 lines of another status",        ended(&format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(101))), TOO_MANY),
        ("a name without end",                 format!("HTTP/1.1 200 OK\r\n{}", "a".repeat(17_000)).into(),     TOO_LARGE),
        ("a value without end",                format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(17_000)).into(),  TOO_LARGE),
        ("a reason without end",               format!("HTTP/1.1 200 {}", "x".repeat(17_000)).into(),           TOO_LARGE),
        ("a second answer that is none",       format!("HTTP/1.1 100 Continue\r\n\r\n{}", "x".repeat(9)).into(), STATUS_LINE),
    ]
}

/// Has a server answer this, in which marks stand for what belongs to the request: the error.
fn error(answer: &[u8], whole: bool) -> ConnectError {
    let answer = answer.to_vec();
    let stage = play(move |listener| {
        let mut peer = Peer::accept(listener);
        let proof = peer.accept_key();
        let key = peer.header("Sec-WebSocket-Key").expect("a key").to_owned();
        let answer = match String::from_utf8(answer) {
            Ok(text) => (text.replace("<proof>", &proof).replace("<key>", &key))
                .replace("<PROOF>", &proof.to_ascii_uppercase())
                .replace("<unpadded>", proof.trim_end_matches('='))
                .into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        match whole {
            true => peer.send(answer),
            false => peer.send_bytewise(&answer),
        }
        peer.wait_for_the_end();
    });
    let options = ConnectOptions {
        subprotocols: vec!["a".into(), "b".into()],
        ..ConnectOptions::default()
    };
    Dialer::new(&stage.url, options, never).error()
}

fn judge_all(whole: bool) {
    for (name, answer, why) in [no_agreement(), no_http()].concat() {
        let expected = ConnectError::Violation(why.to_owned());
        assert_eq!(error(&answer, whole), expected, "{name}");
    }
}

#[test]
fn an_answer_that_is_wrong_is_a_violation_that_says_why() {
    judge_all(true);
}

#[test]
fn an_answer_that_is_wrong_is_wrong_byte_by_byte() {
    judge_all(false);
}

#[test]
fn an_answer_of_megabytes_is_given_up_at_the_limit() {
    let table = [
        (
            format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(4 << 20)),
            TOO_LARGE,
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(5000)),
            TOO_MANY,
        ),
        (
            "HTTP/1.1 200 OK\r\n".to_owned() + &"a".repeat(1 << 20),
            TOO_LARGE,
        ),
    ];
    for (answer, why) in table {
        let stage = say(answer);
        let error = Dialer::new(&stage.url, ConnectOptions::default(), never).error();
        assert_eq!(error, ConnectError::Violation(why.to_owned()));
    }
}

/// An answer that ends before it is whole is an error of the connection, whatever it had begun to say.
#[test]
fn an_answer_that_is_cut_short_is_the_end_of_the_connection() {
    for at in [0, 1, 8, 12, 33, 40, GOOD.len() - 1] {
        let stage = play(move |listener| {
            let mut peer = Peer::accept(listener);
            let good = peer.agreement("");
            let at = at.min(good.len() - 1);
            peer.send(&good[..at]);
            peer.finish();
            peer.wait_for_the_end();
        });
        let error = Dialer::new(&stage.url, ConnectOptions::default(), never).error();
        let ConnectError::Io(kind, _) = error else {
            panic!("{at}: {error:?}");
        };
        assert_eq!(kind, std::io::ErrorKind::UnexpectedEof, "{at}");
    }
}
