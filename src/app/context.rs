//! What a route's handler works with: the request, and the answer in the making.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::chain;
use super::deferred::{Deferred, Promised};
use super::into_json::IntoJson;
use super::request::Request;
use crate::http::{Method, Refusal, Response};
use crate::net::slab::Key;
use crate::proto::handshake;
use crate::ws::hub::Hub;
use crate::ws::later::{self, Later};

/// One HTTP request and its answer.
///
/// Everything takes `&self`, so that `ctx.text(ctx.param("x"))` works. A handler that says nothing
/// answers 200 with no body; middleware that says nothing, and does not let the request pass, 403.
pub struct Context {
    request: Request,
    hub: Hub,
    key: Key,
    status: Cell<Option<u16>>,
    headers: RefCell<Vec<(String, String)>>,
    body: RefCell<Option<Response>>,
    upgrade: Cell<Option<&'static str>>,
    refusal: Cell<Option<Refusal>>,
    deferral: RefCell<Option<Deferral>>,
    /// All middleware has let it pass.
    passed: Cell<bool>,
}

/// The handle of an answer that another thread gives, and where that is looked for.
type Deferral = (Arc<Promised>, Later<Option<Response>>);

/// What middleware has said of a request that may become a socket.
pub(super) enum Passage {
    /// It may, and its answer 101 has these headers.
    Passed(Request, Vec<(String, String)>),
    Stopped(Context),
}

impl Context {
    pub(super) fn new(request: Request, hub: Hub, key: Key) -> Self {
        Self {
            request,
            hub,
            key,
            status: Cell::new(None),
            headers: RefCell::default(),
            body: RefCell::default(),
            upgrade: Cell::new(None),
            refusal: Cell::new(None),
            deferral: RefCell::default(),
            passed: Cell::new(false),
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

    /// [`Request::header`]: a header of the request.
    pub fn request_header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.request.header(name)
    }

    /// Whether the request asks for a socket: then middleware decides only whether it may pass, and no
    /// handler of a route is behind it.
    pub fn is_websocket(&self) -> bool {
        handshake::wants_websocket(self.request.head())
    }

    /// Keeps a value with the request, for handlers behind and, if it becomes a socket, for that:
    /// [`Request::set`].
    pub fn set<T: 'static>(&self, value: T) {
        self.request.set(value);
    }

    /// The value of type `T` that was kept with the request.
    pub fn data<T: Any>(&self) -> Option<Rc<T>> {
        self.request.data()
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
        self.say(Response::text(body));
    }

    /// Answers with HTML.
    pub fn html(&self, body: impl Into<String>) {
        self.say(Response::html(body));
    }

    /// Answers with JSON: text that is JSON already, or with feature `json` a value, `Json(&value)`.
    pub fn json(&self, body: impl IntoJson) {
        match body.into_json() {
            Ok(text) => self.say(Response::json(text)),
            Err(why) => {
                self.hub.report(None, &why);
                self.respond(chain::failure());
            }
        }
    }

    /// Answers with bytes of any type.
    pub fn bytes(&self, content_type: &str, body: impl Into<Vec<u8>>) {
        self.say(Response::bytes(content_type, body.into()));
    }

    /// Sends the client elsewhere, with 302 unless another [`status`](Self::status) is set.
    pub fn redirect(&self, location: &str) {
        self.say(Response::new(302).header("Location", location));
    }

    /// Answers with a response, instead of anything that was said so far.
    pub fn respond(&self, response: Response) {
        self.status.set(None);
        self.upgrade.set(None);
        self.refusal.set(response.cause());
        self.headers.borrow_mut().clear();
        self.say(response);
    }

    fn say(&self, response: Response) {
        self.body.replace(Some(response));
    }

    /// The status of the answer as it stands: for middleware that looks at it when
    /// [`next.run`](super::HttpNext::run) has returned. Of a [`deferred`](Self::defer) answer it is
    /// not known.
    pub fn response_status(&self) -> u16 {
        let body = self.body.borrow().as_ref().map(Response::status);
        self.status.get().or(body).unwrap_or(200)
    }

    /// Lets another thread answer, at any time: what comes behind on the connection waits. What is said
    /// here but headers counts for nothing then. Called again, it gives another handle to the same
    /// answer.
    ///
    /// ```
    /// # use rushwire::{App, Response};
    /// let mut app = App::new();
    /// app.get("/slow", |ctx| {
    ///     let answer = ctx.defer();
    ///     std::thread::spawn(move || answer.respond(Response::text("at last")));
    /// });
    /// ```
    pub fn defer(&self) -> Deferred {
        let mut deferral = self.deferral.borrow_mut();
        let (promise, _) = deferral.get_or_insert_with(|| {
            let (remote, unanswered) = (self.hub.remote(), || None);
            let (promise, later) = later::ask(remote, self.key, later::read_on, unanswered);
            (Arc::new(promise), later)
        });
        Deferred(Arc::clone(promise))
    }

    /// Where the answer is looked for if another thread gives it. Handles alone keep it open from now on.
    pub(super) fn take_deferral(&self) -> Option<Later<Option<Response>>> {
        let (promise, later) = self.deferral.take()?;
        drop(promise);
        Some(later)
    }

    /// All middleware has let the request pass.
    pub(super) fn pass(&self) {
        self.passed.set(true);
    }

    /// How many headers the answer has so far, for [`forget_since`](Self::forget_since).
    pub(super) fn header_count(&self) -> usize {
        self.headers.borrow().len()
    }

    /// Forgets the headers behind the first `count`: whoever added them has panicked.
    pub(super) fn forget_since(&self, count: usize) {
        self.headers.borrow_mut().truncate(count);
    }

    /// Gives the answer that nobody behind here gives; headers so far stay, and more may be added.
    pub(super) fn decline(&self, answer: &Response) {
        self.status.set(Some(answer.status()));
        self.upgrade.set(answer.upgrade());
        self.refusal.set(answer.cause());
        let headers = answer.headers();
        let kept = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.headers.borrow_mut().extend(kept);
        self.say(Response::text(String::from_utf8_lossy(answer.body())));
        drop(self.deferral.take());
    }

    /// What becomes of a request that asks for a socket.
    pub(super) fn into_passage(self) -> Passage {
        let stopped = !self.passed.get() || self.is_answered();
        match stopped {
            true => Passage::Stopped(self),
            false => Passage::Passed(self.request, self.headers.into_inner()),
        }
    }

    /// Whether somebody has said what the answer is.
    fn is_answered(&self) -> bool {
        self.body.borrow().is_some()
            || self.status.get().is_some()
            || self.deferral.borrow().is_some()
    }

    /// The answer.
    pub(super) fn into_response(self) -> Response {
        let unsaid = match self.passed.get() || self.is_answered() {
            true => Response::new(200),
            false => Response::text("forbidden\n").with_status(403),
        };
        let mut response = self.body.take().unwrap_or(unsaid);
        if let Some(status) = self.status.get() {
            response = response.with_status(status);
        }
        if let Some(protocol) = self.upgrade.get() {
            response = response.with_upgrade(protocol);
        }
        if let Some(cause) = self.refusal.get() {
            response = response.because(cause);
        }
        self.dress(response)
    }

    /// An answer that another thread has given, with the headers that were added here.
    pub(super) fn dress(self, response: Response) -> Response {
        let headers = self.headers.into_inner().into_iter();
        headers.fold(response, |response, (name, value)| {
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
