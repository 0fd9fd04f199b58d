//! What stands between the opening handshake and the handler of a socket.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use super::core::Core;
use super::request::Request;
use super::routes::{Endpoint, SocketHandler};
use crate::proto::close::CloseCode;
use crate::ws::guard::guard;
use crate::ws::hub::Hub;
use crate::ws::later::{self, Later, Promise};
use crate::ws::socket::Socket;
use crate::ws::status::SocketId;
use crate::ws::watchdog::Call;

pub(super) type Middleware = Box<dyn FnMut(&Socket, &Request, Next)>;

/// Shared by the routes that were registered behind it; none of them runs inside of another.
pub(super) type SocketStep = Rc<RefCell<Middleware>>;

/// Lets a socket pass to the next middleware, or to its handler.
///
/// It may be kept, and taken to another thread. Dropping it rejects the socket: with 1008, unless the
/// socket is closed already. Middleware has [`handshake_timeout`](super::Options::handshake_timeout)
/// to decide.
#[derive(Debug)]
pub struct Next(Promise<Decision, SocketId>);

enum Decision {
    Passed(Option<Box<dyn Any + Send>>),
    Rejected(CloseCode, String),
}

impl Next {
    /// Lets the socket pass.
    pub fn run(self) {
        self.0.give(Decision::Passed(None));
    }

    /// Lets the socket pass, and keeps a value with it, by type: see [`Socket::data`].
    pub fn run_with(self, value: impl Any + Send) {
        self.0.give(Decision::Passed(Some(Box::new(value))));
    }

    /// Closes the socket. A code that may not be sent counts as 1008.
    pub fn reject(self, code: impl Into<CloseCode>, reason: &str) {
        self.0
            .give(Decision::Rejected(code.into(), reason.to_owned()));
    }
}

/// What dropping a [`Next`] says.
fn dropped() -> Decision {
    Decision::Rejected(
        CloseCode::POLICY_VIOLATION,
        "rejected by middleware".to_owned(),
    )
}

/// A socket on its way through all middleware to its handler.
pub(super) struct Admission {
    pub(super) core: Rc<Core>,
    pub(super) socket: Socket,
    pub(super) request: Request,
    pub(super) endpoint: Rc<Endpoint>,
    /// Which middleware is next.
    pub(super) at: usize,
}

impl Admission {
    /// Goes on until a middleware wants to wait, or the handler has run.
    pub(super) fn advance(mut self) {
        while let Some(middleware) = self.middleware() {
            let asker = self.socket.id();
            let (promise, later) =
                later::ask(self.core.hub.remote(), asker, Hub::conclude, dropped);
            let asked = self.core.hub.run(
                || Call::for_socket("socket middleware", &self.socket),
                || call(middleware, &self.socket, &self.request, Next(promise)),
            );
            if let Err(panic) = asked {
                return self.socket.panicked(panic);
            }
            let Some(decision) = later.take() else {
                return self.wait(later);
            };
            if !self.obey(decision) {
                return;
            }
            self.at += 1;
        }
        self.arrive();
    }

    /// The next middleware: the application's come first.
    fn middleware(&self) -> Option<&RefCell<Middleware>> {
        let shared = &self.core.middleware;
        let own = || self.endpoint.middleware.get(self.at - shared.len());
        shared.get(self.at).or_else(own).map(|step| &**step)
    }

    /// Goes on when the decision has been made elsewhere.
    fn wait(mut self, later: Later<Decision>) {
        let (hub, id) = (self.core.hub.clone(), self.socket.id());
        hub.suspend(id, move || {
            let socket = self.socket.clone();
            // First, since the next middleware may want to wait, too.
            socket.link().resume();
            if later.take().is_some_and(|decision| self.obey(decision)) {
                self.at += 1;
                self.advance();
            }
            // Heartbeat and the like begin now.
            socket.link().wake_at(socket.link().now());
        });
    }

    /// Whether the socket passes.
    fn obey(&self, decision: Decision) -> bool {
        match decision {
            Decision::Passed(value) => {
                // Dropping the one that it replaces may panic.
                let keep = |value: Box<dyn Any + Send>| self.socket.set_boxed(value);
                if let Err(panic) = guard(|| value.into_iter().for_each(keep)) {
                    self.socket.panicked(panic);
                }
                self.socket.is_live()
            }
            Decision::Rejected(code, reason) => {
                self.socket.reject(code, &reason);
                false
            }
        }
    }

    /// All middleware is passed: the handler has its turn.
    fn arrive(self) {
        if !self.socket.is_live() {
            return;
        }
        self.socket.admit();
        let call = || Call::for_socket("socket handler", &self.socket);
        let run = |handler| handle(handler, &self.socket, &self.request);
        if let Some(handler) = &self.endpoint.handler
            && let Err(panic) = self.core.hub.run(call, || run(handler))
        {
            self.socket.panicked(panic);
        }
    }
}

/// Handlers never run inside themselves: there is no way from one back into the reactor.
fn call(middleware: &RefCell<Middleware>, socket: &Socket, request: &Request, next: Next) {
    (middleware.borrow_mut())(socket, request, next);
}

fn handle(handler: &RefCell<SocketHandler>, socket: &Socket, request: &Request) {
    (handler.borrow_mut())(socket, request);
}
