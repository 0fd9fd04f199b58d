//! What the application leaves with the library may panic when it is let go of, wherever that is.

use std::cell::RefCell;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use rushwire::{ConnectOptions, Connection, Hub, Options, Reconnect, Socket, event};

use crate::common::log::log;
use crate::common::{Client, PATIENCE, serve_with};
use crate::hush;

/// Panics when it is dropped, as long as that does not end the process.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped on purpose");
        }
    }
}

fn echo(socket: &Socket, _: &rushwire::Request) {
    socket.on(event::Message, |socket, message| _ = socket.send(message));
}

/// Lets go of a [`Grenade`] that it has set before.
#[test]
fn what_another_thread_decides_with_may_panic_when_it_is_replaced() {
    hush();
    let (pen, log) = log();
    let server = serve_with(Options::default, move |app| {
        let reports = pen.clone();
        app.on_error(move |report| reports.note(format!("report {}", report.message)));
        for _ in 0..2 {
            app.ws_use(|_, request, next| match request.path() {
                "/now" => next.run_with(Grenade),
                "/later" => drop(std::thread::spawn(move || next.run_with(Grenade))),
                _ => next.run(),
            });
        }
        app.verify_client_deferred(|request, verdict| {
            let replaces = request.path() == "/verdict";
            if replaces {
                request.set(Grenade);
                verdict.accept_with(Grenade);
            } else {
                verdict.accept();
            }
        });
        for path in ["/now", "/later", "/verdict", "/witness"] {
            app.ws(path, echo);
        }
    });
    let mut witness = server.connect("/witness");
    for path in ["/now", "/later", "/verdict"] {
        println!("{path}");
        match Client::try_connect(server.addr, path, "") {
            Ok(mut client) => client.expect_close(1011),
            Err(answer) => assert_eq!(answer.status, 500, "{path}"),
        }
        assert_eq!(log.next(), "report dropped on purpose", "{path}");
        witness.send("after");
        assert_eq!(witness.text(), "after", "{path}");
    }
    server.stop(Duration::ZERO);
}

#[test]
fn what_a_verdict_brings_when_nobody_is_let_in_any_more_may_panic_when_it_is_dropped() {
    hush();
    let (sender, asked) = mpsc::channel();
    let (pen, log) = log();
    let mut server = serve_with(Options::default, move |app| {
        app.on_error(move |report| pen.note(report.message.clone()));
        app.verify_client_deferred(move |request, verdict| match request.path() {
            "/verdict" => sender.send(verdict).expect("the test waits"),
            _ => verdict.accept(),
        });
        app.ws("/verdict", echo);
        app.ws("/witness", echo);
    });
    let mut witness = server.connect("/witness");
    let addr = server.addr;
    let late = std::thread::spawn(move || Client::try_connect(addr, "/verdict", "").map(|_| ()));
    let verdict = asked.recv_timeout(PATIENCE).expect("it is asked");
    server.remote.shutdown(PATIENCE).expect("the server runs");
    assert_eq!(witness.closed().0, 1001);
    verdict.accept_with(Grenade);
    assert_eq!(log.next(), "dropped on purpose");
    let refused = late.join().expect("no panic").expect_err("too late");
    assert_eq!(refused.status, 500);
    witness.send_close(1001, "");
    witness.expect_end();
    server.join();
}

/// Connects to a URL.
type Connect = fn(&Hub, &str);

/// Handlers and listeners of connections that this side makes, each with a [`Grenade`], by how they are
/// let go of.
const CONNECTIONS: [(&str, Connect); 4] = [
    ("a handler, when nobody is there", |hub, url| {
        drop(dial(hub, &format!("{url}/nowhere"), None));
    }),
    ("a handler that gives up itself", |hub, url| {
        let own: Rc<RefCell<Option<Connection>>> = Rc::default();
        let (grenade, mine) = (Grenade, Rc::clone(&own));
        let connection = hub.connect(url, ConnectOptions::default(), move |_, _| {
            let _ = &grenade;
            mine.take().expect("once").close();
        });
        own.replace(Some(connection.expect("a URL")));
    }),
    (
        "a listener for failures that another replaces",
        |hub, url| {
            let url = format!("{url}/nowhere");
            let connection = hub.connect(&url, ConnectOptions::default(), |_, _| {});
            let (connection, grenade) = (connection.expect("a URL"), Grenade);
            let own = connection.clone();
            connection.on_error(move |_| {
                let _ = &grenade;
                own.on_error(|_| {});
            });
        },
    ),
    ("a handler, when another thread gives up", |hub, url| {
        let connection = dial(hub, &format!("{url}/nowhere"), Some(Reconnect::default()));
        let remote = connection.remote();
        remote.close().expect("the server runs");
    }),
];

fn dial(hub: &Hub, url: &str, reconnect: Option<Reconnect>) -> Connection {
    let grenade = Grenade;
    let options = ConnectOptions {
        reconnect,
        ..ConnectOptions::default()
    };
    let connection = hub.connect(url, options, move |_, _| _ = &grenade);
    connection.expect("a URL")
}

#[test]
fn what_a_connection_of_this_side_holds_may_panic_when_it_is_let_go_of() {
    hush();
    for (name, arm) in CONNECTIONS {
        println!("{name}");
        let (pen, log) = log();
        let server = serve_with(Options::default, move |app| {
            app.on_error(move |report| pen.note(report.message.clone()));
            app.ws("/", echo);
        });
        let mut witness = server.connect("/");
        let url = format!("ws://{}", server.addr);
        server.ask(move |hub| arm(hub, &url));
        assert_eq!(log.next(), "dropped on purpose", "{name}");
        witness.send("after");
        assert_eq!(witness.text(), "after", "{name}");
        server.stop(Duration::ZERO);
    }
}

#[test]
fn a_shutdown_that_gives_up_connections_still_says_farewell_to_everybody() {
    hush();
    let (pen, log) = log();
    let mut server = serve_with(Options::default, |app| _ = app.ws("/", echo));
    // One is answered by nobody, and one is tried again much later.
    let silent = TcpListener::bind("127.0.0.1:0").expect("bind");
    let gone = TcpListener::bind("127.0.0.1:0").expect("bind");
    let [answered_by_nobody, later] =
        [&silent, &gone].map(|at| format!("ws://{}", at.local_addr().expect("address")));
    drop(gone);
    let mut witness = server.connect("/");
    server.ask(move |hub| {
        let reconnect = Some(Reconnect {
            first: Duration::from_secs(10_000),
            longest: Duration::from_secs(10_000),
            ..Reconnect::default()
        });
        for url in [answered_by_nobody, later] {
            let (connection, grenade, pen) = (dial(hub, &url, reconnect), Grenade, pen.clone());
            connection.on_error(move |_| {
                let _ = &grenade;
                pen.note("failed");
            });
        }
    });
    let _held = silent.accept().expect("it is tried");
    assert_eq!(log.next(), "failed", "and waits");
    server.remote.shutdown(PATIENCE).expect("the server runs");
    witness.expect_close(1001);
    server.join();
}
