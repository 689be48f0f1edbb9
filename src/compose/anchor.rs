//! Whether the database is the one that was served last, before anything of it is.

use super::ComposeError;
use crate::administration::restore;
use crate::audit::{AnchorFile, LateChain};
use crate::authority::InstallationRecord;
use crate::clock::{Clock, Moment, SystemClock};
use crate::custody::Custody;
use crate::scrub::Freshness;
use crate::settings::Settings;
use crate::store::Store;
use std::sync::Arc;

/// Compares the database with the anchor that the settings name, if they name one. Gives the installation's record as it is then.
pub(super) async fn compare(
    settings: &Settings,
    store: &Arc<dyn Store>,
    custody: &Custody,
    heads: LateChain,
    installation: InstallationRecord,
) -> Result<(Arc<Freshness>, InstallationRecord), ComposeError> {
    let Some(path) = &settings.audit.anchor else {
        if installation.anchored {
            tracing::warn!(
                "the installation had an anchor, and the settings name none: a database put back is not noticed"
            );
        }
        return Ok((Arc::default(), installation));
    };
    let file = AnchorFile::at(path);
    let found = file.read().map_err(|why| ComposeError::File(path.clone(), why))?;
    let now = Moment(SystemClock::start().now().0.max(store.high_water()));
    let place = (file, found.as_deref(), heads);
    Ok(restore::compare(place, (store, custody), installation, now).await?)
}
