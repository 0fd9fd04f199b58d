//! Who: origins, subprotocols, proxies.

use rushwire::Options;

use super::common::Client;
use super::{limited, quiet};

#[test]
fn origins_subprotocols_and_proxies_are_obeyed() {
    let options = || Options {
        allow_origins: vec!["https://example.com".into()],
        subprotocols: vec!["v2".into(), "v1".into()],
        trusted_proxies: vec!["127.0.0.0/8".into()],
        ..quiet()
    };
    let (server, log) = limited(options);
    let refused = Client::try_connect(server.addr, "/", "Origin: https://evil.example\r\n")
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(refused.status, 403);
    let headers = "Origin: https://example.com\r\nSec-WebSocket-Protocol: v1, v2\r\nX-Forwarded-For: 203.0.113.9\r\n";
    let client = Client::connect_with(server.addr, "/", headers);
    assert_eq!(
        client.answer.header("sec-websocket-protocol"),
        Some("v2"),
        "our order counts"
    );
    assert_eq!(log.next(), "from Some(203.0.113.9)");
    let (server, log) = limited(quiet);
    let client = Client::connect_with(server.addr, "/", headers);
    assert_eq!(client.answer.header("sec-websocket-protocol"), None);
    assert_eq!(log.next(), "from Some(127.0.0.1)");
}
