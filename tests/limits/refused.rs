//! What cannot be meant is refused, all of it at once.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rushwire::{App, ByteRate, ConfigError, ConnectionRate, Options, Rate};

use super::common::http;
use super::{SHORT, quiet};

fn problems(app: &mut App) -> Vec<String> {
    let error = app
        .bind((Ipv4Addr::LOCALHOST, 0))
        .map(|_| ())
        .expect_err("it is refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ConfigError>())
        .expect("a ConfigError");
    assert_eq!(inner.to_string(), inner.problems().join("; "));
    inner.problems().to_vec()
}

#[test]
fn a_limit_of_zero_is_refused_by_name() {
    let zero = Duration::ZERO;
    let message_rate = |messages, per| Options {
        message_rate: Some(Rate { messages, per }),
        ..quiet()
    };
    let byte_rate = |bytes, per| Options {
        byte_rate: Some(ByteRate { bytes, per }),
        ..quiet()
    };
    let connection_rate = |connections, per| Options {
        connection_rate: Some(ConnectionRate { connections, per }),
        ..quiet()
    };
    let cases: [(&str, Options); 19] = [
        ("message_rate.messages", message_rate(0, SHORT)),
        ("message_rate.per", message_rate(1, zero)),
        ("byte_rate.bytes", byte_rate(0, SHORT)),
        ("byte_rate.per", byte_rate(1, zero)),
        ("connection_rate.connections", connection_rate(0, SHORT)),
        ("connection_rate.per", connection_rate(1, zero)),
        (
            "max_room_size",
            Options {
                max_room_size: Some(0),
                ..quiet()
            },
        ),
        (
            "max_rooms",
            Options {
                max_rooms: Some(0),
                ..quiet()
            },
        ),
        (
            "max_connections",
            Options {
                max_connections: 0,
                ..quiet()
            },
        ),
        (
            "max_connections_per_ip",
            Options {
                max_connections_per_ip: Some(0),
                ..quiet()
            },
        ),
        (
            "max_message_size",
            Options {
                max_message_size: 0,
                ..quiet()
            },
        ),
        (
            "max_backpressure",
            Options {
                max_backpressure: 0,
                ..quiet()
            },
        ),
        (
            "max_rooms_per_socket",
            Options {
                max_rooms_per_socket: 0,
                ..quiet()
            },
        ),
        (
            "max_room_name",
            Options {
                max_room_name: 0,
                ..quiet()
            },
        ),
        (
            "max_head_size",
            Options {
                max_head_size: 0,
                ..quiet()
            },
        ),
        (
            "max_body_size",
            Options {
                max_body_size: 0,
                ..quiet()
            },
        ),
        (
            "handshake_timeout",
            Options {
                handshake_timeout: zero,
                ..quiet()
            },
        ),
        (
            "keep_alive_timeout",
            Options {
                keep_alive_timeout: zero,
                ..quiet()
            },
        ),
        (
            "close_timeout",
            Options {
                close_timeout: zero,
                ..quiet()
            },
        ),
    ];
    for (name, options) in cases {
        let problems = problems(&mut App::with(options));
        assert!(
            matches!(&problems[..], [one] if one.contains(name)),
            "{name}: {problems:?}"
        );
    }
    assert!(
        App::with(Options {
            max_message_size: usize::MAX,
            max_backpressure: usize::MAX,
            ..quiet()
        })
        .bind("127.0.0.1:0")
        .is_ok()
    );
}

#[test]
fn everything_that_is_wrong_is_collected_and_quoted() {
    let mut app = App::with(Options {
        paths: vec!["no-slash".into()],
        max_room_name: 0,
        allow_origins: vec![
            "example.com".into(),
            "https://".into(),
            "https://fine.example".into(),
        ],
        subprotocols: vec!["a b".into(), "fine".into(), String::new()],
        trusted_proxies: vec![
            "10.0.0.0/33".into(),
            "10.0.0.0/8".into(),
            "proxy.example".into(),
        ],
        allow_addresses: vec!["10.0.0.0/8".into(), "10.0.0.0/-1".into()],
        deny_addresses: vec!["10.1.0.0/16".into(), "evil.example".into(), "::/129".into()],
        ..quiet()
    });
    app.ws("/chat/:", |_, _| {})
        .ws("/x/*/y", |_, _| {})
        .ws("/twice", |_, _| {})
        .ws("/twice", |_, _| {});
    app.get("/page/:a", |_| {})
        .get("/page/:b", |_| {})
        .post("/page/:c", |_| {})
        .get("/bad%zz", |_| {});
    let wrong = [
        "\"/chat/:\"",
        "\"/x/*/y\"",
        "\"/twice\"",
        "\"/page/:b\"",
        "\"/bad%zz\"",
        "\"no-slash\"",
        "max_room_name",
        "\"example.com\"",
        "\"https://\"",
        "\"a b\"",
        "\"\"",
        "\"10.0.0.0/33\"",
        "\"proxy.example\"",
        "allowed address \"10.0.0.0/-1\"",
        "denied address \"evil.example\"",
        "denied address \"::/129\"",
    ];
    let problems = problems(&mut app);
    for quoted in wrong {
        let count = problems
            .iter()
            .filter(|problem| problem.contains(quoted))
            .count();
        assert_eq!(count, 1, "{quoted} in {problems:#?}");
    }
    assert_eq!(problems.len(), wrong.len(), "{problems:#?}");
    let again = app
        .listen("127.0.0.1:0", |_| panic!("it does not listen"))
        .map_err(|error| error.to_string());
    assert_eq!(again, Err(problems.join("; ")), "by listen, too");
}

#[test]
fn a_taken_port_is_an_error_and_the_routes_are_kept_for_another() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let mut app = App::with(quiet());
    app.get("/page", |ctx| ctx.text("a page"));
    let address = taken.local_addr().expect("address");
    let error = app.bind(address).map(|_| ()).expect_err("it is taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let error = app
        .listen(address, |_| panic!("it does not listen"))
        .expect_err("it is taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let (address, remote) = (server.local_addr().expect("address"), server.remote());
    let asker = std::thread::spawn(move || {
        let answer = http::get(address, "/page").text().to_owned();
        remote
            .shutdown(Duration::ZERO)
            .expect("the server is there");
        answer
    });
    server.run().expect("run");
    assert_eq!(asker.join().expect("the asker"), "a page");
}
