//! Middleware around the handlers of HTTP routes, and before the upgrade to a socket.
//!
//! ```text
//! app.middleware ─▶ … ─▶ route.middleware ─▶ … ─▶ handler
//!       ▲                      ▲                     │
//!       └──────────────────────┴─────────────────────┘   each runs on when next.run(ctx) returns
//! ```

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::context::Context;
use super::core::Core;
use super::http_error::HttpError;
use super::routes::HttpHandler;
use crate::http::{Refusal, Response};
use crate::ws::watchdog::Call;

pub(super) type HttpMiddleware = Box<dyn FnMut(&Context, HttpNext<'_>)>;

/// Shared by the routes that were registered behind it; none of them runs inside of another.
pub(super) type HttpStep = Rc<RefCell<HttpMiddleware>>;

/// The rest of the way to a handler: other middleware, and the handler itself.
///
/// [`run`](Self::run) goes it. Dropping it ends the request here: with the answer that was given to
/// the context, and with 403 if there was none.
pub struct HttpNext<'a> {
    core: &'a Core,
    shared: &'a [HttpStep],
    own: &'a [HttpStep],
    end: End<'a>,
}

/// Where the way leads.
pub(super) enum End<'a> {
    Handler(&'a RefCell<HttpHandler>),
    /// Nobody answers at that path, or not with that method.
    Nobody(Response),
    /// The request may become a socket.
    Upgrade,
}

/// Goes the whole way: first the application's middleware, then the route's `own`.
pub(super) fn run(core: &Core, own: &[HttpStep], end: End<'_>, ctx: &Context) {
    let shared = &core.http_middleware;
    let first = HttpNext {
        core,
        shared,
        own,
        end,
    };
    first.run(ctx);
}

impl<'a> HttpNext<'a> {
    /// Runs what comes next, and returns when all of it has run.
    ///
    /// A panic there comes no further: the context then holds a 500, as after a handler that gave it.
    pub fn run(mut self, ctx: &Context) {
        let core = self.core;
        let headers = ctx.header_count();
        let next = self.step();
        let what = match next {
            Some(_) => "middleware",
            None => "handler",
        };
        let call = || Call::for_path(what, ctx.request().path());
        let outcome = core.hub.run(call, || match next {
            Some(step) => (step.borrow_mut())(ctx, self),
            None => self.end.run(core, ctx),
        });
        if let Err(panic) = outcome {
            core.hub.report(None, &panic);
            ctx.forget_since(headers);
            fail(core, ctx, panic);
        }
    }

    /// Takes the next middleware.
    fn step(&mut self) -> Option<&'a RefCell<HttpMiddleware>> {
        let steps = if self.shared.is_empty() {
            &mut self.own
        } else {
            &mut self.shared
        };
        let (first, rest) = steps.split_first()?;
        *steps = rest;
        Some(first)
    }
}

impl End<'_> {
    fn run(self, core: &Core, ctx: &Context) {
        ctx.pass();
        match self {
            Self::Handler(handler) => (handler.borrow_mut())(ctx),
            Self::Nobody(answer) => decline(core, ctx, &answer, &HttpError::of(&answer)),
            Self::Upgrade => {}
        }
    }
}

/// Answers 500, and lets the application say more.
pub(super) fn fail(core: &Core, ctx: &Context, message: impl Into<String>) {
    decline(core, ctx, &failure(), &HttpError::new(500, message));
}

/// Gives an answer that no handler gave, which the application may dress.
fn decline(core: &Core, ctx: &Context, answer: &Response, error: &HttpError) {
    ctx.decline(answer);
    let Some(dress) = &core.error_handler else {
        return;
    };
    let headers = ctx.header_count();
    let call = || Call::for_path("error handler", ctx.request().path());
    let dress = || (dress.borrow_mut())(ctx, error);
    if let Err(panic) = core.hub.run(call, dress) {
        core.hub.report(None, &panic);
        ctx.forget_since(headers);
        ctx.decline(&failure());
    }
}

pub(super) fn failure() -> Response {
    Response::text("internal server error\n")
        .with_status(500)
        .because(Refusal::Failed)
}

impl fmt::Debug for HttpNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpNext").finish_non_exhaustive()
    }
}
