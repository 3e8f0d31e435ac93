//! The operations that the engine knows of. Changes stand in the journal too, and here for as long
//! as there. Commands that only read do not enter the journal: a viewer who asks without end must
//! not fill it and so block every change. Forgetting a read is harmless, since running it twice is;
//! and the journal's floor never moves for one, so that no change that is still on its way comes to
//! lie under it. A read that comes again gets its receipt for as long as it is remembered here, and
//! is run anew after that, if its envelope is still fresh.

use std::collections::{HashMap, VecDeque};

use storm_protocol::ident::{AccountId, Digest, OperationId};

use super::{MAX_RUNNING, MAX_WAITING};
use crate::journal::{Entry, Finished, MAX_ENTRIES};

/// Reads that are remembered after their end.
pub(super) const READS_KEPT: usize = 512;

/// How far an operation is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// Taken, not ended.
    Running {
        /// The account that asks.
        account: AccountId,
        /// The digest of its intent.
        intent: Digest,
    },
    /// Ended, with a receipt.
    Ended(Finished),
}

#[derive(Debug, Default)]
pub(super) struct Operations {
    changes: HashMap<OperationId, Known>,
    reads: HashMap<OperationId, Known>,
    /// Reads that have ended, oldest first.
    reads_ended: VecDeque<OperationId>,
    /// The operation by which this agent is giving up its role: no other change is taken meanwhile.
    leaving: Option<OperationId>,
    /// Who holds the journal's entries.
    entries: Shares,
    /// Who holds the places in the queue.
    places: Shares,
}

impl Operations {
    /// What the journal knows when it is opened.
    pub(super) fn of_journal(running: &[Entry], ended: &[(OperationId, Finished)]) -> Self {
        let mut known = Self::default();
        for entry in running {
            known.begin(entry.operation, false, entry.actor.account, entry.intent);
        }
        for (operation, finished) in ended {
            known.entries.add(finished.account);
            known.changes.insert(*operation, Known::Ended(*finished));
        }
        known
    }

    pub(super) fn get(&self, operation: OperationId) -> Option<Known> {
        let change = self.changes.get(&operation);
        change.or_else(|| self.reads.get(&operation)).copied()
    }

    /// Whether one more of the account's operations has room, in the queue and, if it changes
    /// anything, in the journal.
    pub(super) fn has_room(&self, account: AccountId, read: bool) -> bool {
        self.places.allow(account, MAX_RUNNING + MAX_WAITING)
            && (read || self.entries.allow(account, MAX_ENTRIES))
    }

    /// Whether the journal's part of the account is used up.
    pub(super) fn is_full(&self, account: AccountId) -> bool {
        !self.entries.allow(account, MAX_ENTRIES)
    }

    /// Takes no change from here on, until [`Self::stay`].
    pub(super) fn leave(&mut self, release: OperationId) {
        self.leaving = Some(release);
    }

    /// Takes changes again.
    pub(super) fn stay(&mut self) {
        self.leaving = None;
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// How many changes have not ended, but for `release`.
    pub(super) fn unended_but(&self, release: OperationId) -> usize {
        let others = self.changes.iter().filter(|(id, _)| **id != release);
        others
            .filter(|(_, known)| matches!(known, Known::Running { .. }))
            .count()
    }

    pub(super) fn begin(
        &mut self,
        operation: OperationId,
        read: bool,
        account: AccountId,
        intent: Digest,
    ) {
        self.places.add(account);
        let running = Known::Running { account, intent };
        if read {
            self.reads.insert(operation, running);
        } else {
            self.entries.add(account);
            self.changes.insert(operation, running);
        }
    }

    /// It has ended with a receipt.
    pub(super) fn end(&mut self, operation: OperationId, finished: Finished) {
        self.places.take(finished.account);
        if let Some(change) = self.changes.get_mut(&operation) {
            *change = Known::Ended(finished);
            return;
        }
        self.reads.insert(operation, Known::Ended(finished));
        self.reads_ended.push_back(operation);
        if self.reads_ended.len() > READS_KEPT
            && let Some(oldest) = self.reads_ended.pop_front()
        {
            self.reads.remove(&oldest);
        }
    }

    /// It was never written down, or has been pruned.
    pub(super) fn forget(&mut self, operation: OperationId) {
        let change = self.changes.remove(&operation);
        if let Some(Known::Running { account, .. }) = change.or(self.reads.remove(&operation)) {
            self.places.take(account);
        }
        match change {
            Some(Known::Running { account, .. } | Known::Ended(Finished { account, .. })) => {
                self.entries.take(account);
            }
            None => {}
        }
    }

    /// The changes that have ended.
    pub(super) fn ended(&self) -> impl Iterator<Item = (OperationId, Finished)> + '_ {
        self.changes
            .iter()
            .filter_map(|(operation, known)| match known {
                Known::Ended(finished) => Some((*operation, *finished)),
                Known::Running { .. } => None,
            })
    }
}

/// How much of something bounded each account holds.
#[derive(Debug, Default)]
struct Shares {
    held: HashMap<AccountId, usize>,
    total: usize,
}

impl Shares {
    /// An account may hold as much as is still free: alone it gets half, and whatever others hold,
    /// there is room for who holds nothing.
    fn allow(&self, account: AccountId, capacity: usize) -> bool {
        let own = self.held.get(&account).copied().unwrap_or(0);
        own < capacity.saturating_sub(self.total)
    }

    fn add(&mut self, account: AccountId) {
        *self.held.entry(account).or_default() += 1;
        self.total += 1;
    }

    fn take(&mut self, account: AccountId) {
        if let Some(held) = self.held.get_mut(&account) {
            *held -= 1;
            self.total -= 1;
            if *held == 0 {
                self.held.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::{AccountId, Digest, Micros, OperationId};

    use super::{Known, Operations, READS_KEPT};
    use crate::{
        clock::random,
        engine::{MAX_RUNNING, MAX_WAITING},
        journal::{Finished, MAX_ENTRIES},
    };

    const INTENT: Digest = Digest([7; 32]);

    fn account() -> AccountId {
        AccountId::new(Micros(0), random())
    }

    fn operation() -> OperationId {
        OperationId::new(Micros(0), random())
    }

    fn finished(account: AccountId) -> Finished {
        Finished {
            account,
            intent: INTENT,
            sequence: 1,
            finished_at: Micros(0),
        }
    }

    fn run(known: &mut Operations, read: bool, account: AccountId) -> OperationId {
        let operation = operation();
        known.begin(operation, read, account, INTENT);
        known.end(operation, finished(account));
        operation
    }

    #[test]
    fn reads_without_end_leave_the_journal_its_room_and_the_last_ones_are_remembered() {
        let (mut known, viewer) = (Operations::default(), account());
        let reads: Vec<_> = (0..2 * MAX_ENTRIES)
            .map(|_| run(&mut known, true, viewer))
            .collect();
        assert!(known.has_room(viewer, false));
        assert_eq!(known.ended().count(), 0);
        let remembered = |operation: &&OperationId| known.get(**operation).is_some();
        assert_eq!(reads.iter().filter(remembered).count(), READS_KEPT);
        assert!(
            reads[reads.len() - READS_KEPT..]
                .iter()
                .all(|read| remembered(&read))
        );
    }

    #[test]
    fn an_account_that_fills_the_journal_leaves_half_of_it_to_others() {
        let (mut known, greedy, other) = (Operations::default(), account(), account());
        let mut taken = vec![];
        while known.has_room(greedy, false) {
            taken.push(run(&mut known, false, greedy));
        }
        assert_eq!(taken.len(), MAX_ENTRIES / 2);
        assert!(known.is_full(greedy) && known.has_room(greedy, true));
        assert!(!known.is_full(other) && known.has_room(other, false));
        // What is pruned makes room again.
        known.forget(taken.remove(0));
        assert!(known.has_room(greedy, false));
        // The same after a restart.
        let ended: Vec<_> = known.ended().collect();
        let known = Operations::of_journal(&[], &ended);
        assert!(known.has_room(greedy, false) && known.has_room(other, false));
    }

    #[test]
    fn an_account_that_fills_the_queue_leaves_half_of_it_to_others() {
        let (mut known, greedy, other) = (Operations::default(), account(), account());
        let mut running = vec![];
        while known.has_room(greedy, true) {
            let read = operation();
            known.begin(read, true, greedy, INTENT);
            running.push(read);
        }
        assert_eq!(running.len(), (MAX_RUNNING + MAX_WAITING) / 2);
        assert!(known.has_room(other, false));
        let first = running[0];
        assert!(matches!(known.get(first), Some(Known::Running { .. })));
        known.forget(first);
        assert!(known.get(first).is_none() && known.has_room(greedy, true));
        known.end(running[1], finished(greedy));
        assert!(known.has_room(greedy, true));
    }
}
