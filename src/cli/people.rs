//! The people that an installation begins with: those whose certificates are given, and those whose keys are made here.

use super::failure::{Failure, Outcome};
use super::folder::Folder;
use super::nouns::person::self_signed;
use super::nouns::{Named, new_people};
use super::{Problem, private, shares};
use crate::authority::quorum::{self, Scope};
use crate::custody::ShareKey;
use certs::{KeyKind, PrivateKey, pem};
use kmip_protocol::{NewPerson, PersonRole, Policy, PolicyTemplate, SecretText};
use std::path::{Path, PathBuf};

/// Where the keys and initial passwords of people lie.
pub(super) const PEOPLE: &str = "people";

/// Administrators that no installation can do without, whatever its policy: one cannot agree with himself.
const FEWEST: usize = 2;

/// The system's first policy, which so many administrators can satisfy.
pub(super) fn policy(template: PolicyTemplate, administrators: usize) -> Result<Policy, Problem> {
    if template == PolicyTemplate::Off {
        return Err("the policy of the system cannot be off: two administrators agree at least".to_owned());
    }
    let policy = quorum::template(template, Scope::System);
    let fewest = usize::try_from(policy.fewest_operators).unwrap_or(usize::MAX);
    if administrators < fewest {
        return Err(format!(
            "the policy {template} wants {fewest} administrators, and these are {administrators}"
        ));
    }
    Ok(policy)
}

/// The administrators of a new installation: `given` with their certificates, those of them in `hardware` with keys in a token; `made` with new keys in the folder `people`. Initial
/// passwords of all are left there, for their owners.
pub(super) fn administrators(
    folder: &Folder,
    given: &[Named],
    hardware: &[String],
    made: &[String],
) -> Result<Vec<NewPerson>, Problem> {
    let count = given.len().saturating_add(made.len());
    if count < FEWEST {
        return Err(format!(
            "an installation begins with at least {FEWEST} administrators, better three: give --administrator NAME=CERTIFICATE for \
             each, or --administrators NAME,NAME to make their keys here"
        ));
    }
    for Named { name, .. } in given {
        check(name)?;
    }
    let mut people = new_people(given, PersonRole::Administrator, hardware).map_err(text)?;
    for name in made {
        check(name)?;
        people.push(make(folder, name, PersonRole::Administrator)?);
    }
    for (i, person) in people.iter().enumerate() {
        let same =
            |other: &&NewPerson| other.person_name == person.person_name || other.certificate == person.certificate;
        if people.iter().skip(i.saturating_add(1)).any(|other| same(&other)) {
            return Err(format!(
                "{} is named twice, or has another's certificate",
                person.person_name
            ));
        }
    }
    for person in &people {
        leave_password(folder, person)?;
    }
    Ok(people)
}

/// A person with a new key and a self-signed certificate, in `people/NAME-key.pem` and `people/NAME.pem`.
pub(super) fn make(folder: &Folder, name: &str, role: PersonRole) -> Result<NewPerson, Problem> {
    folder.make(PEOPLE)?;
    let (certificate, key) = self_signed(name).map_err(text)?;
    folder.write(&format!("{PEOPLE}/{name}-key.pem"), &key.to_pem())?;
    folder.write(&format!("{PEOPLE}/{name}.pem"), &pem::write_certificate(&certificate))?;
    Ok(NewPerson {
        person_name: name.to_owned(),
        person_role: role,
        certificate,
        initial_password: private::generated_for(name).map_err(text)?,
        hardware: None,
        attestation: Vec::new(),
        possession_proof: None,
    })
}

/// A share key for a person whose other key was made here, in `people/NAME-share-key.pem`.
pub(super) fn share_key(folder: &Folder, name: &str) -> Result<ShareKey, Problem> {
    let key = PrivateKey::generate(KeyKind::P256).map_err(|why| why.to_string())?;
    let certificate = folder.at(&format!("{PEOPLE}/{name}.pem"));
    private::write(&shares::place(&certificate), key.to_pem().as_bytes()).map_err(text)?;
    ShareKey::read(&key.public_key_info()).map_err(|why| why.to_string())
}

/// Leaves a person's initial password in `people/NAME.password`, for its owner alone.
pub(super) fn leave_password(folder: &Folder, person: &NewPerson) -> Result<(), Problem> {
    let path = password(folder, &person.person_name);
    write_password(&path, &person.initial_password).map_err(text)
}

/// Where a person's password is left.
pub(super) fn password(folder: &Folder, name: &str) -> PathBuf {
    folder.at(&format!("{PEOPLE}/{name}.password"))
}

/// Writes a password for its owner alone.
pub(super) fn write_password(path: &Path, password: &SecretText) -> Outcome<()> {
    let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
    private::write(path, line.as_bytes())
}

/// A name that can be a file's.
fn check(name: &str) -> Result<(), Problem> {
    if !super::is_file_name(name, "") || !name.is_ascii() {
        return Err(format!(
            "{name:?} cannot be the name of a person's files: letters, digits, - and _ only"
        ));
    }
    Ok(())
}

fn text(failure: Failure) -> Problem {
    failure.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_policy_wants_its_people() {
        assert!(policy(PolicyTemplate::Mtg, 2).is_ok());
        assert!(policy(PolicyTemplate::Strict, 3).is_err());
        assert!(policy(PolicyTemplate::Strict, 4).is_ok());
        assert!(policy(PolicyTemplate::Off, 9).is_err());
    }

    #[test]
    fn one_administrator_is_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert!(administrators(&folder, &[], &[], &names(&["alice"])).is_err());
        assert!(administrators(&folder, &[], &[], &names(&["alice", "alice"])).is_err());
        assert!(administrators(&folder, &[], &[], &names(&["alice", "../bob"])).is_err());
        let people = administrators(&folder, &[], &[], &names(&["alice", "bob"])).unwrap();
        assert_eq!(people.len(), 2);
        for file in ["alice.password", "alice-key.pem", "bob.password"] {
            let mode = std::fs::metadata(folder.at("people").join(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{file}");
        }
        // The same certificate under another name is the same person.
        let same = Named {
            name: "carol".to_owned(),
            file: folder.at("people/alice.pem"),
        };
        let given = Named {
            name: "dora".to_owned(),
            file: folder.at("people/alice.pem"),
        };
        assert!(administrators(&folder, &[same, given], &[], &[]).is_err());
    }
}
