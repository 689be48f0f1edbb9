//! Whether the database is the one that was served last, before anything of it is.

use super::ComposeError;
use crate::administration::restore;
use crate::audit::{AnchorFile, LateChain};
use crate::authority::InstallationRecord;
use crate::clock::{Clock, Moment, SystemClock};
use crate::custody::Custody;
use crate::scrub::{AnchorError, Freshness, found};
use crate::settings::Settings;
use crate::store::Store;
use std::path::Path;
use std::sync::Arc;

/// Compares the database with the anchor that the settings name, if they name one. Gives the installation's record as it is then.
pub(super) async fn compare(
    settings: &Settings,
    store: &Arc<dyn Store>,
    custody: &Custody,
    heads: LateChain,
    installation: InstallationRecord,
) -> Result<(Arc<Freshness>, InstallationRecord), ComposeError> {
    let path = settings.audit.anchor.as_deref();
    let failed = |why: AnchorError| ComposeError::Anchor(path.unwrap_or(Path::new("")).to_owned(), why);
    let mut there = None;
    if let Some(path) = path {
        let real = |folder: &Path| std::fs::canonicalize(folder).map_err(|why| failed(why.into()));
        if real(path.parent().unwrap_or(path))?.starts_with(real(&settings.data)?) {
            let why = std::io::Error::other("it lies in the data folder, with which it would be put back");
            return Err(failed(why.into()));
        }
        there = found(&AnchorFile::at(path)).await.map_err(failed)?;
    }
    let now = Moment(SystemClock::start().now().0.max(store.high_water()));
    let place = (path.map(AnchorFile::at), there.as_deref(), heads);
    let compared = restore::compare(place, (store, custody), installation, now).await?;
    compared.map_err(failed)
}
