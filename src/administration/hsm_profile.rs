//! HSM-Profiles, as they are kept: records in the system's domain, with the names that they have there, and the links that say which
//! domain may use which. They are read before any MAC can be checked, as KEKs are; it is checked once the system's domain is open.

use super::{AdministrationError, desk, kek};
use crate::custody::{Custody, CustodyError, Links, Outfit, ProfileId, ProfileRecord, Reservoir, StagedPin};
use crate::failure::{Failure, Fault};
use crate::operations::Context;
use crate::records;
use crate::store::{ClaimKey, Domain, GuardKey, Key, Kind, Record, Store, Taken, Work};
use std::sync::Arc;

/// An HSM-Profile, in the system's domain.
pub const PROFILE: Kind = Kind(0x23);
/// The HSM-Profiles of a domain, in the system's domain; the id is the domain.
pub const LINKS: Kind = Kind(0x24);
/// The PIN that the token of an HSM-Profile is being changed to, in the system's domain; the id is the profile's.
pub const STAGED: Kind = Kind(0x22);
/// The name of an HSM-Profile.
const NAME: u8 = 0x23;
/// The links to one HSM-Profile, for decisions over all of them.
const LINKED: u8 = 0x24;
/// HSM-Profiles of an installation at most: each has a worker process.
pub const MOST: usize = 256;

/// Where an HSM-Profile is kept.
pub const fn place(profile: ProfileId) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: PROFILE,
        id: profile.0,
    }
}

/// Where the PIN is kept that its token is being changed to.
pub(super) const fn staged_place(profile: ProfileId) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: STAGED,
        id: profile.0,
    }
}

/// Where the links of a domain are kept.
pub const fn links_place(domain: Domain) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: LINKS,
        id: domain.0,
    }
}

/// The claim on a name.
pub(super) fn name_claim(name: &str) -> ClaimKey {
    ClaimKey::new(Domain::SYSTEM, NAME, name.as_bytes())
}

/// The guard of the links to a profile: whoever deletes it has looked at all of them.
pub(super) const fn guard(profile: ProfileId) -> GuardKey {
    GuardKey {
        domain: Domain::SYSTEM,
        set: LINKED,
        id: profile.0,
    }
}

/// Writes a profile, under its name.
pub async fn put(
    custody: &Custody,
    work: &mut Work,
    id: ProfileId,
    record: &ProfileRecord,
) -> Result<(), AdministrationError> {
    if let Taken::By(holder) = work.take(name_claim(&record.name), place(id)).await?
        && holder != place(id)
    {
        return Err(AdministrationError::Enroll(crate::identity::EnrollError::Taken));
    }
    kek::put(custody, work, place(id), record.encode()).await
}

/// Writes the links of a domain.
pub async fn put_links(
    custody: &Custody,
    work: &mut Work,
    domain: Domain,
    links: &Links,
) -> Result<(), AdministrationError> {
    for profile in &links.0 {
        work.bump_guard(guard(*profile));
    }
    kek::put(custody, work, links_place(domain), links.encode()).await
}

/// The HSM-Profiles of a domain.
pub(super) async fn links(context: &mut Context<'_>, domain: Domain) -> Result<Links, Failure> {
    let links = desk::read(context, links_place(domain), Links::decode).await?;
    Ok(links.unwrap_or_default())
}

/// The HSM-Profile of this name, if the domain may use it; without a name, the domain's first. One that only others may use does not
/// exist: what is read depends on the domain's own links alone.
pub(super) async fn find(
    context: &mut Context<'_>,
    domain: Domain,
    name: Option<&str>,
) -> Result<(ProfileId, ProfileRecord), Failure> {
    let mut found = None;
    for id in links(context, domain).await?.0 {
        let record = load(context, id).await?.ok_or(Failure::new(Fault::Internal))?;
        let wanted = name.is_none_or(|name| name == record.name);
        if wanted && found.is_none() {
            found = Some((id, record));
        }
    }
    found.ok_or(Failure::new(Fault::NotFound))
}

/// The names of a domain's HSM-Profiles.
pub(super) async fn names_of(context: &mut Context<'_>, domain: Domain) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for id in links(context, domain).await?.0 {
        names.extend(load(context, id).await?.map(|record| record.name));
    }
    Ok(names)
}

/// The HSM-Profile of this name, for those who administer them all; without a name, the system's own.
pub(super) async fn named(
    context: &mut Context<'_>,
    name: Option<&str>,
) -> Result<(ProfileId, ProfileRecord), Failure> {
    let Some(name) = name else {
        return find(context, Domain::SYSTEM, None).await;
    };
    let (id, record) = desk::claimed(context, name_claim(name), PROFILE, ProfileRecord::decode).await?;
    Ok((ProfileId(id), record))
}

/// An HSM-Profile, if there is one.
pub(super) async fn load(context: &mut Context<'_>, id: ProfileId) -> Result<Option<ProfileRecord>, Failure> {
    desk::read(context, place(id), ProfileRecord::decode).await
}

/// Puts all HSM-Profiles to work, before any domain is opened. One that is away delays nothing.
pub async fn open_all(custody: &Custody, outfit: &Outfit, store: &Arc<dyn Store>) -> Result<(), AdministrationError> {
    for record in all(store).await? {
        let id = ProfileId(record.key.id);
        let staged = staged(store, id).await?;
        outfit.put_to_work(custody, id, &decode(&record)?, staged.as_ref());
    }
    Ok(())
}

/// Checks the MACs of what [`open_all`] has read, now that they can be.
pub async fn verify_all(custody: &Custody, store: &Arc<dyn Store>) -> Result<(), AdministrationError> {
    for record in all(store).await? {
        records::open(custody, &record).map_err(|_| damaged())?;
    }
    Ok(())
}

/// Has randomness drawn from the profile of this name, or from the first one with a token.
///
/// # Errors
/// There is none, or its PIN does not open.
pub async fn draw_randomness(
    outfit: &Outfit,
    store: &Arc<dyn Store>,
    reservoir: Reservoir,
    name: Option<&str>,
) -> Result<(), AdministrationError> {
    for record in all(store).await? {
        let profile = decode(&record)?;
        if profile.token.is_some() && name.is_none_or(|name| name == profile.name) {
            let id = ProfileId(record.key.id);
            let staged = staged(store, id).await?;
            return Ok(outfit.draw(reservoir, id, &profile, staged.as_ref())?);
        }
    }
    Err(CustodyError::UnknownProfile.into())
}

/// Puts to work what is kept of a profile now, and opens anew whatever lies in it.
pub async fn changed(
    custody: &Custody,
    outfit: &Outfit,
    store: &Arc<dyn Store>,
    profile: ProfileId,
) -> Result<(), AdministrationError> {
    match store.load(place(profile)).await? {
        Some(record) => {
            records::open(custody, &record)?;
            let staged = staged(store, profile).await?;
            outfit.put_to_work(custody, profile, &decode(&record)?, staged.as_ref());
        }
        None => custody.remove_provider(profile),
    }
    for domain in custody.domains_in(profile) {
        if let Err(error) = kek::open_domain(custody, store, domain).await {
            tracing::error!(%error, %domain, "the keys of a domain could not be opened anew");
        }
    }
    Ok(())
}

/// The PIN that its token is being changed to, if that was begun. It is sealed for its token, whatever its MAC.
pub(super) async fn staged(
    store: &Arc<dyn Store>,
    profile: ProfileId,
) -> Result<Option<StagedPin>, AdministrationError> {
    let Some(record) = store.load(staged_place(profile)).await? else {
        return Ok(None);
    };
    let (body, _) = records::parts(&record.body).ok_or_else(damaged)?;
    StagedPin::decode(body).map(Some).map_err(|_| damaged())
}

async fn all(store: &Arc<dyn Store>) -> Result<Vec<Record>, AdministrationError> {
    Ok(store.scan(Domain::SYSTEM, PROFILE, None, MOST).await?)
}

fn decode(record: &Record) -> Result<ProfileRecord, AdministrationError> {
    let (body, _) = records::parts(&record.body).ok_or_else(damaged)?;
    ProfileRecord::decode(body).map_err(|_| damaged())
}

const fn damaged() -> AdministrationError {
    AdministrationError::Damaged(PROFILE.0)
}
