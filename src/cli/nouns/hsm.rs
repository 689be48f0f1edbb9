//! `claviger hsm profile`: where KEKs lie, and which tenant may use which.

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::{Options, Page};
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::private;
use clap::{Args, Subcommand};
use kmip_protocol::{
    HsmProfileAbandonRequest, HsmProfileCreateRequest, HsmProfileDeleteRequest, HsmProfileGetRequest,
    HsmProfileLinkRequest, HsmProfileListRequest, HsmProfileRotatePinRequest, HsmProfileTestRequest,
    HsmProfileUnlinkRequest, SecretText,
};
use std::path::{Path, PathBuf};

/// `claviger hsm`: HSMs.
#[derive(Args)]
pub(in crate::cli) struct HsmArguments {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    /// Tokens that keep KEKs, and who may use them
    Profile(Box<ProfileArguments>),
}

#[derive(Args)]
struct ProfileArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List HSM-Profiles: as an operator those that your tenant may use
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Show an HSM-Profile, and whether it answers
    Show {
        /// Its name
        name: String,
    },
    /// Make an HSM-Profile; the token is logged in to once, before there is one
    Create {
        /// Its name
        name: String,
        /// The name that the server's settings have for the module (`[custody.modules]`); key files on the server's disk without one
        #[arg(long, value_name = "NAME", requires = "token")]
        module: Option<String>,
        /// The token's label
        #[arg(long, value_name = "LABEL", requires = "module")]
        token: Option<String>,
        /// The token's serial number; that of the token that answers if absent
        #[arg(long, value_name = "SERIAL", requires = "module")]
        serial: Option<String>,
        /// Sessions that the server opens at most
        #[arg(long, value_name = "NUMBER", requires = "module")]
        sessions: Option<i32>,
        /// Milliseconds that the token may take for one request
        #[arg(long, value_name = "MS", requires = "module")]
        deadline: Option<i32>,
        /// The file with the key-usage PIN; - is standard input. You are asked without it
        #[arg(long, value_name = "FILE", requires = "module")]
        pin_file: Option<PathBuf>,
        /// The file with the key-management credential, where the token has a user of its own for that; - is standard input
        #[arg(long, value_name = "FILE", requires = "module")]
        management_pin_file: Option<PathBuf>,
        /// Ask for the key-management credential at the terminal
        #[arg(long, requires = "module", conflicts_with = "management_pin_file")]
        ask_management_pin: bool,
    },
    /// Try anew what a token can do
    Test {
        /// The profile's name
        name: String,
    },
    /// Let a tenant use an HSM-Profile
    Link {
        /// The profile's name
        name: String,
        /// The tenant; the system itself without one
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// New KEKs are made there unless another profile is named
        #[arg(long)]
        first: bool,
    },
    /// Let a tenant use an HSM-Profile no more, in which it has no KEK
    Unlink {
        /// The profile's name
        name: String,
        /// The tenant; the system itself without one
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Delete an HSM-Profile that nobody uses
    Delete {
        /// Its name
        name: String,
    },
    /// Give up an HSM-Profile whose HSM is gone for good: what lies there alone is lost, protected KEKs go on with their other HSM-Profiles
    Abandon {
        /// Its name
        name: String,
    },
    /// Change the key-usage PIN, at the token and here
    RotatePin {
        /// The profile's name
        name: String,
        /// The file with the new PIN; - is standard input. Without it the server makes one that nobody learns
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
        /// Ask for the new PIN at the terminal
        #[arg(long, conflicts_with = "new_pin_file")]
        ask: bool,
        /// The token has the new PIN already: only have the server learn it
        #[arg(long)]
        stored_only: bool,
    },
}

/// `claviger hsm`.
pub(in crate::cli) fn run(arguments: &HsmArguments) -> Outcome<()> {
    let Noun::Profile(arguments) = &arguments.noun;
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List { page } => list(caller, page),
        Verb::Show { name } => caller.show(HsmProfileGetRequest {
            hsm_profile_name: name.clone(),
        }),
        Verb::Create {
            name,
            module,
            token,
            serial,
            sessions,
            deadline,
            pin_file,
            management_pin_file,
            ask_management_pin,
        } => {
            let management = || private::secret(management_pin_file.as_deref(), "Key-management credential");
            let has_management = management_pin_file.is_some() || *ask_management_pin;
            let pin = || private::secret(pin_file.as_deref(), "Key-usage PIN");
            let request = HsmProfileCreateRequest {
                hsm_profile_name: name.clone(),
                module_name: module.clone(),
                token_label: token.clone(),
                token_serial: serial.clone(),
                session_limit: *sessions,
                deadline_milliseconds: *deadline,
                key_usage_pin: module.is_some().then(pin).transpose()?,
                management_pin: has_management.then(management).transpose()?,
            };
            caller.change(
                request,
                "the HSM-Profile is made; link it to those who are to have KEKs there",
            )
        }
        Verb::Test { name } => caller.show(HsmProfileTestRequest {
            hsm_profile_name: name.clone(),
        }),
        Verb::Link { name, tenant, first } => {
            let request = HsmProfileLinkRequest {
                hsm_profile_name: name.clone(),
                tenant_name: tenant.clone(),
                first: first.then_some(true),
            };
            caller.change(request, "the HSM-Profile is linked")
        }
        Verb::Unlink { name, tenant } => {
            let request = HsmProfileUnlinkRequest {
                hsm_profile_name: name.clone(),
                tenant_name: tenant.clone(),
            };
            caller.change(request, "the HSM-Profile is linked no more")
        }
        Verb::Delete { name } => {
            let request = HsmProfileDeleteRequest {
                hsm_profile_name: name.clone(),
            };
            caller.change(request, "the HSM-Profile is deleted")
        }
        Verb::Abandon { name } => {
            let request = HsmProfileAbandonRequest {
                hsm_profile_name: name.clone(),
            };
            caller.change(request, "the HSM-Profile is given up, with what lay there alone")
        }
        Verb::RotatePin {
            name,
            new_pin_file,
            ask,
            stored_only,
        } => {
            let request = HsmProfileRotatePinRequest {
                hsm_profile_name: name.clone(),
                new_pin: new_pin(new_pin_file.as_deref(), *ask || *stored_only)?,
                stored_only: stored_only.then_some(true),
            };
            caller.change(request, "the PIN is changed")
        }
    }
}

fn list(caller: &mut Caller<'_>, page: &Page) -> Outcome<()> {
    let request = HsmProfileListRequest {
        maximum_items: page.maximum,
        offset_items: page.offset,
    };
    caller.list(request, |response| {
        let rows = response.hsm_profiles.iter().map(|profile| {
            [
                profile.hsm_profile_name.clone(),
                or_dash(profile.module_name.as_ref()),
                or_dash(profile.token_label.as_ref()),
                or_dash(profile.token_serial.as_ref()),
                if profile.separated { "yes" } else { "no" }.to_owned(),
                moment(profile.created.0),
                profile.tenant_names.join(", "),
            ]
        });
        Table::from_rows(
            [
                "PROFILE",
                "MODULE",
                "TOKEN",
                "SERIAL",
                "SEPARATED",
                "CREATED",
                "TENANTS",
            ],
            rows,
        )
    })
}

/// The new PIN: from a file, or asked for twice; none where nobody is to learn it.
fn new_pin(file: Option<&Path>, asked: bool) -> Outcome<Option<SecretText>> {
    if file.is_none() && !asked {
        return Ok(None);
    }
    let pin = private::secret(file, "New PIN")?;
    if file.is_none() && private::secret(None, "New PIN again")? != pin {
        return Err(Failure::usage("the two are not the same"));
    }
    Ok(Some(pin))
}
