//! What the application leaves open, as if another thread was to decide: answers, verdicts, middleware.

use std::cell::RefCell;

use rushwire::{Deferred, Next, PendingVerdict, Response};

use super::dice::Dice;

/// Decides in the first, second or third way; tells how.
type Decision = Box<dyn FnOnce(usize) -> &'static str>;

/// All that is not decided yet.
#[derive(Default)]
pub(super) struct Pending(RefCell<Vec<Decision>>);

impl Pending {
    fn add(&self, decision: impl FnOnce(usize) -> &'static str + 'static) {
        self.0.borrow_mut().push(Box::new(decision));
    }

    pub(super) fn answer(&self, body: String, answer: Deferred) {
        self.add(move |how| match how {
            0 => {
                drop(answer);
                "an answer is dropped"
            }
            _ => {
                answer.respond(Response::text(body));
                "an answer"
            }
        });
    }

    pub(super) fn verdict(&self, verdict: PendingVerdict) {
        self.add(move |how| match how {
            0 => {
                drop(verdict);
                "a verdict is dropped"
            }
            1 => {
                verdict.refuse(Response::text("no").with_status(403));
                "refused"
            }
            _ => {
                verdict.accept();
                "accepted"
            }
        });
    }

    pub(super) fn next(&self, next: Next) {
        self.add(move |how| match how {
            0 => {
                drop(next);
                "a middleware is dropped"
            }
            1 => {
                next.reject(4002, "no");
                "rejected"
            }
            _ => {
                next.run();
                "passed"
            }
        });
    }

    /// Decides one of them, if there is any, in one way or another; tells how.
    pub(super) fn decide(&self, dice: &RefCell<Dice>) -> Option<&'static str> {
        let count = self.0.borrow().len();
        if count == 0 {
            return None;
        }
        let below = |end| dice.borrow_mut().below(end);
        let (which, how) = (below(count), below(3));
        // Nothing is borrowed while it is decided.
        let decision = self.0.borrow_mut().swap_remove(which);
        Some(decision(how))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}
