//! Where everything is put together: routes, middleware, rules.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::rc::Rc;

use super::chain::{HttpNext, HttpStep};
use super::context::Context;
use super::error::Problems;
use super::http_error::{ErrorHandler, HttpError};
use super::middleware::{Next, SocketStep};
use super::options::Options;
use super::origin::Origins;
use super::request::Request;
use super::routes::Routes;
use super::server::Server;
use super::subprotocol::Choose;
use super::verdict::{PendingVerdict, Verdict, Verify};
use crate::net::links::Links;
use crate::net::listener::Listener;
use crate::ws::hub::Hub;
use crate::ws::into_message::IntoMessage;
use crate::ws::remote::Remote;
use crate::ws::report::Report;
use crate::ws::room_event::RoomEvent;
use crate::ws::socket::Socket;
use crate::ws::stats::Stats;

/// A server in the making: routes for sockets and for HTTP on one port.
///
/// ```no_run
/// use rushwire::{App, event};
///
/// let mut app = App::new();
/// app.ws("/echo", |socket, _request| {
///     socket.on(event::Message, |socket, message| {
///         socket.send(message);
///     });
/// });
/// app.get("/health", |ctx| ctx.text("ok"));
/// app.listen("127.0.0.1:3000", |address| println!("listening on {address}"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// What is wrong with a route or an option is collected, and told by [`bind`](Self::bind).
pub struct App {
    pub(super) options: Options,
    pub(super) hub: Hub,
    pub(super) routes: Routes,
    pub(super) http_middleware: Vec<HttpStep>,
    pub(super) error_handler: Option<RefCell<ErrorHandler>>,
    pub(super) middleware: Vec<SocketStep>,
    pub(super) verify: Option<Verify>,
    pub(super) choose: Option<Choose>,
    pub(super) origins: Origins,
    pub(super) problems: Problems,
    /// It has made its server.
    pub(super) is_bound: bool,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// An application with all options at their defaults.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// An application with these options.
    pub fn with(options: Options) -> Self {
        Self {
            hub: Hub::new(options.settings(), Links::new(options.limits())),
            options,
            routes: Routes::default(),
            http_middleware: Vec::new(),
            error_handler: None,
            middleware: Vec::new(),
            verify: None,
            choose: None,
            origins: Origins::default(),
            problems: Problems::default(),
            is_bound: false,
        }
    }

    /// Runs before the handler of every socket, in order of registration. `next` must be
    /// [`run`](Next::run) to let it pass; until all have, nobody else sees the socket.
    pub fn ws_use(
        &mut self,
        middleware: impl FnMut(&Socket, &Request, Next) + 'static,
    ) -> &mut Self {
        self.middleware
            .push(Rc::new(RefCell::new(Box::new(middleware))));
        self
    }

    /// Runs around the handler of every HTTP request, in order of registration, and before the upgrade
    /// of every request for a socket that is otherwise in order. What follows
    /// [`next.run(ctx)`](HttpNext::run) runs when the handler has returned.
    ///
    /// It sees requests, too, that nobody answers: with 404, say. Whoever does not call `next.run`, or
    /// answers a request for a socket, refuses it: with that answer, or 403 if there is none. Headers
    /// that are added when a request for a socket passes are on the answer 101.
    ///
    /// ```
    /// # use rushwire::App;
    /// let mut app = App::new();
    /// app.middleware(|ctx, next| {
    ///     ctx.header("X-Frame-Options", "DENY");
    ///     next.run(ctx);
    ///     println!("{} {} {}", ctx.method(), ctx.request().path(), ctx.response_status());
    /// });
    /// ```
    pub fn middleware(
        &mut self,
        middleware: impl FnMut(&Context, HttpNext<'_>) + 'static,
    ) -> &mut Self {
        self.http_middleware
            .push(Rc::new(RefCell::new(Box::new(middleware))));
        self
    }

    /// Dresses the answers that no handler gives: see [`HttpError`]. The status and the body are in the
    /// context already, and may be replaced. It does not hear of requests that cannot be read, nor of
    /// refused sockets.
    ///
    /// ```
    /// # use rushwire::App;
    /// let mut app = App::new();
    /// app.error_handler(|ctx, error| ctx.json(format!(r#"{{"status":{}}}"#, error.status())));
    /// ```
    pub fn error_handler(
        &mut self,
        handler: impl FnMut(&Context, &HttpError) + 'static,
    ) -> &mut Self {
        self.error_handler = Some(RefCell::new(Box::new(handler)));
        self
    }

    /// Decides whether a request may become a socket. `false` answers 401; a
    /// [`Response`](crate::Response) is the answer. Values that are [`set`](Request::set) on the
    /// request are the socket's later. If it panics, the answer is 500.
    pub fn verify_client<V: Into<Verdict>>(
        &mut self,
        verify: impl Fn(&Request) -> V + 'static,
    ) -> &mut Self {
        let verify = move |request: &Request| verify(request).into();
        self.verify = Some(Verify::Now(Box::new(verify)));
        self
    }

    /// Decides later, and from any thread, whether a request may become a socket; it replaces
    /// [`verify_client`](Self::verify_client), and is replaced by it. Frames that the client sends
    /// meanwhile are held.
    ///
    /// ```
    /// # use rushwire::{App, Response};
    /// # struct User(String);
    /// # fn ask_the_database(token: &str) -> Option<User> { Some(User(token.to_owned())) }
    /// let mut app = App::new();
    /// app.verify_client_deferred(|request, verdict| {
    ///     let token = request.query("token").unwrap_or_default().to_owned();
    ///     std::thread::spawn(move || match ask_the_database(&token) {
    ///         Some(user) => verdict.accept_with(user),
    ///         None => verdict.refuse(Response::text("who are you?").with_status(401)),
    ///     });
    /// });
    /// app.ws("/", |socket, _| {
    ///     let user = socket.data::<User>();
    /// });
    /// ```
    pub fn verify_client_deferred(
        &mut self,
        verify: impl Fn(&Request, PendingVerdict) + 'static,
    ) -> &mut Self {
        self.verify = Some(Verify::Later(Box::new(verify)));
        self
    }

    /// Allows the origins for which `predicate` is true, beside those of
    /// [`Options::allow_origins`].
    pub fn allow_origin_if(
        &mut self,
        predicate: impl Fn(&str, &Request) -> bool + 'static,
    ) -> &mut Self {
        self.origins.allow_if(Box::new(predicate));
        self
    }

    /// Chooses the subprotocol, instead of [`Options::subprotocols`], for each client that offers
    /// any: one of those that it offers (RFC 6455 §4.2.2), or none. It runs when the request is
    /// accepted. Any other choice is reported to [`on_error`](Self::on_error), and none is spoken; if
    /// it panics, the answer is 500.
    ///
    /// ```
    /// # use rushwire::App;
    /// let mut app = App::new();
    /// app.choose_subprotocol(|_request, offered| {
    ///     let newest = offered.iter().filter(|name| name.starts_with("chat.v")).max();
    ///     newest.map(|name| name.to_string())
    /// });
    /// ```
    pub fn choose_subprotocol(
        &mut self,
        choose: impl Fn(&Request, &[&str]) -> Option<String> + 'static,
    ) -> &mut Self {
        self.choose = Some(Box::new(choose));
        self
    }

    /// Hears of what no listener may have heard of: panics in code of the application, answers that
    /// cannot be written, messages that cannot be made, listeners that would never run, failures to
    /// accept.
    pub fn on_error(&mut self, listener: impl FnMut(&Report) + 'static) -> &mut Self {
        self.hub.set_on_error(listener);
        self
    }

    /// [`Hub::on_room`].
    pub fn on_room(&mut self, listener: impl FnMut(&Hub, RoomEvent<'_>) + 'static) -> &mut Self {
        self.hub.on_room(listener);
        self
    }

    /// All sockets of the server. It works before the server runs, for setting timers say.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Reaches the server from any thread. It works before the server runs.
    pub fn remote(&self) -> Remote {
        self.hub.remote()
    }

    /// [`Hub::stats`].
    pub fn stats(&self) -> Stats {
        self.hub.stats()
    }

    /// [`Hub::ws_broadcast`].
    pub fn ws_broadcast(&self, message: impl IntoMessage, room: Option<&str>) -> usize {
        self.hub.ws_broadcast(message, room)
    }

    /// Listens, says where, and runs until the server is shut down.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind) and [`Server::run`].
    pub fn listen(
        &mut self,
        address: impl ToSocketAddrs,
        ready: impl FnOnce(SocketAddr),
    ) -> io::Result<()> {
        let mut server = self.bind(address)?;
        if let Some(address) = server.local_addr() {
            ready(address);
        }
        server.run()
    }

    /// Listens on a TCP address; port 0 is any free port. The server takes over all that was
    /// registered so far; an `App` makes one server.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`](super::ConfigError) inside of an error of kind
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if anything is wrong with routes or options; and
    /// whatever the system has against the address.
    pub fn bind(&mut self, address: impl ToSocketAddrs) -> io::Result<Server> {
        self.check()?;
        let listener = TcpListener::bind(address)?;
        self.serve(listener)
    }

    /// Takes over a TCP listener, wherever it comes from.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn serve(&mut self, listener: TcpListener) -> io::Result<Server> {
        self.start(Some(Listener::tcp(listener)?))
    }

    /// Listens on a Unix-domain socket at `path`, which must not exist yet.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    #[cfg(unix)]
    pub fn bind_unix(&mut self, path: impl AsRef<std::path::Path>) -> io::Result<Server> {
        self.check()?;
        self.serve_unix(std::os::unix::net::UnixListener::bind(path)?)
    }

    /// Takes over a Unix-domain listener.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    #[cfg(unix)]
    pub fn serve_unix(&mut self, listener: std::os::unix::net::UnixListener) -> io::Result<Server> {
        self.start(Some(Listener::unix(listener)?))
    }

    pub(super) fn note(&mut self, added: Result<(), String>) -> &mut Self {
        if let Err(problem) = added {
            self.problems.add(problem);
        }
        self
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
