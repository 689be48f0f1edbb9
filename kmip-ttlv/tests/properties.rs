//! What holds for every message: any tree survives each encoding; a damaged one is refused with its place, or is another
//! message in its only form; nothing from outside panics.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Nameless, Small, tag};
use kmip_ttlv::{Error, ErrorKind, Frame, Reader, Tag, TextLimits, Value, Vocabulary, Writer, json, limits, xml};
use proptest::prelude::*;

/// A tree of items, as plain data.
#[derive(Clone, PartialEq, Debug)]
enum Item {
    Structure(Tag, Vec<Item>),
    Integer(Tag, i32),
    LongInteger(Tag, i64),
    BigInteger(Tag, Vec<u8>),
    Enumeration(Tag, u32),
    Boolean(Tag, bool),
    TextString(Tag, String),
    ByteString(Tag, Vec<u8>),
    DateTime(Tag, i64),
    Interval(Tag, u32),
    DateTimeExtended(Tag, i64),
}

impl Item {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Structure(tag, items) => writer.structure(*tag, |w| items.iter().for_each(|i| i.write(w))),
            Self::Integer(tag, value) => writer.integer(*tag, *value),
            Self::LongInteger(tag, value) => writer.long_integer(*tag, *value),
            Self::BigInteger(tag, value) => writer.big_integer(*tag, value),
            Self::Enumeration(tag, value) => writer.enumeration(*tag, *value),
            Self::Boolean(tag, value) => writer.boolean(*tag, *value),
            Self::TextString(tag, value) => writer.text(*tag, value),
            Self::ByteString(tag, value) => writer.bytes(*tag, value),
            Self::DateTime(tag, value) => writer.date_time(*tag, *value),
            Self::Interval(tag, value) => writer.interval(*tag, *value),
            Self::DateTimeExtended(tag, value) => writer.date_time_extended(*tag, *value),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }

    fn read(reader: &mut Reader<'_>) -> kmip_ttlv::Result<Self> {
        let (tag, value) = reader.item()?;
        Ok(match value {
            Value::Structure(mut inner) => {
                let mut items = Vec::new();
                while !inner.is_empty() {
                    items.push(Self::read(&mut inner).map_err(|e| e.within(tag))?);
                }
                Self::Structure(tag, items)
            }
            Value::Integer(value) => Self::Integer(tag, value),
            Value::LongInteger(value) => Self::LongInteger(tag, value),
            Value::BigInteger(value) => Self::BigInteger(tag, value.to_vec()),
            Value::Enumeration(value) => Self::Enumeration(tag, value),
            Value::Boolean(value) => Self::Boolean(tag, value),
            Value::TextString(value) => Self::TextString(tag, value.to_owned()),
            Value::ByteString(value) => Self::ByteString(tag, value.to_vec()),
            Value::DateTime(value) => Self::DateTime(tag, value),
            Value::Interval(value) => Self::Interval(tag, value),
            Value::DateTimeExtended(value) => Self::DateTimeExtended(tag, value),
        })
    }
}

/// A whole message: one item and nothing behind it.
fn parse(bytes: &[u8]) -> kmip_ttlv::Result<Item> {
    let mut reader = Reader::new(bytes);
    let item = Item::read(&mut reader)?;
    reader.finish()?;
    Ok(item)
}

fn any_tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        Just(tag::ATTRIBUTE),
        Just(tag::ATTRIBUTE_VALUE),
        Just(tag::USAGE_MASK),
        Just(tag::OBJECT_TYPE),
        Just(tag::VENDOR),
        (0..=Tag::MAX).prop_map(Tag),
    ]
}

/// What XML can carry; the other encodings carry more, which has its own test.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[\\t\\n\\r -\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]{0,20}").unwrap()
}

fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -100_000_000_000..300_000_000_000_i64]
}

fn leaf() -> impl Strategy<Value = Item> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let words = proptest::collection::vec(any::<[u8; 8]>(), 1..5).prop_map(|words| words.concat());
    let names = prop_oneof![Just("Object Type"), Just("Cryptographic Usage Mask"), Just("x-mine")];
    prop_oneof![
        (any_tag(), any::<i32>()).prop_map(|(t, v)| Item::Integer(t, v)),
        (any_tag(), 0..64).prop_map(|(t, v)| Item::Integer(t, v)),
        (any_tag(), any::<i64>()).prop_map(|(t, v)| Item::LongInteger(t, v)),
        (any_tag(), words).prop_map(|(t, v)| Item::BigInteger(t, v)),
        (any_tag(), any::<u32>()).prop_map(|(t, v)| Item::Enumeration(t, v)),
        (any_tag(), 0..4_u32).prop_map(|(t, v)| Item::Enumeration(t, v)),
        (any_tag(), any::<bool>()).prop_map(|(t, v)| Item::Boolean(t, v)),
        (any_tag(), text()).prop_map(|(t, v)| Item::TextString(t, v)),
        names.prop_map(|name| Item::TextString(tag::ATTRIBUTE_NAME, name.to_owned())),
        (any_tag(), bytes()).prop_map(|(t, v)| Item::ByteString(t, v)),
        (any_tag(), seconds()).prop_map(|(t, v)| Item::DateTime(t, v)),
        (any_tag(), any::<u32>()).prop_map(|(t, v)| Item::Interval(t, v)),
        (any_tag(), any::<i64>()).prop_map(|(t, v)| Item::DateTimeExtended(t, v)),
        (any_tag(), -10_000_000_000_000_000..10_000_000_000_000_000_i64)
            .prop_map(|(t, v)| Item::DateTimeExtended(t, v)),
    ]
}

fn tree() -> impl Strategy<Value = Item> {
    leaf().prop_recursive(6, 40, 6, |item| {
        (any_tag(), proptest::collection::vec(item, 0..6)).prop_map(|(t, items)| Item::Structure(t, items))
    })
}

/// Where type, length and padding of every item stand, the outermost first.
fn frame_bytes(bytes: &[u8], at: usize, found: &mut Vec<usize>) {
    let mut offset = at;
    while offset < at + bytes.len() {
        let item = &bytes[offset - at..];
        let length = usize::try_from(u32::from_be_bytes(item[4..8].try_into().unwrap())).unwrap();
        let padded = length.next_multiple_of(8);
        found.extend(offset + 3..offset + 8);
        found.extend(offset + 8 + length..offset + 8 + padded);
        if item[3] == 1 {
            frame_bytes(&item[8..8 + length], offset + 8, found);
        }
        offset += 8 + padded;
    }
}

/// A damaged message is refused at a place inside it, or is the one form of another tree.
fn refused_or_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    match parse(bytes) {
        Ok(other) => prop_assert_eq!(other.bytes(), bytes),
        Err(error) => prop_assert!(error.offset() <= bytes.len(), "{} of {}", error, bytes.len()),
    }
    Ok(())
}

fn through_xml(bytes: &[u8], names: &dyn Vocabulary) -> kmip_ttlv::Result<[Vec<u8>; 2]> {
    let back = |text: &str| xml::to_ttlv(text, names, TextLimits::default()).map(|b| b.to_vec());
    let (text, compact) = (xml::from_ttlv(bytes, names)?, xml::from_ttlv_compact(bytes, names)?);
    Ok([back(&text)?, back(&compact)?])
}

fn through_json(bytes: &[u8], names: &dyn Vocabulary) -> kmip_ttlv::Result<[Vec<u8>; 2]> {
    let back = |text: &str| json::to_ttlv(text, names, TextLimits::default()).map(|b| b.to_vec());
    let (text, compact) = (json::from_ttlv(bytes, names)?, json::from_ttlv_compact(bytes, names)?);
    Ok([back(&text)?, back(&compact)?])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_tree_survives_every_encoding(tree in tree()) {
        let bytes = tree.bytes();
        prop_assert_eq!(parse(&bytes), Ok(tree));
        let vocabularies: [&dyn Vocabulary; 2] = [&Small, &Nameless];
        for names in vocabularies {
            for again in through_xml(&bytes, names).unwrap() {
                prop_assert_eq!(&again, &bytes);
            }
            for again in through_json(&bytes, names).unwrap() {
                prop_assert_eq!(&again, &bytes);
            }
        }
    }

    #[test]
    fn any_string_survives_binary_and_json(string in any::<String>()) {
        let bytes = Item::TextString(tag::UNIQUE_IDENTIFIER, string).bytes();
        prop_assert_eq!(parse(&bytes).unwrap().bytes(), bytes.clone());
        prop_assert_eq!(&through_json(&bytes, &Small).unwrap()[0], &bytes);
    }

    #[test]
    fn every_truncation_is_refused(tree in tree()) {
        let bytes = tree.bytes();
        for length in 0..bytes.len() {
            let error = parse(&bytes[..length]).map(|_| ()).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::Truncated);
            prop_assert!(error.offset() <= length);
        }
        let mut longer = bytes.clone();
        longer.push(0);
        let error = parse(&longer).map(|_| ()).unwrap_err();
        prop_assert_eq!((error.kind(), error.offset()), (ErrorKind::Unexpected(None), bytes.len()));
    }

    #[test]
    fn a_flipped_byte_of_type_length_or_padding_does_not_pass_unnoticed(tree in tree(), flip in 1..=255_u8) {
        let bytes = tree.bytes();
        let mut places = Vec::new();
        frame_bytes(&bytes, 0, &mut places);
        for place in places {
            let mut damaged = bytes.clone();
            damaged[place] ^= flip;
            refused_or_canonical(&damaged)?;
            prop_assert_ne!(parse(&damaged).map_err(|_| ()), Ok(tree.clone()));
        }
    }

    #[test]
    fn depth_is_bounded_at_the_limit(extra in 0..40_usize, inner in leaf()) {
        let deep = usize::from(limits::MAX_DEPTH);
        let nested = |count: usize| (0..count).fold(inner.clone(), |item, _| Item::Structure(tag::MESSAGE, vec![item]));
        prop_assert!(parse(&nested(deep).bytes()).is_ok());
        let error = parse(&nested(deep + 1 + extra).bytes()).map(|_| ()).unwrap_err();
        // At the value of the first structure too many.
        prop_assert_eq!((error.kind(), error.offset()), (ErrorKind::TooDeep, (deep + 1) * limits::HEADER_LENGTH));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        refused_or_canonical(&bytes)?;
        let _ = Reader::new(&bytes).skip();
        drop(xml::from_ttlv(&bytes, &Small));
        drop(json::from_ttlv(&bytes, &Small));
        let text = String::from_utf8_lossy(&bytes);
        drop(xml::to_ttlv(&text, &Small, TextLimits::default()));
        drop(json::to_ttlv(&text, &Small, TextLimits::default()));
    }

    #[test]
    fn bytes_that_almost_are_items_do_no_harm(
        pieces in proptest::collection::vec((0..13_u8, 0..20_u8, proptest::collection::vec(any::<u8>(), 0..24)), 1..8),
    ) {
        let mut bytes = Vec::new();
        for (kind, length, value) in pieces {
            bytes.extend([0x42, 0, 0x78, kind, 0, 0, 0, length]);
            bytes.extend(value);
        }
        refused_or_canonical(&bytes)?;
    }

    #[test]
    fn texts_that_almost_are_messages_do_no_harm(pieces in proptest::collection::vec(fragment(), 0..12)) {
        let text = pieces.concat();
        let limits = TextLimits::default();
        if let Ok(bytes) = xml::to_ttlv(&text, &Small, limits) {
            prop_assert_eq!(&through_xml(&bytes, &Small).unwrap()[0], &*bytes);
        }
        if let Ok(bytes) = json::to_ttlv(&text, &Small, limits) {
            prop_assert_eq!(&through_json(&bytes, &Small).unwrap()[0], &*bytes);
        }
    }

    #[test]
    fn a_frame_gives_back_the_stream(trees in proptest::collection::vec(tree(), 0..5), cuts in proptest::collection::vec(1..200_usize, 1..20)) {
        const EXPECTED: &[Tag] = &[tag::MESSAGE];
        let messages: Vec<_> = trees.into_iter().map(|t| Item::Structure(tag::MESSAGE, vec![t]).bytes()).collect();
        let stream = messages.concat();
        let (mut frame, mut found, mut rest) = (Frame::new(EXPECTED, 1 << 20), Vec::new(), &stream[..]);
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let taken = frame.push(&rest[..cut.min(rest.len())]).unwrap();
            prop_assert!(taken > 0);
            rest = &rest[taken..];
            found.extend(frame.take().map(|m| m.to_vec()));
        }
        prop_assert_eq!(found, messages);
        prop_assert!(frame.is_between());
    }

    #[test]
    fn a_frame_judges_by_the_header_alone(
        length in any::<[u8; 3]>(), place in 0..8_usize, flip in prop_oneof![Just(0), any::<u8>()],
        after in proptest::collection::vec(any::<u8>(), 0..64), cut in 1..64_usize,
    ) {
        let [a, b, c] = length;
        let mut header = [0x42, 0, 0x78, 1, 0, a, b, c];
        header[place] ^= flip;
        let announced = u32::from_be_bytes(header[4..].try_into().unwrap());
        let sound = header[..4] == [0x42, 0, 0x78, 1] && announced % 8 == 0 && announced <= (1 << 20) - 8;
        let mut frame = Frame::new(&[tag::MESSAGE], 1 << 20);
        let failed = [&header[..], &after].concat().chunks(cut).any(|piece| frame.push(piece).is_err());
        prop_assert_eq!(failed, !sound);
    }
}

/// Pieces of XML and JSON that make sense together now and then.
fn fragment() -> impl Strategy<Value = String> {
    let fixed: Vec<String> = [
        "<KMIP>",
        "</KMIP>",
        "<BatchItem>",
        "</BatchItem>",
        "<BatchItem/>",
        "<BatchCount type=\"Integer\" value=\"",
        "\"/>",
        "7",
        "0x",
        "<!--",
        "-->",
        "&lt;",
        "&#65;",
        "<![CDATA[",
        "]]>",
        "<?xml version=\"1.0\"?>",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"tag\":\"BatchItem\"",
        "\"value\":",
        "\"type\":\"Integer\"",
        "{\"tag\":\"BatchItem\",\"value\":[",
        "]}",
        "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":1}",
        "\\u00",
        "null",
        "<TTLV tag='0x540001'",
    ]
    .map(str::to_owned)
    .into();
    prop_oneof![9 => proptest::sample::select(fixed), 1 => any::<String>()]
}

/// The checker of the damaged messages would notice a reader that lets one pass.
#[test]
fn the_checks_above_can_fail() {
    // Padding that is not zero, read by a reader that does not look at it, would give this tree back.
    let tree = Item::Integer(tag::BATCH_COUNT, 1);
    let mut bytes = tree.bytes();
    let mut places = Vec::new();
    frame_bytes(&bytes, 0, &mut places);
    assert_eq!(places, [3, 4, 5, 6, 7, 12, 13, 14, 15]);
    bytes[15] = 1;
    assert!(tree.bytes() != bytes);
    let error: Error = parse(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Padding);
}
