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
        let plain = crate::http::get(addr, "/").text().to_owned();
        let forwarded = crate::http::request(
            addr,
            "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        )
        .text()
        .to_owned();
        remote
            .shutdown(std::time::Duration::ZERO)
            .expect("the server runs");
        (plain, forwarded)
    });
    server.run().expect("run");
    assert_eq!(
        test.join().expect("no panic"),
        ("127.0.0.1".to_owned(), "6.6.6.6".to_owned())
    );
}
