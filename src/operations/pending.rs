//! The record of a request that is not answered yet: an asynchronous item, or a proposal that others must agree to. One record
//! type for both, so that a request is frozen once, executed once, and its result delivered once to its requester. Once the result is
//! delivered, the record is gone.

use crate::custody::Sealed;
use crate::store::{ClaimKey, Domain, IndexQuery, IndexRange, IndexRow, IndexValue, Key, Kind};
use kmip_protocol::{Operation, ProtocolVersion};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// A pending request, in the domain of its requester. Its id is the Asynchronous Correlation Value: 16 random bytes.
pub const PENDING: Kind = Kind(0x30);

mod tag {
    use kmip_ttlv::Tag;

    pub const PENDING: Tag = Tag(0x54_B000);
    pub const FORMAT: Tag = Tag(0x54_B001);
    pub const REQUESTER: Tag = Tag(0x54_B002);
    pub const OPERATION: Tag = Tag(0x54_B003);
    pub const MAJOR: Tag = Tag(0x54_B004);
    pub const MINOR: Tag = Tag(0x54_B005);
    pub const STAGE: Tag = Tag(0x54_B006);
    pub const SUBMITTED: Tag = Tag(0x54_B007);
    pub const EXPIRES: Tag = Tag(0x54_B008);
    pub const PROPOSAL: Tag = Tag(0x54_B009);
    pub const REQUEST: Tag = Tag(0x54_B00A);
    pub const RESULT: Tag = Tag(0x54_B00B);
    pub const SAME_KEY: Tag = Tag(0x54_B010);
}

/// The format of the record.
const FORMAT: i32 = 1;

/// How far a pending request has come (KMIP 2.1 §11.42, Processing Stage, and the terminal ones that it does not name).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Stored as submitted; nothing has happened. Cancel can still prevent it.
    Submitted,
    /// Executed; the result waits for its requester.
    Completed,
    /// Cancelled before it began.
    Canceled,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Submitted, Self::Completed, Self::Canceled];

    const fn number(self) -> u32 {
        match self {
            Self::Submitted => 1,
            Self::Completed => 3,
            Self::Canceled => 4,
        }
    }
}

/// A pending request.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingRecord {
    /// The client or person that submitted it; nobody else learns of it.
    pub requester: [u8; 16],
    /// Which operation.
    pub operation: Operation,
    /// The version that it was submitted in. The result is told in the version of the Poll.
    pub version: ProtocolVersion,
    /// How far it has come.
    pub stage: Stage,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: i64,
    /// When it, or its undelivered result, is dropped.
    pub expires_ms: i64,
    /// The proposal that must be approved before it is executed, if one must.
    pub proposal: Option<[u8; 16]>,
    /// What a governed request is recognised by when it comes again: a keyed hash over operation, payload and requester.
    pub same_key: Option<[u8; 32]>,
    /// The request in TTLV, sealed: it may carry keys. Gone once the request can no longer be carried out.
    pub request: Option<Sealed>,
    /// The outcome, sealed, once there is one.
    pub result: Option<Sealed>,
}

/// The attribute by which a requester's pending requests are found; its application is the requester.
const SUBMITTED_BY: u32 = 1;
/// When it is dropped, in milliseconds since 1970, where that is certain: the requester's under its application, everybody's under
/// [`ANYBODY`].
const DROPPED: u32 = 2;

/// In place of a requester: all of them.
pub const ANYBODY: [u8; 16] = [0; 16];

/// Asks for the pending requests of a requester, or of [`ANYBODY`], that were to be dropped before this moment.
#[must_use]
pub fn over(domain: Domain, requester: [u8; 16], now_ms: i64, limit: usize) -> IndexQuery {
    IndexQuery {
        attribute: DROPPED,
        range: IndexRange::Between {
            from: i64::MIN,
            to: now_ms,
        },
        ..of_requester(domain, requester, limit)
    }
}

/// Asks for the pending requests of a requester, newest first.
#[must_use]
pub const fn of_requester(domain: Domain, requester: [u8; 16], limit: usize) -> IndexQuery {
    IndexQuery {
        domain,
        kind: PENDING,
        application: requester,
        attribute: SUBMITTED_BY,
        range: IndexRange::Any,
        before: None,
        limit,
    }
}

/// The space of claims that recognise a governed request when it comes again.
const SAME: u8 = 0x30;

/// The claim of a governed request.
#[must_use]
pub fn same_claim(domain: Domain, same_key: &[u8; 32]) -> ClaimKey {
    ClaimKey::new(domain, SAME, same_key)
}

/// Where a pending request is kept.
#[must_use]
pub const fn place(domain: Domain, correlation: [u8; 16]) -> Key {
    Key {
        domain,
        kind: PENDING,
        id: correlation,
    }
}

impl PendingRecord {
    /// Whether others may still decide about it: then it ends with its proposal, which has a life of its own.
    #[must_use]
    pub const fn is_proposed(&self) -> bool {
        self.proposal.is_some() && self.request.is_some()
    }

    /// What it is found by.
    #[must_use]
    pub fn rows(&self) -> Vec<IndexRow> {
        let row = |application, attribute, value| IndexRow {
            application,
            attribute,
            value: IndexValue::number(value),
        };
        let mut rows = vec![row(self.requester, SUBMITTED_BY, self.submitted_ms)];
        if !self.is_proposed() {
            rows.push(row(self.requester, DROPPED, self.expires_ms));
            rows.push(row(ANYBODY, DROPPED, self.expires_ms));
        }
        rows
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            requester,
            operation,
            version,
            stage,
            submitted_ms,
            expires_ms,
            proposal,
            same_key,
            request,
            result,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::PENDING, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::REQUESTER, requester);
            w.enumeration(tag::OPERATION, operation.0);
            w.integer(tag::MAJOR, version.major);
            w.integer(tag::MINOR, version.minor.unwrap_or(0));
            w.enumeration(tag::STAGE, stage.number());
            w.long_integer(tag::SUBMITTED, *submitted_ms);
            w.long_integer(tag::EXPIRES, *expires_ms);
            if let Some(proposal) = proposal {
                w.bytes(tag::PROPOSAL, proposal);
            }
            if let Some(same_key) = same_key {
                w.bytes(tag::SAME_KEY, same_key);
            }
            if let Some(request) = request {
                request.write(w, tag::REQUEST);
            }
            if let Some(result) = result {
                result.write(w, tag::RESULT);
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`PendingRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::PENDING, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Invalid("format of a pending request")));
            }
            Ok(Self {
                requester: r.array(tag::REQUESTER)?,
                operation: Operation(r.enumeration(tag::OPERATION)?),
                version: ProtocolVersion {
                    major: r.integer(tag::MAJOR)?,
                    minor: Some(r.integer(tag::MINOR)?),
                },
                stage: read_stage(r)?,
                submitted_ms: r.long_integer(tag::SUBMITTED)?,
                expires_ms: r.long_integer(tag::EXPIRES)?,
                proposal: r.at(tag::PROPOSAL).then(|| r.array(tag::PROPOSAL)).transpose()?,
                same_key: r.at(tag::SAME_KEY).then(|| r.array(tag::SAME_KEY)).transpose()?,
                request: r.at(tag::REQUEST).then(|| Sealed::read(r, tag::REQUEST)).transpose()?,
                result: r.at(tag::RESULT).then(|| Sealed::read(r, tag::RESULT)).transpose()?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

fn read_stage(reader: &mut Reader<'_>) -> Result<Stage> {
    let number = reader.enumeration(tag::STAGE)?;
    let found = Stage::ALL.into_iter().find(|s| s.number() == number);
    found.ok_or_else(|| reader.error(ErrorKind::Invalid("stage of a pending request")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::KekId;

    fn sealed(byte: u8) -> Sealed {
        Sealed {
            kek: KekId([byte; 16]),
            kek_generation: 1,
            wrapped_dek: vec![byte; 60],
            blob: vec![byte; 99],
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let mut record = PendingRecord {
            requester: [1; 16],
            operation: Operation::Create,
            version: ProtocolVersion {
                major: 2,
                minor: Some(1),
            },
            stage: Stage::Submitted,
            submitted_ms: 5,
            expires_ms: 6,
            proposal: None,
            same_key: None,
            request: Some(sealed(2)),
            result: None,
        };
        for stage in Stage::ALL {
            record.stage = stage;
            assert!(PendingRecord::decode(&record.encode()).is_ok_and(|read| read == record));
        }
        record.proposal = Some([3; 16]);
        record.same_key = Some([5; 32]);
        record.request = None;
        record.result = Some(sealed(4));
        let bytes = record.encode();
        assert!(PendingRecord::decode(&bytes).is_ok_and(|read| read == record));
        assert!(PendingRecord::decode(&bytes[..bytes.len() - 8]).is_err());
    }
}
