//! Generated values for tests: every row, filled as far as it goes or as little as it may be.

use crate::attribute::{
    Attribute, AttributeInstance, AttributeKind, AttributePattern, AttributePatterns, AttributeReference, Attributes,
    TemplateAttribute, VendorAttribute, VendorName,
};
use crate::field::{Structure, Tags};
use crate::*;
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Reader, Secret, Tag, Writer, json, xml};

/// Makes values, each different from the one before.
pub(crate) struct Maker {
    pub version: Version,
    /// Whether optional fields are there.
    pub full: bool,
    counter: usize,
}

impl Maker {
    pub fn new(version: Version, full: bool, seed: usize) -> Self {
        let counter = seed;
        Self { version, full, counter }
    }

    pub fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    /// One of these, another one each time.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next() % from.len()]
    }

    pub fn make<T: Sample>(&mut self) -> T {
        T::sample(self)
    }
}

pub(crate) trait Sample {
    fn sample(maker: &mut Maker) -> Self;
}

macro_rules! samples {
    ($($type:ty: |$maker:ident| $value:expr;)+) => {
        $(impl Sample for $type {
            fn sample($maker: &mut Maker) -> Self {
                $value
            }
        })+
    };
}

samples! {
    i32: |maker| i32::try_from(maker.next()).unwrap() - 100;
    i64: |maker| i64::try_from(maker.next()).unwrap() << 33;
    bool: |maker| maker.next().is_multiple_of(2);
    String: |maker| format!("text <&\"> ä {}", maker.next());
    Vec<u8>: |maker| vec![0xA5; maker.next() % 19];
    Secret: |maker| Secret::new(vec![0x5A; maker.next() % 19]);
    SecretText: |maker| SecretText::new(&format!("secret {}", maker.next()));
    DateTime: |maker| DateTime(1_500_000_000 + i64::try_from(maker.next()).unwrap());
    DateTimeExtended: |maker| DateTimeExtended(1_500_000_000_000_001 + i64::try_from(maker.next()).unwrap());
    Interval: |maker| Interval(u32::try_from(maker.next()).unwrap());
    BigInteger: |maker| BigInteger(Secret::new(vec![0x80 >> (maker.next() % 2); 1 + maker.next() % 17]));
    Tag: |maker| Tag(0x0054_0001 + u32::try_from(maker.next() % 7).unwrap());
}

impl<T: Sample> Sample for Box<T> {
    fn sample(maker: &mut Maker) -> Self {
        Self::new(maker.make())
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(maker: &mut Maker) -> Self {
        maker.full.then(|| maker.make())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(maker: &mut Maker) -> Self {
        let count = if maker.full { 2 } else { 0 };
        (0..count).map(|_| maker.make()).collect()
    }
}

impl Sample for Vec<AnyItem> {
    fn sample(maker: &mut Maker) -> Self {
        let count = if maker.full { 3 } else { 0 };
        (0..count)
            .map(|_| AnyItem {
                tag: maker.make(),
                value: maker.make(),
            })
            .collect()
    }
}

impl Sample for AnyValue {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % if maker.version.has_tagged_attributes() { 11 } else { 10 } {
            0 => Self::Structure(vec![
                AnyItem {
                    tag: maker.make(),
                    value: Self::Integer(maker.make()),
                },
                AnyItem {
                    tag: maker.make(),
                    value: Self::TextString(maker.make()),
                },
            ]),
            1 => Self::Integer(maker.make()),
            2 => Self::LongInteger(maker.make()),
            3 => Self::BigInteger(maker.make()),
            4 => Self::Enumeration(0x8000_0001),
            5 => Self::Boolean(maker.make()),
            6 => Self::TextString(maker.make()),
            7 => Self::ByteString(maker.make()),
            8 => Self::DateTime(maker.make()),
            9 => Self::Interval(maker.make()),
            _ => Self::DateTimeExtended(maker.make()),
        }
    }
}

impl Sample for UniqueIdentifier {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % if maker.version.has_tagged_attributes() { 3 } else { 1 } {
            0 => Self::Text(maker.make()),
            1 => Self::Kind(maker.make()),
            _ => Self::Position(maker.make()),
        }
    }
}

impl Sample for TicketLease {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % 2 {
            0 => Self::For(maker.make()),
            _ => Self::Until(maker.make()),
        }
    }
}

impl Sample for Data {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % if maker.version.has_tagged_attributes() { 3 } else { 1 } {
            0 => Self::Bytes(maker.make()),
            1 => Self::Kind(maker.make()),
            _ => Self::Position(maker.make()),
        }
    }
}

impl Sample for AsynchronousIndicator {
    fn sample(maker: &mut Maker) -> Self {
        let choices = [Self::Mandatory, Self::Prohibited, Self::Optional];
        let count = if maker.version.has_tagged_attributes() { 3 } else { 2 };
        maker.choose(&choices[..count])
    }
}

/// A name that every version has.
fn vendor_name(maker: &mut Maker) -> VendorName {
    VendorName {
        vendor_identification: maker.choose(&[VendorName::CLIENT, VendorName::SERVER]).to_owned(),
        attribute_name: maker.make(),
    }
}

impl Sample for AttributeKind {
    fn sample(maker: &mut Maker) -> Self {
        loop {
            let kind = maker.choose(Self::ALL);
            if kind.rules().versions.include(maker.version) {
                return kind;
            }
        }
    }
}

impl Sample for AttributeReference {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % 5 {
            0 => Self::Vendor(vendor_name(maker)),
            1 if maker.version.has_tagged_attributes() => Self::UnknownTag(maker.make()),
            1 => Self::UnknownName("Unheard Of".to_owned()),
            _ => Self::Known(maker.make()),
        }
    }
}

impl Sample for Attribute {
    fn sample(maker: &mut Maker) -> Self {
        match maker.next() % 5 {
            0 => Self::Vendor(VendorAttribute {
                name: vendor_name(maker),
                value: maker.make(),
            }),
            _ => maker.make::<AttributeKind>().sample(maker),
        }
    }
}

impl Sample for AttributeInstance {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            attribute: maker.make(),
            index: maker.make(),
        }
    }
}

impl Sample for Attributes {
    fn sample(maker: &mut Maker) -> Self {
        Self(maker.make())
    }
}

impl Sample for AttributePatterns {
    fn sample(maker: &mut Maker) -> Self {
        let attributes: Vec<Attribute> = maker.make();
        Self(attributes.iter().map(AttributePattern::exactly).collect())
    }
}

impl Sample for TemplateAttribute {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            templates: maker.make(),
            attributes: maker.make(),
        }
    }
}

impl Sample for KeyBlock {
    fn sample(maker: &mut Maker) -> Self {
        let key_format_type: KeyFormatType = maker.make();
        let required = !tag::versions(tag::KEY_VALUE_PRESENT).unwrap().include(maker.version);
        let key_value = (maker.full || required).then(|| match maker.next() % 4 {
            0 => KeyValue::Wrapped(maker.make()),
            _ => KeyValue::Plain(PlainKeyValue {
                key_material: KeyMaterial::sample(maker, key_format_type),
                attributes: maker.full.then(|| maker.make()),
            }),
        });
        Self {
            key_format_type,
            key_compression_type: maker.make(),
            key_value,
            cryptographic_algorithm: maker.make(),
            cryptographic_length: maker.make(),
            key_wrapping_data: maker.make(),
        }
    }
}

/// A structure writes exactly the rows that a version has, in their order, and reads them back.
pub(crate) fn check_structure<T: Structure + Sample>(rows: &[&Tags]) {
    for version in Version::ALL {
        let every_tag_known = rows.iter().all(|row| !row.is_empty());
        for seed in 0..12 {
            let value = T::sample(&mut Maker::new(version, true, seed * 7));
            let mut writer = Writer::new();
            value.write(&mut writer, version);
            let mut written = Vec::new();
            let mut reader = Reader::new(writer.as_bytes());
            while let Some(tag) = reader.peek() {
                written.push(tag);
                reader.skip().unwrap();
            }
            written.dedup();
            let expected: Vec<Tag> = rows
                .iter()
                .filter_map(|row| {
                    row.iter()
                        .find(|(_, versions)| versions.include(version))
                        .map(|(tag, _)| *tag)
                })
                .collect();
            if every_tag_known {
                assert_eq!(written, expected, "in {version}");
            } else {
                let mut rest = written.iter();
                assert!(
                    expected.iter().all(|tag| rest.any(|w| w == tag)),
                    "{written:?} in {version}"
                );
            }
            let minimal = T::sample(&mut Maker::new(version, false, seed * 7));
            for value in [value, minimal] {
                check_round_trip(&value, version);
            }
        }
    }
}

fn check_round_trip<T: Structure>(value: &T, version: Version) {
    let mut first = Writer::new();
    value.write(&mut first, version);
    let mut reader = Reader::new(first.as_bytes());
    let read = T::read(&mut reader, version).unwrap_or_else(|e| panic!("{e} in {version}"));
    reader.finish().unwrap();
    let mut second = Writer::new();
    read.write(&mut second, version);
    assert!(first.as_bytes() == second.as_bytes(), "changed in {version}");
}

/// A message survives the way through XML and through JSON.
pub(crate) fn check_texts(message: &[u8]) {
    let text = xml::from_ttlv(message, &KmipVocabulary).unwrap();
    let again =
        xml::to_ttlv(&text, &KmipVocabulary, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {}", *text));
    assert!(again.as_slice() == message, "XML: {}", *text);
    let text = json::from_ttlv(message, &KmipVocabulary).unwrap();
    let again =
        json::to_ttlv(&text, &KmipVocabulary, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {}", *text));
    assert!(again.as_slice() == message, "JSON: {}", *text);
}

mod tests {
    use super::*;

    #[test]
    fn every_attribute_in_every_version_and_encoding() {
        for version in Version::ALL {
            for kind in AttributeKind::ALL
                .iter()
                .filter(|k| k.rules().versions.include(version))
            {
                for seed in 0..12 {
                    let attribute = kind.sample(&mut Maker::new(version, seed % 2 == 0, seed));
                    assert!(attribute.kind() == *kind);
                    let response = GetAttributesResponse {
                        unique_identifier: "1".to_owned(),
                        attributes: [attribute].into_iter().collect(),
                    };
                    check_round_trip(&response, version);
                    let mut writer = Writer::new();
                    response.write_item(&mut writer, tag::RESPONSE_PAYLOAD, version);
                    check_texts(writer.as_bytes());
                }
            }
        }
    }

    #[test]
    fn attributes_that_the_version_lacks_are_left_out() {
        for version in Version::ALL {
            for kind in AttributeKind::ALL
                .iter()
                .filter(|k| !k.rules().versions.include(version))
            {
                let attribute = kind.sample(&mut Maker::new(version, true, 1));
                let mut writer = Writer::new();
                let attributes: Attributes = [attribute].into_iter().collect();
                attributes.write_field(&mut writer, Attributes::tag_in(version), version);
                let empty = if version.has_tagged_attributes() { 8 } else { 0 };
                assert_eq!(writer.len(), empty, "{kind:?} in {version}");
            }
        }
    }

    #[test]
    fn every_operation_in_every_version_and_encoding() {
        for version in Version::ALL {
            for seed in 0..12 {
                let mut maker = Maker::new(version, seed % 4 != 0, seed * 11);
                let requests = RequestPayload::samples(&mut maker);
                for payload in requests.into_iter().filter(|p| p.operation().is_spoken_in(version)) {
                    let mut item = RequestItem::new(payload);
                    item.ephemeral = version.has_tagged_attributes().then_some(true);
                    item.unique_batch_item_id = maker.make();
                    item.message_extensions = maker.make();
                    let mut header: RequestHeader = maker.make();
                    (header.protocol_version, header.batch_count) = (version.into(), 1);
                    let message = RequestMessage {
                        header,
                        items: vec![item],
                    };
                    let mut writer = Writer::new();
                    message.write(&mut writer);
                    let Ok(read) = RequestMessage::read(writer.as_bytes()) else {
                        panic!("not read")
                    };
                    let mut again = Writer::new();
                    read.write(&mut again);
                    assert!(again.as_bytes() == writer.as_bytes());
                    check_texts(writer.as_bytes());
                }
                let responses = ResponsePayload::samples(&mut maker);
                for payload in responses.into_iter().filter(|p| p.operation().is_spoken_in(version)) {
                    let mut item = ResponseItem::success(payload);
                    item.unique_batch_item_id = maker.make();
                    item.message_extensions = maker.make();
                    let mut header: ResponseHeader = maker.make();
                    (header.protocol_version, header.batch_count) = (version.into(), 1);
                    let message = ResponseMessage {
                        header,
                        items: vec![item],
                    };
                    let mut writer = Writer::new();
                    message.write(&mut writer);
                    let read = ResponseMessage::read(writer.as_bytes()).unwrap();
                    let mut again = Writer::new();
                    read.write(&mut again);
                    assert!(again.as_bytes() == writer.as_bytes());
                    check_texts(writer.as_bytes());
                }
            }
        }
    }
}
