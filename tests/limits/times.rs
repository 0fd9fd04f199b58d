//! How long: every duration.

use std::io::Write;
use std::time::{Duration, Instant};

use rushwire::testing::{Received, TestServer};
use rushwire::{App, Options, Socket};

use super::common::client::PING;
use super::common::{Client, PATIENCE, http, serve_with};
use super::{SHORT, limited, quiet};

#[test]
fn a_request_that_takes_longer_than_handshake_timeout_is_ended() {
    let cases = [
        ("nothing", "", ""),
        ("half a head", "GET / HTTP/1.1\r\n", "HTTP/1.1 408 "),
        (
            "half a body",
            "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
            "HTTP/1.1 408 ",
        ),
    ];
    for (name, request, answer) in cases {
        let (server, _log) = limited(|| Options {
            handshake_timeout: SHORT,
            keep_alive_timeout: PATIENCE,
            ..quiet()
        });
        let began = Instant::now();
        let mut stream = http::connect(server.addr);
        stream.write_all(request.as_bytes()).expect("send");
        let got = http::read_to_end(&mut stream);
        assert!(
            String::from_utf8(got).expect("text").starts_with(answer),
            "{name}"
        );
        assert!(began.elapsed() >= SHORT / 2, "{name}: too early");
    }
}

#[test]
fn a_middleware_that_takes_longer_than_handshake_timeout_is_not_waited_for() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let server = serve_with(
        || Options {
            handshake_timeout: SHORT,
            ..quiet()
        },
        move |app| {
            app.ws_use(move |_, _, next| kept.lock().expect("the only user").push(next));
        },
    );
    Client::connect(server.addr, "/ws").expect_close(1008);
}

#[test]
fn an_idle_connection_is_ended_after_keep_alive_timeout() {
    let (server, _log) = limited(|| Options {
        keep_alive_timeout: SHORT,
        ..quiet()
    });
    let mut stream = http::connect(server.addr);
    stream
        .write_all(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("send");
    let (answer, _) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(answer.text(), "a page");
    assert!(http::read_to_end(&mut stream).is_empty());
}

#[test]
fn timeouts_of_a_socket_close_it_with_their_code_and_cause() {
    let long = Duration::from_secs(1000);
    let cases: [(&str, Options, u16, &str); 4] = [
        (
            "idle_timeout",
            Options {
                idle_timeout: SHORT,
                ..quiet()
            },
            1001,
            r#"a close 1001 "idle timeout" Us IdleTimeout 0"#,
        ),
        (
            "max_lifetime",
            Options {
                max_lifetime: SHORT,
                ..quiet()
            },
            1001,
            r#"a close 1001 "lifetime over" Us LifetimeOver 0"#,
        ),
        (
            "pong_timeout",
            Options {
                heartbeat: SHORT / 2,
                pong_timeout: SHORT,
                ..quiet()
            },
            1001,
            r#"a close 1001 "ping timeout" Us PingTimeout 0"#,
        ),
        (
            "idle_timeout, although the peer pings",
            Options {
                idle_timeout: SHORT,
                max_lifetime: long,
                ..quiet()
            },
            1001,
            r#"a close 1001 "idle timeout" Us IdleTimeout 0"#,
        ),
    ];
    for (name, options, code, end) in cases {
        let (server, log) = limited(move || options);
        let mut client = server.connect("/");
        client.send_frame(true, 0, PING, b"");
        let close = std::iter::from_fn(|| client.next())
            .find(|frame| frame.opcode == 8)
            .expect("a close frame");
        assert_eq!(close.payload[..2], code.to_be_bytes(), "{name}");
        client.try_send_close(code);
        drop(client);
        assert_eq!(log.find("a close"), end, "{name}");
    }
}

#[test]
fn a_peer_that_does_not_answer_our_close_is_cut_after_close_timeout() {
    let (server, log) = limited(|| Options {
        close_timeout: SHORT,
        ..quiet()
    });
    let _client = server.connect("/");
    server.ask(|hub| hub.sockets().iter().for_each(Socket::close));
    assert_eq!(log.find("a close"), r#"a close 1000 "" Us CloseTimeout 0"#);
}

#[test]
fn a_duration_of_zero_turns_off_what_it_times() {
    let cases = [
        (
            "heartbeat",
            Options {
                heartbeat: Duration::ZERO,
                pong_timeout: Duration::from_secs(1),
                ..Options::default()
            },
            false,
        ),
        (
            "pong_timeout",
            Options {
                heartbeat: Duration::from_secs(30),
                pong_timeout: Duration::ZERO,
                ..Options::default()
            },
            true,
        ),
        ("idle_timeout and max_lifetime", quiet(), false),
    ];
    for (name, options, pinged) in cases {
        let mut app = App::with(options);
        app.ws("/", |_, _| {});
        let test = TestServer::new(app).expect("nothing is wrong");
        let mut client = test.connect("/");
        client.ignore_pings();
        test.clock().advance(Duration::from_secs(24 * 3600));
        let heard = client.recv_all();
        assert_eq!(!heard.is_empty(), pinged, "{name}");
        let is_ping = |heard: &Received| matches!(heard, Received::Ping(_));
        assert!(heard.iter().all(is_ping), "{name}: {heard:?}");
        assert!(!client.is_ended() && test.hub().len() == 1, "{name}");
    }
}
