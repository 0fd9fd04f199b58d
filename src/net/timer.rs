//! Timers by deadline: what is due next, with cancelling in constant time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::slab::{Key, Slab};

/// Values that come due at a moment `T`. Adding costs the logarithm of their number; those added
/// for one moment come out in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Timers<T, V> {
    heap: BinaryHeap<Reverse<(T, u64, Key)>>,
    values: Slab<V>,
    added: u64,
}

impl<T: Ord + Copy, V> Default for Timers<T, V> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            values: Slab::default(),
            added: 0,
        }
    }
}

impl<T: Ord + Copy, V> Timers<T, V> {
    /// Whether nothing will ever come due.
    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Adds a timer. `None` when there are 2³² already.
    pub(crate) fn add(&mut self, due: T, value: V) -> Option<Key> {
        let key = self.values.insert(value)?;
        self.added += 1;
        self.heap.push(Reverse((due, self.added, key)));
        Some(key)
    }

    /// Takes a timer away before it is due.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<V> {
        let value = self.values.remove(key);
        self.sweep();
        value
    }

    /// Takes out one timer that is due at `now`.
    pub(crate) fn pop(&mut self, now: T) -> Option<(Key, V)> {
        while let Some(&Reverse((due, _, key))) = self.heap.peek() {
            if self.values.get(key).is_some() && due > now {
                return None;
            }
            self.heap.pop();
            if let Some(value) = self.values.remove(key) {
                return Some((key, value));
            }
        }
        None
    }

    /// When the next timer is due.
    pub(crate) fn next(&mut self) -> Option<T> {
        while let Some(&Reverse((due, _, key))) = self.heap.peek() {
            if self.values.get(key).is_some() {
                return Some(due);
            }
            self.heap.pop();
        }
        None
    }

    /// Lets go of cancelled entries once they are the greater part, so that setting and cancelling
    /// far-off timers for ever takes no memory.
    fn sweep(&mut self) {
        if self.heap.len() > 64 && self.heap.len() > 2 * self.values.len() {
            let values = &self.values;
            self.heap
                .retain(|Reverse((_, _, key))| values.get(*key).is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_due_in_order_and_ties_as_they_were_added() {
        let mut timers = Timers::default();
        for (due, name) in [(5, 'c'), (3, 'a'), (5, 'd'), (4, 'b')] {
            timers.add(due, name).unwrap();
        }
        assert_eq!(timers.next(), Some(3));
        assert_eq!(timers.pop(2), None);
        let popped: Vec<char> = std::iter::from_fn(|| timers.pop(5))
            .map(|(_, v)| v)
            .collect();
        assert_eq!(popped, ['a', 'b', 'c', 'd']);
        assert_eq!((timers.next(), timers.values.len()), (None, 0));
    }

    #[test]
    fn a_cancelled_timer_never_comes_due() {
        let mut timers = Timers::default();
        let first = timers.add(1, 'a').unwrap();
        timers.add(2, 'b').unwrap();
        assert_eq!(timers.cancel(first), Some('a'));
        assert_eq!(timers.cancel(first), None);
        assert_eq!(timers.next(), Some(2));
        assert_eq!(timers.pop(9).map(|(_, v)| v), Some('b'));
    }

    #[test]
    fn setting_and_cancelling_for_ever_takes_no_memory() {
        let mut timers = Timers::default();
        for due in 0..10_000 {
            let key = timers.add(1_000_000 + due, ()).unwrap();
            timers.cancel(key);
        }
        assert!(
            timers.heap.len() <= 65,
            "{} entries are kept",
            timers.heap.len()
        );
    }
}
