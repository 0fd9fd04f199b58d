//! What a server may and may not send, and what the client sends (RFC 6455 §5).

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use rushwire::{CloseCode, ConnectOptions, Options, event};

use crate::Dialer;
use crate::common::client;
use crate::peer::{Peer, play, unmasked};

/// Has a server send these bytes: the code of the client's close frame, and what its listeners heard.
fn answer_to(bytes: Vec<u8>) -> (u16, Vec<String>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let stage = play(move |listener| {
        let mut peer = Peer::agree(listener);
        peer.send(bytes);
        sender.send(peer.close_code()).expect("the test waits");
        peer.finish();
        peer.wait_for_the_end();
    });
    let heard = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&heard);
    let limits = Options {
        max_message_size: 1000,
        ..Options::default()
    };
    let dialer = Dialer::with(
        limits,
        &stage.url,
        ConnectOptions::default(),
        move |socket, _| {
            let messages = Rc::clone(&note);
            socket.on(event::Message, move |_, message| {
                messages
                    .borrow_mut()
                    .push(format!("{} bytes", message.len()));
            });
            let closed = Rc::clone(&note);
            socket.on(event::Close, move |_, close| {
                closed.borrow_mut().push(format!("closed {}", close.code));
            });
        },
    );
    assert_eq!(dialer.run(), []);
    let code = receiver.recv().expect("the script has played");
    (code, heard.take())
}

#[test]
fn a_server_that_breaks_a_rule_is_told_which_and_nothing_of_it_is_heard() {
    let close = |payload: &[u8]| unmasked(0x88, payload);
    let table: Vec<(&str, Vec<u8>, u16)> = vec![
        ("masked", client::frame(true, 0, 1, b"x"), 1002),
        ("masked and empty", client::frame(true, 0, 1, b""), 1002),
        ("masked ping", client::frame(true, 0, 9, b""), 1002),
        ("masked close", client::frame(true, 0, 8, b""), 1002),
        ("RSV1", unmasked(0xC1, b"x"), 1002),
        ("RSV2", unmasked(0xA1, b"x"), 1002),
        ("RSV3", unmasked(0x91, b"x"), 1002),
        ("opcode 3", unmasked(0x83, b"x"), 1002),
        ("opcode 7", unmasked(0x87, b""), 1002),
        ("opcode 11", unmasked(0x8B, b"x"), 1002),
        ("opcode 15", unmasked(0x8F, b""), 1002),
        ("ping of 126 bytes", unmasked(0x89, &[0; 126]), 1002),
        ("fragmented ping", unmasked(0x09, b""), 1002),
        ("fragmented close", unmasked(0x08, b""), 1002),
        ("continuation of nothing", unmasked(0x80, b"x"), 1002),
        (
            "text amid text",
            [unmasked(0x01, b"x"), unmasked(0x81, b"y")].concat(),
            1002,
        ),
        (
            "16 bits for 125",
            [&[0x82, 126, 0, 125][..], &[0; 125]].concat(),
            1002,
        ),
        (
            "64 bits for 65535",
            [0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF].into(),
            1002,
        ),
        (
            "length of 2^63",
            [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0].into(),
            1002,
        ),
        ("no UTF-8", unmasked(0x81, b"\xFF"), 1007),
        ("cut UTF-8", unmasked(0x81, b"\xC3"), 1007),
        (
            "UTF-8 that goes wrong in a fragment",
            unmasked(0x01, b"\xC3("),
            1007,
        ),
        ("1001 bytes", unmasked(0x82, &[0; 1001]), 1009),
        ("1001 bytes announced", [0x82, 126, 3, 0xE9].into(), 1009),
        (
            "2^62 bytes announced",
            [0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0].into(),
            1009,
        ),
        (
            "1001 bytes in fragments",
            [unmasked(0x02, &[0; 600]), unmasked(0x80, &[0; 401])].concat(),
            1009,
        ),
        ("close of one byte", close(b"\x03"), 1002),
        ("close with 999", close(&999_u16.to_be_bytes()), 1002),
        ("close with 1005", close(&1005_u16.to_be_bytes()), 1002),
        ("close with 1006", close(&1006_u16.to_be_bytes()), 1002),
        ("close with 5000", close(&5000_u16.to_be_bytes()), 1002),
        (
            "close whose reason is no UTF-8",
            close(b"\x03\xE8\xFF"),
            1007,
        ),
    ];
    for (name, bad, code) in table {
        let good = unmasked(0x82, b"good");
        let (found, heard) = answer_to([good, bad, unmasked(0x81, b"late")].concat());
        assert_eq!(found, code, "{name}");
        assert_eq!(heard, ["4 bytes", &format!("closed {code}")], "{name}");
    }
}

#[test]
fn pings_are_answered_and_pongs_heard() {
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        peer.send([unmasked(0x8A, b"unasked"), unmasked(0x89, b"are you there")].concat());
        let pong = peer.next().expect("a pong");
        assert_eq!((pong.first, &*pong.payload), (0x8A, &b"are you there"[..]));
        peer.close(1000);
    });
    let heard = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&heard);
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
        let pongs = Rc::clone(&note);
        socket.on(event::Pong, move |_, payload| {
            pongs.borrow_mut().push(payload.to_vec())
        });
        let pings = Rc::clone(&note);
        socket.on(event::Ping, move |_, payload| {
            pings.borrow_mut().push(payload.to_vec())
        });
    });
    assert_eq!(dialer.run(), []);
    assert_eq!(heard.take(), [&b"unasked"[..], b"are you there"]);
}

#[test]
fn answers_leave_in_the_order_of_what_they_answer() {
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        let parts = [
            (0x89, "1"),
            (0x81, "2"),
            (0x89, "3"),
            (0x01, "4"),
            (0x89, "5"),
            (0x80, "6"),
        ];
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|(first, payload)| unmasked(*first, payload.as_bytes()))
            .collect();
        peer.send(bytes);
        let expected = [
            (0x8A, "1"),
            (0x81, "2"),
            (0x8A, "3"),
            (0x8A, "5"),
            (0x81, "46"),
        ];
        for (first, payload) in expected {
            let frame = peer.next().expect("an answer");
            assert_eq!((frame.first, &*frame.payload), (first, payload.as_bytes()));
        }
        peer.close(1000);
    });
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), |socket, _| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
    assert_eq!(dialer.run(), []);
}

#[test]
fn every_frame_is_masked_with_a_key_of_its_own_whatever_its_size_and_way() {
    const SIZES: [usize; 9] = [0, 1, 125, 126, 4096, 65_535, 65_536, 300_000, 1_000_000];
    let stage = play(|listener| {
        let mut peer = Peer::agree(listener);
        let mut keys = HashSet::new();
        for way in 0..3 {
            for size in SIZES {
                let frame = peer.next().expect("a message");
                let expected: Vec<u8> = (0..size).map(|at| at as u8).collect();
                assert_eq!(frame.first, 0x82, "{way} {size}");
                assert!(frame.payload == expected, "{way} {size}");
                assert!(keys.insert(frame.key), "{way} {size}: used before");
            }
        }
        let ping = peer.next().expect("a ping");
        assert_eq!((ping.first, &*ping.payload), (0x89, &b"ping"[..]));
        assert!(keys.insert(ping.key));
        assert!(!keys.contains(&[0; 4]));
        peer.expect_close(1000);
    });
    let limits = Options {
        max_backpressure: 8 << 20,
        ..Options::default()
    };
    let dialer = Dialer::with(
        limits,
        &stage.url,
        ConnectOptions::default(),
        |socket, _| {
            let payload = |size: usize| (0..size).map(|at| at as u8).collect::<Vec<_>>();
            for size in SIZES {
                socket.send(&payload(size));
            }
            for size in SIZES {
                socket.send_prepared(&rushwire::Prepared::new(&payload(size)));
            }
            socket.join("room");
            for size in SIZES {
                assert_eq!(socket.hub().to("room").send(&payload(size)), 1);
            }
            socket.ping(b"ping");
            socket.close();
        },
    );
    assert_eq!(dialer.run(), []);
}

#[test]
fn the_end_that_a_server_begins_is_told_as_the_servers() {
    let stage = play(|listener| Peer::agree(listener).close(4001));
    let told = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&told);
    let dialer = Dialer::new(&stage.url, ConnectOptions::default(), move |socket, _| {
        let note = Rc::clone(&note);
        socket.on(event::Close, move |_, close| {
            note.borrow_mut()
                .push((close.code, close.reason.to_owned(), close.by));
        });
    });
    assert_eq!(dialer.run(), []);
    let expected = (CloseCode::from(4001), "bye".to_owned(), event::By::Peer);
    assert_eq!(told.take(), [expected]);
}
