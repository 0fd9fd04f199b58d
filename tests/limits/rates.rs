//! How fast: bytes of messages from one socket.

use std::time::{Duration, Instant};

use rushwire::{ByteRate, Hub, Options, Rate, event};

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

/// A server that answers each message with its length, and each that is too much with the limit and
/// the seconds to wait, rounded up.
fn telling(options: fn() -> Options) -> Server {
    serve_with(options, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| {
                _ = socket.send(&message.len().to_string());
            });
            socket.on(event::RateLimit, |socket, limited| {
                let seconds = limited.retry_after.as_secs_f64().ceil();
                _ = socket.send(&format!("{:?} {seconds}", limited.limit));
            });
        });
    })
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

/// Answers to messages of these lengths, one after the other; waits may be shorter by what has passed.
fn check(name: &str, options: fn() -> Options, steps: &[(usize, &str, f64)]) {
    let server = telling(options);
    let began = Instant::now();
    let mut client = server.connect("/");
    for (step, (len, answer, wait)) in steps.iter().enumerate() {
        client.send_binary(&vec![b'x'; *len]);
        let text = client.text();
        let (what, seconds) = text.split_once(' ').unwrap_or((&text, "0"));
        assert_eq!(what, *answer, "{name}, step {step}: {text}");
        let seconds: f64 = seconds.parse().expect("seconds");
        let passed = began.elapsed().as_secs_f64() + 1.0;
        assert!(
            (wait - passed..=*wait).contains(&seconds),
            "{name}, step {step}: {text}"
        );
    }
}

#[test]
fn each_refusal_says_which_limit_it_was_and_how_long_to_wait() {
    check(
        "what is refused takes nothing",
        || bytes(10, LONG),
        &[
            (9, "9", 0.0),
            (4, "Bytes", 30_000.0),
            (2, "Bytes", 10_000.0),
            (1, "1", 0.0),
            (0, "0", 0.0),
            (1, "Bytes", 10_000.0),
            (10, "Bytes", 100_000.0),
        ],
    );
    check(
        "more than can ever come at once passes first, and is paid for",
        || bytes(10, LONG),
        &[
            (25, "25", 0.0),
            (1, "Bytes", 160_000.0),
            (10, "Bytes", 250_000.0),
            (25, "Bytes", 250_000.0),
        ],
    );
    check(
        "but not when anything has come",
        || bytes(10, LONG),
        &[
            (1, "1", 0.0),
            (25, "Bytes", 10_000.0),
            (9, "9", 0.0),
            (1, "Bytes", 10_000.0),
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
            (10, "10", 0.0),
            (1, "Bytes", 10_000.0),
            (0, "0", 0.0),
            (0, "Messages", 500.0),
            (1, "Bytes", 10_000.0),
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
        &[(10, "10", 0.0), (10, "Messages", 100_000.0)],
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
