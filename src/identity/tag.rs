//! Tags of the records kept here: extensions of our own that never leave the server. Append only.

use kmip_ttlv::Tag;

pub(super) const RECORD: Tag = Tag(0x54_E100);
pub(super) const FORMAT: Tag = Tag(0x54_E101);
pub(super) const NAME: Tag = Tag(0x54_E102);
pub(super) const SUSPENDED: Tag = Tag(0x54_E103);
pub(super) const CREATED: Tag = Tag(0x54_E104);
pub(super) const APPLICATION: Tag = Tag(0x54_E105);
pub(super) const EXPIRES: Tag = Tag(0x54_E106);
pub(super) const CREDENTIAL: Tag = Tag(0x54_E107);
pub(super) const KEY_FINGERPRINT: Tag = Tag(0x54_E108);
pub(super) const PINNED_CERTIFICATE: Tag = Tag(0x54_E109);
pub(super) const RULE_KIND: Tag = Tag(0x54_E10A);
pub(super) const RULE_VALUE: Tag = Tag(0x54_E10B);
pub(super) const CERTIFICATE: Tag = Tag(0x54_E10C);
pub(super) const REVOCATION_LIST: Tag = Tag(0x54_E10D);
pub(super) const REFUSE_STALE: Tag = Tag(0x54_E10E);
pub(super) const HARDWARE: Tag = Tag(0x54_E10F);
pub(super) const TEST: Tag = Tag(0x54_E110);
