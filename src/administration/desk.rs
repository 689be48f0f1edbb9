//! What all handlers of administration share: whose domain it is, records by name, what may be a name, what is told to those who
//! remember.

use crate::authority::Origin;
use crate::failure::{Failure, Fault};
use crate::identity::name::is_name;
use crate::identity::{ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Enroll, Id};
use crate::objects::index;
use crate::operations::Context;
use crate::operations::keeper::Keeper;
use crate::records;
use crate::store::{ClaimKey, Domain, Key, Kind};
use ring::digest;
use std::sync::Arc;

/// Records to a page of a scan.
const PAGE: usize = 256;

/// Records that a list or a check over a whole set looks at. Sets of administration are smaller; the bound keeps a request short.
const MOST: usize = 100_000;

/// The domain in which a request acts: that of whoever makes it.
pub(super) fn domain(context: &Context<'_>) -> Result<Domain, Failure> {
    context.principal.domain().ok_or(Failure::new(Fault::NotAuthenticated))
}

/// A name of what clients name too is ASCII besides, so that it can be typed everywhere and looks like what it is.
pub(super) fn name(text: &str) -> Result<&str, Failure> {
    let fits = is_name(text) && text.is_ascii();
    fits.then_some(text).ok_or(Failure::new(Fault::InvalidName))
}

/// What writes records of identity into the unit of work.
pub(super) struct Registrar(Keeper);

impl Registrar {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self(Keeper(Arc::clone(&context.services.custody)))
    }

    pub(super) fn enroll<'a>(&'a self, context: &'a mut Context<'_>) -> Enroll<'a> {
        Enroll::new(context.work, &self.0)
    }
}

/// A record, if it is there.
pub(super) async fn read<T>(
    context: &mut Context<'_>,
    key: Key,
    decode: impl FnOnce(&[u8]) -> kmip_ttlv::Result<T>,
) -> Result<Option<T>, Failure> {
    let Some(record) = context.work.load(key).await? else {
        return Ok(None);
    };
    Ok(Some(decode(records::open(&context.services.custody, &record)?)?))
}

/// The record that holds a claim.
pub(super) async fn claimed<T>(
    context: &mut Context<'_>,
    claim: ClaimKey,
    kind: Kind,
    decode: impl FnOnce(&[u8]) -> kmip_ttlv::Result<T>,
) -> Result<(Id, T), Failure> {
    let holder = context.work.claimed(&claim).await?;
    let key = holder.filter(|key| key.kind == kind);
    let key = key.ok_or(Failure::new(Fault::NotFound))?;
    let record = read(context, key, decode).await?;
    Ok((key.id, record.ok_or(Failure::new(Fault::NotFound))?))
}

/// The client of this name.
pub(super) async fn client(context: &mut Context<'_>, name: &str) -> Result<(ClientId, ClientRecord), Failure> {
    let tenant = domain(context)?;
    let claim = ClientRecord::name_claim(tenant, name);
    let (client, record) = claimed(context, claim, crate::identity::kind::CLIENT, ClientRecord::decode).await?;
    Ok((ClientId { tenant, client }, record))
}

/// The application of this name.
pub(super) async fn application(context: &mut Context<'_>, name: &str) -> Result<(Id, ApplicationRecord), Failure> {
    let claim = ApplicationRecord::name_claim(domain(context)?, name);
    let kind = crate::identity::kind::APPLICATION;
    claimed(context, claim, kind, ApplicationRecord::decode).await
}

/// The authority of this name.
pub(super) async fn authority(context: &mut Context<'_>, name: &str) -> Result<(Id, AuthorityRecord), Failure> {
    let claim = AuthorityRecord::name_claim(domain(context)?, name);
    let kind = crate::identity::kind::AUTHORITY;
    claimed(context, claim, kind, AuthorityRecord::decode).await
}

/// All records of a kind, as they are committed: for lists, and for checks over sets whose guard was read.
pub(super) async fn all<T>(
    context: &Context<'_>,
    domain: Domain,
    kind: Kind,
    decode: impl Fn(&[u8]) -> kmip_ttlv::Result<T>,
) -> Result<Vec<(Id, T)>, Failure> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = context.services.store.scan(domain, kind, after, PAGE).await?;
        after = page.last().map(|record| record.key.id);
        for record in &page {
            let bytes = records::open(&context.services.custody, record)?;
            found.push((record.key.id, decode(bytes)?));
        }
        if page.len() < PAGE {
            return Ok(found);
        }
        if found.len() >= MOST {
            return Err(Fault::LimitExceeded.into());
        }
        crate::wait::breathe().await;
    }
}

/// A number that a request gives, or leaves to the server.
pub(super) fn count(given: Option<i32>, absent: usize) -> Result<usize, Failure> {
    given.map_or(Ok(absent), |number| {
        usize::try_from(number).map_err(|_| Failure::new(Fault::InvalidField))
    })
}

/// A part of a list.
pub(super) fn part<T>(list: Vec<T>, offset: Option<i32>, most: Option<i32>) -> Result<Vec<T>, Failure> {
    let (offset, most) = (count(offset, 0)?, count(most, usize::MAX)?);
    Ok(list.into_iter().skip(offset).take(most).collect())
}

/// Whether an application owns objects, destroyed ones included.
pub(super) async fn owns_objects(context: &mut Context<'_>, tenant: Domain, application: Id) -> Result<bool, Failure> {
    let hits = context.work.find(&index::first(tenant, application)).await?;
    Ok(!hits.is_empty())
}

/// Whether any application of a tenant owns objects.
pub(super) async fn tenant_owns_objects(context: &mut Context<'_>, tenant: Domain) -> Result<bool, Failure> {
    let kind = crate::identity::kind::APPLICATION;
    for (application, _) in all(context, tenant, kind, ApplicationRecord::decode).await? {
        if owns_objects(context, tenant, application).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses what no proposal carries out, whatever a policy says or forgets: people have agreed to a tenant and to a KEK, or there is
/// none.
pub(super) fn agreed(origin: Origin, context: &Context<'_>) -> Result<(), Failure> {
    if matches!(origin, Origin::Proposal(_)) || context.services.policies.are_optional() {
        return Ok(());
    }
    Err(Fault::ApprovalRequired.into())
}

/// An identifier that a proposal makes once: a run that follows one that was interrupted finds what that one made.
pub(super) fn made_by(origin: Origin, what: &str, context: &Context<'_>) -> Result<Id, Failure> {
    let Origin::Proposal(proposal) = origin else {
        return Ok(context.services.randomness.array()?);
    };
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&context.services.installation.instance);
    hash.update(&proposal);
    hash.update(what.as_bytes());
    let digest = hash.finish();
    Ok(digest.as_ref().first_chunk().copied().unwrap_or_default())
}

/// Says in the item's audit record what it acted on, once that is written or deleted.
pub(super) fn touch(context: &mut Context<'_>, what: &str, name: &str, key: Key) -> Result<(), Failure> {
    context.touch(format!("{what} {name}"), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_short() {
        let longest = "x".repeat(64);
        for good in ["a", "Acme Ltd.", "a_b-c@d", longest.as_str()] {
            assert!(name(good).is_ok(), "{good}");
        }
        let longer = "x".repeat(65);
        for bad in [
            "",
            " a",
            "a ",
            "a  b",
            "a\tb",
            "a\nb",
            "\u{fc}ber",
            "\u{202e}a",
            "a\u{7f}",
            longer.as_str(),
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parts_of_lists_are_cut_out() {
        let part = |offset, most| part(vec![1, 2, 3], offset, most).ok();
        assert_eq!(part(None, None), Some(vec![1, 2, 3]));
        assert_eq!(part(Some(1), Some(1)), Some(vec![2]));
        assert_eq!(part(Some(5), None), Some(vec![]));
        assert_eq!(part(Some(-1), None), None);
        assert_eq!(part(None, Some(-1)), None);
    }
}
