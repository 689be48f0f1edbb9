//! How the states of records and counters are written in a record of the trail.

use super::draft::{CounterState, RecordState};
use super::entry::{optional, tag};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// Whose it is stands there only where it is not the tenant's whose act the record of the trail tells.
pub(super) fn write_record(writer: &mut Writer, record: &RecordState, tenant: [u8; 16]) {
    let RecordState {
        domain,
        kind,
        id,
        left,
        accepted,
    } = record;
    if *domain != tenant {
        writer.bytes(tag::RECORD_DOMAIN, domain);
    }
    writer.integer(tag::RECORD_KIND, i32::from(*kind));
    writer.bytes(tag::RECORD_ID, id);
    if let Some((revision, mac)) = left {
        writer.long_integer(tag::REVISION, revision.cast_signed());
        writer.bytes(tag::RECORD_MAC, mac);
    }
    if *accepted {
        writer.boolean(tag::ACCEPTED, true);
    }
}

pub(super) fn write_counter(writer: &mut Writer, counter: &CounterState, tenant: [u8; 16]) {
    let CounterState {
        domain,
        kind,
        id,
        field,
        before,
        left,
        accepted,
    } = counter;
    if *domain != tenant {
        writer.bytes(tag::RECORD_DOMAIN, domain);
    }
    writer.integer(tag::RECORD_KIND, i32::from(*kind));
    writer.bytes(tag::RECORD_ID, id);
    writer.enumeration(tag::FIELD, *field);
    for (tag, value) in [(tag::BEFORE, before), (tag::VALUE, left)] {
        if let Some(value) = value {
            writer.long_integer(tag, *value);
        }
    }
    if *accepted {
        writer.boolean(tag::ACCEPTED, true);
    }
}

/// The kind and id of a record.
pub(super) fn read_place(reader: &mut Reader<'_>) -> Result<(u8, [u8; 16])> {
    let kind = u8::try_from(reader.integer(tag::RECORD_KIND)?);
    let kind = kind.map_err(|_| reader.error(ErrorKind::Invalid("kind of record")))?;
    Ok((kind, reader.array(tag::RECORD_ID)?))
}

pub(super) fn read_records(reader: &mut Reader<'_>, tenant: [u8; 16]) -> Result<Vec<RecordState>> {
    let mut records = Vec::new();
    while reader.at(tag::LEFT) {
        records.push(reader.structure(tag::LEFT, |r| read_record(r, tenant))?);
    }
    Ok(records)
}

fn read_record(reader: &mut Reader<'_>, tenant: [u8; 16]) -> Result<RecordState> {
    let domain = optional(reader, tag::RECORD_DOMAIN, |r, tag| r.array(tag))?;
    let (kind, id) = read_place(reader)?;
    let left = optional(reader, tag::REVISION, |reader, tag| {
        Ok((
            reader.long_integer(tag)?.cast_unsigned(),
            reader.array(tag::RECORD_MAC)?,
        ))
    })?;
    Ok(RecordState {
        domain: domain.unwrap_or(tenant),
        kind,
        id,
        left,
        accepted: optional(reader, tag::ACCEPTED, Reader::boolean)?.unwrap_or_default(),
    })
}

pub(super) fn read_counters(reader: &mut Reader<'_>, tenant: [u8; 16]) -> Result<Vec<CounterState>> {
    let mut counters = Vec::new();
    while reader.at(tag::COUNTER) {
        counters.push(reader.structure(tag::COUNTER, |r| read_counter(r, tenant))?);
    }
    Ok(counters)
}

fn read_counter(reader: &mut Reader<'_>, tenant: [u8; 16]) -> Result<CounterState> {
    let domain = optional(reader, tag::RECORD_DOMAIN, |r, tag| r.array(tag))?;
    let (kind, id) = read_place(reader)?;
    Ok(CounterState {
        domain: domain.unwrap_or(tenant),
        kind,
        id,
        field: reader.enumeration(tag::FIELD)?,
        before: optional(reader, tag::BEFORE, Reader::long_integer)?,
        left: optional(reader, tag::VALUE, Reader::long_integer)?,
        accepted: optional(reader, tag::ACCEPTED, Reader::boolean)?.unwrap_or_default(),
    })
}
