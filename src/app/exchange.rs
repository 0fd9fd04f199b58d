//! One HTTP request and its answer.

use std::net::SocketAddr;

use super::context::Context;
use super::core::Core;
use super::request::Request;
use super::routes::HttpFound;
use crate::http::{Head, Method, Response, Version, Write};
use crate::ws::guard::guard;

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

    /// As that request wants it.
    pub(super) fn to(self, head: &Head) -> Self {
        Self {
            head_only: head.method() == Method::Head,
            http10: head.version() == Version::Http10,
            ..self
        }
    }
}

/// Writes an answer; one that cannot be written becomes a 500.
pub(super) fn write(core: &Core, response: &Response, how: Answer) -> Vec<u8> {
    let spoilt = response.offence().map(|offence| {
        core.hub.report(None, &offence.to_string());
        failure()
    });
    let response = spoilt.as_ref().unwrap_or(response);
    if response.status() >= 400 {
        core.hub.counters().refused(response.status());
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

/// Has the handler of the route answer.
pub(super) fn respond(
    core: &Core,
    peer: Option<SocketAddr>,
    head: Head,
    body: Vec<u8>,
) -> Response {
    if let Some(response) = without_handler(core, &head) {
        return response;
    }
    let client = core.proxies.client(&head, peer);
    let path = head.path().to_owned();
    let Ok(HttpFound::Handler(found)) = core.routes.http(head.method(), &path) else {
        return failure();
    };
    let request = Request::new(head, peer, client)
        .with_body(body)
        .with_params(found.names, found.values);
    let context = Context::new(request, core.hub.clone());
    // Handlers never run inside themselves: there is no way from one back into the reactor.
    match guard(|| {
        (found.route.borrow_mut())(&context);
        context.into_response()
    }) {
        Ok(response) => response,
        Err(panic) => {
            core.hub.report(None, &panic);
            failure()
        }
    }
}

/// The answer to a request that no handler is there for.
pub(super) fn without_handler(core: &Core, head: &Head) -> Option<Response> {
    let Ok(found) = core.routes.http(head.method(), head.path()) else {
        return Some(bad_escape());
    };
    match found {
        HttpFound::Handler(_) => None,
        HttpFound::WrongMethod(allowed) => Some(wrong_method(&allowed)),
        HttpFound::Nothing => Some(match core.routes.socket(head.path()) {
            Err(_) => bad_escape(),
            Ok(None) => Response::text("not found\n").with_status(404),
            Ok(Some(_)) if head.method() == Method::Get => upgrade_required(),
            Ok(Some(_)) => wrong_method("GET"),
        }),
    }
}

pub(super) fn bad_escape() -> Response {
    Response::text("the path has a malformed percent-escape\n").with_status(400)
}

pub(super) fn wrong_method(allowed: &str) -> Response {
    Response::text("method not allowed\n")
        .with_status(405)
        .header("Allow", allowed)
}

/// A socket is here, but the request does not ask for one (RFC 9110 §15.5.22).
fn upgrade_required() -> Response {
    Response::text("this is a WebSocket endpoint\n")
        .with_status(426)
        .with_upgrade("websocket")
}

fn failure() -> Response {
    Response::text("internal server error\n").with_status(500)
}
