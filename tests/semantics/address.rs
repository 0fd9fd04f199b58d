//! 16. The client's address: the TCP peer's, unless a trusted proxy says better.

use crate::common::{Client, Server, serve_with};
use rushwire::{App, Options};

fn tell_address(app: &mut App) {
    app.ws("/", |socket, request| {
        let ip = request.client_ip().expect("TCP").to_string();
        let peer = request.peer_addr().expect("TCP").ip();
        let socket_ip = socket.remote_addr().expect("TCP").ip();
        assert_eq!(socket_ip.to_string(), ip, "the socket tells the same");
        socket.send(&format!("{ip} by way of {peer}"));
    });
    app.get("/", |ctx| {
        ctx.text(ctx.request().client_ip().expect("TCP").to_string())
    });
}

fn serve_trusting(trusted: &'static [&'static str]) -> Server {
    let options = move || Options {
        trusted_proxies: trusted.iter().map(|proxy| (*proxy).to_owned()).collect(),
        ..Options::default()
    };
    serve_with(options, tell_address)
}

/// D14: predecessors believed the header of anybody.
#[test]
fn the_client_is_the_first_from_the_right_who_is_no_trusted_proxy() {
    const NONE: &[&str] = &[];
    const LOCAL: &[&str] = &["127.0.0.1"];
    const NET: &[&str] = &["127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48"];
    #[rustfmt::skip]
    let table = [
        ("nobody is trusted",       NONE,  "X-Forwarded-For: 6.6.6.6\r\n",                                  "127.0.0.1"),
        ("nor with the new header", NONE,  "Forwarded: for=6.6.6.6\r\n",                                    "127.0.0.1"),
        ("others are trusted",      &["10.0.0.0/8"][..], "X-Forwarded-For: 6.6.6.6\r\n",                    "127.0.0.1"),
        ("a trusted peer, silent",  LOCAL, "",                                                              "127.0.0.1"),
        ("one proxy",               LOCAL, "X-Forwarded-For: 6.6.6.6\r\n",                                  "6.6.6.6"),
        ("the left end is forged",  LOCAL, "X-Forwarded-For: 1.2.3.4, 6.6.6.6\r\n",                         "6.6.6.6"),
        ("a chain of proxies",      NET,   "X-Forwarded-For: 1.2.3.4, 6.6.6.6, 10.1.1.1, 10.2.2.2\r\n",     "6.6.6.6"),
        ("over two lines",          NET,   "X-Forwarded-For: 1.2.3.4, 6.6.6.6\r\nX-Forwarded-For: 10.1.1.1\r\n", "6.6.6.6"),
        ("forged, in its own line", LOCAL, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 6.6.6.6\r\n",    "6.6.6.6"),
        ("the same, new header",    LOCAL, "Forwarded: for=1.2.3.4\r\nForwarded: for=6.6.6.6\r\n",        "6.6.6.6"),
        ("proxies only",            NET,   "X-Forwarded-For: 10.3.3.3, 10.1.1.1\r\n",                       "10.3.3.3"),
        ("rubbish hides the rest",  NET,   "X-Forwarded-For: 6.6.6.6, evil, 10.1.1.1\r\n",                  "10.1.1.1"),
        ("with a port",             LOCAL, "X-Forwarded-For: 6.6.6.6:1234\r\n",                             "6.6.6.6"),
        ("IPv6",                    NET,   "X-Forwarded-For: 2001:db8::5, 2001:db8:1::9\r\n",               "2001:db8::5"),
        ("IPv6 with a port",        LOCAL, "X-Forwarded-For: [2001:db8::5]:443\r\n",                        "2001:db8::5"),
        ("mapped IPv4",             NET,   "X-Forwarded-For: ::ffff:6.6.6.6, ::ffff:10.1.1.1\r\n",          "6.6.6.6"),
        ("Forwarded",               LOCAL, "Forwarded: for=6.6.6.6;proto=https;by=10.0.0.1\r\n",            "6.6.6.6"),
        ("a list in Forwarded",     NET,   "Forwarded: for=1.2.3.4, For=6.6.6.6;host=x, for=10.1.1.1\r\n",  "6.6.6.6"),
        ("quoted, with a port",     LOCAL, "Forwarded: for=\"[2001:db8::5]:80\"\r\n",                       "2001:db8::5"),
        ("an obfuscated hop",       NET,   "Forwarded: for=6.6.6.6, for=_hidden, for=10.1.1.1\r\n",         "10.1.1.1"),
        ("two headers that agree",  LOCAL, "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n",        "6.6.6.6"),
        ("two headers that differ", LOCAL, "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=6.6.6.6\r\n",        "127.0.0.1"),
        ("an empty header",         LOCAL, "X-Forwarded-For:\r\n",                                          "127.0.0.1"),
    ];
    for (name, trusted, headers, expected) in table {
        let server = serve_trusting(trusted);
        let mut client = Client::connect_with(server.addr, "/", headers);
        assert_eq!(
            client.text(),
            format!("{expected} by way of 127.0.0.1"),
            "{name}"
        );
        let page = crate::http::request(
            server.addr,
            format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n"),
        );
        assert_eq!(page.text(), expected, "{name}, over HTTP");
    }
}

/// What stands to the left of the proxy's own element is whatever the client liked to send.
#[test]
fn nothing_that_a_client_sends_ahead_forges_or_hides_what_its_proxy_says() {
    #[rustfmt::skip]
    let table: [(&str, &[u8], &str); 21] = [
        ("an open quotation mark",     b"X-Forwarded-For: \", 6.6.6.6",                               "6.6.6.6"),
        ("one that ends in mid-air",   b"X-Forwarded-For: 1.2.3.4, \"\\, 6.6.6.6",                   "6.6.6.6"),
        ("one, and no text",           b"X-Forwarded-For: 1.2.3.4, \"\xFF, 6.6.6.6",                 "6.6.6.6"),
        ("no text hides the rest",     b"X-Forwarded-For: 1.2.3.4, \xFF, 10.1.1.1",                  "10.1.1.1"),
        ("nor is it an address",       b"X-Forwarded-For: 1.2.3.4, 6.6.6.6\xFF",                     "127.0.0.1"),
        ("the new header, left open",  b"Forwarded: for=\", for=6.6.6.6",                            "6.6.6.6"),
        ("and a quoted element",       b"Forwarded: for=\", for=\"[2001:db8::5]:80\"",               "2001:db8::5"),
        ("left open, escaped",         b"Forwarded: for=\"\\, for=6.6.6.6",                          "6.6.6.6"),
        ("left open, no text",         b"Forwarded: for=1.2.3.4, for=\"\xFF, for=6.6.6.6",           "6.6.6.6"),
        ("no text between",            b"Forwarded: for=1.2.3.4, for=\xFF, for=10.1.1.1",            "10.1.1.1"),
        ("a host with a semicolon",    b"Forwarded: host=\"a;for=1.2.3.4\";for=6.6.6.6",             "6.6.6.6"),
        ("and a quotation mark",       b"Forwarded: host=\"a\\\";for=1.2.3.4;b=\\\"\";for=6.6.6.6", "6.6.6.6"),
        ("and a backslash at its end", b"Forwarded: host=\"a\\\\\";for=6.6.6.6",                    "6.6.6.6"),
        ("a host with a comma",        b"Forwarded: for=6.6.6.6;host=\"a, for=1.2.3.4\"",            "6.6.6.6"),
        ("a comma, before it",         b"Forwarded: host=\"a, for=1.2.3.4\";for=6.6.6.6",            "6.6.6.6"),
        ("a host that is no text",     b"Forwarded: for=6.6.6.6;host=\"\xFF\"",                      "6.6.6.6"),
        ("it is for two",              b"Forwarded: for=1.2.3.4;for=6.6.6.6",                        "127.0.0.1"),
        ("it is for nobody",           b"Forwarded: for=1.2.3.4, by=10.1.1.1",                       "127.0.0.1"),
        ("half a quotation",           b"Forwarded: for=\"6.6.6.6",                                  "127.0.0.1"),
        ("a port without a number",    b"Forwarded: for=\"6.6.6.6:_p.1-x\"",                         "6.6.6.6"),
        ("the same, IPv6",             b"Forwarded: for=\"[2001:db8::5]:_p\"",                       "2001:db8::5"),
    ];
    let server = serve_trusting(&["127.0.0.1", "10.0.0.0/8"]);
    for (name, header, expected) in table {
        let head = [b"GET / HTTP/1.1\r\nHost: x\r\n", header, b"\r\n\r\n"].concat();
        let page = crate::http::request(server.addr, head);
        assert_eq!(page.text(), expected, "{name}");
    }
}

#[test]
fn what_looks_like_an_address_and_is_none_is_rubbish() {
    let server = serve_trusting(&["127.0.0.1", "10.0.0.0/8"]);
    #[rustfmt::skip]
    let table = [
        "6.6.6", "6.6.6.6.6", "6.6.6.256", "06.6.6.6", "6.6.6.6:", "6.6.6.6:x", "6.6.6.6:65536", "6.6.6.6:+80", "6.6.6.6:_", "6.6.6.6:80:80",
        "[6.6.6.6]", "[2001:db8::5", "2001:db8::5]", "[2001:db8::5]:", "[2001:db8::5]80", "[2001:db8::5]:65536", "[]", "[", "]", ":80", "2001:db8::5/64",
        "6.6.6.6/32", "fe80::1%eth0", "localhost", "unknown", "_hidden", "\"6.6.6.6\"", "6.6.6.6;", "for=6.6.6.6",
    ];
    for rubbish in table {
        let header = format!("X-Forwarded-For: 1.2.3.4, {rubbish}, 10.1.1.1");
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n");
        let page = crate::http::request(server.addr, head);
        assert_eq!(page.text(), "10.1.1.1", "{rubbish}");
    }
}

/// A listener for both families gives IPv4 peers in IPv6 clothes.
#[test]
fn an_ipv4_peer_of_an_ipv6_listener_is_ipv4() {
    let mut app = App::with(Options {
        trusted_proxies: vec!["127.0.0.0/8".into()],
        ..Options::default()
    });
    tell_address(&mut app);
    let mut server = match app.bind("[::]:0") {
        Ok(server) => server,
        Err(e) => return println!("there is no IPv6 here, so nothing to test: {e}"),
    };
    let (addr, remote) = (server.local_addr().expect("TCP"), server.remote());
    let test = std::thread::spawn(move || {
        let addr = (std::net::Ipv4Addr::LOCALHOST, addr.port()).into();
        let ask = move || {
            let plain = crate::http::get(addr, "/").text().to_owned();
            let from = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";
            let forwarded = crate::http::request(addr, from).text().to_owned();
            let socket = Client::connect(addr, "/").text();
            [plain, forwarded, socket]
        };
        // The server is to end even if a question fails.
        let answers = std::thread::spawn(ask).join();
        remote
            .shutdown(std::time::Duration::ZERO)
            .expect("the server runs");
        answers.expect("no panic")
    });
    server.run().expect("run");
    assert_eq!(
        test.join().expect("no panic"),
        ["127.0.0.1", "6.6.6.6", "127.0.0.1 by way of 127.0.0.1"]
    );
}
