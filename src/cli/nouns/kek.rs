//! `claviger kek`: the KEKs that a tenant's keys, or the system's records, are kept under (P-KMS-TNT-02).

mod end;

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment, or_dash};
use clap::{Args, Subcommand};
use kmip_protocol::{KekActivateRequest, KekCreateRequest, KekKind, KekListRequest, KekState};

/// `claviger kek`: KEKs.
#[derive(Args)]
pub(in crate::cli) struct KekArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List KEKs, the newest first
    List,
    /// Make a KEK; it wraps nothing before it is activated
    Create {
        /// The HSM-Profile that is to serve it
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
    },
    /// Have a KEK wrap what is new from now on; what there is stays under the KEK that wrapped it
    Activate {
        /// The KEK, by its number in the list
        kek: i32,
    },
    /// Wrap what lies under a KEK anew, under the active one; the server does it by itself, and --wait shows how it comes on
    Rewrap {
        /// The KEK that it lies under; all that are not active if absent
        kek: Option<i32>,
        /// Records per second at most
        #[arg(long, value_name = "NUMBER")]
        rate: Option<i32>,
        /// Say how far the last rewrap has come, instead of beginning one
        #[arg(long, conflicts_with_all = ["kek", "rate"])]
        status: bool,
    },
    /// Destroy a KEK that nothing lies under any more, and verify that it is gone
    Delete {
        /// The KEK, by its number in the list
        kek: i32,
    },
    /// The next step towards the end of a KEK: rewrap what lies under it, then delete it
    Retire {
        /// The KEK, by its number in the list
        kek: i32,
    },
    /// Say that others may know a KEK: it is not activated any more
    MarkCompromised {
        /// The KEK, by its number in the list
        kek: i32,
    },
}

/// `claviger kek`.
pub(in crate::cli) fn run(arguments: &KekArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(KekListRequest::default(), |response| {
            let rows = response.keks.iter().map(|kek| {
                [
                    kek.kek_generation.to_string(),
                    KekState::name(kek.kek_state).unwrap_or("-").to_owned(),
                    KekKind::name(kek.kek_kind).unwrap_or("-").to_owned(),
                    or_dash(kek.hsm_profile_name.as_ref()),
                    moment(kek.created.0),
                    match kek.answers {
                        Some(true) => "yes",
                        Some(false) => "no",
                        None => "-",
                    }
                    .to_owned(),
                ]
            });
            Table::from_rows(["KEK", "STATE", "KIND", "PROFILE", "CREATED", "ANSWERS"], rows)
        }),
        Verb::Create { profile } => {
            let request = KekCreateRequest {
                hsm_profile_name: profile.clone(),
            };
            caller.change(request, "the KEK is made; activate it to have it used")
        }
        Verb::Activate { kek } => {
            let request = KekActivateRequest { kek_generation: *kek };
            caller.change(request, "what is new is wrapped under this KEK from now on")
        }
        Verb::Rewrap { status: true, .. } => {
            let wait = caller.options.wait.is_some();
            end::follow(caller, wait)
        }
        Verb::Rewrap { kek, rate, .. } => {
            let bar = caller.options.wait.is_some();
            end::rewrap(caller, *kek, *rate, bar)
        }
        Verb::Delete { kek } => end::delete(caller, *kek),
        Verb::Retire { kek } => end::retire(caller, *kek),
        Verb::MarkCompromised { kek } => end::mark_compromised(caller, *kek),
    }
}
