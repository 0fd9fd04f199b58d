//! The way in from other threads: a queue of jobs, and a waker behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

/// Puts jobs before a reactor from any thread. Cloning copies a pointer.
///
/// It works before there is a reactor, too: what is posted then waits for it.
#[derive(Debug)]
pub(crate) struct Mailbox<J>(Arc<Mutex<State<J>>>);

#[derive(Debug)]
struct State<J> {
    jobs: Vec<J>,
    waker: Option<Waker>,
    closed: bool,
}

impl<J> Clone for Mailbox<J> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<J> Default for Mailbox<J> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            jobs: Vec::new(),
            waker: None,
            closed: false,
        })))
    }
}

impl<J> Mailbox<J> {
    /// Queues a job for one of the reactor's next turns; gives it back when the reactor is gone.
    ///
    /// Jobs of one thread run in the order in which they were posted.
    pub(crate) fn post(&self, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        state.jobs.push(job);
        // Only the first job of a batch has to wake the reactor: it takes them all. A waker that
        // fails leaves the job queued for the next turn.
        if state.jobs.len() == 1
            && let Some(waker) = &state.waker
        {
            let _ = waker.wake();
        }
        Ok(())
    }

    /// Whether a job waits.
    #[cfg(feature = "testing")]
    pub(crate) fn has_jobs(&self) -> bool {
        !self.lock().jobs.is_empty()
    }

    /// Takes all jobs that were posted. They run outside the lock: a job may post.
    pub(super) fn take(&self) -> Vec<J> {
        std::mem::take(&mut self.lock().jobs)
    }

    /// From now on, posting wakes this reactor.
    pub(super) fn attach(&self, waker: Waker) {
        let mut state = self.lock();
        if !state.jobs.is_empty() {
            let _ = waker.wake();
        }
        state.waker = Some(waker);
    }

    /// The reactor is gone: nothing can be posted any more. Gives what was not run.
    pub(crate) fn close(&self) -> Vec<J> {
        let mut state = self.lock();
        state.closed = true;
        state.waker = None;
        std::mem::take(&mut state.jobs)
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_posted_comes_out_once_and_in_order() {
        let mailbox = Mailbox::default();
        for job in 0..5 {
            mailbox.clone().post(job).unwrap();
        }
        assert_eq!(mailbox.take(), [0, 1, 2, 3, 4]);
        assert!(mailbox.take().is_empty());
    }

    #[test]
    fn a_closed_mailbox_gives_the_job_back() {
        let mailbox = Mailbox::default();
        mailbox.post("before").unwrap();
        assert_eq!(mailbox.close(), ["before"]);
        assert_eq!(mailbox.post("after"), Err("after"));
    }
}
