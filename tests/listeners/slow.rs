//! `Options::slow_listener`: whoever holds the server's thread is named while it does, and afterwards.
//!
//! Each test runs itself once more as a child, which is the server. What is to block there waits for a
//! line on stdin, so it takes exactly as long as the test wants it to.

mod places;

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rushwire::{App, Options, Socket, event};

use self::places::{HEADERS, PLACES, get, say, serve_places};
use crate::common::child::{self, Process, start};
use crate::common::client::TEXT;
use crate::common::{PATIENCE, http};

/// What the child is told, and the lines that it says.
struct Talk {
    stdin: ChildStdin,
    stderr: Receiver<String>,
}

impl Talk {
    fn with(process: &mut Process) -> Self {
        let (sender, stderr) = mpsc::channel();
        let lines = BufReader::new(process.stderr()).lines();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            stdin: process.stdin(),
            stderr,
        }
    }

    /// The next line, without what differs from run to run.
    fn line(&self) -> String {
        let line = self.stderr.recv_timeout(PATIENCE).expect("a line");
        let words = line.split(' ').map(|word| match word.split_once('=') {
            Some(("socket", _)) => "socket=…".to_owned(),
            Some((key @ ("so_far" | "took"), value)) => {
                let millis = value
                    .strip_suffix("ms")
                    .and_then(|number| number.parse().ok());
                assert!(millis >= Some(LIMIT.as_millis()), "{line}");
                key.to_owned()
            }
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn unblock(&mut self) {
        self.stdin.write_all(b"\n").expect("it is there");
    }

    /// All that is said until the end.
    fn rest(self) -> Vec<String> {
        drop(self.stdin);
        self.stderr.iter().collect()
    }
}

const LIMIT: Duration = Duration::from_millis(20);

#[test]
fn whatever_blocks_is_named_while_it_does_and_when_it_is_over() {
    if child::role().is_some() {
        return serve_places(LIMIT);
    }
    let name = "slow::whatever_blocks_is_named_while_it_does_and_when_it_is_over";
    for (what, bring_about) in PLACES {
        println!("{what}");
        let mut process = start(name, "server", Stdio::piped());
        let mut talk = Talk::with(&mut process);
        let kept = bring_about(&process);
        // It cannot return before it is let.
        assert_eq!(talk.line(), format!("rushwire: slow {what} so_far"));
        talk.unblock();
        assert_eq!(talk.line(), format!("rushwire: slow {what} took"));
        assert_eq!(http::get(process.addr, "/stats").text(), "1", "{what}");
        drop(kept);
        // What blocks again when everything ends returns at once.
        drop(talk.stdin);
        process.end();
    }
}

/// What a listener of a hundred turns does is not added up.
#[test]
fn who_is_quick_is_not_named_however_often_it_runs() {
    if child::role().is_some() {
        return serve_places(Duration::from_secs(3_600));
    }
    let name = "slow::who_is_quick_is_not_named_however_often_it_runs";
    let mut process = start(name, "server", Stdio::piped());
    let mut talk = Talk::with(&mut process);
    for (_, bring_about) in PLACES {
        // So they return at once, and once more if need be.
        (0..2).for_each(|_| talk.unblock());
        let kept = bring_about(&process);
        assert_eq!(http::get(process.addr, "/stats").text(), "0");
        drop(kept);
    }
    drop(talk.stdin);
    process.end();
    assert_eq!(talk.stderr.iter().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn who_has_panicked_does_not_run_any_more() {
    if child::role().is_some() {
        return serve_places(LIMIT);
    }
    let name = "slow::who_has_panicked_does_not_run_any_more";
    let mut process = start(name, "server", Stdio::piped());
    let mut talk = Talk::with(&mut process);
    let mut client = process.connect_with("/panic", HEADERS);
    client.send("now");
    client.expect_close(1011);
    // Far longer than it takes to be named.
    std::thread::sleep(10 * LIMIT);
    let kept = get(&process, "/handler");
    let line = r#"rushwire: slow what="handler" path="/handler""#;
    assert_eq!(talk.line(), format!("{line} so_far"));
    // It is told of once, however often it is looked at.
    std::thread::sleep(10 * LIMIT);
    talk.unblock();
    assert_eq!(talk.line(), format!("{line} took"));
    drop(kept);
    process.end();
    assert_eq!(talk.rest(), [""; 0]);
}

#[test]
fn without_the_option_nobody_is_named() {
    if child::role().is_some() {
        return serve_places(Duration::ZERO);
    }
    let name = "slow::without_the_option_nobody_is_named";
    let mut process = start(name, "server", Stdio::piped());
    let mut talk = Talk::with(&mut process);
    let kept = say(&process, "/message", TEXT);
    // Far longer than anybody who watched would wait.
    std::thread::sleep(10 * LIMIT);
    talk.unblock();
    assert_eq!(http::get(process.addr, "/stats").text(), "0");
    drop(kept);
    process.end();
    assert_eq!(talk.rest(), [""; 0]);
}

/// Calls that are told of in ten seconds, each by two lines.
const MOST: usize = 10;

#[test]
fn who_is_slow_all_the_time_floods_nobody_and_is_counted() {
    const CALLS: usize = 300;
    if child::role().is_some() {
        let mut app = App::with(Options {
            slow_listener: Duration::from_millis(1),
            ..Options::default()
        });
        app.ws("/", |socket: &Socket, _| {
            socket.on(event::Message, |socket, message| {
                std::thread::sleep(Duration::from_millis(2));
                socket.send(message);
            });
        });
        app.get("/stats", |ctx| {
            let stats = ctx.hub().stats();
            ctx.text(stats.slow_listeners.to_string());
        });
        app.get("/quit", |ctx| ctx.hub().shutdown(Duration::ZERO));
        return child::listen(&mut app);
    }
    let began = Instant::now();
    let name = "slow::who_is_slow_all_the_time_floods_nobody_and_is_counted";
    let mut process = start(name, "server", Stdio::piped());
    let talk = Talk::with(&mut process);
    let mut client = process.connect("/");
    for n in 0..CALLS {
        client.send(&n.to_string());
    }
    for n in 0..CALLS {
        assert_eq!(client.text(), n.to_string());
    }
    let counted: usize = http::get(process.addr, "/stats")
        .text()
        .parse()
        .expect("a number");
    assert!(counted >= CALLS, "{counted}");
    drop(client);
    process.end();
    let lines = talk.rest();
    // A loaded machine may take longer than ten seconds.
    let windows = 1 + began.elapsed().as_secs() as usize / 10;
    assert!(
        !lines.is_empty() && lines.len() <= 2 * MOST * windows,
        "{lines:#?}"
    );
}

/// Threads of this process that watch.
#[cfg(target_os = "linux")]
fn watching() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it");
    let names = tasks
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("comm")));
    // One that ends meanwhile has no name any more.
    names
        .flatten()
        .filter(|name| name.trim_end() == "rushwire-watch")
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn the_thread_that_watches_is_there_with_the_option_until_the_server_is_dropped() {
    use crate::common::until;
    if child::role().is_some() {
        let bind = |slow_listener| {
            let options = Options {
                slow_listener,
                ..Options::default()
            };
            App::with(options).bind("127.0.0.1:0").expect("bind")
        };
        let off = bind(Duration::ZERO);
        assert_eq!(watching(), 0);
        // However long it may be until it looks again.
        let on = [1, 3_600_000].map(|millis| bind(Duration::from_millis(millis)));
        until("both watch", || watching() == 2);
        let hub = on[0].hub().clone();
        drop(on);
        until("none watches", || watching() == 0);
        return drop((off, hub));
    }
    let name = "slow::the_thread_that_watches_is_there_with_the_option_until_the_server_is_dropped";
    let child = child::command(name, "servers").output().expect("it runs");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// A logger that writes to stderr, as many do.
#[cfg(feature = "log")]
struct Logger;

#[cfg(feature = "log")]
impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

#[cfg(feature = "log")]
#[test]
fn with_the_feature_log_a_logger_that_takes_warnings_is_told_instead_of_stderr() {
    let name = "slow::with_the_feature_log_a_logger_that_takes_warnings_is_told_instead_of_stderr";
    if let Some(role) = child::role() {
        log::set_logger(&Logger).expect("there is no other");
        log::set_max_level(role.parse().expect("a level"));
        return serve_places(LIMIT);
    }
    for (level, begins) in [("WARN", "WARN rushwire:"), ("ERROR", "rushwire:")] {
        let mut process = start(name, level, Stdio::piped());
        let mut talk = Talk::with(&mut process);
        let kept = get(&process, "/handler");
        let line = format!(r#"{begins} slow what="handler" path="/handler""#);
        assert_eq!(talk.line(), format!("{line} so_far"));
        talk.unblock();
        assert_eq!(talk.line(), format!("{line} took"));
        drop(kept);
        process.end();
        assert_eq!(talk.rest(), [""; 0]);
    }
}
