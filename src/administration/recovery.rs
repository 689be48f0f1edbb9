//! Recovery Put (family 04), and what it is for: people who open the backup of a protected KEK together, where no HSM has a key pair of it
//! left. The KEK is shared among them in the backup itself, for their share keys, and bound to no installation.

use super::kek_profiles::new_pair;
use super::management::{Ground, opened};
use super::sharing::holders;
use super::{desk, kek};
use crate::authority::{Granted, Origin, Target};
use crate::custody::protected::{MAX_GROUPS, judge_recovery};
use crate::custody::sharing::PlannedGroup;
use crate::custody::{Backup, CustodyError, KekRecord, ProfileId, Sharing};
use crate::failure::{Failure, Fault};
use crate::identity::name::is_name;
use crate::operations::{Context, Handle, shares};
use crate::store::{Domain, Key, Kind};
use kmip_protocol::{RecoveryPutRequest, RecoveryPutResponse, RuleGroup};
use kmip_ttlv::{ErrorKind, Reader, Result as Read, Tag, Writer};
use std::sync::Arc;

/// Who can open the backups of a domain's KEKs together, in the domain.
pub(super) const RECOVERY: Kind = Kind(0x2E);

const FORMAT: i32 = 1;
/// One person alone opens nothing.
const FEWEST: i32 = 2;

mod tag {
    use super::Tag;

    pub(super) const RECOVERY: Tag = Tag(0x54_F910);
    pub(super) const FORMAT: Tag = Tag(0x54_F911);
    pub(super) const GROUP: Tag = Tag(0x54_F912);
    pub(super) const NAME: Tag = Tag(0x54_F913);
    pub(super) const QUORUM: Tag = Tag(0x54_F914);
}

pub(super) const fn place(domain: Domain) -> Key {
    Key {
        domain,
        kind: RECOVERY,
        id: [0; 16],
    }
}

fn encode(groups: &[RuleGroup]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tag::RECOVERY, |w| {
        w.integer(tag::FORMAT, FORMAT);
        for group in groups {
            w.structure(tag::GROUP, |w| {
                w.text(tag::NAME, &group.group_name);
                w.integer(tag::QUORUM, group.quorum);
            });
        }
    });
    writer.into_bytes()
}

fn decode(bytes: &[u8]) -> Read<Vec<RuleGroup>> {
    let mut reader = Reader::new(bytes);
    let groups = reader.structure(tag::RECOVERY, |r| {
        if r.integer(tag::FORMAT)? != FORMAT {
            return Err(r.error(ErrorKind::Version));
        }
        let mut groups = Vec::new();
        while r.at(tag::GROUP) {
            groups.push(r.structure(tag::GROUP, |r| {
                Ok(RuleGroup {
                    group_name: r.text(tag::NAME)?.to_owned(),
                    quorum: r.integer(tag::QUORUM)?,
                })
            })?);
        }
        Ok(groups)
    })?;
    reader.finish()?;
    Ok(groups)
}

/// Who can open the backups of a domain, by its groups; nobody if there is none.
pub(super) async fn of(context: &mut Context<'_>, domain: Domain) -> Result<Vec<RuleGroup>, Failure> {
    Ok(desk::read(context, place(domain), decode).await?.unwrap_or_default())
}

/// As it is told: `2 of custodians`.
pub(super) fn told(groups: &[RuleGroup]) -> String {
    let one = |group: &RuleGroup| format!("{} of {}", group.quorum, group.group_name);
    groups.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// The people a backup is shared among, with the share keys that they have now; `None` where there is no such group.
///
/// # Errors
/// [`Fault::ShareKeysMissing`] if too few of them have one; [`Fault::RecoveryAlone`]; [`Fault::LimitExceeded`].
pub(super) async fn people(context: &mut Context<'_>, domain: Domain) -> Result<Option<Vec<PlannedGroup>>, Failure> {
    let groups = of(context, domain).await?;
    if groups.is_empty() {
        return Ok(None);
    }
    Ok(Some(able(&Ground::of(context, domain).await?, &groups)?))
}

fn able(ground: &Ground, groups: &[RuleGroup]) -> Result<Vec<PlannedGroup>, Failure> {
    let planned = ground.groups(groups);
    let enough = |group: &PlannedGroup| group.members.len() >= usize::from(group.quorum);
    if !planned.iter().all(enough) {
        return Err(Fault::ShareKeysMissing.into());
    }
    match judge_recovery(&planned) {
        Ok(()) => Ok(planned),
        Err(error @ CustodyError::Limit) => Err(Failure::detailed(Fault::LimitExceeded, error)),
        Err(error) => Err(Failure::detailed(Fault::RecoveryAlone, error)),
    }
}

impl Handle for RecoveryPutRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<RecoveryPutResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        judge(self, context, domain).await?;
        let custody = Arc::clone(&context.services.custody);
        kek::put(&custody, context.work, place(domain), encode(&self.groups)).await?;
        desk::touch(context, "recovery", &told(&self.groups), place(domain))?;
        Ok(RecoveryPutResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        judge(self, context, domain).await?;
        let who = match self.groups.as_slice() {
            [] => "nobody but HSMs".to_owned(),
            groups => format!("{} together, without any HSM", told(groups)),
        };
        Ok(Target {
            description: Some(format!("who opens backups of KEKs from now on: {who}")),
            records: vec![place(domain)],
            ..Target::default()
        })
    }
}

/// Refuses what one person alone could open, and what nobody could.
async fn judge(request: &RecoveryPutRequest, context: &mut Context<'_>, domain: Domain) -> Result<(), Failure> {
    let groups = &request.groups;
    if groups.is_empty() {
        return Ok(());
    }
    let total = groups.iter().fold(0_i32, |sum, group| sum.saturating_add(group.quorum));
    let twice = |one: &RuleGroup| groups.iter().filter(|other| other.group_name == one.group_name).count() > 1;
    let wrong = groups.iter().any(|one| !(1..=255).contains(&one.quorum) || twice(one));
    if wrong || groups.len() > MAX_GROUPS || total < FEWEST {
        return Err(Fault::InvalidField.into());
    }
    able(&Ground::of(context, domain).await?, groups)?;
    Ok(())
}

/// How the KEK of a backup is shared. Anybody can have made it: it is shown to those who agree, and so its names are names.
fn sharing_of(backup: &Backup) -> Result<Sharing, Failure> {
    let refused = |error| Failure::detailed(Fault::BackupRefused, error);
    let sharing = backup.recovery().map_err(refused)?;
    let named = sharing.filter(|sharing| sharing.groups().all(|(_, group)| is_name(&group.name)));
    named.ok_or(Failure::new(Fault::BackupRefused))
}

/// How the KEK of a backup is shared, for a proposal, and for those who agree to it: of whom how many open it, and who they are here.
///
/// # Errors
/// [`Fault::BackupRefused`] if it is shared among nobody, or one person could open it alone.
pub(super) async fn shared(context: &mut Context<'_>, backup: &Backup) -> Result<(Vec<u8>, String), Failure> {
    let sharing = sharing_of(backup)?;
    let bytes = sharing.encode();
    let domain = desk::domain(context)?;
    let ground = Ground::of(context, domain).await?;
    let held = shares::held(context, sharing).await?;
    let names = match holders(&held, &ground) {
        names if names.is_empty() => "nobody".to_owned(),
        names => names.join(", "),
    };
    let ways = held.ways().join(", or ");
    Ok((
        bytes,
        format!("the shares of its recovery group ({ways}; held here by {names})"),
    ))
}

/// Takes in the KEK of a backup that those who agree have opened. It gets a key pair in a profile.
pub(super) async fn recovered(
    context: &mut Context<'_>,
    origin: Origin,
    backup: &Backup,
    profile: ProfileId,
) -> Result<KekRecord, Failure> {
    let sharing = shares::held(context, sharing_of(backup)?).await?;
    let key = opened(context, origin, &sharing)?;
    let pair = new_pair(origin, context, backup.domain, profile).await?;
    let custody = Arc::clone(&context.services.custody);
    let taken = custody.recover_kek(backup, key, &pair, context.now.0).await;
    taken.map_err(|error| match error {
        CustodyError::Refused => Failure::detailed(Fault::BackupRefused, error),
        error => super::management::refusal(pair.login.as_ref())(error),
    })
}
