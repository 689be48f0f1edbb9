//! `claviger authority`: the certificate authorities of a tenant.

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::kmip::words;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment};
use crate::cli::proposal::ballot;
use crate::cli::say;
use certs::pem;
use clap::{Args, Subcommand};
use kmip_protocol::{
    AuthorityCreateRequest, AuthorityDeleteRequest, AuthorityListRequest, AuthorityModifyRequest, AuthorityStatus,
    RevocationListGetRequest, tag,
};
use std::path::{Path, PathBuf};

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
    /// Change an authority: what is given replaces what was
    Modify {
        /// Its name
        name: String,
        /// Its new name
        #[arg(long)]
        rename: Option<String>,
        /// Newer revocation lists, PEM; each replaces the one of the same issuer
        #[arg(long, value_name = "FILE")]
        revocation_list: Option<PathBuf>,
        /// Whether nobody is accepted while a list is overdue
        #[arg(long)]
        refuse_stale: Option<bool>,
        /// active; retired: it issues no more; suspended: its certificates are not accepted, at once
        #[arg(long, value_parser = status)]
        status: Option<AuthorityStatus>,
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
                    authority.status.to_string(),
                    authority.expires.map_or_else(|| "-".to_owned(), |due| moment(due.0)),
                ]
            });
            Table::from_rows(
                ["AUTHORITY", "SUBJECT", "ISSUES", "HARDWARE", "STATUS", "NEXT LIST"],
                rows,
            )
        }),
        Verb::Create {
            name,
            certificate,
            hardware,
            revocation_list,
            write,
        } => {
            let request = AuthorityCreateRequest {
                authority_name: name.clone(),
                certificate: certificate.as_deref().map(ballot::certificate).transpose()?,
                hardware: hardware.then_some(true),
                revocation_lists: lists(revocation_list.as_deref())?,
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
        Verb::Modify {
            name,
            rename,
            revocation_list,
            refuse_stale,
            status,
        } => {
            let request = AuthorityModifyRequest {
                authority_name: name.clone(),
                new_name: rename.clone(),
                revocation_lists: lists(revocation_list.as_deref())?,
                refuse_stale: *refuse_stale,
                status: *status,
            };
            caller.change(request, "the authority was changed")
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

/// The revocation lists in a file.
fn lists(path: Option<&Path>) -> Outcome<Vec<Vec<u8>>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|why| problem(&why))?;
    pem::revocation_lists(&text).map_err(|why| problem(&why))
}

fn status(word: &str) -> Result<AuthorityStatus, String> {
    words::value(tag::AUTHORITY_STATUS, word).map(AuthorityStatus)
}
