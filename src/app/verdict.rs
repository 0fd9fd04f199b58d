//! Whether a request may become a socket.

use crate::http::Response;

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
