//! `SECURITY.md` promises what the library does: its numbers are the defaults.

use std::time::Duration;

use rushwire::Options;

const POLICY: &str = include_str!("../SECURITY.md");
const README: &str = include_str!("../README.md");

fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 30) => format!("{} GiB", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

/// The first two cells of each line of the tables: what, and its default.
fn stated(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let mut cells = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned());
        Some((cells.next()?, cells.next()?))
    })
    .collect()
}

/// The default of each limit, as both pages write it.
fn defaults() -> Vec<(&'static str, String)> {
    let options = Options::default();
    let connections = options.max_connections;
    vec![
        ("max_message_size", size(options.max_message_size)),
        ("max_backpressure", size(options.max_backpressure)),
        ("memory_budget", size(options.memory_budget)),
        (
            "max_connections",
            format!("{},{:03}", connections / 1000, connections % 1000),
        ),
        ("max_head_size", size(options.max_head_size)),
        ("max_body_size", size(options.max_body_size)),
        (
            "max_rooms_per_socket",
            options.max_rooms_per_socket.to_string(),
        ),
        ("handshake_timeout", seconds(options.handshake_timeout)),
        ("keep_alive_timeout", seconds(options.keep_alive_timeout)),
        (
            "heartbeat",
            format!(
                "{}, {}",
                seconds(options.heartbeat),
                seconds(options.pong_timeout)
            ),
        ),
        ("close_timeout", seconds(options.close_timeout)),
    ]
}

#[test]
fn the_limits_that_are_promised_are_the_defaults() {
    for (page, text) in [("SECURITY.md", POLICY), ("README.md", README)] {
        let stated = stated(text);
        for (name, default) in defaults() {
            let begins = format!("`{name}`");
            let found = stated.iter().find(|(what, _)| what.starts_with(&begins));
            let value = found.map(|(_, value)| value.as_str()).unwrap_or_default();
            assert!(
                value.starts_with(&default),
                "{page}: {name} is {default}, not {value:?}"
            );
        }
    }
    let name = (Options::default().max_room_name, "`max_room_name`");
    let found = stated(POLICY).into_iter().find(|(what, _)| what == name.1);
    assert_eq!(
        found,
        Some((name.1.to_owned(), format!("{} bytes", name.0)))
    );
}

#[test]
fn what_is_said_to_be_off_is_off() {
    let options = Options::default();
    let off = [
        ("message_rate", options.message_rate.is_none()),
        ("byte_rate", options.byte_rate.is_none()),
        ("connection_rate", options.connection_rate.is_none()),
        (
            "max_connections_per_ip",
            options.max_connections_per_ip.is_none(),
        ),
        ("idle_timeout", options.idle_timeout.is_zero()),
        ("max_lifetime", options.max_lifetime.is_zero()),
        ("max_rooms", options.max_rooms.is_none()),
        ("max_room_size", options.max_room_size.is_none()),
    ];
    let (_, rates) = POLICY.split_once("* **Rates.**").expect("there are rates");
    let (named, _) = rates.split_once(" are off").expect("it says what is off");
    let named: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, off.map(|(name, _)| name));
    for (name, is_off) in off {
        assert!(is_off, "{name}");
    }
    assert!(options.allow_origins.is_empty() && options.trusted_proxies.is_empty());
    assert!(options.slow_listener.is_zero() && POLICY.contains("`slow_listener`, which is off,"));
}
