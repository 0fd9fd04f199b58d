//! How often: new sockets from one address.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rushwire::testing::TestServer;
use rushwire::{App, ConnectionRate, Options, Refusal};

use super::common::http::Answer;
use super::common::{Client, Server, http, serve_with};
use super::{limited, quiet};

/// So many at once, and then one in `per` divided by that, from behind a proxy.
fn paced(connections: u32, per: Duration) -> Options {
    Options {
        connection_rate: Some(ConnectionRate { connections, per }),
        trusted_proxies: vec!["127.0.0.1".into()],
        ..quiet()
    }
}

fn from(addr: SocketAddr, client: &str) -> Result<Client, Answer> {
    let headers = format!("X-Forwarded-For: {client}\r\nOrigin: https://a.example\r\n");
    Client::try_connect(addr, "/", &headers)
}

fn status(addr: SocketAddr, client: &str) -> u16 {
    from(addr, client).map_or_else(|answer| answer.status, |_| 101)
}

fn retry_after(answer: &Answer) -> u64 {
    let seconds = answer.header("retry-after").expect("when to try again");
    seconds.parse().expect("seconds")
}

#[test]
fn a_socket_that_comes_too_soon_is_answered_429_with_the_time_that_is_left() {
    let (server, _log) = limited(|| paced(2, Duration::from_secs(1000)));
    let began = Instant::now();
    let _open = [(); 2].map(|()| from(server.addr, "10.0.0.1").expect("two at once"));
    for _ in 0..3 {
        let refused = from(server.addr, "10.0.0.1").err().expect("too soon");
        let passed = began.elapsed().as_secs();
        assert_eq!(refused.status, 429);
        assert_eq!(
            refused.text(),
            "too many new connections from this address\n"
        );
        assert!(
            (500 - passed - 1..=500).contains(&retry_after(&refused)),
            "{refused:?} after {passed} s"
        );
    }
    assert_eq!(status(server.addr, "10.0.0.2"), 101, "from elsewhere");
    assert_eq!(
        http::get(server.addr, "/page").text(),
        "a page",
        "plain HTTP is no socket"
    );
    assert_eq!(
        server.ask(|hub| hub.stats().refused[&Refusal::ConnectionRate]),
        3
    );
}

#[test]
fn whoever_waits_as_long_as_it_is_told_is_let_in() {
    let mut app = App::with(paced(3, Duration::from_secs(60)));
    app.ws("/", |_, _| {});
    let test = TestServer::new(app).expect("nothing is wrong");
    let comes = |ip: [u8; 4]| {
        let answer = test.request("GET", "/").from(ip).connect();
        answer.map(drop).map_err(|refused| {
            let seconds = refused.header("retry-after").expect("a time");
            (refused.status, seconds.parse().expect("seconds"))
        })
    };
    let (one, other) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    (0..3).for_each(|_| assert_eq!(comes(one), Ok(())));
    for (passed, told) in [(0, 20), (5, 15), (14, 1)] {
        test.clock().advance(Duration::from_secs(passed));
        assert_eq!(comes(one), Err((429, told)));
    }
    assert_eq!(comes(other), Ok(()), "that is another's");
    test.clock().advance(Duration::from_millis(990));
    assert_eq!(comes(one), Err((429, 1)));
    test.clock().advance(Duration::from_millis(10));
    assert_eq!((comes(one), comes(one)), (Ok(()), Err((429, 20))));
    test.clock().advance(Duration::from_secs(3600));
    (0..3).for_each(|_| assert_eq!(comes(one), Ok(())));
    assert_eq!(comes(one), Err((429, 20)), "no more than all are saved");
}

#[test]
fn over_a_real_socket_whoever_waits_is_let_in_as_well() {
    let (server, _log) = limited(|| paced(1, Duration::from_secs(1)));
    assert_eq!(status(server.addr, "10.0.0.1"), 101);
    let refused = from(server.addr, "10.0.0.1").err().expect("too soon");
    assert_eq!((refused.status, retry_after(&refused)), (429, 1));
    // What the header promises is about the time.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(status(server.addr, "10.0.0.1"), 101);
}

#[test]
fn what_is_refused_before_it_counts_costs_nothing_and_what_is_refused_later_does() {
    let options = || Options {
        allow_origins: vec!["https://a.example".into()],
        ..paced(2, Duration::from_secs(1000))
    };
    let server = serve_with(options, |app| {
        app.verify_client(|request| request.query("token").is_some());
        app.ws("/", |_, _| {});
    });
    let client = "X-Forwarded-For: 10.0.0.1\r\n";
    for _ in 0..5 {
        let refused = Client::try_connect(server.addr, "/", client);
        assert_eq!(refused.err().expect("no origin").status, 403);
    }
    let statuses = [(); 3].map(|()| status(server.addr, "10.0.0.1"));
    assert_eq!(statuses, [401, 401, 429]);
}

#[test]
fn whoever_finds_no_place_has_come_all_the_same() {
    let (server, _log) = limited(|| Options {
        max_connections: 1,
        ..paced(2, Duration::from_secs(1000))
    });
    let _open = from(server.addr, "10.0.0.1").expect("the only place");
    let asked = [(); 3].map(|()| status(server.addr, "10.0.0.1"));
    assert_eq!(asked, [503, 429, 429]);
}

#[test]
fn an_ipv6_network_of_64_bits_counts_as_one_address() {
    let (server, _log) = limited(|| paced(1, Duration::from_secs(1000)));
    #[rustfmt::skip]
    let table = [
        ("2001:db8:0:1::1",         101),
        ("2001:db8:0:1::2",         429),
        ("2001:db8:0:1:ffff::",     429),
        ("2001:db8:0:2::1",         101),
        ("10.0.0.1",                101),
        ("::ffff:10.0.0.1",         429),
        ("10.0.0.2",                101),
    ];
    for (client, expected) in table {
        assert_eq!(status(server.addr, client), expected, "{client}");
    }
}

/// An address that is forgotten has all of its connections again: so it is seen from outside that not
/// all of them are remembered.
#[test]
fn a_flood_of_addresses_is_forgotten_before_those_that_are_refused() {
    const FLOOD: u32 = 100_000;
    let options = || paced(2, Duration::from_secs(100_000));
    let server = serve_with(options, |app| {
        app.verify_client(|_| false);
        app.ws("/", |_, _| {});
    });
    let statuses = |client: &str| [(); 3].map(|()| status(server.addr, client));
    assert_eq!(statuses("10.0.0.1"), [401, 401, 429]);
    assert_eq!(status(server.addr, "10.0.0.2"), 401);
    let last = Ipv4Addr::from_bits(0xC000_0000 + FLOOD - 1);
    flood(&server, FLOOD);
    assert_eq!(status(server.addr, "10.0.0.1"), 429, "it is remembered");
    assert_eq!(
        statuses(&last.to_string())[..2],
        [401, 429],
        "so is who came last"
    );
    assert_eq!(
        statuses("10.0.0.2"),
        [401, 401, 429],
        "who had come once, and before all others, is forgotten"
    );
    assert_eq!(
        server.ask(|hub| hub.stats().refused[&Refusal::ConnectionRate]),
        5
    );
}

/// Asks once from each of so many addresses.
fn flood(server: &Server, count: u32) {
    const CLIENTS: u32 = 4;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for n in (client..count).step_by(CLIENTS as usize) {
                    let ip = Ipv4Addr::from_bits(0xC000_0000 + n);
                    assert_eq!(status(server.addr, &ip.to_string()), 401, "{ip}");
                }
            });
        }
    });
}
