//! Shares of key-management credentials that votes carry: told to their holders, checked, kept in secret memory until the proposal ends.
//! What needs a credential is not carried out before enough of them are there.

use super::Context;
use crate::authority::electorate;
use crate::authority::proposal::ProposalRecord;
use crate::custody::ProfileId;
use crate::custody::sharing::{EnrolledKey, Occasion, SHARE_KEY, Sharing, Slot};
use crate::failure::{Failure, Fault};
use crate::identity::Id;
use crate::operations::keeper::Keeper;
use crate::records;
use crate::store::Key;
use kmip_protocol::{HeldShare, OpenedShare};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a credential is shared, if it is.
pub async fn load(context: &mut Context<'_>, key: Key) -> Result<Option<Sharing>, Failure> {
    let Some(record) = context.work.load(key).await? else {
        return Ok(None);
    };
    Ok(Some(Sharing::decode(records::open(
        &context.services.custody,
        &record,
    )?)?))
}

/// How the credentials are shared that a proposal needs.
pub async fn needed(context: &mut Context<'_>, proposal: &ProposalRecord) -> Result<Vec<Sharing>, Failure> {
    let mut sharings = Vec::with_capacity(proposal.target.sharings.len());
    for key in &proposal.target.sharings {
        sharings.extend(load(context, *key).await?);
    }
    if let Some(recovery) = &proposal.target.recovery {
        sharings.push(held(context, Sharing::decode(recovery)?).await?);
    }
    Ok(sharings)
}

/// How the KEK of a backup is shared, by who has the share keys here.
pub async fn held(context: &mut Context<'_>, sharing: Sharing) -> Result<Sharing, Failure> {
    let domain = context
        .principal
        .domain()
        .ok_or(Failure::new(Fault::NotAuthenticated))?;
    let mut holders = BTreeMap::new();
    for record in context.work.all(domain, SHARE_KEY).await? {
        let enrolled = EnrolledKey::decode(records::open(&context.services.custody, &record)?)?;
        if enrolled.revoked_ms.is_none() {
            holders.insert(enrolled.key.fingerprint(), record.key.id);
        }
    }
    Ok(sharing.held_by(|fingerprint| holders.get(fingerprint).copied()))
}

/// A proposal of whoever asks, as what was opened for it is known by.
pub fn occasion(context: &Context<'_>, proposal: &[u8; 16]) -> Result<Occasion, Failure> {
    let domain = context.principal.domain();
    Ok((domain.ok_or(Failure::new(Fault::NotAuthenticated))?, *proposal))
}

/// Whether those who agree have opened all that a proposal needs. What others have opened is forgotten: who has taken his vote back or was
/// suspended meanwhile, or whose vote was never committed.
pub async fn are_open(context: &mut Context<'_>, proposal: &ProposalRecord) -> Result<bool, Failure> {
    let sharings = needed(context, proposal).await?;
    if sharings.is_empty() {
        return Ok(true);
    }
    let occasion = occasion(context, &proposal.id)?;
    let keeper = Keeper(Arc::clone(&context.services.custody));
    let people = electorate(occasion.0, context.work, &keeper).await?;
    let openings = context.services.custody.openings();
    openings.keep_of(&occasion, |person| {
        proposal.approves(person) && people.member(person).is_some_and(|member| member.active)
    });
    Ok(sharings
        .iter()
        .all(|sharing| openings.is_sufficient(&occasion, sharing)))
}

/// Refuses to go on before they have.
pub async fn ensure_open(context: &mut Context<'_>, proposal: &ProposalRecord) -> Result<(), Failure> {
    match are_open(context, proposal).await? {
        true => Ok(()),
        false => Err(Fault::AwaitingShares.into()),
    }
}

/// What somebody holds who has a part in a proposal.
#[derive(Default)]
pub struct Standing {
    /// What he has not handed in, of which profiles' credentials.
    pub held: Vec<(ProfileId, HeldShare)>,
    /// Who has handed in all of theirs, among those who agree.
    pub givers: Vec<Id>,
    /// Whether what was handed in is too little.
    pub awaited: bool,
}

/// How it stands with the shares of a live proposal, for this reader.
pub async fn standing(context: &mut Context<'_>, proposal: &ProposalRecord, reader: &Id) -> Result<Standing, Failure> {
    let mut standing = Standing::default();
    let target = &proposal.target;
    if !proposal.is_live() || (target.sharings.is_empty() && target.recovery.is_none()) {
        return Ok(standing);
    }
    let sharings = needed(context, proposal).await?;
    let occasion = occasion(context, &proposal.id)?;
    let openings = context.services.custody.openings();
    let has_all = |person: &Id| {
        let own = |sharing: &&Sharing| !sharing.slots(person).is_empty();
        let mut holds = sharings.iter().filter(own).peekable();
        holds.peek().is_some() && holds.all(|sharing| openings.has_all_of(&occasion, sharing, person))
    };
    let mut givers: Vec<Id> = proposal.ballots().iter().map(|ballot| ballot.person).collect();
    givers.sort_unstable();
    givers.dedup();
    givers.retain(|person| proposal.approves(person) && has_all(person));
    standing.givers = givers;
    for sharing in &sharings {
        standing.awaited |= !openings.is_sufficient(&occasion, sharing);
        if openings.has_all_of(&occasion, sharing, reader) {
            continue;
        }
        let profile = sharing.binding.profile;
        let held = sharing.slots(reader).into_iter().map(|slot| (profile, told(slot)));
        standing.held.extend(held);
    }
    Ok(standing)
}

fn told(slot: Slot) -> HeldShare {
    let Slot {
        place: _,
        context,
        key_fingerprint,
        commitment,
        envelope,
    } = slot;
    HeldShare {
        hsm_profile_name: None,
        key_fingerprint: key_fingerprint.to_vec(),
        share_context: context,
        share_commitment: commitment.to_vec(),
        encapsulated_key: envelope.encapsulated,
        sealed_share: envelope.sealed,
    }
}

/// Takes what a person has opened who agrees to a proposal. All of it is right, or it is refused.
pub async fn hand_in(
    context: &mut Context<'_>,
    proposal: &ProposalRecord,
    person: &Id,
    opened: &[OpenedShare],
) -> Result<(), Failure> {
    let sharings = needed(context, proposal).await?;
    let slots: Vec<(&Sharing, Slot)> = sharings
        .iter()
        .flat_map(|sharing| sharing.slots(person).into_iter().map(move |slot| (sharing, slot)))
        .collect();
    if opened.is_empty() || opened.len() > slots.len() {
        return Err(Fault::ShareRefused.into());
    }
    let refused = || Failure::new(Fault::ShareRefused);
    let mut right = Vec::with_capacity(opened.len());
    for share in opened {
        let found = slots.iter().find(|(_, slot)| slot.context == share.share_context);
        let (sharing, slot) = found
            .filter(|(_, slot)| slot.is(share.share.expose()))
            .ok_or_else(refused)?;
        right.push((*sharing, slot, share));
    }
    let until = (context.now.0, proposal.latest_ms());
    let occasion = occasion(context, &proposal.id)?;
    for (sharing, slot, share) in right {
        let custody = &context.services.custody;
        custody.hand_in(&occasion, (sharing, slot, person), share.share.expose(), until)?;
    }
    Ok(())
}
