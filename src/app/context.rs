//! What a route's handler works with: the request, and the answer in the making.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::request::Request;
use crate::http::{Method, Response};
use crate::ws::hub::Hub;

/// One HTTP request and its answer.
///
/// Everything takes `&self`, so that `ctx.text(ctx.param("x"))` works. A handler that says nothing
/// answers 200 with no body.
pub struct Context {
    request: Request,
    hub: Hub,
    status: Cell<Option<u16>>,
    headers: RefCell<Vec<(String, String)>>,
    body: RefCell<Response>,
}

impl Context {
    pub(super) fn new(request: Request, hub: Hub) -> Self {
        Self {
            request,
            hub,
            status: Cell::new(None),
            headers: RefCell::default(),
            body: RefCell::new(Response::new(200)),
        }
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// All sockets of the server.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The method of the request.
    pub fn method(&self) -> Method {
        self.request.method()
    }

    /// [`Request::param`].
    pub fn param(&self, name: &str) -> &str {
        self.request.param(name)
    }

    /// [`Request::query`].
    pub fn query(&self, name: &str) -> Option<&str> {
        self.request.query(name)
    }

    /// The body of the request.
    pub fn body(&self) -> &[u8] {
        self.request.body()
    }

    /// The body of the request, if it is text.
    pub fn body_text(&self) -> Option<&str> {
        std::str::from_utf8(self.request.body()).ok()
    }

    /// Answers with that status, from 200 to 599.
    pub fn status(&self, status: u16) -> &Self {
        self.status.set(Some(status));
        self
    }

    /// Adds a header to the answer. One that cannot be written, or that the library writes itself
    /// (`Content-Length`, `Transfer-Encoding`, `Connection`, `Date`, `Upgrade`), turns the answer
    /// into a 500, and is reported to [`App::on_error`](super::App::on_error).
    pub fn header(&self, name: impl Into<String>, value: impl Into<String>) -> &Self {
        let header = (name.into(), value.into());
        self.headers.borrow_mut().push(header);
        self
    }

    /// Answers with text.
    pub fn text(&self, body: impl Into<String>) {
        self.body.replace(Response::text(body));
    }

    /// Answers with HTML.
    pub fn html(&self, body: impl Into<String>) {
        self.body.replace(Response::html(body));
    }

    /// Answers with JSON, which `body` must be already.
    pub fn json(&self, body: impl Into<String>) {
        self.body.replace(Response::json(body));
    }

    /// Answers with bytes of any type.
    pub fn bytes(&self, content_type: &str, body: impl Into<Vec<u8>>) {
        self.body
            .replace(Response::bytes(content_type, body.into()));
    }

    /// Sends the client elsewhere, with 302 unless another [`status`](Self::status) is set.
    pub fn redirect(&self, location: &str) {
        self.body
            .replace(Response::new(302).header("Location", location));
    }

    /// Answers with a response, instead of anything that was said so far.
    pub fn respond(&self, response: Response) {
        self.status.set(None);
        self.headers.borrow_mut().clear();
        self.body.replace(response);
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = self.body.into_inner();
        if let Some(status) = self.status.get() {
            response = response.with_status(status);
        }
        self.headers
            .into_inner()
            .into_iter()
            .fold(response, |response, (name, value)| {
                response.header(name, value)
            })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
