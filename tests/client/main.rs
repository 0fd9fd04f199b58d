//! The client: against servers that are scripted here from RFC 6455, right and wrong, and against our own.

#[path = "../common/mod.rs"]
mod common;

mod bad_answers;
mod bad_frames;
mod connect;
mod ends;
mod frames;
#[path = "../rfc6455/not_text.rs"]
mod not_text;
mod own_server;
mod peer;
mod reconnect;
mod refused;
mod unsent;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use common::PATIENCE;
use rushwire::{Answer, Client, ConnectError, ConnectOptions, Connection, Failed, Options, Socket};

/// A client on this thread, and what it was told of failures.
struct Dialer {
    client: Client,
    connection: Connection,
    failed: Rc<RefCell<Vec<Failed>>>,
}

impl Dialer {
    fn new(
        url: &str,
        options: ConnectOptions,
        handler: impl FnMut(&Socket, &Answer) + 'static,
    ) -> Self {
        Self::with(Options::default(), url, options, handler)
    }

    fn with(
        limits: Options,
        url: &str,
        options: ConnectOptions,
        handler: impl FnMut(&Socket, &Answer) + 'static,
    ) -> Self {
        let client = Client::with(limits).expect("a client");
        let connection = client.connect(url, options, handler).expect(url);
        let failed = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&failed);
        connection.on_error(move |failed| told.borrow_mut().push(failed.clone()));
        Self {
            client,
            connection,
            failed,
        }
    }

    /// Runs until `condition` holds.
    fn run_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < deadline, "never: {what}");
            let turn = self.client.turn(Some(Duration::from_millis(20)));
            turn.expect("a turn");
        }
    }

    /// Runs until nothing is left to do; gives what failed.
    fn run(mut self) -> Vec<Failed> {
        self.run_until("the client is done", |this| this.client.is_done());
        self.failed.take()
    }

    /// Runs to the end; gives the only failure.
    fn error(self) -> ConnectError {
        let mut failed = self.run();
        assert_eq!(failed.len(), 1, "{failed:?}");
        let failed = failed.remove(0);
        assert_eq!(failed.retry_in, None);
        failed.error
    }
}

/// A handler that must not run.
fn never(_: &Socket, answer: &Answer) {
    panic!("there must be no socket: {answer:?}");
}
