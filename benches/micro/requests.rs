//! Opening handshakes as clients send them, and the answer to each (RFC 6455 §1.3). Shared with the
//! instruction counts.

use std::fmt;

pub(crate) const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

/// A request with the key of that section.
#[derive(Clone, Copy)]
pub(crate) struct Handshake {
    name: &'static str,
    pub(crate) text: &'static str,
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} B", self.name, self.text.len())
    }
}

/// No more than the RFC asks for.
pub(crate) const PLAIN: Handshake = Handshake {
    name: "plain",
    text: "GET /chat HTTP/1.1\r\n\
        Host: localhost:3000\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\
        \r\n",
};

/// As browsers send it.
pub(crate) const BROWSER: Handshake = Handshake {
    name: "browser",
    text: "GET /chat/lobby?name=Anna HTTP/1.1\r\n\
        Host: chat.example.org\r\n\
        Connection: Upgrade\r\n\
        Pragma: no-cache\r\n\
        Cache-Control: no-cache\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/130.0.0.0 Safari/537.36\r\n\
        Upgrade: websocket\r\n\
        Origin: https://chat.example.org\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\n\
        Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n\
        Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
        \r\n",
};
