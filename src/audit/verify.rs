//! Checking a stream: the first record that was altered, moved, removed or slipped in is named.

use super::chain::{ChainStart, hash, is_authentic, next_key};
use super::entry::{Entry, TrailKind};
use super::position::{Head, Position};

/// What is wrong with a stream, at the first bad record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("record {sequence}: {fault}")]
pub struct BadRecord {
    /// The sequence that should stand here: the first one that is not as it was written.
    pub sequence: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The bytes are no record of this format.
    #[error("unreadable")]
    Unreadable,
    /// It belongs to another stream or trail.
    #[error("of another stream or trail")]
    Foreign,
    /// Another record stands in its place: it was removed or moved.
    #[error("missing; record {0} stands in its place")]
    Missing(u64),
    /// It does not point back to the record before it.
    #[error("does not follow the record before it")]
    Unlinked,
    /// It was altered, or made without the key.
    #[error("altered")]
    Altered,
    /// The stream ends before it, though a later head is known.
    #[error("missing; the stream ends before it")]
    CutShort,
}

/// Verifies a stream record by record, holding nothing but the chain's state.
pub struct Verifier {
    trail: TrailKind,
    next: ChainStart,
}

impl Verifier {
    /// Verifies what follows `start`.
    #[must_use]
    pub const fn new(trail: TrailKind, start: ChainStart) -> Self {
        Self { trail, next: start }
    }

    /// Verifies the next record. After an error the verifier stays where it was.
    ///
    /// # Errors
    /// The sequence that should stand here, and what is wrong.
    pub fn check(&mut self, bytes: &[u8]) -> Result<Entry, BadRecord> {
        let position = self.expected();
        let bad = |fault| BadRecord {
            sequence: position.sequence,
            fault,
        };
        let entry = Entry::read(bytes).map_err(|_| bad(Fault::Unreadable))?;
        let body = Entry::authenticated(bytes).map_err(|_| bad(Fault::Unreadable))?;
        let found = entry.place.position;
        if entry.place.trail != self.trail || found.stream != position.stream {
            return Err(bad(Fault::Foreign));
        }
        if found.sequence != position.sequence {
            return Err(bad(Fault::Missing(found.sequence)));
        }
        if !is_authentic(&self.next.key, body, &entry.mac) {
            return Err(bad(Fault::Altered));
        }
        if entry.place.previous != self.next.head.hash {
            return Err(bad(Fault::Unlinked));
        }
        self.next = ChainStart {
            head: Head {
                position,
                hash: hash(bytes),
            },
            key: next_key(&self.next.key),
        };
        Ok(entry)
    }

    /// Ends the verification: the stream must reach `head`, if one is known (from a checkpoint, or from the stream after it).
    ///
    /// # Errors
    /// The first sequence that is missing, or the last one when it is not the one known.
    pub fn finish(self, head: Option<Head>) -> Result<ChainStart, BadRecord> {
        let reached = self.next.head;
        match head {
            Some(known) if known.position.sequence > reached.position.sequence => Err(BadRecord {
                sequence: reached.position.sequence.saturating_add(1),
                fault: Fault::CutShort,
            }),
            Some(known) if known.position.sequence == reached.position.sequence && known != reached => Err(BadRecord {
                sequence: reached.position.sequence,
                fault: Fault::Altered,
            }),
            _ => Ok(self.next),
        }
    }

    const fn expected(&self) -> Position {
        let Position { stream, sequence } = self.next.head.position;
        Position {
            stream,
            sequence: sequence.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::{Chain, RatchetChain};
    use super::super::draft::AuditDraft;
    use super::super::position::StreamId;
    use super::*;
    use zeroize::Zeroizing;

    fn start() -> ChainStart {
        ChainStart::new_stream(StreamId([1; 16]), [2; 32], Zeroizing::new([3; 32]))
    }

    fn draft(n: u32) -> AuditDraft {
        AuditDraft {
            operation: n,
            source: format!("192.0.2.{n}:1"),
            ..AuditDraft::default()
        }
    }

    fn stream(records: u32) -> (Vec<Vec<u8>>, Head) {
        let mut chain = RatchetChain::new(TrailKind::Change, start());
        let records = (0..records)
            .map(|n| chain.link(&draft(n), i64::from(n)).bytes)
            .collect();
        (records, chain.head())
    }

    fn verify(records: &[Vec<u8>], head: Option<Head>) -> Result<(), BadRecord> {
        let mut verifier = Verifier::new(TrailKind::Change, start());
        records.iter().try_for_each(|bytes| verifier.check(bytes).map(drop))?;
        verifier.finish(head).map(drop)
    }

    fn fault(records: &[Vec<u8>], head: Option<Head>) -> (u64, Fault) {
        let bad = verify(records, head).unwrap_err();
        (bad.sequence, bad.fault)
    }

    #[test]
    fn a_stream_as_written_is_good() {
        let (records, head) = stream(20);
        assert_eq!(verify(&records, Some(head)), Ok(()));
        assert_eq!(verify(&records, None), Ok(()));
    }

    #[test]
    fn each_bit_altered_is_found_where_it_is() {
        let (records, head) = stream(3);
        for at in 0..records[1].len() {
            let mut altered = records.clone();
            altered[1][at] ^= 0x10;
            assert_eq!(fault(&altered, Some(head)).0, 2, "byte {at}");
        }
    }

    #[test]
    fn removed_and_moved_records_are_found() {
        let (records, head) = stream(6);
        let mut removed = records.clone();
        removed.remove(2);
        assert_eq!(fault(&removed, None), (3, Fault::Missing(4)));
        let mut moved = records.clone();
        moved.swap(1, 4);
        assert_eq!(fault(&moved, None), (2, Fault::Missing(5)));
        let mut first = records.clone();
        first.remove(0);
        assert_eq!(fault(&first, None), (1, Fault::Missing(2)));
        assert_eq!(fault(&records[..4], Some(head)), (5, Fault::CutShort));
        let mut doubled = records;
        doubled.insert(3, doubled[2].clone());
        assert_eq!(fault(&doubled, None), (4, Fault::Missing(3)));
    }

    #[test]
    fn a_record_rewritten_without_the_key_of_its_time_is_found() {
        let (mut records, _) = stream(4);
        let late = ChainStart::new_stream(StreamId([1; 16]), [2; 32], next_key(&start().key));
        let mut forger = RatchetChain::new(TrailKind::Change, late);
        records[0] = forger.link(&draft(9), 0).bytes;
        assert_eq!(fault(&records, None), (1, Fault::Altered));
    }

    #[test]
    fn records_of_other_streams_and_trails_are_foreign() {
        let (mut records, _) = stream(2);
        records[1] = RatchetChain::new(TrailKind::Access, start()).link(&draft(1), 0).bytes;
        assert_eq!(fault(&records, None), (2, Fault::Foreign));
    }

    #[test]
    fn what_was_not_kept_leaves_no_gap() {
        let mut chain = RatchetChain::new(TrailKind::Change, start());
        let mut kept = vec![chain.link(&draft(0), 0).bytes];
        chain.confirm();
        chain.link(&draft(1), 0);
        chain.link(&draft(2), 0);
        chain.undo();
        kept.push(chain.link(&draft(3), 0).bytes);
        assert_eq!(verify(&kept, Some(chain.head())), Ok(()));
    }

    #[test]
    fn verification_resumes_where_it_ended() {
        let (records, head) = stream(5);
        let mut verifier = Verifier::new(TrailKind::Change, start());
        records[..3]
            .iter()
            .for_each(|bytes| drop(verifier.check(bytes).unwrap()));
        let mut verifier = Verifier::new(TrailKind::Change, verifier.finish(None).unwrap());
        records[3..]
            .iter()
            .for_each(|bytes| drop(verifier.check(bytes).unwrap()));
        assert!(verifier.finish(Some(head)).is_ok());
    }
}
