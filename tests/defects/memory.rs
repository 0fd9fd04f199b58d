//! D4, D18, D19 and D22 by what they cost: memory, as the kernel counts it.

use std::io::Write;
use std::time::Duration;

use rushwire::{Hub, Message, Options, Overflow, Prepared, SendStatus, Socket};

use crate::alone::{alone, growth};
use crate::common::client::{BINARY, TEXT, announcement};
use crate::common::log::log;
use crate::common::{Client, Server, serve_with};
use crate::{echo, small};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A server whose sockets are all in `"room"` and say nothing by themselves.
fn quiet(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.ws("/", |socket, _| _ = socket.join("room"));
    })
}

fn connect(server: &Server, count: usize) -> Vec<Client> {
    let clients = (0..count).map(|_| server.connect("/")).collect();
    server.wait_until("all are in", move |hub| hub.len() == count);
    clients
}

/// The 14 bytes that announce 2^63 more filled the heap until the process died; here they cost nothing.
#[test]
fn d04_an_announcement_of_2_to_the_63_bytes_costs_no_memory() {
    alone(
        "memory::d04_an_announcement_of_2_to_the_63_bytes_costs_no_memory",
        || {
            let server = quiet(|| Options {
                max_message_size: usize::MAX,
                ..small()
            });
            let mut clients = connect(&server, 16);
            let grown = growth(|| {
                for (shift, client) in (48..64).rev().zip(&mut clients) {
                    client.send_raw(&announcement(true, BINARY, 1 << shift));
                    client.send_raw(&[0; 1000]);
                }
                clients[0].expect_close(1002);
                server.ask(|_| ());
            });
            assert!(
                grown.resident < 4 * MIB && grown.reserved < 64 * MIB,
                "{grown:?}"
            );
            server.wait_until("the others wait for the rest", |hub| hub.len() == 15);
        },
    );
}

/// With a limit of 1024 a frame that announced 2 GiB was kept as it came, 50 MB of it; here it is
/// answered 1009 before its payload is read, and what follows is not kept.
#[test]
fn d18_a_frame_over_the_limit_is_refused_at_its_header_and_never_kept() {
    alone(
        "memory::d18_a_frame_over_the_limit_is_refused_at_its_header_and_never_kept",
        || {
            for opcode in [BINARY, TEXT] {
                let (pen, log) = log();
                let server = echo(small, pen);
                let mut client = server.connect("/");
                client.send_frame(true, 0, opcode, &[b'x'; 1024]);
                assert_eq!(
                    client.recv().payload.len(),
                    1024,
                    "the limit itself is allowed"
                );
                let chunk = vec![b'x'; MIB];
                let grown = growth(|| {
                    client.send_raw(&announcement(true, opcode, 2 << 30));
                    assert_eq!(client.closed().0, 1009);
                    for _ in 0..50 {
                        if client.stream.write_all(&chunk).is_err() {
                            break;
                        }
                    }
                });
                assert!(
                    grown.resident < 4 * MIB && grown.reserved < 64 * MIB,
                    "{grown:?}"
                );
                drop(client);
                let end = log.find("a close");
                assert!(end.starts_with("a close 1009 "), "{end}");
            }
        },
    );
}

/// A frame within the limit was kept as it came; so it is here, but its announcement alone costs
/// nothing: memory is taken for what has come.
#[test]
fn d18_an_announced_length_alone_costs_no_memory() {
    alone(
        "memory::d18_an_announced_length_alone_costs_no_memory",
        || {
            let server = quiet(|| Options {
                max_message_size: 1 << 30,
                ..small()
            });
            let mut clients = connect(&server, 100);
            let grown = growth(|| {
                for (i, client) in clients.iter_mut().enumerate() {
                    let opcode = if i % 2 == 0 { BINARY } else { TEXT };
                    client.send_raw(&announcement(i % 3 > 0, opcode, 1 << 30));
                    client.send_raw(&[1, 2, 3, 4].repeat(250));
                }
                // Whatever came before is read by the time that a later comer is answered.
                server.ask(|_| ());
                server.connect("/");
            });
            assert!(
                grown.resident < 4 * MIB && grown.reserved < 64 * MIB,
                "{grown:?}"
            );
        },
    );
}

/// For one peer that did not read 207 MB were queued, and never dropped; here it costs at most
/// `max_backpressure`, whatever the policy.
#[test]
fn d19_a_peer_that_does_not_read_costs_no_more_than_max_backpressure() {
    const MESSAGE: usize = 100 * KIB;
    const MESSAGES: usize = 207 * MIB / MESSAGE;
    alone(
        "memory::d19_a_peer_that_does_not_read_costs_no_more_than_max_backpressure",
        || {
            for overflow in [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest] {
                let server = quiet(move || Options {
                    max_backpressure: MIB,
                    overflow,
                    close_timeout: Duration::from_secs(3600),
                    ..small()
                });
                let mut client = connect(&server, 1).remove(0);
                let grown = growth(|| {
                    let mut last = SendStatus::Queued;
                    for _ in 0..MESSAGES {
                        last = server.ask(|hub| {
                            let sockets = hub.sockets();
                            let socket = sockets.first().expect("it is not forgotten");
                            let status = socket.send(&vec![7; MESSAGE]);
                            assert!(
                                socket.buffered_amount() <= MIB,
                                "{}",
                                socket.buffered_amount()
                            );
                            status
                        });
                    }
                    match overflow {
                        Overflow::Close => assert_eq!(last, SendStatus::Closed),
                        Overflow::DropNewest => assert_eq!(last, SendStatus::Dropped),
                        Overflow::DropOldest => assert_eq!(last, SendStatus::Backpressure),
                    }
                });
                assert!(grown.resident < 6 * MIB, "{overflow:?}: {grown:?}");
                if overflow != Overflow::Close {
                    server.ask(|hub| hub.sockets().iter().for_each(Socket::close));
                }
                let mut whole = 0;
                let end = loop {
                    let frame = client.next().expect("a close frame before the end");
                    if frame.opcode != BINARY {
                        break u16::from_be_bytes([frame.payload[0], frame.payload[1]]);
                    }
                    assert_eq!(frame.payload.len(), MESSAGE);
                    whole += 1;
                };
                assert!((1..MESSAGES / 2).contains(&whole), "{whole} were delivered");
                assert_eq!(
                    end,
                    if overflow == Overflow::Close {
                        1013
                    } else {
                        1000
                    }
                );
                client.try_send_close(end);
                client.expect_end();
                drop(client);
                server.wait_until("it is gone", Hub::is_empty);
                let stats = server.ask(|hub| hub.stats());
                if overflow != Overflow::Close {
                    assert_eq!(
                        whole as u64 + stats.dropped,
                        MESSAGES as u64,
                        "each is accounted for"
                    );
                }
            }
        },
    );
}

/// A value that says how often it was made a message.
struct Counted<'a>(&'a [u8], std::cell::Cell<usize>);

impl<'a> From<&'a Counted<'a>> for Message<'a> {
    fn from(counted: &'a Counted<'a>) -> Self {
        counted.1.set(counted.1.get() + 1);
        Message::from(counted.0)
    }
}

/// A broadcast was encoded anew for every receiver, and each had a copy of its own; here it is encoded
/// once, and they share it.
#[test]
fn d22_a_broadcast_is_encoded_once_and_shared() {
    const MEMBERS: usize = 40;
    const MESSAGE: usize = 8 * MIB;
    alone("memory::d22_a_broadcast_is_encoded_once_and_shared", || {
        let server = quiet(|| Options {
            max_message_size: MESSAGE,
            max_backpressure: 2 * MESSAGE,
            ..small()
        });
        let mut clients = connect(&server, MEMBERS);
        type Broadcast = fn(&Hub, &Counted<'_>) -> usize;
        let ways: [(&str, Broadcast); 5] = [
            ("to everybody", |hub, message| {
                hub.ws_broadcast(message, None)
            }),
            ("to a room", |hub, message| {
                hub.ws_broadcast(message, Some("room"))
            }),
            ("to rooms", |hub, message| {
                hub.to("room").to("none").send(message)
            }),
            ("from a member", |hub, message| {
                let sockets = hub.sockets();
                sockets[0].broadcast_all("room", message)
            }),
            ("prepared", |hub, message| {
                let prepared = Prepared::new(message);
                let statuses = hub
                    .sockets()
                    .into_iter()
                    .map(|socket| socket.send_prepared(&prepared));
                statuses
                    .filter(|status| *status != SendStatus::Closed)
                    .count()
            }),
        ];
        for (name, broadcast) in ways {
            let grown = growth(|| {
                let reached = server.ask(move |hub| {
                    let bytes = vec![7; MESSAGE];
                    let message = Counted(&bytes, Default::default());
                    let reached = broadcast(hub, &message);
                    assert_eq!(message.1.get(), 1, "{name}");
                    reached
                });
                assert_eq!(reached, MEMBERS, "{name}");
                // By then all has been written that the kernel takes.
                server.ask(|_| ());
            });
            assert!(
                grown.resident < 3 * MESSAGE,
                "{name}: {grown:?} for {MEMBERS} members"
            );
            for client in &mut clients {
                assert_eq!(client.binary().len(), MESSAGE, "{name}");
            }
        }
    });
}
