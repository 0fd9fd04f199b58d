//! Floods at the door: who is refused is told so, whoever is in notices nothing, and a place that is
//! given up is somebody's at once.

use std::net::SocketAddr;

use rushwire::testing::{Client, TestServer};
use rushwire::{App, Options, Refusal};

use super::common::{self, Server, http, knock, serve_with};
use super::still;

const FLOOD: usize = 1_000;
const FLOODERS: usize = 8;

fn serve(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.get("/page", |ctx| ctx.text("a page"));
        app.ws("/", |socket, _| {
            socket.on(rushwire::event::Message, |socket, message| {
                _ = socket.send(message)
            });
        });
    })
}

/// So many at once ask for a socket, again and again; gives how each was answered.
fn flood(addr: SocketAddr) -> Vec<u16> {
    let ask = move || {
        (0..FLOOD / FLOODERS)
            .map(|_| knock(addr, "/", ""))
            .collect()
    };
    let flooders: Vec<_> = (0..FLOODERS).map(|_| std::thread::spawn(ask)).collect();
    let answers = flooders
        .into_iter()
        .map(|it| -> Vec<u16> { it.join().expect("no panic") });
    answers.flatten().collect()
}

#[test]
fn a_flood_at_a_full_server_is_refused_whole_and_those_inside_notice_nothing() {
    type Full = fn() -> Options;
    let cases: [(&str, Full, u16, Refusal); 2] = [
        (
            "max_connections",
            || Options {
                max_connections: 5,
                ..still()
            },
            503,
            Refusal::Full,
        ),
        (
            "max_connections_per_ip",
            || Options {
                max_connections_per_ip: Some(5),
                ..still()
            },
            429,
            Refusal::FullForAddress,
        ),
    ];
    for (name, options, status, cause) in cases {
        let server = serve(options);
        let mut inside: Vec<common::Client> = (0..5).map(|_| server.connect("/")).collect();
        let addr = server.addr;
        let flooding = std::thread::spawn(move || flood(addr));
        let mut rounds = 0;
        while !flooding.is_finished() || rounds < 10 {
            for client in &mut inside {
                client.send("and I?");
                assert_eq!(client.text(), "and I?", "{name}");
            }
            rounds += 1;
        }
        let answers = flooding.join().expect("no panic");
        assert_eq!(answers, vec![status; FLOOD], "{name}");
        let refused = server.ask(|hub| hub.stats().refused);
        assert_eq!(refused.get(&cause), Some(&(FLOOD as u64)), "{name}");
        // Whoever leaves has left when its close frame is answered; the next who asks has its place.
        for _ in 0..20 {
            let mut leaves = inside.remove(0);
            leaves.send_close(1000, "");
            assert_eq!(leaves.closed().0, 1000);
            leaves.expect_end();
            inside.push(server.connect("/"));
            assert_eq!(knock(addr, "/", ""), status, "{name}");
        }
        assert_eq!(http::get(addr, "/page").text(), "a page", "{name}");
        assert_eq!(server.ask(|hub| hub.len()), 5, "{name}");
    }
}

/// One address that asks for all that there is leaves the others theirs.
#[test]
fn a_flood_of_one_address_takes_no_place_of_another() {
    let mut app = App::with(Options {
        max_connections: 1_000,
        max_connections_per_ip: Some(10),
        ..still()
    });
    app.ws("/", |_, _| {});
    let test = TestServer::new(app).expect("nothing is wrong with it");
    let ask = |ip: [u8; 4]| test.request("GET", "/").from(ip).connect();
    let mut inside: Vec<Client> = Vec::new();
    let mut refused = 0;
    for round in 0..100_u8 {
        for _ in 0..20 {
            match ask([10, 0, 0, 1]) {
                Ok(client) => inside.push(client),
                Err(answer) => {
                    assert_eq!(answer.status, 429);
                    assert!(answer.header("retry-after").is_some());
                    refused += 1;
                }
            }
        }
        inside.extend(ask([10, 0, 1, round]));
    }
    assert_eq!((inside.len(), refused), (10 + 100, 2_000 - 10));
    let of_all = test.hub().stats().refused;
    assert_eq!(of_all.get(&Refusal::FullForAddress), Some(&1_990));
}

/// Connections that ask for nothing fill the reserve, and not a socket's place; when they are gone, as
/// many sockets are let in as before.
#[test]
fn a_storm_that_has_passed_leaves_nothing() {
    let options = || Options {
        max_connections: 50,
        ..still()
    };
    let server = serve(options);
    for round in 0..5 {
        let storm: Vec<_> = (0..300)
            .map(|_| std::net::TcpStream::connect(server.addr).expect("the kernel takes it"))
            .collect();
        drop(storm);
        for _ in 0..100 {
            let mut client = server.connect("/");
            client.send("and gone");
            common::reset(client);
            server.wait_until("it is gone", |hub| hub.is_empty());
        }
        let all: Vec<_> = (0..50).map(|_| server.connect("/")).collect();
        assert_eq!(knock(server.addr, "/", ""), 503, "round {round}");
        drop(all);
        server.wait_until("all are gone", |hub| hub.is_empty());
    }
    let stats = server.ask(|hub| hub.stats());
    assert_eq!((stats.accepted, stats.total_connections), (5 * 150, 0));
    assert_eq!(
        stats.closed.values().sum::<u64>(),
        5 * 150,
        "each end is counted once"
    );
}
