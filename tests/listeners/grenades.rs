//! What the application leaves with the library may panic when it is let go of, wherever that is.

use std::time::Duration;

use rushwire::{Options, Socket, event};

use crate::common::log::log;
use crate::common::{Client, serve_with};
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
