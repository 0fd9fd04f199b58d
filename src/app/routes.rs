//! Who answers for a path: handlers of HTTP routes, and endpoints for sockets.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::chain::HttpStep;
use super::context::Context;
use super::middleware::SocketStep;
use super::request::Request;
use crate::http::{BadEscape, Method, Pattern, Router};
use crate::ws::socket::Socket;

/// A handler that runs on the reactor's thread, never inside itself.
pub(super) type HttpHandler = Box<dyn FnMut(&Context)>;
pub(super) type SocketHandler = Box<dyn FnMut(&Socket, &Request)>;

/// Everything that has a path.
#[derive(Default)]
pub(super) struct Routes {
    http: Table<HttpRoute>,
    sockets: Table<Rc<Endpoint>>,
}

/// Routes of one kind: those of one shape share a place.
struct Table<R> {
    router: Router,
    places: Vec<Vec<R>>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            places: Vec::new(),
        }
    }
}

pub(super) struct HttpRoute {
    pattern: Pattern,
    /// `None`: any.
    method: Option<Method>,
    /// What runs around the handler, behind the application's middleware.
    pub(super) middleware: Box<[HttpStep]>,
    pub(super) handler: RefCell<HttpHandler>,
}

pub(super) struct Endpoint {
    pub(super) pattern: Pattern,
    /// What runs before the upgrade, behind the application's middleware.
    pub(super) http_middleware: Box<[HttpStep]>,
    /// What runs before the handler, behind the application's middleware.
    pub(super) middleware: Box<[SocketStep]>,
    /// The pattern's text: the URL of every socket whose request was for just that.
    pub(super) url: Rc<str>,
    /// `None`: for pushing only.
    pub(super) handler: Option<RefCell<SocketHandler>>,
}

/// A route that was found, with the values in the path.
pub(super) struct Found<'r, 'p, R> {
    pub(super) route: &'r R,
    pub(super) names: &'r [Box<str>],
    pub(super) values: Vec<Cow<'p, str>>,
}

/// What an HTTP request finds.
pub(super) enum HttpFound<'r, 'p> {
    Handler(Found<'r, 'p, HttpRoute>),
    /// The path is known, but not with that method; these are allowed.
    WrongMethod(String),
    Nothing,
}

/// The routes of a place, and the values in the path.
type Hit<'r, 'p, R> = (&'r [R], Vec<Cow<'p, str>>);

impl<R> Table<R> {
    /// The routes of the pattern's shape.
    fn place(&mut self, pattern: &Pattern) -> Option<&mut Vec<R>> {
        let place = match self.router.insert(pattern) {
            Ok(place) => {
                self.places.push(Vec::new());
                place
            }
            Err(place) => place,
        };
        self.places.get_mut(place)
    }

    fn find<'p>(&self, path: &'p str) -> Result<Option<Hit<'_, 'p, R>>, BadEscape> {
        let found = self.router.find(path)?;
        Ok(found.and_then(|found| Some((self.places.get(found.place)?.as_slice(), found.values))))
    }
}

impl Routes {
    /// Adds an HTTP route, or gives the problem with it.
    pub(super) fn add_http(
        &mut self,
        method: Option<Method>,
        pattern: &str,
        middleware: &[HttpStep],
        handler: HttpHandler,
    ) -> Result<(), String> {
        let pattern = Pattern::parse(pattern).map_err(|e| e.to_string())?;
        let Some(place) = self.http.place(&pattern) else {
            return Ok(());
        };
        if let Some(earlier) = place.iter().find(|route| route.method == method) {
            let method = method.map_or("any", Method::as_str);
            return Err(format!(
                "route {method} {:?} is there already, as {:?}",
                pattern.as_str(),
                earlier.pattern.as_str()
            ));
        }
        place.push(HttpRoute {
            pattern,
            method,
            middleware: middleware.into(),
            handler: RefCell::new(handler),
        });
        Ok(())
    }

    /// Adds an endpoint, or gives the problem with it.
    pub(super) fn add_socket(
        &mut self,
        pattern: &str,
        http_middleware: &[HttpStep],
        middleware: &[SocketStep],
        handler: Option<SocketHandler>,
    ) -> Result<(), String> {
        let pattern = Pattern::parse(pattern).map_err(|e| e.to_string())?;
        let Some(place) = self.sockets.place(&pattern) else {
            return Ok(());
        };
        // A path of the options may name a route: it is one endpoint.
        match place.first() {
            Some(earlier) if handler.is_some() => Err(format!(
                "socket route {:?} is there already, as {:?}",
                pattern.as_str(),
                earlier.pattern.as_str()
            )),
            Some(_) => Ok(()),
            None => {
                place.push(Rc::new(Endpoint {
                    url: pattern.as_str().into(),
                    pattern,
                    http_middleware: http_middleware.into(),
                    middleware: middleware.into(),
                    handler: handler.map(RefCell::new),
                }));
                Ok(())
            }
        }
    }

    pub(super) fn has_sockets(&self) -> bool {
        !self.sockets.places.is_empty()
    }

    /// The endpoint for a path.
    pub(super) fn socket<'p>(
        &self,
        path: &'p str,
    ) -> Result<Option<Found<'_, 'p, Rc<Endpoint>>>, BadEscape> {
        let found = self.sockets.find(path)?;
        Ok(found.and_then(|(place, values)| {
            let route = place.first()?;
            Some(Found {
                route,
                names: route.pattern.names(),
                values,
            })
        }))
    }

    /// The handler for a path and method. `HEAD` is answered by the handler for `GET` if it has none
    /// of its own (RFC 9110 §9.3.2).
    pub(super) fn http<'p>(
        &self,
        method: Method,
        path: &'p str,
    ) -> Result<HttpFound<'_, 'p>, BadEscape> {
        let Some((place, values)) = self.http.find(path)? else {
            return Ok(HttpFound::Nothing);
        };
        let by = |wanted: Option<Method>| place.iter().find(|route| route.method == wanted);
        let get = || {
            (method == Method::Head)
                .then(|| by(Some(Method::Get)))
                .flatten()
        };
        let route = by(Some(method)).or_else(get).or_else(|| by(None));
        Ok(match route {
            Some(route) => HttpFound::Handler(Found {
                route,
                names: route.pattern.names(),
                values,
            }),
            None => HttpFound::WrongMethod(allowed(place)),
        })
    }
}

/// The methods of a place, as the header `Allow` lists them (RFC 9110 §10.2.1).
fn allowed(place: &[HttpRoute]) -> String {
    let mut methods: Vec<&str> = place
        .iter()
        .filter_map(|route| route.method)
        .map(Method::as_str)
        .collect();
    if methods.contains(&"GET") && !methods.contains(&"HEAD") {
        methods.push("HEAD");
    }
    methods.join(", ")
}
