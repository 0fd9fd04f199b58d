//! What no listener of a socket may have heard of, for [`App::on_error`](crate::App::on_error). All
//! layers above tell it here.

use std::fmt;

use super::hub::Hub;
use super::journal::Entry;
use super::status::SocketId;
use super::watchdog::Call;

pub(super) type ErrorListener = Box<dyn FnMut(&Report)>;

/// Something went wrong that no listener may have heard of: a panic in code of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The socket that it happened to, if it was one.
    pub socket: Option<SocketId>,
    /// What happened.
    pub message: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket {
            Some(id) => write!(f, "socket {id}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl Hub {
    /// Tells the application of something that no listener may have heard of.
    pub(crate) fn report(&self, socket: Option<SocketId>, message: &str) {
        self.note(Entry::Error { socket, message });
        let report = Report {
            socket,
            message: message.to_owned(),
        };
        let taken = self.on_error().borrow_mut().take();
        let Some(mut listener) = taken else { return };
        // A panic in here has nobody to be reported to.
        let _ = self.run(|| Call::of("error listener"), || listener(&report));
        let mut place = self.on_error().borrow_mut();
        if place.is_none() {
            *place = Some(listener);
        }
    }

    pub(crate) fn set_on_error(&self, listener: impl FnMut(&Report) + 'static) {
        // Without a server nothing is reported any more.
        if !self.is_released() {
            let old = self.on_error().borrow_mut().replace(Box::new(listener));
            drop(old);
        }
    }
}
