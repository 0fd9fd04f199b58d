//! D1–D4: one peer ended the process.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

use rushwire::{App, Hub, Options, event};
use serde_json::{Value, json};

use crate::common::client::{BINARY, CONTINUATION, TEXT, announcement, frame, upgrade_request};
use crate::common::log::log;
use crate::common::{Client, PATIENCE, Server, http, knock, serve, serve_with, until};
use crate::{echo, small};

/// An exception in a listener ended the process, so the quick start died of the first message that was
/// not JSON; here it ends the socket that sent it, with 1011, and is reported.
#[test]
fn d01_a_listener_that_panics_does_not_kill_the_server() {
    let (pen, log) = log();
    let server = serve(move |app| {
        app.on_error(move |report| pen.note(report.to_string()));
        app.ws("/chat", |socket, _| {
            socket.join("general");
            socket.on(event::Message, |socket, message| {
                let said: Value = serde_json::from_slice(message.as_bytes()).expect("it is JSON");
                let said = json!({ "user": said["user"], "text": said["text"] });
                socket.broadcast_all("general", &said.to_string());
            });
        });
    });
    let said = json!({ "user": "ann", "text": "still here" }).to_string();
    let mut steady = server.connect("/chat");
    for nonsense in ["hello", "", "{", "\u{0}", "{\"user\":"] {
        let mut other = server.connect("/chat");
        other.send(nonsense);
        other.expect_close(1011);
        let report = log.next();
        assert!(report.contains("it is JSON"), "{nonsense:?}: {report}");
        steady.send(&said);
        assert_eq!(steady.text(), said, "after {nonsense:?}");
    }
}

/// Decides over a socket that waits, later and anywhere.
type Later = Box<dyn FnOnce() + Send>;

/// What may take its time to let a client in: it hands its decision over `/later`, and lets anybody
/// else pass at once.
type Hold = fn(&mut App, Sender<Later>);

/// A reset while the decision on a client was pending was an error that nobody listened to, which
/// ended the process; here the client is gone, its place is free, and the decision changes nothing.
#[test]
fn d02_a_reset_while_a_decision_is_pending_does_not_kill_the_server() {
    let table: [(&str, Hold); 1] = [("middleware", |app, laters| {
        app.ws_use(move |_, request, next| match request.path() {
            "/later" => laters
                .send(Box::new(|| next.run()))
                .expect("the test waits"),
            _ => next.run(),
        });
    })];
    for (name, hold) in table {
        let (sender, laters) = channel();
        let one = || Options {
            max_connections: 1,
            ..small()
        };
        let server = serve_with(one, move |app| {
            app.get("/page", |ctx| ctx.text("a page"));
            app.ws("/:name", |socket, _| _ = socket.send("hello"));
            hold(app, sender);
        });
        let free = || {
            until("its place is free", || {
                knock(server.addr, "/now", "") == 101
            });
            server.wait_until("nobody is in", Hub::is_empty);
        };
        for round in 0..20 {
            free();
            let stream = ask_behind_a_page(&server);
            let later = laters.recv_timeout(PATIENCE).expect("it is asked");
            reset(stream);
            // Before the server has seen the reset, and after that.
            if round % 2 == 0 {
                free();
            }
            later();
        }
        free();
        let mut good = ask_behind_a_page(&server);
        laters.recv_timeout(PATIENCE).expect("it is asked")();
        let (_, rest) = http::read_answer(&mut good, Vec::new(), false);
        let (answer, rest) = http::read_answer(&mut good, rest, false);
        assert_eq!(answer.status, 101, "{name}");
        let mut good = Client {
            stream: good,
            rest,
            answer,
        };
        assert_eq!(good.text(), "hello", "{name}");
    }
}

/// Asks for a page, which nobody reads, and for a socket that has to wait.
fn ask_behind_a_page(server: &Server) -> TcpStream {
    let requests = format!(
        "GET /page HTTP/1.1\r\nHost: h\r\n\r\n{}",
        upgrade_request("/later", "")
    );
    let mut stream = http::connect(server.addr);
    stream.write_all(requests.as_bytes()).expect("send");
    stream
}

/// The kernel says RST, since something is unread.
fn reset(stream: TcpStream) {
    assert!(stream.peek(&mut [0]).expect("the page comes") > 0);
    drop(stream);
}

/// A `Host` that is none threw inside the event of the upgrade, which ended the process; here that
/// request is answered 400, whatever it asks for.
#[test]
fn d03_a_host_that_is_none_does_not_kill_the_server() {
    let server = serve(|app| {
        app.ws("/", |socket, _| _ = socket.send("hello"));
        app.get("/page", |ctx| ctx.text(ctx.request().host().to_owned()));
    });
    let page = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned();
    let hosts = [
        "bad host%%",
        "%",
        "%zz",
        "a b",
        "[",
        "]",
        "[::1",
        "::1]",
        "[::1]x",
        "a:b",
        "a:99999",
        "a:-1",
        "http://a/",
        "a/b",
        "a?b",
        "a#b",
        "user@a",
        "\\",
        "<>",
        "a|b",
    ];
    for host in hosts {
        for request in [upgrade_request("/", ""), page.clone()] {
            let request = request.replace("localhost", host);
            assert_eq!(http::request(server.addr, request).status, 400, "{host:?}");
        }
        assert_eq!(server.connect("/").text(), "hello", "after {host:?}");
    }
    assert_eq!(http::request(server.addr, page).text(), "localhost");
}

/// Lengths that a parser may stumble over, and what each is answered.
const LENGTHS: [(u64, u16); 9] = [
    (1 << 63, 1002),
    ((1 << 63) + 1, 1002),
    (u64::MAX, 1002),
    (u64::MAX - 13, 1002),
    ((1 << 63) - 1, 1009),
    (1 << 62, 1009),
    (1 << 53, 1009),
    (1 << 32, 1009),
    ((1 << 32) - 1, 1009),
];

/// The 14 bytes that announce 2^63 more sent the parser backwards for ever, until the process was out
/// of memory; here they are refused when they have come: 1002 with the highest bit set, which must be 0
/// (RFC 6455 §5.2), and 1009 without.
#[test]
fn d04_a_frame_that_announces_2_to_the_63_bytes_does_not_kill_the_server() {
    for (len, code) in LENGTHS {
        for first in [None, Some(frame(false, 0, TEXT, b"begun"))] {
            for cut in [0, 1, 2, 5, 10, 13] {
                let (pen, log) = log();
                let server = echo(small, pen);
                let mut client = server.connect("/");
                let opcode = first.as_ref().map_or(BINARY, |_| CONTINUATION);
                let bytes = announcement(true, opcode, len);
                assert_eq!(bytes.len(), 14);
                client.send_raw(first.as_deref().unwrap_or_default());
                server.feed(&mut client.stream, &bytes[..cut]);
                // The header may have been refused before its key has come.
                let _ = client.stream.write_all(&bytes[cut..]);
                client.expect_close(code);
                drop(client);
                let end = log.find("a close");
                assert!(end.starts_with(&format!("a close {code} ")), "{len}: {end}");
                let mut next = server.connect("/");
                next.send("still served");
                assert_eq!(next.text(), "still served");
            }
        }
    }
}
