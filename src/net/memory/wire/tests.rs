//! What a kernel would do, by itself.

use std::net::SocketAddr;

use super::super::Network;
use super::*;
use crate::net::stream::Stream;

/// Both ends of a connection, the server's registered as 7.
fn pair(window: usize) -> (Network, End, End) {
    let network = Network::new(window);
    let door = network.door();
    door.register(1);
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let client = network.connect(address).unwrap();
    let Ok((Stream::Memory(server), _)) = door.accept() else {
        panic!("nobody waits");
    };
    server.register(7).unwrap();
    told(&network);
    (network, server, client)
}

/// What the server is told: readable, writable, ends.
fn told(network: &Network) -> Vec<(bool, bool, bool)> {
    let edges = network.take_edges().into_iter();
    let edges = edges.filter(|edge| edge.token == 7);
    edges
        .map(|edge| (edge.readable, edge.writable, edge.ends))
        .collect()
}

fn wires() -> usize {
    WIRES.with_borrow(Slab::len)
}

#[test]
fn bytes_come_out_as_they_went_in_however_much_is_taken() {
    let (network, server, client) = pair(10);
    let (mut sent, mut got) = (0_u8, Vec::<u8>::new());
    for step in 0..500_usize {
        let portion: Vec<u8> = (0..step % 7).map(|i| sent.wrapping_add(i as u8)).collect();
        match client.write(&portion) {
            Ok(n) => sent = sent.wrapping_add(n as u8),
            Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock),
        }
        let mut into = [0; 5];
        if let Ok(n) = server.read(&mut into[..step % 5 + 1]) {
            got.extend(&into[..n]);
        }
    }
    assert!(got.len() > 500, "{} bytes", got.len());
    assert!((0_u8..=255).cycle().zip(&got).all(|(a, b)| a == *b));
    drop((network, server, client));
    assert_eq!(wires(), 0, "nothing is kept");
}

#[test]
fn each_change_is_told_once_with_all_that_is_so() {
    let (network, server, client) = pair(9);
    assert_eq!(told(&network), []);
    client.write(b"a").unwrap();
    client.write(b"b").unwrap();
    assert_eq!(told(&network), [(true, true, false)]);
    assert_eq!(told(&network), []);
    // Refused, and free again when a third is: to be told once.
    assert_eq!(server.write(&[0; 20]).unwrap(), 9);
    assert_eq!(client.read(&mut [0; 2]).unwrap(), 2);
    assert_eq!(told(&network), []);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 1);
    assert_eq!(told(&network), [(true, true, false)]);
    assert_eq!(client.read(&mut [0; 9]).unwrap(), 6);
    assert_eq!(told(&network), []);
    client.write(b"c").unwrap();
    client.finish().unwrap();
    assert_eq!(server.read(&mut [0; 9]).unwrap(), 3);
    assert_eq!(told(&network), [(true, true, true)]);
    assert_eq!(
        server.read(&mut [0; 9]).unwrap(),
        0,
        "FIN is behind the bytes"
    );
    assert_eq!(server.write(b"still").unwrap(), 5, "half closed");
}

#[test]
fn an_end_that_goes_is_seen_by_the_other_as_over_tcp() {
    type Way = fn(End);
    type Gives = Result<usize, ErrorKind>;
    let table: [(&str, bool, Way, Gives, Gives); 4] = [
        // Name, is something unread, what it does; then what reading and writing gives.
        ("closed", false, drop, Ok(0), Ok(1)),
        (
            "closed, unread",
            true,
            drop,
            Err(ErrorKind::ConnectionReset),
            Err(ErrorKind::BrokenPipe),
        ),
        (
            "reset",
            false,
            |end| end.reset(),
            Err(ErrorKind::ConnectionReset),
            Err(ErrorKind::BrokenPipe),
        ),
        (
            "vanished",
            true,
            |end| end.vanish(),
            Err(ErrorKind::WouldBlock),
            Ok(1),
        ),
    ];
    for (name, is_unread, way, read, write) in table {
        let (network, server, client) = pair(100);
        client.write(b"last words").unwrap();
        if is_unread {
            server.write(b"unread").unwrap();
        }
        told(&network);
        way(client);
        assert_eq!(
            told(&network).len(),
            usize::from(name != "vanished"),
            "{name}"
        );
        assert_eq!(server.read(&mut [0; 100]).unwrap(), 10, "{name}");
        let kind = |result: io::Result<usize>| result.map_err(|e| e.kind());
        assert_eq!(kind(server.read(&mut [0; 100])), read, "{name}");
        assert_eq!(kind(server.write(b"x")), write, "{name}");
        // The answer to bytes for nobody is RST.
        let then = kind(server.read(&mut [0; 100]));
        let expected = match name {
            "vanished" => ErrorKind::WouldBlock,
            _ => ErrorKind::ConnectionReset,
        };
        assert_eq!(then, Err(expected), "{name}");
        drop(server);
        assert_eq!(wires(), 0, "{name}");
    }
}

#[test]
fn who_waits_when_the_door_goes_is_refused_and_nobody_comes_after() {
    let network = Network::new(1);
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    assert!(network.connect(address).is_err(), "nobody listens yet");
    let door = network.door();
    door.register(1);
    let client = network.connect(address).unwrap();
    drop(door);
    let refused = client.read(&mut [0]).map_err(|e| e.kind());
    assert_eq!(refused, Err(ErrorKind::ConnectionReset));
    assert!(network.connect(address).is_err());
    drop(client);
    assert_eq!(wires(), 0);
}

/// So that what an idle connection costs is the same with the kit and without it.
#[cfg(unix)]
#[test]
fn a_stream_is_no_larger_for_it() {
    #[expect(dead_code, reason = "only its size is looked at")]
    enum Without {
        Tcp(mio::net::TcpStream),
        Unix(mio::net::UnixStream),
    }
    assert_eq!(size_of::<Stream>(), size_of::<Without>());
    assert_eq!(size_of::<End>(), size_of::<std::os::fd::RawFd>());
}
