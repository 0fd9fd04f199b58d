//! How fast: bytes of messages from one socket.

use std::time::{Duration, Instant};

use rushwire::testing::TestServer;
use rushwire::{App, ByteRate, Hub, Options, Rate, event};

use super::common::client::{BINARY, CONTINUATION, PING, TEXT, frame};
use super::common::{PATIENCE, Server, serve_with};
use super::{SHORT, limited, quiet};

const LONG: Duration = Duration::from_secs(100_000);

fn bytes(bytes: u64, per: Duration) -> Options {
    Options {
        byte_rate: Some(ByteRate { bytes, per }),
        ..quiet()
    }
}

/// Each message is answered with its length, and each that is too much with the limit and the seconds
/// to wait, rounded up.
fn tell(app: &mut App) {
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| {
            _ = socket.send(&message.len().to_string());
        });
        socket.on(event::RateLimit, |socket, limited| {
            let seconds = limited.retry_after.as_secs_f64().ceil();
            _ = socket.send(&format!("{:?} {seconds}", limited.limit));
        });
    });
}

fn telling(options: fn() -> Options) -> Server {
    serve_with(options, tell)
}

#[test]
fn a_peer_beyond_byte_rate_is_closed_with_1008_unless_somebody_listens() {
    let (server, log) = limited(|| bytes(10, LONG));
    let mut client = server.connect("/");
    ["12345", "12345", "x", "y"]
        .iter()
        .for_each(|text| client.send(text));
    assert_eq!(client.closed(), (1008, "too many bytes".to_owned()));
    drop(client);
    server.wait_until("it is gone", Hub::is_empty);
    server.stop(Duration::ZERO);
    let lines = log.rest();
    let heard = lines.iter().filter(|line| line.starts_with("a message"));
    assert_eq!(heard.count(), 2, "{lines:?}");
    let close = r#"a close 1008 "too many bytes" Us RateLimit 0"#;
    assert!(lines.iter().any(|line| line == close), "{lines:?}");
}

/// Answers to messages of these lengths, one after the other, at one moment.
fn check(name: &str, options: fn() -> Options, steps: &[(usize, &str, u64)]) {
    let mut app = App::with(options());
    tell(&mut app);
    let test = TestServer::new(app).expect("nothing is wrong");
    let mut client = test.connect("/");
    for (step, (len, answer, wait)) in steps.iter().enumerate() {
        client.send(&vec![b'x'; *len]);
        let expected = match wait {
            0 => (*answer).to_owned(),
            wait => format!("{answer} {wait}"),
        };
        assert_eq!(client.text(), expected, "{name}, step {step}");
    }
}

#[test]
fn each_refusal_says_which_limit_it_was_and_how_long_to_wait() {
    check(
        "what is refused takes nothing",
        || bytes(10, LONG),
        &[
            (9, "9", 0),
            (4, "Bytes", 30_000),
            (2, "Bytes", 10_000),
            (1, "1", 0),
            (0, "0", 0),
            (1, "Bytes", 10_000),
            (10, "Bytes", 100_000),
        ],
    );
    check(
        "more than can ever come at once passes first, and is paid for",
        || bytes(10, LONG),
        &[
            (25, "25", 0),
            (1, "Bytes", 160_000),
            (10, "Bytes", 250_000),
            (25, "Bytes", 250_000),
        ],
    );
    check(
        "but not when anything has come",
        || bytes(10, LONG),
        &[
            (1, "1", 0),
            (25, "Bytes", 10_000),
            (9, "9", 0),
            (1, "Bytes", 10_000),
        ],
    );
    check(
        "of two limits, the one that takes longer",
        || Options {
            message_rate: Some(Rate {
                messages: 2,
                per: Duration::from_secs(1000),
            }),
            ..bytes(10, LONG)
        },
        &[
            (10, "10", 0),
            (1, "Bytes", 10_000),
            (0, "0", 0),
            (0, "Messages", 500),
            (1, "Bytes", 10_000),
        ],
    );
    check(
        "the other one",
        || Options {
            message_rate: Some(Rate {
                messages: 1,
                per: LONG,
            }),
            ..bytes(10, Duration::from_secs(1000))
        },
        &[(10, "10", 0), (10, "Messages", 100_000)],
    );
}

#[test]
fn a_message_counts_whole_however_it_comes_and_what_is_no_message_does_not() {
    const LARGE: usize = 300_000;
    let server = telling(|| bytes(LARGE as u64, LONG));
    let mut client = server.connect("/");
    client.send_frame(true, 0, PING, &[b'x'; 125]);
    client.send_frame(false, 0, BINARY, &vec![b'x'; LARGE - 2]);
    client.send_frame(true, 0, PING, &[b'x'; 125]);
    client.send_frame(true, 0, CONTINUATION, b"x");
    assert_eq!(client.text(), (LARGE - 1).to_string());
    client.send_raw(&frame(true, 0, TEXT, b"xx"));
    assert!(client.text().starts_with("Bytes "));
    client.send("x");
    assert_eq!(client.text(), "1");
    client.send("x");
    assert!(client.text().starts_with("Bytes "));
}

#[test]
fn bytes_come_back_evenly() {
    let mut app = App::with(bytes(100, Duration::from_secs(10)));
    tell(&mut app);
    let test = TestServer::new(app).expect("nothing is wrong");
    let mut client = test.connect("/");
    let mut accepted = |len: usize| {
        client.send(&vec![0; len]);
        client.text() == len.to_string()
    };
    assert!(accepted(100) && !accepted(1));
    for _ in 0..100 {
        // Ten bytes a second, and no more: what is refused takes nothing.
        test.clock().advance(Duration::from_secs(1));
        assert!(!accepted(11) && accepted(10) && !accepted(1));
    }
    test.clock().advance(Duration::from_millis(700));
    assert!(accepted(3) && accepted(4) && !accepted(1));
    test.clock().advance(LONG);
    assert!(accepted(100) && !accepted(1), "no more than all are saved");
}

#[test]
fn over_a_real_socket_bytes_come_back_as_well() {
    let server = telling(|| bytes(100, SHORT));
    let mut client = server.connect("/");
    let deadline = Instant::now() + PATIENCE;
    let (began, mut accepted) = (Instant::now(), 0);
    while accepted < 4 {
        client.send_binary(&[0; 100]);
        match &*client.text() {
            "100" => accepted += 1,
            other => assert_eq!(other, "Bytes 1", "it takes a tenth of a second"),
        }
        assert!(Instant::now() < deadline, "it is never refilled");
    }
    let least = SHORT * 3 - Duration::from_millis(10);
    assert!(began.elapsed() >= least, "too soon: {:?}", began.elapsed());
}
