//! `Options::debug`: one line on stderr for each event in the life of a server, which no peer can forge
//! and no secret gets into.
//!
//! Each test runs itself once more as a child, which is the server, so that it has a stderr of its own.

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{ChildStderr, Stdio};
use std::time::Duration;

use common::child::{self, Process, start};
use common::client::upgrade_request;
use common::{Client, http};
use rushwire::{App, Options, event};

/// In the child: serves until it is told to end by `GET /quit`, and gives `true`.
fn serve_as_child() -> bool {
    let Some(debug) = child::role() else {
        return false;
    };
    let mut app = App::with(Options {
        debug: debug == "on",
        heartbeat: Duration::ZERO,
        allow_origins: vec!["https://a.example".into()],
        ..Options::default()
    });
    app.ws_use(|_, request, next| {
        if request.query("reject").is_none() {
            next.run();
        }
    });
    app.ws("/chat", |socket, _| {
        socket.on(event::Message, |socket, message| {
            let text = message.as_text().expect("a verb and a text");
            match text.split_once(' ') {
                Some(("join", room)) => _ = socket.join(room),
                Some(("leave", room)) => _ = socket.leave(room),
                Some((_, text)) => panic!("{text}"),
                None => _ = socket.send(text),
            }
        });
    });
    app.get("/quit", |ctx| ctx.hub().shutdown(Duration::from_secs(20)));
    child::listen(&mut app);
    true
}

/// Connects from where it is allowed.
fn connect(server: &Process, path: &str) -> Client {
    Client::connect_with(server.addr, path, "Origin: https://a.example\r\n")
}

/// Goes through a server's life with it. What a peer can say is said to do harm.
fn live(server: &Process) {
    let plain = |path: &str| http::get(server.addr, path).status;
    assert_eq!(plain("/nowhere/%1b%0a?token=secret"), 404);
    assert_eq!(plain(&format!("/{}", "x".repeat(4_000))), 404);
    let origin = upgrade_request("/chat?token=secret", "Origin: https://secret.example\r\n");
    assert_eq!(http::request(server.addr, origin).status, 403);
    assert_eq!(
        http::request(server.addr, "G\u{1b}T / HTTP/1.1\r\n\r\n").status,
        400
    );

    let mut client = connect(server, "/chat?token=secret");
    client.send("join a\nrushwire: forged\u{1b}[2J");
    client.send("join b");
    client.send("leave b");
    client.send("panic at\r\nrushwire: forged\u{9b}1m\u{202e}");
    assert_eq!(client.closed().0, 1011);
    while client.next().is_some() {}
    drop(client);

    let mut client = connect(server, "/chat");
    client.send_close(4000, "bye\nrushwire: \"forged\"\u{1b}]0;\u{7}");
    client.closed();
    client.expect_end();
    drop(client);

    let mut client = connect(server, "/chat");
    client.send_frame(true, 7, 1, b"");
    assert_eq!(client.closed().0, 1002);
    while client.next().is_some() {}
    drop(client);

    let mut client = connect(server, "/chat?reject&token=secret");
    client.expect_close(1008);
    drop(client);
    let mut client = connect(server, "/chat");
    client.send(&format!("join {}", "\u{10fffd}".repeat(64)));
    client.send("echo");
    assert_eq!(client.text(), "echo");
}

/// Reads lines as they come.
fn lines(stderr: ChildStderr) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        let mut stderr = stderr;
        stderr.read_to_string(&mut text).expect("it is text");
        text
    })
}

/// The lines of each connection, in order, without what differs from run to run. The next connection
/// may come before the last one is seen to end, so the connections are sorted.
fn by_connection(text: &str) -> Vec<Vec<String>> {
    let mut whose: BTreeMap<String, String> = BTreeMap::new();
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let line = line.strip_prefix("rushwire: ").expect(line);
        let value = |name: &str| {
            let words = line.split(' ').filter_map(|word| word.split_once('='));
            let mut found = words.filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| value.to_owned())
        };
        let (socket, peer) = (value("socket"), value("peer"));
        if let (Some(socket), Some(peer)) = (&socket, &peer) {
            whose.insert(socket.clone(), peer.clone());
        }
        let known = socket
            .as_ref()
            .and_then(|socket| whose.get(socket).cloned());
        let owner = peer
            .clone()
            .or(known)
            .or(socket.clone())
            .unwrap_or_default();
        let mut settled = line.to_owned();
        for value in [socket, peer, value("at")].into_iter().flatten() {
            settled = settled.replacen(&value, "…", 1);
        }
        lines.entry(owner).or_default().push(settled);
    }
    let mut lines: Vec<Vec<String>> = lines.into_values().collect();
    lines.sort();
    lines
}

#[test]
fn each_event_is_one_line_that_no_peer_can_forge_and_no_secret_is_in() {
    if serve_as_child() {
        return;
    }
    let name = "each_event_is_one_line_that_no_peer_can_forge_and_no_secret_is_in";
    let mut server = start(name, "on", Stdio::piped());
    let reader = lines(server.stderr());
    live(&server);
    server.end();
    let text = reader.join().expect("no panic");
    let long = r"\u{10fffd}".repeat(64);
    let opened = r#"opened socket=… peer=… path="/chat""#;
    let joined = r#"joined socket=… room="a\nrushwire: forged\u{1b}[2J""#;
    let error = r#"error socket=… message="at\r\nrushwire: forged\u{9b}1m\u{202e}""#;
    let left = joined.replace("joined", "left");
    let panicked = r#"closed socket=… code=1011 by=us cause=Panic undelivered=0 reason="""#;
    let (joined_b, left_b) = (r#"joined socket=… room="b""#, r#"left socket=… room="b""#);
    let bye = r#"reason="bye\nrushwire: \"forged\"\u{1b}]0;\u{7}""#;
    let closed = format!("closed socket=… code=4000 by=peer cause=Requested undelivered=0 {bye}");
    let (joined_long, left_long) = (
        format!(r#"joined socket=… room="{long}""#),
        format!(r#"left socket=… room="{long}""#),
    );
    let gone = r#"closed socket=… code=1006 by=nobody cause=PeerGone undelivered=0 reason="""#;
    let violation = r#"closed socket=… code=1002 by=us cause=Violation(ReservedBits) undelivered=0 reason="reserved bits are set""#;
    let rejected = r#"closed socket=… code=1008 by=us cause=Rejected undelivered=0 reason="rejected by middleware""#;
    let accepted = "accepted peer=…";
    let shown = "x".repeat(199);
    let cut = format!(r#"refused peer=… status=404 cause=no_route path="/{shown}"…"#);
    let mut expected: Vec<Vec<&str>> = vec![
        vec!["listening at=…", "shutdown grace=20s"],
        vec![
            accepted,
            r#"refused peer=… status=404 cause=no_route path="/nowhere/%1b%0a""#,
        ],
        vec![
            accepted,
            r#"refused peer=… status=403 cause=origin path="/chat""#,
        ],
        vec![accepted, "refused peer=… status=400 cause=bad_request"],
        vec![
            accepted, opened, joined, joined_b, left_b, error, &left, panicked,
        ],
        vec![accepted, opened, &closed],
        vec![accepted, opened, violation],
        vec![
            accepted,
            r#"refused socket=… peer=… status=101 cause=middleware path="/chat""#,
            rejected,
        ],
        vec![accepted, &cut],
        vec![accepted, opened, &joined_long, &left_long, gone],
        vec![accepted],
    ];
    expected.sort();
    assert_eq!(by_connection(&text), expected);
    assert!(!text.contains("secret"), "{text}");
    let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!text.contains(harmful), "{text:?}");
    assert!(text.lines().all(|line| line.len() < 3_000));
}

#[test]
fn without_debug_nothing_is_written() {
    if serve_as_child() {
        return;
    }
    let mut server = start("without_debug_nothing_is_written", "off", Stdio::piped());
    let reader = lines(server.stderr());
    live(&server);
    server.end();
    assert_eq!(reader.join().expect("no panic"), "");
}

/// `eprintln!` would panic.
#[test]
fn a_stderr_that_nobody_reads_any_more_harms_nothing() {
    if serve_as_child() {
        return;
    }
    let name = "a_stderr_that_nobody_reads_any_more_harms_nothing";
    let mut server = start(name, "on", Stdio::piped());
    drop(server.stderr());
    live(&server);
    server.end();
}

#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_is_full_harms_nothing() {
    if serve_as_child() {
        return;
    }
    let full = std::fs::File::options().write(true).open("/dev/full");
    let full = Stdio::from(full.expect("Linux has it"));
    let server = start("a_stderr_that_is_full_harms_nothing", "on", full);
    live(&server);
    server.end();
}
