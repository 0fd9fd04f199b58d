//! A request that may become a socket: it has a place, and waits for the verdict.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use super::core::Core;
use super::middleware::Admission;
use super::request::Request;
use super::routes::Endpoint;
use super::subprotocol;
use super::upgrade::{ask, refuse_if_closing};
use super::verdict::Decision;
use crate::http::{Refusal, Response};
use crate::net::slab::Key;
use crate::proto::decoder::Role;
use crate::proto::handshake;
use crate::ws::places::Place;
use crate::ws::session::Session;
use crate::ws::socket::Origin;

/// A request that may become a socket.
pub(super) struct Candidate {
    pub(super) place: Place,
    pub(super) endpoint: Rc<Endpoint>,
    pub(super) request: Request,
    /// The request's `Sec-WebSocket-Key`.
    pub(super) nonce: String,
    pub(super) client: Option<IpAddr>,
}

impl Candidate {
    /// Makes it a socket, or gives the answer that it gets instead.
    pub(super) fn decide(
        self,
        core: &Rc<Core>,
        key: Key,
        decision: Decision,
    ) -> Result<Session, Response> {
        match decision {
            Decision::Refuse(response) => Err(response.or_because(Refusal::Verify)),
            Decision::Accept(value) => {
                // The end may have begun while the verdict was waited for.
                let refused = refuse_if_closing(core);
                // Dropping a value may panic: this one, or the one that it replaces.
                let keep = |value| match refused {
                    Ok(()) => self.request.set_boxed(value),
                    Err(_) => drop(value),
                };
                let keep = || value.into_iter().for_each(keep);
                ask(core, "what a request held", &self.request, keep)?;
                refused?;
                self.accept(core, key)
            }
        }
    }

    fn accept(self, core: &Rc<Core>, key: Key) -> Result<Session, Response> {
        let protocol = subprotocol::agree(core, &self.request)?;
        let headers = self.request.take_upgrade_headers();
        let extra = headers.iter().map(|(name, value)| (&**name, &**value));
        let mut answer = Vec::new();
        handshake::write_accept(&mut answer, &self.nonce, protocol.as_deref(), extra);
        core.hub.link(key).send_raw(answer);
        let origin = Origin {
            url: url(&self.endpoint.url, self.request.url()),
            peer: self.address(),
            protocol,
            data: self.request.values(),
        };
        let socket = core.hub.open(key, origin);
        Admission {
            core: Rc::clone(core),
            socket: socket.clone(),
            request: self.request,
            endpoint: self.endpoint,
            at: 0,
        }
        .advance();
        // Its first deadline depends on whether the socket has passed.
        Ok(Session::new(socket, Role::Server, Some(self.place)))
    }

    /// The client's address; its port is known only if no proxy stands between.
    fn address(&self) -> Option<SocketAddr> {
        let peer = self.request.peer_addr()?;
        Some(match self.client {
            Some(ip) if ip != peer.ip().to_canonical() => SocketAddr::new(ip, 0),
            _ => peer,
        })
    }
}

/// The URL of the request; of the route, if that is the same, so that it is not kept twice.
fn url(route: &Rc<str>, request: &str) -> Rc<str> {
    match **route == *request {
        true => Rc::clone(route),
        false => request.into(),
    }
}
