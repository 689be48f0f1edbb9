//! `claviger certificate`: certificates of clients (P-KMS-TNT-05).

use super::client::fingerprint;
use super::interval;
use crate::cli::call::{Caller, remark};
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::possession::Ask;
use crate::cli::proposal::ballot;
use crate::cli::{private, say};
use certs::{AlternativeName, CertificateRequest, KeyKind, PrivateKey, Subject, pem};
use clap::{Args, Subcommand};
use kmip_protocol::{
    CertificateIssueRequest, CertificateIssueResponse, CertificateRevokeRequest, Interval, KeyHolder, SecretText,
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// `claviger certificate`: certificates of clients.
#[derive(Args)]
pub(in crate::cli) struct CertificateArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a private key and a request for its certificate; needs no server
    Request {
        /// The Common Name wished for
        name: String,
        /// A DNS name or address wished for; may be repeated
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        /// The private key, PEM: read if it is there, else made
        #[arg(long, value_name = "FILE")]
        private_key: PathBuf,
        /// Where the request is written, PEM
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
    },
    /// Issue a certificate for a client by the tenant's own authority: its first, or the next before one ends
    #[command(visible_alias = "renew")]
    Issue {
        /// The client
        client: String,
        /// The authority, if there are several
        #[arg(long)]
        authority: Option<String>,
        /// A certificate request, PEM
        #[arg(
            long,
            value_name = "FILE",
            required_unless_present = "keystore",
            conflicts_with = "keystore"
        )]
        request: Option<PathBuf>,
        /// Where the certificate is written, with the authority's, PEM
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// A new key too: where its PKCS#12 keystore is written
        #[arg(long, value_name = "FILE")]
        keystore: Option<PathBuf>,
        /// The file with the keystore's password; one is made and shown if absent
        #[arg(long, value_name = "FILE", requires = "keystore")]
        keystore_password_file: Option<PathBuf>,
        /// How long it is valid, such as 365d
        #[arg(long, value_parser = interval)]
        validity: Option<Interval>,
        /// Revoke those that it was issued before; else each is valid until its end
        #[arg(long)]
        revoke_former: bool,
    },
    /// Prove that you hold a key that a client is to be known by; needs no server
    Prove {
        #[command(flatten)]
        ask: Ask,
    },
    /// Revoke a certificate of a client
    Revoke {
        /// The client
        client: String,
        /// SHA-256 of its key, or a PEM certificate that has it
        #[arg(value_name = "KEY")]
        which: String,
        /// This certificate only, not the others for the same key
        #[arg(long)]
        only: bool,
    },
}

/// `claviger certificate`.
pub(in crate::cli) fn run(arguments: &CertificateArguments) -> Outcome<()> {
    let options = &arguments.options;
    match &arguments.verb {
        Verb::Request {
            name,
            hosts,
            private_key,
            request,
        } => make_request(name, hosts, private_key, request),
        Verb::Prove { ask } => ask.answer(KeyHolder::Client),
        Verb::Issue {
            client,
            authority,
            request,
            certificate,
            keystore,
            keystore_password_file,
            validity,
            revoke_former,
        } => {
            let request = request.as_deref().map(read_request).transpose()?;
            let mut shown = None;
            let password = match (keystore, keystore_password_file) {
                (None, _) => None,
                (Some(_), Some(file)) => Some(private::secret(Some(file), "Password of the keystore")?),
                (Some(_), None) => {
                    let made = private::generated()?;
                    shown = Some(made.clone());
                    Some(made)
                }
            };
            let request = CertificateIssueRequest {
                client_name: client.clone(),
                authority_name: authority.clone(),
                certificate_request: request,
                keystore_password: password,
                validity: *validity,
                revoke_former: revoke_former.then_some(true),
            };
            issue(options, request, certificate.as_deref(), keystore.as_deref(), shown)
        }
        Verb::Revoke { client, which, only } => {
            let certificate = only.then(|| ballot::certificate(Path::new(which)));
            let request = CertificateRevokeRequest {
                client_name: client.clone(),
                key_fingerprint: fingerprint(which)?,
                certificate: certificate.transpose()?,
            };
            Caller::open(options)?.change(request, "the certificate is revoked")
        }
    }
}

/// Asks for the certificate and writes what comes.
fn issue(
    options: &Options,
    request: CertificateIssueRequest,
    certificate: Option<&Path>,
    keystore: Option<&Path>,
    password: Option<SecretText>,
) -> Outcome<()> {
    if let Some(path) = keystore {
        private::check_place(path)?;
    }
    let mut caller = Caller::open(options)?;
    // The keystore may come much later, by another command; its password is known here only.
    let shown = &mut || {
        if let Some(password) = &password {
            let password = password.expose();
            remark(&format!("password of the keystore, shown only now: {password}"));
        }
        Ok(())
    };
    match caller.carry_noting(request, shown) {
        Ok(Some(response)) => write(&response, certificate, keystore),
        Ok(None) => Ok(()),
        Err(failure) => {
            if failure.exit == Exit::Pending && keystore.is_some() {
                remark("the keystore comes with `claviger proposal result`: give it --keystore FILE");
            }
            Err(failure)
        }
    }
}

/// Writes what was issued: the keystore to its file, if there is one; the certificate with its authority's to its own, else to standard
/// output.
pub(in crate::cli) fn write(
    response: &CertificateIssueResponse,
    certificate: Option<&Path>,
    keystore: Option<&Path>,
) -> Outcome<()> {
    // First what is told once.
    if let Some(path) = keystore {
        let bytes = response.keystore.as_ref();
        let bytes = bytes.ok_or_else(|| "the server sent no keystore".to_owned())?;
        private::write(path, bytes.expose())?;
        remark(&format!("keystore written to {}", path.display()));
    }
    let chain = [&response.certificate, &response.authority].map(|der| pem::write_certificate(der));
    match certificate {
        Some(path) => {
            std::fs::write(path, chain.concat()).map_err(|why| format!("{}: {why}", path.display()))?;
            remark(&format!(
                "certificate written to {}, with its authority's",
                path.display()
            ));
        }
        None if keystore.is_none() => say(chain.concat().trim_end()),
        None => {}
    }
    Ok(())
}

fn make_request(name: &str, hosts: &[String], key: &Path, request: &Path) -> Outcome<()> {
    let problem = |path: &Path, why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let private_key = if key.exists() {
        let text = std::fs::read_to_string(key).map(Zeroizing::new);
        let text = text.map_err(|why| problem(key, &why))?;
        PrivateKey::from_pem(&text).map_err(|why| problem(key, &why))?
    } else {
        let made = PrivateKey::generate(KeyKind::P256).map_err(|why| why.to_string())?;
        private::write(key, made.to_pem().as_bytes())?;
        made
    };
    let names: Vec<_> = hosts.iter().map(|host| AlternativeName::host(host)).collect();
    let der = CertificateRequest::create(&Subject::named(name), &names, &private_key).map_err(|why| why.to_string())?;
    std::fs::write(request, pem::write_request(&der)).map_err(|why| problem(request, &why))
}

fn read_request(path: &Path) -> Outcome<Vec<u8>> {
    let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|why| problem(&why))?;
    pem::request(&text).map_err(|why| problem(&why))
}
