//! What can be administered: one file for each noun, all on one way of asking.

pub(super) mod application;
pub(super) mod audit;
pub(super) mod authority;
pub(super) mod ceremony;
pub(super) mod certificate;
pub(super) mod client;
pub(super) mod doctor;
pub(super) mod endpoint;
pub(super) mod group;
pub(super) mod hsm;
pub(super) mod kek;
pub(super) mod legacy_token;
pub(super) mod namespace;
pub(super) mod object;
pub(super) mod permission;
pub(super) mod person;
pub(super) mod policy;
mod policy_file;
pub(super) mod quarantine;
pub(super) mod residue;
pub(super) mod restore;
pub(super) mod session;
pub(super) mod share;
pub(super) mod status;
pub(super) mod tenant;

pub use policy_file::parse as parse_policy;

use super::call::{Caller, remark};
use super::failure::{Failure, Outcome};
use super::handover::Handover;
use super::options::duration;
use super::private;
use super::proposal::ballot;
use clap::Args;
use kmip_protocol::{DateTime, Interval, NewPerson, PersonRole, SecretText};
use std::path::{Path, PathBuf};
use time::format_description::well_known::Rfc3339;

/// A name and a file, as `NAME=FILE`.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) file: PathBuf,
}

/// Reads `NAME=FILE`.
pub(super) fn named(text: &str) -> Result<Named, String> {
    let (name, file) = text.split_once('=').ok_or("expected NAME=FILE")?;
    if name.is_empty() || file.is_empty() {
        return Err("expected NAME=FILE".to_owned());
    }
    Ok(Named {
        name: name.to_owned(),
        file: PathBuf::from(file),
    })
}

/// What is said of a person's key: that it is in a token or card.
#[derive(Args, Clone, Default)]
pub(super) struct KeyClaim {
    /// You answer for it that the key is in hardware; those who agree see that
    #[arg(long)]
    hardware: bool,
    /// Certificates by which an authority marked as hardware vouches for the key, PEM, that of the key first; not needed if the person's
    /// own certificate is from that authority
    #[arg(long, value_name = "FILE")]
    attestation: Option<PathBuf>,
}

impl KeyClaim {
    /// What the request declares.
    pub(super) fn declared(&self) -> Option<bool> {
        self.hardware.then_some(true)
    }

    /// The certificates of the attestation.
    pub(super) fn certificates(&self) -> Outcome<Vec<Vec<u8>>> {
        self.attestation
            .as_deref()
            .map_or_else(|| Ok(Vec::new()), ballot::certificates)
    }
}

/// A new person with the certificate in a file and a generated initial password.
pub(super) fn new_person(name: &str, role: PersonRole, certificate: &Path, claim: &KeyClaim) -> Outcome<NewPerson> {
    Ok(NewPerson {
        person_name: name.to_owned(),
        person_role: role,
        certificate: ballot::certificate(certificate)?,
        initial_password: private::generated_for(name)?,
        hardware: claim.declared(),
        attestation: claim.certificates()?,
        possession_proof: None,
    })
}

/// Asks for a change that gives people passwords, and hands these over unless the server refused the change.
pub(super) fn change_with_passwords<R: kmip_protocol::Request>(
    caller: &mut Caller<'_>,
    request: R,
    people: &[(String, SecretText)],
    folder: Option<&Path>,
    done: &str,
) -> Outcome<()> {
    if caller.options.dry_run {
        return caller.change(request, done);
    }
    let mut handover = Handover::prepare(people, folder)?;
    caller.change_noting(request, done, &mut || handover.give())
}

/// Several new people of a role: `hardware` names those whose keys are in a token.
pub(super) fn new_people(given: &[Named], role: PersonRole, hardware: &[String]) -> Outcome<Vec<NewPerson>> {
    if let Some(unknown) = hardware.iter().find(|name| given.iter().all(|one| one.name != **name)) {
        let text = format!("--hardware names {unknown}, who is not among those whose certificates are given");
        return Err(Failure::usage(text));
    }
    let one = |one: &Named| {
        let claim = KeyClaim {
            hardware: hardware.contains(&one.name),
            attestation: None,
        };
        new_person(&one.name, role, &one.file, &claim)
    };
    given.iter().map(one).collect()
}

/// A time span for the wire.
pub(super) fn interval(text: &str) -> Result<Interval, String> {
    let seconds = duration(text)?.as_secs();
    u32::try_from(seconds)
        .map(Interval)
        .map_err(|_| format!("{text} is too long"))
}

/// A moment for the wire.
pub(super) fn instant(text: &str) -> Outcome<DateTime> {
    let parsed = time::OffsetDateTime::parse(text, &Rfc3339);
    let parsed = parsed.map_err(|_| Failure::usage(format!("{text} is no time such as 2027-01-31T00:00:00Z")))?;
    Ok(DateTime(parsed.unix_timestamp()))
}
