//! `claviger ceremony`: legacy tokens migrated to HSM-Profiles, by those who hold shares of them (P-KMS-TNT-07).

use crate::cli::call::Caller;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::output::{Table, moment};
use crate::cli::private;
use clap::{Args, Subcommand};
use kmip_protocol::{
    CeremonyAbortRequest, CeremonyMigrateRequest, CeremonyStatusRequest, LegacyToken, LegacyTokenState,
    ShareSubmitRequest,
};
use std::path::PathBuf;

/// `claviger ceremony`: legacy tokens and their shares.
#[derive(Args)]
pub(in crate::cli) struct CeremonyArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Tell what is to be migrated, how many shares it takes, and whose are there
    Status,
    /// Hand in your share of a legacy token
    Share {
        /// The file with the share; - is standard input; asked for at the terminal if not given
        #[arg(long, value_name = "FILE")]
        share_file: Option<PathBuf>,
    },
    /// Migrate a legacy token, once enough shares are there
    Migrate {
        /// Its name
        token: String,
    },
    /// Wipe the shares of a legacy token that were handed in
    Abort {
        /// Its name
        token: String,
    },
}

/// `claviger ceremony`.
pub(in crate::cli) fn run(arguments: &CeremonyArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::Status => caller.list(CeremonyStatusRequest::default(), |response| {
            table(&response.legacy_tokens)
        }),
        Verb::Share { share_file } => {
            let legacy_share = private::secret(share_file.as_deref(), "Your share")?;
            caller.list(ShareSubmitRequest { legacy_share }, |response| {
                table(core::slice::from_ref(&response.legacy_token))
            })
        }
        Verb::Migrate { token } => {
            let legacy_token_name = token.clone();
            let mut refused = false;
            caller.list(CeremonyMigrateRequest { legacy_token_name }, |response| {
                refused = response.legacy_token.legacy_token_state == LegacyTokenState::CredentialsRefused;
                table(core::slice::from_ref(&response.legacy_token))
            })?;
            if refused {
                let text = "the HSM refuses what the legacy token keeps; it is not tried again. An administrator can withdraw the token";
                return Err(Failure::new(Exit::Denied, text));
            }
            Ok(())
        }
        Verb::Abort { token } => {
            let legacy_token_name = token.clone();
            caller.change(CeremonyAbortRequest { legacy_token_name }, "the shares are wiped")
        }
    }
}

fn table(tokens: &[LegacyToken]) -> Table {
    let rows = tokens.iter().map(|token| {
        let holders: Vec<&str> = token.holders.iter().map(|holder| holder.person_name.as_str()).collect();
        [
            token.legacy_token_name.clone(),
            LegacyTokenState::name(token.legacy_token_state)
                .unwrap_or("-")
                .to_owned(),
            format!("{} of {}", token.share_threshold, token.share_count),
            if holders.is_empty() {
                "-".to_owned()
            } else {
                holders.join(", ")
            },
            token
                .shares_until
                .map_or_else(|| "-".to_owned(), |until| moment(until.0)),
            token.hsm_profile_name.clone(),
        ]
    });
    Table::from_rows(["TOKEN", "STATE", "NEEDS", "SHARES OF", "WIPED AT", "PROFILE"], rows)
}
