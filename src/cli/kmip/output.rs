//! Printing an answer: as lines, JSON or XML, with what is secret left out unless asked for.

use super::{Format, Problem};
use kmip_protocol::{KmipVocabulary, Operation, tag};
use kmip_ttlv::{Reader, Result, Scope, Secret, Tag, Value, Vocabulary, Writer};
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints an answer on standard output.
///
/// # Errors
/// An answer that cannot be printed.
pub(super) fn print(answer: &[u8], format: Format, reveal: bool) -> std::result::Result<(), Problem> {
    let unreadable = |e: kmip_ttlv::Error| format!("the answer cannot be read: {e}");
    let hidden;
    let shown = if reveal {
        answer
    } else {
        hidden = hide(answer).map_err(unreadable)?;
        hidden.as_bytes()
    };
    match format {
        Format::Xml => say(&kmip_ttlv::xml::from_ttlv(shown, &KmipVocabulary).map_err(unreadable)?),
        Format::Json => say(&kmip_ttlv::json::from_ttlv(shown, &KmipVocabulary).map_err(unreadable)?),
        Format::Table => say(table(shown).map_err(unreadable)?.trim_end()),
    }
    Ok(())
}

fn say(text: &str) {
    // A reader that went away (`| head`) is no failure of ours.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Tells what went wrong, on standard error.
pub fn complain(problem: &str) {
    let _ = writeln!(std::io::stderr().lock(), "claviger kmip: {problem}");
}

/// What an answer is about, as bytes: the key material, the data, the signature.
///
/// # Errors
/// An answer that holds nothing of the kind.
pub fn principal_bytes(answer: &[u8]) -> std::result::Result<Secret, Problem> {
    const PRINCIPAL: [Tag; 7] = [
        tag::KEY_MATERIAL,
        tag::KEY_VALUE,
        tag::CERTIFICATE_VALUE,
        tag::OPAQUE_DATA_VALUE,
        tag::DATA,
        tag::SIGNATURE_DATA,
        tag::MAC_DATA,
    ];
    fn find(reader: &mut Reader<'_>) -> Result<Option<Secret>> {
        while !reader.is_empty() {
            match reader.item()? {
                (tag, Value::ByteString(bytes)) if PRINCIPAL.contains(&tag) => {
                    return Ok(Some(Secret::copy_from(bytes)));
                }
                (_, Value::Structure(mut inner)) => {
                    if let Some(found) = find(&mut inner)? {
                        return Ok(Some(found));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }
    find(&mut Reader::new(answer))
        .map_err(|e| format!("the answer cannot be read: {e}"))?
        .ok_or_else(|| "the answer holds no bytes to write; --format xml --reveal shows all of it".to_owned())
}

/// The answer with a text in the place of each secret.
pub(in crate::cli) fn hide(answer: &[u8]) -> Result<Writer> {
    let mut writer = Writer::new();
    let mut reader = Reader::new(answer);
    copy(&mut reader, &mut writer, Place::default())?;
    Ok(writer)
}

/// What decides whether an item is secret.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The operation that answers.
    operation: u32,
    /// Inside a public key.
    is_public: bool,
}

impl Place {
    fn is_secret(self, tag: Tag) -> bool {
        let gives = |operation: Operation| self.operation == operation.0;
        match tag {
            tag::KEY_MATERIAL | tag::KEY_VALUE => !self.is_public,
            tag::OPAQUE_DATA_VALUE
            | tag::PASSWORD
            | tag::INITIAL_PASSWORD
            | tag::NEW_PASSWORD
            | tag::CURRENT_PASSWORD
            | tag::ONE_TIME_SECRET
            | tag::KEYSTORE
            | tag::KEYSTORE_PASSWORD
            | tag::KEY_USAGE_PIN
            | tag::NEW_PIN
            | tag::TICKET_VALUE => true,
            tag::DATA => {
                gives(Operation::Decrypt) || gives(Operation::RNGRetrieve) || gives(Operation::SignatureVerify)
            }
            _ => false,
        }
    }
}

fn copy(reader: &mut Reader<'_>, writer: &mut Writer, mut place: Place) -> Result<()> {
    while !reader.is_empty() {
        let (tag, value) = reader.item()?;
        match value {
            Value::ByteString(bytes) if place.is_secret(tag) => {
                writer.text(tag, &format!("{} bytes, hidden; --reveal shows them", bytes.len()));
            }
            Value::TextString(_) if place.is_secret(tag) => writer.text(tag, "hidden"),
            Value::Structure(_) if tag == tag::KEY_MATERIAL && place.is_secret(tag) => {
                writer.text(tag, "hidden; --reveal shows it");
            }
            Value::Structure(mut inner) => {
                let mut within = place;
                within.is_public |= tag == tag::PUBLIC_KEY;
                let start = writer.open(tag);
                copy(&mut inner, writer, within)?;
                writer.close(start);
            }
            Value::Enumeration(number) => {
                if tag == tag::OPERATION {
                    place.operation = number;
                }
                writer.enumeration(tag, number);
            }
            Value::Integer(v) => writer.integer(tag, v),
            Value::LongInteger(v) => writer.long_integer(tag, v),
            Value::BigInteger(v) => writer.big_integer(tag, v),
            Value::Boolean(v) => writer.boolean(tag, v),
            Value::TextString(v) => writer.text(tag, v),
            Value::ByteString(v) => writer.bytes(tag, v),
            Value::DateTime(v) => writer.date_time(tag, v),
            Value::Interval(v) => writer.interval(tag, v),
            Value::DateTimeExtended(v) => writer.date_time_extended(tag, v),
        }
    }
    Ok(())
}

/// Width of the column of names: the longest that is common, `CryptographicUsageMask`, and room for indentation.
const NAMES: usize = 30;

/// A line for each value of the batch items; the header is left out.
fn table(answer: &[u8]) -> Result<String> {
    let mut text = String::new();
    let mut reader = Reader::new(answer);
    reader.structure(tag::RESPONSE_MESSAGE, |inner| {
        while !inner.is_empty() {
            match inner.item()? {
                (tag::RESPONSE_HEADER, _) => {}
                (_, Value::Structure(mut item)) => lines(&mut item, &mut text, 0, None)?,
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(text)
}

/// A line for each value, indented by depth.
pub(in crate::cli) fn lines(
    reader: &mut Reader<'_>,
    text: &mut String,
    depth: usize,
    attribute: Option<&str>,
) -> Result<()> {
    let mut attribute = attribute.map(str::to_owned);
    while !reader.is_empty() {
        let (tag, value) = reader.item()?;
        let name = KmipVocabulary
            .tag_name(tag)
            .map_or_else(|| tag.to_string(), str::to_owned);
        let indented = format!("{:indent$}{name}", "", indent = 2 * depth);
        if let Value::Structure(mut inner) = value {
            let _ = writeln!(text, "{indented}");
            lines(&mut inner, text, depth + 1, attribute.as_deref())?;
            continue;
        }
        let scope = Scope {
            tag,
            attribute: attribute.as_deref(),
        };
        let shown = show(&value, scope);
        let _ = writeln!(text, "{indented:<NAMES$} {shown}");
        if let (tag::ATTRIBUTE_NAME, Value::TextString(name)) = (tag, &value) {
            attribute = Some((*name).to_owned());
        }
    }
    Ok(())
}

/// A value in words.
pub(in crate::cli) fn show(value: &Value<'_>, scope: Scope<'_>) -> String {
    match value {
        Value::Structure(_) => String::new(),
        Value::Integer(v) if KmipVocabulary.is_mask(scope) => {
            let bits = (0..31).map(|bit| 1 << bit).filter(|bit| v.cast_unsigned() & bit != 0);
            let name = |bit| {
                KmipVocabulary
                    .value_name(scope, bit)
                    .map_or_else(|| format!("0x{bit:08X}"), str::to_owned)
            };
            bits.map(name).collect::<Vec<_>>().join(" ")
        }
        Value::Integer(v) => v.to_string(),
        Value::LongInteger(v) => v.to_string(),
        Value::Enumeration(v) => KmipVocabulary
            .value_name(scope, *v)
            // Extensions are numbers on the wire, and words for people.
            .or_else(|| (kmip_protocol::names::of_tag(scope.tag)?.name)(*v))
            .map_or_else(|| format!("0x{v:08X}"), str::to_owned),
        Value::Boolean(v) => v.to_string(),
        Value::TextString(v) => v.escape_debug().to_string(),
        Value::ByteString(v) | Value::BigInteger(v) => kmip_ttlv::Hex(v).to_string(),
        Value::DateTime(v) => moment(*v),
        Value::DateTimeExtended(v) => moment(v.div_euclid(1_000_000)),
        Value::Interval(v) => format!("{v} s"),
    }
}

/// Seconds since 1970 as a date and time in UTC.
pub(in crate::cli) fn moment(seconds: i64) -> String {
    let format = &time::format_description::well_known::Rfc3339;
    let moment = time::OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment
        .and_then(|m| m.format(format).ok())
        .unwrap_or_else(|| seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(operation: Operation, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.structure(tag::RESPONSE_MESSAGE, |w| {
            w.structure(tag::RESPONSE_HEADER, |w| w.integer(tag::BATCH_COUNT, 1));
            w.structure(tag::BATCH_ITEM, |w| {
                w.enumeration(tag::OPERATION, operation.0);
                w.structure(tag::RESPONSE_PAYLOAD, fill);
            });
        });
        writer.into_bytes()
    }

    fn key(tag: Tag) -> impl FnOnce(&mut Writer) {
        move |w| {
            w.structure(tag, |w| {
                w.structure(tag::KEY_BLOCK, |w| {
                    w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, b"PLANTED"));
                });
            });
        }
    }

    fn shows(answer: &[u8], reveal: bool) -> bool {
        let hidden = hide(answer).unwrap();
        let shown = if reveal { answer } else { hidden.as_bytes() };
        let xml = kmip_ttlv::xml::from_ttlv(shown, &KmipVocabulary).unwrap();
        let lines = table(shown).unwrap();
        let needle = "504c414e544544";
        assert_eq!(xml.contains(needle), lines.contains(needle));
        lines.contains(needle)
    }

    #[test]
    fn secrets_are_hidden_unless_asked_for() {
        for tag in [tag::SYMMETRIC_KEY, tag::PRIVATE_KEY, tag::SECRET_DATA] {
            let answer = answer(Operation::Get, key(tag));
            assert!(!shows(&answer, false) && shows(&answer, true));
        }
        assert!(shows(&answer(Operation::Get, key(tag::PUBLIC_KEY)), false));
        let data = |operation| answer(operation, |w| w.bytes(tag::DATA, b"PLANTED"));
        assert!(!shows(&data(Operation::Decrypt), false));
        assert!(!shows(&data(Operation::RNGRetrieve), false));
        assert!(shows(&data(Operation::Encrypt), false));
        assert!(!shows(
            &answer(Operation::Get, |w| w.bytes(tag::OPAQUE_DATA_VALUE, b"PLANTED")),
            false
        ));
    }

    #[test]
    fn the_principal_bytes_are_found() {
        let found = principal_bytes(&answer(Operation::Get, key(tag::SYMMETRIC_KEY)))
            .ok()
            .unwrap();
        assert_eq!(found.expose(), b"PLANTED");
        assert!(principal_bytes(&answer(Operation::Get, |_| {})).is_err());
    }
}
