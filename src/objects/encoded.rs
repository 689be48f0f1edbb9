//! The attributes of an object as its record has them: decoded one by one, when they are asked for. Most operations look at a
//! few of the dozen that a key has, and to build the others would be the larger part of reading its record.

use super::attributes::{AttributeSet, Instance, truth};
use super::record::tag;
use super::state::Dates;
use kmip_protocol::{
    Attribute, AttributeKind, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask,
};
use kmip_ttlv::{ErrorKind, Reader, Result, Value};

/// Attributes in the encoding of a record. Whether an attribute can be read shows when it is asked for.
#[derive(Clone, PartialEq)]
pub struct EncodedAttributes(Vec<u8>);

impl EncodedAttributes {
    /// Takes over the instances that remain of a record.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let bytes = reader.remaining().to_vec();
        while !reader.is_empty() {
            reader.item()?;
        }
        Ok(Self(bytes))
    }

    /// All of them, decoded.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn decode(&self) -> Result<AttributeSet> {
        // A key has about a dozen: no moving while they are read.
        let mut instances = Vec::with_capacity(16);
        for instance in self.instances() {
            instances.push(instance?.decode()?);
        }
        Ok(AttributeSet::from_instances(instances))
    }

    /// The first instance of an attribute of the specification.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn first(&self, kind: AttributeKind) -> Result<Option<Attribute>> {
        for instance in self.instances() {
            let instance = instance?;
            if instance.is(kind) {
                return instance.decode().map(|instance| Some(instance.attribute));
            }
        }
        Ok(None)
    }

    /// The dates and facts that the state depends on.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn dates(&self) -> Result<Dates> {
        let mut dates = Dates::default();
        for instance in self.instances() {
            let instance = instance?;
            if Dates::KINDS.iter().any(|kind| instance.is(*kind)) {
                dates.note(&instance.decode()?.attribute);
            }
        }
        Ok(dates)
    }

    /// A Boolean attribute, or what holds where it is not set.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn flag(&self, kind: AttributeKind, otherwise: bool) -> Result<bool> {
        let attribute = self.first(kind)?;
        Ok(attribute.as_ref().and_then(truth).unwrap_or(otherwise))
    }

    /// The Cryptographic Usage Mask; nothing is permitted where there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn usage_mask(&self) -> Result<CryptographicUsageMask> {
        Ok(match self.first(AttributeKind::CryptographicUsageMask)? {
            Some(Attribute::CryptographicUsageMask(mask)) => mask,
            _ => CryptographicUsageMask::NONE,
        })
    }

    /// The Cryptographic Algorithm.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn algorithm(&self) -> Result<Option<CryptographicAlgorithm>> {
        Ok(match self.first(AttributeKind::CryptographicAlgorithm)? {
            Some(Attribute::CryptographicAlgorithm(algorithm)) => Some(algorithm),
            _ => None,
        })
    }

    /// Every instance of Cryptographic Parameters. The first is what an operation uses that names none (KMIP 1.4 §4.29).
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn parameters(&self) -> Result<Vec<CryptographicParameters>> {
        let mut found = Vec::new();
        for instance in self.instances() {
            let instance = instance?;
            if instance.is(AttributeKind::CryptographicParameters)
                && let Attribute::CryptographicParameters(parameters) = instance.decode()?.attribute
            {
                found.push(*parameters);
            }
        }
        Ok(found)
    }

    fn instances(&self) -> Instances<'_> {
        Instances(Reader::new(&self.0))
    }
}

/// The instances that remain.
struct Instances<'a>(Reader<'a>);

impl<'a> Iterator for Instances<'a> {
    type Item = Result<EncodedInstance<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| EncodedInstance::next(&mut self.0))
    }
}

/// One instance: its index, and a reader that stands before its attribute.
struct EncodedInstance<'a> {
    index: i32,
    attribute: Reader<'a>,
}

impl<'a> EncodedInstance<'a> {
    fn next(reader: &mut Reader<'a>) -> Result<Self> {
        let (found, value) = reader.item()?;
        let (tag::INSTANCE, Value::Structure(mut inner)) = (found, value) else {
            return Err(reader.error(ErrorKind::Unexpected(Some(found))));
        };
        Ok(Self {
            index: inner.integer(tag::INDEX)?,
            attribute: inner,
        })
    }

    fn is(&self, kind: AttributeKind) -> bool {
        self.attribute.at(kind.tag())
    }

    fn decode(mut self) -> Result<Instance> {
        let attribute = Attribute::read_stored(&mut self.attribute)?;
        self.attribute.finish()?;
        Ok(Instance {
            index: self.index,
            attribute,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Kept, Object};
    use super::*;
    use kmip_protocol::{BlockCipherMode, DateTime, ObjectType};
    use kmip_ttlv::Writer;

    const MODES: [BlockCipherMode; 2] = [BlockCipherMode::GCM, BlockCipherMode::CBC];

    fn kept(attributes: Vec<Attribute>) -> (Object, Kept) {
        let mut set = AttributeSet::default();
        attributes.into_iter().for_each(|attribute| {
            set.add(attribute);
        });
        let object = Object {
            internal_id: [1; 16],
            unique_identifier: "u".into(),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 0,
            attributes: set,
            material: None,
            former: Vec::new(),
        };
        let kept = Kept::read(&object.encode()).unwrap();
        (object, kept)
    }

    #[test]
    fn asked_one_by_one_they_are_what_they_are_together() {
        let dates: [fn(DateTime) -> Attribute; 9] = [
            Attribute::ActivationDate,
            Attribute::InitialDate,
            Attribute::ProcessStartDate,
            Attribute::ProtectStopDate,
            Attribute::DeactivationDate,
            Attribute::CompromiseDate,
            Attribute::DestroyDate,
            Attribute::ArchiveDate,
            Attribute::LastChangeDate,
        ];
        let mut all: Vec<Attribute> = (1..).zip(dates).map(|(n, date)| date(DateTime(n))).collect();
        all.extend([Attribute::Sensitive(true), Attribute::ObjectGroup("a".into())]);
        all.extend([
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        ]);
        all.extend(MODES.map(|mode| {
            Attribute::CryptographicParameters(Box::new(CryptographicParameters {
                block_cipher_mode: Some(mode),
                ..CryptographicParameters::default()
            }))
        }));
        let (object, kept) = kept(all);
        assert_eq!(kept.attributes.dates(), Ok(object.attributes.dates()));
        assert!(Dates::KINDS.iter().all(|kind| object.attributes.has(*kind)));
        for kind in AttributeKind::ALL {
            assert!(kept.attributes.first(*kind).unwrap().as_ref() == object.attributes.first(*kind));
            for otherwise in [false, true] {
                let flag = object.attributes.flag(*kind, otherwise);
                assert_eq!(kept.attributes.flag(*kind, otherwise), Ok(flag));
            }
        }
        assert_eq!(kept.attributes.usage_mask(), Ok(CryptographicUsageMask::Encrypt));
        assert_eq!(kept.attributes.algorithm(), Ok(Some(CryptographicAlgorithm::AES)));
        let modes = kept
            .attributes
            .parameters()
            .unwrap()
            .into_iter()
            .map(|p| p.block_cipher_mode);
        assert_eq!(modes.collect::<Vec<_>>(), MODES.map(Some));
        assert!(kept.whole().unwrap() == object);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_when_it_is_asked_for() {
        let mut writer = Writer::new();
        writer.structure(tag::INSTANCE, |w| {
            w.integer(tag::INDEX, 0);
            // A date that is none.
            w.integer(AttributeKind::DestroyDate.tag(), 1);
        });
        let attributes = EncodedAttributes::read(&mut Reader::new(writer.as_bytes())).unwrap();
        assert!(attributes.dates().is_err());
        assert!(attributes.first(AttributeKind::DestroyDate).is_err());
        assert!(attributes.decode().is_err());
        assert_eq!(attributes.flag(AttributeKind::Fresh, true), Ok(true));
    }
}
