//! The example `client`: lines in, messages out, and how it ends.
#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::example::{Example, command, refusal};
use common::{http, serve, serve_with, until};
use rushwire::{App, CloseCode, Options, event};

/// The program while it runs.
struct Talker(Child);

impl Talker {
    fn start(url: &str, words: &[&str]) -> Self {
        let mut program = command("client");
        program.arg(url).args(words);
        for pipe in [Command::stdin, Command::stdout, Command::stderr] {
            pipe(&mut program, Stdio::piped());
        }
        Self(program.spawn().expect("run `cargo build --examples`"))
    }

    /// Types this, and nothing more.
    fn say(&mut self, text: &str) {
        let mut stdin = self.0.stdin.take().expect("it is piped");
        let text = text.to_owned();
        // The program may have ended, and what it prints has to be read meanwhile.
        std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    }

    /// Waits for its end: the exit code, what it printed, and what it complained of.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut stderr = self.0.stderr.take().expect("it is piped");
        let complaints = std::thread::spawn(move || {
            let mut said = String::new();
            stderr
                .read_to_string(&mut said)
                .map(|_| said)
                .expect("text")
        });
        let mut printed = String::new();
        let mut stdout = self.0.stdout.take().expect("it is piped");
        stdout.read_to_string(&mut printed).expect("text");
        let mut status = None;
        until("it ends", || {
            status = self.0.try_wait().expect("wait");
            status.is_some()
        });
        let code = status.and_then(|status| status.code());
        (code, printed, complaints.join().expect("read"))
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn echo(app: &mut App) {
    app.ws("/echo", |socket, _| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    });
}

#[test]
fn lines_are_sent_and_what_comes_back_is_printed() {
    let program = Example::start("chat", &[]);
    let mut talker = Talker::start(&format!("ws://{}/echo", program.addr), &[]);
    talker.say("hello\n\nwörld");
    let (code, printed, said) = talker.end();
    assert_eq!(printed, "Welcome!\nEcho: hello\nEcho: \nEcho: wörld\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("connected") && said.contains("closed: 1000"),
        "{said}"
    );
}

#[test]
fn it_takes_part_in_the_chat() {
    let program = Example::start("chat", &[]);
    let login = r#"{"name":"Ada"}"#;
    let request = format!(
        "POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{login}",
        login.len()
    );
    let answer: serde_json::Value =
        serde_json::from_str(http::request(program.addr, request).text()).expect("JSON");
    let token = answer["token"].as_str().expect("a token");
    let header = format!("Authorization: Bearer {token}");
    let mut talker = Talker::start(
        &format!("ws://{}/chat/hall", program.addr),
        &["--header", &header],
    );
    talker.say("{\"type\":\"chat\",\"text\":\"good morning\"}\n");
    let (code, printed, said) = talker.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.contains("room-history"), "{printed}");
    assert!(printed.contains("good morning"), "{printed}");
}

#[test]
fn more_lines_than_fit_anywhere_all_come_back_in_order() {
    let server = serve(echo);
    let mut talker = Talker::start(&format!("ws://{}/echo", server.addr), &["--linger", "3"]);
    let lines: String = (0..100_000).map(|n| format!("line number {n}\n")).collect();
    talker.say(&lines);
    let (code, printed, said) = talker.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed.lines().count(), 100_000, "{said}");
    assert!(printed == lines);
}

#[test]
fn who_is_refused_or_closed_otherwise_ends_with_status_1_and_says_why() {
    let server = serve(|app| {
        app.ws("/closing", |socket, _| {
            let closed = socket.close_with(CloseCode::from(4001), "not today");
            closed.expect("a code of our own");
        });
    });
    let port_of_nobody = "ws://127.0.0.1:1/".to_owned();
    let table = [
        (format!("ws://{}/nowhere", server.addr), "404"),
        (format!("ws://{}/closing", server.addr), "4001 not today"),
        (port_of_nobody, "refused"),
    ];
    for (url, why) in table {
        let (code, printed, said) = Talker::start(&url, &[]).end();
        assert_eq!((code, &*printed), (Some(1), ""), "{url}: {said}");
        assert!(said.contains(why), "{url}: {said}");
    }
}

#[test]
fn with_reconnect_it_comes_back() {
    let speaks_b = || Options {
        subprotocols: vec!["b".into()],
        ..Options::default()
    };
    let server = serve_with(speaks_b, |app| {
        let mut count = 0;
        app.ws("/", move |socket, request| {
            count += 1;
            assert_eq!(request.header("x-name"), Some("value"));
            socket.send(&format!("visit {count}, {:?}", socket.protocol()));
            match count {
                1 => socket
                    .close_with(CloseCode::from(1012), "again")
                    .expect("a code"),
                _ => socket.close(),
            }
        });
    });
    let words = [
        "--reconnect",
        "--header",
        "X-Name: value",
        "--protocol",
        "a",
        "--protocol",
        "b",
    ];
    let talker = Talker::start(&format!("ws://{}/", server.addr), &words);
    let (code, printed, said) = talker.end();
    assert_eq!(
        printed, "visit 1, Some(\"b\")\nvisit 2, Some(\"b\")\n",
        "{said}"
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("again in"), "{said}");
}

#[test]
fn a_command_line_that_is_wrong_is_quoted() {
    for (words, quoted) in [
        (&[][..], "where to"),
        (&["http://a"], "http://a"),
        (&["ws://a", "--colour"], "--colour"),
        (&["ws://a", "--header"], "--header"),
        (&["ws://a", "--header", "no colon"], "NAME:VALUE"),
        (&["ws://a", "--header", "Host: b"], "Host"),
        (&["ws://a", "--protocol", "b c"], "b c"),
    ] {
        let mut program = command("client");
        program.args(words).stdin(Stdio::null());
        let said = refusal(program);
        assert!(said.contains(quoted), "{words:?}: {said}");
    }
}

#[test]
fn it_prints_at_once_and_not_when_it_ends() {
    let server = serve(echo);
    let mut talker = Talker::start(&format!("ws://{}/echo", server.addr), &["--linger", "0"]);
    let mut stdin = talker.0.stdin.take().expect("it is piped");
    let mut stdout = BufReader::new(talker.0.stdout.take().expect("it is piped"));
    for text in ["one\n", "two\n"] {
        stdin.write_all(text.as_bytes()).expect("it reads");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        assert_eq!(line, text);
    }
    drop(stdin);
    until("it ends", || talker.0.try_wait().expect("wait").is_some());
    server.wait_until("it has left", |hub| hub.is_empty());
    server.stop(Duration::from_secs(1));
}
