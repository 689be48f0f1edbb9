//! What remains of a tenant's destroyed objects (family 07).

use crate::DateTime;
use crate::field::structure;

structure! {
    /// Removes the records of destroyed objects whose retention is over, those that were destroyed first before all others.
    #[derive(Default)]
    ObjectPurgeRequest {
        /// Only of objects whose Destroy Date is not later; of all whose retention is over if absent.
        destroyed_until: Option<DateTime> = DESTROYED_UNTIL;
        /// At most so many; as many as the server removes at once if absent.
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
    }

    /// Object Purge, the answer.
    ObjectPurgeResponse {
        /// How many records were removed.
        purged_count: i32 = PURGED_COUNT;
        /// How many more could be removed now. Not more than 10,000 are counted.
        remaining_count: i32 = REMAINING_COUNT;
        /// What was destroyed later was left.
        destroyed_until: DateTime = DESTROYED_UNTIL;
    }
}
