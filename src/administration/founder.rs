//! The administrators that an installation begins with, and the policy: from then on they decide who joins them, by its rules.

use super::keeper::Keeper;
use super::{AdministrationError, kek};
use crate::authority::PolicyRecord;
use crate::clock::Moment;
use crate::crypto::Randomness;
use crate::custody::Custody;
use crate::identity::{Enroll, EnrollError, PasswordRecord, Passwords, PersonId, PersonKey, PersonRecord};
use crate::store::{Domain, Work};
use certs::CertificateFacts;
use kmip_protocol::{NewPerson, PersonRole, PersonStatus, Policy};

/// How long an initial password lasts, in milliseconds: until the next working day, over a weekend.
const INITIAL_LIFETIME_MS: i64 = 72 * 60 * 60 * 1000;

/// Puts the first policy of a domain.
pub async fn policy(
    custody: &Custody,
    work: &mut Work,
    domain: Domain,
    policy: Policy,
    now: Moment,
) -> Result<(), AdministrationError> {
    let record = PolicyRecord::first(policy, now.0);
    let places = [
        PolicyRecord::key(domain),
        PolicyRecord::version_key(domain, record.version),
    ];
    for place in places {
        kek::put(custody, work, place, record.encode()).await?;
    }
    Ok(())
}

/// Enrols the administrators of genesis in the system's domain. They count from the beginning, once they have shown themselves.
pub async fn administrators(
    keeper: &Keeper,
    work: &mut Work,
    randomness: &dyn Randomness,
    founders: &[NewPerson],
    now: Moment,
) -> Result<(), AdministrationError> {
    for founder in founders {
        let facts = CertificateFacts::read(&founder.certificate).map_err(EnrollError::from)?;
        let mut person = [0; 16];
        randomness.fill(&mut person)?;
        let mut salt = [0; 16];
        randomness.fill(&mut salt)?;
        let hash = Passwords::default().hash(founder.initial_password.expose(), &salt);
        let record = PersonRecord {
            name: founder.person_name.clone(),
            role: PersonRole::Administrator,
            status: PersonStatus::Invited,
            created_ms: now.0,
            member_since_ms: 0,
            created_by: None,
            credentials: vec![PersonKey {
                fingerprint: facts.key_fingerprint,
                certificate: founder.certificate.clone(),
                hardware: founder.hardware.unwrap_or(false),
                attested_by: None,
                enrolled_ms: now.0,
                revoked_ms: None,
            }],
            password: Some(PasswordRecord {
                hash: hash.map_err(AdministrationError::Password)?,
                initial: true,
                expires_ms: Some(now.0.saturating_add(INITIAL_LIFETIME_MS)),
                history: Vec::new(),
            }),
            one_time: None,
        };
        let id = PersonId {
            domain: Domain::SYSTEM,
            person,
        };
        Enroll::new(work, keeper).person(id, &record).await?;
    }
    Ok(())
}
