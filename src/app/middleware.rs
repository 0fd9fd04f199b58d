//! What stands between the opening handshake and the handler of a socket.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::core::Core;
use super::request::Request;
use super::routes::SocketHandler;
use crate::proto::close::CloseCode;
use crate::ws::guard::guard;
use crate::ws::remote::Remote;
use crate::ws::socket::Socket;
use crate::ws::status::SocketId;

pub(super) type Middleware = Box<dyn FnMut(&Socket, &Request, Next)>;

/// Lets a socket pass to the next middleware, or to its handler.
///
/// It may be kept, and taken to another thread. Dropping it rejects the socket: with 1008, unless the
/// socket is closed already. Middleware has [`handshake_timeout`](super::Options::handshake_timeout)
/// to decide.
#[derive(Debug)]
pub struct Next {
    decision: Arc<Mutex<Decision>>,
    remote: Remote,
    socket: SocketId,
}

#[derive(Debug)]
enum Decision {
    /// The middleware is still running.
    Open,
    /// It has returned, and kept its `Next`.
    Waited,
    Passed(Option<Box<dyn Any + Send>>),
    Rejected(CloseCode, String),
    /// It was obeyed, and nothing changes it any more: dropping what is left of a `Next`, say.
    Obeyed,
}

impl Next {
    /// Lets the socket pass.
    pub fn run(self) {
        self.decide(Decision::Passed(None));
    }

    /// Lets the socket pass, and keeps a value with it, by type: see [`Socket::data`].
    pub fn run_with(self, value: impl Any + Send) {
        self.decide(Decision::Passed(Some(Box::new(value))));
    }

    /// Closes the socket. A code that may not be sent counts as 1008.
    pub fn reject(self, code: impl Into<CloseCode>, reason: &str) {
        self.decide(Decision::Rejected(code.into(), reason.to_owned()));
    }

    /// Only the first decision counts.
    fn decide(&self, decision: Decision) {
        let mut current = self.decision.lock().unwrap_or_else(PoisonError::into_inner);
        match *current {
            Decision::Open => *current = decision,
            Decision::Waited => {
                *current = decision;
                let id = self.socket;
                // Without a server there is no socket either.
                let _ = self.remote.post(move |hub| hub.conclude(id));
            }
            Decision::Passed(_) | Decision::Rejected(..) | Decision::Obeyed => {}
        }
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        self.decide(Decision::Rejected(
            CloseCode::POLICY_VIOLATION,
            "rejected by middleware".to_owned(),
        ));
    }
}

/// A socket on its way through all middleware to its handler.
pub(super) struct Admission {
    pub(super) core: Rc<Core>,
    pub(super) socket: Socket,
    pub(super) request: Request,
    /// Which middleware is next.
    pub(super) at: usize,
}

impl Admission {
    /// Goes on until a middleware wants to wait, or the handler has run.
    pub(super) fn advance(mut self) {
        while let Some(middleware) = self.core.middleware.get(self.at) {
            let decision = Arc::new(Mutex::new(Decision::Open));
            let next = Next {
                decision: Arc::clone(&decision),
                remote: self.core.hub.remote(),
                socket: self.socket.id(),
            };
            if let Err(panic) = guard(|| call(middleware, &self.socket, &self.request, next)) {
                return self.socket.panicked(panic);
            }
            let mut current = decision.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*current, Decision::Open) {
                *current = Decision::Waited;
                drop(current);
                return self.wait(decision);
            }
            let decided = std::mem::replace(&mut *current, Decision::Obeyed);
            drop(current);
            if !self.obey(decided) {
                return;
            }
            self.at += 1;
        }
        self.arrive();
    }

    /// Goes on when the decision has been made elsewhere.
    fn wait(mut self, decision: Arc<Mutex<Decision>>) {
        let (hub, id) = (self.core.hub.clone(), self.socket.id());
        hub.suspend(id, move || {
            let decided = std::mem::replace(
                &mut *decision.lock().unwrap_or_else(PoisonError::into_inner),
                Decision::Obeyed,
            );
            let socket = self.socket.clone();
            // First, since the next middleware may want to wait, too.
            socket.link().resume();
            if self.obey(decided) {
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
                value
                    .into_iter()
                    .for_each(|value| self.socket.set_boxed(value));
                self.socket.is_live()
            }
            Decision::Rejected(code, reason) => {
                self.socket.reject(code, &reason);
                false
            }
            Decision::Open | Decision::Waited | Decision::Obeyed => false,
        }
    }

    /// All middleware is passed: the handler has its turn.
    fn arrive(self) {
        if !self.socket.is_live() {
            return;
        }
        self.socket.admit();
        let Ok(Some(found)) = self.core.routes.socket(self.request.path()) else {
            return;
        };
        if let Some(handler) = &found.route.handler
            && let Err(panic) = guard(|| handle(handler, &self.socket, &self.request))
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
