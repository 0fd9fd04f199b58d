//! From an [`App`] to a server: what is checked and put together when it begins. `bind`, the client and
//! the testing kit call it.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use super::address::Proxies;
use super::app::App;
use super::core::{Core, HttpDate};
use super::gate::{self, Gate};
use super::origin::Pattern;
use super::server::Server;
use crate::net::listener::Listener;
use crate::ws::places::Places;

impl App {
    /// Everything that is wrong so far.
    pub(super) fn check(&self) -> io::Result<()> {
        let mut problems = self.problems.clone();
        if self.is_bound {
            problems.add("this App is bound already: an App makes one server");
        }
        self.options.check(&mut problems);
        for origin in &self.options.allow_origins {
            if let Err(problem) = Pattern::parse(origin) {
                problems.add(problem);
            }
        }
        for bad in Proxies::parse(&self.options.trusted_proxies)
            .err()
            .into_iter()
            .flatten()
        {
            problems.add(format!(
                "trusted proxy {bad:?} is no address and no network"
            ));
        }
        gate::check(&self.options, &mut problems);
        for path in &self.options.paths {
            if let Err(problem) = crate::http::Pattern::parse(path) {
                problems.add(problem);
            }
        }
        problems.into_result()
    }

    /// A server with these listeners; without any it serves only the connections that it makes.
    pub(crate) fn start(&mut self, listener: Option<Listener>) -> io::Result<Server> {
        self.check()?;
        let mut routes = std::mem::take(&mut self.routes);
        let default = (self.options.paths.is_empty() && !routes.has_sockets()).then_some("/ws");
        for path in self.options.paths.iter().map(String::as_str).chain(default) {
            // `check` has read each of them.
            let _ = routes.add_socket(path, &[], &[], None);
        }
        let mut origins = std::mem::take(&mut self.origins);
        let patterns = self
            .options
            .allow_origins
            .iter()
            .filter_map(|origin| Pattern::parse(origin).ok());
        patterns.for_each(|pattern| origins.allow(pattern));
        let core = Core {
            hub: self.hub.clone(),
            routes,
            http_middleware: std::mem::take(&mut self.http_middleware),
            error_handler: self.error_handler.take(),
            middleware: std::mem::take(&mut self.middleware),
            verify: self.verify.take(),
            choose: self.choose.take(),
            origins,
            proxies: Proxies::parse(&self.options.trusted_proxies).unwrap_or_default(),
            gate: Gate::new(&self.options),
            places: Places::new(
                self.options.max_connections,
                self.options.max_connections_per_ip,
            ),
            closing: Cell::new(false),
            clock: HttpDate::new(self.hub.links()),
            options: self.options.clone(),
        };
        self.is_bound = true;
        Server::new(Rc::new(core), listener)
    }
}

impl Drop for App {
    /// Without a server nothing of what was begun on the hub goes on.
    fn drop(&mut self) {
        if !self.is_bound {
            self.hub.release();
        }
    }
}
