//! The hub from other threads.

use std::fmt;
use std::time::Duration;

use super::hub::Hub;
use super::into_message::IntoMessage;
use super::message::OwnedMessage;
use super::status::SocketId;
use crate::net::mailbox::Mailbox;

pub(crate) type Job = Box<dyn FnOnce(&Hub) + Send>;

/// Reaches a server from any thread: `Clone`, `Send` and `Sync`.
///
/// What is asked runs in one of the server's next turns; what one thread asks runs in that order.
/// Before the server runs, it waits for it; after the server is gone, every call answers [`Gone`].
#[derive(Clone)]
pub struct Remote(Mailbox<Job>);

/// The server is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is gone")
    }
}

impl std::error::Error for Gone {}

impl Remote {
    pub(super) fn new(mailbox: Mailbox<Job>) -> Self {
        Self(mailbox)
    }

    /// Runs `job` on the server's thread.
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no server any more; the job is dropped.
    pub fn post(&self, job: impl FnOnce(&Hub) + Send + 'static) -> Result<(), Gone> {
        self.0.post(Box::new(job)).map_err(|_| Gone)
    }

    /// Sends a message to one socket, if it is still connected then.
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no server any more.
    pub fn send(&self, to: SocketId, message: impl IntoMessage) -> Result<(), Gone> {
        self.post_with(message, move |hub, message| hub.send_to(to, message))
    }

    /// Sends a message to everyone in `room`.
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no server any more.
    pub fn broadcast(&self, room: &str, message: impl IntoMessage) -> Result<(), Gone> {
        let room = room.to_owned();
        self.post_with(message, move |hub, message| {
            hub.to(&room).send(message);
        })
    }

    /// Runs `job` with a message on the server's thread; there it is reported if there is none.
    fn post_with(
        &self,
        message: impl IntoMessage,
        job: impl FnOnce(&Hub, &OwnedMessage) + Send + 'static,
    ) -> Result<(), Gone> {
        match message.with_message(|message| OwnedMessage::from(message)) {
            Ok(message) => self.post(move |hub| job(hub, &message)),
            Err(why) => self.post(move |hub| hub.report(None, &why)),
        }
    }

    /// Asks the server to shut down: see [`Hub::shutdown`].
    ///
    /// # Errors
    ///
    /// [`Gone`] when there is no server any more.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), Gone> {
        self.post(move |hub| hub.shutdown(deadline))
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}
