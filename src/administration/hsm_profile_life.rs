//! The life of HSM-Profiles (family 04): made and deleted by administrators, told to those who may use them.

use super::hsm_profile_pin::settle;
use super::{desk, hsm_profile, kek, management, reference};
use crate::authority::{Granted, Target};
use crate::custody::probe::Finding;
use crate::custody::{KekRecord, Links, ProfileId, ProfileRecord, Sharing, TokenRecord};
use crate::failure::{Failure, Fault};
use crate::identity::{TenantRecord, kind};
use crate::operations::{Context, Handle, Notice};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    DateTime, HsmProfile, HsmProfileCreateRequest, HsmProfileCreateResponse, HsmProfileDeleteRequest,
    HsmProfileDeleteResponse, HsmProfileGetRequest, HsmProfileGetResponse, HsmProfileListRequest,
    HsmProfileListResponse, HsmProfileTestRequest, HsmProfileTestResponse, SecretText, StatusItem,
};

/// Bytes of a label and of a serial number, as PKCS#11 has them in its description of a token.
const LONGEST_LABEL: usize = 32;
const LONGEST_SERIAL: usize = 16;
/// Bytes of a PIN: as many as tokens take, and as a worker is greeted with.
const LONGEST_PIN: usize = 255;
/// Tenants looked at at once.
const PAGE: usize = 256;
/// Sessions of one worker, which has a thread for each.
const MOST_SESSIONS: i32 = 64;
/// Milliseconds that a token can be given: less is no answer, more would hold up whoever waits for it.
const DEADLINES: core::ops::RangeInclusive<i32> = 10..=60_000;

impl Handle for HsmProfileCreateRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<HsmProfileCreateResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (name, mut token) = judge(self, context).await?;
        let mut capabilities = None;
        let slab = context.services.custody.slab().clone();
        let management = self.management_pin.as_ref();
        let management = management
            .map(|pin| slab.copy_from(pin.expose().as_bytes()))
            .transpose();
        let management = management.map_err(crate::custody::CustodyError::from)?;
        let id = ProfileId(desk::made_by(granted.origin(), "HSM-Profile", context)?);
        if let (Some(token), Some(pin)) = (&mut token, &self.key_usage_pin) {
            let pin = slab.copy_from(pin.expose().as_bytes());
            let pin = pin.map_err(crate::custody::CustodyError::from)?;
            let outfit = &context.services.outfit;
            let found = outfit.try_pins(id.0, token, &pin, management.as_ref()).await;
            let found = found.map_err(first_asked)?;
            if management.is_some() {
                management::ensure_separate(&found)?;
            }
            capabilities = Some(found.encode()?);
            // From now on it is this token and no other of its label.
            if token.serial.is_none() && is_text(&found.token.serial, LONGEST_SERIAL) {
                token.serial = Some(found.token.serial);
            }
            token.pin = outfit.seal_pin(id, token, &pin)?;
        }
        let record = ProfileRecord {
            name,
            probed_ms: capabilities.is_some().then_some(context.now.0),
            capabilities,
            token,
            created_ms: context.now.0,
            ..ProfileRecord::default()
        };
        keep(context, id, &record).await?;
        if let Some(credential) = &management {
            management::seal(context, Domain::SYSTEM, id, credential).await?;
        }
        Ok(HsmProfileCreateResponse {})
    }

    /// With its credential only if the administrators can hold shares of it.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (name, token) = judge(self, context).await?;
        let record = ProfileRecord {
            name,
            token,
            ..ProfileRecord::default()
        };
        let mut description = described(&record);
        if self.management_pin.is_some() {
            if !management::Ground::of(context, Domain::SYSTEM).await?.is_enough() {
                return Err(Fault::ShareKeysMissing.into());
            }
            description.push_str(", with its key-management credential");
        }
        Ok(Target {
            description: Some(description),
            ..Target::default()
        })
    }
}

impl Handle for HsmProfileDeleteRequest {
    /// Refused while anybody may use it or has a KEK there, those of deleted tenants among them. Its PIN is forgotten with it.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HsmProfileDeleteResponse, Failure> {
        let (id, record) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        // Nobody is linked to it between this look and the commit.
        context.work.read_guard(hsm_profile::guard(id)).await?;
        let linked = desk::all(context, Domain::SYSTEM, hsm_profile::LINKS, Links::decode).await?;
        if linked.iter().any(|(_, links)| links.0.contains(&id)) || keeps_keks(context, id).await? {
            return Err(Fault::InUse.into());
        }
        let place = hsm_profile::place(id);
        context
            .work
            .release(hsm_profile::name_claim(&record.name), place)
            .await?;
        context.work.delete(place).await?;
        context.work.delete(hsm_profile::staged_place(id)).await?;
        context.work.delete(Sharing::key(Domain::SYSTEM, id)).await?;
        desk::touch(context, "HSM-Profile", &record.name, place)?;
        context.batch.notices.push(Notice::Profile(id));
        Ok(HsmProfileDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.hsm_profile_name).await
    }
}

impl Handle for HsmProfileListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HsmProfileListResponse, Failure> {
        let domain = desk::domain(context)?;
        let mut all = Vec::new();
        if domain == Domain::SYSTEM {
            for record in context.work.all(domain, hsm_profile::PROFILE).await? {
                let body = records::open(&context.services.custody, &record)?;
                all.push((ProfileId(record.key.id), ProfileRecord::decode(body)?));
            }
        } else {
            for id in hsm_profile::links(context, domain).await?.0 {
                all.extend(hsm_profile::load(context, id).await?.map(|record| (id, record)));
            }
        }
        all.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        let mut hsm_profiles = Vec::new();
        let users = users(context).await?;
        for (id, record) in desk::part(all, self.offset_items, self.maximum_items)? {
            let mut profile = told(&record, names_of(&users, id));
            profile.separated = management::is_separated(context, id, Some(&record)).await?;
            hsm_profiles.push(profile);
        }
        Ok(HsmProfileListResponse { hsm_profiles })
    }
}

impl Handle for HsmProfileGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HsmProfileGetResponse, Failure> {
        let (id, record) = seen(context, &self.hsm_profile_name).await?;
        let answers = answers(context, id).await;
        Ok(HsmProfileGetResponse {
            hsm_profile: whole(context, id, &record, answers).await?,
        })
    }
}

impl Handle for HsmProfileTestRequest {
    /// What administrators find out is kept; a tenant's operators change nothing of the system's.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HsmProfileTestResponse, Failure> {
        let (id, mut record) = seen(context, &self.hsm_profile_name).await?;
        let is_theirs = desk::domain(context)? == Domain::SYSTEM;
        let settled = is_theirs && record.token.is_some() && settle(context, id, &mut record).await?;
        let provider = context.services.custody.provider(id)?;
        let found = match provider.examine(None).await {
            Ok(found) => Some(found.encode()?),
            Err(_) => None,
        };
        let news = found.is_some() && found != record.capabilities;
        if found.is_some() {
            record.capabilities.clone_from(&found);
            record.probed_ms = Some(context.now.0);
        }
        // What is as it was is not written: proposals are bound to the record.
        if is_theirs && (news || settled) {
            keep(context, id, &record).await?;
        }
        Ok(HsmProfileTestResponse {
            hsm_profile: whole(context, id, &record, found.is_some()).await?,
        })
    }
}

/// Writes a profile; custody is told once it is committed.
pub(super) async fn keep(context: &mut Context<'_>, id: ProfileId, record: &ProfileRecord) -> Result<(), Failure> {
    hsm_profile::put(&context.services.custody, context.work, id, record).await?;
    desk::touch(context, "HSM-Profile", &record.name, hsm_profile::place(id))?;
    context.batch.notices.push(Notice::Profile(id));
    Ok(())
}

/// A profile that somebody may see: administrators and system auditors see all.
async fn seen(context: &mut Context<'_>, name: &str) -> Result<(ProfileId, ProfileRecord), Failure> {
    match desk::domain(context)? {
        Domain::SYSTEM => hsm_profile::named(context, Some(name)).await,
        tenant => hsm_profile::find(context, tenant, Some(name)).await,
    }
}

/// What an act upon a profile is bound to.
pub(super) async fn target(context: &mut Context<'_>, name: &str) -> Result<Target, Failure> {
    let (id, record) = hsm_profile::named(context, Some(name)).await?;
    Ok(Target {
        description: Some(described(&record)),
        records: vec![hsm_profile::place(id)],
        ..Target::default()
    })
}

/// A profile, for those who agree to something about it.
pub(super) fn described(record: &ProfileRecord) -> String {
    let place = match &record.token {
        Some(token) => format!(", token {} of module {}", token.label, token.module),
        None => ", key files on the server's disk".to_owned(),
    };
    format!("HSM-Profile {}{place}", record.name)
}

/// What is asked for, if it can be.
async fn judge(
    request: &HsmProfileCreateRequest,
    context: &mut Context<'_>,
) -> Result<(String, Option<TokenRecord>), Failure> {
    let name = desk::name(&request.hsm_profile_name)?.to_owned();
    if context.work.claimed(&hsm_profile::name_claim(&name)).await?.is_some() {
        return Err(Fault::Taken.into());
    }
    if context.work.all(Domain::SYSTEM, hsm_profile::PROFILE).await?.len() >= hsm_profile::MOST {
        return Err(Fault::LimitExceeded.into());
    }
    let Some(module) = &request.module_name else {
        let HsmProfileCreateRequest {
            hsm_profile_name: _,
            module_name: _,
            token_label,
            token_serial,
            session_limit,
            deadline_milliseconds,
            key_usage_pin,
            management_pin,
        } = request;
        let of_token = token_label.is_some()
            || token_serial.is_some()
            || session_limit.is_some()
            || deadline_milliseconds.is_some()
            || key_usage_pin.is_some()
            || management_pin.is_some();
        return if of_token {
            Err(Fault::MissingField.into())
        } else {
            Ok((name, None))
        };
    };
    if context.services.outfit.benches().module(module).is_err() {
        return Err(Fault::UnknownModule.into());
    }
    let label = request.token_label.as_ref().ok_or(Failure::new(Fault::MissingField))?;
    let pin = request
        .key_usage_pin
        .as_ref()
        .ok_or(Failure::new(Fault::MissingField))?;
    judge_pin(pin)?;
    request.management_pin.as_ref().map(judge_pin).transpose()?;
    let text = |text: &str, longest: usize| -> Result<String, Failure> {
        let fits = is_text(text, longest).then(|| text.to_owned());
        fits.ok_or(Failure::new(Fault::InvalidField))
    };
    if request
        .session_limit
        .is_some_and(|sessions| !(1..=MOST_SESSIONS).contains(&sessions))
        || request
            .deadline_milliseconds
            .is_some_and(|deadline| !DEADLINES.contains(&deadline))
    {
        return Err(Fault::InvalidField.into());
    }
    let token = TokenRecord {
        module: module.clone(),
        label: text(label, LONGEST_LABEL)?,
        serial: request
            .token_serial
            .as_deref()
            .map(|serial| text(serial, LONGEST_SERIAL))
            .transpose()?,
        sessions: request.session_limit.and_then(|sessions| u16::try_from(sessions).ok()),
        deadline_ms: request.deadline_milliseconds.and_then(|ms| u32::try_from(ms).ok()),
        ..TokenRecord::default()
    };
    Ok((name, Some(token)))
}

/// Whether a token can have this for a label or a serial number.
fn is_text(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

/// A PIN that a token could have.
pub(super) fn judge_pin(pin: &SecretText) -> Result<(), Failure> {
    let length = pin.expose().len();
    if (1..=LONGEST_PIN).contains(&length) {
        Ok(())
    } else {
        Err(Fault::InvalidField.into())
    }
}

/// Why nothing came of the first question to a token. None of it is tried again by itself: a wrong PIN would lock it.
pub(super) fn first_asked(error: crate::custody::CustodyError) -> Failure {
    use crate::custody::CustodyError;
    let fault = match error {
        CustodyError::Credential => Fault::PinRefused,
        CustodyError::Unavailable => Fault::TokenNotFound,
        CustodyError::UnknownModule => Fault::UnknownModule,
        other => return other.into(),
    };
    Failure::detailed(fault, error)
}

async fn answers(context: &Context<'_>, id: ProfileId) -> bool {
    match context.services.custody.provider(id) {
        Ok(provider) => provider.health().await.is_ok(),
        Err(_) => false,
    }
}

/// Which tenants may use which profile, where the reader may know.
async fn users(context: &mut Context<'_>) -> Result<Vec<(String, Links)>, Failure> {
    if desk::domain(context)? != Domain::SYSTEM {
        return Ok(Vec::new());
    }
    let links = desk::all(context, Domain::SYSTEM, hsm_profile::LINKS, Links::decode).await?;
    let mut users = Vec::new();
    for (domain, links) in links {
        let key = TenantRecord::key(Domain(domain));
        if let Some(tenant) = desk::read(context, key, TenantRecord::decode).await? {
            users.push((tenant.name, links));
        }
    }
    users.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(users)
}

fn names_of(users: &[(String, Links)], id: ProfileId) -> Vec<String> {
    let of_it = users.iter().filter(|(_, links)| links.0.contains(&id));
    of_it.map(|(name, _)| name.clone()).collect()
}

async fn whole(
    context: &mut Context<'_>,
    id: ProfileId,
    record: &ProfileRecord,
    answers: bool,
) -> Result<HsmProfile, Failure> {
    let users = users(context).await?;
    Ok(HsmProfile {
        separated: management::is_separated(context, id, Some(record)).await?,
        answers: Some(answers),
        ..told(record, names_of(&users, id))
    })
}

/// What the token was found to be able to do, a line for each trial.
fn findings(record: &ProfileRecord) -> Vec<StatusItem> {
    let Some(found) = record.found() else {
        return Vec::new();
    };
    let tried = found.findings().filter(|(_, finding)| *finding != Finding::Untried);
    let told = tried.map(|(feature, finding)| StatusItem {
        status_name: feature.to_string(),
        status_value: finding.to_string(),
        severity: None,
    });
    told.collect()
}

fn told(record: &ProfileRecord, tenant_names: Vec<String>) -> HsmProfile {
    let token = record.token.as_ref();
    let date = |ms: i64| DateTime(ms.div_euclid(1000));
    HsmProfile {
        hsm_profile_name: record.name.clone(),
        module_name: token.map(|token| token.module.clone()),
        token_label: token.map(|token| token.label.clone()),
        token_serial: token.and_then(|token| token.serial.clone()),
        session_limit: token.and_then(|token| token.sessions).map(i32::from),
        deadline_milliseconds: token
            .and_then(|token| token.deadline_ms)
            .and_then(|ms| i32::try_from(ms).ok()),
        created: date(record.created_ms),
        separated: false,
        probed: record.probed_ms.map(date),
        findings: findings(record),
        answers: None,
        tenant_names,
        abandoned: record.abandoned.map(|given_up| date(given_up.at_ms)),
        abandoned_by: record.abandoned.map(|given_up| given_up.proposal.to_vec()),
    }
}

/// Whether anybody has a KEK there that is neither destroyed nor given up. Of tenants that are no more the MACs cannot be checked: what they
/// left counts all the same, as does what those have that are held.
async fn keeps_keks(context: &mut Context<'_>, id: ProfileId) -> Result<bool, Failure> {
    let (mut domains, mut after) = (vec![Domain::SYSTEM], None);
    loop {
        let tenants = (Domain::SYSTEM, kind::TENANT);
        let page = reference::page(&context.services.store, tenants, after, PAGE).await?;
        domains.extend(page.iter().map(|record| Domain(record.key.id)));
        match page.last() {
            Some(last) if page.len() >= PAGE => after = Some(last.key.id),
            _ => break,
        }
    }
    for domain in domains {
        let found = context.services.store.scan(domain, kek::KEK, None, kek::MOST).await?;
        for record in &found {
            if KekRecord::decode(kek::body(record)?)?.lies_in(id) {
                return Ok(true);
            }
        }
        crate::wait::breathe().await;
    }
    Ok(false)
}
