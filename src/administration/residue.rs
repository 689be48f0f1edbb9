//! Key Residue (family 05): which KEKs can still open what a destroyed object was. Its material is gone from the live database; a backup from
//! before opens by the KEKs under which it lay then, while they are there.

use super::{desk, kek_life};
use crate::authority::Granted;
use crate::custody::KekState;
use crate::failure::{Failure, Fault};
use crate::objects::{self, Kept, index};
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::Key;
use kmip_protocol::{KeyResidueRequest, KeyResidueResponse, Residue};
use std::collections::BTreeSet;

/// Objects told of in one answer, looked at for it, passed over before them, and counted after them.
const MOST: usize = 10_000;

impl Handle for KeyResidueRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<KeyResidueResponse, Failure> {
        let domain = desk::domain(context)?;
        let keks = kek_life::keks_of(context, domain).await?;
        let left = keks.iter().filter(|kek| kek.state != KekState::Destroyed);
        let left: BTreeSet<u32> = left.map(|kek| kek.generation).collect();
        if let Some(identifier) = &self.unique_identifier {
            let object = look(context, objects::key(domain, identifier)).await?;
            let object = object.filter(|object| object.unique_identifier == *identifier);
            let object = object.ok_or(Failure::new(Fault::ObjectNotFound))?;
            return Ok(KeyResidueResponse {
                residues: vec![tell(&object, &left)?],
                remaining_count: None,
            });
        }
        let most = desk::count(self.maximum_items, MOST)?.min(MOST);
        let offset = desk::count(self.offset_items, 0)?;
        if offset > MOST {
            return Err(Fault::InvalidField.into());
        }
        let since = self.destroyed_since.map_or(i64::MIN, |since| since.0);
        let counted = offset.saturating_add(most).saturating_add(MOST);
        let query = index::destroyed_within(domain, (since, i64::MAX), counted);
        let mut hits = context.work.find(&query).await?.into_iter().skip(offset);
        let mut residues = Vec::new();
        for hit in hits.by_ref().take(most) {
            if let Some(object) = look(context, hit.key).await? {
                let destroyed = object.attributes.dates()?.destroy;
                if destroyed.is_some_and(|destroyed| destroyed >= since) {
                    residues.push(tell(&object, &left)?);
                }
            }
        }
        let remaining = i32::try_from(hits.count()).map_err(|_| Failure::new(Fault::Internal))?;
        Ok(KeyResidueResponse {
            residues,
            remaining_count: Some(remaining).filter(|remaining| *remaining > 0),
        })
    }
}

async fn look(context: &mut Context<'_>, key: Key) -> Result<Option<Kept>, Failure> {
    let Some(record) = context.work.peek(key).await? else {
        return Ok(None);
    };
    Ok(Some(Kept::read(records::open(&context.services.custody, &record)?)?))
}

fn tell(object: &Kept, left: &BTreeSet<u32>) -> Result<Residue, Failure> {
    let present = object.material.as_ref().map(|material| material.sealed.kek_generation);
    let lay: BTreeSet<u32> = object.former.iter().copied().chain(present).collect();
    let number = |generation: &u32| i32::try_from(*generation).map_err(|_| Failure::new(Fault::Internal));
    Ok(Residue {
        unique_identifier: object.unique_identifier.clone(),
        destroyed: object.attributes.dates()?.destroy.map(kmip_protocol::DateTime),
        kek_generations: lay.intersection(left).map(number).collect::<Result<_, _>>()?,
    })
}
