//! Each kind of error of the binary encoding, with the place that it names.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Nameless, tag};
use kmip_ttlv::{Error, ErrorKind, ItemType, Reader, Result, Tag, TextLimits, Writer, json, limits::MAX_DEPTH, xml};

/// A message with one item at offset 8, given as it stands on the wire after its tag.
fn message(type_and_length: [u8; 5], value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut item = vec![0x42, 0x00, 0x0D];
    item.extend(type_and_length);
    item.extend(value);
    writer.structure(tag::MESSAGE, |w| w.raw(&item));
    writer.into_bytes()
}

/// Reads the message by a function for its one item.
fn read<T>(bytes: &[u8], item: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> (ErrorKind, usize, Vec<Tag>) {
    let mut reader = Reader::new(bytes);
    let error = reader.structure(tag::MESSAGE, |r| item(r).map(drop)).unwrap_err();
    (error.kind(), error.offset(), error.path().collect())
}

fn skip(bytes: &[u8]) -> (ErrorKind, usize, Vec<Tag>) {
    let error = Reader::new(bytes).skip().unwrap_err();
    (error.kind(), error.offset(), error.path().collect())
}

const AT_ITEM: [Tag; 2] = [tag::MESSAGE, tag::BATCH_COUNT];

#[test]
fn damaged_items() {
    let cases: &[([u8; 5], &[u8], ErrorKind, usize)] = &[
        // Eight bytes of value announced beyond the end; a length that is near the end of the address space.
        ([8, 0, 0, 0, 16], &[0; 8], ErrorKind::Truncated, 8),
        ([8, 255, 255, 255, 255], &[0; 8], ErrorKind::Truncated, 8),
        ([0, 0, 0, 0, 8], &[0; 8], ErrorKind::UnknownType(0), 8),
        ([12, 0, 0, 0, 8], &[0; 8], ErrorKind::UnknownType(12), 8),
        ([2, 0, 0, 0, 8], &[0; 8], ErrorKind::WrongLength, 8),
        ([3, 0, 0, 0, 4], &[0; 8], ErrorKind::WrongLength, 8),
        ([4, 0, 0, 0, 7], &[0; 8], ErrorKind::WrongLength, 8),
        ([4, 0, 0, 0, 0], &[], ErrorKind::WrongLength, 8),
        ([1, 0, 0, 0, 4], &[0; 8], ErrorKind::WrongLength, 8),
        ([2, 0, 0, 0, 4], &[0, 0, 0, 1, 0, 0, 0, 1], ErrorKind::Padding, 8),
        ([8, 0, 0, 0, 7], &[0, 0, 0, 0, 0, 0, 0, 1], ErrorKind::Padding, 8),
        ([7, 0, 0, 0, 1], &[0xFF, 0, 0, 0, 0, 0, 0, 0], ErrorKind::NotUtf8, 16),
        ([6, 0, 0, 0, 8], &[0, 0, 0, 0, 0, 0, 0, 2], ErrorKind::NotBoolean, 16),
        ([6, 0, 0, 0, 8], &[1, 0, 0, 0, 0, 0, 0, 1], ErrorKind::NotBoolean, 16),
    ];
    for (type_and_length, value, kind, offset) in cases {
        let bytes = message(*type_and_length, value);
        let expected = (*kind, *offset, AT_ITEM.to_vec());
        assert_eq!(skip(&bytes), expected);
        // By the typed reader as well.
        let typed = match ItemType::from_byte(type_and_length[0]) {
            Some(ItemType::Boolean) => read(&bytes, |r| r.boolean(tag::BATCH_COUNT)),
            Some(ItemType::TextString) => read(&bytes, |r| r.text(tag::BATCH_COUNT).map(drop)),
            _ => read(&bytes, |r| r.integer(tag::BATCH_COUNT)),
        };
        assert_eq!(typed, expected);
    }
}

#[test]
fn items_that_do_not_fit_the_structure() {
    let bytes = message([2, 0, 0, 0, 4], &[0; 8]);
    let path = vec![tag::MESSAGE];
    let other = Tag(0x42_0001);
    assert_eq!(
        read(&bytes, |r| r.integer(other)),
        (ErrorKind::Missing(other), 8, path.clone())
    );
    assert_eq!(
        read(&bytes, |_| Ok(())),
        (ErrorKind::Unexpected(Some(tag::BATCH_COUNT)), 8, path.clone())
    );
    let wrong = ErrorKind::WrongType {
        expected: ItemType::Enumeration,
        found: ItemType::Integer,
    };
    assert_eq!(
        read(&bytes, |r| r.enumeration(tag::BATCH_COUNT)),
        (wrong, 8, AT_ITEM.to_vec())
    );
    let after_the_end = |r: &mut Reader<'_>| r.skip().and_then(|()| r.integer(other));
    assert_eq!(read(&bytes, after_the_end), (ErrorKind::Missing(other), 24, path));

    let mut trailing = bytes.clone();
    trailing.extend([0x42, 0, 0x0D]);
    let mut reader = Reader::new(&trailing);
    reader.skip().unwrap();
    let error = reader.finish().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Unexpected(Some(tag::BATCH_COUNT)), bytes.len())
    );
    assert_eq!(reader.item().map(drop).unwrap_err().kind(), ErrorKind::Truncated);
}

#[test]
fn depth() {
    let nested = |depth: u8| {
        let mut writer = Writer::new();
        let starts: Vec<_> = (0..depth).map(|n| writer.open(Tag(u32::from(n)))).collect();
        starts.into_iter().rev().for_each(|start| writer.close(start));
        writer.into_bytes()
    };
    Reader::new(&nested(MAX_DEPTH)).skip().unwrap();
    let (kind, offset, path) = skip(&nested(MAX_DEPTH + 1));
    assert_eq!((kind, offset), (ErrorKind::TooDeep, (usize::from(MAX_DEPTH) + 1) * 8));
    // The innermost eight, outermost first.
    assert_eq!(path, (17..=24).map(Tag).collect::<Vec<_>>());
}

#[test]
fn kinds_of_the_text_encodings() {
    let limits = TextLimits { text: 10, message: 8 };
    let long = "<TTLV tag='0x1'/>";
    for error in [
        xml::to_ttlv(long, &Nameless, limits).map(drop).unwrap_err(),
        json::to_ttlv(long, &Nameless, limits).map(drop).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.offset()), (ErrorKind::TooLong, 10));
    }
    // Syntax and UnknownName have tables of their own in the tests of XML and JSON, Invalid in those of XML.
}

#[test]
fn an_error_prints_kind_place_and_path_but_no_value() {
    let error = Error::new(ErrorKind::NotUtf8, 16)
        .within(tag::BATCH_COUNT)
        .within(tag::MESSAGE);
    assert_eq!(error.to_string(), "NotUtf8 at byte 16 in 0x420078/0x42000D");
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn bytes_of_a_given_length_are_those_or_an_error() {
    const TAG: Tag = Tag(0x42_0008);
    let mut writer = Writer::new();
    writer.bytes(TAG, &[1, 2, 3]);
    let bytes = writer.into_bytes();
    assert_eq!(Reader::new(&bytes).array::<3>(TAG).ok(), Some([1, 2, 3]));
    for error in [
        Reader::new(&bytes).array::<2>(TAG).err(),
        Reader::new(&bytes).array::<4>(TAG).err(),
    ] {
        let error = error.unwrap();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::WrongLength, 0));
    }
}
