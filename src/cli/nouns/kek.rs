//! `claviger kek`: the KEKs that a tenant's keys, or the system's records, are kept under (P-KMS-TNT-02).

mod end;

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::output::{Table, moment, or_dash};
use crate::custody::{Backup, Misread};
use clap::{Args, Subcommand, ValueEnum};
use kmip_protocol::{
    Kek, KekActivateRequest, KekAddProfileRequest, KekBackupRequest, KekCreateRequest, KekKind, KekListRequest,
    KekRemoveProfileRequest, KekRestoreRequest, KekState,
};
use std::path::{Path, PathBuf};

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
        /// What to keep it in: `resident` in the HSM, `protected` in memory and opened through HSMs, `software` in a file; what the
        /// HSM-Profile keeps by itself if left out
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// The HSM-Profile that is to serve it; several, each with the option, for a protected KEK
        #[arg(long = "hsm-profile", visible_alias = "profile", value_name = "NAME")]
        profiles: Vec<String>,
    },
    /// Have a KEK wrap what is new from now on; what there is stays under the KEK that wrapped it
    Activate {
        /// The KEK, by its number in the list
        kek: i32,
    },
    /// Have another HSM-Profile open a protected KEK too
    AddProfile {
        /// The KEK, by its number in the list
        kek: i32,
        /// The HSM-Profile
        #[arg(long = "hsm-profile", value_name = "NAME")]
        profile: String,
    },
    /// Have an HSM-Profile open a protected KEK no more; its key pair is destroyed
    RemoveProfile {
        /// The KEK, by its number in the list
        kek: i32,
        /// The HSM-Profile
        #[arg(long = "hsm-profile", value_name = "NAME")]
        profile: String,
    },
    /// Print the backup string of a protected KEK; it is opened by the HSMs of its HSM-Profiles, and by nothing else
    Backup {
        /// The KEK, by its number in the list
        kek: i32,
    },
    /// Take a protected KEK in again from its backup string; it opens what it wrapped
    Restore {
        /// The file with the backup string
        file: PathBuf,
        /// The HSM-Profile whose HSM opens it; the first of the tenant if left out
        #[arg(long = "hsm-profile", value_name = "NAME")]
        profile: Option<String>,
        /// Open it by the shares of its recovery group, which those who vote hold; the HSM-Profile gets a key pair for it
        #[arg(long)]
        recover: bool,
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

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Resident,
    Protected,
    Software,
}

impl From<Kind> for KekKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Resident => Self::Resident,
            Kind::Protected => Self::Protected,
            Kind::Software => Self::Software,
        }
    }
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
                    profiles(kek),
                    moment(kek.created.0),
                    yes_or_no(kek.answers).to_owned(),
                ]
            });
            Table::from_rows(["KEK", "STATE", "KIND", "PROFILE", "CREATED", "ANSWERS"], rows)
        }),
        Verb::Create { kind, profiles } => {
            let request = KekCreateRequest {
                hsm_profile_names: profiles.clone(),
                kek_kind: kind.map(KekKind::from),
            };
            caller.change(request, "the KEK is made; activate it to have it used")
        }
        Verb::Activate { kek } => {
            let request = KekActivateRequest { kek_generation: *kek };
            caller.change(request, "what is new is wrapped under this KEK from now on")
        }
        Verb::AddProfile { kek, profile } => {
            let request = KekAddProfileRequest {
                kek_generation: *kek,
                hsm_profile_name: profile.clone(),
            };
            caller.change(request, "the HSM-Profile opens this KEK too")
        }
        Verb::RemoveProfile { kek, profile } => {
            let request = KekRemoveProfileRequest {
                kek_generation: *kek,
                hsm_profile_name: profile.clone(),
            };
            caller.change(
                request,
                "the HSM-Profile opens this KEK no more, and its key pair is destroyed",
            )
        }
        Verb::Backup { kek } => {
            let request = KekBackupRequest { kek_generation: *kek };
            caller.tell(request, |response| response.backup_string.clone())
        }
        Verb::Restore { file, profile, recover } => {
            let backup_string = backup_file(file)?;
            let request = KekRestoreRequest {
                backup_string,
                hsm_profile_name: profile.clone(),
                recover: recover.then_some(true),
            };
            caller.change(
                request,
                "the KEK is there again and opens what it wrapped; activate it to have it wrap",
            )
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

/// The HSM-Profiles of a KEK, with whether each opens it.
fn profiles(kek: &Kek) -> String {
    if kek.kek_profiles.is_empty() {
        return or_dash(kek.hsm_profile_name.as_ref());
    }
    let one = |profile: &kmip_protocol::KekProfile| {
        let name = or_dash(profile.hsm_profile_name.as_ref());
        match profile.answers {
            Some(false) => format!("{name} (away)"),
            _ => name,
        }
    };
    kek.kek_profiles.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn yes_or_no(answers: Option<bool>) -> &'static str {
    match answers {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    }
}

/// A backup string in a file: whoever typed it is told which line is wrong before anybody is asked to agree.
pub(super) fn backup_file(file: &Path) -> Outcome<String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let read = Backup::from_text(&text);
    read.map_err(|why: Misread| Failure::usage(format!("{}: {why}", file.display())))?;
    Ok(text)
}
