//! `claviger init`: an installation in a folder, ready to be served. It has administrators and no tenant: they make those.

use super::folder::{Folder, hosts};
use super::kmip::words;
use super::nouns::{Named, legacy_token, named};
use super::private;
use super::{Problem, people, runtime, say, serve};
use crate::compose::{self, Genesis, Management};
use crate::crypto::OsRandomness;
use crate::custody::{Locked, ShareKey, Slab, token};
use crate::settings::{Settings, TokenTable};
use kmip_protocol::{PolicyTemplate, SecretText, tag};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Makes an installation.
#[derive(clap::Args)]
pub(super) struct InitArguments {
    /// The folder; nothing may be installed there yet.
    #[arg(long, default_value = "claviger")]
    dir: PathBuf,
    /// Where the server is to listen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5696")]
    listen: SocketAddr,
    /// Another name under which clients reach the server; may be repeated.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// An administrator and its certificate, PEM; at least two, with those whose keys are made here.
    #[arg(long = "administrator", value_name = "NAME=CERTIFICATE", value_parser = named)]
    administrators: Vec<Named>,
    /// An administrator of those whose key is in a token or card, as you answer for it; may be repeated.
    #[arg(long, value_name = "NAME")]
    hardware: Vec<String>,
    /// Administrators whose keys, certificates and initial passwords are made in the folder `people`, to be handed over.
    #[arg(long = "administrators", value_name = "NAME,NAME", value_delimiter = ',')]
    made: Vec<String>,
    /// The system's policy to begin with: mtg or strict.
    #[arg(long, value_name = "TEMPLATE", default_value = "mtg")]
    policy: String,
    /// Keep KEKs in a SoftHSM2 token of the installation's own: its module, or `softhsm`.
    #[arg(long, value_name = "MODULE")]
    hsm: Option<String>,
    /// The label of the token.
    #[arg(long, value_name = "LABEL", default_value = "claviger", requires = "hsm")]
    token: String,
    /// The file with the key-usage PIN of a token that there is, which is left as it is; without it a new token is initialised. - is
    /// standard input.
    #[arg(long, value_name = "FILE", requires = "hsm")]
    pin_file: Option<PathBuf>,
    /// The file with the key-management credential, where that token has a user of its own for it: it makes the first KEK, is shared
    /// among the administrators and then forgotten. - is standard input. CLAVIGER_INIT_MANAGEMENT_PIN can have it instead.
    #[arg(long, value_name = "FILE", requires = "pin_file")]
    management_pin_file: Option<PathBuf>,
    /// Ask for the key-management credential at the terminal.
    #[arg(long, requires = "pin_file", conflicts_with = "management_pin_file")]
    ask_management_pin: bool,
    /// The public share key of an administrator whose certificate is given, PEM; may be repeated. Those of the others are made here.
    #[arg(long = "share-key", value_name = "NAME=FILE", value_parser = named)]
    share_keys: Vec<Named>,
    /// A legacy cryptotoken for the tenant whose name it has, which will begin with its migration; may be repeated.
    #[arg(long = "legacy-token", value_name = "FILE")]
    legacy_tokens: Vec<PathBuf>,
}

/// `claviger init`.
pub(super) fn run(arguments: &InitArguments) -> Result<(), Problem> {
    let folder = Folder::open(&arguments.dir)?;
    if folder.at("claviger.toml").exists() {
        return Err(format!(
            "there is an installation in {} already",
            arguments.dir.display()
        ));
    }
    // Before anybody's key is made: nothing is begun with what is no token.
    let legacy_tokens = arguments.legacy_tokens.iter().map(|file| legacy_token::text(file));
    let legacy_tokens = legacy_tokens
        .collect::<Result<Vec<_>, _>>()
        .map_err(|failure| failure.text)?;
    let administrators =
        people::administrators(&folder, &arguments.administrators, &arguments.hardware, &arguments.made)?;
    let template = words::value(tag::POLICY_TEMPLATE, &arguments.policy)?;
    let policy = people::policy(PolicyTemplate(template), administrators.len())?;
    folder.make("data")?;
    let authority = folder.authority("ca", "Claviger server CA")?;
    folder.server(&authority, &hosts(arguments.listen.ip(), &arguments.hosts))?;
    let text = Template {
        listen: arguments.listen,
        profile: "bsi",
        log_file: None,
        interop: false,
        demo: false,
        token: arguments.hsm.as_deref(),
        label: &arguments.token,
    };
    let genesis = Genesis {
        administrators,
        policy,
        pin: arguments.pin_file.as_deref().map(given_pin).transpose()?,
        management: management(&folder, arguments)?,
        legacy_tokens,
    };
    found(&folder, &text.write(), genesis)?;
    say(&format!(
        "made {}; serve it with: claviger serve --config {}\n\
         initial passwords of the administrators, good for 72 hours and one login: {}/*.password\n\
         what they do next is in docs/ADMINISTRATION.md",
        arguments.dir.display(),
        folder.at("claviger.toml").display(),
        folder.at(people::PEOPLE).display(),
    ));
    Ok(())
}

/// The PIN of a token that there is.
fn given_pin(file: &Path) -> Result<Locked, Problem> {
    locked(&private::secret(Some(file), "Key-usage PIN").map_err(|failure| failure.text)?)
}

fn locked(secret: &SecretText) -> Result<Locked, Problem> {
    let slab = Slab::new().map_err(|why| why.to_string())?;
    slab.copy_from(secret.expose().as_bytes())
        .map_err(|why| why.to_string())
}

/// The key-management credential, if one is given, and the share keys of the administrators.
fn management(folder: &Folder, arguments: &InitArguments) -> Result<Option<Management>, Problem> {
    let file = arguments.management_pin_file.as_deref();
    let question = "Key-management credential";
    let given = match std::env::var(token::MANAGEMENT_VARIABLE) {
        _ if file.is_some() || arguments.ask_management_pin => Some(private::secret(file, question)),
        Ok(_) if arguments.pin_file.is_none() => {
            let variable = token::MANAGEMENT_VARIABLE;
            return Err(format!("{variable} is for a token that there is: give --pin-file too"));
        }
        Ok(pin) => Some(Ok(SecretText::new(&zeroize::Zeroizing::new(pin)))),
        Err(_) => None,
    };
    let Some(given) = given.transpose().map_err(|failure| failure.text)? else {
        return Ok(None);
    };
    let mut share_keys = Vec::new();
    for Named { name, file } in &arguments.share_keys {
        let problem = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        let text = std::fs::read_to_string(file).map_err(|why| problem(&why))?;
        let key = ShareKey::read_pem(&text).map_err(|_| problem(&"no public key of P-256"))?;
        share_keys.push((name.clone(), key));
    }
    for name in &arguments.made {
        share_keys.push((name.clone(), people::share_key(folder, name)?));
    }
    Ok(Some(Management {
        credential: locked(&given)?,
        share_keys,
    }))
}

/// The first settings of an installation.
pub(super) struct Template<'a> {
    pub(super) listen: SocketAddr,
    pub(super) profile: &'a str,
    pub(super) log_file: Option<&'a str>,
    pub(super) interop: bool,
    /// One person holds everybody's keys.
    pub(super) demo: bool,
    /// The module of a token.
    pub(super) token: Option<&'a str>,
    /// The token's label.
    pub(super) label: &'a str,
}

impl Template<'_> {
    /// The settings as TOML.
    pub(super) fn write(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text = format!(
            "# Settings of Claviger. Paths count from this file's folder.\n\
             data = \"data\"\n\
             pid_file = \"server.pid\"\n\
             {}\n\
             [listener]\n\
             address = \"{}\"\n\
             certificate = \"data/server.pem\"\n\
             key = \"data/server-key.pem\"\n\
             profile = \"{}\"\n",
            if self.demo { "demo = true\n" } else { "" },
            self.listen,
            self.profile
        );
        if let Some(file) = self.log_file {
            text.push_str(&format!("\n[log]\nfile = {}\n", quoted(file)));
        }
        if self.demo {
            // Whoever tries something out listens on this machine.
            text.push_str("\n[outbox]\nallow = [\"127.0.0.0/8:*\", \"[::1]:*\"]\n");
        }
        if let Some(module) = self.token {
            if is_softhsm(module) {
                text.push_str("\n[custody]\nsofthsm_folder = \"data/softhsm\"\n");
            }
            let name = if module == token::SOFTHSM { module } else { "hsm" };
            if name != module {
                text.push_str(&format!("\n[custody.modules]\n{name} = {}\n", quoted(module)));
            }
            text.push_str(&format!(
                "\n# What the installation began with; later HSM-Profiles are made with `claviger hsm profile create`.\n\
                 [custody.token]\nmodule = \"{name}\"\nlabel = {}\n",
                quoted(self.label)
            ));
        }
        if self.interop {
            text.push_str("\n[conformance]\ninterop = true\n");
        }
        text
    }
}

/// Whether a module is SoftHSM's, which keeps its tokens in a folder of the installation's own.
fn is_softhsm(module: &str) -> bool {
    module == token::SOFTHSM
        || Path::new(module)
            .file_name()
            .is_some_and(|f| f.to_string_lossy().contains("softhsm"))
}

/// Writes the settings, prepares the token that they name, and makes the installation.
pub(super) fn found(folder: &Folder, text: &str, mut genesis: Genesis) -> Result<Settings, Problem> {
    // Under another name until all is done: what failed half-way can be tried again.
    folder.write("claviger.toml.unfinished", text)?;
    let path = folder.at("claviger.toml.unfinished");
    let settings = serve::read(&path)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        if let (None, Some(table)) = (&genesis.pin, &settings.custody.token) {
            genesis.pin = Some(prepare_token(&settings, table).await?);
        }
        let made = compose::create(&settings, genesis).await;
        made.map_err(|why| why.to_string())
    })?;
    let done = folder.at("claviger.toml");
    std::fs::rename(&path, &done).map_err(|why| super::folder::problem(&done, &why))?;
    Ok(settings)
}

/// Initialises a new token and gives its user PIN, which nobody else learns: the installation seals it under its root.
async fn prepare_token(settings: &Settings, table: &TokenTable) -> Result<Locked, Problem> {
    if let Some(folder) = &settings.custody.softhsm_folder {
        token::configure_softhsm(folder).map_err(|why| why.to_string())?;
    }
    let slab = Slab::new().map_err(|why| why.to_string())?;
    // The token may be the one that randomness comes from later.
    let random = OsRandomness::new();
    let pin = || token::random_pin(&slab, &random).map_err(|why| why.to_string());
    let (officer, user) = (pin()?, pin()?);
    let token = compose::benches(settings).token(&compose::first_token(table));
    let token = token.map_err(|why| why.to_string())?;
    let made = token::initialize_token(&token, &slab, &officer, &user).await;
    made.map_err(|why| format!("the token could not be made: {why}"))?;
    Ok(user)
}
