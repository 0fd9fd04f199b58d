//! What is thrown may panic itself when it is dropped: then nothing else may end, either.

use std::panic::panic_any;
use std::time::Duration;

use rushwire::{App, Options, Socket, event};

use crate::common::log::{Pen, log};
use crate::common::{Client, Server, http, serve_with};
use crate::hush;

/// Panics whenever it is dropped, as long as that does not end the process.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped on purpose");
        }
    }
}

fn throw() -> ! {
    panic_any(Bomb)
}

/// A place, what throws there, and what is done so that it does.
type Place = (&'static str, fn(&mut App), fn(&Server));

const PLACES: [Place; 9] = [
    ("a message", |_| {}, |server| expect_1011(server, "/actor")),
    (
        "a handler",
        |app| {
            app.ws("/handler", |_, _| throw());
        },
        |server| expect_1011(server, "/handler"),
    ),
    (
        "a middleware",
        |app| {
            app.ws_use(|_, request, next| match request.path() {
                "/actor" => throw(),
                _ => next.run(),
            });
        },
        |server| expect_1011(server, "/actor"),
    ),
    (
        "the end",
        |app| {
            app.ws("/end", |socket, _| {
                socket.on(event::Close, |_, _| throw());
            });
        },
        |server| drop(server.connect("/end")),
    ),
    (
        "a route",
        |app| {
            app.get("/page", |_| throw());
        },
        |server| assert_eq!(http::get(server.addr, "/page").status, 500),
    ),
    (
        "a verdict",
        |app| {
            app.verify_client(|request| request.path() == "/witness" || throw());
        },
        |server| {
            let refused = Client::try_connect(server.addr, "/actor", "").map(|_| ());
            assert_eq!(refused.expect_err("refused").status, 500);
        },
    ),
    (
        "a timer",
        |app| {
            app.hub().set_timeout(Duration::from_millis(1), |_| throw());
        },
        |_| {},
    ),
    (
        "a job",
        |_| {},
        |server| server.remote.post(|_| throw()).expect("the server runs"),
    ),
    (
        "a room's listener",
        |app| {
            app.on_room(|_, event| {
                if event.room == "actors" {
                    throw();
                }
            });
        },
        |server| drop(server.connect("/actor")),
    ),
];

fn expect_1011(server: &Server, path: &str) {
    let mut client = server.connect(path);
    client.send("go");
    client.expect_close(1011);
}

fn setup(app: &mut App, pen: Pen) {
    app.on_error(move |report| pen.note(report.message.clone()));
    app.ws("/actor", |socket, _| {
        socket.join("actors");
        socket.on(event::Message, |_, _| throw());
    });
    app.ws("/witness", echo);
}

fn echo(socket: &Socket, _: &rushwire::Request) {
    socket.on(event::Message, |socket, message| _ = socket.send(message));
}

#[test]
fn a_panic_whose_payload_panics_when_it_is_dropped_ends_nothing_else() {
    hush();
    for (name, arm, provoke) in PLACES {
        println!("{name}");
        let (pen, log) = log();
        let server = serve_with(Options::default, move |app| {
            setup(app, pen);
            arm(app);
        });
        let mut witness = server.connect("/witness");
        provoke(&server);
        assert_eq!(log.next(), "a panic without a message", "{name}");
        witness.send("after");
        assert_eq!(witness.text(), "after", "{name}");
        server.stop(Duration::ZERO);
    }
}
