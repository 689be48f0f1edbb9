//! How an installation begins. What is written here is written once, before anybody can ask for anything: the system's domain with its
//! KEK, which installation it is, the first policy, and the administrators who decide from then on, by its rules.

use super::hardware::Hardware;
use super::password::Hashing;
use super::person::{KeyStanding, Membership, invite};
use super::{AdministrationError, act, hsm_profile, kek, legacy_pending, server_act};
use crate::authority::{INSTALLATION, InstallationRecord, PolicyRecord};
use crate::clock::Moment;
use crate::crypto::Randomness;
use crate::custody::{Custody, KekId, Links, ProfileId, ProfileRecord};
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
    let (profile, record) = founding.profile;
    kek::found_domain(custody, work, Domain::SYSTEM, profile, kek, now.0, None).await?;
    hsm_profile::put(custody, work, profile, record).await?;
    hsm_profile::put_links(custody, work, Domain::SYSTEM, &Links(vec![profile])).await?;
    let record = InstallationRecord::new(randomness.array()?);
    kek::put(custody, work, InstallationRecord::key(), record.encode()).await?;
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
