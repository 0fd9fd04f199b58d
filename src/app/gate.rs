//! Whom the server talks to at all, and how often: lists of client addresses, and a rate of new
//! sockets for each. The opening asks here before it looks at what is wanted.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::address::{Networks, Proxies};
use super::error::Problems;
use super::options::Options;
use crate::http::{Head, Refusal, Response};
use crate::ws::arrivals::Arrivals;

/// The rules on client addresses.
#[derive(Debug)]
pub(super) struct Gate {
    /// Empty: everyone.
    allow: Networks,
    deny: Networks,
    arrivals: Option<Arrivals>,
}

impl Gate {
    /// What `options` say. What is no address and no network is passed over: [`check`] tells of it.
    pub(super) fn new(options: &Options) -> Self {
        Self {
            allow: Networks::parse(&options.allow_addresses).unwrap_or_default(),
            deny: Networks::parse(&options.deny_addresses).unwrap_or_default(),
            arrivals: options.connection_rate.map(Arrivals::new),
        }
    }

    /// Whether there are lists at all.
    fn has_lists(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty()
    }

    /// Whether a client may ask for anything. One that has no address is on no list.
    fn admits(&self, client: Option<IpAddr>) -> bool {
        let is_on = |list: &Networks| client.is_some_and(|client| list.contains(client));
        !is_on(&self.deny) && (self.allow.is_empty() || is_on(&self.allow))
    }

    /// Whether whoever connects may speak: a proxy may, since it may do so for others.
    pub(super) fn may_speak(&self, peer: Option<SocketAddr>, proxies: &Proxies) -> bool {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        peer.is_some_and(|peer| proxies.trusts(peer)) || self.admits(peer)
    }

    /// Whether the client that `head` comes from is admitted: behind a proxy, only this tells who it is.
    pub(super) fn admits_client(
        &self,
        head: &Head,
        peer: Option<SocketAddr>,
        proxies: &Proxies,
    ) -> bool {
        let is_admitted = |client| self.admits(client);
        !self.has_lists() || proxies.candidates(head, peer).all(is_admitted)
    }

    /// Counts a request for a socket, or gives the answer to one that comes too soon.
    pub(super) fn count(&self, client: Option<IpAddr>, now: Duration) -> Result<(), Response> {
        match (&self.arrivals, client) {
            (Some(arrivals), Some(client)) => arrivals.count(client, now).map_err(too_soon),
            _ => Ok(()),
        }
    }
}

/// Collects what in the lists is no address and no network.
pub(super) fn check(options: &Options, problems: &mut Problems) {
    let lists = [
        ("allowed", &options.allow_addresses),
        ("denied", &options.deny_addresses),
    ];
    for (kind, list) in lists {
        for bad in Networks::parse(list).err().into_iter().flatten() {
            problems.add(format!(
                "{kind} address {bad:?} is no address and no network"
            ));
        }
    }
}

/// The answer to whoever is not admitted.
pub(super) fn forbidden() -> Response {
    Response::text("this address is not allowed\n")
        .with_status(403)
        .because(Refusal::Address)
}

/// The answer to whoever comes too soon (RFC 6585 §4): in so many seconds, and not one sooner, it may.
fn too_soon(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Response::text("too many new connections from this address\n")
        .with_status(429)
        .header("Retry-After", seconds.to_string())
        .because(Refusal::ConnectionRate)
}
