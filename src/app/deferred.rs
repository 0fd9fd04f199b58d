//! An answer to an HTTP request that is given after its handler has returned.

use std::sync::Arc;

use crate::http::Response;
use crate::net::slab::Key;
use crate::ws::later::Promise;

/// `None`: the handle was dropped.
pub(super) type Promised = Promise<Option<Response>, Key>;

/// Answers a request once, from any thread: from [`Context::defer`](super::Context::defer).
///
/// The answer has the headers, too, that were added to the context. When the last handle of a request
/// is dropped and it is not answered, the answer is 500. A client that is reset meanwhile frees
/// its place at once; one that has only finished sending (FIN) may still read the answer. To who has
/// gone it goes nowhere, and no error comes of it.
#[derive(Clone, Debug)]
pub struct Deferred(pub(super) Arc<Promised>);

impl Deferred {
    /// Answers. Of several answers the first counts.
    pub fn respond(self, response: Response) {
        self.0.give(Some(response));
    }
}
