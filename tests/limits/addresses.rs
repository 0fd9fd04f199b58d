//! From where: lists of client addresses.

use std::io::Write;

use rushwire::{Options, Refusal};

use super::common::client::upgrade_request;
use super::common::{Client, Server, http, serve_with};
use super::{limited, quiet};

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

/// The statuses of an upgrade, of a page and of a path that nobody has put there.
fn ask(server: &Server, headers: &str) -> [u16; 3] {
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        http::request(server.addr, request).status
    };
    let upgrade = Client::try_connect(server.addr, "/", headers);
    let upgrade = upgrade.map_or_else(|answer| answer.status, |client| client.answer.status);
    [upgrade, get("/page"), get("/nowhere")]
}

/// What is allowed, denied and trusted, who comes, and whether they may.
type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], &'a str, bool);

#[test]
fn only_listed_clients_are_served_and_to_be_denied_is_stronger_than_to_be_allowed() {
    const LOCAL: &[&str] = &["127.0.0.1"];
    const NET: &[&str] = &["10.0.0.0/8", "2001:db8::/32"];
    const SUBNET: &[&str] = &["10.6.6.0/24", "2001:db8:6::/48"];
    // (allowed, denied, trusted proxies, X-Forwarded-For, whether the client is served)
    #[rustfmt::skip]
    let table: [Case<'_>; 22] = [
        (&[],    &[],                      LOCAL, "203.0.113.9",           true),
        (NET,    &[],                      LOCAL, "10.1.2.3",              true),
        (NET,    &[],                      LOCAL, "11.1.2.3",              false),
        (NET,    &[],                      LOCAL, "2001:db8::5",           true),
        (NET,    &[],                      LOCAL, "2001:db9::5",           false),
        (NET,    &[],                      LOCAL, "::ffff:10.1.2.3",       true),
        (&[],    NET,                      LOCAL, "10.1.2.3",              false),
        (&[],    NET,                      LOCAL, "11.1.2.3",              true),
        (&[],    NET,                      LOCAL, "2001:db8::5",           false),
        (&[],    NET,                      LOCAL, "::ffff:10.1.2.3",       false),
        (&[],    &["::ffff:10.0.0.0/104"], LOCAL, "10.1.2.3",              false),
        (&[],    &["10.1.2.3"],            LOCAL, "10.1.2.3",              false),
        (&[],    &["10.1.2.3"],            LOCAL, "10.1.2.4",              true),
        (NET,    SUBNET,                   LOCAL, "10.6.6.6",              false),
        (NET,    SUBNET,                   LOCAL, "10.6.7.6",              true),
        (SUBNET, NET,                      LOCAL, "10.6.6.6",              false),
        // Only what a trusted proxy says of the client counts.
        (NET,    &[],                      LOCAL, "10.1.2.3, 203.0.113.9", false),
        (&[],    NET,                      LOCAL, "203.0.113.9, 10.1.2.3", false),
        (NET,    &[],                      &[],   "10.1.2.3",              false),
        (&[],    NET,                      &[],   "10.1.2.3",              true),
        (LOCAL,  &[],                      &[],   "10.1.2.3",              true),
        (&[],    &["127.0.0.0/8"],         &[],   "10.1.2.3",              false),
    ];
    for (allowed, denied, trusted, client, served) in table {
        let (server, _log) = limited(move || Options {
            allow_addresses: list(allowed),
            deny_addresses: list(denied),
            trusted_proxies: list(trusted),
            ..quiet()
        });
        let found = ask(&server, &format!("X-Forwarded-For: {client}\r\n"));
        let expected = if served { [101, 200, 404] } else { [403; 3] };
        assert_eq!(found, expected, "{allowed:?} but {denied:?}: {client}");
    }
}

/// A proxy that writes one of the headers passes on the other as the client sent it.
#[test]
fn whose_headers_differ_is_served_only_if_nobody_who_it_may_be_is_refused() {
    const NET: &[&str] = &["10.0.0.0/8"];
    const PROXY_AND_NET: &[&str] = &["127.0.0.1", "10.0.0.0/8"];
    // (allowed, denied, X-Forwarded-For, Forwarded, whether the client is served)
    #[rustfmt::skip]
    let table = [
        (&[][..],       NET,      "10.1.2.3",    "203.0.113.9", false),
        (&[],           NET,      "203.0.113.9", "10.1.2.3",    false),
        (&[],           NET,      "203.0.113.9", "203.0.113.8", true),
        (&[],           PROXY_AND_NET, "203.0.113.9", "203.0.113.8", false),
        (PROXY_AND_NET, &[],      "10.1.2.3",    "203.0.113.9", false),
        (PROXY_AND_NET, &[],      "203.0.113.9", "10.1.2.3",    false),
        (PROXY_AND_NET, &[],      "10.1.2.3",    "10.1.2.4",    true),
        (NET,           &[],      "10.1.2.3",    "10.1.2.4",    false),
    ];
    for (allowed, denied, old, new, served) in table {
        let (server, _log) = limited(move || Options {
            allow_addresses: list(allowed),
            deny_addresses: list(denied),
            trusted_proxies: list(&["127.0.0.1"]),
            ..quiet()
        });
        let headers = format!("X-Forwarded-For: {old}\r\nForwarded: for={new}\r\n");
        let expected = if served { [101, 200, 404] } else { [403; 3] };
        let name = format!("{allowed:?} but {denied:?}: {old}, {new}");
        assert_eq!(ask(&server, &headers), expected, "{name}");
    }
}

#[test]
fn whoever_is_refused_is_heard_by_nobody() {
    let options = || Options {
        deny_addresses: list(&["10.0.0.0/8"]),
        trusted_proxies: list(&["127.0.0.1"]),
        ..quiet()
    };
    let server = serve_with(options, |app| {
        app.allow_origin_if(|_, _| panic!("the origin is looked at"));
        app.verify_client(|_| -> bool { panic!("the application is asked") });
        app.ws("/", |_, _| panic!("it becomes a socket"));
        app.post("/body", |_| panic!("the handler runs"));
        app.on_error(|report| eprintln!("{report}"));
    });
    let denied = "X-Forwarded-For: 10.1.1.1\r\n";
    let body = format!(
        "POST /body HTTP/1.1\r\nHost: h\r\n{denied}Content-Length: 9999999\r\nExpect: 100-continue\r\n\r\n"
    );
    let requests = [
        upgrade_request("/", denied),
        upgrade_request("/", denied).replace("Version: 13", "Version: 8"),
        upgrade_request("/%zz", denied),
        body,
    ];
    for request in requests {
        let answer = http::request(server.addr, &request);
        assert_eq!(
            (answer.status, answer.header("connection"), answer.text()),
            (403, Some("close"), "this address is not allowed\n"),
            "{request}"
        );
    }
    assert_eq!(server.ask(|hub| hub.stats().refused[&Refusal::Address]), 4);
}

#[test]
fn a_denied_peer_is_answered_before_it_has_said_a_word() {
    let (server, _log) = limited(|| Options {
        deny_addresses: list(&["127.0.0.1"]),
        ..quiet()
    });
    let mut stream = http::connect(server.addr);
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!((answer.status, rest.len()), (403, 0));
    assert!(http::read_to_end(&mut stream).is_empty(), "and let go of");
}

#[test]
fn behind_a_proxy_each_request_of_a_connection_is_looked_at() {
    let (server, _log) = limited(|| Options {
        deny_addresses: list(&["10.0.0.0/8"]),
        trusted_proxies: list(&["127.0.0.1"]),
        ..quiet()
    });
    let mut stream = http::connect(server.addr);
    let from = |client: &str| {
        format!("GET /page HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {client}\r\n\r\n")
    };
    let requests = from("6.6.6.6") + &from("10.1.1.1") + &from("6.6.6.6");
    stream.write_all(requests.as_bytes()).expect("send");
    let (first, rest) = http::read_answer(&mut stream, Vec::new(), false);
    let (second, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!((first.status, second.status), (200, 403));
    assert!(rest.is_empty() && http::read_to_end(&mut stream).is_empty());
}

/// It has no address, so it is on no list.
#[cfg(unix)]
#[test]
fn a_unix_domain_peer_is_on_no_list() {
    use super::common::unix::serve_unix;
    use std::io::Read;

    for (allowed, denied, status) in [
        (&[][..], &["0.0.0.0/0", "::/0"][..], "200"),
        (&["0.0.0.0/0", "::/0"], &[], "403"),
    ] {
        let options = move || Options {
            allow_addresses: list(allowed),
            deny_addresses: list(denied),
            ..quiet()
        };
        let (_server, path) = serve_unix(options, |app| _ = app.get("/page", |ctx| ctx.text("x")));
        let mut stream = std::os::unix::net::UnixStream::connect(path).expect("connect");
        let request = b"GET /page HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        // It may have been answered already.
        let _ = stream.write_all(request);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
}
