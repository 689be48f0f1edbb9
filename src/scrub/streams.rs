//! Reading the change trail from its first stream to its last, each record verified: what it says counts only then.

use super::ScrubError;
use crate::audit::{
    AuditDraft, BadRecord, ChainKey, ChainStart, CounterState, Entry, Fault, Head, RecordState, StreamId, TrailKind,
    Verifier, beginning, hash,
};
use crate::custody::{Custody, CustodyError};
use crate::store::{Domain, Store, TrailQuery};
use crate::wait::breathe;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Records of the trail read at once.
const PAGE: usize = 256;

/// The key of a stream's first record: whoever has the system's record key can compute it again.
pub fn first_key(custody: &Custody, trail: TrailKind, stream: StreamId) -> Result<ChainKey, CustodyError> {
    let name = match trail {
        TrailKind::Change => "change trail",
        TrailKind::Access => "access trail",
    };
    custody.keyed_hash(Domain::SYSTEM, name, &stream.0).map(ChainKey::new)
}

/// How far streams were known to reach when somebody looked last.
pub type Known = BTreeMap<StreamId, Head>;

/// What is wrong with the trail, at the first bad record of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("stream {stream}: {bad}")]
pub struct TrailFault {
    /// Which stream.
    pub stream: StreamId,
    /// Which record, and what is wrong with it.
    pub bad: BadRecord,
}

/// Where a reading of the trail stands: each stream as far as it was verified.
#[derive(Clone, Default)]
pub(super) struct Reached(BTreeMap<StreamId, ChainStart>);

impl Reached {
    pub(super) fn heads(&self) -> Known {
        self.0.iter().map(|(stream, start)| (*stream, start.head)).collect()
    }
}

/// What a reading needs.
pub(super) struct Streams<'a> {
    pub store: &'a Arc<dyn Store>,
    pub custody: &'a Custody,
    /// How far the streams reached once: none may be shorter, or other, now.
    pub known: &'a Known,
    /// How long to rest after each page.
    pub pace: Duration,
}

/// What a record of the trail says of the state of things.
pub(super) enum Told<'t> {
    Record(&'t RecordState),
    Counter(&'t CounterState),
}

/// Shows what one record of the trail says, in the order in which it happened: to accept a record wipes out what was known of its
/// counters, and with a record go its counters.
fn tell(draft: &AuditDraft, show: &mut (dyn FnMut(Told<'_>) + Send)) {
    let records = |accepted: bool| draft.records.iter().filter(move |record| record.accepted == accepted);
    records(true).for_each(|record| show(Told::Record(record)));
    draft.counters.iter().for_each(|counter| show(Told::Counter(counter)));
    records(false).for_each(|record| show(Told::Record(record)));
}

/// What a reading gave besides what it showed.
#[derive(Default)]
pub(super) struct Read {
    pub records: u64,
    pub faults: Vec<TrailFault>,
}

impl Streams<'_> {
    /// Reads on from where `reached` stands to the present end of each stream, the first stream first, and shows each state in which a
    /// record was left.
    pub(super) async fn read(
        &self,
        reached: &mut Reached,
        show: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<Read, ScrubError> {
        let mut read = Read::default();
        let mut before = Vec::new();
        let ordered = self.ordered(&mut read).await?;
        for gone in self
            .known
            .keys()
            .filter(|stream| ordered.iter().all(|head| head.position.stream != **stream))
        {
            read.faults.push(fault(*gone, 1, Fault::CutShort));
        }
        for head in ordered {
            let stream = head.position.stream;
            let start = match reached.0.get(&stream) {
                Some(start) => start.clone(),
                None => {
                    let key = first_key(self.custody, TrailKind::Change, stream)?;
                    ChainStart::new_stream(stream, beginning(&mut before), key)
                }
            };
            before.push(head);
            match self.stream(start, head, &mut read.records, show).await? {
                Ok(end) => drop(reached.0.insert(stream, end)),
                Err(bad) => read.faults.push(TrailFault { stream, bad }),
            }
        }
        Ok(read)
    }

    /// The heads of all streams, in the order in which the streams began.
    async fn ordered(&self, read: &mut Read) -> Result<Vec<Head>, ScrubError> {
        let mut begun = Vec::new();
        for head in self.store.trail_heads().await? {
            let first = self.page(head.position.stream, 0, 1).await?;
            match first.first().map(|bytes| Entry::read(bytes)) {
                Some(Ok(entry)) => begun.push((entry.place.committed_ms, head)),
                _ => read.faults.push(fault(head.position.stream, 1, Fault::Unreadable)),
            }
        }
        begun.sort_by_key(|(began, head)| (*began, head.position.stream));
        Ok(begun.into_iter().map(|(_, head)| head).collect())
    }

    async fn page(&self, stream: StreamId, after: u64, limit: usize) -> Result<Vec<Arc<[u8]>>, ScrubError> {
        let query = TrailQuery {
            stream,
            domain: None,
            after,
            limit,
        };
        let found = self.store.trail(query).await?;
        Ok(found.into_iter().map(|record| record.bytes).collect())
    }

    async fn stream(
        &self,
        start: ChainStart,
        head: Head,
        records: &mut u64,
        show: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<Result<ChainStart, BadRecord>, ScrubError> {
        let known = self.known.get(&head.position.stream).copied();
        let mut at = start.head.position.sequence;
        let mut verifier = Verifier::new(TrailKind::Change, start);
        while at < head.position.sequence {
            let page = self.page(head.position.stream, at, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for bytes in &page {
                if at >= head.position.sequence {
                    break;
                }
                let entry = match verifier.check(bytes) {
                    Ok(entry) => entry,
                    Err(bad) => return Ok(Err(bad)),
                };
                at = entry.place.position.sequence;
                if known.is_some_and(|known| known.position.sequence == at && known.hash != hash(bytes)) {
                    let (sequence, fault) = (at, Fault::Altered);
                    return Ok(Err(BadRecord { sequence, fault }));
                }
                *records = records.saturating_add(1);
                tell(&entry.draft, show);
            }
            rest(self.pace).await;
        }
        // What was known may lie before where this reading began; it was compared then.
        Ok(verifier.finish(known.filter(|known| known.position.sequence > at)))
    }
}

const fn fault(stream: StreamId, sequence: u64, fault: Fault) -> TrailFault {
    TrailFault {
        stream,
        bad: BadRecord { sequence, fault },
    }
}

/// Gives way to requests between two pages.
pub(super) async fn rest(pace: Duration) {
    if pace.is_zero() {
        breathe().await;
    } else {
        tokio::time::sleep(pace).await;
    }
}
