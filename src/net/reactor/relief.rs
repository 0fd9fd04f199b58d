//! Giving up what waits for those who do not read, when all connections together keep too much memory.

use super::Reactor;
use crate::net::clock::Tick;
use crate::net::link::{Cause, Overflow};
use crate::net::links::Table;
use crate::net::protocol::{Protocol, Service};
use crate::net::slab::Key;

/// What a peer that is being closed may still have waiting: a close frame and little more.
const LAST_WORDS: usize = 16 * 1024;

impl<S: Service> Reactor<S> {
    /// Looks whether all connections keep too much, if that may be. If so, the largest backlogs are
    /// dealt with as any that is too large, one after the other.
    #[inline]
    pub(super) fn relieve(&mut self, now: Tick) {
        let came = std::mem::take(&mut self.came);
        let is_due = {
            let mut table = self.links.table();
            let grown = table.tally.take_grown();
            table.budget.grew(came.saturating_add(grown));
            table.budget.is_due(now)
        };
        if is_due {
            self.look(now);
        }
    }

    #[cold]
    fn look(&mut self, now: Tick) {
        let readers = self.readers.iter().flatten();
        let held: usize = readers.map(Protocol::held).sum();
        let mut waiting = self.links.table().waiting();
        let (allows, target) = {
            let budget = &self.links.table().budget;
            (budget.allows(held + waiting), budget.target())
        };
        // What several share is gone only with the last of them: so it may take several rounds.
        while !allows && held + waiting > target {
            let mut excess = held + waiting - target;
            let mut shed = 0;
            let backlogs = self.links.table().backlogs();
            for (share, key) in backlogs {
                if excess == 0 {
                    break;
                }
                // Where there is nothing to give up the next ones do.
                if self.shed(key) {
                    shed += 1;
                    excess = excess.saturating_sub(share);
                }
            }
            if shed == 0 {
                break;
            }
            waiting = self.links.table().waiting();
        }
        self.links.table().budget.look(held + waiting, now);
    }

    /// Gives up what waits for one peer, as the policy says. Whether less waits now.
    fn shed(&mut self, key: Key) -> bool {
        let unwritten = |table: &Table| table.halves.get(key).map_or(0, |half| half.outbox.len());
        let before = unwritten(&self.links.table());
        let closes = self.links.table().limits.overflow == Overflow::Close;
        if !closes {
            self.links.table().drop_waiting(key);
        } else if let Some(Some(reader)) = self.readers.get_mut(key.index as usize) {
            reader.overflowed();
        }
        let mut table = self.links.table();
        // It does not read, and what is partly written would stay until it does.
        if closes && unwritten(&table) > LAST_WORDS {
            table.die(key, Cause::Cut);
        }
        let is_less = unwritten(&table) < before;
        table.budget.shed += u64::from(is_less);
        is_less
    }
}
