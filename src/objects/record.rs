//! The record of a managed object: facts, attributes and sealed material, as they are kept. TTLV with tags of our own, so
//! that it can be read by eye and grows without a migration.

use super::attributes::{AttributeSet, Instance};
use super::encoded::EncodedAttributes;
use crate::custody::Sealed;
use kmip_protocol::{Attribute, AttributeKind, DateTime, ObjectType, State};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// Tags of the record, from the extension range.
pub(super) mod tag {
    use kmip_ttlv::Tag;

    pub const OBJECT: Tag = Tag(0x54_D000);
    pub const FORMAT: Tag = Tag(0x54_D001);
    pub const INTERNAL_ID: Tag = Tag(0x54_D002);
    pub const UNIQUE_IDENTIFIER: Tag = Tag(0x54_D003);
    pub const OBJECT_TYPE: Tag = Tag(0x54_D004);
    pub const APPLICATION: Tag = Tag(0x54_D005);
    pub const OWNER: Tag = Tag(0x54_D006);
    pub const MATERIAL: Tag = Tag(0x54_D007);
    pub const GENERATION: Tag = Tag(0x54_D008);
    pub const INSTANCE: Tag = Tag(0x54_D00D);
    pub const FORMER: Tag = Tag(0x54_F320);
    pub const INDEX: Tag = Tag(0x54_D00E);
    pub const STATE_AT: Tag = Tag(0x54_E400);
}

/// The format that records are written in.
const FORMAT: i32 = 1;

/// A managed object. Its attributes are a set that can be changed, or still as the record has them: see [`Kept`].
#[derive(Clone, PartialEq)]
pub struct Object<A = AttributeSet> {
    /// 16 random bytes that sealed material is bound to; never used again.
    pub internal_id: [u8; 16],
    /// What clients call it.
    pub unique_identifier: String,
    /// Its type.
    pub object_type: ObjectType,
    /// Whose clients see it.
    pub application: [u8; 16],
    /// The client that made it.
    pub owner: [u8; 16],
    /// As of when its state is known to those who are told of it, in seconds since 1970: what a date has changed since is yet to be noted.
    pub state_at: i64,
    /// Its attributes.
    pub attributes: A,
    /// Its sealed material; `None` once destroyed.
    pub material: Option<Material>,
    /// The generations of the KEKs under which the material lay before: what a backup from then opens by.
    pub former: Vec<u32>,
}

/// An object to look at: its attributes are decoded when they are asked for, and cannot be changed.
pub type Kept = Object<EncodedAttributes>;

/// Sealed material.
#[derive(Clone, PartialEq)]
pub struct Material {
    /// Counts up whenever the material is replaced.
    pub generation: u32,
    /// The managed object as a TTLV structure, sealed.
    pub sealed: Sealed,
}

impl Object {
    /// The state at `now`; a template has none (KMIP 1.4 §3.22: "All Cryptographic Objects").
    #[must_use]
    pub fn state(&self, now: i64) -> Option<State> {
        (self.object_type != ObjectType::Template).then(|| self.attributes.dates().state(now))
    }

    /// When a date changes the state next, as far as that was not noted yet.
    #[must_use]
    pub fn turns(&self) -> Option<i64> {
        self.state(self.state_at)?;
        self.attributes.dates().next_change(self.state_at)
    }

    /// Notes what dates have made of the object by now. The last of them is its Last Change Date, unless something was changed later
    /// (KMIP 2.1 §4.29: the last change of the object).
    pub fn catch_up(&mut self, now: i64) {
        while let Some(at) = self.turns().filter(|at| *at <= now) {
            self.state_at = at;
            let changed = self.attributes.first(AttributeKind::LastChangeDate);
            if !matches!(changed, Some(Attribute::LastChangeDate(DateTime(date))) if *date >= at) {
                self.attributes.set(Attribute::LastChangeDate(DateTime(at)));
            }
        }
        self.state_at = now;
    }

    /// The same with what dates have made of it by now.
    #[must_use]
    pub fn as_of(&self, now: i64) -> Self {
        let mut object = self.clone();
        object.catch_up(now);
        object
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            internal_id,
            unique_identifier,
            object_type,
            application,
            owner,
            state_at,
            attributes,
            material,
            former,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::OBJECT, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::INTERNAL_ID, internal_id);
            w.text(tag::UNIQUE_IDENTIFIER, unique_identifier);
            w.enumeration(tag::OBJECT_TYPE, object_type.0);
            w.bytes(tag::APPLICATION, application);
            w.bytes(tag::OWNER, owner);
            w.date_time(tag::STATE_AT, *state_at);
            if let Some(material) = material {
                material.write(w);
            }
            for generation in former {
                w.interval(tag::FORMER, *generation);
            }
            for Instance { index, attribute } in attributes.iter() {
                w.structure(tag::INSTANCE, |w| {
                    w.integer(tag::INDEX, *index);
                    attribute.write_stored(w);
                });
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Object::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that are no record, or an attribute in it that cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Kept::read(bytes)?.whole()
    }
}

/// KEKs of a former time that a record names: a domain has no more live ones.
const MOST_FORMER: usize = 256;

impl<A> Object<A> {
    /// Notes that the material lies no longer under the KEK under which it lies now.
    pub fn leave_kek(&mut self) {
        let Some(material) = &self.material else {
            return;
        };
        let generation = material.sealed.kek_generation;
        self.former.retain(|former| *former != generation);
        self.former.push(generation);
        let surplus = self.former.len().saturating_sub(MOST_FORMER);
        self.former.drain(..surplus);
    }
}

fn read_former(reader: &mut Reader<'_>) -> Result<Vec<u32>> {
    let mut former = Vec::new();
    while reader.at(tag::FORMER) {
        former.push(reader.interval(tag::FORMER)?);
    }
    Ok(former)
}

impl Kept {
    /// Reads what [`Object::encode`] wrote, and leaves its attributes as they are.
    ///
    /// # Errors
    /// Bytes that are no record.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let object = reader.structure(tag::OBJECT, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Invalid("format of an object record")));
            }
            Ok(Self {
                internal_id: r.array(tag::INTERNAL_ID)?,
                unique_identifier: r.text(tag::UNIQUE_IDENTIFIER)?.to_owned(),
                object_type: ObjectType(r.enumeration(tag::OBJECT_TYPE)?),
                application: r.array(tag::APPLICATION)?,
                owner: r.array(tag::OWNER)?,
                state_at: r.date_time(tag::STATE_AT)?,
                material: r.at(tag::MATERIAL).then(|| Material::read(r)).transpose()?,
                former: read_former(r)?,
                attributes: EncodedAttributes::read(r)?,
            })
        })?;
        reader.finish()?;
        Ok(object)
    }

    /// The object with all its attributes, to be changed.
    ///
    /// # Errors
    /// An attribute that cannot be read.
    pub fn whole(self) -> Result<Object> {
        let Self {
            internal_id,
            unique_identifier,
            object_type,
            application,
            owner,
            state_at,
            attributes,
            material,
            former,
        } = self;
        Ok(Object {
            internal_id,
            unique_identifier,
            object_type,
            application,
            owner,
            state_at,
            attributes: attributes.decode()?,
            material,
            former,
        })
    }
}

impl Material {
    fn write(&self, writer: &mut Writer) {
        let Self { generation, sealed } = self;
        writer.structure(tag::MATERIAL, |w| {
            w.interval(tag::GENERATION, *generation);
            sealed.write_fields(w);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.structure(tag::MATERIAL, |r| {
            Ok(Self {
                generation: r.interval(tag::GENERATION)?,
                sealed: Sealed::read_fields(r)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::KekId;
    use kmip_protocol::{AnyValue, VendorAttribute, VendorName};

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let mut attributes = AttributeSet::default();
        attributes.set(Attribute::ActivationDate(DateTime(7)));
        attributes.add(Attribute::Vendor(VendorAttribute {
            name: VendorName {
                vendor_identification: "x".into(),
                attribute_name: "Purpose".into(),
            },
            value: AnyValue::TextString("test".into()),
        }));
        attributes.set(Attribute::OperationPolicyName("default".into()));
        let object = Object {
            internal_id: [1; 16],
            unique_identifier: "a-b".into(),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 6,
            attributes,
            former: vec![1, 7],
            material: Some(Material {
                generation: 1,
                sealed: Sealed {
                    kek: KekId([4; 16]),
                    kek_generation: 1,
                    wrapped_dek: vec![5; 40],
                    blob: vec![6; 80],
                },
            }),
        };
        let bytes = object.encode();
        assert!(Object::decode(&bytes).is_ok_and(|read| read == object));
        assert!(Object::decode(&bytes[..bytes.len() - 8]).is_err());
    }

    #[test]
    fn what_dates_have_made_of_an_object_is_noted_with_the_last_of_them() {
        let mut attributes = AttributeSet::default();
        attributes.set(Attribute::ActivationDate(DateTime(50)));
        attributes.set(Attribute::DeactivationDate(DateTime(60)));
        attributes.set(Attribute::LastChangeDate(DateTime(5)));
        let mut object = Object {
            internal_id: [1; 16],
            unique_identifier: "a".into(),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 10,
            attributes,
            former: Vec::new(),
            material: None,
        };
        let changed = |object: &Object| object.attributes.first(AttributeKind::LastChangeDate).cloned();
        object.catch_up(49);
        assert_eq!(object.turns(), Some(50));
        assert!(changed(&object) == Some(Attribute::LastChangeDate(DateTime(5))));
        object.catch_up(55);
        assert_eq!(object.turns(), Some(60));
        assert!(changed(&object) == Some(Attribute::LastChangeDate(DateTime(50))));
        object.attributes.set(Attribute::LastChangeDate(DateTime(70)));
        object.catch_up(80);
        assert_eq!(object.turns(), None);
        assert!(changed(&object) == Some(Attribute::LastChangeDate(DateTime(70))));
    }
}
