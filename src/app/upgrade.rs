//! From a request to a socket: the server's opening handshake, in order (RFC 6455 §4.2).
//!
//! No route 404, wrong method 405, bad headers 400, wrong version 426, origin 403, what HTTP middleware
//! says, too soon 429, no memory or no place 503, verdict 401; then the subprotocol, 101, the middleware,
//! the handler.

use std::net::SocketAddr;
use std::rc::Rc;

use super::candidate::Candidate;
use super::chain::{self, End};
use super::context::{Context, Passage};
use super::core::Core;
use super::exchange::{self, Pending, Reply, bad_escape, not_found, wrong_method};
use super::request::Request;
use super::routes::Endpoint;
use super::verdict::{Decision, PendingVerdict, Verdict, Verify};
use crate::http::{Head, InvalidHeader, Refusal, Response};
use crate::net::slab::Key;
use crate::proto::handshake::{self, HandshakeError};
use crate::ws::later::{self, Later};
use crate::ws::places::NoPlace;
use crate::ws::session::Session;
use crate::ws::watchdog::Call;

/// Seconds after which a client that found no place may try again.
const RETRY_AFTER: &str = "5";

/// What comes of a request that asks for a socket, if it is not refused at once.
pub(super) enum Upgrade {
    Open(Session),
    /// Another thread decides.
    Undecided(Box<Candidate>, Later<Decision>),
    /// Middleware lets another thread answer: it is refused, but not yet.
    Unanswered(Box<Pending>),
}

/// Makes a socket of a connection, or says why not.
pub(super) fn upgrade(
    core: &Rc<Core>,
    key: Key,
    peer: Option<SocketAddr>,
    head: Head,
) -> Result<Upgrade, Response> {
    let path = head.path().to_owned();
    let found = core.routes.socket(&path).map_err(|_| bad_escape())?;
    let found = found.ok_or_else(not_found)?;
    let offer = handshake::check(&head).map_err(refusal)?;
    let nonce = offer.key.to_owned();
    let client = core.proxies.client(&head, peer);
    let request = Request::new(head, peer, client).with_params(found.names, found.values);
    let admit = || core.origins.admit(&request);
    if !ask(core, "allow_origin_if", &request, admit)? {
        return Err(Response::text("origin not allowed\n")
            .with_status(403)
            .because(Refusal::Origin));
    }
    let request = match middleware(core, key, found.route, request)? {
        Ok(request) => request,
        Err(pending) => return Ok(Upgrade::Unanswered(pending)),
    };
    refuse_if_closing(core)?;
    core.gate.count(client, core.hub.links().uptime())?;
    if core.hub.links().is_over_budget() {
        return Err(no_memory());
    }
    let candidate = Candidate {
        place: core.places.take(client).map_err(no_place)?,
        endpoint: Rc::clone(found.route),
        request,
        nonce,
        client,
    };
    verify(core, key, candidate)
}

/// Has HTTP middleware let the request pass, refuse it, or let another thread refuse it.
fn middleware(
    core: &Core,
    key: Key,
    endpoint: &Endpoint,
    request: Request,
) -> Result<Result<Request, Box<Pending>>, Response> {
    let own = &endpoint.http_middleware;
    if core.http_middleware.is_empty() && own.is_empty() {
        return Ok(Ok(request));
    }
    let context = Context::new(request, core.hub.clone(), key);
    chain::run(core, own, End::Upgrade, &context);
    match context.into_passage() {
        Passage::Passed(request, headers) => {
            for (name, value) in headers {
                let added = request.respond_header(name, value);
                added.map_err(|offence| unwritable(core, &offence))?;
            }
            Ok(Ok(request))
        }
        Passage::Stopped(context) => match exchange::reply(core, context) {
            Reply::Now(response) => Err(response.or_because(Refusal::Middleware)),
            Reply::Later(pending) => Ok(Err(pending)),
        },
    }
}

fn unwritable(core: &Core, offence: &InvalidHeader) -> Response {
    core.hub.report(None, &offence.to_string());
    chain::failure()
}

/// Has the application decide, now or later.
fn verify(core: &Rc<Core>, key: Key, candidate: Candidate) -> Result<Upgrade, Response> {
    let (what, request) = ("verify_client", &candidate.request);
    let decision = match &core.verify {
        None => Decision::Accept(None),
        Some(Verify::Now(verify)) => match ask(core, what, request, || verify(request))? {
            Verdict::Accept => Decision::Accept(None),
            Verdict::Refuse(response) => Decision::Refuse(response),
        },
        Some(Verify::Later(verify)) => {
            let fallback = PendingVerdict::dropped;
            let (promise, later) = later::ask(core.hub.remote(), key, later::read_on, fallback);
            ask(core, what, request, || {
                verify(request, PendingVerdict(promise))
            })?;
            match later.take() {
                Some(decision) => decision,
                None => return Ok(Upgrade::Undecided(Box::new(candidate), later)),
            }
        }
    };
    candidate.decide(core, key, decision).map(Upgrade::Open)
}

/// Asks the application. If it panics, the answer is 500.
pub(super) fn ask<R>(
    core: &Core,
    what: &str,
    request: &Request,
    question: impl FnOnce() -> R,
) -> Result<R, Response> {
    let call = || Call::for_path(what, request.path());
    core.hub.run(call, question).map_err(|panic| {
        core.hub.report(None, &panic);
        chain::failure()
    })
}

fn refusal(error: HandshakeError) -> Response {
    match error.status() {
        405 => wrong_method("GET"),
        426 => Response::text(format!("{error}\n"))
            .with_status(426)
            .header("Sec-WebSocket-Version", "13")
            .with_upgrade("websocket")
            .because(Refusal::WrongVersion),
        status => Response::text(format!("{error} (RFC 6455 §{})\n", error.section()))
            .with_status(status)
            .because(Refusal::BadHandshake),
    }
}

/// When the server shuts down, a socket would be closed as soon as it is open.
pub(super) fn refuse_if_closing(core: &Core) -> Result<(), Response> {
    match core.closing.get() {
        true => Err(no_place(NoPlace::Full).because(Refusal::ShuttingDown)),
        false => Ok(()),
    }
}

fn no_place(why: NoPlace) -> Response {
    let response = match why {
        NoPlace::Full => Response::text("no place for another connection\n")
            .with_status(503)
            .because(Refusal::Full),
        NoPlace::TooManyFromAddress => Response::text("too many connections from this address\n")
            .with_status(429)
            .because(Refusal::FullForAddress),
    };
    response.header("Retry-After", RETRY_AFTER)
}

/// The answer to whoever comes while all connections together keep too much memory.
pub(super) fn no_memory() -> Response {
    Response::text("no memory for another connection\n")
        .with_status(503)
        .because(Refusal::Memory)
        .header("Retry-After", RETRY_AFTER)
}

/// The application was asked for a verdict, and said nothing in time.
pub(super) fn undecided() -> Response {
    Response::text("nobody has decided in time\n")
        .with_status(503)
        .because(Refusal::TimeOut)
        .header("Retry-After", RETRY_AFTER)
}
