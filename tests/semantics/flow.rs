//! 13. Oversize, and 14. backpressure: how much may come, and how much may wait.

use std::io::Write;

use crate::Journal;
use crate::common::client::{BINARY, CONTINUATION, PING, PONG, TEXT, announcement, frame};
use crate::common::{Client, Server, serve_with};
use rushwire::{Options, SendStatus, event};

fn echo(options: fn() -> Options) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(options, move |app| {
        app.ws("/", move |socket, _| {
            noted.watch_close(socket);
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    });
    (server, journal)
}

#[test]
fn a_message_of_exactly_the_limit_passes_however_it_is_cut() {
    let (server, _) = echo(|| Options {
        max_message_size: 100_000,
        ..Options::default()
    });
    let mut client = server.connect("/");
    let payload: Vec<u8> = (0..100_000).map(|i| i as u8).collect();
    for pieces in [
        vec![100_000],
        vec![1, 99_999],
        vec![60_000, 40_000, 0],
        vec![0, 99_999, 0, 1],
        vec![25_000; 4],
    ] {
        let mut from = 0;
        for (i, size) in pieces.iter().enumerate() {
            let opcode = if i == 0 { BINARY } else { CONTINUATION };
            client.send_frame(
                i + 1 == pieces.len(),
                0,
                opcode,
                &payload[from..from + size],
            );
            from += size;
        }
        assert_eq!(client.binary(), payload, "{pieces:?}");
    }
}

/// D18: a predecessor took megabytes of a frame that was too long from its header on.
#[test]
fn a_message_over_the_limit_is_1009_at_the_header_that_says_so() {
    #[rustfmt::skip]
    let table = [
        ("one frame",                   announcement(true, BINARY, 100_001)),
        ("2 GiB",                       announcement(true, BINARY, 1 << 31)),
        ("the longest there is",        announcement(true, TEXT, i64::MAX as u64)),
        ("the sum of two",              [frame(false, 0, BINARY, &[0; 60_000]), announcement(true, CONTINUATION, 65_536)].concat()),
        ("the sum of many",             [frame(false, 0, TEXT, b""), frame(false, 0, CONTINUATION, &[b'x'; 99_999]), frame(false, 0, CONTINUATION, b"12")].concat()),
        ("a first fragment by itself",  announcement(false, TEXT, 100_001)),
    ];
    for (name, bytes) in table {
        let (server, journal) = echo(|| Options {
            max_message_size: 100_000,
            ..Options::default()
        });
        let mut client = server.connect("/");
        client.send_raw(&bytes);
        assert_eq!(client.closed().0, 1009, "{name}");
        client.finish();
        client.expect_end();
        assert!(journal.wait_for(1)[0].starts_with("1009 "), "{name}");
    }
}

#[test]
fn a_peer_that_is_still_sending_reads_the_1009() {
    let (server, _) = echo(Options::default);
    let mut client = server.connect("/");
    client.send_raw(&announcement(true, BINARY, 8 << 20));
    let chunk = vec![0; 64 * 1024];
    for _ in 0..128 {
        client
            .stream
            .write_all(&chunk)
            .expect("the server goes on reading for a while");
    }
    assert_eq!(client.closed().0, 1009);
    client.finish();
    client.expect_end();
}

#[test]
fn what_a_turn_has_merely_queued_is_no_backpressure() {
    let (server, journal) = echo(|| Options {
        max_backpressure: 1024,
        ..Options::default()
    });
    let mut client = server.connect("/");
    server.wait_until("it is open", |hub| hub.len() == 1);
    // 100 KiB in one turn, a hundred times the limit: the kernel takes it all.
    let all_queued = server.ask(|hub| {
        let socket = hub.sockets()[0].clone();
        (0..1_000).all(|_| socket.send(&vec![b'x'; 100]) == SendStatus::Queued)
    });
    assert!(all_queued);
    assert!((0..1_000).all(|_| client.binary().len() == 100));
    assert!(journal.lines().is_empty());
}

#[test]
fn a_message_onto_an_empty_outbox_is_always_accepted() {
    let (server, _) = echo(|| Options {
        max_backpressure: 1024,
        max_message_size: 32 << 20,
        ..Options::default()
    });
    let mut client = server.connect("/");
    server.wait_until("it is open", |hub| hub.len() == 1);
    assert_eq!(
        server.ask(|hub| hub.sockets()[0].send(&vec![7; 24 << 20])),
        SendStatus::Queued
    );
    let message = client.binary();
    assert!(message.len() == 24 << 20 && message.iter().all(|&byte| byte == 7));
}

#[test]
fn drain_follows_backpressure_and_control_frames_are_exempt() {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve_with(
        || Options {
            max_backpressure: 1 << 20,
            ..Options::default()
        },
        move |app| {
            app.ws("/", move |socket, _| {
                let noted = noted.clone();
                socket.on(event::Drain, move |socket, drain| {
                    noted.note(format!(
                        "drained, {} lost, {} wait",
                        drain.undelivered,
                        socket.buffered_amount()
                    ))
                });
            });
        },
    );
    let mut client: Client = server.connect("/");
    server.wait_until("it is open", |hub| hub.len() == 1);
    let sent = server.ask(|hub| {
        let socket = hub.sockets()[0].clone();
        let mut sent = 1;
        while socket.send(&vec![0; 50_000]) == SendStatus::Queued {
            sent += 1;
        }
        assert!(
            socket.buffered_amount() > 512 * 1024 && socket.buffered_amount() <= 1 << 20,
            "{}",
            socket.buffered_amount()
        );
        assert!((0..50).all(|_| socket.ping(b"exempt")));
        sent
    });
    assert!(journal.lines().is_empty());
    let mut pings = 0;
    for _ in 0..sent + 50 {
        let frame = client.next().expect("not closed");
        pings += usize::from(frame.opcode == PING);
        assert!(frame.opcode == PING || frame.payload.len() == 50_000);
        assert_ne!(frame.opcode, PONG);
    }
    assert_eq!(pings, 50);
    assert_eq!(journal.wait_for(1), ["drained, 0 lost, 0 wait"]);
}

#[test]
fn over_the_limit_a_socket_is_closed_with_1013_and_nobody_else_is_hurt() {
    let (server, journal) = echo(|| Options {
        max_backpressure: 256 * 1024,
        ..Options::default()
    });
    let stuck = server.connect("/");
    server.wait_until("one is open", |hub| hub.len() == 1);
    let mut quick = server.connect("/");
    server.wait_until("both are open", |hub| hub.len() == 2);
    let mut rounds = 0;
    while journal.lines().is_empty() && rounds < 2_000 {
        let reached = server.ask(|hub| hub.ws_broadcast(&vec![1; 20_000], None));
        assert_eq!(quick.binary().len(), 20_000);
        rounds += 1;
        if reached == 1 {
            break;
        }
    }
    assert!(rounds < 2_000, "nothing was ever too much");
    let mut stuck = stuck;
    let last = std::iter::from_fn(|| stuck.next())
        .last()
        .expect("a close frame");
    assert_eq!(
        last.payload.get(..2),
        Some(1013_u16.to_be_bytes().as_slice())
    );
    drop(stuck);
    assert!(
        journal.wait_for(1)[0].starts_with("1013 \"slow consumer\" Us SlowConsumer"),
        "{:?}",
        journal.lines()
    );
    quick.send("still here");
    assert_eq!(quick.text(), "still here");
}
