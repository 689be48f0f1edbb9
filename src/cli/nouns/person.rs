//! `claviger person`: the people of one's own domain (P-KMS-TNT-01), and oneself.

use super::{KeyClaim, change_with_passwords, new_person};
use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::key::KeyPlace;
use crate::cli::kmip::words;
use crate::cli::options::{Options, Page};
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::possession::{Ask, Place, Proof, Sources};
use crate::cli::proposal::ballot;
use crate::cli::{folder, hex, private, say, shares, tickets};
use certs::{CertificateFacts, KeyKind, Leaf, Subject, Usage, Validity, pem};
use clap::{Args, Subcommand};
use kmip_protocol::{
    CredentialAddRequest, CredentialRevokeRequest, KeyHolder, OneTimeConfirmRequest, OneTimeEnrollRequest,
    PasswordChangeRequest, PersonCreateRequest, PersonDeleteRequest, PersonGetRequest, PersonListRequest,
    PersonModifyRequest, PersonResetRequest, PersonResumeRequest, PersonRole, PersonSuspendRequest,
    PersonUnlockRequest, ShareKeyRevokeRequest, tag,
};
use std::path::{Path, PathBuf};

/// Days that a certificate made here is valid: registration is what counts, and it is renewed before.
const DAYS: u32 = 730;

/// `claviger person`: people.
#[derive(Args)]
pub(in crate::cli) struct PersonArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the people of your domain
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Show a person; yourself if none is named
    Show {
        /// Its name
        name: Option<String>,
    },
    /// Invite a person
    Create {
        /// Its name
        name: String,
        /// Its role: administrator, system-auditor, operator, auditor, custodian
        #[arg(long)]
        role: String,
        /// Its certificate, PEM
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        #[command(flatten)]
        claim: KeyClaim,
        #[command(flatten)]
        sources: Sources,
        /// Write the initial password here, NAME.password, instead of showing it
        #[arg(long, value_name = "FOLDER")]
        passwords: Option<PathBuf>,
    },
    /// Change your own name
    Rename {
        /// The new name
        name: String,
    },
    /// Lock a person out, at once
    Suspend {
        /// Its name
        name: String,
    },
    /// Lift a suspension
    Resume {
        /// Its name
        name: String,
    },
    /// Give a person a new initial password
    Reset {
        /// Its name
        name: String,
        /// Write the initial password here, NAME.password, instead of showing it
        #[arg(long, value_name = "FOLDER")]
        passwords: Option<PathBuf>,
    },
    /// End a lock-out after failed logins
    Unlock {
        /// Its name
        name: String,
    },
    /// Delete a person
    Delete {
        /// Its name
        name: String,
    },
    /// Make a private key and a self-signed certificate, to be registered; needs no server
    Key {
        /// The person's name
        name: String,
        /// The folder for NAME-key.pem and NAME.pem
        #[arg(long, default_value = ".")]
        folder: PathBuf,
        /// Make the key in a token instead: pkcs11:token=…;object=…?module-path=/…; one of that name that is there already is taken
        #[arg(long = "in", value_name = "URI")]
        place: Option<KeyPlace>,
        /// Write NAME.proof too, that the key agrees to be registered there: the installation, as `claviger status` tells it
        #[arg(long, value_name = "HEX", requires = "role")]
        installation: Option<String>,
        /// In which tenant; none for people of the system
        #[arg(long, requires = "installation")]
        tenant: Option<String>,
        /// In which role
        #[arg(long, requires = "installation")]
        role: Option<String>,
    },
    /// Give a person another certificate; its key shows that it is there
    AddCertificate {
        /// The person's name
        name: String,
        /// The new certificate, PEM
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// The new private key, PEM or its name in a token, where it is at hand
        #[arg(long, value_name = "FILE|URI", required_unless_present = "proof")]
        new_key: Option<KeyPlace>,
        /// The proof, made elsewhere by `claviger person prove`
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
        #[command(flatten)]
        claim: KeyClaim,
    },
    /// Prove that you hold a key that is to be registered as yours; needs no server
    Prove {
        /// Your name
        name: String,
        /// Your role: administrator, system-auditor, operator, auditor, custodian
        #[arg(long)]
        role: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Take a certificate from a person
    RevokeCertificate {
        /// The person's name
        name: String,
        /// SHA-256 of its key, as `person show` tells it
        fingerprint: String,
    },
    /// Make the key that your shares of credentials are encrypted to, beside your certificate, and have it enrolled
    ShareKey {
        /// Make another one in place of the one that is there, which goes on opening what was shared before
        #[arg(long)]
        another: bool,
    },
    /// Take a person's share key: it is lost, or somebody else has it
    RevokeShareKey {
        /// The person's name
        name: String,
        /// Also if too few are left then who can open what is shared
        #[arg(long)]
        force: bool,
    },
    /// Change your own password
    Password {
        /// The file with the present password; - is standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// The file with the new password; - is standard input
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
    /// Begin to use one-time passwords: writes the secret for your device
    OneTime {
        /// Where the secret is written; shown once if absent
        #[arg(long, value_name = "FILE")]
        secret: Option<PathBuf>,
    },
    /// Show that the one-time password works
    OneTimeConfirm {
        /// The file with the code; - is standard input
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
    },
}

/// `claviger person`.
pub(in crate::cli) fn run(arguments: &PersonArguments) -> Outcome<()> {
    match &arguments.verb {
        // These two need no server.
        Verb::Key {
            name,
            folder,
            place: key,
            installation,
            tenant,
            role,
        } => {
            let role = role.as_deref().map(role_of).transpose()?;
            let place = match (installation, role) {
                (Some(installation), Some(role)) => Some((Place::told(installation, tenant.clone())?, role)),
                _ => None,
            };
            make_key(name, folder, key.as_ref(), place)
        }
        Verb::Prove { name, role, ask } => ask.answer(KeyHolder::Person(role_of(role)?, name)),
        verb => ask(&mut Caller::open(&arguments.options)?, verb),
    }
}

fn ask(caller: &mut Caller<'_>, verb: &Verb) -> Outcome<()> {
    match verb {
        Verb::List { page } => {
            let request = PersonListRequest {
                maximum_items: page.maximum,
                offset_items: page.offset,
            };
            caller.list(request, table)
        }
        Verb::Show { name } => caller.show(PersonGetRequest {
            person_name: name.clone(),
        }),
        Verb::Create {
            name,
            role,
            certificate,
            claim,
            sources,
            passwords,
        } => {
            let mut person = new_person(name, role_of(role)?, certificate, claim)?;
            sources.add_to_person(&mut person, None, caller)?;
            let people = [(name.clone(), person.initial_password.clone())];
            let request = PersonCreateRequest { person };
            change_with_passwords(caller, request, &people, passwords.as_deref(), "the person is invited")
        }
        Verb::Rename { name } => {
            let new_name = name.clone();
            let done = format!("your name is {name} now: log in with --person {name}, unless your certificate says so");
            caller.change(PersonModifyRequest { new_name }, &done)
        }
        Verb::Suspend { name } => {
            let person_name = name.clone();
            caller.change(PersonSuspendRequest { person_name }, "the person is suspended")
        }
        Verb::Resume { name } => {
            let person_name = name.clone();
            caller.change(PersonResumeRequest { person_name }, "the person may act again")
        }
        Verb::Unlock { name } => {
            let person_name = name.clone();
            caller.change(PersonUnlockRequest { person_name }, "the lock-out has ended")
        }
        Verb::Reset { name, passwords } => {
            let initial_password = private::generated_for(name)?;
            let people = [(name.clone(), initial_password.clone())];
            let request = PersonResetRequest {
                person_name: name.clone(),
                initial_password,
            };
            let done = "the person has a new initial password";
            change_with_passwords(caller, request, &people, passwords.as_deref(), done)
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the person {name}?"))?;
            let person_name = name.clone();
            caller.change(PersonDeleteRequest { person_name }, "the person was deleted")
        }
        Verb::Key { .. } | Verb::Prove { .. } => Ok(()),
        Verb::AddCertificate { .. }
        | Verb::RevokeCertificate { .. }
        | Verb::ShareKey { .. }
        | Verb::RevokeShareKey { .. }
        | Verb::Password { .. }
        | Verb::OneTime { .. }
        | Verb::OneTimeConfirm { .. } => ask_about_credentials(caller, verb),
    }
}

fn ask_about_credentials(caller: &mut Caller<'_>, verb: &Verb) -> Outcome<()> {
    match verb {
        Verb::AddCertificate {
            name,
            certificate,
            new_key,
            proof,
            claim,
        } => {
            let proof = match (new_key, proof) {
                (Some(key), _) => {
                    let person_name = Some(name.clone());
                    let person = caller.session.ask(PersonGetRequest { person_name })?.person;
                    let holder = KeyHolder::Person(person.person_role, name);
                    let key = key.of(&ballot::certificate(certificate)?)?;
                    Proof::make(&Place::of(caller, None)?, holder, key.as_ref())?
                }
                (None, Some(file)) => Proof::read(file)?,
                (None, None) => return Err(Failure::usage("give --new-key or --proof")),
            };
            let certificate = ballot::certificate(certificate)?;
            proof.check(&certificate)?;
            let request = CredentialAddRequest {
                person_name: name.clone(),
                certificate,
                proof: proof.signature,
                hardware: claim.declared(),
                attestation: claim.certificates()?,
            };
            caller.change(request, "the certificate is registered")
        }
        Verb::RevokeCertificate { name, fingerprint } => {
            let request = CredentialRevokeRequest {
                person_name: name.clone(),
                key_fingerprint: words::bytes(fingerprint).map_err(Failure::usage)?,
            };
            caller.change(request, "the certificate is revoked")
        }
        Verb::ShareKey { another } => shares::enroll(caller, *another),
        Verb::RevokeShareKey { name, force } => {
            let request = ShareKeyRevokeRequest {
                person_name: name.clone(),
                force: force.then_some(true),
            };
            let done = "the person's shares count no more; have what is shared with it shared anew";
            caller.change(request, done)
        }
        Verb::Password {
            password_file,
            new_password_file,
        } => change_password(caller, password_file.as_deref(), new_password_file.as_deref()),
        Verb::OneTime { secret } => {
            let Some(response) = caller.carry(OneTimeEnrollRequest::default())? else {
                return Ok(());
            };
            let text = response.secret.expose();
            match secret {
                Some(path) => private::write(path, format!("{text}\n").as_bytes())?,
                None => super::remark(&format!(
                    "the secret of your one-time passwords, shown only now: {text}"
                )),
            }
            say("confirm it with `claviger person one-time-confirm`");
            Ok(())
        }
        Verb::OneTimeConfirm { code_file } => {
            let code = private::secret(code_file.as_deref(), "One-time password")?;
            caller.change(
                OneTimeConfirmRequest { code },
                "logins want a one-time password from now on",
            )
        }
        _ => Ok(()),
    }
}

/// Changes the password and begins a session with the new one.
fn change_password(caller: &mut Caller<'_>, current: Option<&Path>, new: Option<&Path>) -> Outcome<()> {
    let current_password = private::secret(current, "Present password")?;
    let new_password = private::secret(new, "New password")?;
    if new.is_none() && private::secret(None, "New password again")? != new_password {
        return Err(Failure::usage("the two are not the same"));
    }
    let person = caller.person()?;
    let request = PasswordChangeRequest {
        current_password,
        new_password: new_password.clone(),
    };
    let changed = caller.change(request, "the password is changed");
    changed?;
    // With one-time passwords there is no session without the next code.
    match caller.session.login(&person, new_password, None) {
        Ok(ticket) => tickets::keep(&caller.profile, Some(&ticket)),
        Err(_) => tickets::keep(&caller.profile, None),
    }
}

fn role_of(word: &str) -> Outcome<PersonRole> {
    words::value(tag::PERSON_ROLE, word)
        .map(PersonRole)
        .map_err(Failure::usage)
}

fn make_key(name: &str, into: &Path, place: Option<&KeyPlace>, proves: Option<(Place, PersonRole)>) -> Outcome<()> {
    let certificate = into.join(format!("{name}.pem"));
    if certificate.exists() {
        return Err(Failure::usage(format!("{} is there already", certificate.display())));
    }
    private::check_place(&certificate)?;
    let file = KeyPlace::File(into.join(format!("{name}-key.pem")));
    let key = place.unwrap_or(&file).make()?;
    let made = leaf(name).self_signed_by(key.as_ref()).map_err(|why| why.to_string())?;
    std::fs::write(&certificate, pem::write_certificate(&made))
        .map_err(|why| format!("{}: {why}", certificate.display()))?;
    if let Some((place, role)) = proves {
        let to = into.join(format!("{name}.proof"));
        place.prove(KeyHolder::Person(role, name), key.as_ref(), &to)?;
    }
    let facts = CertificateFacts::read(&made).map_err(|why| why.to_string())?;
    say(&hex(&facts.key_fingerprint));
    Ok(())
}

/// A key and a certificate for a person, to be registered.
pub(in crate::cli) fn self_signed(name: &str) -> Outcome<(Vec<u8>, certs::PrivateKey)> {
    Ok(leaf(name).self_signed(KeyKind::P256).map_err(|why| why.to_string())?)
}

fn leaf(name: &str) -> Leaf {
    Leaf {
        subject: Subject::named(name),
        alternative_names: Vec::new(),
        usage: Usage::Client,
        validity: Validity::days(folder::now(), DAYS),
    }
}

fn table(response: &kmip_protocol::PersonListResponse) -> Table {
    let rows = response.persons.iter().map(|person| {
        let valid = || {
            person
                .credentials
                .iter()
                .filter(|credential| credential.revoked.is_none())
        };
        let hardware = valid().filter(|credential| credential.hardware).count();
        [
            person.person_name.clone(),
            person.person_role.to_string(),
            person.person_status.to_string(),
            moment(person.member_since.0),
            or_dash(person.last_login.map(|at| moment(at.0))),
            or_dash(person.locked_until.map(|at| moment(at.0))),
            valid().count().to_string(),
            hardware.to_string(),
        ]
    });
    let headings = [
        "PERSON",
        "ROLE",
        "STATUS",
        "MEMBER SINCE",
        "LAST LOGIN",
        "LOCKED UNTIL",
        "KEYS",
        "IN HARDWARE",
    ];
    Table::from_rows(headings, rows)
}
