//! The testing kit, used as an application's author uses it: `rushwire::testing` and nothing else, and
//! one file that holds it against real sockets.

#[path = "../common/mod.rs"]
mod common;

mod dialed;
mod ends;
mod pressure;
mod same;
mod talk;
mod time;

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use rushwire::testing::{Received, TestServer};
use rushwire::{App, Options, Socket, event};

const SECOND: Duration = Duration::from_secs(1);
/// Of the clock that a server counts deadlines with.
const TICK: Duration = Duration::from_millis(10);

/// What an application's code heard, in order.
#[derive(Clone, Default)]
struct Journal(Rc<RefCell<Vec<String>>>);

impl Journal {
    fn note(&self, line: impl Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    /// The lines since this was last asked.
    fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Notes whatever a socket hears of its end.
    fn watch(&self, socket: &Socket) {
        let journal = self.clone();
        socket.on(event::Error, move |_, failure| {
            journal.note(format!("error {failure}"))
        });
        let journal = self.clone();
        socket.on(event::Close, move |_, close| {
            let event::Closed {
                code,
                by,
                cause,
                undelivered,
                ..
            } = close;
            journal.note(format!("close {code} {by:?} {cause:?} {undelivered}"));
        });
    }
}

/// An application whose sockets at `/` say back what they hear, and note how they end.
fn echo(options: Options) -> (TestServer, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let mut app = App::with(options);
    app.ws("/", move |socket, _| {
        noted.watch(socket);
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    (serve(app), journal)
}

fn serve(app: App) -> TestServer {
    TestServer::new(app).expect("nothing is wrong with it")
}

fn still() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        ..Options::default()
    }
}

fn text(text: &str) -> Option<Received> {
    Some(Received::from(text))
}

fn close(code: u16, reason: &str) -> Option<Received> {
    let reason = reason.to_owned();
    Some(Received::Close { code, reason })
}
