//! From a request to a socket: the server's opening handshake, in order (RFC 6455 §4.2).
//!
//! No route 404, wrong method 405, bad headers 400, wrong version 426, origin 403, too soon 429, no
//! place 503, verdict 401; then the subprotocol, 101, the middleware, the handler.

use std::net::SocketAddr;
use std::rc::Rc;

use super::core::Core;
use super::exchange::{bad_escape, wrong_method};
use super::middleware::Admission;
use super::request::Request;
use super::subprotocol;
use super::verdict::Verdict;
use crate::http::{Head, Response};
use crate::net::slab::Key;
use crate::proto::decoder::Role;
use crate::proto::handshake::{self, HandshakeError};
use crate::ws::guard::guard;
use crate::ws::places::NoPlace;
use crate::ws::session::Session;
use crate::ws::socket::Origin;

/// Seconds after which a client that found no place may try again.
const RETRY_AFTER: &str = "5";

/// Makes a socket of a connection, or says why not.
pub(super) fn upgrade(
    core: &Rc<Core>,
    key: Key,
    peer: Option<SocketAddr>,
    head: Head,
) -> Result<Session, Response> {
    let path = head.path().to_owned();
    let found = core.routes.socket(&path).map_err(|_| bad_escape())?;
    let found = found.ok_or_else(|| Response::text("not found\n").with_status(404))?;
    let offer = handshake::check(&head).map_err(refusal)?;
    let nonce = offer.key.to_owned();
    let client = core.proxies.client(&head, peer);
    let request = Request::new(head, peer, client).with_params(found.names, found.values);
    if !ask(core, || core.origins.admit(&request))? {
        return Err(Response::text("origin not allowed\n").with_status(403));
    }
    if core.closing.get() {
        return Err(no_place(NoPlace::Full));
    }
    core.gate.count(client, core.hub.links().uptime())?;
    let place = core.places.take(client).map_err(no_place)?;
    verify(core, &request)?;
    let protocol = subprotocol::agree(core, &request)?;
    let headers = request.take_upgrade_headers();
    let extra = headers.iter().map(|(name, value)| (&**name, &**value));
    let mut answer = Vec::new();
    handshake::write_accept(&mut answer, &nonce, protocol.as_deref(), extra);
    core.hub.link(key).send_raw(answer);
    let origin = Origin {
        url: url(&found.route.url, request.url()),
        peer: peer.map(|peer| {
            client.map_or(peer, |ip| {
                if ip == peer.ip().to_canonical() {
                    peer
                } else {
                    SocketAddr::new(ip, 0)
                }
            })
        }),
        protocol,
        data: request.values(),
    };
    let socket = core.hub.open(key, origin);
    Admission {
        core: Rc::clone(core),
        socket: socket.clone(),
        request,
        at: 0,
    }
    .advance();
    // Its first deadline depends on whether the socket has passed.
    Ok(Session::new(socket, Role::Server, Some(place)))
}

/// The URL of the request; of the route, if that is the same, so that it is not kept twice.
fn url(route: &Rc<str>, request: &str) -> Rc<str> {
    match **route == *request {
        true => Rc::clone(route),
        false => request.into(),
    }
}

fn verify(core: &Core, request: &Request) -> Result<(), Response> {
    let Some(verify) = &core.verify else {
        return Ok(());
    };
    match ask(core, || verify(request))? {
        Verdict::Accept => Ok(()),
        Verdict::Refuse(response) => Err(response),
    }
}

/// Asks the application. If it panics, the answer is 500.
pub(super) fn ask<R>(core: &Core, question: impl FnOnce() -> R) -> Result<R, Response> {
    guard(question).map_err(|panic| {
        core.hub.report(None, &panic);
        Response::text("internal server error\n").with_status(500)
    })
}

fn refusal(error: HandshakeError) -> Response {
    match error.status() {
        405 => wrong_method("GET"),
        426 => Response::text(format!("{error}\n"))
            .with_status(426)
            .header("Sec-WebSocket-Version", "13")
            .with_upgrade("websocket"),
        status => {
            Response::text(format!("{error} (RFC 6455 §{})\n", error.section())).with_status(status)
        }
    }
}

fn no_place(why: NoPlace) -> Response {
    let response = match why {
        NoPlace::Full => Response::text("no place for another connection\n").with_status(503),
        NoPlace::TooManyFromAddress => {
            Response::text("too many connections from this address\n").with_status(429)
        }
    };
    response.header("Retry-After", RETRY_AFTER)
}
