//! `claviger demo`: one command, everything in one folder, a server that clients can talk to at once.

mod beginning;
mod establish;

use super::context::{self, Profile};
use super::failure::Outcome;
use super::folder::{Folder, hosts};
use super::init::{Template, found};
use super::key::KeyPlace;
use super::people::{self, PEOPLE};
use super::proposal::ballot;
use super::{Problem, say, serve};
use crate::compose::Genesis;
use beginning::Beginning;
use certs::CertificateAuthority;
use establish::{CERTIFICATION, Tenant, User, establish};
use kmip_protocol::{ClientCredential, Interval, Policy, PolicyTemplate};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Starts a server to try out.
#[derive(clap::Args)]
pub(super) struct DemoArguments {
    /// The folder; used again the next time.
    #[arg(long, default_value = "claviger-demo")]
    dir: PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where to listen for KMIP over HTTPS, if anywhere.
    #[arg(long, value_name = "ADDRESS:PORT")]
    https: Option<SocketAddr>,
    /// Keep the KEKs in a PKCS#11 token: its module's path, or `softhsm` to find SoftHSM2's.
    #[arg(long, value_name = "MODULE")]
    hsm: Option<String>,
    /// A user that comes over the connections of the demonstration's client, by name and password; made with the folder.
    #[arg(long = "user", value_name = "NAME:PASSWORD", value_parser = User::read)]
    users: Vec<User>,
}

/// Where a demonstration listens unless told otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5696);

/// Contexts of the people, for CLAVIGER_CLIENT_CONFIG; tickets come to lie beside them.
const CONTEXTS: &str = "people/contexts.toml";

/// The administrators.
const ADMINISTRATORS: [&str; 2] = ["alice", "bob"];

/// The tenants, with their operators.
const TENANTS: [(&str, [&str; 2]); 2] = [("demo", ["olga", "otto"]), ("other", ["paula", "peter"])];

/// `claviger demo`.
pub(super) fn run(arguments: &DemoArguments) -> Result<(), Problem> {
    let folder = Folder::open(&arguments.dir)?;
    let beginning = Beginning::of(&folder)?;
    folder.make("data")?;
    let authority = folder.authority("ca", "Claviger demo CA")?;
    let first = match beginning {
        None => None,
        Some(beginning) => {
            say(&format!(
                "Claviger demonstration in {}: its people make two tenants first, which takes a few seconds",
                folder.at("").display()
            ));
            found_here(&folder, arguments)?;
            Some((beginning, tenants(&folder, &authority, &arguments.users)?))
        }
    };
    let mut settings = serve::read(&folder.at("claviger.toml"))?;
    if arguments.hsm.is_some() && settings.custody.token.is_none() {
        let dir = arguments.dir.display();
        return Err(format!("{dir} was made without a token; give another --dir"));
    }
    if let Some(address) = arguments.listen {
        settings.listener.address = address;
    }
    settings.serve_https(arguments.https);
    folder.server(&authority, &hosts(settings.listener.address.ip(), &[]))?;
    let with_token = settings.custody.token.is_some();
    serve::serve(&settings, move |address| {
        let address = reached(address);
        if let Some((beginning, tenants)) = first {
            let made = establish(&folder, &address.to_string(), &ADMINISTRATORS, &tenants);
            made.map_err(|why| format!("the demonstration could not be made: {}", why.text))?;
            beginning.end()?;
        }
        folder.write("pykmip.conf", &pykmip(&folder, address))?;
        contexts(&folder, address).map_err(|why| why.text)?;
        say(&greeting(&folder, address, with_token));
        Ok(())
    })
}

/// Genesis, as `init` has it: two administrators, and nothing of a tenant.
fn found_here(folder: &Folder, arguments: &DemoArguments) -> Result<(), Problem> {
    let settings = Template {
        listen: arguments.listen.unwrap_or(ADDRESS),
        profile: "interop",
        log_file: Some("server.log"),
        interop: true,
        demo: true,
        token: arguments.hsm.as_deref(),
        label: "claviger",
    };
    let administrators = people::administrators(folder, &[], &[], &ADMINISTRATORS.map(str::to_owned))?;
    // Who tries something out does not wait a day for new people to count.
    let policy = Policy {
        seasoning: Interval(0),
        ..people::policy(PolicyTemplate::Mtg, administrators.len())?
    };
    let genesis = Genesis {
        administrators,
        policy,
        pin: None,
        management: None,
        legacy_tokens: Vec::new(),
    };
    found(folder, &settings.write(), genesis)?;
    Ok(())
}

/// What is to be made: the authority is the tenant demo's; the other tenant knows its client by exactly its certificate.
fn tenants(folder: &Folder, authority: &CertificateAuthority, users: &[User]) -> Result<Vec<Tenant>, Problem> {
    let client = folder.client(authority, "client", "demo-client")?;
    let known_by_key = ClientCredential {
        key_fingerprint: Some(client.key_fingerprint.to_vec()),
        ..ClientCredential::default()
    };
    let keeper = folder.client(authority, CERTIFICATION, "demo-certification")?;
    let certification = ClientCredential {
        key_fingerprint: Some(keeper.key_fingerprint.to_vec()),
        ..ClientCredential::default()
    };
    folder.client(authority, "other-client", "other-client")?;
    let certificate = ballot::certificate(&folder.at("other-client.pem")).map_err(|why| why.text)?;
    let pinned = ClientCredential {
        certificate: Some(certificate),
        ..ClientCredential::default()
    };
    let known = [
        (
            Some(authority.certificate().to_vec()),
            known_by_key,
            Some(certification),
        ),
        (None, pinned, None),
    ];
    let made = TENANTS.into_iter().zip(known);
    let made = made.map(|((name, operators), (authority, client, certification))| Tenant {
        name,
        operators,
        users: if authority.is_some() {
            users.to_vec()
        } else {
            Vec::new()
        },
        authority,
        client,
        certification,
    });
    Ok(made.collect())
}

/// Everybody whose keys lie in the folder.
fn everybody() -> impl Iterator<Item = &'static str> {
    let operators = TENANTS.into_iter().flat_map(|(_, operators)| operators);
    ADMINISTRATORS.into_iter().chain(operators)
}

/// The server as one of the people.
fn profile(folder: &Folder, address: &str, name: &str) -> Profile {
    Profile {
        address: address.to_owned(),
        ca: folder.at("ca.pem"),
        cert: folder.at(&format!("{PEOPLE}/{name}.pem")),
        key: KeyPlace::File(folder.at(&format!("{PEOPLE}/{name}-key.pem"))),
        ..Profile::default()
    }
}

/// A context for each of them, at the address of this start.
fn contexts(folder: &Folder, address: SocketAddr) -> Outcome<()> {
    let address = address.to_string();
    let profiles = everybody().map(|name| (name.to_owned(), profile(folder, &address, name)));
    context::put(&folder.at(CONTEXTS), profiles)
}

/// What a client on this machine connects to.
fn reached(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

/// A configuration for PyKMIP, for the section `client` and for `other`.
fn pykmip(folder: &Folder, address: SocketAddr) -> String {
    let mut text = String::new();
    for (section, name) in [("client", "client"), ("other", "other-client")] {
        let at = |file: String| folder.at(&file).display().to_string();
        text.push_str(&format!(
            "[{section}]\nhost={}\nport={}\ncertfile={}\nkeyfile={}\nca_certs={}\ncert_reqs=CERT_REQUIRED\n\
             ssl_version=PROTOCOL_SSLv23\ndo_handshake_on_connect=True\nsuppress_ragged_eofs=True\nusername=None\n\
             password=None\n\n",
            address.ip(),
            address.port(),
            at(format!("{name}.pem")),
            at(format!("{name}-key.pem")),
            at("ca.pem".to_owned()),
        ));
    }
    text
}

/// What the screen says: where things are, and three lines to paste.
fn greeting(folder: &Folder, address: SocketAddr, with_token: bool) -> String {
    let config = folder.at("pykmip.conf");
    let config = config.display();
    let sealer = if with_token {
        "in the PKCS#11 token"
    } else {
        "in key files (for demonstration only)"
    };
    format!(
        "Claviger demonstration in {folder}\n\
         tenants demo (client.pem) and other (other-client.pem); KEKs {sealer}\n\
         administrators {administrators}; operators {operators}\n\
         DEMO: one person holds all keys.\n\n\
         With PyKMIP (pip install pykmip), its configuration being {config}:\n\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; from kmip import enums as e; \
         c = C(config_file='{config}'); c.open(); \
         print(c.create(e.CryptographicAlgorithm.AES, 256))\"\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; c = C(config_file='{config}'); c.open(); \
         print(c.get(c.locate()[0]))\"\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; c = C(config_file='{config}'); c.open(); \
         c.destroy(c.locate()[0])\"\n\n\
         Or: claviger kmip --dir {folder} --address {address} create --name try\n\n\
         As one of its people, whose keys and passwords lie in {people}:\n\n\
         export CLAVIGER_CLIENT_CONFIG={contexts}\n\
         claviger login --context alice --password-file {password}\n\
         claviger status --context alice\n",
        folder = folder.at("").display(),
        administrators = ADMINISTRATORS.join(", "),
        operators = TENANTS
            .map(|(tenant, people)| format!("{} ({tenant})", people.join(", ")))
            .join(", "),
        people = folder.at(PEOPLE).display(),
        contexts = folder.at(CONTEXTS).display(),
        password = people::password(folder, "alice").display(),
    )
}
