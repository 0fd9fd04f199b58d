//! What a server may send, and what the client sends (RFC 6455 §5). What it may not is in `bad_frames`.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use rushwire::{CloseCode, ConnectOptions, Options, event};

use crate::Dialer;
use crate::peer::{Peer, play, unmasked};

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
