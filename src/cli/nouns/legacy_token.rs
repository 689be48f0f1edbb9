//! `claviger legacy-token`: legacy tokens brought to a tenant by administrators (P-KMS-TNT-07), and a tool that makes some to rehearse with.

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::{private, say};
use crate::crypto::OsRandomness;
use crate::custody::Slab;
use crate::custody::legacy::{Credentials, LONGEST_TOKEN, LegacyToken};
use clap::{Args, Subcommand};
use kmip_protocol::{LegacyTokenImportRequest, LegacyTokenWithdrawRequest};
use std::path::{Path, PathBuf};

/// `claviger legacy-token`: legacy tokens.
#[derive(Args)]
pub(in crate::cli) struct LegacyTokenArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring a legacy token to its tenant, whose people migrate it before they go on
    Import {
        #[command(flatten)]
        options: Options,
        /// The tenant
        tenant: String,
        /// The token's file
        file: PathBuf,
        /// The name of the HSM-Profile that it is to become; its own unless given
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
    },
    /// Give a legacy token up that cannot be migrated
    Withdraw {
        #[command(flatten)]
        options: Options,
        /// The tenant
        tenant: String,
        /// The token's name
        token: String,
    },
    /// Make a legacy token with its shares, for tests and rehearsals
    #[command(hide = true)]
    Make(MakeArguments),
}

/// What a token is made of.
#[derive(Args)]
struct MakeArguments {
    /// Where the token and its shares are written: NAME.token, NAME.share-1, …
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The tenant whose it is
    #[arg(long)]
    tenant: String,
    /// Its name
    #[arg(long)]
    name: String,
    /// How many shares there are
    #[arg(long)]
    shares: u8,
    /// How many of them open it
    #[arg(long)]
    threshold: u8,
    /// The HSM's module, as the server's settings name it
    #[arg(long)]
    module: String,
    /// The label of the HSM's token
    #[arg(long)]
    label: String,
    /// Its serial number
    #[arg(long)]
    serial: Option<String>,
    /// The file with the PIN of key usage; - is standard input
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The file with the PIN of key management, if that is another
    #[arg(long, value_name = "FILE")]
    management_pin_file: Option<PathBuf>,
}

/// `claviger legacy-token`.
pub(in crate::cli) fn run(arguments: &LegacyTokenArguments) -> Outcome<()> {
    match &arguments.verb {
        Verb::Import {
            options,
            tenant,
            file,
            profile,
        } => {
            let request = LegacyTokenImportRequest {
                tenant_name: tenant.clone(),
                legacy_token_text: text(file)?,
                hsm_profile_name: profile.clone(),
            };
            let done =
                "the token is there; the tenant's people go on once they have migrated it: claviger ceremony status";
            Caller::open(options)?.change(request, done)
        }
        Verb::Withdraw { options, tenant, token } => {
            let caller = &mut Caller::open(options)?;
            caller.confirm(&format!("Give up the legacy token {token} of {tenant}?"))?;
            let request = LegacyTokenWithdrawRequest {
                tenant_name: tenant.clone(),
                legacy_token_name: token.clone(),
            };
            caller.change(request, "the token was withdrawn")
        }
        Verb::Make(arguments) => make(arguments),
    }
}

/// The text of a token's file, if it is one.
pub(in crate::cli) fn text(file: &Path) -> Outcome<String> {
    use std::io::Read as _;
    let problem = |why: std::io::Error| Failure::usage(format!("{}: {why}", file.display()));
    let most = u64::try_from(LONGEST_TOKEN).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(problem)?;
    opened.take(most).read_to_string(&mut text).map_err(problem)?;
    let read = LegacyToken::read(&text);
    read.map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
    Ok(text)
}

fn make(arguments: &MakeArguments) -> Outcome<()> {
    let words = |why: crate::custody::CustodyError| Failure::from(why.to_string());
    let slab = Slab::new().map_err(|why| why.to_string())?;
    let randomness = OsRandomness::new();
    let pin = |file: Option<&Path>, question: &str| {
        let secret = private::secret(file, question)?;
        let kept = slab.copy_from(secret.expose().as_bytes());
        kept.map_err(|why| Failure::from(why.to_string()))
    };
    let management = arguments.management_pin_file.as_deref();
    let credentials = Credentials {
        module: arguments.module.clone(),
        label: arguments.label.clone(),
        serial: arguments.serial.clone(),
        usage: pin(arguments.pin_file.as_deref(), "PIN of key usage")?,
        management: management
            .map(|file| pin(Some(file), "PIN of key management"))
            .transpose()?,
    };
    let names = (arguments.tenant.as_str(), arguments.name.as_str());
    let numbers = (arguments.threshold, arguments.shares);
    if !credentials.fits() {
        return Err(Failure::usage("these are no credentials of an HSM token"));
    }
    let made = LegacyToken::make(&slab, &randomness, names, numbers, &credentials);
    let (token, sealed, shares) = made.map_err(words)?;
    let at = |end: &str| {
        arguments
            .folder
            .join(format!("{}.{end}", arguments.name.replace(' ', "-")))
    };
    private::write(&at("token"), token.write(&sealed).as_bytes())?;
    for share in &shares {
        private::write(&at(&format!("share-{}", share.index)), share.write().as_bytes())?;
    }
    say(&format!(
        "made {} and {} shares beside it, for tests and rehearsals: whoever makes a token has seen all of its shares",
        at("token").display(),
        shares.len()
    ));
    Ok(())
}
