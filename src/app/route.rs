//! What answers at a path: handlers for HTTP, and for sockets.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::app::App;
use super::chain::{HttpNext, HttpStep};
use super::context::Context;
use super::middleware::{Next, SocketStep};
use super::request::Request;
use crate::http::Method;
use crate::ws::socket::Socket;

/// One path, for several handlers with middleware of their own. From [`App::route`].
///
/// Middleware concerns the handlers that are added behind it, and runs after the application's.
///
/// ```
/// # use rushwire::{App, Context, HttpNext};
/// fn authenticate(ctx: &Context, next: HttpNext<'_>) {
///     match ctx.request_header("Authorization") {
///         Some("Bearer secret") => next.run(ctx),
///         _ => ctx.status(401).text("who are you?"),
///     }
/// }
///
/// let mut app = App::new();
/// app.route("/posts/:id")
///     .get(|ctx| ctx.text(ctx.param("id")))
///     .middleware(authenticate)
///     .put(|ctx| ctx.text("written"))
///     .delete(|ctx| ctx.text("gone"));
/// app.route("/admin").middleware(authenticate).ws(|socket, _| {
///     socket.join("admins");
/// });
/// ```
pub struct Route<'a> {
    app: &'a mut App,
    pattern: String,
    http: Vec<HttpStep>,
    sockets: Vec<SocketStep>,
}

impl Route<'_> {
    /// Runs around the handlers for HTTP that are added behind it, and before the upgrade of sockets:
    /// as [`App::middleware`] does for all paths.
    pub fn middleware(mut self, middleware: impl FnMut(&Context, HttpNext<'_>) + 'static) -> Self {
        self.http.push(Rc::new(RefCell::new(Box::new(middleware))));
        self
    }

    /// Runs before the handler for sockets that is added behind it: as [`App::ws_use`] does for all
    /// paths.
    pub fn ws_use(mut self, middleware: impl FnMut(&Socket, &Request, Next) + 'static) -> Self {
        self.sockets
            .push(Rc::new(RefCell::new(Box::new(middleware))));
        self
    }

    /// Sockets here. The handler runs once for each, when it is open.
    pub fn ws(self, handler: impl FnMut(&Socket, &Request) + 'static) -> Self {
        let handler = Some(Box::new(handler) as Box<_>);
        let added = self
            .app
            .routes
            .add_socket(&self.pattern, &self.http, &self.sockets, handler);
        self.app.note(added);
        self
    }

    /// Answers `GET` (and `HEAD`) here.
    pub fn get(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Get), handler)
    }

    /// Answers `POST` here.
    pub fn post(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Post), handler)
    }

    /// Answers `PUT` here.
    pub fn put(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Put), handler)
    }

    /// Answers `PATCH` here.
    pub fn patch(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Patch), handler)
    }

    /// Answers `DELETE` here.
    pub fn delete(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Delete), handler)
    }

    /// Answers `HEAD` here, instead of the handler for `GET`.
    pub fn head(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Head), handler)
    }

    /// Answers `OPTIONS` here.
    pub fn options(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(Some(Method::Options), handler)
    }

    /// Answers any method here that has no handler of its own.
    pub fn any(self, handler: impl FnMut(&Context) + 'static) -> Self {
        self.add(None, handler)
    }

    fn add(self, method: Option<Method>, handler: impl FnMut(&Context) + 'static) -> Self {
        let added = self
            .app
            .routes
            .add_http(method, &self.pattern, &self.http, Box::new(handler));
        self.app.note(added);
        self
    }
}

impl fmt::Debug for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Handlers at `pattern` that share middleware of their own.
    pub fn route(&mut self, pattern: impl Into<String>) -> Route<'_> {
        Route {
            app: self,
            pattern: pattern.into(),
            http: Vec::new(),
            sockets: Vec::new(),
        }
    }

    /// Sockets at `pattern`. The handler runs once for each, when it is open.
    ///
    /// A pattern is a path whose segments are literal, `:name` for one segment that is not empty, or
    /// a last `*` for the rest. The most specific pattern wins: literal before `:name` before `*`. A
    /// slash at the end matters.
    pub fn ws(
        &mut self,
        pattern: &str,
        handler: impl FnMut(&Socket, &Request) + 'static,
    ) -> &mut Self {
        self.route(pattern).ws(handler);
        self
    }

    /// Answers `GET` (and `HEAD`) at `pattern`.
    pub fn get(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).get(handler);
        self
    }

    /// Answers `POST` at `pattern`.
    pub fn post(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).post(handler);
        self
    }

    /// Answers `PUT` at `pattern`.
    pub fn put(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).put(handler);
        self
    }

    /// Answers `PATCH` at `pattern`.
    pub fn patch(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).patch(handler);
        self
    }

    /// Answers `DELETE` at `pattern`.
    pub fn delete(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).delete(handler);
        self
    }

    /// Answers `HEAD` at `pattern`, instead of the handler for `GET`.
    pub fn head(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).head(handler);
        self
    }

    /// Answers `OPTIONS` at `pattern`.
    pub fn options(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).options(handler);
        self
    }

    /// Answers any method at `pattern` that has no handler of its own there.
    pub fn any(&mut self, pattern: &str, handler: impl FnMut(&Context) + 'static) -> &mut Self {
        self.route(pattern).any(handler);
        self
    }
}
