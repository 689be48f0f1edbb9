//! `claviger policy`: the rules that say who must agree to what.

use super::policy_file;
use crate::authority::policy_digest;
use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::{Format, Options};
use crate::cli::output::{self, Table, moment, or_dash};
use crate::cli::say;
use clap::{Args, Subcommand};
use kmip_protocol::{
    Interval, PolicyGetRequest, PolicyListRequest, PolicyPutRequest, PolicyRevision, Proof, Rule, tag,
};
use std::path::PathBuf;

/// `claviger policy`: the policy of your domain.
#[derive(Args)]
pub(in crate::cli) struct PolicyArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the versions of the policy
    List,
    /// Show the policy in force; with `-o toml`, `-o xml` or `-o json` as `policy put` reads it
    #[command(visible_alias = "get")]
    Show {
        /// A version of before
        #[arg(long)]
        version: Option<i32>,
    },
    /// Replace the policy by the one in a file, as `policy show -o toml` prints it
    Put {
        /// The file: TOML, or KMIP's XML or JSON
        file: PathBuf,
        /// Another seasoning than the file's, such as 24h
        #[arg(long, value_parser = super::interval)]
        seasoning: Option<Interval>,
    },
}

/// `claviger policy`.
pub(in crate::cli) fn run(arguments: &PolicyArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(PolicyListRequest::default(), |response| {
            let rows = response.policies.iter().map(|revision| {
                [
                    revision.policy_version.to_string(),
                    moment(revision.time_stamp.0),
                    crate::cli::hex(&revision.policy_digest),
                    or_dash(revision.proposal_identifier.as_deref().map(crate::cli::hex)),
                ]
            });
            Table::from_rows(["VERSION", "SINCE", "DIGEST", "PROPOSAL"], rows)
        }),
        Verb::Show { version } => {
            let revision = caller
                .session
                .ask(PolicyGetRequest {
                    policy_version: *version,
                })?
                .policy;
            show(&revision, caller.options.output)
        }
        Verb::Put { file, seasoning } => {
            let mut policy = policy_file::read(file)?;
            policy.seasoning = seasoning.unwrap_or(policy.seasoning);
            let Some(response) = caller.carry(PolicyPutRequest { policy })? else {
                return Ok(());
            };
            output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, None)
        }
    }
}

fn show(revision: &PolicyRevision, format: Format) -> Outcome<()> {
    let Some(policy) = &revision.policy else {
        return Err("the server does not tell the policy itself".to_owned().into());
    };
    if format == Format::Toml {
        say(policy_file::to_toml(policy)?.trim_end());
        return Ok(());
    }
    let mut table = Table::of(["", "", "", ""]);
    let mut head = |name: &str, value: String| table.push([name.to_owned(), value, String::new(), String::new()]);
    head("version", revision.policy_version.to_string());
    head("since", moment(revision.time_stamp.0));
    let same = policy_digest(revision.policy_version, policy).as_slice() == revision.policy_digest;
    let checked = if same {
        "computed again: the same"
    } else {
        "NOT the one computed from what is shown"
    };
    head(
        "digest",
        format!("{} ({checked})", crate::cli::hex(&revision.policy_digest)),
    );
    head("template", or_dash(policy.policy_template));
    head("seasoning", format!("{} s", policy.seasoning.0));
    head("margin", policy.margin.to_string());
    head("fewest people", policy.fewest_operators.to_string());
    for rule in &policy.rules {
        table.push([
            format!("rule {}", rule.rule_name),
            agreement(rule),
            rule.completion.to_string(),
            about(rule),
        ]);
    }
    output::print(policy, tag::POLICY, format, Some(table))
}

/// The alternatives of a rule in words.
fn agreement(rule: &Rule) -> String {
    let alternatives = rule.alternatives.iter().map(|alternative| {
        let groups = alternative
            .groups
            .iter()
            .map(|group| format!("{} of {}", group.quorum, group.group_name));
        let mut text = groups.collect::<Vec<_>>().join(" and ");
        if alternative.timelock.0 > 0 {
            text.push_str(&format!(" after {} s", alternative.timelock.0));
        }
        text
    });
    let mut text = alternatives.collect::<Vec<_>>().join(", or ");
    if !rule.requester_counts {
        text.push_str(", beside who asks");
    }
    if rule.proof > Proof::Signature {
        text.push_str(", with keys in hardware");
    }
    text
}

/// What a rule is about, in words.
fn about(rule: &Rule) -> String {
    let about = &rule.rule_match;
    let mut words: Vec<String> = about.operations.iter().map(ToString::to_string).collect();
    let mut only = |what: &str, values: Vec<String>| {
        if !values.is_empty() {
            words.push(format!("({what} {})", values.join(", ")));
        }
    };
    only("of type", about.object_types.iter().map(ToString::to_string).collect());
    only("in group", about.object_groups.clone());
    only("named", about.object_names.clone());
    only("in namespace", about.application_namespaces.clone());
    only("only", about.unique_identifiers.clone());
    only("on", about.person_roles.iter().map(ToString::to_string).collect());
    if about.reaches_objects == Some(true) {
        words.push("(where it gives access to objects that there are)".to_owned());
    }
    words.join(" ")
}
