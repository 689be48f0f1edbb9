//! How a demonstration gets its tenants: as anybody gets his, by people who log in, propose, agree and complete. It is the only place
//! where one process holds several people's keys.

use super::profile;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::folder::{Folder, now};
use crate::cli::people;
use crate::cli::possession::Place;
use crate::cli::private;
use crate::cli::proposal::ballot::{self, Voter};
use crate::cli::say;
use crate::cli::session::{Answer, Pending, Session, payload_bytes};
use crate::cli::shares;
use certs::{CertificateAuthority, KeyKind, Subject, Validity};
use kmip_client::{Connection, Identity, Settings};
use kmip_protocol::{
    ApplicationCreateRequest, Attribute, AuthorityCreateRequest, Certificate, CertificateType, ClientCreateRequest,
    ClientCredential, ClientPassword, ClientSettings, ClientUser, CryptoProfile, CryptographicUsageMask, DateTime,
    Interval, KeyBlock, KeyFormatType, KeyMaterial, KeyValue, Link, LinkType, ManagedObject, NewPerson, Operation,
    PasswordChangeRequest, PersonRole, PlainKeyValue, PolicyGetRequest, PolicyPutRequest, PolicyTemplate, PrivateKey,
    ProposalCompleteRequest, ProposalGetRequest, RegisterRequest, Request, RequestPayload, SecretText,
    TemplateAttribute, TenantCreateRequest, TenantSettings, UniqueIdentifier, Version, VoteDecision,
};
use kmip_ttlv::Secret;
use std::time::Duration;

/// The client that keeps the authority which certifies, and the files of its certificate.
pub(super) const CERTIFICATION: &str = "certification";

/// How long each step may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tenant to establish, with its client.
pub(super) struct Tenant {
    pub(super) name: &'static str,
    pub(super) operators: [&'static str; 2],
    /// The certificate of the authority that its clients' certificates come from.
    pub(super) authority: Option<Vec<u8>>,
    /// How its client is known.
    pub(super) client: ClientCredential,
    /// Users that come over its client's connections.
    pub(super) users: Vec<User>,
    /// How the client is known that keeps the authority which certifies for the other, if there is one.
    pub(super) certification: Option<ClientCredential>,
}

/// A user of a tenant's client.
#[derive(Clone)]
pub(in crate::cli) struct User {
    name: String,
    password: SecretText,
}

impl User {
    /// Reads `NAME:PASSWORD`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (name, password) = text.split_once(':').ok_or("expected NAME:PASSWORD")?;
        Ok(Self {
            name: name.to_owned(),
            password: SecretText::new(password),
        })
    }

    fn request(&self, application_name: &str) -> ClientCreateRequest {
        ClientCreateRequest {
            client_name: self.name.clone(),
            application_name: Some(application_name.to_owned()),
            settings: None,
            credentials: Vec::new(),
            password: Some(ClientPassword {
                username: self.name.clone(),
                password: self.password.clone(),
            }),
            user: Some(ClientUser {
                connection_clients: vec![CLIENT.to_owned()],
            }),
        }
    }
}

/// The client of each tenant.
const CLIENT: &str = "client";

/// Somebody who is logged in.
struct Person {
    session: Session,
    voter: Voter,
}

/// Logs the administrators in, and has them make the tenants; each tenant's operators do the rest.
pub(super) fn establish(folder: &Folder, address: &str, administrators: &[&str], tenants: &[Tenant]) -> Outcome<()> {
    say(&format!("administrators {}: first login", administrators.join(", ")));
    let names = administrators;
    let mut administrators = arrive(folder, address, names)?;
    share_keys(folder, &mut administrators, (names, PersonRole::Administrator), None)?;
    for tenant in tenants {
        say(&format!("tenant {}: proposed, agreed to, completed", tenant.name));
        let request = TenantCreateRequest {
            tenant_name: tenant.name.to_owned(),
            operators: operators(folder, tenant)?,
            policy_template: Some(PolicyTemplate::Mtg),
            settings: Some(TenantSettings {
                crypto_profile: Some(CryptoProfile::Interop),
                ..TenantSettings::default()
            }),
            hsm_profile_name: None,
            backup_string: None,
            recover: None,
        };
        agree(&mut administrators, request)?;
    }
    leave(administrators)?;
    std::thread::scope(|scope| {
        let at_work: Vec<_> = tenants
            .iter()
            .map(|tenant| scope.spawn(|| furnish(folder, address, tenant)))
            .collect();
        at_work
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(stopped())))
    })
}

/// A tenant's operators, with their keys in the folder and their initial passwords left there.
fn operators(folder: &Folder, tenant: &Tenant) -> Outcome<Vec<NewPerson>> {
    let mut operators = Vec::with_capacity(tenant.operators.len());
    for name in tenant.operators {
        let operator = people::make(folder, name, PersonRole::Operator)?;
        people::leave_password(folder, &operator)?;
        operators.push(operator);
    }
    Ok(operators)
}

/// What a tenant's operators make: the application, the authority, the client. New people count at once: who tries something out does
/// not wait a day.
fn furnish(folder: &Folder, address: &str, tenant: &Tenant) -> Outcome<()> {
    say(&format!(
        "operators {}: first login, application and client of {}",
        tenant.operators.join(", "),
        tenant.name
    ));
    let mut operators = arrive(folder, address, &tenant.operators)?;
    let all = (&tenant.operators[..], PersonRole::Operator);
    share_keys(folder, &mut operators, all, Some(tenant.name))?;
    let application_name = tenant.name.to_owned();
    let request = ApplicationCreateRequest {
        application_name: application_name.clone(),
    };
    agree(&mut operators, request)?;
    if let Some(certificate) = &tenant.authority {
        let request = AuthorityCreateRequest {
            authority_name: tenant.name.to_owned(),
            certificate: Some(certificate.clone()),
            hardware: None,
            revocation_lists: Vec::new(),
        };
        agree(&mut operators, request)?;
    }
    let issuing_certificate = match &tenant.certification {
        Some(known_by) => {
            let request = ClientCreateRequest {
                client_name: CERTIFICATION.to_owned(),
                application_name: None,
                settings: None,
                credentials: vec![known_by.clone()],
                password: None,
                user: None,
            };
            agree(&mut operators, request)?;
            Some(certification(folder, address)?)
        }
        None => None,
    };
    // Whoever tries KMIP out tries Import and Set Defaults as well.
    let settings = ClientSettings {
        may_import: Some(true),
        may_set_defaults: Some(true),
        issuing_certificate,
        admits_users: (!tenant.users.is_empty()).then_some(true),
        ..ClientSettings::default()
    };
    let request = ClientCreateRequest {
        client_name: CLIENT.to_owned(),
        application_name: Some(application_name.clone()),
        settings: Some(settings),
        credentials: vec![tenant.client.clone()],
        password: None,
        user: None,
    };
    agree(&mut operators, request)?;
    for user in &tenant.users {
        agree(&mut operators, user.request(&application_name))?;
    }
    let first = operators.first_mut().ok_or_else(stopped)?;
    let policy = first.session.ask(PolicyGetRequest::default())?.policy.policy;
    let mut policy = policy.ok_or_else(stopped)?;
    policy.seasoning = Interval(0);
    agree(&mut operators, PolicyPutRequest { policy })?;
    leave(operators)
}

/// Has the client that keeps it bring the authority which certifies: its key, which never leaves again, and its certificate, by which
/// it is named.
fn certification(folder: &Folder, address: &str) -> Outcome<String> {
    let failed = |why: certs::Error| Failure::from(why.to_string());
    let now = now();
    let authority = CertificateAuthority::create(
        &Subject::named("Claviger demo certification"),
        Validity::days(now, 3_650),
        KeyKind::P256,
    );
    let authority = authority.map_err(failed)?;
    let identity = Identity::in_folder(&folder.at(""), CERTIFICATION);
    let mut settings = Settings::new(address);
    settings.timeout = PATIENCE;
    let mut connection = Connection::open(&settings, &identity)?;
    let material = KeyMaterial::Bytes(Secret::copy_from(&authority.key().to_der()));
    let key_block = KeyBlock {
        key_format_type: KeyFormatType::PKCS_8,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: material,
            attributes: None,
        })),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    };
    let used = [
        Attribute::CryptographicUsageMask(CryptographicUsageMask::CertificateSign),
        Attribute::ActivationDate(DateTime(now)),
        Attribute::Extractable(false),
    ];
    let mut bring = |object: ManagedObject, attributes: TemplateAttribute| {
        let request = RegisterRequest {
            object_type: object.object_type(),
            attributes,
            object,
            protection_storage_masks: None,
        };
        connection.call(Version::NEWEST, request)
    };
    let key = bring(PrivateKey { key_block }.into(), used.into_iter().collect())?;
    let certificate = Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: authority.certificate().to_vec(),
    };
    let to_key = Attribute::Link(Link {
        link_type: LinkType::PrivateKeyLink,
        linked_object_identifier: UniqueIdentifier::Text(key.unique_identifier),
    });
    Ok(bring(certificate.into(), core::iter::once(to_key).collect())?.unique_identifier)
}

/// Gives each of them a share key, beside the certificate.
fn share_keys(
    folder: &Folder,
    them: &mut [Person],
    (names, role): (&[&str], PersonRole),
    tenant: Option<&str>,
) -> Outcome<()> {
    let first = them.first_mut().ok_or_else(stopped)?;
    let place = Place::at(&mut first.session, tenant)?;
    for name in names {
        let certificate = folder.at(&format!("{}/{name}.pem", people::PEOPLE));
        agree(them, shares::request(&certificate, &place, role, name)?)?;
    }
    Ok(())
}

/// First logins, side by side: most of each is hashing passwords.
fn arrive(folder: &Folder, address: &str, names: &[&str]) -> Outcome<Vec<Person>> {
    std::thread::scope(|scope| {
        let logins: Vec<_> = names
            .iter()
            .map(|name| scope.spawn(move || first_login(folder, address, name)))
            .collect();
        let joined = logins
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(stopped())));
        joined.collect()
    })
}

/// With the initial password, which is then changed; the new one takes its place in `people/NAME.password`.
fn first_login(folder: &Folder, address: &str, name: &str) -> Outcome<Person> {
    let profile = profile(folder, address, name);
    let mut session = Session::open(&profile, PATIENCE, None)?;
    let place = people::password(folder, name);
    let initial = private::secret(Some(&place), name)?;
    session.login(name, initial.clone(), None)?;
    let chosen = private::generated_for(name)?;
    session.ask(PasswordChangeRequest {
        current_password: initial,
        new_password: chosen.clone(),
    })?;
    people::write_password(&place, &chosen)?;
    session.login(name, chosen, None)?;
    Ok(Person {
        session,
        voter: Voter::of(&profile)?,
    })
}

/// Ends the sessions.
fn leave(people: Vec<Person>) -> Outcome<()> {
    people.into_iter().try_for_each(|mut person| person.session.logout())
}

/// Has the first of these people ask, and if others must agree, both of them agree and the second complete.
fn agree<R: Request>(people: &mut [Person], request: R) -> Outcome<()> {
    let [first, second] = people else {
        return Err(stopped());
    };
    let payload: RequestPayload = request.into();
    let sent = payload_bytes(&payload);
    let pending = match first.session.change::<R>(payload, Some("demonstration"))? {
        Answer::Done(_) => return Ok(()),
        Answer::Pending(pending) => pending,
    };
    let proposal_identifier = pending.note.proposal_identifier.clone().ok_or_else(stopped)?;
    for person in [&mut *first, &mut *second] {
        vote(person, &proposal_identifier, R::OPERATION, sent.expose())?;
    }
    second.session.ask(ProposalCompleteRequest { proposal_identifier })?;
    finish::<R>(first, pending)
}

/// Votes for what the server shows, if that is what was asked for.
fn vote(person: &mut Person, identifier: &[u8], operation: Operation, sent: &[u8]) -> Outcome<()> {
    let request = ProposalGetRequest {
        proposal_identifier: identifier.to_vec(),
    };
    let proposal = person.session.ask(request)?.proposal;
    if !ballot::is_of(operation, sent, &proposal.frozen_request)? {
        return Err(Failure::from(
            "the server froze another request than was sent".to_owned(),
        ));
    }
    let vote = ballot::vote(&proposal, &person.voter, VoteDecision::Approve, None, ballot::ONLINE)?;
    person.session.ask(vote)?;
    Ok(())
}

fn finish<R: Request>(person: &mut Person, pending: Pending) -> Outcome<()> {
    match person.session.wait::<R>(pending, PATIENCE)? {
        Answer::Done(_) => Ok(()),
        Answer::Pending(_) => Err(stopped()),
    }
}

fn stopped() -> Failure {
    Failure::from("a step did not come to its end".to_owned())
}
