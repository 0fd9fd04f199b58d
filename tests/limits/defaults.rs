//! What holds where nothing is set.

use std::time::Duration;

use rushwire::{Options, Overflow};

#[test]
fn the_defaults_are_those_that_are_written_down() {
    // Without `..`, so that a new option has to be added here.
    let Options {
        paths,
        heartbeat,
        pong_timeout,
        max_connections,
        max_connections_per_ip,
        connection_rate,
        allow_addresses,
        deny_addresses,
        max_message_size,
        max_backpressure,
        memory_budget,
        overflow,
        max_rooms_per_socket,
        max_room_name,
        max_room_size,
        max_rooms,
        max_head_size,
        max_body_size,
        handshake_timeout,
        keep_alive_timeout,
        close_timeout,
        idle_timeout,
        max_lifetime,
        message_rate,
        byte_rate,
        allow_origins,
        subprotocols,
        trusted_proxies,
        slow_listener,
        debug,
    } = Options::default();
    let seconds = Duration::from_secs;
    assert_eq!((heartbeat, pong_timeout), (seconds(30), seconds(45)));
    assert_eq!((max_connections, max_connections_per_ip), (10_000, None));
    assert_eq!(
        (max_message_size, max_backpressure, overflow),
        (1 << 20, 1 << 20, Overflow::Close)
    );
    assert_eq!(memory_budget, 1 << 30);
    assert_eq!((max_rooms_per_socket, max_room_name), (100, 256));
    assert_eq!((max_head_size, max_body_size), (16 << 10, 1 << 20));
    assert_eq!(
        (handshake_timeout, keep_alive_timeout, close_timeout),
        (seconds(10), seconds(5), seconds(5))
    );
    assert_eq!(
        (idle_timeout, max_lifetime, message_rate),
        (Duration::ZERO, Duration::ZERO, None)
    );
    assert_eq!((byte_rate, connection_rate), (None, None));
    assert_eq!((max_room_size, max_rooms), (None, None));
    assert_eq!(slow_listener, Duration::ZERO);
    assert!(!debug);
    let lists = [
        paths,
        allow_origins,
        subprotocols,
        trusted_proxies,
        allow_addresses,
        deny_addresses,
    ];
    assert!(lists.iter().all(Vec::is_empty));
}
