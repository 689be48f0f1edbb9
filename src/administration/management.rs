//! The key-management credential of an HSM-Profile, for as long as something that people have agreed to is carried out. Whoever makes or
//! destroys keys in an HSM passes it on.

use crate::authority::Origin;
use crate::custody::{Locked, ProfileId};
use crate::failure::Failure;
use crate::operations::Context;

/// The key-management credential of a profile, as the votes on what is carried out have opened it; `None` where the profile keeps none of
/// its own: its token has one user for both roles, and its key-usage credential is used.
pub(super) async fn login(_: &mut Context<'_>, _: Origin, _: ProfileId) -> Result<Option<Locked>, Failure> {
    Ok(None)
}
