//! Our client against servers that mean it harm, and what a proxy could guess of it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rushwire::{Client, ConnectError, ConnectOptions, Failed, Options, Socket, event};

use crate::common::PATIENCE;
use crate::peer::{Peer, Stage, play, say, unmasked};

/// Connects, and runs until nothing is left to do: what failed.
fn run(stage: &Stage, handler: impl FnMut(&Socket) + 'static) -> Vec<Failed> {
    let mut handler = handler;
    let limits = Options {
        max_message_size: 10_000,
        max_backpressure: 64 << 20,
        ..Options::default()
    };
    let mut client = Client::with(limits).expect("a client");
    let options = ConnectOptions::default();
    let connection = client.connect(&stage.url, options, move |socket, _| handler(socket));
    let failed = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&failed);
    let connection = connection.expect("a URL");
    connection.on_error(move |failed| told.borrow_mut().push(failed.clone()));
    let deadline = Instant::now() + PATIENCE;
    while !client.is_done() {
        assert!(Instant::now() < deadline, "the client never ends");
        client
            .turn(Some(Duration::from_millis(20)))
            .expect("a turn");
    }
    failed.take()
}

fn error(stage: &Stage) -> ConnectError {
    let mut failed = run(stage, |_| panic!("there must be no socket"));
    assert_eq!(failed.len(), 1, "{failed:?}");
    failed.remove(0).error
}

/// The code that the client closes with when a server sends this, of which no message is heard.
fn code_for(bytes: Vec<u8>) -> u16 {
    let (sender, code) = std::sync::mpsc::channel();
    let stage = play(move |listener| {
        let mut peer = Peer::agree(listener);
        peer.send(bytes);
        sender.send(peer.close_code()).expect("the test waits");
        peer.finish();
        peer.wait_for_the_end();
    });
    let failed = run(&stage, |socket| {
        socket.on(event::Message, |_, message| {
            panic!("{} bytes", message.len())
        });
    });
    assert_eq!(failed, []);
    code.recv().expect("the script has played")
}

/// Bishop Fox 2017 (Beast), GO-2026-6278 (gorilla/websocket), Java-WebSocket#1132: the keys could be foreseen,
/// so that whoever chooses the payload chooses the bytes on the wire, and a proxy takes them for a request.
#[test]
fn nobody_foresees_a_masking_key() {
    const EACH: usize = 20_000;
    let keys = |_| {
        let (sender, keys) = std::sync::mpsc::channel();
        let stage = play(move |listener| {
            let mut peer = Peer::agree(listener);
            let take = |_| u32::from_be_bytes(peer.next().expect("a message").key);
            let keys: Vec<u32> = (0..EACH).map(take).collect();
            sender.send(keys).expect("the test waits");
            peer.expect_close(1000);
        });
        let failed = run(&stage, |socket| {
            (0..EACH).for_each(|_| _ = socket.send("GET / HTTP/1.1"));
            socket.close();
        });
        assert_eq!(failed, []);
        keys.recv().expect("the script has played")
    };
    let keys: Vec<u32> = (0..3).flat_map(keys).collect();
    // By chance 60,000 keys of 32 bits share a value less than once in two times; 10 times is no chance.
    let different: HashSet<_> = keys.iter().collect();
    assert!(keys.len() - different.len() < 10, "keys come again");
    // Nor do they differ by the same from one to the next, as those of a counter, or of a generator that
    // keeps its state in its output.
    for step in [u32::wrapping_sub, std::ops::BitXor::bitxor] {
        let pairs = keys.windows(2).map(|pair| step(pair[1], pair[0]));
        let steps: HashSet<u32> = pairs.collect();
        assert!(keys.len() - steps.len() < 12, "keys have a step");
    }
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| *key >> bit & 1 == 1).count();
        let half = keys.len() / 2;
        assert!(ones.abs_diff(half) < half / 20, "bit {bit}: {ones}");
        let same = keys
            .windows(2)
            .filter(|pair| (pair[0] ^ pair[1]) >> bit & 1 == 0);
        let same = same.count();
        assert!(
            same.abs_diff(half) < half / 20,
            "bit {bit} from one to the next: {same}"
        );
    }
}

/// CVE-2026-1528 (undici): a length of 64 bits overflowed the client's reader, whose error nobody caught.
#[test]
fn a_length_that_overflows_is_refused() {
    let begun = unmasked(0x02, &[7; 1000]);
    for (beginning, first) in [(vec![], 0x82), (begun, 0x80)] {
        for length in [
            u64::MAX,
            u64::MAX - 999,
            1 << 63,
            (1 << 63) - 1,
            1 << 32,
            u32::MAX.into(),
        ] {
            let header = [&[first, 127], &length.to_be_bytes()[..]].concat();
            let expected = if length >> 63 == 1 { 1002 } else { 1009 };
            let code = code_for([&beginning[..], &header, &[0; 99]].concat());
            assert_eq!(code, expected, "{length:#x}");
        }
    }
}

/// CVE-2026-12151 (undici): continuations that are empty, or many, passed both limits. CVE-2026-9675
/// (undici): there was a limit on each of them only.
#[test]
fn continuations_are_counted_and_summed() {
    let begun = unmasked(0x01, b"");
    let empty = [&begun[..], &unmasked(0x00, b"").repeat(2000)].concat();
    assert_eq!(code_for(empty), 1008);
    for size in [1, 100, 10_000] {
        let fragments = unmasked(0x00, &vec![b'x'; size]).repeat(10_000 / size + 1);
        assert_eq!(code_for([&begun[..], &fragments].concat()), 1009, "{size}");
    }
}

/// CVE-2026-2229 (undici): a parameter that was out of its range was thrown where nobody caught it.
/// CVE-2026-1526 (undici): a compressed frame was inflated without limit. Here neither was offered.
#[test]
fn what_was_not_offered_is_not_accepted() {
    for extension in [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=99999999999999999999",
        "__proto__",
        "",
    ] {
        let stage = play(move |listener| {
            let mut peer = Peer::accept(listener);
            let header = format!("Sec-WebSocket-Extensions: {extension}\r\n");
            peer.send(peer.agreement(&header));
            peer.wait_for_the_end();
        });
        let why = "the server chose an extension that was not offered";
        assert_eq!(
            error(&stage),
            ConnectError::Violation(why.into()),
            "{extension}"
        );
    }
    for first in [0xC1, 0xC2, 0xC8, 0xC9, 0xCA] {
        assert_eq!(
            code_for(unmasked(first, b"\x4A\x04\x00")),
            1002,
            "{first:x}"
        );
    }
}

/// CVE-2026-55517 (Deno): an answer's header with bytes above ASCII was unwrapped as text.
#[test]
fn an_answer_may_have_any_bytes_above_ascii() {
    let texts: [&[u8]; 4] = [b"\x80", b"\xFF\xFE", b"caf\xC3\xA9", b"a\xED\xA0\x80"];
    let fatal = [
        "Upgrade",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    ];
    let passed_over = [
        "Server",
        "Set-Cookie",
        "Connection",
        "Content-Length",
        "Transfer-Encoding",
    ];
    for text in texts {
        for name in fatal.iter().chain(&passed_over) {
            let line = [name.as_bytes(), b": ", text, b"\r\n"].concat();
            let stage = play(move |listener| {
                let mut peer = Peer::accept(listener);
                let agreement = peer.agreement("");
                let head = agreement.len() - 2;
                peer.send([&agreement[..head], &line, b"\r\n"].concat());
                peer.wait_for_the_end();
            });
            if fatal.contains(name) {
                let error = error(&stage);
                assert!(
                    matches!(error, ConnectError::Violation(_)),
                    "{name}: {error:?}"
                );
            } else {
                assert_eq!(run(&stage, Socket::terminate), [], "{name}");
            }
        }
        let refusal = [
            b"HTTP/1.1 401 ",
            text,
            b"\r\nServer: ",
            text,
            b"\r\nContent-Length: 0\r\n\r\n",
        ]
        .concat();
        let error = error(&say(refusal));
        assert!(
            matches!(&error, ConnectError::Refused(answer) if answer.status == 401),
            "{error:?}"
        );
    }
}

/// CVE-2010-1766 (WebKit): one byte too many of an answer was written behind a buffer.
#[test]
fn an_answer_has_a_limit_that_is_exact() {
    const LIMIT: usize = 16 << 10;
    for (more, opens) in [(0, true), (1, false), (4096, false), (4 << 20, false)] {
        let stage = play(move |listener| {
            let mut peer = Peer::accept(listener);
            let bare = peer.agreement("X: \r\n").len();
            let filling = "x".repeat(LIMIT - bare + more);
            peer.send(peer.agreement(&format!("X: {filling}\r\n")));
            peer.wait_for_the_end();
        });
        if opens {
            assert_eq!(run(&stage, Socket::terminate), []);
        } else {
            let why = "no HTTP: the header fields are too large";
            assert_eq!(error(&stage), ConnectError::Violation(why.into()), "{more}");
        }
    }
}

/// CVE-2026-2833 (Pingora), CVE-2019-17567 (httpd) and their like, from the other side: nothing but 101 opens
/// a socket, whatever its headers say.
#[test]
fn no_status_but_101_opens_a_socket() {
    for status in [200, 201, 204, 301, 302, 307, 400, 401, 403, 426, 500, 999] {
        let stage = play(move |listener| {
            let mut peer = Peer::accept(listener);
            let agreement = String::from_utf8(peer.agreement("Content-Length: 0\r\n"));
            let agreement = agreement
                .expect("text")
                .replacen("101", &status.to_string(), 1);
            peer.send([agreement.as_bytes(), &unmasked(0x81, b"in the tunnel")].concat());
            peer.wait_for_the_end();
        });
        let error = error(&stage);
        assert!(
            matches!(&error, ConnectError::Refused(answer) if answer.status == status),
            "{error:?}"
        );
    }
}
