//! Small secrets of people, sealed by custody under a KEK of their domain and bound to the person.

use crate::custody::{Custody, CustodyError, KekId, SealContext, Sealed};
use crate::identity::PersonId;
use kmip_ttlv::{Reader, Secret, Tag, Writer};

// Tags of this encoding: extensions of our own that never leave the server.
const SEALED: Tag = Tag(0x54_E140);
const KEK: Tag = Tag(0x54_E141);
const KEK_GENERATION: Tag = Tag(0x54_E142);
const DEK: Tag = Tag(0x54_E143);
const BLOB: Tag = Tag(0x54_E144);

/// In place of an object type: no number of KMIP's, so that nothing sealed here opens as an object.
const ONE_TIME_SECRET: u32 = 0x8000_0014;

const fn context(person: PersonId) -> SealContext {
    SealContext {
        internal_id: person.person,
        generation: 1,
        object_type: ONE_TIME_SECRET,
    }
}

/// Seals a person's one-time secret.
pub async fn seal(custody: &Custody, person: PersonId, secret: &Secret) -> Result<Vec<u8>, CustodyError> {
    let Sealed {
        kek,
        kek_generation,
        wrapped_dek,
        blob,
    } = custody.seal(person.domain, context(person), secret).await?;
    let mut writer = Writer::new();
    writer.structure(SEALED, |w| {
        w.bytes(KEK, &kek.0);
        w.long_integer(KEK_GENERATION, i64::from(kek_generation));
        w.bytes(DEK, &wrapped_dek);
        w.bytes(BLOB, &blob);
    });
    Ok(writer.into_bytes())
}

/// Opens what [`seal`] gave.
pub async fn open(custody: &Custody, person: PersonId, sealed: &[u8]) -> Result<Secret, CustodyError> {
    let sealed = read(sealed).ok_or(CustodyError::Record)?;
    custody.open(person.domain, context(person), &sealed).await
}

fn read(bytes: &[u8]) -> Option<Sealed> {
    let mut reader = Reader::new(bytes);
    let fields = reader.structure(SEALED, |r| {
        Ok((
            r.bytes(KEK)?.to_vec(),
            r.long_integer(KEK_GENERATION)?,
            r.bytes(DEK)?.to_vec(),
            r.bytes(BLOB)?.to_vec(),
        ))
    });
    let (kek, generation, wrapped_dek, blob) = fields.ok()?;
    reader.finish().ok()?;
    Some(Sealed {
        kek: KekId(kek.try_into().ok()?),
        kek_generation: u32::try_from(generation).ok()?,
        wrapped_dek,
        blob,
    })
}
