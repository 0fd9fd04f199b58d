//! Messages of very many fragments, and control frames without end: what costs the sender little must not
//! cost the receiver more.

use std::io::Write;

use rushwire::{Hub, Options, event};

use crate::common::client::{BINARY, CONTINUATION, PONG, TEXT, frame};
use crate::common::serve_with;
use crate::{echo, expect_served};

/// CVE-2014-0193 (Netty): continuations without end were kept for ever.
#[test]
fn continuations_without_end_end_at_the_limit() {
    const FRAGMENT: usize = 1000;
    const MAX: usize = 1 << 20;
    let server = echo(Options::default);
    let mut bystander = server.connect("/");
    let mut client = server.connect("/");
    client.send_frame(false, 0, TEXT, b"begun");
    let fragment = frame(false, 0, CONTINUATION, &[b'x'; FRAGMENT]);
    let mut sent = 0;
    // It is told while it is still sending; far more than the limit it cannot get rid of.
    while sent < 64 * MAX && client.stream.write_all(&fragment).is_ok() {
        sent += FRAGMENT;
    }
    assert_eq!(client.closed().0, 1009);
    client.expect_end();
    expect_served(&mut bystander, "afterwards");
}

/// CVE-2026-12151 (undici): continuations without payload pass a limit on frames and a limit on their sum.
/// RUSTSEC-2026-0258 (h2) is the same of another protocol.
#[test]
fn continuations_without_payload_are_counted() {
    let server = echo(Options::default);
    let (empty, full) = (
        frame(false, 0, CONTINUATION, b""),
        frame(false, 0, CONTINUATION, b"x"),
    );
    let begun = frame(false, 0, BINARY, b"x");
    let last = frame(true, 0, CONTINUATION, b"");
    let shapes = [
        ("one behind the other", empty.repeat(1024), empty.clone()),
        (
            "between others",
            [&empty[..], &full].concat().repeat(1024),
            empty.clone(),
        ),
    ];
    for (name, allowed, more) in shapes {
        let mut passes = server.connect("/");
        passes.send_raw(&[&begun[..], &allowed, &frame(true, 0, CONTINUATION, b"y")].concat());
        assert!(passes.binary().starts_with(b"x"), "{name}");
        let mut client = server.connect("/");
        client.send_raw(&[&begun[..], &allowed, &more.repeat(1000), &last].concat());
        assert_eq!(client.closed().0, 1008, "{name}");
        client.expect_end();
    }
}

/// CVE-2026-48779 and CVE-2026-62389 (ws): each tiny fragment was an object of its own, so that a message
/// within the limit took many times its length. Refusing many fragments is no answer: they are allowed.
#[cfg(target_os = "linux")]
#[test]
fn a_message_of_65_536_fragments_costs_its_length_and_is_delivered() {
    use crate::alone::{alone, growth};
    const COUNT: usize = 65_536;
    alone(
        "fragments::a_message_of_65_536_fragments_costs_its_length_and_is_delivered",
        || {
            let server = echo(Options::default);
            let mut client = server.connect("/");
            let some = frame(false, 0, CONTINUATION, b"x").repeat(64);
            let grown = growth(|| {
                client.send_frame(false, 0, BINARY, b"");
                for _ in 0..COUNT / 64 {
                    client.send_raw(&some);
                }
                client.send_frame(true, 0, CONTINUATION, b"");
                server.ask(|_| ());
            });
            assert!(client.binary() == vec![b'x'; COUNT]);
            assert!(grown.resident < 1 << 20, "{grown:?}");
        },
    );
}

/// CVE-2021-3690 (Undertow): every pong that came leaked a buffer.
#[cfg(target_os = "linux")]
#[test]
fn pongs_that_nobody_asked_for_cost_nothing() {
    use crate::alone::{alone, growth};
    const COUNT: usize = 200_000;
    alone(
        "fragments::pongs_that_nobody_asked_for_cost_nothing",
        || {
            let server = serve_with(Options::default, |app| {
                app.ws("/", |socket, _| {
                    let heard = std::cell::Cell::new(0);
                    socket.on(event::Pong, move |socket, payload| {
                        assert_eq!(payload.len(), 125);
                        heard.set(heard.get() + 1);
                        if heard.get() == COUNT {
                            socket.send("all heard");
                        }
                    });
                });
            });
            let mut client = server.connect("/");
            let some = frame(true, 0, PONG, &[b'p'; 125]).repeat(500);
            client.send_raw(&some);
            server.ask(|_| ());
            let grown = growth(|| {
                for _ in 1..COUNT / 500 {
                    client.send_raw(&some);
                }
                assert_eq!(client.text(), "all heard");
            });
            assert!(grown.resident < 1 << 20, "{grown:?}");
            drop(client);
            server.wait_until("it is gone", Hub::is_empty);
        },
    );
}
