//! The peer or the network ends the connection, with FIN or with RST, at every phase that it goes
//! through. The places inside of frames and messages are in `tests/lifecycle/ends.rs`.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rushwire::testing::TestServer;
use rushwire::{App, Hub, Options, Response, Socket};

use super::alone::alone;
use super::common::client::{
    BINARY, CLOSE, TEXT, announcement, close_payload, frame, upgrade_request,
};
use super::common::log::{Pen, log};
use super::common::{NEVER, Server, http, serve_with, until};
use super::still;

/// More than the kernel takes for a peer on the same machine that does not read.
const MORE_THAN_THE_KERNEL_TAKES: usize = 24 << 20;
const PAGE: &str = "GET /page HTTP/1.1\r\nHost: x\r\n\r\n";

/// What another thread has still to decide.
type Later = Arc<Mutex<Vec<Box<dyn FnOnce() + Send>>>>;

/// Nothing ends by itself: whatever is freed is freed because of the peer's end.
fn patient() -> Options {
    Options {
        handshake_timeout: NEVER,
        keep_alive_timeout: NEVER,
        close_timeout: NEVER,
        ..still()
    }
}

fn serve(pen: Pen, later: &Later) -> Server {
    let [verdicts, nexts, answers] = [(); 3].map(|()| Arc::clone(later));
    let keep = |list: &Later, decide: Box<dyn FnOnce() + Send>| {
        list.lock().expect("no panic").push(decide);
    };
    serve_with(patient, move |app| {
        app.verify_client_deferred(move |request, verdict| match request.path() {
            "/verdict" => keep(&verdicts, Box::new(|| verdict.accept())),
            _ => verdict.accept(),
        });
        app.ws_use(move |_, request, next| match request.path() {
            "/middleware" => keep(&nexts, Box::new(|| next.run())),
            _ => next.run(),
        });
        app.get("/page", |ctx| ctx.text("a page"));
        app.post("/page", |ctx| ctx.text("a page"));
        app.get("/large", |ctx| {
            ctx.bytes("x/y", vec![b'x'; MORE_THAN_THE_KERNEL_TAKES])
        });
        app.get("/answer", move |ctx| {
            let deferred = ctx.defer();
            keep(
                &answers,
                Box::new(|| deferred.respond(Response::text("late"))),
            );
        });
        app.ws("/:phase", move |socket, _| {
            pen.watch("a", socket);
            socket.join("room");
        });
    })
}

/// A phase of a connection.
struct Phase {
    name: &'static str,
    /// What the peer says after a page that it leaves unread, so that its end can be RST.
    says: Vec<u8>,
    /// What the application does then.
    acts: fn(&Hub),
    /// What is heard of it, but for the end; of what is decided after the end, too.
    heard: &'static [&'static str],
    /// The end, if it was a socket, by FIN and by RST.
    ends: Option<[&'static str; 2]>,
}

const NOTHING: fn(&Hub) = |_| {};
const GONE: &str = r#"a close 1006 "" Nobody PeerGone 0"#;
const RESET: &str = r#"a close 1006 "" Nobody Io(ConnectionReset) 0"#;

fn phases() -> Vec<Phase> {
    let phase = |name, says: &[u8]| Phase {
        name,
        says: says.to_vec(),
        acts: NOTHING,
        heard: &[],
        ends: None,
    };
    let socket = |name, says: &[u8]| Phase {
        says: [upgrade_request("/socket", "").as_bytes(), says].concat(),
        heard: &["a open"],
        ends: Some([GONE, RESET]),
        ..phase(name, b"")
    };
    let pending =
        |path: &str, behind: &[u8]| [upgrade_request(path, "").as_bytes(), behind].concat();
    let early = frame(true, 0, TEXT, b"early");
    vec![
        phase("between two requests", b""),
        phase("inside of a request line", b"GET /pa"),
        phase("inside of a head", b"GET /page HTTP/1.1\r\nHost: x\r\nX: "),
        phase(
            "inside of a body",
            b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        ),
        phase(
            "inside of a chunk",
            b"POST /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        ),
        phase("behind a request that was refused", b"GET\r\n\r\n"),
        phase(
            "while a large answer waits",
            b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        phase(
            "while an answer is pending",
            b"GET /answer HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        phase(
            "while an answer is pending, and a request behind it",
            &[b"GET /answer HTTP/1.1\r\nHost: x\r\n\r\n", PAGE.as_bytes()].concat(),
        ),
        Phase {
            // With FIN the answer may still be read; the verdict makes it a socket, which ends then.
            heard: &["a open"],
            ends: Some([GONE, ""]),
            ..phase("while a verdict is pending", &pending("/verdict", b""))
        },
        Phase {
            heard: &["a open", "a message early"],
            ends: Some([GONE, ""]),
            ..phase(
                "while a verdict is pending, and a frame behind it",
                &pending("/verdict", &early),
            )
        },
        phase("while middleware is pending", &pending("/middleware", b"")),
        phase(
            "while middleware is pending, and a frame behind it",
            &pending("/middleware", &early),
        ),
        Phase {
            // It is not read any more, not even to its FIN.
            heard: &["a open", "a message 60000 bytes"],
            ends: Some([GONE, ""]),
            ..phase(
                "while middleware is pending, and more than is held behind it",
                &pending("/middleware", &frame(true, 0, BINARY, &[0; 60_000])),
            )
        },
        socket("open", b""),
        Phase {
            acts: |hub| each(hub, |socket| _ = socket.close_with(4000, "")),
            ends: Some([r#"a close 4000 "" Us Requested 0"#; 2]),
            ..socket("behind our close frame", b"")
        },
        Phase {
            ends: Some([r#"a close 4001 "" Peer Requested 0"#; 2]),
            ..socket(
                "behind its close frame",
                &frame(true, 0, CLOSE, &close_payload(4001, "")),
            )
        },
        Phase {
            heard: &["a open", "a error reserved bits are set"],
            ends: Some([r#"a close 1002 "reserved bits are set" Us Violation(ReservedBits) 0"#; 2]),
            ..socket("behind a violation", &frame(true, 4, TEXT, b""))
        },
        Phase {
            heard: &[
                "a open",
                "a error message of 1048577 bytes, at most 1048576 are accepted",
            ],
            ends: Some(
                [r#"a close 1009 "message of 1048577 bytes, at most 1048576 are accepted" Us Violation(TooBig { len: 1048577, max: 1048576 }) 0"#;
                    2],
            ),
            ..socket(
                "behind a message that is too big",
                &announcement(true, BINARY, (1 << 20) + 1),
            )
        },
        Phase {
            acts: |hub| {
                each(hub, |socket| {
                    _ = socket.send(&vec![0; MORE_THAN_THE_KERNEL_TAKES])
                })
            },
            // Writing has met the reset first, and what is read then is only the end.
            ends: Some([GONE, r#"a close 1006 "" Nobody PeerGone 1"#]),
            ..socket("while a message waits", b"")
        },
        Phase {
            acts: |hub| {
                each(hub, |socket| {
                    socket.send(&vec![0; MORE_THAN_THE_KERNEL_TAKES]);
                    socket.close();
                })
            },
            ends: Some([
                r#"a close 1000 "" Us Requested 0"#,
                r#"a close 1000 "" Us Requested 1"#,
            ]),
            ..socket("while a message and our close frame wait", b"")
        },
    ]
}

fn each(hub: &Hub, act: impl Fn(&Socket)) {
    hub.sockets().iter().for_each(act);
}

/// Brings a connection into that phase: the page is there, and all that was said is read.
fn begin(server: &Server, phase: &Phase, later: &Later) -> TcpStream {
    let mut stream = http::connect(server.addr);
    stream
        .write_all(&[PAGE.as_bytes(), &phase.says].concat())
        .expect("send");
    assert!(stream.peek(&mut [0]).expect("the page comes") > 0);
    if phase.ends.is_some_and(|[_, rst]| !rst.is_empty()) {
        server.wait_until("it is open", |hub| hub.stats().accepted == 1);
    } else if phase.name.contains("pending") {
        until("it is asked", || {
            !later.lock().expect("no panic").is_empty()
        });
    }
    let acts = phase.acts;
    server.ask(acts);
    server.ask(|_| ());
    stream
}

fn decide(later: &Later) {
    let all = std::mem::take(&mut *later.lock().expect("no panic"));
    all.into_iter().for_each(|decide| decide());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("Linux tells")
        .count()
}

/// Plays one phase; gives what the application heard.
fn play(phase: &Phase, by_reset: bool) -> Vec<String> {
    let (pen, log) = log();
    let later = Later::default();
    let server = serve(pen, &later);
    let before = descriptors();
    let mut stream = begin(&server, phase, &later);
    if by_reset {
        drop(stream);
        until(phase.name, || descriptors() == before);
        decide(&later);
    } else {
        stream.shutdown(Shutdown::Write).expect("FIN");
        decide(&later);
        // It is over when all that was said to it is read, and not before.
        std::io::copy(&mut stream, &mut std::io::sink()).expect("FIN, and no RST");
        drop(stream);
        until(phase.name, || descriptors() == before);
    }
    let stats = server.ask(|hub| hub.stats());
    assert_eq!(stats.total_connections, 0, "{}", phase.name);
    assert!(
        stats.rooms.is_empty() && stats.waiting_bytes == 0,
        "{}",
        phase.name
    );
    server.stop(Duration::ZERO);
    log.rest()
}

#[cfg(target_os = "linux")]
#[test]
fn whenever_the_peer_goes_its_end_is_told_once_and_nothing_of_it_is_left() {
    alone(
        "ends::whenever_the_peer_goes_its_end_is_told_once_and_nothing_of_it_is_left",
        || {
            for phase in phases() {
                for by_reset in [false, true] {
                    let end = phase.ends.map(|ends| ends[usize::from(by_reset)]);
                    // A socket that was never let in is never heard of.
                    let heard = if end == Some("") { &[] } else { phase.heard };
                    let mut expected = heard.to_vec();
                    if by_reset && end == Some(RESET) {
                        expected.push("a error connection reset");
                    }
                    expected.extend(end.filter(|end| !end.is_empty()));
                    let name = phase.name;
                    assert_eq!(play(&phase, by_reset), expected, "{name}, RST: {by_reset}");
                }
            }
        },
    );
}

/// Before the first byte there is nothing that could be left unread, so here it is in memory: in a time
/// that stands still no place would ever be free again.
#[test]
fn who_goes_before_the_first_byte_or_within_the_first_request_leaves_its_place() {
    for part in [
        "",
        "G",
        "GET /page HTTP/1.1\r\nHost: x\r\n",
        &upgrade_request("/socket", "")[..60],
    ] {
        for by_reset in [false, true] {
            let mut app = App::with(Options {
                max_connections: 1,
                ..patient()
            });
            app.get("/page", |ctx| ctx.text("a page"));
            let test = TestServer::new(app).expect("nothing is wrong with it");
            for _ in 0..600 {
                let mut connection = test.open();
                connection.send(part);
                if by_reset {
                    connection.reset();
                } else {
                    connection.finish();
                    assert!(
                        connection.is_ended() && connection.recv().is_empty(),
                        "{part:?}"
                    );
                }
            }
            assert_eq!(
                test.get("/page").text(),
                "a page",
                "{part:?}, RST: {by_reset}"
            );
        }
    }
}
