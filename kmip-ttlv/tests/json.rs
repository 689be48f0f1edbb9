//! The JSON encoding: what is read, how it is written, what is refused and where.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Inventive, Small, files, shared, tag};
use kmip_ttlv::{ErrorKind, Tag, TextLimits, Writer, json, xml};

fn read(text: &str) -> kmip_ttlv::Result<Vec<u8>> {
    json::to_ttlv(text, &Small, TextLimits::default()).map(|bytes| bytes.to_vec())
}

fn item(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.into_bytes()
}

#[test]
fn every_type_has_its_spellings() {
    let bc = tag::BATCH_COUNT;
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("Integer", "7", item(|w| w.integer(bc, 7))),
        ("Integer", "-0", item(|w| w.integer(bc, 0))),
        ("Integer", "\"0xffffffff\"", item(|w| w.integer(bc, -1))),
        (
            "LongInteger",
            "4503599627370495",
            item(|w| w.long_integer(bc, (1 << 52) - 1)),
        ),
        (
            "LongInteger",
            "\"0x0010000000000000\"",
            item(|w| w.long_integer(bc, 1 << 52)),
        ),
        ("BigInteger", "-1", item(|w| w.big_integer(bc, &[0xFF; 8]))),
        (
            "BigInteger",
            "\"0x0000000000000001\"",
            item(|w| w.big_integer(bc, &[1])),
        ),
        ("Enumeration", "2147483649", item(|w| w.enumeration(bc, 0x8000_0001))),
        (
            "Enumeration",
            "\"0x80000001\"",
            item(|w| w.enumeration(bc, 0x8000_0001)),
        ),
        ("Boolean", "true", item(|w| w.boolean(bc, true))),
        ("Boolean", "\"0x0000000000000000\"", item(|w| w.boolean(bc, false))),
        ("TextString", r#""a \"\u0391\\\n""#, item(|w| w.text(bc, "a \"Α\\\n"))),
        ("ByteString", "\"00aBfF\"", item(|w| w.bytes(bc, &[0, 0xAB, 0xFF]))),
        (
            "DateTime",
            "\"2001-01-01T10:00:00+10:00\"",
            item(|w| w.date_time(bc, 978_307_200)),
        ),
        (
            "DateTime",
            "\"0x000000003a505520\"",
            item(|w| w.date_time(bc, 0x3A50_5520)),
        ),
        ("Interval", "4294967295", item(|w| w.interval(bc, u32::MAX))),
        ("DateTimeExtended", "2", item(|w| w.date_time_extended(bc, 2))),
    ];
    for (kind, value, expected) in cases {
        // The order of members is free.
        let text = format!("{{\"value\":{value},\"type\":\"{kind}\",\"tag\":\"BatchCount\"}}");
        assert_eq!(read(&text).unwrap(), expected, "{text}");
    }
}

#[test]
fn the_canonical_text_is_stable() {
    let bytes = item(|w| {
        w.structure(tag::MESSAGE, |w| {
            w.structure(tag::BATCH_ITEM, |_| ());
            w.structure(tag::ATTRIBUTE, |w| {
                w.text(tag::ATTRIBUTE_NAME, "Cryptographic Usage Mask");
                w.integer(tag::ATTRIBUTE_VALUE, 0x4000_000C);
            });
            w.enumeration(tag::OBJECT_TYPE, 2);
            w.long_integer(tag::VENDOR, -(1 << 52));
            w.text(Tag(0x42_0FFF), "\u{1}\"é");
        });
    });
    let text = r#"{"tag": "RequestMessage", "value": [
  {"tag": "BatchItem", "value": []},
  {"tag": "Attribute", "value": [
    {"tag": "AttributeName", "type": "TextString", "value": "Cryptographic Usage Mask"},
    {"tag": "AttributeValue", "type": "Integer", "value": "Encrypt|Decrypt|0x40000000"}
  ]},
  {"tag": "ObjectType", "type": "Enumeration", "value": "SymmetricKey"},
  {"tag": "0x540001", "name": "VendorThing", "type": "LongInteger", "value": "0xfff0000000000000"},
  {"tag": "0x420FFF", "type": "TextString", "value": "\u0001\"é"}
]}"#
    .replace("\u{1}\"é", "\\u0001\\\"é");
    assert_eq!(json::from_ttlv(&bytes, &Small).unwrap().as_str(), text);
    assert_eq!(read(&text).unwrap(), bytes);
    let compact = json::from_ttlv_compact(&bytes, &Small).unwrap();
    assert!(compact.starts_with(r#"{"tag":"RequestMessage","value":[{"tag":"BatchItem","value":[]},"#));
    assert_eq!(read(&compact).unwrap(), bytes);
}

/// Text, the kind of error, where it points to (the last such place), the path around it.
type Refusal<'a> = (&'a str, fn(ErrorKind) -> bool, &'a str, &'a [Tag]);

#[test]
fn errors_say_what_and_where() {
    let syntax: fn(ErrorKind) -> bool = |kind| matches!(kind, ErrorKind::Syntax(_));
    let unknown: fn(ErrorKind) -> bool = |kind| kind == ErrorKind::UnknownName;
    let (bc, bi) = (&[tag::BATCH_COUNT][..], &[tag::BATCH_ITEM][..]);
    let cases: &[Refusal<'_>] = &[
        ("[]", syntax, "[]", &[]),
        ("[1]", syntax, "1]", &[]),
        ("7", syntax, "7", &[]),
        ("{\"tag\":\"BatchItem\",\n\"value\":[]", syntax, "]", &[]),
        ("{\"tag\":\"BatchItem\",\"value\":[]} x", syntax, "x", &[]),
        ("[\"BatchItem\",null,null,[]]", syntax, "\"BatchItem", &[]),
        (
            "{\"tag\":\"BatchItem\",\"value\":[[\"BatchItem\",null,null,[]]]}",
            syntax,
            "[\"Ba",
            bi,
        ),
        (
            "{\"tag\":\"BatchItem\",\"tag\":\"BatchItem\",\"value\":[]}",
            syntax,
            "\":\"BatchItem\",\"value",
            &[],
        ),
        ("{\"tag\":\"BatchItem\",\"colour\":1,\"value\":[]}", syntax, "\":1", &[]),
        ("{\"tag\":\"Nobody\",\"value\":[]}", unknown, "{", &[]),
        (
            "{\"tag\":\"BatchItem\",\"value\":[{\"tag\":\"Nobody\",\"value\":[]}]}",
            unknown,
            "{\"tag\":\"N",
            bi,
        ),
        (
            "{\"tag\":\"BatchItem\",\"type\":\"Long\",\"value\":[]}",
            unknown,
            "{",
            &[],
        ),
        ("{\"tag\":\"BatchItem\",\"value\":7}", syntax, "7", bi),
        ("{\"tag\":\"BatchItem\",\"value\":null}", syntax, "null", bi),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":null}",
            syntax,
            "null",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":[]}",
            syntax,
            "[]",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":1.0}",
            syntax,
            "1.0",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":1e3}",
            syntax,
            "1e3",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":2147483648}",
            syntax,
            "2147",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"LongInteger\",\"value\":4503599627370496}",
            syntax,
            "4503",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"LongInteger\",\"value\":99999999999999999999}",
            syntax,
            "99999999999999999999",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Interval\",\"value\":-1}",
            syntax,
            "-1",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"DateTime\",\"value\":1}",
            syntax,
            "1}",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"Boolean\",\"value\":1}",
            syntax,
            "1}",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"TextString\",\"value\":true}",
            syntax,
            "true",
            bc,
        ),
        (
            "{\"tag\":\"BatchCount\",\"type\":\"ByteString\",\"value\":\"0x00\"}",
            syntax,
            "\"0x00",
            bc,
        ),
        (
            "{\"tag\":\"ObjectType\",\"type\":\"Enumeration\",\"value\":\"No\"}",
            unknown,
            "\"No",
            &[tag::OBJECT_TYPE],
        ),
    ];
    for (text, kind, place, path) in cases {
        let error = read(text).unwrap_err();
        assert!(kind(error.kind()), "{text}: {error}");
        assert_eq!(error.offset(), text.rfind(place).unwrap(), "{text}: {error}");
        assert_eq!(error.path().collect::<Vec<_>>(), *path, "{text}: {error}");
    }
}

#[test]
fn the_limits_hold() {
    let nested = |depth: usize| "{\"tag\":\"BatchItem\",\"value\":[".repeat(depth) + &"]}".repeat(depth);
    assert!(read(&nested(24)).is_ok());
    let error = read(&nested(25)).unwrap_err();
    assert_eq!((error.kind(), error.path().count()), (ErrorKind::TooDeep, 8));
    // Nor does mere nesting of brackets reach the stack.
    assert!(read(&"[".repeat(1 << 20)).is_err());
    assert!(read(&("[".repeat(1 << 20) + &"]".repeat(1 << 20))).is_err());
    assert!(read(&("{\"tag\":".repeat(1 << 18) + "1" + &"}".repeat(1 << 18))).is_err());

    let text = "{\"tag\":\"BatchItem\",\"value\":[{\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":1}]}";
    let limits = |text, message| TextLimits { text, message };
    assert!(json::to_ttlv(text, &Small, limits(text.len(), 24)).is_ok());
    for limits in [limits(text.len() - 1, 24), limits(text.len(), 23)] {
        let error = json::to_ttlv(text, &Small, limits).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLong);
    }
}

#[test]
fn published_json_says_the_same_as_the_xml_beside_it() {
    let Some(folder) = shared("kmip/cases") else { return };
    let names = Inventive::default();
    let mut count = 0;
    for file in files(&folder, ".json")
        .into_iter()
        .filter(|f| f.parent().is_some_and(|p| p.ends_with("other")))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        let twin = file.parent().unwrap().with_file_name("mandatory");
        let twin = twin.join(file.file_name().unwrap()).with_extension("xml");
        let xml_text = std::fs::read_to_string(&twin).unwrap();
        let limits = TextLimits::default();
        let from_xml: Vec<_> = xml::messages(&xml_text, &names, limits)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let from_json = json::messages(&text, &names, limits).unwrap();
        assert_eq!(from_json.len(), from_xml.len());
        for (left, right) in from_json.iter().zip(&from_xml) {
            assert_eq!(
                (left.tag, &left.name, &*left.bytes),
                (right.tag, &right.name, &*right.bytes)
            );
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} messages");
}
