//! What an opening waits for when another thread is to decide or to answer.

use std::rc::Rc;

use super::candidate::Candidate;
use super::core::Core;
use super::exchange::Pending;
use super::upgrade;
use super::verdict::Decision;
use crate::http::Response;
use crate::net::slab::Key;
use crate::ws::later::Later;
use crate::ws::session::Session;

/// What another thread is to give.
pub(super) enum Awaited {
    Answer(Box<Pending>),
    Verdict(Box<Candidate>, Later<Decision>),
}

/// What has come of it.
pub(super) enum Come {
    Nothing(Awaited),
    Answer(Response),
    /// The verdict was to accept.
    Session(Session),
}

impl Awaited {
    /// Looks whether it is there.
    pub(super) fn look(self, core: &Rc<Core>, key: Key) -> Come {
        match self {
            Self::Answer(pending) => match pending.look(core) {
                Ok(response) => Come::Answer(response),
                Err(pending) => Come::Nothing(Self::Answer(pending)),
            },
            Self::Verdict(candidate, later) => match later.take() {
                None => Come::Nothing(Self::Verdict(candidate, later)),
                Some(decision) => match candidate.decide(core, key, decision) {
                    Ok(session) => Come::Session(session),
                    Err(response) => Come::Answer(response),
                },
            },
        }
    }

    /// The answer when the time for an opening handshake is over. A handler may take longer.
    pub(super) fn too_late(&self) -> Option<Response> {
        match self {
            Self::Answer(_) => None,
            Self::Verdict(..) => Some(upgrade::undecided()),
        }
    }
}
