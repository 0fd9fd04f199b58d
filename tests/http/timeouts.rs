//! How long a client may take: `handshake_timeout` for a request, absolute, and `keep_alive_timeout`
//! between two. In a time that stands still, to the tick, and at the foot over real sockets.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rushwire::testing::TestServer;
use rushwire::{App, Options};

use crate::common::{PATIENCE, Server, serve_with};
use crate::{Asker, request};

const SHORT: Duration = Duration::from_millis(150);
const SECOND: Duration = Duration::from_secs(1);
/// Of the clock that a server counts deadlines with.
const TICK: Duration = Duration::from_millis(10);

fn page(app: &mut App) {
    app.any("/page", |ctx| ctx.text("a page"));
    app.ws("/socket", |socket, _| {
        socket.on(rushwire::event::Message, |socket, message| {
            socket.send(message);
        });
    });
}

/// Ten seconds for a request, five between two.
fn in_memory() -> TestServer {
    let mut app = App::new();
    page(&mut app);
    TestServer::new(app).expect("nothing is wrong")
}

const PARTS: [&str; 6] = [
    "G",
    "GET /page HTTP/1.1\r\n",
    "GET /page HTTP/1.1\r\nHost: x\r\n",
    "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell",
    "POST /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
];

#[test]
fn a_client_that_does_not_finish_its_request_is_told_408_and_one_that_says_nothing_is_told_nothing()
{
    for part in PARTS.into_iter().chain([""]) {
        let test = in_memory();
        let mut asker = test.open();
        test.clock().advance(3 * SECOND);
        asker.send(part);
        test.clock().advance(7 * SECOND - TICK);
        assert!(asker.answer().is_none() && !asker.is_ended(), "{part:?}");
        test.clock().advance(TICK);
        let answer = asker.answer();
        let told = answer
            .as_ref()
            .map(|it| (it.status, it.header("Connection")));
        let expected = (!part.is_empty()).then_some((408, Some("close")));
        assert_eq!(told, expected, "{part:?}");
        assert!(asker.is_ended() && asker.recv().is_empty(), "{part:?}");
    }
}

#[test]
fn a_client_that_sends_a_byte_now_and_then_gets_no_more_time() {
    let starts = [
        "GET /page HTTP/1.1\r\nHost: x\r\nX: ",
        "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n",
    ];
    for start in starts {
        let test = in_memory();
        let mut asker = test.open();
        asker.send(start);
        for _ in 1..1000 {
            test.clock().advance(TICK);
            asker.send("x");
        }
        assert!(asker.answer().is_none(), "{start:?}");
        test.clock().advance(TICK);
        assert_eq!(asker.answer().map(|it| it.status), Some(408), "{start:?}");
    }
}

#[test]
fn the_time_for_a_later_request_begins_with_its_first_byte() {
    let mut app = App::with(Options {
        keep_alive_timeout: 3600 * SECOND,
        ..Options::default()
    });
    page(&mut app);
    let test = TestServer::new(app).expect("nothing is wrong");
    let mut asker = test.request("GET", "/page").begin();
    for _ in 0..3 {
        assert_eq!(asker.answer().map(|it| it.status), Some(200));
        // Longer idle than a request may take.
        test.clock().advance(60 * SECOND);
        assert!(!asker.is_ended());
        asker.send("GET /page HT");
        test.clock().advance(10 * SECOND - TICK);
        assert!(asker.answer().is_none());
        asker.send("TP/1.1\r\nHost: x\r\n\r\n");
    }
    assert_eq!(asker.answer().map(|it| it.status), Some(200));
    asker.send("GET /page HT");
    test.clock().advance(10 * SECOND);
    assert_eq!(asker.answer().map(|it| it.status), Some(408));
    assert!(asker.is_ended());
}

#[test]
fn a_connection_that_is_used_is_not_idle_and_one_that_is_not_is_closed_without_a_word() {
    let test = in_memory();
    let mut asker = test.request("GET", "/page").begin();
    for _ in 0..100 {
        let page = asker.answer().expect("an answer");
        assert_eq!(page.text(), "a page");
        test.clock().advance(5 * SECOND - TICK);
        asker.send(request("GET", "/page"));
    }
    assert_eq!(asker.answer().map(|it| it.status), Some(200));
    test.clock().advance(5 * SECOND - TICK);
    assert!(!asker.is_ended());
    test.clock().advance(TICK);
    assert!(asker.is_ended() && asker.recv().is_empty());
}

#[test]
fn a_socket_has_all_the_time_that_it_wants() {
    let test = in_memory();
    let mut client = test.connect("/socket");
    test.clock().advance(24 * 3600 * SECOND);
    client.send("still here");
    assert_eq!(client.text(), "still here");
}

// Over real sockets, in real time: once for each promise.

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
fn over_a_real_socket_a_client_that_sends_nothing_is_disconnected_without_a_word() {
    let server = hasty();
    let began = Instant::now();
    Asker::new(&server).expect_end();
    assert!(began.elapsed() >= SHORT / 2, "it had its time");
}

#[test]
fn over_a_real_socket_a_client_that_does_not_finish_its_request_is_told_408() {
    let server = hasty();
    for part in PARTS {
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
fn over_a_real_socket_a_byte_now_and_then_gives_no_more_time() {
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
fn over_a_real_socket_a_connection_that_is_idle_between_two_requests_is_closed() {
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
