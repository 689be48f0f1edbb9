//! The command line: one file for each noun.

mod call;
mod context;
mod demo;
mod failure;
mod folder;
mod handover;
mod init;
mod key;
pub mod kmip;
mod log;
mod manual;
mod nouns;
mod options;
mod output;
mod people;
mod possession;
mod private;
mod proposal;
mod serve;
mod session;
mod shares;
mod tickets;

pub use nouns::parse_policy;

use clap::{Parser, Subcommand};
use failure::{Failure, Outcome};
use std::process::ExitCode;

/// Why a command failed, in words for its user.
type Problem = String;

/// What the manual page and the long help say beside the grammar.
const MORE: &str = "\
Exit codes of what is asked of a server as a person:
  0  done
  1  failed, for a reason that has no code of its own
  2  the arguments make no sense, or a file of theirs cannot be read
  3  the server does not know who asks, or not well enough: claviger login
  4  the server knows, and refuses
  5  what was named is not there
  6  it is there already, or in the way
  7  others must agree first: the answer names the proposal and what to poll for it
  8  they did not: rejected, vetoed, withdrawn, expired or void
  claviger doctor: 0 nothing was found, 1 warnings, 2 something critical, a server that does not answer included

Environment:
  CLAVIGER_CLIENT_CONFIG          the file of contexts; tickets lie beside it
  CLAVIGER_CLIENT_CONTEXT         the context, instead of the current one
  CLAVIGER_CLIENT_PKCS11_MODULE   the PKCS#11 module for keys named pkcs11:… without module-path
  CLAVIGER_CLIENT_PIN             the token's PIN, where the key's name has no pin-source

To begin: `claviger context add`, `claviger login`; then `claviger proposal list --mine` shows what awaits your vote, and `--dry-run`
says of any change who would have to agree.";

/// Key-management server that speaks KMIP natively.
#[derive(Parser)]
#[command(name = "claviger", version, about, disable_help_subcommand = true, after_long_help = MORE)]
struct Claviger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server with everything in one folder, to try it out
    Demo(demo::DemoArguments),
    /// Make an installation in a folder
    Init(init::InitArguments),
    /// Serve an installation
    Serve(serve::ServeArguments),
    /// Speak KMIP with a server
    Kmip(Box<kmip::KmipArguments>),
    /// Keep servers and identities under names
    Context(context::ContextArguments),
    /// Begin a session, with certificate and password
    Login(nouns::session::LoginArguments),
    /// End the session
    Logout(nouns::session::LogoutArguments),
    /// Tenants
    Tenant(Box<nouns::tenant::TenantArguments>),
    /// People, and yourself
    Person(Box<nouns::person::PersonArguments>),
    /// Clients: the identities of applications
    Client(Box<nouns::client::ClientArguments>),
    /// Applications: clients that share keys
    #[command(visible_alias = "application")]
    App(nouns::application::ApplicationArguments),
    /// Certificate authorities of a tenant
    Authority(nouns::authority::AuthorityArguments),
    /// Certificates of clients
    Certificate(Box<nouns::certificate::CertificateArguments>),
    /// Endpoints: where clients hear of their objects
    Endpoint(nouns::endpoint::EndpointArguments),
    /// Application Namespaces
    Namespace(nouns::namespace::NamespaceArguments),
    /// What remains of a tenant's destroyed objects
    Object(nouns::object::ObjectArguments),
    /// HSMs: where the keys that keep keys lie
    Hsm(nouns::hsm::HsmArguments),
    /// What can still open keys that were destroyed
    Key(nouns::residue::KeyArguments),
    /// The keys that keep keys
    Kek(nouns::kek::KekArguments),
    /// The credentials by which keys are made in an HSM: shared among those who decide
    Share(nouns::share::ShareArguments),
    /// The shares of legacy tokens, and their migration
    Ceremony(nouns::ceremony::CeremonyArguments),
    /// Legacy tokens, brought to a tenant
    LegacyToken(Box<nouns::legacy_token::LegacyTokenArguments>),
    /// The rules that say who must agree to what
    Policy(nouns::policy::PolicyArguments),
    /// Groups of people that rules can name
    Group(nouns::group::GroupArguments),
    /// What others must agree to
    Proposal(Box<proposal::ProposalArguments>),
    /// How the server is
    Status(nouns::status::StatusArguments),
    /// What somebody should look at, as monitoring wants it
    Doctor(nouns::doctor::DoctorArguments),
    /// The change trail
    Audit(nouns::audit::AuditArguments),
    /// Records that are not as the change trail has them
    Quarantine(nouns::quarantine::QuarantineArguments),
    /// A database that was put back
    Restore(nouns::restore::RestoreArguments),
    /// Who may ask for what
    Permission(nouns::permission::PermissionArguments),
    /// Completions for a shell
    Completion(manual::CompletionArguments),
    /// Write the manual pages into a folder
    Manual(manual::ManualArguments),
    /// The process that talks to an HSM; the server starts it
    #[command(hide = true)]
    HsmWorker,
}

/// Does what the arguments of the process say.
#[must_use]
pub fn run() -> ExitCode {
    // Founding an installation has keys in memory too. What stands in the way is told by `serve`, which has a log.
    let _ = crate::custody::harden();
    let done = match Claviger::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Kmip(arguments) => return kmip::run(&arguments),
        Command::HsmWorker => return crate::custody::worker::run(),
        command => return end(administer(&command)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!("{problem}");
            say_problem(&problem);
            ExitCode::FAILURE
        }
    }
}

/// What needs no server, or speaks with one as a person.
fn administer(command: &Command) -> Outcome<()> {
    match command {
        Command::Context(arguments) => context::run(arguments),
        Command::Login(arguments) => nouns::session::login(arguments),
        Command::Logout(arguments) => nouns::session::logout(arguments),
        Command::Tenant(arguments) => nouns::tenant::run(arguments),
        Command::Person(arguments) => nouns::person::run(arguments),
        Command::Client(arguments) => nouns::client::run(arguments),
        Command::App(arguments) => nouns::application::run(arguments),
        Command::Authority(arguments) => nouns::authority::run(arguments),
        Command::Certificate(arguments) => nouns::certificate::run(arguments),
        Command::Endpoint(arguments) => nouns::endpoint::run(arguments),
        Command::Namespace(arguments) => nouns::namespace::run(arguments),
        Command::Object(arguments) => nouns::object::run(arguments),
        Command::Hsm(arguments) => nouns::hsm::run(arguments),
        Command::Key(arguments) => nouns::residue::run(arguments),
        Command::Kek(arguments) => nouns::kek::run(arguments),
        Command::Share(arguments) => nouns::share::run(arguments),
        Command::Ceremony(arguments) => nouns::ceremony::run(arguments),
        Command::LegacyToken(arguments) => nouns::legacy_token::run(arguments),
        Command::Policy(arguments) => nouns::policy::run(arguments),
        Command::Group(arguments) => nouns::group::run(arguments),
        Command::Proposal(arguments) => proposal::run(arguments),
        Command::Status(arguments) => nouns::status::run(arguments),
        Command::Doctor(arguments) => nouns::doctor::run(arguments),
        Command::Audit(arguments) => nouns::audit::run(arguments),
        Command::Quarantine(arguments) => nouns::quarantine::run(arguments),
        Command::Restore(arguments) => nouns::restore::run(arguments),
        Command::Permission(arguments) => nouns::permission::run(arguments),
        Command::Completion(arguments) => manual::completion(arguments),
        Command::Manual(arguments) => manual::pages(arguments),
        Command::Demo(_) | Command::Init(_) | Command::Serve(_) | Command::Kmip(_) | Command::HsmWorker => Ok(()),
    }
}

fn end(outcome: Outcome<()>) -> ExitCode {
    let Err(Failure { exit, text, .. }) = outcome else {
        return ExitCode::SUCCESS;
    };
    if !text.is_empty() {
        say_problem(&text);
    }
    ExitCode::from(exit.code())
}

/// Whether files can be called by a name: letters, digits, `-`, `_`, and these marks, though not with a point at the beginning.
fn is_file_name(name: &str, marks: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || marks.contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    kmip_ttlv::Hex(bytes).to_string()
}

/// Tells the user on standard error, wherever the log goes.
fn say_problem(problem: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "claviger: {problem}");
}

/// Shows the user something on standard error, beside the answer.
fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// Tells the user on standard output; a closed one is nobody to tell.
fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// The runtime that a server runs in.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn names_of_files_lead_nowhere_else() {
        for good in ["ada", "ada-2", "Ada_L"] {
            assert!(super::is_file_name(good, ""), "{good}");
        }
        assert!(super::is_file_name("ada.l@example", ".@"));
        for bad in ["", ".", "..", ".ada", "a/b", "a\\b", "a b", "ada\n", "\0"] {
            assert!(!super::is_file_name(bad, ".@"), "{bad:?}");
        }
        assert!(!super::is_file_name("a.b", ""));
    }

    #[test]
    fn every_exit_code_is_told() {
        for code in 0..=super::failure::Exit::Ended.code() {
            assert!(super::MORE.contains(&format!("\n  {code}  ")), "{code}");
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        super::Claviger::command().debug_assert();
    }

    /// An option that every verb of a noun has, and an argument of one of its verbs, must not share an identifier: reading the one as
    /// the other's type ends the process.
    #[test]
    fn no_verb_has_an_argument_of_its_nouns_name() {
        fn walk(command: &clap::Command, above: &[&str], found: &mut Vec<String>) {
            let own: Vec<&str> = command.get_arguments().map(|a| a.get_id().as_str()).collect();
            let twice = own.iter().filter(|id| above.contains(id));
            found.extend(twice.map(|id| format!("{} {id}", command.get_name())));
            let global = command.get_arguments().filter(|a| a.is_global_set());
            let global = global.map(|a| a.get_id().as_str()).chain(above.iter().copied());
            let global: Vec<&str> = global.collect();
            command.get_subcommands().for_each(|below| walk(below, &global, found));
        }
        let mut found = Vec::new();
        walk(&super::Claviger::command(), &[], &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}
