//! A request as the application sees it.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use super::upgrade_headers::UpgradeHeaders;
use crate::http::{Head, InvalidHeader, Method, Query};
use crate::proto::handshake;
use crate::ws::data::TypeMap;
use crate::ws::guard::guard;

/// An HTTP request: what became a socket, or what a route answers.
pub struct Request {
    head: Head,
    params: Vec<(Box<str>, Box<str>)>,
    query: OnceCell<Query>,
    body: Vec<u8>,
    peer: Option<SocketAddr>,
    client_ip: Option<IpAddr>,
    data: RefCell<TypeMap>,
    upgrade_headers: UpgradeHeaders,
}

impl Request {
    pub(super) fn new(head: Head, peer: Option<SocketAddr>, client_ip: Option<IpAddr>) -> Self {
        Self {
            head,
            params: Vec::new(),
            query: OnceCell::new(),
            body: Vec::new(),
            peer,
            client_ip,
            data: RefCell::default(),
            upgrade_headers: UpgradeHeaders::default(),
        }
    }

    pub(super) fn with_params(mut self, names: &[Box<str>], values: Vec<Cow<'_, str>>) -> Self {
        self.params = names
            .iter()
            .cloned()
            .zip(values.into_iter().map(|value| value.into_owned().into()))
            .collect();
        self
    }

    pub(super) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.head.method()
    }

    /// The method as it was sent: also one that [`Method`] has no name for.
    pub fn method_name(&self) -> &str {
        self.head.method_token()
    }

    /// Path and query, as they were sent.
    pub fn url(&self) -> &str {
        self.head.target()
    }

    /// The path, as it was sent.
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// The host that was asked for, with its port if that was given.
    pub fn host(&self) -> &str {
        self.head.host()
    }

    /// What stands in the path in the place of `:name`, or of `*` for the name `"*"`, decoded.
    ///
    /// Empty if the route has no such name.
    pub fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(known, _)| **known == *name)
            .map_or("", |(_, value)| value)
    }

    /// The first value of that name in the query, decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.queries().get(name)
    }

    /// All values of that name in the query, decoded.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.queries().all(name)
    }

    /// The first header of that name, if it is text. Case does not matter.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.head.header(name)
    }

    /// All headers, in order; values need not be text.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.fields()
    }

    /// The subprotocols that the client offers, the preferred one first (RFC 6455 §1.9).
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.head.list("Sec-WebSocket-Protocol")
    }

    /// The origin of the page that the request comes from, as a browser says (RFC 6454 §7).
    pub fn origin(&self) -> Option<&str> {
        self.head.header("Origin")
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The address of the client: of the TCP peer, unless that is one of the
    /// [`trusted_proxies`](crate::Options::trusted_proxies) and said better. An IPv4 address that
    /// came in IPv6 clothes is given as IPv4. `None` over a Unix-domain socket.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The address of the TCP peer.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Keeps a value with the request, instead of an earlier one of its type. What is set before the
    /// request is accepted, in [`verify_client`](crate::App::verify_client), is the socket's later;
    /// middleware has [`Socket::set`](crate::Socket::set) and [`Next::run_with`](crate::Next::run_with).
    pub fn set<T: 'static>(&self, value: T) {
        let old = self.data.borrow_mut().insert(Rc::new(value) as Rc<dyn Any>);
        drop(old);
    }

    /// Keeps a value that another thread has made.
    pub(super) fn set_boxed(&self, value: Box<dyn Any + Send>) {
        let value: Box<dyn Any> = value;
        let old = self.data.borrow_mut().insert(value.into());
        drop(old);
    }

    /// The value of type `T`.
    pub fn data<T: 'static>(&self) -> Option<Rc<T>> {
        self.data.borrow().get()
    }

    /// Adds a header to the answer 101, if the request is accepted: from
    /// [`verify_client`](crate::App::verify_client), say. A name may come several times.
    ///
    /// ```
    /// # let mut app = rushwire::App::new();
    /// app.verify_client(|request| request.respond_header("Set-Cookie", "seen=1").is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Quotes a header that cannot be written, that belongs to the handshake (`Connection`, `Upgrade`,
    /// `Sec-WebSocket-…`, RFC 6455 §4.2.2), that concerns one connection only or frames a body
    /// (RFC 9110 §7.6.1, §8.6); one that comes after the answer; and any if the request asks for no
    /// socket: for that there is [`Context::header`](crate::Context::header). Nothing is added then.
    pub fn respond_header(
        &self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), InvalidHeader> {
        let name = name.into();
        if !handshake::wants_websocket(&self.head) {
            let why = "is for an answer 101, but the request asks for no socket";
            return Err(InvalidHeader::misplaced(&name, why));
        }
        self.upgrade_headers.add(name, value.into())
    }

    /// The headers for the answer 101: none can be added any more.
    pub(super) fn take_upgrade_headers(&self) -> Vec<(String, String)> {
        self.upgrade_headers.take()
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// All values that were set so far.
    pub(super) fn values(&self) -> TypeMap {
        self.data.borrow().clone()
    }

    fn queries(&self) -> &Query {
        self.query
            .get_or_init(|| Query::parse(self.head.query().unwrap_or_default()))
    }
}

impl Drop for Request {
    /// Dropping a value of the application may panic, and that must end nothing but itself.
    fn drop(&mut self) {
        let data = self.data.take();
        let _ = guard(|| drop(data));
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
