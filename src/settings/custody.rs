//! `[custody]`: where keys come from, and where they are kept.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where keys come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum RngName {
    /// The operating system.
    #[default]
    #[serde(rename = "os")]
    Os,
    /// An HSM.
    #[serde(rename = "hsm")]
    Hsm,
    /// Both, one added to the other.
    #[serde(rename = "os+hsm")]
    OsHsm,
}

/// `[custody]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyTable {
    /// The file of the installation root; `root.key` in the data folder unless set.
    pub root: Option<PathBuf>,
    /// The systemd credential that holds the root, instead of a file.
    pub root_credential: Option<String>,
    /// Where keys come from: `os` (the default), `hsm` or `os+hsm`.
    #[serde(default)]
    pub rng: RngName,
    /// The HSM-Profile that randomness is drawn from; the first one with a token unless set.
    pub rng_profile: Option<String>,
    /// The folder of software KEKs; `keks` in the data folder unless set.
    pub keks: Option<PathBuf>,
    /// PKCS#11 modules by name: records of HSM-Profiles name a module, and what code that is the settings alone say. SoftHSM2's is
    /// known as `softhsm` without being listed.
    #[serde(default)]
    pub modules: BTreeMap<String, PathBuf>,
    /// The folder of a SoftHSM of one's own, with its configuration.
    pub softhsm_folder: Option<PathBuf>,
    /// The token that the installation begins with: its first HSM-Profile, which keeps the system's KEK. Later it says nothing.
    pub token: Option<TokenTable>,
    /// How protected KEKs are kept.
    #[serde(default)]
    pub protected: ProtectedTable,
}

/// `[custody.protected]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectedTable {
    /// Seconds that a protected KEK stays in memory after an HSM has confirmed it last; a day unless set.
    pub grace_seconds: Option<u64>,
    /// Seconds after which an HSM is asked to confirm it; an hour unless set.
    pub renew_seconds: Option<u64>,
}

/// `[custody.token]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenTable {
    /// The module's name.
    pub module: String,
    /// The token's label.
    pub label: String,
    /// Its serial number, if it is to be checked too.
    pub serial: Option<String>,
    /// Sessions at most.
    pub sessions: Option<u16>,
    /// Milliseconds that the token may take for one request.
    pub deadline_ms: Option<u32>,
}
