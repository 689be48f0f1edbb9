//! The chain: each record points back to the one before it, and is MACed with a key that the next record no longer has.

use super::draft::AuditDraft;
use super::entry::{Place, TrailKind, encode};
use super::position::{Head, Position, StreamId};
use ring::{digest, hmac};
use zeroize::Zeroizing;

/// A ratchet key: 32 bytes, wiped when dropped.
pub type ChainKey = Zeroizing<[u8; 32]>;

/// The label under which a key makes its successor. One way: who takes the key of today cannot forge yesterday.
const RATCHET_LABEL: &[u8] = b"claviger audit ratchet 1";

/// A record with its place, ready to be kept.
pub struct Linked {
    /// Where it stands.
    pub position: Position,
    /// Its bytes, as [`super::Entry`] reads them.
    pub bytes: Vec<u8>,
}

/// What the committer asks for. Records linked since the last [`Chain::confirm`] are provisional: a failed commit takes them back.
pub trait Chain: Send {
    /// Gives a draft its place: sequence, time of the commit (milliseconds since 1970), previous hash, MAC.
    fn link(&mut self, draft: &AuditDraft, committed_ms: i64) -> Linked;

    /// The records linked are durable.
    fn confirm(&mut self);

    /// The records linked since the last confirmation were not kept.
    fn undo(&mut self);
}

/// Where a chain begins, or where a verification resumes.
#[derive(Clone)]
pub struct ChainStart {
    /// The record before the first one. For a new stream: sequence 0, and the hash of the head of the stream before it, so
    /// that a stream cut short is missed by the next (all zero for the first stream of an installation).
    pub head: Head,
    /// The key of the first record.
    pub key: ChainKey,
}

impl ChainStart {
    /// The start of a new stream after the stream that ended with `previous` (its head's hash).
    #[must_use]
    pub const fn new_stream(stream: StreamId, previous: [u8; 32], key: ChainKey) -> Self {
        let position = Position { stream, sequence: 0 };
        Self {
            head: Head {
                position,
                hash: previous,
            },
            key,
        }
    }
}

/// The state of a chain: enough to link the next record.
#[derive(Clone)]
struct State {
    head: Head,
    key: ChainKey,
}

/// The chain of one stream, with a ratcheted HMAC-SHA-256 key.
pub struct RatchetChain {
    trail: TrailKind,
    state: State,
    /// The state at the last confirmation, while provisional records exist.
    confirmed: Option<State>,
}

impl RatchetChain {
    /// A chain that goes on from `start`.
    #[must_use]
    pub fn new(trail: TrailKind, start: ChainStart) -> Self {
        let ChainStart { head, key } = start;
        Self {
            trail,
            state: State { head, key },
            confirmed: None,
        }
    }

    /// The last record linked.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.state.head
    }

    /// The last record that was kept, if there is one.
    #[must_use]
    pub fn kept(&self) -> Option<Head> {
        let head = self.confirmed.as_ref().unwrap_or(&self.state).head;
        (head.position.sequence > 0).then_some(head)
    }
}

impl Chain for RatchetChain {
    fn link(&mut self, draft: &AuditDraft, committed_ms: i64) -> Linked {
        if self.confirmed.is_none() {
            self.confirmed = Some(self.state.clone());
        }
        let State { head, key } = &mut self.state;
        let position = Position {
            stream: head.position.stream,
            sequence: head.position.sequence.saturating_add(1),
        };
        let place = Place {
            trail: self.trail,
            position,
            committed_ms,
            previous: head.hash,
        };
        let bytes = encode(draft, &place, |body| mac(key, body));
        *head = Head {
            position,
            hash: hash(&bytes),
        };
        *key = next_key(key);
        Linked { position, bytes }
    }

    fn confirm(&mut self) {
        self.confirmed = None;
    }

    fn undo(&mut self) {
        if let Some(confirmed) = self.confirmed.take() {
            self.state = confirmed;
        }
    }
}

/// What the first record of a stream points back to: the heads of all streams before it; all zero for the first stream of all.
#[must_use]
pub fn beginning(heads: &mut [Head]) -> [u8; 32] {
    heads.sort_unstable_by_key(|head| head.position.stream.0);
    match heads {
        [] => [0; 32],
        heads => {
            let all: Vec<u8> = heads.iter().flat_map(|head| head.hash).collect();
            hash(&all)
        }
    }
}

/// The hash by which a record is pointed back to: SHA-256 of all its bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Whether the record's body has this MAC, in constant time.
pub(super) fn is_authentic(key: &ChainKey, body: &[u8], tag: &[u8; 32]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
    hmac::verify(&key, body, tag).is_ok()
}

fn mac(key: &ChainKey, body: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
    array(hmac::sign(&key, body).as_ref())
}

pub(super) fn next_key(key: &ChainKey) -> ChainKey {
    Zeroizing::new(mac(key, RATCHET_LABEL))
}

/// SHA-256 and HMAC-SHA-256 give 32 bytes.
fn array(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}
