//! The record of a message that waits: of which object it tells, and what. It holds no value of any attribute and no key.

use super::endpoint::EndpointId;
use crate::identity::Id;
use crate::store::{Domain, IndexQuery, IndexRange, IndexRow, IndexValue, Kind};
use kmip_protocol::{AttributeReference, Item as _, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// A message that waits.
pub const MESSAGE: Kind = Kind(0x5A);

/// The row by which the messages of an endpoint are found: of one value, so that they are found in the order in which they were committed.
const WAITS: u32 = 1;

const FORMAT: i32 = 1;
/// What a message is, as its record has it.
const PUT: u32 = 1;
const NOTIFY: u32 = 2;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const RECORD: Tag = Tag(0x54_E010);
    pub(super) const FORMAT: Tag = Tag(0x54_E011);
    pub(super) const ENDPOINT: Tag = Tag(0x54_E012);
    pub(super) const ENQUEUED: Tag = Tag(0x54_E013);
    pub(super) const OBJECT: Tag = Tag(0x54_E014);
    pub(super) const WHAT: Tag = Tag(0x54_E015);
    pub(super) const REPLACED: Tag = Tag(0x54_E016);
    pub(super) const CHANGED: Tag = Tag(0x54_E017);
    pub(super) const DELETED: Tag = Tag(0x54_E018);
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Here is an object (KMIP 2.1 §6.2.3); with the identifier of the one that it replaces, if it does.
    Put(Option<String>),
    /// These attributes have changed, and these are gone (KMIP 2.1 §6.2.2).
    Notify {
        /// Those that have another value, or a first one.
        changed: Vec<AttributeReference>,
        /// Those that have none any more.
        deleted: Vec<AttributeReference>,
    },
}

/// A message that waits for its endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRecord {
    /// For which endpoint.
    pub endpoint: Id,
    /// When it was written, in milliseconds since 1970.
    pub enqueued_ms: i64,
    /// Of which object.
    pub unique_identifier: String,
    /// What.
    pub what: What,
}

impl MessageRecord {
    /// By what it is found.
    pub(super) fn rows(&self) -> Vec<IndexRow> {
        vec![IndexRow {
            application: self.endpoint,
            attribute: WAITS,
            value: IndexValue::number(0),
        }]
    }

    /// Those that wait for an endpoint, newest first.
    pub(super) fn query(endpoint: EndpointId, limit: usize) -> IndexQuery {
        let EndpointId { domain, id } = endpoint;
        IndexQuery {
            domain,
            kind: MESSAGE,
            application: id,
            attribute: WAITS,
            range: IndexRange::Equal(IndexValue::number(0)),
            before: None,
            limit,
        }
    }

    /// For which endpoint of a domain it waits.
    #[must_use]
    pub const fn endpoint(&self, domain: Domain) -> EndpointId {
        EndpointId {
            domain,
            id: self.endpoint,
        }
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            endpoint,
            enqueued_ms,
            unique_identifier,
            what,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::RECORD, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::ENDPOINT, endpoint);
            w.long_integer(tag::ENQUEUED, *enqueued_ms);
            w.text(tag::OBJECT, unique_identifier);
            match what {
                What::Put(replaced) => {
                    w.enumeration(tag::WHAT, PUT);
                    if let Some(replaced) = replaced {
                        w.text(tag::REPLACED, replaced);
                    }
                }
                What::Notify { changed, deleted } => {
                    w.enumeration(tag::WHAT, NOTIFY);
                    for (tag, references) in [(tag::CHANGED, changed), (tag::DELETED, deleted)] {
                        for reference in references {
                            reference.write_item(w, tag, Version::NEWEST);
                        }
                    }
                }
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`MessageRecord::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that are no such record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::RECORD, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Invalid("format of the record of a message")));
            }
            Ok(Self {
                endpoint: r.array(tag::ENDPOINT)?,
                enqueued_ms: r.long_integer(tag::ENQUEUED)?,
                unique_identifier: r.text(tag::OBJECT)?.to_owned(),
                what: match r.enumeration(tag::WHAT)? {
                    PUT if r.at(tag::REPLACED) => What::Put(Some(r.text(tag::REPLACED)?.to_owned())),
                    PUT => What::Put(None),
                    NOTIFY => What::Notify {
                        changed: references(r, tag::CHANGED)?,
                        deleted: references(r, tag::DELETED)?,
                    },
                    _ => return Err(r.error(ErrorKind::Invalid("what a message is"))),
                },
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

fn references(reader: &mut Reader<'_>, tag: Tag) -> Result<Vec<AttributeReference>> {
    let mut references = Vec::new();
    while reader.at(tag) {
        references.push(AttributeReference::read_item(reader, tag, Version::NEWEST)?);
    }
    Ok(references)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{AttributeKind, VendorName};

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let vendor = AttributeReference::Vendor(VendorName {
            vendor_identification: "x".into(),
            attribute_name: "provider".into(),
        });
        let notify = What::Notify {
            changed: vec![AttributeKind::State.into(), vendor.clone()],
            deleted: vec![vendor],
        };
        for what in [What::Put(None), What::Put(Some("old".into())), notify] {
            let record = MessageRecord {
                endpoint: [1; 16],
                enqueued_ms: 5,
                unique_identifier: "new".into(),
                what,
            };
            assert_eq!(MessageRecord::decode(&record.encode()).unwrap(), record);
        }
    }
}
