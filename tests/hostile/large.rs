//! Much is announced or sent, and little of it is worth keeping. More of that is in
//! `tests/defects/memory.rs`.

use std::io::{Read, Write};
use std::time::Duration;

use rushwire::{Hub, Options, event};

use super::alone::{alone, growth};
use super::common::client::{BINARY, CONTINUATION, TEXT, announcement, frame};
use super::common::log::log;
use super::common::{Client, Server, http, serve_with};
use super::still;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn serve(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.post("/body", |ctx| ctx.text(ctx.body().len().to_string()));
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    })
}

fn connect(server: &Server, count: usize) -> Vec<Client> {
    let clients = (0..count).map(|_| server.connect("/")).collect();
    server.wait_until("all are in", move |hub| hub.len() == count);
    clients
}

/// What was sent before is read by the time that a later comer is answered.
fn all_is_read(server: &Server) {
    let mut late = server.connect("/");
    late.send("read");
    assert_eq!(late.text(), "read");
}

/// Each of 500 messages of a mebibyte has come to its 5,000th byte.
#[test]
fn messages_that_trickle_in_cost_what_has_come_of_them() {
    alone(
        "large::messages_that_trickle_in_cost_what_has_come_of_them",
        || {
            const PEERS: usize = 500;
            const CAME: usize = 5_000;
            let server = serve(still);
            let mut clients = connect(&server, PEERS);
            let starts = [
                announcement(true, BINARY, MIB as u64),
                // Text is ASCII with this key of zeros.
                [&[0x81, 0xFF][..], &(MIB as u64).to_be_bytes(), &[0; 4]].concat(),
                [
                    frame(false, 0, BINARY, b""),
                    announcement(false, CONTINUATION, MIB as u64),
                ]
                .concat(),
            ];
            let grown = growth(|| {
                for (client, start) in clients.iter_mut().zip(starts.iter().cycle()) {
                    client.send_raw(start);
                }
                for _ in 0..10 {
                    clients
                        .iter_mut()
                        .for_each(|client| client.send_raw(&[b'x'; CAME / 10]));
                    all_is_read(&server);
                }
            });
            // A buffer is at most twice what is in it.
            assert!(
                grown.resident < PEERS * (2 * CAME + 2 * KIB) + 4 * MIB,
                "{grown:?}"
            );
            server.wait_until("they are still there", |hub| hub.len() == PEERS);
        },
    );
}

#[test]
fn a_message_that_comes_a_byte_at_a_time_is_heard_whole_and_costs_its_length() {
    alone(
        "large::a_message_that_comes_a_byte_at_a_time_is_heard_whole_and_costs_its_length",
        || {
            let server = serve(still);
            let mut client = connect(&server, 1).remove(0);
            for opcode in [TEXT, BINARY] {
                let payload = vec![b'x'; 256 * KIB];
                let bytes = frame(true, 0, opcode, &payload);
                let grown = growth(|| {
                    for byte in &bytes {
                        client.send_raw(&[*byte]);
                    }
                    assert!(client.recv().payload == payload);
                });
                assert!(grown.resident < 2 * MIB, "{grown:?}");
            }
        },
    );
}

#[test]
fn a_body_that_is_only_announced_costs_no_memory() {
    alone(
        "large::a_body_that_is_only_announced_costs_no_memory",
        || {
            let server = serve(|| Options {
                max_body_size: 1 << 40,
                max_head_size: 1 << 30,
                ..still()
            });
            let requests = [
                "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n",
                "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
                "POST /body HTTP/1.1\r\nHost: x\r\nX: ",
            ];
            let mut streams = Vec::new();
            let grown = growth(|| {
                for request in requests.iter().cycle().take(200) {
                    let mut stream = http::connect(server.addr);
                    stream.write_all(request.as_bytes()).expect("send");
                    stream.write_all(&[b'x'; 1000]).expect("send");
                    streams.push(stream);
                }
                all_is_read(&server);
            });
            assert!(
                grown.resident < 4 * MIB && grown.reserved < 64 * MIB,
                "{grown:?}"
            );
        },
    );
}

/// It may send 16 MiB more than it should before its connection is cut, and the reason has come by then.
#[test]
fn who_goes_on_sending_what_is_too_big_is_told_1009_and_cut_after_16_mib() {
    let (pen, log) = log();
    let patient = || Options {
        close_timeout: Duration::from_secs(3600),
        ..still()
    };
    let server = serve_with(patient, move |app| {
        app.ws("/", move |socket, _| pen.watch("a", socket));
    });
    let mut client = server.connect("/");
    client.send_raw(&announcement(true, BINARY, 1 << 40));
    let (mut stream, chunk) = (client.stream.try_clone().expect("clone"), vec![0; 64 * KIB]);
    let mut sent = 0;
    while sent < 100 * MIB && stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
    }
    // Besides, the kernel on both sides keeps some.
    assert!(
        (16 * MIB..32 * MIB).contains(&sent),
        "{} MiB were taken",
        sent / MIB
    );
    let end = log.find("a close");
    assert!(end.starts_with("a close 1009 "), "{end}");
    server.wait_until("it is gone", Hub::is_empty);
    let mut told = Vec::new();
    let _ = client.stream.read_to_end(&mut told);
    let told = [client.rest, told].concat();
    assert_eq!(told[..1], [0x88]);
    assert_eq!(told[2..4], 1009_u16.to_be_bytes());
}
