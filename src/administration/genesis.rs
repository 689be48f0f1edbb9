//! How an installation begins. What is written here is written once, before anybody can ask for anything: the system's domain with its
//! KEK, which installation it is, the first policy, and the administrators who decide from then on, by its rules.

use super::hardware::Hardware;
use super::password::Hashing;
use super::person::{KeyStanding, Membership, invite};
use super::{AdministrationError, act, hsm_profile, kek, legacy_pending, management, server_act};
use crate::authority::{INSTALLATION, InstallationRecord, PolicyRecord};
use crate::clock::Moment;
use crate::crypto::Randomness;
use crate::custody::sharing::EnrolledKey;
use crate::custody::{Custody, KekId, Links, Locked, ProfileId, ProfileRecord, ShareKey};
use crate::heavy::Heavy;
use crate::identity::{Enroll, Passwords};
use crate::operations::keeper::Keeper;
use crate::records;
use crate::store::{Domain, Store, Work};
use kmip_protocol::{NewPerson, Policy};
use std::sync::Arc;

/// What an installation begins with.
pub struct Founding<'a> {
    /// Where the system's KEK is made; it is at work already.
    pub profile: (ProfileId, &'a ProfileRecord),
    /// The system's first policy.
    pub policy: &'a Policy,
    /// Its administrators, with their initial passwords. They count from the beginning, once they have shown themselves.
    pub administrators: &'a [NewPerson],
    /// The files of legacy tokens, each for the tenant whose name it has.
    pub legacy_tokens: &'a [String],
    /// What the token's other user is opened by, if it has one.
    pub management: Option<&'a Management>,
}

/// A key-management credential that an installation begins with: it makes the first KEK, and is shared among the administrators.
pub struct Management {
    /// The credential.
    pub credential: Locked,
    /// Administrators, by their names, and the keys that their shares are encrypted to.
    pub share_keys: Vec<(String, ShareKey)>,
}

/// Founds an installation, in a unit of work of an empty store, with the first record of its trail.
pub async fn found(
    custody: &Arc<Custody>,
    work: &mut Work,
    randomness: &dyn Randomness,
    founding: Founding<'_>,
    now: Moment,
) -> Result<(), AdministrationError> {
    let kek = KekId(randomness.array()?);
    let (profile, mut record) = (founding.profile.0, founding.profile.1.clone());
    let login = founding.management.map(|management| &management.credential);
    if login.is_some() {
        let found = custody.provider(profile)?.examine(login).await?;
        management::ensure_separate(&found).map_err(|failure| AdministrationError::Management(failure.fault()))?;
        record.capabilities = Some(found.encode()?);
        record.probed_ms = Some(now.0);
    }
    kek::found_domain(custody, work, Domain::SYSTEM, profile, kek, now.0, login).await?;
    hsm_profile::put(custody, work, profile, &record).await?;
    hsm_profile::put_links(custody, work, Domain::SYSTEM, &Links(vec![profile])).await?;
    let installation = InstallationRecord::new(randomness.array()?);
    kek::put(custody, work, InstallationRecord::key(), installation.encode()).await?;
    let policy = PolicyRecord::first(founding.policy.clone(), now.0);
    let places = [
        PolicyRecord::key(Domain::SYSTEM),
        PolicyRecord::version_key(Domain::SYSTEM, policy.version),
    ];
    for place in places {
        kek::put(custody, work, place, policy.encode()).await?;
    }
    for text in founding.legacy_tokens {
        legacy_pending::put(custody, work, text).await?;
    }
    let keeper = Keeper(Arc::clone(custody));
    // One after the other: nobody else waits yet.
    let heavy = Heavy::in_place();
    for founder in founding.administrators {
        let hashing = Hashing {
            passwords: Passwords::default(),
            heavy: &heavy,
            randomness,
        };
        let invited = invite(
            hashing,
            Domain::SYSTEM,
            founder,
            KeyStanding {
                hardware: Hardware::declared(founder.hardware),
                // Nobody was there before.
                proven: false,
            },
            Membership::Founding,
            None,
            now.0,
        )
        .await;
        let refused =
            |why: crate::failure::Failure| AdministrationError::Founder(founder.person_name.clone(), why.fault());
        let (id, record) = invited.map_err(refused)?;
        Enroll::new(work, &keeper).person(id, &record).await?;
        let share_keys = founding.management.map_or(&[][..], |management| &management.share_keys);
        if let Some((_, key)) = share_keys.iter().find(|(name, _)| *name == founder.person_name) {
            let enrolled = EnrolledKey {
                key: key.clone(),
                enrolled_ms: now.0,
                revoked_ms: None,
            };
            let place = EnrolledKey::place(id.domain, id.person);
            kek::put(custody, work, place, enrolled.encode()).await?;
        }
    }
    if let Some(Management { credential, .. }) = founding.management {
        let founded = management::found(custody, work, installation.instance, profile, credential, now.0).await;
        founded.map_err(|failure| AdministrationError::Management(failure.fault()))?;
    }
    work.audit(server_act(act::GENESIS, Domain::SYSTEM, now, "installation founded"));
    Ok(())
}

/// Which installation this is, as genesis wrote it.
pub async fn installed(custody: &Custody, store: &Arc<dyn Store>) -> Result<InstallationRecord, AdministrationError> {
    let damaged = || AdministrationError::Damaged(INSTALLATION.0);
    let record = store.load(InstallationRecord::key()).await?.ok_or_else(damaged)?;
    let body = records::open(custody, &record).map_err(|_| damaged())?;
    InstallationRecord::decode(body).map_err(|_| damaged())
}
