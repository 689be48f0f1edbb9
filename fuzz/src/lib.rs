//! What the fuzz targets check, one function each. They panic on a finding: that is how a fuzzer is told.

mod outside;

pub use outside::*;

use claviger::crypto::pkcs12 as bundles;
use kmip_protocol::RequestMessage;
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::{
    Encoding, Frame, Reader, Result, Scope, Secret, Tag, TextLimits, Value, Vocabulary, Writer, json, xml,
};

/// Few names, so that the fuzzer can learn them: a tag of each kind, an enumeration, a mask.
struct Names;

const TAGS: [(Tag, &str); 5] = [
    (Tag(0x42_000A), "AttributeName"),
    (Tag(0x42_000B), "AttributeValue"),
    (Tag(0x42_002C), "Mask"),
    (Tag(0x42_0078), "Message"),
    (Tag(0x54_0001), "Vendor"),
];
const VALUES: [(u32, &str); 4] = [(1, "One"), (2, "Two"), (4, "Four"), (0x8000_0000, "Top")];

impl Vocabulary for Names {
    fn tag_name(&self, tag: Tag) -> Option<&str> {
        TAGS.iter().find(|(t, _)| *t == tag).map(|(_, name)| *name)
    }
    fn tag_named(&self, name: &str) -> Option<Tag> {
        TAGS.iter().find(|(_, n)| *n == name).map(|(tag, _)| *tag)
    }
    fn value_name(&self, _: Scope<'_>, value: u32) -> Option<&str> {
        VALUES.iter().find(|(v, _)| *v == value).map(|(_, name)| *name)
    }
    fn value_named(&self, _: Scope<'_>, name: &str) -> Option<u32> {
        VALUES.iter().find(|(_, n)| *n == name).map(|(value, _)| *value)
    }
    fn is_mask(&self, scope: Scope<'_>) -> bool {
        scope.tag == Tag(0x42_002C) || scope.attribute == Some("Mask")
    }
    fn is_attribute_name(&self, tag: Tag) -> bool {
        tag == Tag(0x42_000A)
    }
}

fn copy(reader: &mut Reader<'_>, writer: &mut Writer) -> Result<()> {
    let (tag, value) = reader.item()?;
    match value {
        Value::Structure(mut inner) => {
            let start = writer.open(tag);
            while !inner.is_empty() {
                copy(&mut inner, writer).map_err(|e| e.within(tag))?;
            }
            writer.close(start);
        }
        Value::Integer(value) => writer.integer(tag, value),
        Value::LongInteger(value) => writer.long_integer(tag, value),
        Value::BigInteger(value) => writer.big_integer(tag, value),
        Value::Enumeration(value) => writer.enumeration(tag, value),
        Value::Boolean(value) => writer.boolean(tag, value),
        Value::TextString(value) => writer.text(tag, value),
        Value::ByteString(value) => writer.bytes(tag, value),
        Value::DateTime(value) => writer.date_time(tag, value),
        Value::Interval(value) => writer.interval(tag, value),
        Value::DateTimeExtended(value) => writer.date_time_extended(tag, value),
    }
    Ok(())
}

/// TTLV that is accepted has one form only, and survives XML (where XML can carry it) and JSON; an error points inside.
pub fn binary(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let mut writer = Writer::new();
    match copy(&mut reader, &mut writer).and_then(|()| reader.finish()) {
        Err(error) => assert!(error.offset() <= bytes.len(), "{error}"),
        Ok(()) => {
            assert_eq!(writer.as_bytes(), bytes);
            let limits = TextLimits::default();
            if let Ok(text) = xml::from_ttlv(bytes, &Names) {
                assert_eq!(*xml::to_ttlv(&text, &Names, limits).expect("own XML"), bytes);
            }
            let text = json::from_ttlv(bytes, &Names).expect("sound TTLV");
            assert_eq!(*json::to_ttlv(&text, &Names, limits).expect("own JSON"), bytes);
        }
    }
}

/// XML that is accepted gives sound TTLV, which survives the way there and back.
pub fn xml(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let limits = TextLimits::default();
    match xml::to_ttlv(text, &Names, limits) {
        Err(error) => assert!(error.offset() <= text.len(), "{error}"),
        Ok(ttlv) => {
            let printed = xml::from_ttlv(&ttlv, &Names).expect("sound TTLV");
            assert_eq!(*xml::to_ttlv(&printed, &Names, limits).expect("own XML"), *ttlv);
        }
    }
    if let Ok(messages) = xml::messages(text, &Names, limits) {
        messages.for_each(drop);
    }
}

/// JSON that is accepted gives sound TTLV, which survives the way there and back.
pub fn json(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let limits = TextLimits::default();
    match json::to_ttlv(text, &Names, limits) {
        Err(error) => assert!(error.offset() <= text.len(), "{error}"),
        Ok(ttlv) => {
            let printed = json::from_ttlv(&ttlv, &Names).expect("sound TTLV");
            assert_eq!(*json::to_ttlv(&printed, &Names, limits).expect("own JSON"), *ttlv);
        }
    }
    drop(json::messages(text, &Names, limits));
}

/// However a stream is cut, the same messages come out and the same error ends it. The first byte says how it is cut.
pub fn frame(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else {
        return;
    };
    let whole = messages(stream, stream.len().max(1));
    assert_eq!(messages(stream, usize::from(*step).max(1)), whole);
}

fn messages(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<kmip_ttlv::FrameError>) {
    const LIMIT: usize = 4096;
    let mut frame = Frame::new(&[Tag(0x42_0078), Tag(0x42_007B)], LIMIT);
    let mut found = Vec::new();
    for piece in stream.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            match frame.push(rest) {
                Err(failure) => return (found, Some(failure)),
                Ok(taken) => {
                    assert!(taken > 0, "no progress");
                    rest = &rest[taken..];
                }
            }
            if let Some(message) = frame.take() {
                assert!((8..=LIMIT).contains(&message.len()) && message.len() % 8 == 0);
                found.push(message.to_vec());
            }
        }
    }
    (found, None)
}

/// A request as it is posted over HTTPS (the first byte says in which encoding) becomes sound TTLV; what is read of it is written in one form
/// only.
pub fn message(bytes: &[u8]) {
    const LONGEST: usize = 64 * 1024;
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    let encoding = [Encoding::Ttlv, Encoding::Xml, Encoding::Json][usize::from(kind % 3)];
    let Ok(ttlv) = encoding.read(body, &KmipVocabulary, LONGEST) else {
        return;
    };
    let Ok(request) = RequestMessage::read(&ttlv) else {
        return;
    };
    // What could not be read of an item is not written.
    if request.items.iter().any(|item| item.payload.is_err()) {
        return;
    }
    let written = |request: &RequestMessage| {
        let mut writer = Writer::new();
        request.write(&mut writer);
        writer.into_bytes()
    };
    let first = written(&request);
    let again = RequestMessage::read(&first).unwrap_or_else(|error| panic!("own request: {}", error.error));
    assert_eq!(written(&again), first);
}

/// A bundle of a stranger's: read or refused, within its bounds. The first byte says how long the password is.
pub fn pkcs12(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else {
        return;
    };
    let (password, bundle) = rest.split_at(usize::from(*length).min(rest.len()));
    let secret = |bytes: &[u8]| Secret::new(bytes.to_vec());
    if let Ok(read) = bundles::read(&secret(bundle), &secret(password), None) {
        assert!(!read.key.is_empty());
        if let Some(name) = &read.friendly_name {
            assert!(bundles::read(&secret(bundle), &secret(password), Some(name)).is_ok());
        }
    }
}

/// Fails on a Boolean that is true, which a fuzzer that begins with a false one finds within seconds.
/// `run canary` expects the failure: without it, the silence of the other targets means nothing.
pub fn canary(bytes: &[u8]) {
    if let Ok((Tag(0x42_0078), Value::Boolean(true))) = Reader::new(bytes).item() {
        panic!("the canary was found, as it should be");
    }
}
