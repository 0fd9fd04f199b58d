//! Extensions: what was not agreed on has no meaning, and names and values are nothing but text.

use rushwire::Options;

use crate::common::Client;
use crate::common::client::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame};
use crate::{echo, expect_served};

/// CVE-2026-59881 (aiohttp): a frame that says it is compressed was inflated though nobody had agreed to
/// that. Without an extension there is nothing that a bomb could be.
#[test]
fn a_compressed_frame_is_refused_where_no_compression_was_agreed_on() {
    let server = echo(Options::default);
    let bomb = [0x63, 0x60, 0x18, 0x05, 0xA3, 0x60, 0x14, 0x0C];
    for offer in [
        "",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    ] {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let mut client = Client::connect_with(server.addr, "/", offer);
            let agreed = client.answer.header("Sec-WebSocket-Extensions");
            assert_eq!(agreed, None, "{offer}");
            client.send_frame(true, 4, opcode, &bomb);
            assert_eq!(client.closed().0, 1002, "{offer}, opcode {opcode}");
            client.expect_end();
        }
        let mut client = Client::connect_with(server.addr, "/", offer);
        client.send_frame(false, 0, BINARY, &bomb);
        client.send_frame(true, 4, CONTINUATION, &bomb);
        assert_eq!(client.closed().0, 1002, "{offer}, a continuation");
        client.expect_end();
    }
}

/// GHSA-5v72-xg48-5rpm (ws): an extension by the name of what every object has made the server throw.
/// CVE-2026-2229 (undici): a number of bits that is none did.
#[test]
fn an_extension_of_any_name_and_value_is_passed_over() {
    let server = echo(Options::default);
    let offers = [
        "__proto__",
        "constructor",
        "toString; hasOwnProperty=__proto__",
        "valueOf, isPrototypeOf, __defineGetter__",
        "permessage-deflate; __proto__=1",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=99",
        "permessage-deflate; server_max_window_bits=18446744073709551616",
        "permessage-deflate; server_max_window_bits=-1",
        "permessage-deflate; server_max_window_bits; server_max_window_bits",
        "permessage-deflate; client_max_window_bits=\"0\"",
    ];
    for offer in offers {
        let header = format!("Sec-WebSocket-Extensions: {offer}\r\n");
        let mut client = Client::connect_with(server.addr, "/", &header);
        let agreed = client.answer.header("Sec-WebSocket-Extensions");
        assert_eq!(agreed, None, "{offer}");
        client.send_raw(&frame(true, 0, TEXT, b"plain"));
        assert_eq!(client.text(), "plain", "{offer}");
        expect_served(&mut client, offer);
    }
}
