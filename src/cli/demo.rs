//! `claviger demo`: one command, everything in one folder, a server that clients can talk to at once.

use super::folder::{Folder, hosts};
use super::init::{Template, found};
use super::{Problem, people, say, serve};
use crate::compose::{Genesis, NewTenant};
use crate::identity::Credential;
use kmip_protocol::{Interval, Policy, PolicyTemplate};
use std::net::SocketAddr;
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
    /// Keep the KEKs in a PKCS#11 token: its module's path, or `softhsm` to find SoftHSM2's.
    #[arg(long, value_name = "MODULE")]
    hsm: Option<String>,
}

/// Where a demonstration listens unless told otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5696);

/// `claviger demo`.
pub(super) fn run(arguments: &DemoArguments) -> Result<(), Problem> {
    let folder = Folder::open(&arguments.dir)?;
    folder.make("data")?;
    let authority = folder.authority("ca", "Claviger demo CA")?;
    if !folder.at("claviger.toml").exists() {
        let client = folder.client(&authority, "client", "demo-client")?;
        let other = folder.client(&authority, "other-client", "other-client")?;
        // The authority is the tenant demo's. The other tenant knows its client by exactly its certificate.
        let demo = NewTenant {
            name: "demo".to_owned(),
            test: true,
            authorities: vec![authority.certificate().to_vec()],
            clients: vec![("client".to_owned(), Credential::Key(client.key_fingerprint))],
        };
        let pinned = Credential::Pinned {
            key: other.key_fingerprint,
            certificate: other.fingerprint,
        };
        let other = NewTenant {
            name: "other".to_owned(),
            test: true,
            authorities: Vec::new(),
            clients: vec![("client".to_owned(), pinned)],
        };
        let settings = Template {
            listen: arguments.listen.unwrap_or(ADDRESS),
            profile: "interop",
            log_file: Some("server.log"),
            interop: true,
            demo: true,
            token: arguments.hsm.as_deref(),
        };
        let administrators = ["alice", "bob"].map(str::to_owned);
        let administrators = people::administrators(&folder, &[], &[], &administrators)?;
        // Who tries something out does not wait a day for new people to count.
        let policy = Policy {
            seasoning: Interval(0),
            ..people::policy(PolicyTemplate::Mtg, administrators.len())?
        };
        let genesis = Genesis {
            administrators,
            policy: Some(policy),
            tenants: vec![demo, other],
            pin: None,
        };
        found(&folder, &settings.write(), genesis)?;
    }
    let mut settings = serve::read(&folder.at("claviger.toml"))?;
    if arguments.hsm.is_some() && settings.custody.token.is_none() {
        let dir = arguments.dir.display();
        return Err(format!("{dir} was made without a token; give another --dir"));
    }
    if let Some(address) = arguments.listen {
        settings.listener.address = address;
    }
    folder.server(&authority, &hosts(settings.listener.address.ip(), &[]))?;
    let with_token = settings.custody.token.is_some();
    serve::serve(&settings, |address| {
        folder.write("pykmip.conf", &pykmip(&folder, address))?;
        say(&greeting(&folder, address, with_token));
        Ok(())
    })
}

/// What a client on this machine connects to.
fn host(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        address.ip().to_string()
    }
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
            host(address),
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
         DEMO: one person holds all keys.\n\n\
         With PyKMIP (pip install pykmip), its configuration being {config}:\n\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; from kmip import enums as e; \
         c = C(config_file='{config}'); c.open(); \
         print(c.create(e.CryptographicAlgorithm.AES, 256))\"\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; c = C(config_file='{config}'); c.open(); \
         print(c.get(c.locate()[0]))\"\n\
         python3 -c \"from kmip.pie.client import ProxyKmipClient as C; c = C(config_file='{config}'); c.open(); \
         c.destroy(c.locate()[0])\"\n\n\
         Or: claviger kmip --dir {folder} --address {host}:{port} create --name try\n",
        folder = folder.at("").display(),
        host = host(address),
        port = address.port(),
    )
}
