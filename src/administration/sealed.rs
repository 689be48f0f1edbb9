//! Small secrets of people, sealed by custody under a KEK of their domain and bound to the person.

use crate::custody::{Custody, CustodyError, SealContext, Sealed};
use crate::identity::PersonId;
use crate::store::Work;
use kmip_ttlv::{Reader, Secret, Tag, Writer};

// An extension of our own that never leaves the server.
const SEALED: Tag = Tag(0x54_E140);

/// In place of an object type: no number of KMIP's, so that nothing sealed here opens as an object.
const ONE_TIME_SECRET: u32 = 0x8000_0014;

pub(super) const fn context(person: PersonId) -> SealContext {
    SealContext {
        internal_id: person.person,
        generation: 1,
        object_type: ONE_TIME_SECRET,
    }
}

/// Seals a person's one-time secret, to be kept by this unit of work.
pub async fn seal(
    custody: &Custody,
    work: &mut Work,
    person: PersonId,
    secret: &Secret,
) -> Result<Vec<u8>, CustodyError> {
    let sealed = custody
        .seal(person.domain, context(person), secret)
        .await?
        .settle_in(work);
    Ok(write(&sealed))
}

pub(super) fn write(sealed: &Sealed) -> Vec<u8> {
    let mut writer = Writer::new();
    sealed.write(&mut writer, SEALED);
    writer.into_bytes()
}

/// Opens what [`seal`] gave.
pub async fn open(custody: &Custody, person: PersonId, sealed: &[u8]) -> Result<Secret, CustodyError> {
    let sealed = read(sealed).ok_or(CustodyError::Record)?;
    custody.open(person.domain, context(person), &sealed).await
}

pub(super) fn read(bytes: &[u8]) -> Option<Sealed> {
    let mut reader = Reader::new(bytes);
    let sealed = Sealed::read(&mut reader, SEALED).ok()?;
    reader.finish().ok()?;
    Some(sealed)
}
