//! HSM Profile Abandon (family 04): an HSM is gone for good. Whether what lay there is destroyed can be verified by nobody, and so it is not
//! said. Protected KEKs go on with their other HSM-Profiles; what lay there alone is lost, with the records under it, and is asked for no
//! more. Each domain goes by a step of its own; what is interrupted goes on with a new approval.

use super::hsm_profile_life::{described, keep};
use super::kek_end::step;
use super::{desk, hsm_profile, kek, reference};
use crate::audit::alarm::Event;
use crate::authority::{Granted, Origin, Target};
use crate::custody::{Abandonment, KekRecord, KekState, Links, ProfileId, ProfileRecord, Sharing};
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
        record.abandoned = Some(given_up);
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
        return Err(Fault::NotFound.into());
    }
    let provider = context.services.custody.provider(id)?;
    if provider.health().await.is_ok() {
        return Err(Fault::HsmAnswers.into());
    }
    let keks = kek::unverified(&context.services.store, Domain::SYSTEM).await?;
    if keks.iter().any(|kek| is_lost(kek, id) && kek.state == KekState::Active) {
        return Err(Fault::SystemKekThere.into());
    }
    Ok((id, record))
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

/// What is lost of a domain.
#[derive(Default)]
struct Lost {
    keks: Vec<u32>,
    records: u64,
}

impl Lost {
    fn told(&self) -> String {
        let keks: Vec<String> = self.keks.iter().map(u32::to_string).collect();
        format!("KEK {} is LOST with {} records", keks.join(", "), self.records)
    }
}

async fn lost(context: &Context<'_>, domain: Domain, keks: &[KekRecord], profile: ProfileId) -> Result<Lost, Failure> {
    let mut lost = Lost::default();
    if !keks.iter().any(|kek| is_lost(kek, profile)) {
        return Ok(lost);
    }
    let tally = reference::tally(context.services, domain).await?;
    for kek in keks.iter().filter(|kek| is_lost(kek, profile)) {
        lost.keks.push(kek.generation);
        lost.records = lost.records.saturating_add(tally.under(kek.id));
    }
    Ok(lost)
}

/// Gives up what a domain has in a profile, in a commit of its own. A domain whose record key is lost with it has nothing left that could be
/// signed, or read.
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
    if !keks.iter().any(|kek| kek.lies_in(profile) && !kek.is_over()) {
        return Ok(Lost::default());
    }
    let lost = lost(context, domain, &keks, profile).await?;
    let at_work = custody.is_at_work(domain);
    let opened = match at_work {
        true => custody.ready(domain).await.map_err(Failure::from),
        false => kek::open_doomed(custody, store, domain).await.map_err(Failure::from),
    };
    let told = match opened {
        Ok(()) => put(context, domain, profile, given_up).await,
        Err(failure) => {
            tracing::error!(%domain, ?failure, "the KEKs of a domain cannot be marked as given up: its record key is lost with them");
            Ok(())
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
    if !lost.keks.is_empty() {
        let (now, words) = (context.now, format!("{name}: {}", lost.told()));
        context
            .batch
            .alarm(context.work, Event::HsmAbandoned, domain, now, &words);
    }
    Ok(lost)
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
        if known.is_over() || !known.lies_in(profile) {
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
