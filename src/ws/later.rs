//! An answer that may be given later, by any thread, and once: behind `Next`, `Deferred` and
//! `PendingVerdict`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::hub::Hub;
use super::remote::Remote;
use crate::net::slab::Key;

/// Gives the answer. Dropped without one, it gives what the question falls back to.
///
/// `A` is who asks, and is woken when the answer comes after it has begun to wait.
pub(crate) struct Promise<T: Send + 'static, A: Copy + Send + 'static> {
    progress: Arc<Mutex<Progress<T>>>,
    remote: Remote,
    asker: A,
    wake: fn(&Hub, A),
    fallback: fn() -> T,
}

/// Where the answer is looked for.
pub(crate) struct Later<T>(Arc<Mutex<Progress<T>>>);

enum Progress<T> {
    /// Whoever asks is still at it, and will look.
    Asking,
    /// It waits, and must be woken.
    Awaited,
    Given(T),
    /// Nothing changes it any more.
    Taken,
}

/// Asks: the answer is promised to `asker`, whom `wake` wakes on the server's thread.
pub(crate) fn ask<T: Send + 'static, A: Copy + Send + 'static>(
    remote: Remote,
    asker: A,
    wake: fn(&Hub, A),
    fallback: fn() -> T,
) -> (Promise<T, A>, Later<T>) {
    let progress = Arc::new(Mutex::new(Progress::Asking));
    let promise = Promise {
        progress: Arc::clone(&progress),
        remote,
        asker,
        wake,
        fallback,
    };
    (promise, Later(progress))
}

impl<T: Send + 'static, A: Copy + Send + 'static> Promise<T, A> {
    /// Gives the answer. Only the first one counts.
    pub(crate) fn give(&self, answer: T) {
        self.give_if_open(|| answer);
    }

    fn give_if_open(&self, answer: impl FnOnce() -> T) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let is_awaited = match *progress {
            Progress::Asking => false,
            Progress::Awaited => true,
            Progress::Given(_) | Progress::Taken => return,
        };
        *progress = Progress::Given(answer());
        drop(progress);
        if is_awaited {
            let (asker, wake) = (self.asker, self.wake);
            // Without a server nobody waits.
            let _ = self.remote.post(move |hub| wake(hub, asker));
        }
    }
}

impl<T: Send + 'static, A: Copy + Send + 'static> Drop for Promise<T, A> {
    fn drop(&mut self) {
        self.give_if_open(self.fallback);
    }
}

impl<T: Send + 'static, A: Copy + Send + 'static> fmt::Debug for Promise<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promise")
    }
}

impl<T> Later<T> {
    /// The answer; from now on it is waited for if there is none yet. It is there only once.
    pub(crate) fn take(&self) -> Option<T> {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *progress, Progress::Taken) {
            Progress::Given(answer) => Some(answer),
            Progress::Taken => None,
            Progress::Asking | Progress::Awaited => {
                *progress = Progress::Awaited;
                None
            }
        }
    }
}

/// Wakes an opening that waits: its link is read on, which looks for the answer first.
pub(crate) fn read_on(hub: &Hub, key: Key) {
    hub.link(key).resume();
}
