//! `claviger tenant`: by administrators.

use super::kek::backup_file;
use super::{KeyClaim, Named, change_with_passwords, instant, interval, named, new_people, new_person};
use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::kmip::words;
use crate::cli::options::{Options, Page};
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::possession::{Proof, Sources};
use clap::{Args, Subcommand};
use kmip_protocol::{
    CryptoProfile, Interval, PersonRole, PolicyTemplate, TenantCreateRequest, TenantDeleteRequest, TenantGetRequest,
    TenantListRequest, TenantModifyRequest, TenantPurgeRequest, TenantRecoverRequest, TenantResumeRequest,
    TenantSettings, TenantSuspendRequest, tag,
};
use std::path::PathBuf;

/// `claviger tenant`: tenants.
#[derive(Args)]
pub(in crate::cli) struct TenantArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List tenants
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Show a tenant; your own if none is named
    Show {
        /// Its name
        name: Option<String>,
    },
    /// Make a tenant with its first operators
    Create {
        /// Its name
        name: String,
        /// An operator and its certificate; repeat for each
        #[arg(long = "operator", value_name = "NAME=CERTIFICATE", value_parser = named, required = true)]
        operators: Vec<Named>,
        /// An operator whose key is in a token or card, as you answer for it; may be repeated
        #[arg(long, value_name = "NAME")]
        hardware: Vec<String>,
        /// An operator's proof of its key, made by `claviger person prove`; repeat for each
        #[arg(long = "operator-proof", value_name = "NAME=FILE", value_parser = named)]
        proofs: Vec<Named>,
        /// The policy to begin with: mtg, strict, off
        #[arg(long)]
        template: Option<String>,
        /// Where its KEKs are to be
        #[arg(long)]
        hsm_profile: Option<String>,
        /// The backup string of a protected KEK: the tenant becomes the one that it is of, with this KEK
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        /// The backup is opened by the shares of its recovery group, which administrators here hold, and not by an HSM
        #[arg(long, requires = "backup")]
        recover: bool,
        /// Write the initial passwords here, NAME.password, instead of showing them
        #[arg(long, value_name = "FOLDER")]
        passwords: Option<PathBuf>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change the settings of a tenant: what is given replaces what was, the rest stays
    Modify {
        /// Its name
        name: String,
        /// Take away every setting that is not given
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Serve a tenant no more, at once
    Suspend {
        /// Its name
        name: String,
    },
    /// Lift a suspension
    Resume {
        /// Its name
        name: String,
    },
    /// Delete a tenant
    Delete {
        /// Its name
        name: String,
    },
    /// Destroy the KEKs of a deleted tenant, once its retention is over: nothing of it can be opened any more
    Purge {
        /// The name that it had
        name: String,
        /// When it was made, where several had this name: `2026-12-31T00:00:00Z`
        #[arg(long, value_name = "MOMENT")]
        created: Option<String>,
    },
    /// Invite an operator to a tenant whose quorum can no longer be met
    Recover {
        /// Its name
        name: String,
        /// The operator and its certificate
        #[arg(long, value_name = "NAME=CERTIFICATE", value_parser = named)]
        operator: Named,
        #[command(flatten)]
        claim: KeyClaim,
        #[command(flatten)]
        sources: Sources,
        /// Write the initial password here, NAME.password, instead of showing it
        #[arg(long, value_name = "FOLDER")]
        passwords: Option<PathBuf>,
    },
}

/// What can be set for a tenant.
#[derive(Args, Clone, Default)]
struct Settings {
    /// Which algorithms keys may have: interop, bsi
    #[arg(long)]
    crypto_profile: Option<String>,
    /// Objects that it may have
    #[arg(long)]
    object_quota: Option<i64>,
    /// Clients that it may have
    #[arg(long)]
    client_quota: Option<i64>,
    /// How long records of destroyed objects stay at least before they may be purged, such as 90d; for ever if it was never set
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    retention: Option<Interval>,
    /// Whether keys may leave in clear
    #[arg(long)]
    plaintext_get: Option<bool>,
    /// Requests per second of all its clients together
    #[arg(long)]
    requests_per_second: Option<i32>,
    /// Whether it is for tests alone, so that Interop may clear it; said when it is made, never later
    #[arg(long)]
    test_tenant: Option<bool>,
}

impl Settings {
    fn read(&self) -> Outcome<TenantSettings> {
        let profile = words::optional(tag::CRYPTO_PROFILE, self.crypto_profile.as_ref()).map_err(Failure::usage)?;
        Ok(TenantSettings {
            crypto_profile: profile.map(CryptoProfile),
            object_quota: self.object_quota,
            client_quota: self.client_quota,
            retention: self.retention,
            plaintext_get: self.plaintext_get,
            requests_per_second: self.requests_per_second,
            test_tenant: self.test_tenant,
        })
    }
}

/// What was, with what is given over it.
fn over(was: TenantSettings, given: TenantSettings) -> TenantSettings {
    let TenantSettings {
        crypto_profile,
        object_quota,
        client_quota,
        retention,
        plaintext_get,
        requests_per_second,
        test_tenant,
    } = given;
    TenantSettings {
        crypto_profile: crypto_profile.or(was.crypto_profile),
        object_quota: object_quota.or(was.object_quota),
        client_quota: client_quota.or(was.client_quota),
        retention: retention.or(was.retention),
        plaintext_get: plaintext_get.or(was.plaintext_get),
        requests_per_second: requests_per_second.or(was.requests_per_second),
        test_tenant: test_tenant.or(was.test_tenant),
    }
}

/// `claviger tenant`.
pub(in crate::cli) fn run(arguments: &TenantArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List { page } => {
            let request = TenantListRequest {
                maximum_items: page.maximum,
                offset_items: page.offset,
            };
            caller.list(request, |response| {
                let rows = response.tenants.iter().map(|tenant| {
                    [
                        tenant.tenant_name.clone(),
                        tenant.tenant_status.to_string(),
                        moment(tenant.created.0),
                        or_dash(tenant.settings.crypto_profile),
                        tenant.hsm_profile_names.join(", "),
                    ]
                });
                Table::from_rows(["TENANT", "STATUS", "CREATED", "PROFILE", "KEKS IN"], rows)
            })
        }
        Verb::Show { name } => caller.show(TenantGetRequest {
            tenant_name: name.clone(),
        }),
        Verb::Create {
            name,
            operators,
            hardware,
            proofs,
            template,
            hsm_profile,
            backup,
            recover,
            passwords,
            settings,
        } => {
            let template = words::optional(tag::POLICY_TEMPLATE, template.as_ref()).map_err(Failure::usage)?;
            let mut operators = new_people(operators, PersonRole::Operator, hardware)?;
            for Named { name, file } in proofs {
                let operator = operators.iter_mut().find(|operator| operator.person_name == *name);
                let operator = operator.ok_or_else(|| Failure::usage(format!("{name} is none of the operators")))?;
                operator.possession_proof = Some(Proof::read(file)?.signature);
            }
            let people: Vec<_> = operators
                .iter()
                .map(|person| (person.person_name.clone(), person.initial_password.clone()))
                .collect();
            let settings = settings.read()?;
            let request = TenantCreateRequest {
                tenant_name: name.clone(),
                operators,
                policy_template: template.map(PolicyTemplate),
                settings: (settings != TenantSettings::default()).then_some(settings),
                hsm_profile_name: hsm_profile.clone(),
                backup_string: backup.as_deref().map(backup_file).transpose()?,
                recover: recover.then_some(true),
            };
            change_with_passwords(caller, request, &people, passwords.as_deref(), "the tenant was made")
        }
        Verb::Modify {
            name,
            replace,
            settings,
        } => {
            let mut settings = settings.read()?;
            if !replace {
                let tenant_name = Some(name.clone());
                let tenant = caller.session.ask(TenantGetRequest { tenant_name })?.tenant;
                settings = over(tenant.settings, settings);
            }
            let tenant_name = name.clone();
            caller.change(
                TenantModifyRequest { tenant_name, settings },
                "the settings were changed",
            )
        }
        Verb::Suspend { name } => {
            let tenant_name = name.clone();
            caller.change(TenantSuspendRequest { tenant_name }, "the tenant is suspended")
        }
        Verb::Resume { name } => {
            let tenant_name = name.clone();
            caller.change(TenantResumeRequest { tenant_name }, "the tenant is served again")
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the tenant {name} with all its keys?"))?;
            let tenant_name = name.clone();
            caller.change(TenantDeleteRequest { tenant_name }, "the tenant was deleted")
        }
        Verb::Purge { name, created } => {
            caller.confirm(&format!("destroy the KEKs of the deleted tenant {name} for ever?"))?;
            let request = TenantPurgeRequest {
                tenant_name: name.clone(),
                created: created.as_deref().map(instant).transpose()?,
            };
            caller.change(
                request,
                "its KEKs are destroyed: nothing of the tenant can be opened any more",
            )
        }
        Verb::Recover {
            name,
            operator,
            claim,
            sources,
            passwords,
        } => {
            let mut operator = new_person(&operator.name, PersonRole::Operator, &operator.file, claim)?;
            sources.add_to_person(&mut operator, Some(name), caller)?;
            let people = [(operator.person_name.clone(), operator.initial_password.clone())];
            let request = TenantRecoverRequest {
                tenant_name: name.clone(),
                operator,
            };
            change_with_passwords(
                caller,
                request,
                &people,
                passwords.as_deref(),
                "the operator was invited",
            )
        }
    }
}
