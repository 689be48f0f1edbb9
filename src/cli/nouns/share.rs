//! `claviger share`: key-management credentials of HSM-Profiles, as they are shared among those who decide.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::private;
use clap::{Args, Subcommand};
use kmip_protocol::{
    ManagementPutRequest, RecoveryPutRequest, RuleGroup, SharingGrantRequest, SharingListRequest, SharingRenewRequest,
};
use std::path::PathBuf;

/// `claviger share`: who can open what.
#[derive(Args)]
pub(in crate::cli) struct ShareArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the credentials that are shared among the people of your domain, and whether they still can be opened
    List,
    /// Enter the key-management credential of an HSM-Profile; administrators hold its shares, and the tenants' people who held them before
    Enter {
        /// The HSM-Profile
        profile: String,
        /// The file with the credential; - is standard input
        #[arg(long, value_name = "FILE")]
        pin_file: Option<PathBuf>,
    },
    /// Share a credential among those who decide about KEKs in a tenant
    Grant {
        /// The HSM-Profile
        profile: String,
        /// The tenant
        to: String,
    },
    /// Say who opens the backups of protected KEKs together, without any HSM: `2 of custodians`; nobody without a group
    Recovery {
        /// M of a group; several, all of which are needed
        #[arg(value_parser = group)]
        groups: Vec<RuleGroup>,
    },
    /// Share a credential anew, as the rules and the people's share keys are now
    Renew {
        /// The HSM-Profile
        profile: String,
    },
}

/// `claviger share`.
pub(in crate::cli) fn run(arguments: &ShareArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(SharingListRequest::default(), |response| {
            let rows = response.sharings.iter().map(|sharing| {
                [
                    or_dash(sharing.hsm_profile_name.as_ref()),
                    sharing.ways.join(", or "),
                    sharing.holders.join(", "),
                    moment(sharing.created.0),
                    yes(sharing.sharing_fits, "NO: share it anew"),
                    yes(sharing.recoverable, "NO: grant or enter it again"),
                ]
            });
            Table::from_rows(
                ["PROFILE", "OPENED BY", "HOLDERS", "SHARED", "FITS", "CAN BE OPENED"],
                rows,
            )
        }),
        Verb::Enter { profile, pin_file } => {
            let request = ManagementPutRequest {
                hsm_profile_name: profile.clone(),
                management_pin: private::secret(pin_file.as_deref(), "Key-management credential")?,
            };
            caller.change(
                request,
                "the credential is shared; keep no copy of it where the server is",
            )
        }
        Verb::Grant { profile, to } => {
            let request = SharingGrantRequest {
                hsm_profile_name: profile.clone(),
                tenant_name: to.clone(),
            };
            caller.change(request, "the tenant's people hold shares of the credential")
        }
        Verb::Recovery { groups } => {
            let groups = groups.clone();
            caller.change(
                RecoveryPutRequest { groups },
                "backups from now on are sealed for them; tell them anew",
            )
        }
        Verb::Renew { profile } => {
            let hsm_profile_name = profile.clone();
            caller.change(
                SharingRenewRequest { hsm_profile_name },
                "the credential is shared anew",
            )
        }
    }
}

/// Reads `2 of custodians`.
fn group(text: &str) -> Result<RuleGroup, String> {
    let wrong = || "expected NUMBER of GROUP, as in: \"2 of custodians\"".to_owned();
    let (quorum, name) = text.split_once(" of ").ok_or_else(wrong)?;
    Ok(RuleGroup {
        group_name: name.to_owned(),
        quorum: quorum.parse().map_err(|_| wrong())?,
    })
}

fn yes(is: bool, otherwise: &str) -> String {
    if is { "yes" } else { otherwise }.to_owned()
}
