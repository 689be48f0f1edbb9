//! `claviger authority`: the certificate authorities of a tenant.

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::output::Table;
use crate::cli::proposal::ballot;
use crate::cli::say;
use certs::pem;
use clap::{Args, Subcommand};
use kmip_protocol::{AuthorityCreateRequest, AuthorityDeleteRequest, AuthorityListRequest, RevocationListGetRequest};
use std::path::PathBuf;

/// `claviger authority`: certificate authorities.
#[derive(Args)]
pub(in crate::cli) struct AuthorityArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List authorities
    List,
    /// Enrol an authority: one from outside, or a new one whose key the server keeps
    Create {
        /// Its name
        name: String,
        /// Its certificate, PEM; a new authority is made if absent
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// It vouches that keys are in hardware
        #[arg(long)]
        hardware: bool,
        /// Its revocation lists, PEM
        #[arg(long, value_name = "FILE")]
        revocation_list: Option<PathBuf>,
        /// Where its certificate is written, PEM
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Withdraw an authority
    Delete {
        /// Its name
        name: String,
    },
    /// Fetch the revocation list of an authority of the server's
    RevocationList {
        /// Its name
        name: String,
    },
}

/// `claviger authority`.
pub(in crate::cli) fn run(arguments: &AuthorityArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(AuthorityListRequest::default(), |response| {
            let yes = |set: bool| if set { "yes" } else { "no" }.to_owned();
            let rows = response.authorities.iter().map(|authority| {
                let facts = certs::CertificateFacts::read(&authority.certificate).ok();
                [
                    authority.authority_name.clone(),
                    facts.map_or_else(|| "-".to_owned(), |facts| facts.subject),
                    yes(authority.issues),
                    yes(authority.hardware),
                ]
            });
            Table::from_rows(["AUTHORITY", "SUBJECT", "ISSUES", "HARDWARE"], rows)
        }),
        Verb::Create {
            name,
            certificate,
            hardware,
            revocation_list,
            write,
        } => {
            let lists = revocation_list.as_deref().map(|path| {
                let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
                let text = std::fs::read_to_string(path).map_err(|why| problem(&why))?;
                pem::revocation_lists(&text).map_err(|why| problem(&why))
            });
            let request = AuthorityCreateRequest {
                authority_name: name.clone(),
                certificate: certificate.as_deref().map(ballot::certificate).transpose()?,
                hardware: hardware.then_some(true),
                revocation_lists: lists.transpose()?.unwrap_or_default(),
            };
            let Some(response) = caller.carry(request)? else {
                return Ok(());
            };
            let text = pem::write_certificate(&response.authority.certificate);
            match write {
                Some(path) => std::fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))?,
                None => say(text.trim_end()),
            }
            Ok(())
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Withdraw the authority {name}?"))?;
            let authority_name = name.clone();
            caller.change(AuthorityDeleteRequest { authority_name }, "the authority is withdrawn")
        }
        Verb::RevocationList { name } => {
            let authority_name = name.clone();
            let response = caller.session.ask(RevocationListGetRequest { authority_name })?;
            say(pem::write_revocation_list(&response.revocation_list).trim_end());
            Ok(())
        }
    }
}
