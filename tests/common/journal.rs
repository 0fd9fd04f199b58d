//! What the application's code heard, kept where the test can read it at any time.

use std::fmt::Display;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rushwire::{Socket, event};

use super::PATIENCE;

/// What the application's code heard, in order, for the test to read.
#[derive(Clone, Default)]
pub struct Journal(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Journal {
    pub fn note(&self, line: impl Display) {
        self.lock().push(line.to_string());
        self.0.1.notify_all();
    }

    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// The lines, once there are `count` of them.
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        let short = |lines: &mut Vec<String>| lines.len() < count;
        let (lines, _) = self
            .0
            .1
            .wait_timeout_while(self.lock(), PATIENCE, short)
            .expect("no panic in the journal");
        assert!(
            lines.len() >= count,
            "{count} lines were expected, but there are only {lines:?}"
        );
        lines.clone()
    }

    /// Notes each close event of `socket`.
    pub fn watch_close(&self, socket: &Socket) {
        let journal = self.clone();
        socket.on(event::Close, move |_, close| {
            journal.note(format!(
                "{} {:?} {:?} {:?}",
                close.code, close.reason, close.by, close.cause
            ));
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.0.lock().expect("no panic in the journal")
    }
}
