//! One HTTP request and its answer.

use std::net::SocketAddr;

use super::chain::{self, End};
use super::context::Context;
use super::core::Core;
use super::request::Request;
use super::routes::HttpFound;
use crate::http::{BadEscape, Head, Method, Refusal, Response, Version, Write};
use crate::net::slab::Key;
use crate::ws::journal::Entry;
use crate::ws::later::Later;

/// How an answer is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) keep_alive: bool,
    head_only: bool,
    http10: bool,
}

impl Answer {
    /// The connection is closed behind it.
    pub(super) fn last() -> Self {
        Self::keep(false)
    }

    pub(super) fn keep(keep_alive: bool) -> Self {
        Self {
            keep_alive,
            head_only: false,
            http10: false,
        }
    }

    /// The same, but the connection is closed behind it.
    pub(super) fn and_last(self) -> Self {
        Self {
            keep_alive: false,
            ..self
        }
    }

    /// As that request wants it.
    pub(super) fn to(self, head: &Head) -> Self {
        Self {
            head_only: head.method() == Method::Head,
            http10: head.version() == Version::Http10,
            ..self
        }
    }
}

/// Writes an answer to a request for `path`, as far as it is known; one that cannot be written becomes
/// a 500.
pub(super) fn write(
    core: &Core,
    response: &Response,
    how: Answer,
    peer: Option<SocketAddr>,
    path: Option<&str>,
) -> Vec<u8> {
    let spoilt = response.offence().map(|offence| {
        core.hub.report(None, &offence.to_string());
        chain::failure()
    });
    let response = spoilt.as_ref().unwrap_or(response);
    if let Some(cause) = response.refusal() {
        core.hub.counters().refused(cause);
        core.hub.note(Entry::Refused {
            peer,
            path,
            status: response.status(),
            cause,
        });
    }
    let mut bytes = Vec::new();
    let Answer {
        keep_alive,
        head_only,
        http10,
    } = how;
    core.clock.with(|date| {
        response.write(
            &mut bytes,
            Write {
                head_only,
                keep_alive,
                http10,
                date,
            },
        )
    });
    bytes
}

/// What comes of a request.
pub(super) enum Reply {
    Now(Response),
    /// Another thread answers.
    Later(Box<Pending>),
}

/// A request that another thread answers.
pub(super) struct Pending {
    context: Context,
    later: Later<Option<Response>>,
}

impl Pending {
    /// The answer, if it is there; otherwise this again.
    pub(super) fn look(self: Box<Self>, core: &Core) -> Result<Response, Box<Self>> {
        match self.later.take() {
            Some(answer) => Ok(Self::answered(core, self.context, answer)),
            None => Err(self),
        }
    }

    fn answered(core: &Core, context: Context, answer: Option<Response>) -> Response {
        match answer {
            Some(response) => context.dress(response),
            None => {
                chain::fail(
                    core,
                    &context,
                    "nobody answers any more: the handle was dropped",
                );
                context.into_response()
            }
        }
    }
}

/// What the context of a request holds when all of the application's code has run.
pub(super) fn reply(core: &Core, context: Context) -> Reply {
    let Some(later) = context.take_deferral() else {
        return Reply::Now(context.into_response());
    };
    match later.take() {
        Some(answer) => Reply::Now(Pending::answered(core, context, answer)),
        None => Reply::Later(Box::new(Pending { context, later })),
    }
}

/// Has middleware and the handler of the route answer.
pub(super) fn respond(
    core: &Core,
    key: Key,
    peer: Option<SocketAddr>,
    head: Head,
    body: Vec<u8>,
) -> Reply {
    let client = core.proxies.client(&head, peer);
    let (method, path) = (head.method(), head.path().to_owned());
    let request = Request::new(head, peer, client).with_body(body);
    let (request, own, end) = match core.routes.http(method, &path) {
        Ok(HttpFound::Handler(found)) => (
            request.with_params(found.names, found.values),
            &*found.route.middleware,
            End::Handler(&found.route.handler),
        ),
        other => (
            request,
            &[][..],
            End::Nobody(nobody(core, method, &path, other)),
        ),
    };
    let context = Context::new(request, core.hub.clone(), key);
    chain::run(core, own, end, &context);
    reply(core, context)
}

/// Whether a handler is there for a request.
pub(super) fn has_handler(core: &Core, head: &Head) -> bool {
    let found = core.routes.http(head.method(), head.path());
    matches!(found, Ok(HttpFound::Handler(_)))
}

/// The answer to a request that no handler is there for.
fn nobody(
    core: &Core,
    method: Method,
    path: &str,
    found: Result<HttpFound<'_, '_>, BadEscape>,
) -> Response {
    match found {
        Err(_) => bad_escape(),
        Ok(HttpFound::Handler(_)) => chain::failure(),
        Ok(HttpFound::WrongMethod(allowed)) => wrong_method(&allowed),
        Ok(HttpFound::Nothing) => match core.routes.socket(path) {
            Err(_) => bad_escape(),
            Ok(None) => not_found(),
            Ok(Some(_)) if method == Method::Get => upgrade_required(),
            Ok(Some(_)) => wrong_method("GET"),
        },
    }
}

pub(super) fn not_found() -> Response {
    Response::text("not found\n")
        .with_status(404)
        .because(Refusal::NoRoute)
}

pub(super) fn bad_escape() -> Response {
    Response::text("the path has a malformed percent-escape\n")
        .with_status(400)
        .because(Refusal::BadRequest)
}

pub(super) fn wrong_method(allowed: &str) -> Response {
    Response::text("method not allowed\n")
        .with_status(405)
        .header("Allow", allowed)
        .because(Refusal::WrongMethod)
}

/// A socket is here, but the request does not ask for one (RFC 9110 §15.5.22).
fn upgrade_required() -> Response {
    Response::text("this is a WebSocket endpoint\n")
        .with_status(426)
        .with_upgrade("websocket")
        .because(Refusal::NoUpgrade)
}
