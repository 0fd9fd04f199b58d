//! How long a client may take: `handshake_timeout` for a request, absolute, and `keep_alive_timeout`
//! between two.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rushwire::{App, Options};

use crate::common::{Client, PATIENCE, Server, serve_with};
use crate::{Asker, request};

const SHORT: Duration = Duration::from_millis(150);

fn page(app: &mut App) {
    app.any("/page", |ctx| ctx.text("a page"));
    app.ws("/socket", |socket, _| {
        socket.on(rushwire::event::Message, |socket, message| {
            socket.send(message);
        });
    });
}

/// Little time for a request, and much between two.
fn hasty() -> Server {
    serve_with(
        || Options {
            handshake_timeout: SHORT,
            ..Options::default()
        },
        page,
    )
}

#[test]
fn a_client_that_sends_nothing_is_disconnected_without_a_word() {
    let server = hasty();
    let began = Instant::now();
    Asker::new(&server).expect_end();
    assert!(began.elapsed() >= SHORT / 2, "it had its time");
}

#[test]
fn a_client_that_does_not_finish_its_request_is_told_408() {
    let server = hasty();
    let parts = [
        "G",
        "GET /page HTTP/1.1\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\n",
        "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell",
        "POST /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
    ];
    for part in parts {
        let mut asker = Asker::new(&server);
        let answer = asker.ask(part);
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (408, Some("close")),
            "{part:?}"
        );
        asker.expect_end();
    }
}

/// Sends a byte again and again until there is an answer, or the end.
fn trickle(asker: &mut Asker, byte: u8) {
    let pace = Some(Duration::from_millis(10));
    asker.stream.set_read_timeout(pace).expect("set a timeout");
    let deadline = Instant::now() + PATIENCE;
    let mut byte_read = [0];
    loop {
        match asker.stream.read(&mut byte_read) {
            Ok(n) => {
                asker.rest.extend(&byte_read[..n]);
                break;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(e) => panic!("{e}"),
        }
        assert!(Instant::now() < deadline, "it goes on for ever");
        let _ = asker.stream.write_all(&[byte]);
    }
    asker
        .stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
}

#[test]
fn a_client_that_sends_a_byte_now_and_then_gets_no_more_time() {
    let server = hasty();
    let starts = [
        "GET /page HTTP/1.1\r\nHost: x\r\nX: ",
        "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n",
    ];
    for start in starts {
        let mut asker = Asker::new(&server);
        asker.send(start);
        trickle(&mut asker, b'x');
        assert_eq!(asker.answer().status, 408, "{start:?}");
    }
}

#[test]
fn the_time_for_a_later_request_begins_with_its_first_byte() {
    let options = || Options {
        handshake_timeout: SHORT,
        keep_alive_timeout: Duration::from_secs(60),
        ..Options::default()
    };
    let server = serve_with(options, page);
    let mut asker = Asker::new(&server);
    assert_eq!(asker.ask(request("GET", "/page")).status, 200);
    // Longer idle than a request may take.
    let mut byte = [0];
    asker
        .stream
        .set_read_timeout(Some(2 * SHORT))
        .expect("set a timeout");
    let idle = asker.stream.read(&mut byte).expect_err("nothing comes");
    assert!(
        matches!(idle.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{idle}"
    );
    asker
        .stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    assert_eq!(asker.ask(request("GET", "/page")).status, 200);
    assert_eq!(asker.ask("GET /page HT").status, 408);
    asker.expect_end();
}

#[test]
fn a_connection_that_is_idle_between_two_requests_is_closed_without_a_word() {
    let options = || Options {
        keep_alive_timeout: SHORT,
        ..Options::default()
    };
    let server = serve_with(options, page);
    let mut asker = Asker::new(&server);
    for _ in 0..3 {
        assert_eq!(asker.ask(request("GET", "/page")).status, 200);
    }
    let began = Instant::now();
    asker.expect_end();
    assert!(began.elapsed() >= SHORT / 2, "it had its time");
}

#[test]
fn a_connection_that_is_used_is_not_idle() {
    let options = || Options {
        keep_alive_timeout: SHORT,
        ..Options::default()
    };
    let server = serve_with(options, page);
    let mut asker = Asker::new(&server);
    let end = Instant::now() + 3 * SHORT;
    while Instant::now() < end {
        assert_eq!(asker.ask(request("GET", "/page")).text(), "a page");
    }
}

#[test]
fn a_socket_has_all_the_time_that_it_wants() {
    let options = || Options {
        handshake_timeout: SHORT,
        keep_alive_timeout: SHORT,
        ..Options::default()
    };
    let server = serve_with(options, page);
    let mut client: Client = server.connect("/socket");
    client
        .stream
        .set_read_timeout(Some(3 * SHORT))
        .expect("set a timeout");
    let idle = client.stream.read(&mut [0]).expect_err("nothing comes");
    assert!(
        matches!(idle.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{idle}"
    );
    client
        .stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    client.send("still here");
    assert_eq!(client.text(), "still here");
}
