//! The life of a connection: one request that ends the process, ends that keep the loop busy, and what stays
//! behind of those who have left.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rushwire::{Hub, Options};

use crate::common::client::{BINARY, PING, TEXT, announcement, frame, upgrade_request};
use crate::common::{Server, http};
use crate::{echo, expect_served};

/// CVE-2022-41940, CVE-2023-31125 and CVE-2026-102599 (engine.io), CVE-2023-32695 and CVE-2024-38355
/// (socket.io), CVE-2020-7693 (sockjs), CVE-2026-129500, CVE-2026-129502 and CVE-2026-130647
/// (fastify-http-proxy), CVE-2026-61666 (websocket-driver), CVE-2025-12689 (Mattermost Calls): one request,
/// one frame or one reset, and the process was gone.
#[test]
fn no_request_no_frame_and_no_reset_ends_the_server() {
    let server = echo(Options::default);
    let mut bystander = server.connect("/");
    let get = |target: &str| upgrade_request(target, "").into_bytes();
    let opened = |frames: &[u8]| [get("/"), frames.to_vec()].concat();
    #[rustfmt::skip]
    let attacks: Vec<(&str, Vec<u8>)> = vec![
        ("nothing",                   Vec::new()),
        ("a host with escapes",       upgrade_request("/", "").replace("localhost", "bad host%%").into()),
        ("a host with brackets",      upgrade_request("/", "").replace("localhost", "[::").into()),
        ("an empty host",             upgrade_request("/", "").replace("localhost", "").into()),
        ("a fragment in the target",  get("/#x")),
        ("an escape without digits",  get("/%")),
        ("an absolute target",        get("http://")),
        ("a target of two slashes",   get("//")),
        ("a target of a scheme",      get("javascript:alert(1)")),
        ("a query of a prototype",    get("/?__proto__[x]=1&constructor=2")),
        ("an engine's handshake",     get("/?EIO=4&transport=websocket&sid=__proto__")),
        ("two upgrades at once",      get("/").repeat(2)),
        ("an upgrade in an upgrade",  opened(&get("/"))),
        ("text that is none",         opened(&frame(true, 0, TEXT, b"\xFF\xFE\xED\xA0\x80"))),
        ("text that is no JSON",      opened(&frame(true, 0, TEXT, b"{\"type\":"))),
        ("an event of a prototype",   opened(&frame(true, 0, TEXT, br#"{"type":"__proto__","data":{}}"#))),
        ("half a frame",              opened(&frame(true, 0, TEXT, b"half")[..7])),
        ("half a message",            opened(&frame(false, 0, TEXT, b"half"))),
        ("half a header",             opened(&announcement(true, BINARY, 1 << 20)[..5])),
        ("a reserved opcode",         opened(&frame(true, 7, 15, b"x"))),
        ("a close frame of a byte",   opened(&frame(true, 0, 8, b"x"))),
        ("frames and no request",     frame(true, 0, TEXT, b"x").repeat(10)),
    ];
    for (name, bytes) in &attacks {
        // Whoever leaves before it has read its answer leaves with RST.
        for end in ["FIN", "gone when it was read", "gone at once"] {
            let mut stream = http::connect(server.addr);
            stream.write_all(bytes).expect("send");
            if end != "gone at once" {
                server.ask(|_| ());
            }
            if end == "FIN" {
                stream.shutdown(Shutdown::Write).expect("FIN");
                expect_served(&mut bystander, end);
            }
            drop(stream);
            expect_served(&mut bystander, name);
        }
        expect_served(&mut server.connect("/"), name);
    }
    drop(bystander);
    server.wait_until("all are gone", Hub::is_empty);
}

/// CVE-2026-45736 (ws), and ws before 1.0.1: a close frame or a ping had bytes of the heap in it.
#[test]
fn an_answer_has_the_bytes_of_what_it_answers_and_no_others() {
    let server = echo(Options::default);
    let mut client = server.connect("/");
    for length in (0..=125).rev() {
        // Memory that is used again has these in it.
        let secret = frame(true, 0, BINARY, &[0xAA; 4096]);
        let ping = frame(true, 0, PING, &vec![length; length.into()]);
        client.send_raw(&[secret, ping].concat());
        assert_eq!(client.next().expect("the echo").payload.len(), 4096);
        let pong = client.next().expect("a pong");
        assert_eq!(pong.payload, vec![length; length.into()]);
    }
    for length in [0, 1, 60, 122, 123] {
        let mut client = server.connect("/");
        client.send_binary(&[0xAA; 4096]);
        client.binary();
        client.send_close(4321, &"r".repeat(length));
        let closed = client.next().expect("a close frame").payload;
        let whole = [&4321_u16.to_be_bytes(), "r".repeat(length).as_bytes()].concat();
        assert!(closed == whole || closed == whole[..2], "{closed:?}");
        client.expect_end();
    }
}

/// RUSTSEC-2024-0019 (mio), CVE-2025-11677 (libwebsockets), CVE-2025-11234 (QEMU), CVE-2025-30157 (Envoy): what
/// was meant for a connection that is gone reached whoever came in its place, or freed memory.
#[test]
fn what_is_kept_of_a_connection_that_is_gone_reaches_nobody() {
    let server = echo(Options::default);
    for _ in 0..50 {
        let old = server.connect("/");
        let id = server.ask(|hub| {
            let socket = hub.sockets()[0].clone();
            let id = socket.id();
            hub.set_timeout(Duration::from_secs(1000), move |_| _ = socket.send("late"));
            id
        });
        drop(old);
        server.wait_until("it is gone", Hub::is_empty);
        let mut new = server.connect("/");
        server.ask(move |hub| {
            assert!(hub.socket(id).is_none());
            assert_ne!(hub.sockets()[0].id(), id);
        });
        server
            .remote
            .send(id, "for the old one")
            .expect("the server is there");
        expect_served(&mut new, "for the new one");
        drop(new);
        server.wait_until("it is gone", Hub::is_empty);
    }
}

#[cfg(target_os = "linux")]
mod measured {
    use super::*;
    use crate::alone::{alone, growth};

    /// The processor time that this process has taken.
    fn processor_time() -> Duration {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
        // A tick is 10 ms on every Linux that there is.
        Duration::from_millis(10 * (ticks(11) + ticks(12)))
    }

    /// A connection at every phase of its life.
    fn phases(server: &Server) -> Vec<TcpStream> {
        let upgrade = upgrade_request("/", "");
        let opened = |frames: &[u8]| [upgrade.as_bytes(), frames].concat();
        let phases = [
            Vec::new(),
            upgrade.as_bytes()[..30].to_vec(),
            opened(b""),
            opened(&frame(true, 0, TEXT, b"cut")[..8]),
            opened(&frame(false, 0, TEXT, b"cut")),
            opened(&announcement(true, BINARY, 1 << 20)),
            opened(&frame(true, 0, TEXT, b"echoed and not read")),
        ];
        let open = |bytes: &Vec<u8>| {
            let mut stream = http::connect(server.addr);
            stream.write_all(bytes).expect("send");
            stream
        };
        let streams = phases.iter().map(open).collect();
        server.ask(|_| ());
        streams
    }

    /// CVE-2017-2670 (Undertow): an unclean end of a connection kept an I/O thread busy for ever.
    #[test]
    fn an_unclean_end_does_not_keep_the_loop_busy() {
        alone(
            "life::measured::an_unclean_end_does_not_keep_the_loop_busy",
            || {
                let server = echo(Options::default);
                let mut ended = Vec::new();
                for _ in 0..10 {
                    for (i, stream) in phases(&server).into_iter().enumerate() {
                        match i % 2 {
                            0 => drop(stream),
                            _ => {
                                stream.shutdown(Shutdown::Write).expect("FIN");
                                ended.push(stream);
                            }
                        }
                    }
                }
                server.wait_until("the sockets are gone", Hub::is_empty);
                let before = processor_time();
                std::thread::sleep(Duration::from_millis(500));
                let busy = processor_time() - before;
                assert!(
                    busy < Duration::from_millis(200),
                    "{busy:?} of half a second"
                );
                expect_served(&mut server.connect("/"), "afterwards");
            },
        );
    }

    /// CVE-2024-1635 (Undertow), CVE-2024-23672 (Tomcat): something stayed behind of every upgrade that was
    /// closed, a timer for example.
    #[test]
    fn nothing_stays_behind_of_connections_that_have_ended() {
        alone(
            "life::measured::nothing_stays_behind_of_connections_that_have_ended",
            || {
                let server = echo(Options::default);
                let round = || {
                    for i in 0..300 {
                        let mut client = server.connect("/");
                        match i % 3 {
                            0 => {
                                client.send_close(1000, "");
                                client.expect_close(1000);
                            }
                            1 => client.finish(),
                            _ => {}
                        }
                        drop(client);
                        phases(&server);
                    }
                    server.wait_until("all are gone", Hub::is_empty);
                };
                round();
                let grown = growth(|| (0..3).for_each(|_| round()));
                assert!(grown.resident < 512 << 10, "{grown:?}");
            },
        );
    }

    /// CVE-2020-35896, RUSTSEC-2020-0043 (ws-rs): the buffer of what is to be sent grew without bound. A peer
    /// that sends and does not read is not read either, and gets everything in order when it reads.
    #[test]
    fn a_peer_that_does_not_read_its_echoes_is_not_read() {
        const MESSAGE: usize = 64 << 10;
        const MOST: usize = 64 << 20;
        alone(
            "life::measured::a_peer_that_does_not_read_its_echoes_is_not_read",
            || {
                let server = echo(Options::default);
                let mut client = server.connect("/");
                client
                    .stream
                    .set_write_timeout(Some(Duration::from_millis(300)))
                    .expect("set");
                let mut sent = Vec::new();
                let grown = growth(|| {
                    while sent.len() < MOST {
                        let number = (sent.len() / MESSAGE) as u32;
                        let message =
                            frame(true, 0, BINARY, &number.to_be_bytes().repeat(MESSAGE / 4));
                        match client.stream.write(&message) {
                            Ok(n) if n == message.len() => sent.push(number),
                            _ => break,
                        }
                    }
                });
                assert!(
                    sent.len() * MESSAGE < MOST,
                    "the kernels do not keep that much"
                );
                assert!(grown.resident < 8 << 20, "{grown:?}");
                for number in sent {
                    assert!(
                        client.binary() == number.to_be_bytes().repeat(MESSAGE / 4),
                        "{number}"
                    );
                }
            },
        );
    }
}
