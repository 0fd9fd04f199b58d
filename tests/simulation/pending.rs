//! What the application leaves open, as if another thread was to decide: answers, verdicts, middleware.

use std::cell::RefCell;

use rushwire::{Deferred, Next, PendingVerdict, Response};

use super::dice::Dice;

/// All that is not decided yet.
#[derive(Default)]
pub(super) struct Pending {
    /// Each with what it is to answer.
    answers: RefCell<Vec<(String, Deferred)>>,
    verdicts: RefCell<Vec<PendingVerdict>>,
    nexts: RefCell<Vec<Next>>,
}

impl Pending {
    pub(super) fn answer(&self, body: String, answer: Deferred) {
        self.answers.borrow_mut().push((body, answer));
    }

    pub(super) fn verdict(&self, verdict: PendingVerdict) {
        self.verdicts.borrow_mut().push(verdict);
    }

    pub(super) fn next(&self, next: Next) {
        self.nexts.borrow_mut().push(next);
    }

    /// Decides one of them, if there is any, in one way or another; tells how.
    pub(super) fn decide(&self, dice: &RefCell<Dice>) -> Option<&'static str> {
        let mut dice = dice.borrow_mut();
        let which = dice.below(3);
        let how = dice.below(3);
        let mut drawn = |len: usize| (len > 0).then(|| dice.below(len));
        // Nothing of this is borrowed while it is decided.
        match which {
            0 => {
                let place = drawn(self.answers.borrow().len())?;
                let (body, answer) = self.answers.borrow_mut().swap_remove(place);
                match how {
                    0 => drop(answer),
                    _ => answer.respond(Response::text(body)),
                }
                Some(["an answer is dropped", "an answer", "an answer"][how])
            }
            1 => {
                let place = drawn(self.verdicts.borrow().len())?;
                let verdict = self.verdicts.borrow_mut().swap_remove(place);
                match how {
                    0 => drop(verdict),
                    1 => verdict.refuse(Response::text("no").with_status(403)),
                    _ => verdict.accept(),
                }
                Some(["a verdict is dropped", "refused", "accepted"][how])
            }
            _ => {
                let place = drawn(self.nexts.borrow().len())?;
                let next = self.nexts.borrow_mut().swap_remove(place);
                match how {
                    0 => drop(next),
                    1 => next.reject(4002, "no"),
                    _ => next.run(),
                }
                Some(["a middleware is dropped", "rejected", "passed"][how])
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.answers.borrow().is_empty()
            && self.verdicts.borrow().is_empty()
            && self.nexts.borrow().is_empty()
    }
}
