//! The bytes of a proposal's record: TTLV, with tags of our own that never leave the server. Append only.

use super::{BoundTarget, Event, FollowUp, ProposalRecord, Reached, Requester};
use crate::authority::quorum::Ballot;
use crate::store::{Domain, Key, Kind};
use kmip_protocol::{Item as _, Operation, ProposalState, ResultReason, Rule, Version, VoteDecision};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// The format that is written.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const PROPOSAL: Tag = Tag(0x54_C100);
    pub(super) const FORMAT: Tag = Tag(0x54_C101);
    pub(super) const ID: Tag = Tag(0x54_C102);
    pub(super) const OPERATION: Tag = Tag(0x54_C103);
    pub(super) const REQUESTER: Tag = Tag(0x54_C104);
    pub(super) const IS_PERSON: Tag = Tag(0x54_C105);
    pub(super) const NAME: Tag = Tag(0x54_C106);
    pub(super) const FINGERPRINT: Tag = Tag(0x54_C107);
    pub(super) const CORRELATION: Tag = Tag(0x54_C108);
    pub(super) const REASON: Tag = Tag(0x54_C109);
    pub(super) const SUBMITTED: Tag = Tag(0x54_C10A);
    pub(super) const APPROVE_BY: Tag = Tag(0x54_C10B);
    pub(super) const RULE: Tag = Tag(0x54_C10C);
    pub(super) const SEASONING: Tag = Tag(0x54_C10D);
    pub(super) const POLICY_DIGEST: Tag = Tag(0x54_C10E);
    pub(super) const INSTANCE: Tag = Tag(0x54_C10F);
    pub(super) const EPOCH: Tag = Tag(0x54_C110);
    pub(super) const CANONICAL: Tag = Tag(0x54_C111);
    pub(super) const REQUEST_DIGEST: Tag = Tag(0x54_C112);
    pub(super) const TARGET: Tag = Tag(0x54_C113);
    pub(super) const DESCRIPTION: Tag = Tag(0x54_C114);
    pub(super) const RECORD: Tag = Tag(0x54_C115);
    pub(super) const DOMAIN: Tag = Tag(0x54_C116);
    pub(super) const KIND: Tag = Tag(0x54_C117);
    pub(super) const DIGEST: Tag = Tag(0x54_C118);
    pub(super) const SUBJECT: Tag = Tag(0x54_C119);
    pub(super) const STATE: Tag = Tag(0x54_C11A);
    pub(super) const BALLOT: Tag = Tag(0x54_C11B);
    pub(super) const PERSON: Tag = Tag(0x54_C11C);
    pub(super) const KEY: Tag = Tag(0x54_C11D);
    pub(super) const DECISION: Tag = Tag(0x54_C11E);
    pub(super) const CAST: Tag = Tag(0x54_C11F);
    pub(super) const WITHDRAWN: Tag = Tag(0x54_C120);
    pub(super) const STATEMENT: Tag = Tag(0x54_C121);
    pub(super) const SIGNATURE: Tag = Tag(0x54_C122);
    pub(super) const EVENT: Tag = Tag(0x54_C123);
    pub(super) const AT: Tag = Tag(0x54_C124);
    pub(super) const REACHED: Tag = Tag(0x54_C125);
    pub(super) const ALTERNATIVE: Tag = Tag(0x54_C126);
    pub(super) const PLACE: Tag = Tag(0x54_C127);
    pub(super) const RESULT_REASON: Tag = Tag(0x54_C128);
    pub(super) const COMPLETED_BY: Tag = Tag(0x54_C129);
    pub(super) const FOLLOW_UP: Tag = Tag(0x54_C12A);
    pub(super) const OVERDUE: Tag = Tag(0x54_C12B);
    pub(super) const BY: Tag = Tag(0x54_C12C);
    pub(super) const SHARING: Tag = Tag(0x54_F4F0);
    pub(super) const RECOVERY: Tag = Tag(0x54_F903);
}

impl ProposalRecord {
    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            id,
            operation,
            requester,
            correlation,
            reason,
            submitted_ms,
            approve_by_ms,
            rules,
            seasoning_ms,
            policy_digest,
            instance,
            epoch,
            canonical,
            request_digest,
            target,
            state,
            ballots,
            events,
            reached,
            completed_by,
            result_reason,
            follow_up,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::PROPOSAL, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::ID, id);
            w.enumeration(tag::OPERATION, operation.0);
            w.structure(tag::REQUESTER, |w| write_requester(w, requester));
            w.bytes(tag::CORRELATION, correlation);
            text(w, tag::REASON, reason.as_deref());
            w.long_integer(tag::SUBMITTED, *submitted_ms);
            w.long_integer(tag::APPROVE_BY, *approve_by_ms);
            for rule in rules {
                rule.write_item(w, tag::RULE, Version::NEWEST);
            }
            w.long_integer(tag::SEASONING, *seasoning_ms);
            w.bytes(tag::POLICY_DIGEST, policy_digest);
            w.bytes(tag::INSTANCE, instance);
            w.integer(tag::EPOCH, *epoch);
            w.bytes(tag::CANONICAL, canonical);
            w.bytes(tag::REQUEST_DIGEST, request_digest);
            w.structure(tag::TARGET, |w| write_target(w, target));
            w.enumeration(tag::STATE, state.0);
            for ballot in ballots {
                w.structure(tag::BALLOT, |w| write_ballot(w, ballot));
            }
            for event in events {
                w.structure(tag::EVENT, |w| write_event(w, event));
            }
            for one in reached {
                w.structure(tag::REACHED, |w| write_reached(w, *one));
            }
            text(w, tag::COMPLETED_BY, completed_by.as_deref());
            if let Some(reason) = result_reason {
                w.enumeration(tag::RESULT_REASON, reason.0);
            }
            if let Some(owed) = follow_up {
                w.structure(tag::FOLLOW_UP, |w| write_follow_up(w, owed));
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`ProposalRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::PROPOSAL, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            Ok(Self {
                id: r.array(tag::ID)?,
                operation: Operation(r.enumeration(tag::OPERATION)?),
                requester: r.structure(tag::REQUESTER, read_requester)?,
                correlation: r.array(tag::CORRELATION)?,
                reason: optional_text(r, tag::REASON)?,
                submitted_ms: r.long_integer(tag::SUBMITTED)?,
                approve_by_ms: r.long_integer(tag::APPROVE_BY)?,
                rules: several(r, tag::RULE, |r| Rule::read_item(r, tag::RULE, Version::NEWEST))?,
                seasoning_ms: r.long_integer(tag::SEASONING)?,
                policy_digest: r.array(tag::POLICY_DIGEST)?,
                instance: r.array(tag::INSTANCE)?,
                epoch: r.integer(tag::EPOCH)?,
                canonical: r.bytes(tag::CANONICAL)?.to_vec(),
                request_digest: r.array(tag::REQUEST_DIGEST)?,
                target: r.structure(tag::TARGET, read_target)?,
                state: ProposalState(r.enumeration(tag::STATE)?),
                ballots: several(r, tag::BALLOT, |r| r.structure(tag::BALLOT, read_ballot))?,
                events: several(r, tag::EVENT, |r| r.structure(tag::EVENT, read_event))?,
                reached: several(r, tag::REACHED, |r| r.structure(tag::REACHED, read_reached))?,
                completed_by: optional_text(r, tag::COMPLETED_BY)?,
                result_reason: r
                    .at(tag::RESULT_REASON)
                    .then(|| r.enumeration(tag::RESULT_REASON).map(ResultReason))
                    .transpose()?,
                follow_up: r
                    .at(tag::FOLLOW_UP)
                    .then(|| r.structure(tag::FOLLOW_UP, read_follow_up))
                    .transpose()?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

fn write_requester(w: &mut Writer, requester: &Requester) {
    let Requester {
        is_person,
        id,
        name,
        fingerprint,
    } = requester;
    w.boolean(tag::IS_PERSON, *is_person);
    w.bytes(tag::ID, id);
    w.text(tag::NAME, name);
    bytes(w, tag::FINGERPRINT, fingerprint.as_ref().map(<[u8; 32]>::as_slice));
}

fn read_requester(r: &mut Reader<'_>) -> Result<Requester> {
    Ok(Requester {
        is_person: r.boolean(tag::IS_PERSON)?,
        id: r.array(tag::ID)?,
        name: r.text(tag::NAME)?.to_owned(),
        fingerprint: optional_fixed(r, tag::FINGERPRINT)?,
    })
}

fn write_target(w: &mut Writer, target: &BoundTarget) {
    let BoundTarget {
        description,
        records,
        digest,
        subjects,
        sharings,
        recovery,
    } = target;
    text(w, tag::DESCRIPTION, description.as_deref());
    records.iter().for_each(|key| write_key(w, tag::RECORD, key));
    bytes(w, tag::DIGEST, digest.as_ref().map(<[u8; 32]>::as_slice));
    for subject in subjects {
        w.bytes(tag::SUBJECT, subject);
    }
    sharings.iter().for_each(|key| write_key(w, tag::SHARING, key));
    bytes(w, tag::RECOVERY, recovery.as_deref());
}

fn write_key(w: &mut Writer, tag: Tag, key: &Key) {
    w.structure(tag, |w| {
        w.bytes(tag::DOMAIN, &key.domain.0);
        w.integer(tag::KIND, i32::from(key.kind.0));
        w.bytes(tag::ID, &key.id);
    });
}

fn read_key(r: &mut Reader<'_>) -> Result<Key> {
    let domain = Domain(r.array(tag::DOMAIN)?);
    let wrong = r.error(ErrorKind::Invalid("kind of a record"));
    let kind = Kind(r.integer(tag::KIND)?.try_into().map_err(|_| wrong)?);
    let id = r.array(tag::ID)?;
    Ok(Key { domain, kind, id })
}

fn read_target(r: &mut Reader<'_>) -> Result<BoundTarget> {
    Ok(BoundTarget {
        description: optional_text(r, tag::DESCRIPTION)?,
        records: several(r, tag::RECORD, |r| r.structure(tag::RECORD, read_key))?,
        digest: optional_fixed(r, tag::DIGEST)?,
        subjects: several(r, tag::SUBJECT, |r| r.array(tag::SUBJECT))?,
        sharings: several(r, tag::SHARING, |r| r.structure(tag::SHARING, read_key))?,
        recovery: match r.at(tag::RECOVERY) {
            true => Some(r.bytes(tag::RECOVERY)?.to_vec()),
            false => None,
        },
    })
}

fn write_ballot(w: &mut Writer, ballot: &Ballot) {
    let Ballot {
        person,
        person_name,
        key,
        decision,
        cast_ms,
        withdrawn_ms,
        statement,
        signature,
        reason,
    } = ballot;
    w.bytes(tag::PERSON, person);
    w.text(tag::NAME, person_name);
    bytes(w, tag::KEY, key.as_ref().map(<[u8; 32]>::as_slice));
    w.enumeration(tag::DECISION, decision.0);
    w.long_integer(tag::CAST, *cast_ms);
    if let Some(withdrawn_ms) = withdrawn_ms {
        w.long_integer(tag::WITHDRAWN, *withdrawn_ms);
    }
    bytes(w, tag::STATEMENT, statement.as_deref());
    bytes(w, tag::SIGNATURE, signature.as_deref());
    text(w, tag::REASON, reason.as_deref());
}

fn read_ballot(r: &mut Reader<'_>) -> Result<Ballot> {
    Ok(Ballot {
        person: r.array(tag::PERSON)?,
        person_name: r.text(tag::NAME)?.to_owned(),
        key: optional_fixed(r, tag::KEY)?,
        decision: VoteDecision(r.enumeration(tag::DECISION)?),
        cast_ms: r.long_integer(tag::CAST)?,
        withdrawn_ms: r
            .at(tag::WITHDRAWN)
            .then(|| r.long_integer(tag::WITHDRAWN))
            .transpose()?,
        statement: optional_bytes(r, tag::STATEMENT)?,
        signature: optional_bytes(r, tag::SIGNATURE)?,
        reason: optional_text(r, tag::REASON)?,
    })
}

fn write_event(w: &mut Writer, event: &Event) {
    let Event {
        state,
        at_ms,
        person_name,
        reason,
    } = event;
    w.enumeration(tag::STATE, state.0);
    w.long_integer(tag::AT, *at_ms);
    text(w, tag::NAME, person_name.as_deref());
    text(w, tag::REASON, reason.as_deref());
}

fn read_event(r: &mut Reader<'_>) -> Result<Event> {
    Ok(Event {
        state: ProposalState(r.enumeration(tag::STATE)?),
        at_ms: r.long_integer(tag::AT)?,
        person_name: optional_text(r, tag::NAME)?,
        reason: optional_text(r, tag::REASON)?,
    })
}

fn write_reached(w: &mut Writer, reached: Reached) {
    let Reached {
        rule,
        alternative,
        since_ms,
    } = reached;
    // Rules and alternatives are few: a policy has at most 64 of the ones and 8 of the others.
    w.integer(tag::PLACE, i32::try_from(rule).unwrap_or(i32::MAX));
    w.integer(tag::ALTERNATIVE, i32::try_from(alternative).unwrap_or(i32::MAX));
    w.long_integer(tag::AT, since_ms);
}

fn read_reached(r: &mut Reader<'_>) -> Result<Reached> {
    Ok(Reached {
        rule: place(r, tag::PLACE)?,
        alternative: place(r, tag::ALTERNATIVE)?,
        since_ms: r.long_integer(tag::AT)?,
    })
}

fn write_follow_up(w: &mut Writer, owed: &FollowUp) {
    let FollowUp {
        rules,
        due_ms,
        overdue,
        by,
    } = owed;
    for rule in rules {
        w.text(tag::NAME, rule);
    }
    w.long_integer(tag::AT, *due_ms);
    w.boolean(tag::OVERDUE, *overdue);
    text(w, tag::BY, by.as_deref());
}

fn read_follow_up(r: &mut Reader<'_>) -> Result<FollowUp> {
    Ok(FollowUp {
        rules: several(r, tag::NAME, |r| r.text(tag::NAME).map(str::to_owned))?,
        due_ms: r.long_integer(tag::AT)?,
        overdue: r.boolean(tag::OVERDUE)?,
        by: optional_text(r, tag::BY)?,
    })
}

fn place(r: &mut Reader<'_>, tag: Tag) -> Result<usize> {
    let wrong = r.error(ErrorKind::Invalid("place of a rule"));
    usize::try_from(r.integer(tag)?).map_err(|_| wrong)
}

fn text(w: &mut Writer, tag: Tag, value: Option<&str>) {
    if let Some(value) = value {
        w.text(tag, value);
    }
}

fn bytes(w: &mut Writer, tag: Tag, value: Option<&[u8]>) {
    if let Some(value) = value {
        w.bytes(tag, value);
    }
}

fn several<T>(r: &mut Reader<'_>, tag: Tag, mut read: impl FnMut(&mut Reader<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut found = Vec::new();
    while r.at(tag) {
        found.push(read(r)?);
    }
    Ok(found)
}

fn optional_text(r: &mut Reader<'_>, tag: Tag) -> Result<Option<String>> {
    r.at(tag).then(|| r.text(tag).map(str::to_owned)).transpose()
}

fn optional_bytes(r: &mut Reader<'_>, tag: Tag) -> Result<Option<Vec<u8>>> {
    r.at(tag).then(|| r.bytes(tag).map(<[u8]>::to_vec)).transpose()
}

fn optional_fixed<const N: usize>(r: &mut Reader<'_>, tag: Tag) -> Result<Option<[u8; N]>> {
    r.at(tag).then(|| r.array(tag)).transpose()
}
