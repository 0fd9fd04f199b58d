//! The kit against the kernel: what a server answers to the same bytes is the same, byte for byte, over
//! TCP and in memory, however they are cut there. The client is no part of the library.

use std::io::Write;
use std::net::Shutdown;

use rushwire::testing::TestServer;
use rushwire::{App, Options, event};

use super::common::client::{
    BINARY, CLOSE, CONTINUATION, PING, TEXT, announcement, close_payload, frame, upgrade_request,
};
use super::common::{http, serve_with};
use super::still;

/// Pongs overtake messages that the network refuses, so a narrow one changes their order.
const PINGS: &str = "pings";

/// What the client sends before its FIN.
fn scripts() -> Vec<(&'static str, Vec<u8>)> {
    let open =
        |frames: &[Vec<u8>]| [upgrade_request("/", "").into_bytes(), frames.concat()].concat();
    let bye = || frame(true, 0, CLOSE, &close_payload(1000, "bye"));
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes();
    #[rustfmt::skip]
    let scripts = vec![
        ("nothing",          Vec::new()),
        ("half a head",      b"GET / HT".to_vec()),
        ("pages",            [get("/page"), get("/nowhere"), get("/"), get("/page")].concat()),
        ("a large page",     [get("/large"), get("/page")].concat()),
        ("HEAD",             b"HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n".to_vec()),
        ("wrong method",     b"PUT /page HTTP/1.1\r\nHost: h\r\n\r\n".to_vec()),
        ("no HTTP",          b"\x16\x03\x01\r\n\r\n".to_vec()),
        ("a body",           b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody".to_vec()),
        ("chunks",           b"POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()),
        ("no close frame",   open(&[frame(true, 0, TEXT, b"hello")])),
        ("a conversation",   open(&[frame(true, 0, TEXT, b"hello"), frame(true, 0, BINARY, &[9; 70_000]), bye()])),
        ("many messages",    open(&(0..300).map(|i| frame(true, 0, BINARY, &vec![1; i * 5])).chain([bye()]).collect::<Vec<_>>())),
        ("fragments",        open(&[frame(false, 0, TEXT, b"frag"), frame(true, 0, CONTINUATION, b"ments"), bye()])),
        (PINGS,              open(&[frame(false, 0, TEXT, b"a "), frame(true, 0, PING, b"p"), frame(true, 0, CONTINUATION, b"ping"), frame(true, 0, PING, b""), bye()])),
        ("not masked",       open(&[b"\x81\x05Hello".to_vec()])),
        ("not text",         open(&[frame(true, 0, TEXT, b"\xFF")])),
        ("reserved bits",    open(&[frame(true, 4, TEXT, b"x")])),
        ("too large",        open(&[announcement(true, BINARY, 1 << 20)])),
        ("a panic",          open(&[frame(true, 0, TEXT, b"panic")])),
        ("refused",          upgrade_request("/nowhere", "").into_bytes()),
        ("no version",       upgrade_request("/", "").replace(": 13", ": 12").into_bytes()),
    ];
    scripts
}

fn options() -> Options {
    Options {
        max_message_size: 100_000,
        ..still()
    }
}

fn set_up(app: &mut App) {
    app.get("/page", |ctx| ctx.text("a page"));
    app.get("/large", |ctx| ctx.bytes("a/b", vec![b'L'; 200_000]));
    app.post("/body", |ctx| ctx.bytes("a/b", ctx.body()));
    app.ws("/", |socket, _| {
        socket.send("welcome");
        socket.on(event::Message, |socket, message| {
            assert_ne!(message.as_text(), Some("panic"));
            socket.send(message);
        });
    });
}

/// What came, but for the time of day.
fn transcript(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    let lines = text.split("\\r\\n");
    let lines = lines.filter(|line| !line.starts_with("Date: "));
    lines.collect::<Vec<_>>().join("\\r\\n")
}

fn in_memory(bytes: &[u8], window: usize, chunk: usize) -> String {
    let mut app = App::with(options());
    set_up(&mut app);
    let test = TestServer::new(app).expect("nothing is wrong with it");
    test.set_window(window);
    let mut connection = test.open();
    for chunk in bytes.chunks(chunk) {
        connection.send(chunk);
        test.turn();
    }
    connection.finish();
    let came = connection.recv();
    assert!(connection.is_ended());
    transcript(&came)
}

#[test]
fn a_server_in_memory_answers_as_one_over_tcp() {
    let server = serve_with(options, set_up);
    for (name, bytes) in scripts() {
        let mut stream = http::connect(server.addr);
        stream.write_all(&bytes).expect("send");
        stream.shutdown(Shutdown::Write).expect("send FIN");
        let expected = transcript(&http::read_to_end(&mut stream));
        for (window, chunk) in [
            (1 << 20, usize::MAX),
            (1 << 20, 1),
            (4096, 1000),
            (61, 7),
            (1, usize::MAX),
        ] {
            let is_slow = bytes.len().max(expected.len()) > 3_000 && window.min(chunk) < 50;
            if is_slow || name == PINGS && window < 4096 {
                continue;
            }
            let got = in_memory(&bytes, window, chunk);
            assert!(
                got == expected,
                "{name}, {chunk} at a time through {window}:\n{got:.300}\nbut over TCP:\n{expected:.300}"
            );
        }
    }
}
