//! The record format, version 1: TTLV with tags of the extension range, so that any KMIP tool can show a trail.
//!
//! `Audit Record { Audit Body { … }, MAC }`. The MAC is HMAC-SHA-256 over the encoded body; the hash by which the next record
//! points back is SHA-256 over the whole record.

use super::draft::{Actor, ActorKind, AuditDraft, AuditObject, MAX_NOTE};
use super::position::{Position, StreamId};
use super::state::{read_counters, read_place, read_records, write_counter, write_record};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// The version written here.
const FORMAT: i32 = 1;

/// The tags of the format: append only.
pub(super) mod tag {
    use kmip_ttlv::Tag;

    pub const RECORD: Tag = Tag(0x54_F000);
    pub const BODY: Tag = Tag(0x54_F001);
    pub const MAC: Tag = Tag(0x54_F002);
    pub const FORMAT: Tag = Tag(0x54_F003);
    pub const TRAIL: Tag = Tag(0x54_F004);
    pub const STREAM: Tag = Tag(0x54_F005);
    pub const SEQUENCE: Tag = Tag(0x54_F006);
    pub const COMMITTED: Tag = Tag(0x54_F007);
    pub const PREVIOUS: Tag = Tag(0x54_F008);
    pub const TENANT: Tag = Tag(0x54_F009);
    pub const AT: Tag = Tag(0x54_F00A);
    pub const MONOTONIC: Tag = Tag(0x54_F00B);
    pub const ACTOR: Tag = Tag(0x54_F00C);
    pub const ACTOR_KIND: Tag = Tag(0x54_F00D);
    pub const ACTOR_ID: Tag = Tag(0x54_F00E);
    pub const FINGERPRINT: Tag = Tag(0x54_F00F);
    pub const SOURCE: Tag = Tag(0x54_F010);
    pub const OPERATION: Tag = Tag(0x54_F011);
    pub const BATCH_ITEM: Tag = Tag(0x54_F012);
    pub const OBJECT: Tag = Tag(0x54_F013);
    pub const UNIQUE_IDENTIFIER: Tag = Tag(0x54_F014);
    pub const RECORD_KIND: Tag = Tag(0x54_F015);
    pub const RECORD_ID: Tag = Tag(0x54_F016);
    pub const REVISION: Tag = Tag(0x54_F017);
    pub const RECORD_MAC: Tag = Tag(0x54_F018);
    pub const RESULT_STATUS: Tag = Tag(0x54_F019);
    pub const RESULT_REASON: Tag = Tag(0x54_F01A);
    pub const CLIENT_CORRELATION: Tag = Tag(0x54_F01B);
    pub const SERVER_CORRELATION: Tag = Tag(0x54_F01C);
    pub const PROPOSAL: Tag = Tag(0x54_F01D);
    pub const DIGEST: Tag = Tag(0x54_F01E);
    pub const NOTE: Tag = Tag(0x54_F01F);
    pub const LEFT: Tag = Tag(0x54_F600);
    pub const RECORD_DOMAIN: Tag = Tag(0x54_F601);
    pub const ACCEPTED: Tag = Tag(0x54_F602);
    pub const COUNTER: Tag = Tag(0x54_FA00);
    pub const FIELD: Tag = Tag(0x54_FA01);
    pub const BEFORE: Tag = Tag(0x54_FA02);
    pub const VALUE: Tag = Tag(0x54_FA03);
}

/// Which trail a record belongs to: bound into it, so that no record passes from one trail to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrailKind {
    /// Changes, denials, votes: in the database, in the commit of what they record.
    Change,
    /// Successful operations that changed nothing: in files.
    Access,
}

/// A record's place: what the committer adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which trail.
    pub trail: TrailKind,
    /// Stream and sequence.
    pub position: Position,
    /// When it was committed, in milliseconds since 1970.
    pub committed_ms: i64,
    /// The hash of the record before it.
    pub previous: [u8; 32],
}

/// A record of a trail, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub draft: AuditDraft,
    /// Its MAC, not yet verified.
    pub mac: [u8; 32],
}

impl Entry {
    /// Reads one record, refusing whatever the format does not have.
    ///
    /// # Errors
    /// Where and why the bytes are no record.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let entry = Self::read_next(&mut reader)?;
        reader.finish()?;
        Ok(entry)
    }

    /// Reads the next of several records.
    ///
    /// # Errors
    /// Where and why the bytes are no record.
    pub fn read_next(reader: &mut Reader<'_>) -> Result<Self> {
        reader.structure(tag::RECORD, |record| {
            let (place, draft) = record.structure(tag::BODY, read_body)?;
            let mac = record.array(tag::MAC)?;
            Ok(Self { place, draft, mac })
        })
    }

    /// The bytes of a record that its MAC covers.
    ///
    /// # Errors
    /// Where and why the bytes are no record.
    pub fn authenticated(bytes: &[u8]) -> Result<&[u8]> {
        let mut reader = Reader::new(bytes);
        reader.structure(tag::RECORD, |record| {
            let all = record.remaining();
            record.skip()?;
            let body = all
                .len()
                .checked_sub(record.remaining().len())
                .and_then(|length| all.get(..length));
            record.skip()?;
            body.ok_or_else(|| record.error(ErrorKind::Truncated))
        })
    }
}

/// Writes a record; `authenticate` gives the MAC of its body.
pub(super) fn encode(draft: &AuditDraft, place: &Place, authenticate: impl FnOnce(&[u8]) -> [u8; 32]) -> Vec<u8> {
    let mut writer = Writer::new();
    let record = writer.open(tag::RECORD);
    writer.structure(tag::BODY, |body| write_body(body, draft, place));
    let mac = authenticate(writer.as_bytes().get(record..).unwrap_or_default());
    writer.bytes(tag::MAC, &mac);
    writer.close(record);
    writer.into_bytes()
}

fn write_body(writer: &mut Writer, draft: &AuditDraft, place: &Place) {
    let AuditDraft {
        tenant,
        at_ms,
        monotonic_ms,
        actor,
        source,
        operation,
        batch_item,
        objects,
        result_status,
        result_reason,
        client_correlation,
        server_correlation,
        proposal,
        digest,
        records,
        counters,
        note,
    } = draft;
    writer.integer(tag::FORMAT, FORMAT);
    writer.enumeration(tag::TRAIL, trail_number(place.trail));
    writer.bytes(tag::STREAM, &place.position.stream.0);
    writer.long_integer(tag::SEQUENCE, place.position.sequence.cast_signed());
    writer.date_time_extended(tag::COMMITTED, microseconds(place.committed_ms));
    writer.bytes(tag::PREVIOUS, &place.previous);
    writer.bytes(tag::TENANT, tenant);
    writer.date_time_extended(tag::AT, microseconds(*at_ms));
    writer.long_integer(tag::MONOTONIC, monotonic_ms.cast_signed());
    writer.structure(tag::ACTOR, |w| write_actor(w, actor));
    writer.text(tag::SOURCE, source);
    writer.enumeration(tag::OPERATION, *operation);
    writer.integer(tag::BATCH_ITEM, batch_item.cast_signed());
    for object in objects {
        writer.structure(tag::OBJECT, |w| write_object(w, object));
    }
    writer.enumeration(tag::RESULT_STATUS, *result_status);
    if let Some(reason) = result_reason {
        writer.enumeration(tag::RESULT_REASON, *reason);
    }
    if let Some(value) = client_correlation {
        writer.text(tag::CLIENT_CORRELATION, value);
    }
    if let Some(value) = server_correlation {
        writer.text(tag::SERVER_CORRELATION, value);
    }
    if let Some(proposal) = proposal {
        writer.bytes(tag::PROPOSAL, proposal);
    }
    if let Some(digest) = digest {
        writer.bytes(tag::DIGEST, digest);
    }
    for record in records {
        writer.structure(tag::LEFT, |w| write_record(w, record, *tenant));
    }
    for counter in counters {
        writer.structure(tag::COUNTER, |w| write_counter(w, counter, *tenant));
    }
    if let Some(note) = note {
        writer.text(tag::NOTE, bounded(note));
    }
}

fn write_actor(writer: &mut Writer, actor: &Actor) {
    let Actor { kind, id, fingerprint } = actor;
    writer.enumeration(tag::ACTOR_KIND, actor_number(*kind));
    writer.bytes(tag::ACTOR_ID, id);
    if let Some(fingerprint) = fingerprint {
        writer.bytes(tag::FINGERPRINT, fingerprint);
    }
}

fn write_object(writer: &mut Writer, object: &AuditObject) {
    let AuditObject {
        unique_identifier,
        record,
    } = object;
    writer.text(tag::UNIQUE_IDENTIFIER, unique_identifier);
    if let Some((kind, id)) = record {
        writer.integer(tag::RECORD_KIND, i32::from(*kind));
        writer.bytes(tag::RECORD_ID, id);
    }
}

fn read_body(reader: &mut Reader<'_>) -> Result<(Place, AuditDraft)> {
    if reader.integer(tag::FORMAT)? != FORMAT {
        return Err(reader.error(ErrorKind::Version));
    }
    let place = Place {
        trail: read_trail(reader)?,
        position: Position {
            stream: StreamId(reader.array(tag::STREAM)?),
            sequence: reader.long_integer(tag::SEQUENCE)?.cast_unsigned(),
        },
        committed_ms: milliseconds(reader, tag::COMMITTED)?,
        previous: reader.array(tag::PREVIOUS)?,
    };
    let tenant = reader.array(tag::TENANT)?;
    let draft = AuditDraft {
        tenant,
        at_ms: milliseconds(reader, tag::AT)?,
        monotonic_ms: reader.long_integer(tag::MONOTONIC)?.cast_unsigned(),
        actor: reader.structure(tag::ACTOR, read_actor)?,
        source: reader.text(tag::SOURCE)?.to_owned(),
        operation: reader.enumeration(tag::OPERATION)?,
        batch_item: reader.integer(tag::BATCH_ITEM)?.cast_unsigned(),
        objects: read_objects(reader)?,
        result_status: reader.enumeration(tag::RESULT_STATUS)?,
        result_reason: optional(reader, tag::RESULT_REASON, Reader::enumeration)?,
        client_correlation: optional(reader, tag::CLIENT_CORRELATION, text)?,
        server_correlation: optional(reader, tag::SERVER_CORRELATION, text)?,
        proposal: optional(reader, tag::PROPOSAL, |r, tag| r.array(tag))?,
        digest: optional(reader, tag::DIGEST, |r, tag| r.array(tag))?,
        records: read_records(reader, tenant)?,
        counters: read_counters(reader, tenant)?,
        note: optional(reader, tag::NOTE, text)?,
    };
    Ok((place, draft))
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor> {
    let kind = match reader.enumeration(tag::ACTOR_KIND)? {
        0 => ActorKind::Unknown,
        1 => ActorKind::Client,
        2 => ActorKind::Person,
        3 => ActorKind::Server,
        _ => return Err(reader.error(ErrorKind::Invalid("kind of actor"))),
    };
    Ok(Actor {
        kind,
        id: reader.array(tag::ACTOR_ID)?,
        fingerprint: optional(reader, tag::FINGERPRINT, |r, tag| r.array(tag))?,
    })
}

fn read_objects(reader: &mut Reader<'_>) -> Result<Vec<AuditObject>> {
    let mut objects = Vec::new();
    while reader.at(tag::OBJECT) {
        objects.push(reader.structure(tag::OBJECT, read_object)?);
    }
    Ok(objects)
}

fn read_object(reader: &mut Reader<'_>) -> Result<AuditObject> {
    let unique_identifier = text(reader, tag::UNIQUE_IDENTIFIER)?;
    let record = optional(reader, tag::RECORD_KIND, |reader, _| read_place(reader))?;
    Ok(AuditObject {
        unique_identifier,
        record,
    })
}

fn read_trail(reader: &mut Reader<'_>) -> Result<TrailKind> {
    match reader.enumeration(tag::TRAIL)? {
        1 => Ok(TrailKind::Change),
        2 => Ok(TrailKind::Access),
        _ => Err(reader.error(ErrorKind::Invalid("kind of trail"))),
    }
}

const fn trail_number(trail: TrailKind) -> u32 {
    match trail {
        TrailKind::Change => 1,
        TrailKind::Access => 2,
    }
}

const fn actor_number(kind: ActorKind) -> u32 {
    match kind {
        ActorKind::Unknown => 0,
        ActorKind::Client => 1,
        ActorKind::Person => 2,
        ActorKind::Server => 3,
    }
}

pub(super) fn optional<'a, T>(
    reader: &mut Reader<'a>,
    tag: Tag,
    read: impl FnOnce(&mut Reader<'a>, Tag) -> Result<T>,
) -> Result<Option<T>> {
    if reader.at(tag) {
        read(reader, tag).map(Some)
    } else {
        Ok(None)
    }
}

fn text(reader: &mut Reader<'_>, tag: Tag) -> Result<String> {
    reader.text(tag).map(str::to_owned)
}

const fn microseconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_mul(1000)
}

fn milliseconds(reader: &mut Reader<'_>, tag: Tag) -> Result<i64> {
    Ok(reader.date_time_extended(tag)?.div_euclid(1000))
}

/// The note, cut at a character's end to [`MAX_NOTE`] bytes.
fn bounded(note: &str) -> &str {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    note.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::draft::{CounterState, RecordState};
    use super::*;

    fn full() -> (AuditDraft, Place) {
        let draft = AuditDraft {
            tenant: [1; 16],
            at_ms: 1_700_000_000_123,
            monotonic_ms: 17,
            actor: Actor {
                kind: ActorKind::Person,
                id: [2; 16],
                fingerprint: Some([3; 32]),
            },
            source: "192.0.2.1:40000".to_owned(),
            operation: 0x14,
            batch_item: 2,
            objects: vec![
                AuditObject {
                    unique_identifier: "a".to_owned(),
                    record: Some((7, [4; 16])),
                },
                AuditObject::default(),
            ],
            result_status: 1,
            result_reason: Some(0x0C),
            client_correlation: Some("c".to_owned()),
            server_correlation: Some("s".to_owned()),
            proposal: Some([6; 16]),
            digest: Some([7; 32]),
            records: [([1; 16], Some((9, [5; 32]))), ([0; 16], None)]
                .map(|(domain, left)| RecordState {
                    domain,
                    kind: 7,
                    id: [4; 16],
                    left,
                    accepted: left.is_none(),
                })
                .to_vec(),
            counters: [([1; 16], None, Some(-7), false), ([0; 16], Some(i64::MAX), None, true)]
                .map(|(domain, before, left, accepted)| CounterState {
                    domain,
                    kind: 7,
                    id: [4; 16],
                    field: u32::MAX,
                    before,
                    left,
                    accepted,
                })
                .to_vec(),
            note: Some("ü".repeat(MAX_NOTE)),
        };
        let place = Place {
            trail: TrailKind::Access,
            position: Position {
                stream: StreamId([8; 16]),
                sequence: 12,
            },
            committed_ms: -5,
            previous: [9; 32],
        };
        (draft, place)
    }

    #[test]
    fn every_field_survives() {
        let (mut draft, place) = full();
        let bytes = encode(&draft, &place, |_| [10; 32]);
        draft.note = Some("ü".repeat(MAX_NOTE / 2));
        assert_eq!(
            Entry::read(&bytes).unwrap(),
            Entry {
                place,
                draft,
                mac: [10; 32]
            }
        );
        let minimal = AuditDraft::default();
        let bytes = encode(&minimal, &place, |_| [0; 32]);
        assert_eq!(Entry::read(&bytes).unwrap().draft, minimal);
    }

    #[test]
    fn the_mac_covers_the_body_as_written() {
        let (draft, place) = full();
        let mut covered = Vec::new();
        let bytes = encode(&draft, &place, |body| {
            covered = body.to_vec();
            [1; 32]
        });
        assert_eq!(Entry::authenticated(&bytes).unwrap(), covered);
        assert_eq!(covered.len() + 8 + 40, bytes.len());
    }

    #[test]
    fn what_the_format_does_not_have_is_refused() {
        let (draft, place) = full();
        let bytes = encode(&draft, &place, |_| [1; 32]);
        for length in 0..bytes.len() {
            assert!(Entry::read(&bytes[..length]).is_err());
        }
        let mut longer = bytes;
        longer.extend_from_slice(&[0; 8]);
        assert!(Entry::read(&longer).is_err());
    }
}
