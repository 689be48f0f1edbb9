//! HSM Profile Abandon (family 04): an HSM is gone for good. Whether what lay there is destroyed can be verified by nobody, and so it is not
//! said. Protected KEKs go on with their other HSM-Profiles; what lay there alone is lost, with the records under it, and is asked for no
//! more. Each domain goes by a step of its own; what is interrupted goes on with a new approval.

use super::hsm_profile_life::{described, first_asked, keep};
use super::kek_end::step;
use super::{desk, hsm_profile, kek, reference};
use crate::audit::alarm::Event;
use crate::authority::{Granted, Origin, Target};
use crate::custody::{Abandonment, CustodyError, KekRecord, KekState, Links, ProfileId, ProfileRecord, Sharing};
use crate::failure::{Failure, Fault};
use crate::identity::{TenantRecord, kind};
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::{Domain, Work};
use kmip_protocol::{HsmProfileAbandonRequest, HsmProfileAbandonResponse, Operation};
use std::sync::Arc;

impl Handle for HsmProfileAbandonRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<HsmProfileAbandonResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (id, mut record) = judge(self, context).await?;
        let mut given_up = Abandonment {
            at_ms: context.now.0,
            proposal: match granted.origin() {
                Origin::Proposal(proposal) => proposal,
                Origin::Client | Origin::Server => [0; 16],
            },
            records: 0,
        };
        let domains = domains(context).await?;
        let mut keks = 0_i64;
        for (domain, _) in &domains {
            let lost = give_up(context, *domain, id, &record.name, given_up).await?;
            keks = keks.saturating_add(i64::try_from(lost.keks.len()).unwrap_or(i64::MAX));
            given_up.records = given_up.records.saturating_add(lost.records);
        }
        unlink(context, id, &domains).await?;
        // What was left over goes by the approval that it goes by; the profile was given up when it was.
        let before = record.abandoned.unwrap_or(given_up);
        record.abandoned = Some(Abandonment {
            records: given_up.records,
            ..before
        });
        record.management = None;
        if let Some(token) = &mut record.token {
            token.pin = Vec::new();
        }
        context.work.delete(hsm_profile::staged_place(id)).await?;
        keep(context, id, &record).await?;
        let (now, name) = (context.now, record.name.clone());
        context
            .batch
            .alarm(context.work, Event::HsmAbandoned, Domain::SYSTEM, now, &name);
        Ok(HsmProfileAbandonResponse {
            lost_keks: keks,
            lost_records: i64::try_from(given_up.records).unwrap_or(i64::MAX),
        })
    }

    /// Whose KEKs are lost is said, and how much lies under them.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = judge(self, context).await?;
        let mut description = format!("{}, given up for ever", described(&record));
        for (domain, name) in domains(context).await? {
            let keks = kek::unverified(&context.services.store, domain).await?;
            let lost = lost(context, domain, &keks, id).await?;
            if !lost.keks.is_empty() {
                description.push_str(&format!("; of {name} {}", lost.told()));
            }
        }
        Ok(Target {
            description: Some(description),
            records: vec![hsm_profile::place(id)],
            ..Target::default()
        })
    }
}

/// The profile, if it is one of an HSM that does not answer, and the system can do without.
async fn judge(
    request: &HsmProfileAbandonRequest,
    context: &mut Context<'_>,
) -> Result<(ProfileId, ProfileRecord), Failure> {
    let (id, record) = hsm_profile::named(context, Some(&request.hsm_profile_name)).await?;
    if record.abandoned.is_some() {
        return match is_left_over(context, id).await? {
            true => Ok((id, record)),
            false => Err(Fault::NotFound.into()),
        };
    }
    let benches = context.services.outfit.benches();
    if let Some(token) = &record.token {
        // Nobody has asked it: the settings have no way to it.
        benches.module(&token.module).map_err(first_asked)?;
    }
    let provider = context.services.custody.provider(id)?;
    match provider.health().await {
        Ok(()) => return Err(Fault::HsmAnswers.into()),
        // It is there, and refuses what it is shown.
        Err(error @ CustodyError::Credential) => return Err(first_asked(error)),
        Err(_) => {}
    }
    let keks = kek::unverified(&context.services.store, Domain::SYSTEM).await?;
    if keks.iter().any(|kek| is_lost(kek, id) && kek.state == KekState::Active) {
        return Err(Fault::SystemKekThere.into());
    }
    Ok((id, record))
}

/// Whether something lies in a profile that was given up already: what came back with an old database, or from a tenant that was held.
async fn is_left_over(context: &mut Context<'_>, id: ProfileId) -> Result<bool, Failure> {
    for (domain, _) in domains(context).await? {
        let keks = kek::unverified(&context.services.store, domain).await?;
        if keks.iter().any(|kek| kek.lies_in(id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All domains that can have a KEK there, by what they are called. Of deleted tenants there are those whose KEKs were not destroyed.
async fn domains(context: &mut Context<'_>) -> Result<Vec<(Domain, String)>, Failure> {
    let tenants = desk::all(context, Domain::SYSTEM, kind::TENANT, TenantRecord::decode).await?;
    let tenants = tenants.into_iter().filter(|(_, tenant)| tenant.purged_ms.is_none());
    let mut all: Vec<(Domain, String)> = tenants
        .map(|(id, tenant)| (Domain(id), format!("tenant {}", tenant.name)))
        .collect();
    all.sort_by(|(_, a), (_, b)| a.cmp(b));
    all.push((Domain::SYSTEM, "the system".to_owned()));
    Ok(all)
}

/// Whether a KEK opens by this profile and no other.
fn is_lost(kek: &KekRecord, profile: ProfileId) -> bool {
    !kek.is_over() && kek.profiles() == [profile]
}

/// What is lost of a domain, with what an interrupted run has given up before.
#[derive(Default)]
struct Lost {
    keks: Vec<u32>,
    records: u64,
    /// Whether nothing could be verified that was counted: the record key lies under these KEKs alone, or is not open now.
    is_unproven: bool,
}

impl Lost {
    fn told(&self) -> String {
        let keks: Vec<String> = self.keks.iter().map(u32::to_string).collect();
        let how = if self.is_unproven { " (counted unverified)" } else { "" };
        format!("KEK {} is LOST with {} records{how}", keks.join(", "), self.records)
    }

    fn add(&mut self, kek: &KekRecord, records: u64) {
        self.keks.push(kek.generation);
        self.records = self.records.saturating_add(records);
    }
}

async fn lost(context: &Context<'_>, domain: Domain, keks: &[KekRecord], profile: ProfileId) -> Result<Lost, Failure> {
    let mut lost = Lost::default();
    for kek in keks.iter().filter(|kek| kek.profiles() == [profile]) {
        if let Some(given_up) = kek.abandoned {
            lost.add(kek, given_up.records);
        }
    }
    if !keks.iter().any(|kek| is_lost(kek, profile)) {
        return Ok(lost);
    }
    // Of a deleted tenant no key is open, and of one whose keys lay there alone none opens any more.
    lost.is_unproven = context.services.custody.ready(domain).await.is_err();
    let tally = match lost.is_unproven {
        true => reference::tally_unproven(context.services, domain).await?,
        false => reference::tally(context.services, domain).await?,
    };
    for kek in keks.iter().filter(|kek| is_lost(kek, profile)) {
        lost.add(kek, tally.under(kek.id));
    }
    Ok(lost)
}

/// Gives up what a domain has in a profile, in a commit of its own. A domain whose record key is lost with it has nothing left that could be
/// signed, or read; one that another HSM would open is waited for.
async fn give_up(
    context: &mut Context<'_>,
    domain: Domain,
    profile: ProfileId,
    name: &str,
    given_up: Abandonment,
) -> Result<Lost, Failure> {
    let services = context.services;
    let (custody, store) = (&services.custody, &services.store);
    let keks = kek::unverified(store, domain).await?;
    let lost = lost(context, domain, &keks, profile).await?;
    if !keks.iter().any(|kek| kek.lies_in(profile)) {
        tell(context, domain, name, &lost);
        return Ok(lost);
    }
    let at_work = custody.is_at_work(domain);
    let opened = match at_work {
        true => custody.ready(domain).await.map_err(Failure::from),
        false => kek::open_doomed(custody, store, domain)
            .await
            .map(drop)
            .map_err(Failure::from),
    };
    let opens = |kek: &KekRecord| !is_lost(kek, profile) && (kek.is_live() || (!at_work && !kek.is_over()));
    let told = match opened {
        Ok(()) => put(context, domain, profile, given_up).await,
        Err(failure) if keks.iter().any(opens) => {
            tracing::error!(%domain, ?failure, "what a domain has in an HSM that is gone cannot be given up while its other HSMs are away");
            Err(Fault::CustodyUnavailable.into())
        }
        Err(failure) => {
            tracing::error!(%domain, ?failure, "the KEKs of a domain cannot be marked as given up: its record key is lost with them");
            let work = Work::new(Arc::clone(store));
            let words = "its record key is lost with an HSM that is given up";
            step(context, work, domain, Operation::HsmProfileAbandon, words).await
        }
    };
    match at_work {
        true => {
            if let Err(error) = kek::open_domain(custody, store, domain).await {
                tracing::error!(%domain, %error, "the keys of a domain cannot be opened without the HSM that is given up");
            }
        }
        false => custody.close_domain(domain),
    }
    told?;
    tell(context, domain, name, &lost);
    Ok(lost)
}

fn tell(context: &mut Context<'_>, domain: Domain, name: &str, lost: &Lost) {
    if !lost.keks.is_empty() {
        let (now, words) = (context.now, format!("{name}: {}", lost.told()));
        context
            .batch
            .alarm(context.work, Event::HsmAbandoned, domain, now, &words);
    }
}

async fn put(
    context: &Context<'_>,
    domain: Domain,
    profile: ProfileId,
    mut given_up: Abandonment,
) -> Result<(), Failure> {
    let services = context.services;
    let custody = &services.custody;
    let tally = reference::tally(services, domain).await?;
    let mut work = Work::new(Arc::clone(&services.store));
    work.read_guard(kek::guard(domain)).await?;
    work.bump_guard(kek::guard(domain));
    for record in work.all(domain, kek::KEK).await? {
        let known = KekRecord::decode(records::open(custody, &record)?)?;
        if !known.lies_in(profile) {
            continue;
        }
        given_up.records = tally.under(known.id);
        let rest = known.without(profile, given_up);
        let place = kek::place(domain, known.id);
        if known.state == KekState::Active && rest.is_over() {
            work.release(kek::active_claim(domain), place).await?;
        }
        kek::put(custody, &mut work, place, rest.encode()?).await?;
    }
    step(
        context,
        work,
        domain,
        Operation::HsmProfileAbandon,
        "what lay in an HSM that is gone is given up",
    )
    .await
}

/// Nobody may use it any more, and nobody holds shares of what opened it.
async fn unlink(context: &mut Context<'_>, profile: ProfileId, domains: &[(Domain, String)]) -> Result<(), Failure> {
    let custody = Arc::clone(&context.services.custody);
    for (domain, _) in domains {
        let mut links = hsm_profile::links(context, *domain).await?.0;
        if links.contains(&profile) {
            links.retain(|link| *link != profile);
            hsm_profile::put_links(&custody, context.work, *domain, &Links(links)).await?;
        }
        context.work.delete(Sharing::key(*domain, profile)).await?;
    }
    Ok(())
}
