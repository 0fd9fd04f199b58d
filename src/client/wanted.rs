//! Attempts as the hub sees them, which keeps them for as long as they are wanted.

use super::attempts::Attempts;
use super::error::{ConnectError, Failed};
use crate::proto::close::CloseCode;
use crate::ws::dialing::Wanted;
use crate::ws::message::{Message, OwnedMessage};
use crate::ws::status::ReadyState;

impl Wanted for Attempts {
    fn send(&self, message: &OwnedMessage) {
        let message = Message::from(message);
        match self.socket() {
            Some(socket) if socket.ready_state() == ReadyState::Open => socket.send(message),
            _ => self.keep(message),
        };
    }

    fn close(&self) {
        let unsent = self.end();
        if unsent > 0 {
            let (error, retry_in) = (ConnectError::Closed(CloseCode::NORMAL, String::new()), None);
            self.tell(&Failed {
                error,
                retry_in,
                unsent,
            });
        }
        self.hush();
    }

    fn stop(&self) {
        if self.is_over() || self.socket().is_some() {
            return;
        }
        self.give_up();
        self.tell(&Failed {
            error: ConnectError::Shutdown,
            retry_in: None,
            unsent: self.unsent.forget(),
        });
        self.hush();
    }
}
