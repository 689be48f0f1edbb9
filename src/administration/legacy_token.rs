//! Legacy tokens as they are kept, and how they come and go (family 05, P-KMS-TNT-07): by administrators. From the first that is imported
//! until the last is migrated or withdrawn, the tenant's people can do nothing else.

use super::tenant_create::{alarm, keep as keep_tenant, tenant};
use super::{desk, hsm_profile, kek, legacy_pending};
use crate::audit::alarm::Event;
use crate::authority::{Granted, Target, electorate};
use crate::custody::legacy::LegacyToken;
use crate::failure::{Failure, Fault};
use crate::identity::{Id, Migration, TenantRecord};
use crate::operations::keeper::Keeper;
use crate::operations::{Context, Handle, Notice};
use crate::records;
use crate::store::{ClaimKey, Domain, GuardKey, Key, Kind, Record, Taken};
use kmip_protocol::{
    LegacyTokenImportRequest, LegacyTokenImportResponse, LegacyTokenState, LegacyTokenWithdrawRequest,
    LegacyTokenWithdrawResponse, PersonRole,
};
use kmip_ttlv::{ErrorKind, Reader, Result as Read, Writer};
use std::sync::Arc;

/// A legacy token, in its tenant's domain; the id is the token's own.
pub const LEGACY_TOKEN: Kind = Kind(0x2C);
/// The claim on its name within the tenant.
const NAME: u8 = 0x2C;
/// The set of a tenant's legacy tokens, for decisions over all of them.
const TOKENS: u8 = 0x2C;
/// Legacy tokens of a tenant at most: each is one HSM-Profile, of which a tenant has as many.
const MOST: usize = 16;
/// The format of the records.
const FORMAT: i32 = 1;

/// Tags of these records: extensions of our own that never leave the server.
mod tag {
    use kmip_ttlv::Tag;

    pub(super) const RECORD: Tag = Tag(0x54_F710);
    pub(super) const FORMAT: Tag = Tag(0x54_F711);
    pub(super) const HEADER: Tag = Tag(0x54_F712);
    pub(super) const SEALED: Tag = Tag(0x54_F713);
    pub(super) const STATE: Tag = Tag(0x54_F714);
    pub(super) const PROFILE: Tag = Tag(0x54_F715);
    pub(super) const CREATED: Tag = Tag(0x54_F716);
    pub(super) const HOLDER: Tag = Tag(0x54_F717);
    pub(super) const NAME: Tag = Tag(0x54_F718);
    pub(super) const TIME: Tag = Tag(0x54_F719);
}

/// A legacy token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LegacyTokenRecord {
    /// What its file says of it.
    pub token: LegacyToken,
    /// What it keeps, sealed under its shares; nothing once it was migrated or given up.
    pub sealed: Option<Vec<u8>>,
    pub state: LegacyTokenState,
    /// The name of the HSM-Profile that it becomes.
    pub profile: String,
    /// When it was imported, in milliseconds since 1970.
    pub created_ms: i64,
    /// By whose shares it was opened, with when these were handed in.
    pub opened_by: Vec<(String, i64)>,
}

impl LegacyTokenRecord {
    /// Whether its tenant's people wait for it.
    pub(super) const fn stops(&self) -> bool {
        matches!(
            self.state,
            LegacyTokenState::Waiting | LegacyTokenState::CredentialsRefused
        )
    }

    fn encode(&self) -> Vec<u8> {
        let Self {
            token,
            sealed,
            state,
            profile,
            created_ms,
            opened_by,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::RECORD, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.text(tag::HEADER, &token.header());
            if let Some(sealed) = sealed {
                w.bytes(tag::SEALED, sealed);
            }
            w.enumeration(tag::STATE, state.0);
            w.text(tag::PROFILE, profile);
            w.long_integer(tag::CREATED, *created_ms);
            for (name, at_ms) in opened_by {
                w.structure(tag::HOLDER, |w| {
                    w.text(tag::NAME, name);
                    w.long_integer(tag::TIME, *at_ms);
                });
            }
        });
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Read<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::RECORD, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            let damaged = r.error(ErrorKind::Invalid("no legacy token"));
            let token = LegacyToken::read_header(r.text(tag::HEADER)?).map_err(|_| damaged)?;
            let sealed = r.at(tag::SEALED).then(|| r.bytes(tag::SEALED).map(<[u8]>::to_vec));
            let sealed = sealed.transpose()?;
            let state = LegacyTokenState(r.enumeration(tag::STATE)?);
            if !LegacyTokenState::ALL.contains(&state) {
                return Err(damaged);
            }
            let profile = r.text(tag::PROFILE)?.to_owned();
            let created_ms = r.long_integer(tag::CREATED)?;
            let mut opened_by = Vec::new();
            while r.at(tag::HOLDER) {
                opened_by.push(r.structure(tag::HOLDER, |r| {
                    Ok((r.text(tag::NAME)?.to_owned(), r.long_integer(tag::TIME)?))
                })?);
            }
            Ok(Self {
                token,
                sealed,
                state,
                profile,
                created_ms,
                opened_by,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

/// Where a legacy token is kept.
pub const fn place(tenant: Domain, token: Id) -> Key {
    Key {
        domain: tenant,
        kind: LEGACY_TOKEN,
        id: token,
    }
}

fn name_claim(tenant: Domain, name: &str) -> ClaimKey {
    ClaimKey::new(tenant, NAME, name.as_bytes())
}

/// The legacy token of this name.
pub(super) async fn named(context: &mut Context<'_>, tenant: Domain, name: &str) -> Result<LegacyTokenRecord, Failure> {
    let claim = name_claim(tenant, name);
    Ok(desk::claimed(context, claim, LEGACY_TOKEN, LegacyTokenRecord::decode)
        .await?
        .1)
}

/// The legacy tokens of a tenant, whatever has become of them.
pub(super) async fn all(context: &mut Context<'_>, tenant: Domain) -> Result<Vec<LegacyTokenRecord>, Failure> {
    let found = context.work.all(tenant, LEGACY_TOKEN).await?;
    let read = |record: &Record| -> Result<_, Failure> {
        Ok(LegacyTokenRecord::decode(records::open(
            &context.services.custody,
            record,
        )?)?)
    };
    let mut all = found.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    all.sort_by(|a, b| (a.created_ms, &a.token.name).cmp(&(b.created_ms, &b.token.name)));
    Ok(all)
}

/// The same, to change them: nobody else does before this is committed.
pub(super) async fn change_of(context: &mut Context<'_>, tenant: Domain) -> Result<Vec<LegacyTokenRecord>, Failure> {
    let guard = GuardKey {
        domain: tenant,
        set: TOKENS,
        id: [0; 16],
    };
    context.work.read_guard(guard).await?;
    context.work.bump_guard(guard);
    all(context, tenant).await
}

/// Writes a legacy token.
pub(super) async fn keep(context: &mut Context<'_>, tenant: Domain, record: &LegacyTokenRecord) -> Result<(), Failure> {
    let place = place(tenant, record.token.id);
    kek::put(&context.services.custody, context.work, place, record.encode()).await?;
    desk::touch(context, "legacy token", &record.token.name, place)
}

/// Frees the name that was kept for the HSM-Profile that a token becomes.
pub(super) async fn release_profile(
    context: &mut Context<'_>,
    tenant: Domain,
    record: &LegacyTokenRecord,
) -> Result<(), Failure> {
    let claim = hsm_profile::name_claim(&record.profile);
    context.work.release(claim, place(tenant, record.token.id)).await?;
    Ok(())
}

/// Lets a tenant's people go on if none of these tokens stops them. Whether they still wait.
pub(super) async fn lift(
    context: &mut Context<'_>,
    domain: Domain,
    mut record: TenantRecord,
    tokens: &[LegacyTokenRecord],
) -> Result<bool, Failure> {
    if tokens.iter().any(LegacyTokenRecord::stops) {
        return Ok(true);
    }
    record.migration = Migration::Done;
    keep_tenant(context, domain, &record).await?;
    Ok(false)
}

/// What is imported, and for whom.
pub(super) struct Import {
    pub domain: Domain,
    pub tenant: TenantRecord,
    pub token: LegacyToken,
    pub sealed: Vec<u8>,
    pub profile: String,
}

/// Reads a token's file for this tenant.
pub(super) fn read(text: &str, tenant: &str) -> Result<(LegacyToken, Vec<u8>), Failure> {
    let read = LegacyToken::read(text).map_err(|why| Failure::detailed(Fault::LegacyToken, why))?;
    if read.0.tenant == tenant {
        Ok(read)
    } else {
        Err(Failure::detailed(Fault::LegacyToken, "it is another tenant's"))
    }
}

/// Puts a legacy token into a tenant: from now on its people wait, and its clients if they have no keys yet. The tenant as it is then.
pub(super) async fn import(context: &mut Context<'_>, import: Import) -> Result<TenantRecord, Failure> {
    let Import {
        domain,
        mut tenant,
        token,
        sealed,
        profile,
    } = import;
    let place = place(domain, token.id);
    let before = change_of(context, domain).await?;
    if before.iter().filter(|other| other.stops()).count() >= MOST {
        return Err(Fault::LimitExceeded.into());
    }
    // One that was withdrawn may come back.
    let mut same = before.iter().filter(|other| other.token.id == token.id);
    if same.any(|other| other.state != LegacyTokenState::Withdrawn) {
        return Err(Fault::Taken.into());
    }
    let claims = [name_claim(domain, &token.name), hsm_profile::name_claim(&profile)];
    for claim in claims {
        if context.work.claimed(&claim).await?.is_some() {
            return Err(Fault::Taken.into());
        }
        if let Taken::By(_) = context.work.take(claim, place).await? {
            return Err(Fault::Taken.into());
        }
    }
    if !tenant.migration.stops_people() {
        tenant.migration = match desk::tenant_owns_objects(context, domain).await? {
            true => Migration::People,
            false => Migration::Everybody,
        };
    }
    context.services.custody.gatherings().forget((domain, token.id));
    let record = LegacyTokenRecord {
        token,
        sealed: Some(sealed),
        state: LegacyTokenState::Waiting,
        profile,
        created_ms: context.now.0,
        opened_by: Vec::new(),
    };
    keep(context, domain, &record).await?;
    keep_tenant(context, domain, &tenant).await?;
    alarm(context, Event::MigrationRequired, Domain::SYSTEM, &tenant.name);
    alarm(context, Event::MigrationRequired, domain, &record.token.name);
    Ok(tenant)
}

impl Handle for LegacyTokenImportRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<LegacyTokenImportResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (id, tenant) = tenant(context, &self.tenant_name).await?;
        let (token, sealed) = read(&self.legacy_token_text, &tenant.name)?;
        let profile = desk::name(self.hsm_profile_name.as_ref().unwrap_or(&token.name))?.to_owned();
        let domain = Domain(id);
        let keeper = Keeper(Arc::clone(&context.services.custody));
        let people = electorate(domain, context.work, &keeper).await?;
        let holds = |role| matches!(role, PersonRole::Operator | PersonRole::Custodian);
        let holders = people.members.iter().filter(|member| holds(member.role)).count();
        // Else nobody could ever lift what this brings about: people are not made while it lasts.
        if holders < usize::from(token.threshold) {
            return Err(Fault::TooFewHolders.into());
        }
        let what = Import {
            domain,
            tenant,
            token,
            sealed,
            profile,
        };
        import(context, what).await?;
        Ok(LegacyTokenImportResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, tenant) = tenant(context, &self.tenant_name).await?;
        let (token, _) = read(&self.legacy_token_text, &tenant.name)?;
        Ok(Target {
            description: Some(format!(
                "legacy token {} of tenant {}: {} of {} shares open it, and its people wait until they do",
                token.name,
                tenant.name,
                token.threshold,
                token.shares()
            )),
            records: vec![TenantRecord::key(Domain(id))],
            ..Target::default()
        })
    }
}

impl Handle for LegacyTokenWithdrawRequest {
    /// The record remains, as evidence, without what the shares would open.
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<LegacyTokenWithdrawResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        if !is_there(context, &self.tenant_name).await? {
            legacy_pending::give_up(context, &self.tenant_name, &self.legacy_token_name).await?;
            return Ok(LegacyTokenWithdrawResponse {});
        }
        let (id, tenant) = tenant(context, &self.tenant_name).await?;
        let domain = Domain(id);
        let mut record = named(context, domain, &self.legacy_token_name).await?;
        if !record.stops() {
            return Err(Fault::LegacyTokenState.into());
        }
        let mut tokens = change_of(context, domain).await?;
        tokens.retain(|other| other.token.id != record.token.id);
        release_profile(context, domain, &record).await?;
        let claim = name_claim(domain, &record.token.name);
        context.work.release(claim, place(domain, record.token.id)).await?;
        record.state = LegacyTokenState::Withdrawn;
        record.sealed = None;
        keep(context, domain, &record).await?;
        alarm(context, Event::LegacyTokenWithdrawn, domain, &record.token.name);
        lift(context, domain, tenant, &tokens).await?;
        context.batch.notices.push(Notice::SharesOver(domain, record.token.id));
        Ok(LegacyTokenWithdrawResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        if !is_there(context, &self.tenant_name).await? {
            let (token, tenant) = (&self.legacy_token_name, &self.tenant_name);
            return Ok(Target {
                description: Some(format!("legacy token {token} of tenant {tenant}, who is not there")),
                ..Target::default()
            });
        }
        let (id, tenant) = tenant(context, &self.tenant_name).await?;
        let record = named(context, Domain(id), &self.legacy_token_name).await?;
        Ok(Target {
            description: Some(format!("legacy token {} of tenant {}", record.token.name, tenant.name)),
            records: vec![place(Domain(id), record.token.id)],
            ..Target::default()
        })
    }
}

/// Whether there is a tenant of this name.
async fn is_there(context: &mut Context<'_>, tenant: &str) -> Result<bool, Failure> {
    Ok(context.work.claimed(&TenantRecord::name_claim(tenant)).await?.is_some())
}
