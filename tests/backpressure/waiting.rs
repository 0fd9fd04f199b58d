//! What waits for a peer, and what that changes: for it, and for what is sent and read.

use std::io::{Read, Write};
use std::time::Duration;

use rushwire::{Hub, Options, Overflow, SendStatus, event};

use super::common::client::{BINARY, PING, frame};
use super::common::log::log;
use super::common::serve_with;
use super::{
    KIB, MAX, MORE_THAN_THE_KERNEL_TAKES, POLICIES, accepted, member, number_of, numbered,
    read_up_to, send_until, serve_limited,
};

#[test]
fn a_message_onto_an_empty_outbox_is_accepted_however_large_it_is() {
    for policy in POLICIES {
        let (pen, log) = log();
        let server = serve_limited(KIB, policy, pen);
        let mut client = server.connect("/a");
        let first = server.ask(|hub| {
            member(hub, "a")
                .expect("a")
                .send(&numbered(0, MORE_THAN_THE_KERNEL_TAKES))
        });
        assert_eq!(first, SendStatus::Queued, "{policy:?}");
        let (second, waiting) = server.ask(|hub| {
            let socket = member(hub, "a").expect("a");
            let waiting = socket.buffered_amount();
            (socket.send(&numbered(1, 2 * KIB)), waiting)
        });
        assert!(
            waiting > KIB,
            "{policy:?}: the kernel took all of it: this test shows nothing"
        );
        let expected = if policy == Overflow::Close {
            SendStatus::Closed
        } else {
            SendStatus::Dropped
        };
        assert_eq!(second, expected, "{policy:?}");
        // It is partly written: so it is finished, whatever the policy.
        assert_eq!(number_of(&client.binary()), 0);
        if policy == Overflow::Close {
            client.expect_close(1013);
            drop(client);
            assert_eq!(
                log.find("a close"),
                r#"a close 1013 "slow consumer" Us SlowConsumer 0"#
            );
            continue;
        }
        assert_eq!(log.find("a drain"), "a drain 1");
        let third = server.ask(|hub| member(hub, "a").expect("a").send(&numbered(2, 2 * KIB)));
        assert_eq!(
            (third, number_of(&client.binary())),
            (SendStatus::Queued, 2),
            "{policy:?}"
        );
    }
}

#[test]
fn what_a_turn_has_merely_queued_does_not_count() {
    let (pen, log) = log();
    let server = serve_limited(KIB, Overflow::Close, pen);
    let mut client = server.connect("/a");
    let statuses = server.ask(|hub| {
        let socket = member(hub, "a").expect("a");
        (0..500)
            .map(|number| socket.send(&numbered(number, KIB)))
            .collect::<Vec<_>>()
    });
    assert_eq!(accepted(&statuses).len(), 500);
    assert_eq!(read_up_to(&mut client, 499).len(), 500);
    server.stop(Duration::ZERO);
    assert_eq!(log.rest().len(), 2, "open and close");
}

#[test]
fn drain_follows_backpressure_when_the_peer_has_read() {
    let (pen, log) = log();
    let server = serve_limited(MAX, Overflow::Close, pen);
    let mut client = server.connect("/a");
    let statuses = send_until(&server, "a", 4 * KIB, MAX, |all| {
        all.contains(&SendStatus::Backpressure)
    });
    assert!(server.ask(|hub| member(hub, "a").expect("a").buffered_amount()) > MAX / 2);
    read_up_to(&mut client, statuses.len() as u32 - 1);
    assert_eq!(log.find("a drain"), "a drain 0");
    assert_eq!(
        server.ask(|hub| member(hub, "a").expect("a").buffered_amount()),
        0
    );
    let again = server.ask(|hub| member(hub, "a").expect("a").send("again"));
    assert_eq!(
        (again, client.text()),
        (SendStatus::Queued, "again".to_owned())
    );
}

#[test]
fn a_ping_overtakes_the_messages_that_wait() {
    let (pen, _log) = log();
    let server = serve_limited(MAX, Overflow::Close, pen);
    let mut client = server.connect("/a");
    let statuses = send_until(&server, "a", 4 * KIB, MAX, |all| {
        all.contains(&SendStatus::Backpressure)
    });
    let waiting = server.ask(|hub| {
        let socket = member(hub, "a").expect("a");
        assert!(socket.ping(b"first") && socket.ping(b"second"));
        socket.buffered_amount()
    });
    let mut before = 0;
    let pings: Vec<Vec<u8>> = std::iter::from_fn(|| {
        let frame = client.next().expect("a frame");
        before += usize::from(frame.opcode == BINARY);
        Some(frame).filter(|frame| frame.opcode != PING || frame.payload != b"second")
    })
    .filter(|frame| frame.opcode == PING)
    .map(|frame| frame.payload)
    .collect();
    assert_eq!(pings, [b"first"], "in order");
    let behind = (statuses.len() - before) * 4 * KIB;
    assert!(
        behind + 5 * KIB > waiting,
        "{behind} bytes came behind the ping, {waiting} had waited"
    );
    let rest: Vec<u32> = (before..statuses.len())
        .map(|_| number_of(&client.binary()))
        .collect();
    assert_eq!(
        rest,
        (before as u32..statuses.len() as u32).collect::<Vec<_>>()
    );
}

#[test]
fn a_peer_that_does_not_read_is_not_read_until_it_does_and_loses_nothing() {
    let (count, size) = (2_500, 8 * KIB);
    let (pen, log) = log();
    let options = || Options {
        heartbeat: Duration::ZERO,
        max_backpressure: 1 << 20,
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join(request.param("name"));
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    });
    let mut client = server.connect("/a");
    let mut stream = client.stream.try_clone().expect("clone");
    let writer = std::thread::spawn(move || {
        (0..count).for_each(|number| {
            stream
                .write_all(&frame(true, 0, BINARY, &numbered(number, size)))
                .expect("send")
        });
    });
    let waits =
        |hub: &Hub| member(hub, "a").is_some_and(|socket| socket.buffered_amount() > 512 * KIB);
    server.wait_until("more than half of the limit waits", waits);
    let heard = |hub: &Hub| hub.stats().messages_in;
    let (before, after) = (server.ask(heard), (0..50).map(|_| server.ask(heard)).max());
    assert_eq!(Some(before), after, "nothing more is read");
    assert!(
        before < u64::from(count) && !writer.is_finished(),
        "the kernel took all of it: this test shows nothing"
    );
    assert!(server.ask(|hub| {
        member(hub, "a")
            .is_some_and(|socket| socket.is_open() && socket.buffered_amount() <= 1 << 20)
    }));
    // It serves others meanwhile.
    let mut other = server.connect("/b");
    other.send("hello");
    assert_eq!(other.text(), "hello");
    assert_eq!(read_up_to(&mut client, count - 1).len(), count as usize);
    writer.join().expect("the writer");
    server.stop(Duration::ZERO);
    assert!(
        log.rest()
            .iter()
            .all(|line| !line.starts_with("a close 1013"))
    );
}

#[test]
fn a_slow_reader_gets_every_byte() {
    let sizes = || (0..220_u32).map(|i| (i * i * 7 % 120_000 + i) as usize + 4);
    let (pen, _log) = log();
    let server = serve_limited(64 << 20, Overflow::Close, pen);
    let mut client = server.connect("/a");
    server.ask(move |hub| {
        let socket = member(hub, "a").expect("a");
        sizes()
            .zip(0..)
            .for_each(|(size, number)| _ = socket.send(&numbered(number, size)));
    });
    let mut expected = Vec::new();
    for (size, number) in sizes().zip(0..) {
        expected.push(0x82);
        match size {
            0..126 => expected.push(size as u8),
            126..65_536 => {
                expected.push(126);
                expected.extend((size as u16).to_be_bytes());
            }
            _ => {
                expected.push(127);
                expected.extend((size as u64).to_be_bytes());
            }
        }
        expected.extend(numbered(number, size));
    }
    let mut got = std::mem::take(&mut client.rest);
    while got.len() < expected.len() {
        let (mut chunk, want) = ([0; 997], (expected.len() - got.len()).min(997));
        let n = client.stream.read(&mut chunk[..want]).expect("more comes");
        assert!(n > 0, "closed after {} bytes", got.len());
        got.extend(&chunk[..n]);
    }
    assert!(got == expected);
}
