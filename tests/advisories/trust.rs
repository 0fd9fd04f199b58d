//! Who may come in: pages of other sites, requests that pass by what asks for a token, and addresses that
//! the client has made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rushwire::{Hub, Options, Response, Verdict};

use crate::common::client::upgrade_request;
use crate::common::{Client, Server, http, knock, serve, serve_with};

/// A server for the pages of one site, and how often anything of the application has run for a socket.
fn for_one_site() -> (Server, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&ran);
    let options = || Options {
        allow_origins: vec!["https://example.com".into()],
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        let count = move || _ = counts.fetch_add(1, Ordering::SeqCst);
        let (verify, middleware, handler) = (count.clone(), count.clone(), count);
        app.verify_client(move |_| {
            verify();
            true
        });
        app.ws_use(move |_, _, next| {
            middleware();
            next.run();
        });
        app.ws("/", move |_, _| handler());
    });
    (server, ran)
}

/// Cross-site hijacking: CVE-2019-13611 (python-engineio), CVE-2014-3429 (IPython), CVE-2019-13209 (Rancher),
/// CVE-2020-28481 (socket.io), CVE-2024-23898 (Jenkins), CVE-2026-22689 (Mailpit), CVE-2026-55883 (Tilt),
/// CVE-2026-34403 (Nginx-UI), CVE-2026-42283 (DevSpace), CVE-2026-44985 (Dozzle), CVE-2026-44514 (Kubetail),
/// CVE-2026-32815 (SiYuan), CVE-2026-133111 (fastify), GHSA-q355-h244-969h (Komari): the page of another
/// site opened a socket with the cookies of whoever looked at it. When origins are set, none does.
#[test]
fn a_page_of_another_site_opens_no_socket() {
    let (server, ran) = for_one_site();
    #[rustfmt::skip]
    let foreign = [
        "",
        "Origin:\r\n",
        "Origin: null\r\n",
        "Origin: *\r\n",
        "Origin: example.com\r\n",
        "Origin: //example.com\r\n",
        "Origin: http://example.com\r\n",
        "Origin: wss://example.com\r\n",
        "Origin: https://example.com:8443\r\n",
        "Origin: https://example.com:443\r\n",
        "Origin: https://example.com.\r\n",
        "Origin: https://example.com/\r\n",
        "Origin: https://evil-example.com\r\n",
        "Origin: https://example.com.evil.org\r\n",
        "Origin: https://www.example.com\r\n",
        "Origin: https://example.com@evil.org\r\n",
        "Origin: https://evil.org/https://example.com\r\n",
        "Origin: https://evil.org#https://example.com\r\n",
        "Origin: https://evil.org, https://example.com\r\n",
        "Origin: https://example.com, https://evil.org\r\n",
        "Origin: https://example.com https://evil.org\r\n",
        "Origin: \"https://example.com\"\r\n",
        "Origin: https://example%2Ecom\r\n",
        "Origin: https://exаmple.com\r\n", // The third letter is Cyrillic.
        "Origin: https://example.com\r\nOrigin: https://example.com\r\n",
        "Origin: https://evil.org\r\nOrigin: https://example.com\r\n",
        "Origin: https://example.com\r\nOrigin: https://evil.org\r\n",
        "X-Origin: https://example.com\r\n",
        "Referer: https://example.com/\r\n",
        "Sec-WebSocket-Origin: https://example.com\r\n",
        "X-Forwarded-Host: example.com\r\nOrigin: https://localhost\r\n",
        "Origin: https://localhost\r\n",
        "Origin: http://127.0.0.1\r\n",
    ];
    for headers in foreign {
        let with_cookie = format!("{headers}Cookie: session=of-the-victim\r\n");
        assert_eq!(knock(server.addr, "/", &with_cookie), 403, "{headers}");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask(|hub| hub.stats().accepted), 0);
    for own in ["https://example.com", "HTTPS://EXAMPLE.COM"] {
        let headers = format!("Origin: {own}\r\n");
        assert_eq!(knock(server.addr, "/", &headers), 101, "{own}");
    }
}

/// CVE-2021-4236 (ecnepsnai/web), CVE-2025-54376 (hoverfly), CVE-2025-54289 (LXD), CVE-2025-55070
/// (Mattermost): what asks for a token was not run for an upgrade. Here it is, and an error is a no.
#[test]
fn what_asks_for_a_token_is_run_for_upgrades_and_an_error_is_a_no() {
    let by_middleware = serve(|app| {
        app.middleware(|ctx, next| match ctx.request_header("Authorization") {
            Some("Bearer good") => next.run(ctx),
            Some("Bearer panic") => panic!("the token cannot be read"),
            _ => ctx.respond(Response::text("who?").with_status(401)),
        });
        app.ws("/", |_, _| {});
    });
    let by_verdict = serve(|app| {
        app.verify_client(|request| match request.header("Authorization") {
            Some("Bearer good") => Verdict::Accept,
            Some("Bearer panic") => panic!("the token cannot be read"),
            _ => false.into(),
        });
        app.ws("/", |_, _| {});
    });
    let table = [
        ("", 401),
        ("Authorization:\r\n", 401),
        ("Authorization: Bearer bad\r\n", 401),
        ("Authorization: bearer good\r\n", 401),
        ("Authorization: Bearer good, Bearer bad\r\n", 401),
        ("Authorization: \u{e9}\r\n", 401),
        ("Authorization: Bearer panic\r\n", 500),
    ];
    for (name, server) in [("middleware", by_middleware), ("a verdict", by_verdict)] {
        for (headers, status) in table {
            let found = knock(server.addr, "/", headers);
            assert_eq!(found, status, "{name}: {headers}");
            // Nor as one of several requests of a connection.
            let first = "GET /none HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n";
            let both = format!("{first}{}", upgrade_request("/", headers));
            let mut stream = http::connect(server.addr);
            std::io::Write::write_all(&mut stream, both.as_bytes()).expect("send");
            let (_, rest) = http::read_answer(&mut stream, Vec::new(), false);
            let (second, _) = http::read_answer(&mut stream, rest, false);
            assert_eq!(second.status, status, "{name}, the second: {headers}");
        }
        assert_eq!(server.ask(|hub| hub.stats().accepted), 0, "{name}");
        let good = "Authorization: Bearer good\r\n";
        assert_eq!(knock(server.addr, "/", good), 101, "{name}");
    }
}

/// A forged `X-Forwarded-For`: whoever writes the header chooses the address
/// that a limit is counted for. Here it is what the trusted proxy has seen, whatever stands before it.
#[test]
fn a_forged_address_passes_no_limit_and_no_list() {
    let options = || Options {
        trusted_proxies: vec!["127.0.0.1".into()],
        deny_addresses: vec!["6.6.6.6".into()],
        max_connections_per_ip: Some(1),
        ..Options::default()
    };
    let server = serve_with(options, |app| _ = app.ws("/", |_, _| {}));
    let forgeries = [
        "",
        "1.2.3.4, ",
        "127.0.0.1, ",
        "::1, 10.0.0.1, ",
        "\", ",
        "unknown, ",
        ", , ",
        "5.5.5.5\r\nX-Forwarded-For: ",
    ];
    for forged in forgeries {
        let denied = format!("X-Forwarded-For: {forged}6.6.6.6\r\n");
        assert_eq!(knock(server.addr, "/", &denied), 403, "{denied}");
        let denied = format!("Forwarded: for=7.7.7.7\r\nX-Forwarded-For: {forged}6.6.6.6\r\n");
        assert_eq!(knock(server.addr, "/", &denied), 403, "{denied}");
    }
    let first = Client::connect_with(server.addr, "/", "X-Forwarded-For: 5.5.5.5\r\n");
    for forged in forgeries {
        let again = format!("X-Forwarded-For: {forged}5.5.5.5\r\n");
        assert_eq!(knock(server.addr, "/", &again), 429, "{again}");
    }
    let other = "X-Forwarded-For: 5.5.5.5, 8.8.8.8\r\n";
    assert_eq!(knock(server.addr, "/", other), 101, "another is another");
    drop(first);
    server.wait_until("all are gone", Hub::is_empty);
}
