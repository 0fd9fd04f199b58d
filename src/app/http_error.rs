//! Why a request has an answer that no handler gave.

use std::fmt;

use super::context::Context;
use crate::http::Response;

/// Told of answers that the library gives in the place of a handler; see
/// [`App::error_handler`](super::App::error_handler).
pub(super) type ErrorHandler = Box<dyn FnMut(&Context, &HttpError)>;

/// Why a request has an answer that no handler gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    status: u16,
    message: String,
}

impl HttpError {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// What an answer says to the client.
    pub(super) fn of(answer: &Response) -> Self {
        let text = String::from_utf8_lossy(answer.body());
        Self::new(answer.status(), text.trim_end())
    }

    /// The status of the answer: 404 and 405 where there is no handler, 400 for a path that cannot be
    /// decoded, 426 for a plain request to an endpoint for sockets, 500 for a panic and for a
    /// [`Deferred`](super::Deferred) that was dropped.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What went wrong. Of a panic it is the message, which is not for the client's eyes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.status)
    }
}

impl std::error::Error for HttpError {}
