//! Whether a request may become a socket.

use std::any::Any;

use super::chain;
use super::request::Request;
use crate::http::Response;
use crate::net::slab::Key;
use crate::ws::later::Promise;

/// Whether a request may become a socket. `true`, `false` and a [`Response`] turn into one.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It may.
    Accept,
    /// It is answered with this instead.
    Refuse(Response),
}

impl From<bool> for Verdict {
    /// `false` is 401.
    fn from(accept: bool) -> Self {
        if accept {
            Self::Accept
        } else {
            Self::Refuse(Response::text("unauthorized\n").with_status(401))
        }
    }
}

impl From<Response> for Verdict {
    fn from(response: Response) -> Self {
        Self::Refuse(response)
    }
}

type Verifier = Box<dyn Fn(&Request) -> Verdict>;
type DeferringVerifier = Box<dyn Fn(&Request, PendingVerdict)>;

/// Whoever decides whether a request may become a socket.
pub(super) enum Verify {
    Now(Verifier),
    Later(DeferringVerifier),
}

/// What another thread has decided.
pub(super) enum Decision {
    /// It may, and takes this value along.
    Accept(Option<Box<dyn Any + Send>>),
    Refuse(Response),
}

/// Decides from any thread, and once, whether a request may become a socket: from
/// [`App::verify_client_deferred`](super::App::verify_client_deferred).
///
/// Dropping it answers 500; being silent for
/// [`handshake_timeout`](super::Options::handshake_timeout) answers 503. The client may have gone
/// meanwhile: then nothing happens.
#[derive(Debug)]
pub struct PendingVerdict(pub(super) Promise<Decision, Key>);

impl PendingVerdict {
    /// It may.
    pub fn accept(self) {
        self.0.give(Decision::Accept(None));
    }

    /// It may, and the value is the socket's, by type: see [`Socket::data`](crate::Socket::data).
    pub fn accept_with(self, value: impl Any + Send) {
        self.0.give(Decision::Accept(Some(Box::new(value))));
    }

    /// It is answered with this instead.
    pub fn refuse(self, response: Response) {
        self.0.give(Decision::Refuse(response));
    }

    /// What dropping it says.
    pub(super) fn dropped() -> Decision {
        Decision::Refuse(chain::failure())
    }
}
