//! The record of an endpoint: to whom messages go, and of what.

use crate::identity::{ClientId, Id};
use crate::objects::Object;
use crate::store::{ClaimKey, Domain, Key, Kind};
use kmip_protocol::{AttributeKind, Item as _, ProtocolVersion, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// An endpoint of a client.
pub const ENDPOINT: Kind = Kind(0x59);

/// The space of claims in which names of endpoints are unique within a tenant.
const NAME: u8 = 0x59;

const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const RECORD: Tag = Tag(0x54_E000);
    pub(super) const FORMAT: Tag = Tag(0x54_E001);
    pub(super) const NAME: Tag = Tag(0x54_E002);
    pub(super) const CLIENT: Tag = Tag(0x54_E003);
    pub(super) const ADDRESS: Tag = Tag(0x54_E004);
    pub(super) const PIN: Tag = Tag(0x54_E005);
    pub(super) const VERSION: Tag = Tag(0x54_E006);
    pub(super) const PUTS: Tag = Tag(0x54_E008);
    pub(super) const NOTIFIES: Tag = Tag(0x54_E009);
    pub(super) const OBJECT: Tag = Tag(0x54_E00A);
    pub(super) const GROUP: Tag = Tag(0x54_E00B);
    pub(super) const CREATED: Tag = Tag(0x54_E00C);
}

/// Counters beside an endpoint's record.
pub mod counter {
    /// Messages that wait.
    pub const WAITING: u32 = 0;
    /// Messages for which there was no room: the client has missed them.
    pub const LOST: u32 = 1;
}

/// Which endpoint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointId {
    /// Whose.
    pub domain: Domain,
    /// 16 random bytes.
    pub id: Id,
}

impl EndpointId {
    /// Where its record is kept.
    #[must_use]
    pub const fn key(self) -> Key {
        Key {
            domain: self.domain,
            kind: ENDPOINT,
            id: self.id,
        }
    }
}

/// An endpoint: where a client hears of its objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointRecord {
    /// What people call it.
    pub name: String,
    /// The client whose rights decide what is sent.
    pub client: Id,
    /// Host and port; `None`: the client's own connection, once that is turned round.
    pub address: Option<String>,
    /// SHA-256 of the certificate that the endpoint must show. None where there is no address.
    pub pin: Option<[u8; 32]>,
    /// In which version it is spoken to. On the client's own connection that one's holds.
    pub version: ProtocolVersion,
    /// Whether it is sent new objects (KMIP 2.1 §6.2.3).
    pub puts: bool,
    /// Whether it is told of changed attributes (KMIP 2.1 §6.2.2).
    pub notifies: bool,
    /// The objects that it is told of; with `groups` empty too: all that the client sees.
    pub objects: Vec<String>,
    /// The Object Groups of whose members it is told.
    pub groups: Vec<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

impl EndpointRecord {
    /// Whether it is served over connections of this client, when the client has the server ask there.
    #[must_use]
    pub fn is_on_connection_of(&self, client: Id) -> bool {
        self.client == client && self.address.is_none()
    }

    /// The claim on the name of an endpoint.
    #[must_use]
    pub fn name_claim(tenant: Domain, name: &str) -> ClaimKey {
        ClaimKey::new(tenant, NAME, name.as_bytes())
    }

    /// Whose it is.
    #[must_use]
    pub const fn client(&self, tenant: Domain) -> ClientId {
        ClientId {
            tenant,
            client: self.client,
        }
    }

    /// The version that it is spoken to in; the newest, where the record names none of ours.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.version().unwrap_or(Version::NEWEST)
    }

    /// Whether it wants to hear of an object. Of what replaces one that it wants to hear of it hears too.
    #[must_use]
    pub fn wants(&self, object: &Object, replaced: Option<&str>) -> bool {
        let everything = self.objects.is_empty() && self.groups.is_empty();
        let named = |identifier: &str| self.objects.iter().any(|one| one == identifier);
        everything
            || named(&object.unique_identifier)
            || replaced.is_some_and(named)
            || object
                .attributes
                .groups()
                .any(|group| self.groups.iter().any(|one| one == group))
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            client,
            address,
            pin,
            version,
            puts,
            notifies,
            objects,
            groups,
            created_ms,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::RECORD, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.text(tag::NAME, name);
            w.bytes(tag::CLIENT, client);
            if let Some(address) = address {
                w.text(tag::ADDRESS, address);
            }
            if let Some(pin) = pin {
                w.bytes(tag::PIN, pin);
            }
            version.write_item(w, tag::VERSION, Version::NEWEST);
            w.boolean(tag::PUTS, *puts);
            w.boolean(tag::NOTIFIES, *notifies);
            objects.iter().for_each(|one| w.text(tag::OBJECT, one));
            groups.iter().for_each(|one| w.text(tag::GROUP, one));
            w.long_integer(tag::CREATED, *created_ms);
        });
        writer.into_bytes()
    }

    /// Reads what [`EndpointRecord::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that are no such record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::RECORD, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Invalid("format of the record of an endpoint")));
            }
            Ok(Self {
                name: r.text(tag::NAME)?.to_owned(),
                client: r.array(tag::CLIENT)?,
                address: if r.at(tag::ADDRESS) {
                    Some(r.text(tag::ADDRESS)?.to_owned())
                } else {
                    None
                },
                pin: r.at(tag::PIN).then(|| r.array(tag::PIN)).transpose()?,
                version: ProtocolVersion::read_item(r, tag::VERSION, Version::NEWEST)?,
                puts: r.boolean(tag::PUTS)?,
                notifies: r.boolean(tag::NOTIFIES)?,
                objects: texts(r, tag::OBJECT)?,
                groups: texts(r, tag::GROUP)?,
                created_ms: r.long_integer(tag::CREATED)?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

fn texts(reader: &mut Reader<'_>, tag: kmip_ttlv::Tag) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    while reader.at(tag) {
        texts.push(reader.text(tag)?.to_owned());
    }
    Ok(texts)
}

/// Attributes whose change is none that anybody is told of: the first says of the others that there was one, the second that the server
/// has given the object out.
pub(super) const SILENT: [AttributeKind; 2] = [AttributeKind::LastChangeDate, AttributeKind::Fresh];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let whole = EndpointRecord {
            name: "storage".into(),
            client: [1; 16],
            address: Some("kms.example:5696".into()),
            pin: Some([2; 32]),
            version: Version::NEWEST.into(),
            puts: true,
            notifies: false,
            objects: vec!["a".into(), "b".into()],
            groups: vec!["g".into()],
            created_ms: 7,
        };
        let bare = EndpointRecord {
            address: None,
            pin: None,
            objects: Vec::new(),
            groups: Vec::new(),
            notifies: true,
            ..whole.clone()
        };
        for record in [whole, bare] {
            assert_eq!(EndpointRecord::decode(&record.encode()).unwrap(), record);
        }
        assert!(EndpointRecord::decode(&[0x54, 0xE0, 0, 1, 0, 0, 0, 0]).is_err());
    }
}
