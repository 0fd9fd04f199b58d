//! Faults that were found in review, each under the promise that it broke.

mod common;

use std::io::Write;
use std::time::Duration;

use common::client::{PING, TEXT, frame, upgrade_request};
use common::{Client, http, serve, serve_with};
use rushwire::{Options, Overflow, SendStatus, event};

/// Every pong that waited was walked for every new one.
#[test]
fn a_peer_that_pings_and_never_reads_keeps_nobody_waiting() {
    let server = serve(|app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| {
                socket.send(message);
            });
        });
    });
    let flood = frame(true, 0, PING, b"").repeat(10_000);
    let mut rude = server.connect("/");
    rude.stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .expect("set a timeout");
    // Until the server does not read it any more.
    for _ in 0..2_000 {
        if rude.stream.write_all(&flood).is_err() {
            break;
        }
    }
    let mut good = server.connect("/");
    good.send("still served");
    assert_eq!(good.text(), "still served");
}

/// What was dropped was counted when it was dropped, and again when it was told.
#[test]
fn the_statistics_count_each_message_that_is_not_delivered_once() {
    let options = || Options {
        max_backpressure: 200_000,
        overflow: Overflow::DropNewest,
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.ws("/", |socket, _| {
            let mut dropped = 0;
            while dropped < 10 {
                dropped += usize::from(socket.send(&vec![0; 20_000]) == SendStatus::Dropped);
            }
            socket.set(dropped);
        });
    });
    let mut client = server.connect("/");
    client.recv();
    let gone = server.ask(|hub| {
        hub.sockets().iter().for_each(rushwire::Socket::terminate);
        hub.stats().dropped
    });
    drop(client);
    server.wait_until("it is gone", |hub| hub.is_empty());
    let stats = server.ask(|hub| hub.stats());
    let (sent, lost) = (stats.messages_out, stats.dropped);
    assert!(gone == 0 || gone == 10, "{gone} were told before the end");
    assert!((10..=sent + 10).contains(&lost), "{lost} of {sent} and 10");
}

/// The input that was held was dropped behind the request that became a socket.
#[test]
fn frames_behind_an_upgrade_that_waited_for_a_large_answer_are_heard() {
    let server = serve(|app| {
        app.get("/large", |ctx| ctx.text("x".repeat(100_000)));
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| {
                socket.send(message);
            });
        });
    });
    let mut stream = http::connect(server.addr);
    let requests = format!(
        "GET /large HTTP/1.1\r\nHost: x\r\n\r\n{}",
        upgrade_request("/", "")
    );
    let frames = [
        frame(true, 0, TEXT, b"first"),
        frame(true, 0, TEXT, b"second"),
    ]
    .concat();
    let (now, later) = frames.split_at(8);
    stream
        .write_all(&[requests.as_bytes(), now].concat())
        .expect("send");
    let (large, rest) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(large.body.len(), 100_000);
    let (answer, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!(answer.status, 101);
    stream.write_all(later).expect("send");
    let mut client = Client {
        stream,
        rest,
        answer,
    };
    assert_eq!(
        (client.text(), client.text()),
        ("first".to_owned(), "second".to_owned())
    );
}

/// 1xx is no answer, so the client would wait for one.
#[test]
fn a_handler_that_answers_with_1xx_answers_500() {
    let server = serve(|app| {
        app.get("/", |ctx| ctx.status(100).text("wait"));
    });
    assert_eq!(http::get(server.addr, "/").status, 500);
}

/// The progress of a large answer was measured by what it pins, which never shrinks.
#[test]
fn a_large_answer_to_a_slow_but_steady_reader_is_not_cut() {
    const SIZE: usize = 24 << 20;
    let options = || Options {
        close_timeout: Duration::from_millis(150),
        keep_alive_timeout: Duration::from_millis(150),
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.get("/", |ctx| ctx.bytes("text/plain", vec![b'x'; SIZE]));
    });
    for connection in ["close", "keep-alive"] {
        let mut stream = http::connect(server.addr);
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("send");
        let mut read = 0;
        while read < SIZE {
            // Slower than the time-outs in all, faster in each step.
            std::thread::sleep(Duration::from_millis(20));
            let mut chunk = vec![0; 1 << 20];
            let n = std::io::Read::read(&mut stream, &mut chunk).expect("read");
            assert!(n > 0, "{connection}: cut after {read} bytes");
            read += n;
        }
    }
}

/// A `Drop` of the application that panics ended the server.
#[test]
fn a_request_whose_data_panics_when_dropped_ends_nothing_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in a drop");
            }
        }
    }
    let server = serve(|app| {
        app.verify_client(|request| {
            request.set(Bomb);
            request.path() != "/no"
        });
        app.ws("/:name", |socket, _| {
            socket.send("hello");
        });
        app.get("/page", |ctx| {
            ctx.request().set(Bomb);
            ctx.text("a page");
        });
    });
    assert_eq!(
        Client::try_connect(server.addr, "/no", "")
            .map_err(|answer| answer.status)
            .err(),
        Some(401)
    );
    assert_eq!(server.connect("/yes").text(), "hello");
    http::get(server.addr, "/page");
    assert_eq!(server.connect("/yes").text(), "hello");
}
