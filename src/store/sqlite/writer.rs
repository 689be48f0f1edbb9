//! The one writer: a thread that folds the ChangeSets waiting into one transaction, so that one fsync serves many. It erases the
//! WAL after deletions.

use super::super::cache::Cache;
use super::super::contract::{ChangeSet, CommitError, Receipt, Record};
use super::super::engine::{Failure, Marks, perform};
use super::error::commit_error;
use super::tables::{Rows, save_marks};
use crate::audit::Chain;
use ring::rand::SystemRandom;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Most ChangeSets in one transaction: beyond it the fsync is no longer what costs, and the first one waits for the last.
const LARGEST_GROUP: usize = 256;

/// How soon an erasure that found a reader in its way is tried again.
const ERASE_AGAIN: Duration = Duration::from_secs(1);

pub(super) type Outcome = Result<Receipt, CommitError>;

/// What the writer is asked for.
pub(super) enum Job {
    /// Commit this.
    Commit(ChangeSet, oneshot::Sender<Outcome>),
    /// Erase what was deleted from the WAL now; whether all of it is gone.
    Erase(oneshot::Sender<bool>),
}

/// The writer's state.
pub(super) struct Writer {
    pub connection: Connection,
    pub random: SystemRandom,
    pub chain: Box<dyn Chain>,
    pub marks: Marks,
    pub cache: Arc<Cache>,
    pub high_water: Arc<AtomicI64>,
    /// How long bytes deleted may stay in the WAL.
    pub erase_after: Duration,
    /// When they must leave, if there are any.
    pub erase_at: Option<Instant>,
}

impl Writer {
    /// Works until every sender is gone, then leaves an empty WAL behind.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let wait = self.erase_at.map_or(Duration::from_secs(3600), |at| {
                at.saturating_duration_since(Instant::now())
            });
            match jobs.recv_timeout(wait) {
                Ok(first) => self.take_up(first, jobs),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.erase_at.is_some_and(|at| at <= Instant::now()) {
                self.erase();
            }
        }
        self.erase();
    }

    fn take_up(&mut self, first: Job, jobs: &Receiver<Job>) {
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Commit(change, reply) => group.push((change, reply)),
                Job::Erase(reply) => {
                    self.commit(std::mem::take(&mut group));
                    let erased = self.erase();
                    // Whoever asked may have gone.
                    let _ = reply.send(erased);
                }
            }
            next = if group.len() < LARGEST_GROUP {
                jobs.try_recv().ok()
            } else {
                None
            };
        }
        self.commit(group);
    }

    /// Commits a group. If the engine fails on it, each ChangeSet is tried by itself, so that one too large for the disk does
    /// not take its neighbours along.
    fn commit(&mut self, group: Vec<(ChangeSet, oneshot::Sender<Outcome>)>) {
        if group.is_empty() {
            return;
        }
        let (changes, replies): (Vec<ChangeSet>, Vec<_>) = group.into_iter().unzip();
        let outcomes = match self.transact(&changes) {
            Ok(outcomes) => outcomes,
            Err(error) if changes.len() == 1 => vec![Err(error)],
            Err(_) => changes.iter().map(|change| self.commit_alone(change)).collect(),
        };
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            // Whoever asked may have gone; the change stands all the same.
            let _ = reply.send(outcome);
        }
    }

    fn commit_alone(&mut self, change: &ChangeSet) -> Outcome {
        let mut outcomes = self.transact(std::slice::from_ref(change))?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(CommitError::Unavailable("no outcome".to_owned())))
    }

    /// One transaction: an outcome for each ChangeSet, or nothing was kept.
    fn transact(&mut self, changes: &[ChangeSet]) -> Result<Vec<Outcome>, CommitError> {
        let before = self.marks;
        match self.attempt(changes) {
            Ok((outcomes, leaves_residue)) => {
                self.chain.confirm();
                self.high_water.store(self.marks.high_water, Ordering::Release);
                if leaves_residue && self.erase_at.is_none() {
                    self.erase_at = Instant::now().checked_add(self.erase_after);
                }
                // Before anybody is answered: who runs again after a conflict must not find the old record in the cache.
                changes
                    .iter()
                    .zip(&outcomes)
                    .for_each(|(change, outcome)| self.refresh(change, outcome));
                Ok(outcomes)
            }
            Err(error) => {
                self.chain.undo();
                self.marks = before;
                if !self.connection.is_autocommit() {
                    // If this fails too, the next BEGIN does, and nothing is accepted.
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
                tracing::error!(%error, changes = changes.len(), "commit failed");
                Err(commit_error(&error))
            }
        }
    }

    fn attempt(&mut self, changes: &[ChangeSet]) -> Result<(Vec<Outcome>, bool), rusqlite::Error> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut rows = Rows {
            connection: &self.connection,
            random: &self.random,
            leaves_residue: false,
        };
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            match perform(&mut rows, &mut self.marks, self.chain.as_mut(), change) {
                Ok(receipt) => outcomes.push(Ok(receipt)),
                Err(Failure::Refused(error)) => outcomes.push(Err(error)),
                Err(Failure::Engine(error)) => return Err(error),
            }
        }
        let leaves_residue = rows.leaves_residue;
        if outcomes.iter().any(Result::is_ok) {
            save_marks(&self.connection, &self.marks)?;
            self.connection.execute_batch("COMMIT")?;
        } else {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok((outcomes, leaves_residue))
    }

    fn refresh(&self, change: &ChangeSet, outcome: &Outcome) {
        let Ok(receipt) = outcome else { return };
        for (write, written) in change.writes.iter().zip(&receipt.written) {
            match &write.content {
                None => self.cache.forget(write.key),
                Some(content) => self.cache.write(Record {
                    key: write.key,
                    revision: written.revision,
                    creation: written.creation,
                    body: Arc::clone(&content.body),
                }),
            }
        }
    }

    /// Moves the WAL into the file, where deleted bytes are zeroed, and cuts it to nothing. Whether it is done.
    fn erase(&mut self) -> bool {
        let busy = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        let done = matches!(busy, Ok(0));
        if let Err(error) = busy {
            tracing::error!(%error, "erasing the log failed");
        }
        self.erase_at = if done {
            None
        } else {
            Instant::now().checked_add(ERASE_AGAIN)
        };
        done
    }
}
