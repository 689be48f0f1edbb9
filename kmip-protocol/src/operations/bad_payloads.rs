//! Bad payloads of every operation in every version, made from the rows: a required field missing, a field twice, of the wrong type,
//! unknown, of a later version. None is read.

use super::{Operation, RequestPayload};
use crate::field::{FieldRow, Occurrence};
use crate::known::{self, JUDGED_IN_USE, holds_attributes};
use crate::names::of_tag;
use crate::sample::Maker;
use crate::{Attributes, ItemType, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Value, Writer};

/// Items in their order, each with its tag.
type Items = Vec<(Tag, Vec<u8>)>;

/// A tag that no version has.
const UNKNOWN: Tag = Tag(0x42_FF00);

/// The items of a payload, each with its tag.
fn items(payload: &[u8]) -> Items {
    let mut reader = Reader::new(payload);
    let mut items = Vec::new();
    while let Some(tag) = reader.peek() {
        let before = reader.remaining();
        reader.skip().unwrap();
        let length = before.len() - reader.remaining().len();
        items.push((tag, before[..length].to_vec()));
    }
    items
}

fn read(operation: Operation, version: Version, items: &[(Tag, Vec<u8>)]) -> Result<RequestPayload> {
    let bytes: Vec<u8> = items.iter().flat_map(|(_, item)| item.iter().copied()).collect();
    let mut reader = Reader::new(&bytes);
    let payload = RequestPayload::read(&mut reader, operation, version)?;
    reader.finish().map(|()| payload)
}

fn integer(tag: Tag) -> (Tag, Vec<u8>) {
    let mut writer = Writer::new();
    writer.integer(tag, 1);
    (tag, writer.into_bytes())
}

/// An item of another type than the row wants.
fn other_type(tag: Tag, row: &FieldRow) -> Option<(Tag, Vec<u8>)> {
    match row.item_type? {
        ItemType::Integer => {
            let mut writer = Writer::new();
            writer.boolean(tag, true);
            Some((tag, writer.into_bytes()))
        }
        _ => Some(integer(tag)),
    }
}

fn tag_in(row: &FieldRow, version: Version) -> Option<Tag> {
    let found = row.tags.iter().find(|(_, versions)| versions.include(version));
    found.map(|(tag, _)| *tag)
}

/// Every payload that a version can carry, filled as far as it goes.
fn payloads(version: Version) -> Vec<(Operation, &'static [FieldRow], Items)> {
    let all = RequestPayload::samples(&mut Maker::new(version, true, 3)).into_iter();
    let spoken = all.filter(|payload| payload.operation().is_spoken_in(version));
    spoken
        .map(|payload| {
            let mut writer = Writer::new();
            payload.write(&mut writer, version);
            let (rows, _) = payload.operation().fields().unwrap();
            (payload.operation(), rows, items(writer.as_bytes()))
        })
        .collect()
}

#[test]
fn what_is_required_once_is_there_once_and_of_its_type() {
    let mut counts = [0; 4];
    for version in Version::ALL {
        for (operation, rows, good) in payloads(version) {
            let place = |tag| format!("{operation} in {version}: {tag}");
            assert!(read(operation, version, &good).is_ok(), "{operation} in {version}");
            for row in rows {
                let Some(tag) = tag_in(row, version) else { continue };
                let Some(at) = good.iter().position(|(found, _)| *found == tag) else {
                    continue;
                };
                let mut bad = good.clone();
                let item = bad.remove(at);
                // Attributes may be none, and up to 1.4 stand one by one.
                let attributes = tag == Attributes::tag_in(version);
                if row.occurrence == Occurrence::One && !attributes {
                    let error = read(operation, version, &bad).err();
                    assert!(error.is_some(), "missing, {}", place(tag));
                    counts[0] += 1;
                }
                let one_by_one = attributes && !version.has_tagged_attributes();
                if row.occurrence != Occurrence::Many && !one_by_one {
                    let mut bad = good.clone();
                    bad.insert(at, item);
                    assert!(read(operation, version, &bad).is_err(), "twice, {}", place(tag));
                    counts[1] += 1;
                }
                if let Some(other) = other_type(tag, row) {
                    bad.insert(at, other);
                    assert!(read(operation, version, &bad).is_err(), "wrong type, {}", place(tag));
                    counts[2] += 1;
                }
            }
            let mut bad = good.clone();
            bad.push(integer(UNKNOWN));
            let kind = read(operation, version, &bad).err().map(|error| error.kind());
            assert_eq!(
                kind,
                Some(ErrorKind::Unexpected(Some(UNKNOWN))),
                "{operation} in {version}"
            );
            counts[3] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 300), "{counts:?}");
}

#[test]
fn what_only_the_other_major_versions_have_is_not_read() {
    let mut count = 0;
    for version in Version::ALL {
        for (operation, rows, good) in payloads(version) {
            let is_own = |tag: Tag| rows.iter().any(|row| tag_in(row, version) == Some(tag));
            let of_same_major = |other: &Version| other.has_tagged_attributes() == version.has_tagged_attributes();
            let shared = |tag: Tag| {
                let mut same = Version::ALL.into_iter().filter(of_same_major);
                same.any(|other| rows.iter().any(|row| tag_in(row, other) == Some(tag)))
            };
            for (tag, _) in rows
                .iter()
                .flat_map(|row| row.tags)
                .filter(|(tag, _)| !is_own(*tag) && !shared(*tag))
            {
                let mut bad = good.clone();
                bad.push(integer(*tag));
                assert!(
                    read(operation, version, &bad).is_err(),
                    "{operation} in {version}: {tag}"
                );
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count}");
}

/// Where the enumerations of a payload stand, with their tags, and whether they are of attributes.
fn enumerations(mut reader: Reader<'_>, of_attribute: bool, found: &mut Vec<(usize, Tag, bool)>) {
    while !reader.is_empty() {
        let offset = reader.offset();
        match reader.item().unwrap() {
            (tag, Value::Structure(inner)) => enumerations(inner, of_attribute || holds_attributes(tag), found),
            (tag, Value::Enumeration(_)) => found.push((offset, tag, of_attribute)),
            _ => {}
        }
    }
}

/// A value that no version has, and one of a later version, in each field of each payload; the others have extensions.
#[test]
fn a_value_that_nobody_knows_is_found_wherever_it_stands() {
    const NOBODYS: u32 = 0x0FFF_FFFF;
    let mut counts = [0; 3];
    for version in Version::ALL {
        for (operation, _, good) in payloads(version) {
            let mut bytes: Vec<u8> = good.iter().flat_map(|(_, item)| item.iter().copied()).collect();
            let mut found = Vec::new();
            enumerations(Reader::new(&bytes), false, &mut found);
            let put = |bytes: &mut Vec<u8>, offset: usize, value: u32| {
                bytes[offset + 8..offset + 12].copy_from_slice(&value.to_be_bytes());
            };
            for (offset, _, _) in &found {
                put(&mut bytes, *offset, 0x8000_0001);
            }
            assert!(
                known::check(Reader::new(&bytes), version).is_ok(),
                "{operation} in {version}"
            );
            for (offset, tag, of_attribute) in found {
                let names = of_tag(tag).filter(|names| !names.rows.is_empty() && !tag.is_extension());
                let Some(names) = names else { continue };
                let judged = of_attribute || !JUDGED_IN_USE.contains(&tag);
                let later = names.rows.iter().find(|(_, versions)| versions.first > version);
                for value in [NOBODYS].into_iter().chain(later.map(|(value, _)| *value)) {
                    put(&mut bytes, offset, value);
                    let error = known::check(Reader::new(&bytes), version).err();
                    let told = error.map(|error| (error.kind(), error.offset()));
                    let expected = judged.then_some((ErrorKind::UnknownValue, offset));
                    assert_eq!(told, expected, "{operation} in {version}: {tag} {value}");
                    counts[usize::from(judged)] += 1;
                    counts[2] += usize::from(judged && value != NOBODYS);
                }
                put(&mut bytes, offset, 0x8000_0001);
            }
        }
    }
    assert!(counts[0] > 100 && counts[1] > 300 && counts[2] > 15, "{counts:?}");
}
