//! Proofs of possession: made where the private key is, told to whoever registers the key. The file of one is text: the lines that were
//! signed, then the key and the signature.

use super::call::Caller;
use super::failure::{Failure, Outcome};
use super::key::KeyPlace;
use super::kmip::words;
use super::private;
use super::session::Session;
use super::{hex, say};
use certs::{CertificateFacts, Signer, fingerprint};
use clap::Args;
use kmip_protocol::{
    ClientCredential, KeyHolder, NewPerson, PersonGetRequest, PersonRole, Possession, ServerStatusRequest,
    TenantGetRequest, possession_statement,
};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The object identifier of RSA keys (RFC 3279 §2.3.1).
const RSA: &str = "1.2.840.113549.1.1.1";
/// The object identifier of Ed25519 keys (RFC 8410 §3).
const ED25519: &str = "1.3.101.112";

/// Longer files are no proofs.
const LONGEST_FILE: u64 = 64 * 1024;

/// Where a key is to be registered.
pub(super) struct Place {
    pub(super) instance: Vec<u8>,
    pub(super) tenant_name: Option<String>,
}

/// A proof, as requests carry it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    key_fingerprint: Vec<u8>,
    public_key_info: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// Where proofs come from, for whoever registers a key: made of private keys at hand, or from files.
#[derive(Args, Clone, Default)]
pub(super) struct Sources {
    /// A private key of a key or certificate that is registered, PEM or its name in a token, where it is at hand: it proves itself
    #[arg(long = "private-key", value_name = "FILE|URI")]
    private_keys: Vec<KeyPlace>,
    /// A proof made where the private key is, by `claviger certificate prove` or `claviger person prove`
    #[arg(long = "proof", value_name = "FILE")]
    proofs: Vec<PathBuf>,
}

impl Sources {
    /// Adds to clients' credentials the proofs of their keys.
    pub(super) fn add_to(&self, credentials: &mut [ClientCredential], caller: &mut Caller<'_>) -> Outcome<()> {
        let certificates: Vec<_> = credentials.iter().filter_map(|one| one.certificate.clone()).collect();
        for proof in self.all(KeyHolder::Client, &certificates, None, caller)? {
            let mut matching = 0_usize;
            for credential in credentials.iter_mut() {
                let certified = match &credential.certificate {
                    Some(der) => Some(CertificateFacts::read(der).map_err(|why| why.to_string())?),
                    None => None,
                };
                let by_certificate = certified.is_some_and(|facts| facts.key_fingerprint[..] == proof.key_fingerprint);
                let by_key = credential.key_fingerprint.as_ref() == Some(&proof.key_fingerprint);
                if by_certificate || by_key {
                    matching = matching.saturating_add(1);
                    credential.possession_proof = Some(proof.signature.clone());
                    credential.public_key_info = by_key.then(|| proof.public_key_info.clone());
                }
            }
            if matching == 0 {
                return Err(stray(&proof));
            }
        }
        Ok(())
    }

    /// Adds to a new person the proof of its key. A tenant that is being made is named; else it is the caller's domain.
    pub(super) fn add_to_person(
        &self,
        person: &mut NewPerson,
        tenant: Option<&str>,
        caller: &mut Caller<'_>,
    ) -> Outcome<()> {
        let holder = KeyHolder::Person(person.person_role, &person.person_name);
        let certificates = [person.certificate.clone()];
        let proofs = self.all(holder, &certificates, tenant, caller)?;
        for proof in proofs {
            proof.check(&person.certificate)?;
            person.possession_proof = Some(proof.signature);
        }
        Ok(())
    }

    fn all(
        &self,
        holder: KeyHolder<'_>,
        certificates: &[Vec<u8>],
        tenant: Option<&str>,
        caller: &mut Caller<'_>,
    ) -> Outcome<Vec<Proof>> {
        let mut proofs = Vec::new();
        if !self.private_keys.is_empty() {
            let place = Place::of(caller, tenant)?;
            for key in &self.private_keys {
                // In a token a key is found by its certificate; a file has but one.
                let opened = certificates.iter().find_map(|certificate| key.of(certificate).ok());
                let key = match opened {
                    Some(key) => key,
                    None => key.of(&[])?,
                };
                proofs.push(Proof::make(&place, holder, key.as_ref())?);
            }
        }
        for path in &self.proofs {
            proofs.push(Proof::read(path)?);
        }
        Ok(proofs)
    }
}

fn stray(proof: &Proof) -> Failure {
    let key = hex(&proof.key_fingerprint);
    Failure::usage(format!(
        "the proof is of the key {key}, which is not the one registered"
    ))
}

impl Place {
    /// That of the caller's domain, or of a tenant that is named, in the installation that it is connected with.
    pub(super) fn of(caller: &mut Caller<'_>, tenant: Option<&str>) -> Outcome<Self> {
        let tenant_name = match tenant {
            Some(name) => Some(name.to_owned()),
            None => own_tenant(caller)?,
        };
        Self::at(&mut caller.session, tenant_name.as_deref())
    }

    /// That of this tenant, or of the system, in the installation that a session is with.
    pub(super) fn at(session: &mut Session, tenant: Option<&str>) -> Outcome<Self> {
        let status = session.ask(ServerStatusRequest::default())?;
        let instance = status.items.iter().find(|item| item.status_name == "instance");
        let instance = instance.ok_or_else(|| "the server does not say which installation it is".to_owned())?;
        let instance = words::bytes(&instance.status_value)?;
        let tenant_name = tenant.map(str::to_owned);
        Ok(Self { instance, tenant_name })
    }

    /// As it was told on paper.
    pub(super) fn told(installation: &str, tenant_name: Option<String>) -> Outcome<Self> {
        let instance = words::bytes(installation).map_err(Failure::usage)?;
        Ok(Self { instance, tenant_name })
    }

    /// Writes a proof to a file.
    pub(super) fn prove(&self, holder: KeyHolder<'_>, key: &dyn Signer, to: &Path) -> Outcome<()> {
        let proof = Proof::make(self, holder, key)?;
        let statement = self.statement(holder, &proof.key_fingerprint);
        private::write(to, proof.text(&statement).as_bytes())
    }

    fn statement(&self, holder: KeyHolder<'_>, key_fingerprint: &[u8]) -> String {
        possession_statement(&Possession {
            instance_identifier: &self.instance,
            tenant_name: self.tenant_name.as_deref(),
            holder,
            key_fingerprint,
        })
    }
}

fn own_tenant(caller: &mut Caller<'_>) -> Outcome<Option<String>> {
    let own = caller.session.ask(PersonGetRequest::default())?.person.person_role;
    if matches!(own, PersonRole::Administrator | PersonRole::SystemAuditor) {
        return Ok(None);
    }
    let tenant = caller.session.ask(TenantGetRequest::default())?.tenant;
    Ok(Some(tenant.tenant_name))
}

impl Proof {
    /// Signs.
    pub(super) fn make(place: &Place, holder: KeyHolder<'_>, key: &dyn Signer) -> Outcome<Self> {
        let public_key_info = key.public_key_info();
        let key_fingerprint = fingerprint(&public_key_info).to_vec();
        let statement = place.statement(holder, &key_fingerprint);
        let signature = key.sign(statement.as_bytes()).map_err(|why| why.to_string())?;
        Ok(Self {
            key_fingerprint,
            public_key_info,
            signature,
        })
    }

    /// That it is of the key of this certificate (DER).
    pub(super) fn check(&self, certificate: &[u8]) -> Outcome<()> {
        let facts = CertificateFacts::read(certificate).map_err(|why| why.to_string())?;
        let own = facts.key_fingerprint[..] == self.key_fingerprint;
        own.then_some(()).ok_or_else(|| stray(self))
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Outcome<Self> {
        use std::io::Read as _;
        let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|why| problem(&why))?;
        let read = file.take(LONGEST_FILE).read_to_string(&mut text);
        read.map_err(|why| problem(&why))?;
        Self::parse(&text).ok_or_else(|| problem(&"this is no proof of possession"))
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = text
                .lines()
                .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let found = lines.next().filter(|_| lines.next().is_none())?;
            words::bytes(found.trim()).ok()
        };
        let proof = Self {
            key_fingerprint: value("key")?,
            public_key_info: value("public-key")?,
            signature: value("signature")?,
        };
        let own = fingerprint(&proof.public_key_info)[..] == proof.key_fingerprint;
        (own && text.starts_with("claviger possession v1\n")).then_some(proof)
    }

    fn text(&self, statement: &str) -> String {
        let mut text = statement.to_owned();
        let _ = writeln!(text, "public-key {}", hex(&self.public_key_info));
        let _ = writeln!(text, "signature {}", hex(&self.signature));
        text
    }
}

/// What a proof is made of, where no server is at hand: it is told by whoever registers the key.
#[derive(Args)]
pub(super) struct Ask {
    /// The installation, as `claviger status` tells it in the line `instance`
    #[arg(long, value_name = "HEX")]
    installation: String,
    /// The tenant; none for people of the system
    #[arg(long)]
    tenant: Option<String>,
    /// The certificate that has the key, PEM
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// The private key, PEM or its name in a token
    #[arg(long, value_name = "FILE|URI")]
    private_key: KeyPlace,
    /// Where the proof is written
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// Do not read the private key, but show how openssl makes the proof with it
    #[arg(long)]
    openssl: bool,
}

impl Ask {
    /// Makes the proof, or shows how it is made.
    pub(super) fn answer(&self, holder: KeyHolder<'_>) -> Outcome<()> {
        let place = Place::told(&self.installation, self.tenant.clone())?;
        let der = super::proposal::ballot::certificate(&self.certificate)?;
        if self.openssl {
            let facts = CertificateFacts::read(&der).map_err(|why| why.to_string())?;
            let statement = place.statement(holder, &facts.key_fingerprint);
            say(&commands(
                &statement,
                &facts,
                &self.private_key.to_string(),
                &self.proof,
            ));
            return Ok(());
        }
        place.prove(holder, self.private_key.of(&der)?.as_ref(), &self.proof)
    }
}

/// What a shell and openssl make the file of a proof with.
fn commands(statement: &str, facts: &CertificateFacts, key: &str, proof: &Path) -> String {
    let quoted = |path: &str| format!("'{}'", path.replace('\'', "'\\''"));
    let (key, proof) = (quoted(key), quoted(&proof.display().to_string()));
    let large = facts.public_key.bits.is_some_and(|bits| bits > 256);
    let sign = match facts.public_key.algorithm.as_str() {
        ED25519 => format!("openssl pkeyutl -sign -rawin -inkey {key} -in {proof} -out {proof}.sig"),
        RSA => format!(
            "openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign {key} -out {proof}.sig {proof}"
        ),
        _ if large => format!("openssl dgst -sha384 -sign {key} -out {proof}.sig {proof}"),
        _ => format!("openssl dgst -sha256 -sign {key} -out {proof}.sig {proof}"),
    };
    format!(
        "cat > {proof} <<'END'\n{statement}END\n{sign}\n{{\n  printf 'public-key '; openssl pkey -in {key} -pubout -outform DER | od -An -v -tx1 | tr -d ' \\n'\n  \
         printf '\\nsignature '; od -An -v -tx1 {proof}.sig | tr -d ' \\n'\n  echo\n}} > {proof}.end\ncat {proof}.end >> {proof}\nrm {proof}.sig {proof}.end"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use certs::{KeyKind, Leaf, PrivateKey, Subject, Usage, Validity};

    fn place() -> Place {
        Place {
            instance: vec![3; 16],
            tenant_name: Some("acme".into()),
        }
    }

    #[test]
    fn a_proof_is_read_as_it_was_written() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let proof = Proof::make(&place(), KeyHolder::Client, &key).unwrap();
        let statement = place().statement(KeyHolder::Client, &proof.key_fingerprint);
        certs::verify_by_key(&proof.public_key_info, statement.as_bytes(), &proof.signature).unwrap();
        let text = proof.text(&statement);
        assert_eq!(Proof::parse(&text), Some(proof));
        // Another key than the one that signs, a line twice, a line missing, another kind of file.
        let other = PrivateKey::generate(KeyKind::P256).unwrap().public_key_info();
        let key_line = text.lines().find(|line| line.starts_with("public-key")).unwrap();
        for bad in [
            text.replace(key_line, &format!("public-key {}", hex(&other))),
            format!("{text}signature 00\n"),
            text.replace("signature", "sign"),
            text.replace("possession v1", "possession v2"),
            String::new(),
        ] {
            assert_eq!(Proof::parse(&bad), None, "{bad}");
        }
    }

    /// The lines that a shell runs. Where there is no openssl, there is nothing to show; Ed25519 keys as they are made here (PKCS#8 with
    /// the public key, RFC 5958) not every openssl reads.
    #[test]
    fn openssl_makes_the_same_proof() {
        let there = std::process::Command::new("openssl").arg("version").output();
        if there.is_err() {
            return;
        }
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072] {
            let folder = tempfile::tempdir().unwrap();
            let leaf = Leaf {
                subject: Subject::named("db"),
                alternative_names: Vec::new(),
                usage: Usage::Client,
                validity: Validity::days(1_700_000_000, 10),
            };
            let (der, key) = leaf.self_signed(kind).unwrap();
            let facts = CertificateFacts::read(&der).unwrap();
            let (key_file, proof_file) = (folder.path().join("it's a key.pem"), folder.path().join("a proof"));
            std::fs::write(&key_file, key.to_pem().as_bytes()).unwrap();
            let statement = place().statement(KeyHolder::Client, &facts.key_fingerprint);
            let script = commands(&statement, &facts, &key_file.display().to_string(), &proof_file);
            let ran = std::process::Command::new("sh")
                .args(["-ec", &script])
                .output()
                .unwrap();
            assert!(
                ran.status.success(),
                "{kind:?}: {}",
                String::from_utf8_lossy(&ran.stderr)
            );
            let proof = Proof::read(&proof_file).unwrap();
            let verified = certs::verify_by_key(&proof.public_key_info, statement.as_bytes(), &proof.signature);
            assert_eq!(verified, Ok(()), "{kind:?}: {script}");
        }
    }
}
